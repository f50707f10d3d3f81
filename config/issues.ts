import type { z } from "zod";
import type { Problem } from "../model/problem";
import { settingsSchema } from "../model/settings";

/** What the schema found, in the words of a {@link Problem}. */
export function problemsOfIssue(issue: z.core.$ZodIssue, raw: Record<string, unknown>): Problem[] {
  const key = pathText(issue.path);
  const value = valueAt(raw, issue.path);
  const at = (name: string) => (key === "" ? name : `${key}.${name}`);
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((name) => ({
        key: at(name),
        value: valueAt(raw, [...issue.path, name]),
        rule: "there is no such key",
        remedy: `one of ${knownKeys(issue.path).join(", ")}`,
      }));
    case "invalid_type":
      return [
        {
          key,
          value,
          rule: value === undefined ? "this key is required" : `this key holds ${article(issue.expected)}`,
          remedy: article(issue.expected),
        },
      ];
    case "invalid_value":
      return [{ key, value, rule: "not a value of this key", remedy: issue.values.map((each) => JSON.stringify(each)).join(", ") }];
    case "too_small":
      return [{ key, value, rule: "too small or too short", remedy: `at least ${issue.minimum}` }];
    case "too_big":
      return [{ key, value, rule: "too large or too long", remedy: `at most ${issue.maximum}` }];
    case "invalid_key":
      return [{ key, value, rule: "the name of an entry is not allowed", remedy: issue.issues.map((inner) => inner.message).join("; ") }];
    default:
      return [{ key, value, rule: ruleOf(issue) ?? "not of the form that this key has", remedy: issue.message }];
  }
}

/** The reason that a value of this key gives for its own condition. */
function ruleOf(issue: z.core.$ZodIssue): string | undefined {
  const rule: unknown = issue.code === "custom" ? issue.params?.rule : undefined;
  return typeof rule === "string" ? rule : undefined;
}

const article = (expected: string): string => (/^[aeiou]/.test(expected) ? `an ${expected}` : `a ${expected}`);

function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, part) => (typeof part === "number" ? `${text}[${part}]` : text === "" ? String(part) : `${text}.${String(part)}`),
    "",
  );
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, part) => (value as Record<PropertyKey, unknown> | undefined)?.[part], root);
}

/** The keys that the schema knows at a path. */
function knownKeys(path: readonly PropertyKey[]): string[] {
  let schema: unknown = settingsSchema;
  for (const part of path) schema = step(unwrapped(schema), part);
  const object = unwrapped(schema) as { shape?: Record<string, unknown> } | undefined;
  return Object.keys(object?.shape ?? {}).sort();
}

/** What kind of value the schema takes: `string`, `object` and so on. */
export const typeOf = (schema: unknown): string => (unwrapped(schema) as { type?: string } | undefined)?.type ?? "";

/** The schema inside defaults, options and refinements. */
function unwrapped(schema: unknown): unknown {
  let inner = schema as { def?: { innerType?: unknown } } | undefined;
  while (inner?.def?.innerType !== undefined) inner = inner.def.innerType as typeof inner;
  return inner;
}

function step(schema: unknown, part: PropertyKey): unknown {
  const parent = schema as { shape?: Record<PropertyKey, unknown>; def?: { element?: unknown; valueType?: unknown } } | undefined;
  return parent?.shape?.[part] ?? parent?.def?.element ?? parent?.def?.valueType;
}
