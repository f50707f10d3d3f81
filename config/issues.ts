import type { z } from "zod";
import { credentialsFromSettings } from "../model/settings/credentials";
import { OBJECT_NAME_FORM } from "../model/settings/forms";
import { settingsSchema } from "../model/settings/schema";
import { mayBeCredential } from "../model/values/credentials";
import { isNear } from "../model/values/near";
import type { Problem } from "../model/values/problem";
import { SECRET_KEYS } from "./secretKeys";

/** An issue of the schema as problems ({@link Problem}), without values that may be a credential on the wrong side. */
export function problemsOfIssue(issue: z.core.$ZodIssue, raw: Record<string, unknown>): Problem[] {
  const path = writtenPath(issue.path, raw);
  const [first, name] = path;
  const holder = valueAt(raw, issue.code === "unrecognized_keys" ? path : path.slice(0, -1)) as { name?: unknown } | undefined;
  return readIssue(issue, path, raw).map((problem) => {
    const { value } = problem;
    if (value === undefined) return problem;
    // Whoever misunderstands this key writes the credential into it, as a value or as a name.
    if (first === "credentialsFrom") return { ...problem, value: HIDDEN, ...(issue.code === "invalid_key" ? { key: first } : {}) };
    if (path.includes("headers")) return { ...problem, value: HIDDEN };
    // As of `{ name: PASSWORD, valu: … }`.
    const named = typeof holder?.name === "string" && typeof value === "string" && value !== holder.name;
    if (named && name !== undefined && mayBeCredential(String(holder?.name), value)) return { ...problem, value: HIDDEN };
    return described(schemaAt(path)) === OBJECT_NAME_FORM && looksLikeAName(String(value)) ? { ...problem, isPublic: true } : problem;
  });
}

const HIDDEN = "(not shown)";

/** Whether somebody means an object's name, where one is expected: words, and no letters and digits at random. */
const looksLikeAName = (text: string): boolean =>
  /^[\w./-]{1,63}$/.test(text) && !(/[A-Z]/.test(text) && /[a-z]/.test(text) && /\d/.test(text));

function readIssue(issue: z.core.$ZodIssue, path: readonly PropertyKey[], raw: Record<string, unknown>): Problem[] {
  const key = pathText(path);
  const value = valueAt(raw, path);
  const at = (name: string) => (key === "" ? name : `${key}.${name}`);
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((name) => {
        const given = valueAt(raw, [...issue.path, name]);
        const known = issue.path.length === 0 ? [...knownKeys([]), ...SECRET_KEYS] : knownKeys(issue.path);
        const near = known.filter((each) => isNear(name, each)).sort();
        return {
          key: at(name),
          value: given,
          // Names of Secrets and of keys in them.
          ...(near.includes("credentialsFrom") && credentialsFromSettings.safeParse(given).success ? { isPublic: true } : {}),
          rule: near.length > 0 ? `there is no such key; ${near.join(" or ")} may be meant` : "there is no such key",
          remedy: `one of ${known.sort().join(", ")}`,
        };
      });
    case "invalid_type": {
      const schema = schemaAt(issue.path);
      const word = shortFormOf(schema);
      const kind = `${wordOf(isWhole(schema) ? "int" : issue.expected)}${word === undefined ? "" : ` or ${quoted(word)}`}`;
      const accepted = word === undefined ? described(schema) : `${quoted(word)}, or a map of one of ${knownKeys(issue.path).join(", ")}`;
      const rule = value === undefined ? "this key is required" : `this key holds ${kind}`;
      return [{ key, value, rule, remedy: `${accepted}${inQuotes(schema, value)}` }];
    }
    case "invalid_union":
      return [{ key, value, rule: "not of the form that this key has", remedy: described(schemaAt(issue.path)) }];
    case "invalid_value":
      return [{ key, value, rule: "not a value of this key", remedy: issue.values.map((each) => JSON.stringify(each)).join(", ") }];
    case "too_small":
      return isNarrower(issue.path, Number(issue.minimum)) ? [] : [{ key, value, ...bound(issue.origin, "less", Number(issue.minimum)) }];
    case "too_big":
      return isNarrower(issue.path, Number(issue.maximum)) ? [] : [{ key, value, ...bound(issue.origin, "more", Number(issue.maximum)) }];
    case "invalid_key": {
      const rule = issue.issues.map(ruleOf).find((reason) => reason !== undefined) ?? "the name of an entry is not allowed";
      return [{ key, value, rule, remedy: issue.issues.map((inner) => inner.message).join("; ") }];
    }
    default:
      return [{ key, value, rule: ruleOf(issue) ?? "not of the form that this key has", remedy: issue.message }];
  }
}

