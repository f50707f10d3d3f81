import { goUrlTrouble } from "../../values/goUrl";
import { distance } from "../../values/near";
import { bytesOfSize, isCountable, isDuration, LONGEST_DURATION } from "../../values/quantity";
import { re2Trouble } from "./re2";

/**
 * The forms that values of a Prometheus configuration have, as functions that say what a value breaks. Unlike the stack file's own schema
 * they read what stays as it was written: a field that is wrong hides no rule about another, and every message says what Prometheus would
 * take.
 */

/** One fault of a value: where, why, and the remedy. */
export interface Finding {
  /** Fields and places from the checked value to the one that is wrong. */
  path: readonly PropertyKey[];
  value: unknown;
  rule: string;
  /** Accepted values, in words. */
  remedy: string;
}

/** Faults of a value; empty where it is right. */
export type Form = (value: unknown) => Finding[];

/** An object of which the form is not known yet. */
export type Fields = Record<string, unknown>;

/** Faults of several fields of one object together. Paths begin at the object. */
export type Check = (value: Fields) => Finding[];

/** One finding at the checked value itself, or at a field of it. */
export function finding(value: unknown, rule: string, remedy: string, ...path: PropertyKey[]): Finding[] {
  return [{ path, value, rule, remedy }];
}

const below = (place: PropertyKey, findings: Finding[]): Finding[] => findings.map((each) => ({ ...each, path: [place, ...each.path] }));

/** Whether a value is an object with fields. */
export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a field says anything: to Prometheus an empty text, list or object, zero and false are fields that were left out. */
export function isSet(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === 0 || value === false) return false;
  if (Array.isArray(value)) return value.length > 0;
  return !isFields(value) || Object.keys(value).length > 0;
}

/** A field that holds a text; empty otherwise. */
export function textOf(value: Fields, field: string): string {
  const found = value[field];
  return typeof found === "string" ? found : "";
}

/** A field that holds an object; an empty one otherwise. */
export function fieldsOf(value: Fields, field: string): Fields {
  const found = value[field];
  return isFields(found) ? found : {};
}

/** The objects of a field that holds a list, with their places; none otherwise. */
export function objectsOf(value: Fields, field: string): [number, Fields][] {
  const found = value[field];
  return Array.isArray(found) ? found.flatMap((each, index): [number, Fields][] => (isFields(each) ? [[index, each]] : [])) : [];
}

/**
 * A text. Numbers and booleans are none: whoever reads the stack file has changed their form before anybody could keep it (`012` is 12,
 * `1.10` is 1.1).
 */
export const text: Form = (value) => {
  if (typeof value === "string") return [];
  return typeof value === "number" || typeof value === "boolean" || typeof value === "bigint"
    ? finding(
        value,
        "Prometheus has a text here, and without quotes YAML reads a number or a boolean, whose form is lost (012, 1.10, yes)",
        "the text in quotes",
      )
    : finding(value, "Prometheus has a text here", "a text");
};

/** Forms of which the empty text is none: what these fields are without a value. */
const NEVER_EMPTY = new Set<Form>();

/** A form that refuses a field without a value: to Prometheus that is an empty text, and not the field's default. */
export function neverEmpty(form: Form): Form {
  NEVER_EMPTY.add(form);
  return form;
}

/** A text that says something. */
export const filledText: Form = neverEmpty((value) => (value === "" ? finding(value, "this can't be empty", "a text") : text(value)));

/** Yes or no. */
export const flag: Form = (value) =>
  typeof value === "boolean" ? [] : finding(value, "Prometheus has a boolean here", "true or false, without quotes");

/** A whole number, from zero unless another least one is given. */
export const count =
  (least = 0): Form =>
  (value) =>
    Number.isSafeInteger(value) && Number(value) >= least
      ? []
      : finding(value, "Prometheus has a whole number here", `a whole number from ${least}, without quotes`);

/** A port. */
export const port: Form = (value) =>
  Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= 65_535
    ? []
    : finding(value, "Prometheus has a port here", "a number up to 65535, without quotes");

/** A number. */
export const number: Form = (value) =>
  typeof value === "number" ? [] : finding(value, "Prometheus has a number here", "a number, without quotes");

const UNITS: readonly [RegExp, number][] = [
  [/(\d+)y/, 31_536_000],
  [/(\d+)w/, 604_800],
  [/(\d+)d/, 86_400],
  [/(\d+)h/, 3_600],
  [/(\d+)m(?!s)/, 60],
  [/(\d+)s/, 1],
  [/(\d+)ms/, 0.001],
];

/** Seconds of a duration as Prometheus writes it, which knows a bare zero (`model.ParseDuration`); undefined for anything else. */
export function secondsOf(value: unknown): number | undefined {
  if (value === 0 || value === "0") return 0;
  if (typeof value !== "string" || value.length > 100 || !isDuration(value)) return undefined;
  return UNITS.reduce((sum, [pattern, size]) => sum + Number(pattern.exec(value)?.[1] ?? 0) * size, 0);
}

/** A duration. */
export const duration: Form = (value) => {
  const seconds = secondsOf(value);
  if (seconds === undefined)
    return finding(value, "not a duration: whole numbers, each with its unit, the largest first", "a duration such as 30s, 2h or 1d12h");
  return isCountable(seconds) ? [] : finding(value, "longer than Prometheus can count", `at most ${LONGEST_DURATION}`);
};

