import {
  type Check,
  count,
  duration,
  type Fields,
  type Form,
  finding,
  isFields,
  isSet,
  list,
  map,
  object,
  objectsOf,
  required,
  text,
  textOf,
} from "./form";

/**
 * A file of rules. Source: prometheus v0.314.0 model/rulefmt/rulefmt.go, which Thanos' ruler uses too (thanos v0.42.4
 * pkg/rules/manager.go). PromQL and templates are left to promtool.
 */

/**
 * Who evaluates the rules. Prometheus reads the files as they are; Thanos' ruler reads a group's fields, and writes them anew for the
 * Prometheus code in it.
 */
export type Evaluator = "prometheus" | "ruler";

/** A text; numbers and booleans are one here, since the file is passed on as it is. */
const looseText: Form = (value) =>
  ["string", "number", "boolean", "bigint"].includes(typeof value) ? [] : finding(value, "Prometheus has a text here", "a text");

/** A text that is written anew on its way, and for which a number has another form then. */
const textFor = (evaluator: Evaluator): Form => (evaluator === "ruler" ? text : looseText);

/** Labels of a rule or a group; `__name__` is the rule's own. */
const ruleLabels = (evaluator: Evaluator): Form =>
  map(textFor(evaluator), (name) =>
    name === "" || name === "__name__" ? finding(name, "not a label of a rule", "another name: the series' own is the field record") : [],
  );

/** Annotations of an alert. */
const annotations = (evaluator: Evaluator): Form =>
  map(textFor(evaluator), (name) => (name === "" ? finding(name, "an annotation has a name", "a text") : []));

const recordsOrAlerts: Check = (rule) => {
  const records = isSet(rule.record);
  if (records === isSet(rule.alert)) {
    return finding(
      records ? rule.alert : undefined,
      "a rule records or alerts",
      records ? "either record or alert" : "record with a series' name, or alert with an alert's",
      ...(records ? ["alert"] : []),
    );
  }
  if (!records) return [];
  return [
    ...["for", "keep_firing_for", "annotations"]
      .filter((field) => isSet(rule[field]) && rule[field] !== "0" && !/^0[smhdwy]$/.test(textOf(rule, field)))
      .flatMap((field) => finding(rule[field], "only alerts have this field", `${field} left out`, field)),
    ...(/[{}]/.test(textOf(rule, "record"))
      ? finding(
          rule.record,
          "the name of a series has no braces: labels are the field labels, selectors belong into expr",
          "a name such as job:errors:rate5m",
          "record",
        )
      : []),
  ];
};

const rule = (evaluator: Evaluator): Form =>
  object(
    {
      record: looseText,
      alert: looseText,
      expr: looseText,
      for: duration,
      keep_firing_for: duration,
      labels: ruleLabels(evaluator),
      annotations: annotations(evaluator),
    },
    (value) =>
      value.expr === undefined || value.expr === "" ? finding(value.expr, "this field is required", "a PromQL expression", "expr") : [],
    recordsOrAlerts,
  );

const groupNamesAreUnique: Check = (file) => {
  const groups = objectsOf(file, "groups");
  return groups.flatMap(([index, group]) =>
    isSet(group.name) && groups.some(([before, other]) => before < index && other.name === group.name)
      ? finding(group.name, "every group of a file has a name of its own", "another name", "groups", index, "name")
      : [],
  );
};

/**
 * Whether an answer without some stores is good enough for a group; only the ruler asks several (storepb `PartialResponseStrategy`, in any
 * case of letters).
 */
const strategy: Form = (value) =>
  typeof value === "string" && ["", "warn", "abort"].includes(value.toLowerCase())
    ? []
    : finding(value, "not a word of this field", "abort, warn");

const group = (evaluator: Evaluator): Form =>
  object(
    {
      name: looseText,
      interval: duration,
      query_offset: duration,
      limit: count(),
      rules: list(rule(evaluator)),
      labels: ruleLabels(evaluator),
      ...(evaluator === "ruler" ? { partial_response_strategy: strategy } : {}),
    },
    required("name"),
  );

/** Form of a file of rules, once its YAML is read. */
export const ruleFile = (evaluator: Evaluator): Form => object({ groups: list(group(evaluator)) }, groupNamesAreUnique);

/** Whether what a file says are rules at all; `groups` without any is an empty list. */
export function hasGroups(content: unknown): content is Fields {
  return isFields(content) && (Array.isArray(content.groups) || content.groups === null);
}
