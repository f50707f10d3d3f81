import type { z } from "zod";
import { credentialsFromSettings } from "../model/settings/credentials";
import { CERTIFICATES_FORM, OBJECT_NAME_FORM } from "../model/settings/forms";
import { settingsSchema } from "../model/settings/schema";
import { isPath, mayBeCredential } from "../model/values/credentials";
import { isNear } from "../model/values/near";
import type { Problem } from "../model/values/problem";
import { acceptedWith, described, innermost, insteadOfNothing, isWhole, type Schema, shortFormOf, takes, typeOf, wordOf } from "./accepted";
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
    if (describedAt(path) === CERTIFICATES_FORM) return { ...problem, value: withoutKeys(value) };
    if (path.includes("headers")) return { ...problem, value: HIDDEN };
    // As of `{ name: PASSWORD, valu: … }`.
    const named = typeof holder?.name === "string" && typeof value === "string" && value !== holder.name;
    if (named && name !== undefined && mayBeCredential(String(holder?.name), value)) return { ...problem, value: HIDDEN };
    return describedAt(path) === OBJECT_NAME_FORM && looksLikeAName(String(value)) ? { ...problem, isPublic: true } : problem;
  });
}

const HIDDEN = "(not shown)";

/** Longest text that is shown of what is no certificate. */
const LONGEST_HEADER = 60;

/** Hides a value where certificates belong, but for the first line of PEM and a file's name: the rest may be a key or a token. */
function withoutKeys(value: unknown): unknown {
  if (typeof value !== "string") return typeof value === "object" && value !== null ? HIDDEN : value;
  const text = value.trim();
  if (text.includes("PRIVATE KEY") || text.length === 0) return text.length === 0 ? value : HIDDEN;
  const [header] = /^-----BEGIN [A-Z0-9 ]{1,40}-----/.exec(text) ?? [];
  if (header !== undefined) return `${header} …`;
  return text.length <= LONGEST_HEADER && (isPath(text) || /^[\w-]+\.(?:crt|cer|pem)$/.test(text)) ? text : HIDDEN;
}

function describedAt(path: readonly PropertyKey[]): string {
  const schema = schemaAt(path);
  return schema === undefined ? "" : described(schema);
}

/** The rule that null breaks, which YAML reads behind a key without a value. */
const nothingWhere = (kind: string): string => `nothing is behind this key, which holds ${kind}`;

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
      const word = schema === undefined ? undefined : shortFormOf(schema);
      const kind = `${wordOf(isWhole(schema) ? "int" : issue.expected)}${word === undefined ? "" : ` or ${quoted(word)}`}`;
      const rule = value === undefined ? "this key is required" : value === null ? nothingWhere(kind) : `this key holds ${kind}`;
      return [{ key, value, rule, remedy: `${acceptedAt(issue.path, value)}${inQuotes(schema, value)}` }];
    }
    case "invalid_union":
      return [{ key, value, rule: "not of the form that this key has", remedy: acceptedAt(issue.path, value) }];
    case "invalid_value":
      return [
        { key, value, rule: value === null ? nothingWhere("a word") : "not a value of this key", remedy: acceptedAt(issue.path, value) },
      ];
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
  const schema = schemaAt(path);
  const { minValue, maxValue } = schema === undefined ? {} : innermost(schema);
  return Math.abs(limit) === Number.MAX_SAFE_INTEGER && (limit < 0 ? minValue : maxValue) !== limit;
}

/** Units of a value's length: one, several. */
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

/** YAML takes digits for a number, and words for true and false. */
function inQuotes(schema: Schema | undefined, value: unknown): string {
  if (typeof value !== "number" && typeof value !== "boolean") return "";
  if (typeOf(schema) !== "string") return "";
  return takes(schema, String(value)) ? `, in quotes: ${quoted(String(value))}` : "";
}

const quoted = (value: unknown): string => JSON.stringify(value);

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

/** The schema of what is at a path; undefined where there is no such key. */
export function schemaAt(path: readonly PropertyKey[]): Schema | undefined {
  let schema: Schema | undefined = settingsSchema as unknown as Schema;
  for (const part of path) schema = schema === undefined ? undefined : step(innermost(schema), part);
  return schema;
}

/** The values that a key accepts, in words, for whoever wrote another into it. */
function acceptedAt(path: readonly PropertyKey[], value: unknown): string {
  const schema = schemaAt(path);
  if (schema === undefined) return wordOf("");
  return `${acceptedWith(schema)}${value === null ? insteadOfNothing(schema) : ""}`;
}

/** Whether a map without keys is of the form that the schema has at a path. */
export const acceptsEmptyMap = (path: readonly PropertyKey[]): boolean => takes(schemaAt(path), {});

/** The keys that the schema knows at a path. */
export function knownKeys(path: readonly PropertyKey[]): string[] {
  const schema = schemaAt(path);
  return Object.keys((schema === undefined ? undefined : innermost(schema).def.shape) ?? {}).sort();
}

const step = ({ def: { shape = {}, element, valueType } }: Schema, part: PropertyKey): Schema | undefined =>
  Object.hasOwn(shape, part) ? shape[String(part)] : (element ?? valueType);