const AMOUNT = String.raw`(?:\d+(?:\.\d*)?|\.\d+)`;
const SIZE = new RegExp(`^[-+]?(?:0|(?:${AMOUNT}(?:B|[KMGTPE]iB))+|(?:${AMOUNT}(?:B|[KMGTPE]B))+)$`);

/** A size, as Prometheus reads one (alecthomas/units `ParseBase2Bytes`). */
export const size: Form = (value) => {
  if (value === 0) return [];
  if (typeof value !== "string" || value.length >= 100 || !SIZE.test(value))
    return finding(value, "not a size: a number and its unit", "a size such as 10MB or 1GiB (both count by 1024)");
  return bytesOfSize(value) < 2 ** 63 ? [] : finding(value, "more bytes than Prometheus can count", "less than 8EiB");
};

/** A regular expression of RE2. */
export const regexp: Form = (value) => {
  if (typeof value !== "string") return text(value);
  const trouble = re2Trouble(value);
  return trouble === undefined
    ? []
    : finding(
        value,
        `regular expressions here are RE2's, which refuses ${trouble}`,
        "RE2 (github.com/google/re2/wiki/Syntax); what a lookahead excludes is mostly a rule of its own, with action drop",
      );
};

/** A URL as Go parses it, which may be without a scheme. */
export const url: Form = (value) => {
  if (typeof value !== "string") return text(value);
  const trouble = value.includes(" ") ? "a space" : goUrlTrouble(value);
  return trouble === undefined ? [] : finding(value, `not a URL: it has ${trouble}`, "a URL such as http://host:port/path");
};

/** One of some words. */
export const word =
  (...words: string[]): Form =>
  (value) =>
    typeof value === "string" && words.includes(value)
      ? []
      : finding(value, "not a word of this field", words.filter((each) => each !== "").join(", "));

/** Anything. */
export const anything: Form = () => [];

/** A list. */
export const list =
  (element: Form): Form =>
  (value) =>
    Array.isArray(value)
      ? value.flatMap((each, index) => below(index, element(each)))
      : finding(value, "Prometheus has a list here", "a list");

/** Values by name. */
export const map =
  (element: Form, name: Form = anything): Form =>
  (value) =>
    isFields(value)
      ? Object.entries(value).flatMap(([key, each]) => below(key, [...name(key), ...element(each)]))
      : finding(value, "Prometheus has names and values here", "a map");

/** Labels: a text for each name. Any text that is not empty is a name since Prometheus 3. */
export const labels: Form = map(text, filledText);

/**
 * A map of these fields and no others, each of which may be left out. A field without a value (`relabel_configs:` alone) is one that is
 * left out, where its form takes an empty one.
 *
 * @param checks What joins fields.
 */
export const object =
  (fields: Readonly<Record<string, Form>>, ...checks: Check[]): Form =>
  (value) => {
    if (!isFields(value)) return finding(value, "Prometheus has fields here", `a map of keys: ${fieldNames(fields)}`);
    const given = Object.fromEntries(Object.entries(value).filter(([, each]) => each !== null && each !== undefined));
    return [
      ...Object.entries(value).flatMap(([name, each]) => {
        const form = Object.hasOwn(fields, name) ? fields[name] : undefined;
        if (form === undefined) return below(name, unknownField(name, each, Object.keys(fields)));
        if (each !== null && each !== undefined) return below(name, form(each));
        return NEVER_EMPTY.has(form)
          ? below(name, finding(each, "without a value this is empty to Prometheus, not its default", "a value, or the field left out"))
          : [];
      }),
      ...checks.flatMap((check) => check(given)),
    ];
  };

/**
 * A field that there is not. A reference is one to a secret manager, of which Prometheus 3.14 has none: it takes the field, and then never
 * scrapes the job ("cannot use secret ref without manager", prometheus/common config/http_config.go `toSecret`).
 */
function unknownField(name: string, value: unknown, known: readonly string[]): Finding[] {
  const file = `${name.replace(/_ref$/, "")}_file`;
  return name.endsWith("_ref") && known.includes(file)
    ? finding("(not shown)", "a reference is one to a secret manager, and Prometheus has none: the job is never scraped", file)
    : finding(value, "there is no such field", remedyFor(name, known));
}

/** The field that was meant, where only one or two letters are wrong; otherwise all there are. */
function remedyFor(name: string, known: readonly string[]): string {
  const near = known.filter((each) => Math.abs(name.length - each.length) <= 2 && distance(name, each) <= (each.length < 6 ? 1 : 2));
  return near.length > 0 ? near.sort().join(" or ") : `one of ${[...known].sort().join(", ")}`;
}

const fieldNames = (fields: object): string => Object.keys(fields).sort().join(", ");

/** Fields that can't be left out or empty. */
export const required =
  (...names: string[]): Check =>
  (value) =>
    names.filter((name) => !isSet(value[name])).flatMap((name) => finding(value[name], "this field is required", "a value", name));

/** Fields of which only one says anything. */
export const atMostOne =
  (...names: string[]): Check =>
  (value) => {
    const [, second] = names.filter((name) => isSet(value[name]));
    return second === undefined ? [] : finding("(set)", `at most one of ${names.join(", ")}`, `${second} left out`, second);
  };

/** Fields of which one must say something. */
export const atLeastOne =
  (...names: string[]): Check =>
  (value) =>
    names.some((name) => isSet(value[name])) ? [] : finding(undefined, `one of ${names.join(", ")} is required`, "a value", names[0] ?? "");
