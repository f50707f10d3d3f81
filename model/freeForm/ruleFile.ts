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
  textOf,
} from "./form";

/**
 * A file of rules. Source: prometheus v0.314.0 model/rulefmt/rulefmt.go, which Thanos' ruler uses too (pkg/rules/rules.go). PromQL and templates are left to promtool.
 */

/** A text; numbers and booleans are one here, since the file is passed on as it is. */
const text: Form = (value) =>
  ["string", "number", "boolean", "bigint"].includes(typeof value) ? [] : finding(value, "Prometheus has a text here", "a text");

/** Labels of a rule or a group; `__name__` is the rule's own. */
const ruleLabels: Form = map(text, (name) =>
  name === "" || name === "__name__" ? finding(name, "not a label of a rule", "another name: the series' own is the field record") : [],
);

/** Annotations of an alert. */
const annotations: Form = map(text, (name) => (name === "" ? finding(name, "an annotation has a name", "a text") : []));

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

const rule: Form = object(
  { record: text, alert: text, expr: text, for: duration, keep_firing_for: duration, labels: ruleLabels, annotations },
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

const group: Form = object(
  { name: text, interval: duration, query_offset: duration, limit: count(), rules: list(rule), labels: ruleLabels },
  required("name"),
);

/** What a file of rules says, once its YAML is read. */
export const ruleFile: Form = object({ groups: list(group) }, groupNamesAreUnique);

/** Whether what a file says are rules at all. */
export function hasGroups(content: unknown): content is Fields {
  return isFields(content) && Array.isArray(content.groups);
}