/** The path of what somebody wrote: a text may stand for a map, whose keys are then in no file. */
function writtenPath(path: readonly PropertyKey[], raw: Record<string, unknown>): readonly PropertyKey[] {
  const inner = path.findIndex((_, index) => typeof valueAt(raw, path.slice(0, index)) === "string");
  return inner < 0 ? path : path.slice(0, inner);
}

/** Whether a number has a nearer bound of its own than this one, which is every whole number's and another issue of the same value. */
function isNarrower(path: readonly PropertyKey[], limit: number): boolean {
  const { minValue, maxValue } = (unwrapped(schemaAt(path)) ?? {}) as Described;
  return Math.abs(limit) === Number.MAX_SAFE_INTEGER && (limit < 0 ? minValue : maxValue) !== limit;
}

/** What the length of a value is counted in: one, several. */
const UNITS: Readonly<Record<string, [string, string]>> = { string: ["character", "characters"], array: ["entry", "entries"] };

/** Rule and remedy of a bound: of a text's characters, a list's entries or a number. */
function bound(origin: string, beyond: "less" | "more", limit: number): Pick<Problem, "rule" | "remedy"> {
  const [unit, units] = UNITS[origin] ?? [];
  const at = beyond === "less" ? "at least" : "at most";
  if (unit === undefined) return { rule: beyond === "less" ? "too small" : "too large", remedy: `${at} ${limit}` };
  if (beyond === "less" && limit === 1) return { rule: "this key is not empty", remedy: `${at} 1 ${unit}` };
  return { rule: beyond === "less" ? "too short" : "too long", remedy: `${at} ${limit} ${limit === 1 ? unit : units}` };
}

/** The reason that a value of this key gives for its own condition. */
function ruleOf(issue: z.core.$ZodIssue): string | undefined {
  const rule: unknown = issue.code === "custom" ? issue.params?.rule : undefined;
  return typeof rule === "string" ? rule : undefined;
}

/** Kinds of values, for people who write YAML. */
const WORDS: Readonly<Record<string, string>> = {
  string: "text",
  int: "a whole number",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  object: "a map of keys",
  record: "a map",
};

/** The word for a kind of value that the schema names `object`, `string` and so on. */
export const wordOf = (type: string): string => WORDS[type] ?? "another kind of value";

const isWhole = (schema: unknown): boolean => (unwrapped(schema) as { def?: { format?: string } } | undefined)?.def?.format === "safeint";

/** The values that a schema takes, in words. */
export function described(schema: unknown): string {
  const { def, minValue, maxValue } = (unwrapped(schema) ?? {}) as Described;
  switch (def?.type) {
    case "string":
      return formOf(def) ?? "text";
    case "number": {
      const kind = wordOf(isWhole(schema) ? "int" : "number");
      return Number.isFinite(minValue) && Number.isFinite(maxValue) ? `${kind} from ${minValue} to ${maxValue}` : kind;
    }
    case "enum":
      return Object.keys(def.entries ?? {})
        .map(quoted)
        .join(", ");
    case "literal":
      return (def.values ?? []).map(quoted).join(", ");
    case "union":
      return (def.options ?? []).map(described).join(", or ");
    default:
      return wordOf(def?.type ?? "");
  }
}

