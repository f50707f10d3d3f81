import { createHash } from "node:crypto";

/**
 * Names and label values as Kubernetes has them. What the program composes of an environment's own words is checked or shortened by these,
 * since the API server refuses a bad one only in the middle of an update. Source: apimachinery `util/validation/validation.go`.
 */

/** Longest value of a label, and longest part of a DNS name between dots. */
export const LONGEST_LABEL = 63;
/** Longest DNS name, and longest name of most objects. */
export const LONGEST_DNS_NAME = 253;
/** Longest name of a StatefulSet: its pods carry it in a label, with an eleven character revision behind it. */
export const LONGEST_STATEFUL_SET_NAME = LONGEST_LABEL - 11;
/** Length of the suffix of a name that Pulumi completes: a dash and eight characters. */
const AUTONAME_SUFFIX = 9;

/** A part of a DNS name, but for its length. */
export const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const LABEL_VALUE = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

/** Whether the text is a part of a DNS name: a namespace's name is one. */
export const isDnsLabel = (text: string): boolean => text.length <= LONGEST_LABEL && DNS_LABEL.test(text);

/** Whether the text is a DNS name in lower case: objects that are no namespace have such names. */
export const isDnsName = (text: string): boolean => text.length <= LONGEST_DNS_NAME && text.split(".").every(isDnsLabel);

/** Whether the text can be the name of a container's port (`IsValidPortName`). */
export const isPortName = (text: string): boolean =>
  text.length <= 15 && DNS_LABEL.test(text) && /[a-z]/.test(text) && !text.includes("--");

/** Whether the text can be the value of a label; an empty one could, and says nothing. */
export const isLabelValue = (text: string): boolean => text.length <= LONGEST_LABEL && LABEL_VALUE.test(text);

/** Whether the text can be the name of an annotation or a label, such as `eks.amazonaws.com/role-arn`. */
export function isQualifiedName(text: string): boolean {
  const [name = "", prefix, ...more] = text.split("/").reverse();
  return more.length === 0 && isLabelValue(name) && (prefix === undefined || isDnsName(prefix));
}

const fingerprint = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 8);

/** The name where it fits, otherwise its beginning and eight digits of its SHA-256, so that two long names never become one. */
export function shortened(name: string, longest: number): string {
  if (name.length <= longest) return name;
  return `${name.slice(0, longest - 9).replace(/[^A-Za-z0-9]+$/, "")}-${fingerprint(name)}`;
}

/** A logical name with which Pulumi names an object whose name becomes a label's value, as a Job's does. */
export const autonamed = (name: string): string => shortened(name, LONGEST_LABEL - AUTONAME_SUFFIX);

/** Any text as the value of a label: itself where it is one, otherwise as much of it as can be. */
export function labelValue(text: string): string {
  if (isLabelValue(text)) return text;
  const allowed = text.replace(/[^-A-Za-z0-9_.]+/g, "-").replace(/^[-_.]+|[-_.]+$/g, "");
  return allowed === "" ? fingerprint(text) : shortened(allowed, LONGEST_LABEL);
}

/**
 * The zones' part of StatefulSets' names, in the order of the zones. A zone is a label's value (`PHX-AD-1`, `rack_2`), of which a
 * StatefulSet's name takes the lower-case letters, digits and dashes; where that is another zone's too, a hash tells the two apart. A zone
 * that is a DNS label is its own name.
 */
export function zoneNames(zones: readonly string[]): string[] {
  const forms = zones.map((zone) => (isDnsLabel(zone) ? zone : zone.toLowerCase().replace(/[^a-z0-9]+/g, "-")));
  return zones.map((zone, index) => {
    const form = forms[index] ?? zone;
    const alone = forms.filter((other) => other === form).length === 1;
    return alone || form === zone ? form : `${form}-${fingerprint(zone)}`;
  });
}
