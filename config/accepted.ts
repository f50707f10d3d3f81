/** Values that keys accept, in words, as their schema has them: for refusals, the page of all keys and the editors' schema alike. */

/** Entry of a schema in its registry, beside what JSON Schema knows. */
export interface Meta {
  description?: string;
  shared?: string;
  least?: string;
  form?: string;
  pattern?: unknown;
  maxProperties?: number;
  /** Whether the keys within are another project's, and documented there. */
  foreign?: boolean;
}

/** As much of a schema of zod as is looked at. */
export interface Schema {
  def: {
    type: string;
    innerType?: Schema;
    in?: Schema;
    out?: Schema;
    element?: Schema;
    keyType?: Schema;
    valueType?: Schema;
    options?: Schema[];
    shape?: Record<string, Schema>;
    entries?: Record<string, string>;
    values?: unknown[];
    format?: string;
    defaultValue?: unknown;
    checks?: { _zod: { def: Check } }[];
  };
  minValue?: number | bigint | null;
  maxValue?: number | bigint | null;
  meta?(): Meta | undefined;
}

interface Check {
  check: string;
  minimum?: number;
  error?: (issue: unknown) => unknown;
  params?: { rule?: string };
  path?: unknown[];
}

interface Wrapping<Inner> {
  def?: { type?: string; innerType?: Inner; in?: Inner; out?: Inner };
}

/** A schema inside another: in a default, in what may be left out, behind what is done before it or before what is done after it. */
export const insideOf = <Inner extends Wrapping<Inner>>(schema: Wrapping<Inner> | undefined): Inner | undefined =>
  schema?.def?.innerType ?? (schema?.def?.out?.def?.type === "transform" ? schema.def.in : schema?.def?.out);

/** A schema, and what is wrapped in it (defaults, what may be left out, what is done before), from the outside inwards. */
export function layersOf(schema: Schema): Schema[] {
  const inner = insideOf(schema);
  return inner === undefined ? [schema] : [schema, ...layersOf(inner)];
}

/** The schema inside defaults, options, refinements and what is done before it. */
export const innermost = (schema: Schema): Schema => layersOf(schema).at(-1) ?? schema;

/** Registered entry of a schema: the outside counts before what it wraps. */
export const metaOf = (schema: Schema): Meta =>
  Object.assign(
    {},
    ...layersOf(schema)
      .map((layer) => layer.meta?.() ?? {})
      .reverse(),
  ) as Meta;

/** Type of the values that the schema takes: `string`, `object` and so on; empty where there is no schema. */
export const typeOf = (schema: Schema | undefined): string => (schema === undefined ? "" : innermost(schema).def.type);

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

/** Whether a schema takes whole numbers alone. */
export const isWhole = (schema: Schema | undefined): boolean => schema !== undefined && innermost(schema).def.format === "safeint";

const quoted = (value: unknown): string => JSON.stringify(value);

/** The values that a schema takes, in words, without what is within them. */
export function described(schema: Schema): string {
  const { def, minValue, maxValue } = innermost(schema);
  switch (def.type) {
    case "string":
      // Further conditions, such as a least value, come after the form.
      return (def.checks ?? []).flatMap((check) => messageOf(check._zod.def) ?? [])[0] ?? "text";
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
      return (def.options ?? []).map(acceptedBy).join(", or ");
    default:
      return wordOf(def.type);
  }
}

/** Conditions of a schema on its whole value, in order. */
export const checksOf = (schema: Schema): Check[] =>
  (innermost(schema).def.checks ?? []).map((check) => check._zod.def).filter(({ path }) => path === undefined || path.length === 0);

/** The words in which a condition of a schema says what it accepts; undefined where it has none. */
export function messageOf(check: Check): string | undefined {
  const said = check.error?.({});
  return typeof said === "string" ? said : undefined;
}

/**
 * Values that a schema accepts: its form, then its further conditions. A condition with a reason of its own belongs to a form that many
 * keys have, and is described with it; but for the least, which each key has for itself.
 */
export function acceptedBy(schema: Schema): string {
  const form = formOf(schema);
  const least = `${metaOf(schema).least} or more`;
  const conditions = checksOf(schema)
    .filter((check) => check.params?.rule === undefined || messageOf(check) === least)
    .flatMap((check) => messageOf(check) ?? []);
  return [form, ...conditions.filter((condition) => condition !== form)].join("; ");
}

function formOf(schema: Schema): string {
  const { def } = innermost(schema);
  const { form = described(schema) } = metaOf(schema);
  if (def.element !== undefined) {
    const least = checksOf(schema).find(({ check }) => check === "min_length")?.minimum;
    const each = `${innermost(def.element).def.type === "enum" ? "one of " : ""}${acceptedBy(def.element)}`;
    return least === undefined ? `${form}, each entry ${each}` : `${form} of at least ${least}, each entry ${each}`;
  }
  if (def.keyType === undefined || def.valueType === undefined) return form;
  const name = acceptedBy(def.keyType);
  const isFree = innermost(def.valueType).def.type === "unknown";
  return [form, ...(name === "text" ? [] : [`each name ${name}`]), ...(isFree ? [] : [`each value ${acceptedBy(def.valueType)}`])].join(
    ", ",
  );
}

/** The one word that is short for a map of keys, as `tls` is for `{ tls: {} }`; undefined where there is none. */
export function shortFormOf(schema: Schema): string | undefined {
  const { pattern } = metaOf(schema);
  return typeof pattern === "string" && typeOf(schema) === "object" ? /^\^(\w+)\$$/.exec(pattern)?.[1] : undefined;
}

/** {@link acceptedBy}, with the names of the keys of a map of keys. */
export function acceptedWith(schema: Schema): string {
  const { shape } = innermost(schema).def;
  if (shape === undefined) return acceptedBy(schema);
  const word = shortFormOf(schema);
  const names = Object.keys(shape).sort().join(", ");
  const map = metaOf(schema).maxProperties === 1 ? `a map of one of ${names}` : `a map of keys: ${names}`;
  return word === undefined ? map : `${quoted(word)}, or ${map}`;
}

/** Whether a schema takes a value. */
export const takes = (schema: Schema | undefined, value: unknown): boolean =>
  (schema as { safeParse?: (value: unknown) => { success: boolean } } | undefined)?.safeParse?.(value).success === true;

/** Accepted ways to give no value, in words that follow the accepted values. Empty where a value is needed. */
export function insteadOfNothing(schema: Schema): string {
  const type = typeOf(schema);
  return [
    ...(type === "array" && takes(schema, []) ? ["; [] for none"] : []),
    ...(type === "record" && takes(schema, {}) ? ["; {} for none"] : []),
    ...(type === "object" && takes(schema, {}) ? ["; {} for all defaults"] : []),
    ...(takes(schema, undefined) ? ["; or the key left out"] : []),
  ].join("");
}