interface Described {
  def?: {
    type: string;
    entries?: Record<string, string>;
    values?: unknown[];
    options?: unknown[];
    checks?: { _zod: { def: { error?: (issue: unknown) => unknown } } }[];
  };
  minValue?: number;
  maxValue?: number;
}

/** Form of a text, in the schema's own words. */
function formOf({ checks = [] }: NonNullable<Described["def"]>): string | undefined {
  const said = checks.map((check) => check._zod.def.error?.({})).filter((each) => typeof each === "string");
  // Further conditions, such as a least value, come after the form.
  return said[0];
}

/** YAML takes digits for a number, and words for true and false. */
function inQuotes(schema: unknown, value: unknown): string {
  if (typeof value !== "number" && typeof value !== "boolean") return "";
  if (typeOf(schema) !== "string") return "";
  return takes(schema, String(value)) ? `, in quotes: ${quoted(String(value))}` : "";
}

const quoted = (value: unknown): string => JSON.stringify(value);

/** The one word that is short for a map of keys, as `tls` is for `{ tls: {} }`; undefined where there is none. */
function shortFormOf(schema: unknown): string | undefined {
  for (
    let inner = schema as (Wrapped & { meta?: () => { pattern?: unknown } | undefined }) | undefined;
    inner !== undefined;
    inner = insideOf(inner)
  ) {
    const { pattern } = inner.meta?.() ?? {};
    const word = typeof pattern === "string" && typeOf(inner) === "object" ? /^\^(\w+)\$$/.exec(pattern)?.[1] : undefined;
    if (word !== undefined) return word;
  }
  return undefined;
}

/** A key as messages name it: `cluster.zones[0]`. */
export function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, part) => (typeof part === "number" ? `${text}[${part}]` : text === "" ? String(part) : `${text}.${String(part)}`),
    "",
  );
}

export function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, part) => (value as Record<PropertyKey, unknown> | undefined)?.[part], root);
}

function schemaAt(path: readonly PropertyKey[]): unknown {
  let schema: unknown = settingsSchema;
  for (const part of path) schema = step(unwrapped(schema), part);
  return schema;
}

/** Whether a map without keys is of the form that the schema has at a path. */
export const acceptsEmptyMap = (path: readonly PropertyKey[]): boolean => takes(schemaAt(path), {});

const takes = (schema: unknown, value: unknown): boolean =>
  (schema as { safeParse?: (value: unknown) => { success: boolean } } | undefined)?.safeParse?.(value).success === true;

/** The keys that the schema knows at a path. */
export function knownKeys(path: readonly PropertyKey[]): string[] {
  const object = unwrapped(schemaAt(path)) as { shape?: Record<string, unknown> } | undefined;
  return Object.keys(object?.shape ?? {}).sort();
}

/** Type of the values that the schema takes: `string`, `object` and so on. */
export const typeOf = (schema: unknown): string => (unwrapped(schema) as { type?: string } | undefined)?.type ?? "";

interface Wrapping<Inner> {
  def?: { type?: string; innerType?: Inner; in?: Inner; out?: Inner };
}
interface Wrapped extends Wrapping<Wrapped> {}

/** A schema inside another: in a default, in what may be left out, behind what is done before it or before what is done after it. */
export const insideOf = <Inner extends Wrapping<Inner>>(schema: Wrapping<Inner> | undefined): Inner | undefined =>
  schema?.def?.innerType ?? (schema?.def?.out?.def?.type === "transform" ? schema.def.in : schema?.def?.out);

/** The schema inside defaults, options, refinements and what is done before it. */
function unwrapped(schema: unknown): unknown {
  let inner = schema as Wrapped | undefined;
  for (let next = inner; next !== undefined; next = insideOf(inner)) inner = next;
  return inner;
}

function step(schema: unknown, part: PropertyKey): unknown {
  const parent = schema as { shape?: Record<PropertyKey, unknown>; def?: { element?: unknown; valueType?: unknown } } | undefined;
  return parent?.shape?.[part] ?? parent?.def?.element ?? parent?.def?.valueType;
}
