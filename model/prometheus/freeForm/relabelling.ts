import {
  type Check,
  type Fields,
  type Finding,
  type Form,
  filledText,
  finding,
  isFields,
  isSet,
  list,
  neverEmpty,
  object,
  regexp,
  text,
  textOf,
} from "./form";

/**
 * Relabelling rules, of scrapes, of remote write and of what receivers take. Source: prometheus v0.314.0 model/relabel/relabel.go, which
 * Thanos 0.42 uses for `--receive.relabel-config` too.
 */

/** Which names of labels are valid: any text (`utf8`, the default since Prometheus 3), or letters, digits and `_` (`legacy`). */
export type NameScheme = "utf8" | "legacy";

const ACTIONS = [
  "replace",
  "keep",
  "drop",
  "keepequal",
  "dropequal",
  "hashmod",
  "labelmap",
  "labeldrop",
  "labelkeep",
  "lowercase",
  "uppercase",
];
const NEED_TARGET = ["replace", "hashmod", "lowercase", "uppercase", "keepequal", "dropequal"];
/** Fields that an action takes, where it refuses others. A field with its default counts as left out. */
const ONLY: Readonly<Record<string, string[]>> = {
  keepequal: ["source_labels", "target_label"],
  dropequal: ["source_labels", "target_label"],
  labeldrop: ["regex"],
  labelkeep: ["regex"],
};
const DEFAULTS: Readonly<Record<string, unknown>> = { separator: ";", regex: "(.*)", replacement: "$1", target_label: "", modulus: 0 };

const LABEL_NAME = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
/** A name with references to groups of the regular expression (`relabelTargetLegacy`), each of which stands for characters. */
const LABEL_TEMPLATE = /^(?:[a-zA-Z_]|\$\{\w+\}|\$\w+)(?:\w|\$\{\w+\}|\$\w+)*$/;

const action: Form = neverEmpty((value) =>
  typeof value === "string" && ACTIONS.includes(value.toLowerCase()) ? [] : finding(value, "there is no such action", ACTIONS.join(", ")),
);

/** The action of a rule, as Prometheus reads it. */
const actionOf = (rule: Fields): string =>
  rule.action === undefined || rule.action === null ? "replace" : textOf(rule, "action").toLowerCase();

/** A modulus as Go's uint64. */
const modulus: Form = (value) =>
  Number.isSafeInteger(value) && Number(value) >= 0
    ? []
    : finding(value, "Prometheus has a whole number here", "a whole number from 1, without quotes");

const fitsItsAction: Check = (rule) => {
  const name = actionOf(rule);
  const only = ONLY[name];
  const target = textOf(rule, "target_label");
  return [
    ...(NEED_TARGET.includes(name) && target === ""
      ? finding(rule.target_label, `the action ${name} writes a label`, "a label's name", "target_label")
      : []),
    ...(name === "hashmod" && !isSet(rule.modulus)
      ? finding(rule.modulus, "the action hashmod divides by it", "a whole number from 1", "modulus")
      : []),
    ...((name === "lowercase" || name === "uppercase") && differs(rule, "replacement")
      ? finding(rule.replacement, `the action ${name} takes no replacement`, "replacement left out", "replacement")
      : []),
    ...(name === "labelmap" && rule.replacement === ""
      ? finding("", "the action labelmap names labels by it", "a text such as $1", "replacement")
      : []),
    ...(only === undefined
      ? []
      : Object.keys(rule)
          .filter((field) => field !== "action" && !only.includes(field) && differs(rule, field))
          .flatMap((field) => finding(rule[field], `the action ${name} takes only ${only.join(" and ")}`, `${field} left out`, field))),
  ];
};

function differs(rule: Fields, field: string): boolean {
  const value = rule[field];
  return value !== undefined && value !== null && value !== DEFAULTS[field];
}

const fields = {
  source_labels: list(filledText),
  separator: text,
  regex: regexp,
  modulus,
  target_label: text,
  replacement: text,
  action,
};
const ofAnyAction = object(fields);
const ofItsAction = object(fields, fitsItsAction);

/** One relabelling rule. */
export const relabelConfig: Form = (value) => {
  // Fields that an action demands are not known where it is empty.
  if (isFields(value) && value.action === null) return ofAnyAction(value);
  const unnamed = isFields(value) && value.replacement === null && actionOf(value) === "labelmap";
  return [
    ...(unnamed
      ? finding(null, "the action labelmap names labels by it, and without a value it is empty", "a text such as $1", "replacement")
      : []),
    ...ofItsAction(value),
  ];
};

/** A list of relabelling rules. */
export const relabelConfigs: Form = list(relabelConfig);

/** Names of labels that only UTF-8 allows, in rules of a scrape config whose names are `legacy`. Paths begin at the rule. */
export function legacyNames(rule: Fields): Finding[] {
  const name = actionOf(rule);
  const template = (field: string) =>
    isSet(rule[field]) && !LABEL_TEMPLATE.test(textOf(rule, field).slice(0, 1_000)) ? notLegacy(rule, field) : [];
  if (name === "replace") return template("target_label");
  if (name === "labelmap") return template("replacement");
  return NEED_TARGET.includes(name) && isSet(rule.target_label) && !LABEL_NAME.test(textOf(rule, "target_label"))
    ? notLegacy(rule, "target_label")
    : [];
}

const notLegacy = (rule: Fields, field: string): Finding[] =>
  finding(rule[field], 'with metric_name_validation_scheme "legacy" a label has letters, digits and _', "such a name", field);
