import { described, insideOf } from "../../config/issues";

/** Keys of a configuration as its schema has them: what the page and the editors' schema say of each is read here, once. */

/** A key of the configuration. */
export interface Key {
  /** Such as `receive.hashrings[].name`: an entry of a list is `[]`, one of a map `.<name>`. */
  path: string;
  /** Purpose of the key, in Markdown whose links are relative to docs/. Empty where the schema says nothing. */
  description: string;
  /** Accepted values, in the words of the program's messages. */
  accepts: string;
  /** Why it accepts no less than its least. */
  least: { value: string; why: string } | undefined;
  presence: Presence;
  /** Under which name it is described once for all keys of its kind, such as `storage`. */
  shared: string | undefined;
  /** Keys within it, also those of its entries. */
  keys: Key[];
}

/** Whether a key is demanded, may be left out, or has a default. */
export type Presence = { is: "required" } | { is: "optional" } | { is: "default"; value: unknown };

/** Entry of a schema in its registry, beside what JSON Schema knows. */
interface Meta {
  description?: string;
  shared?: string;
  least?: string;
  form?: string;
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
    shape?: Record<string, Schema>;
    defaultValue?: unknown;
    checks?: { _zod: { def: Check } }[];
  };
  meta?(): Meta | undefined;
}

interface Check {
  check: string;
  minimum?: number;
  error?: (issue: unknown) => unknown;
  params?: { rule?: string };
  path?: unknown[];
}

/** A schema, and what is wrapped in it (defaults, what may be left out, what is done before), from the outside inwards. */
function layersOf(schema: Schema): Schema[] {
  const inner = insideOf(schema);
  return inner === undefined ? [schema] : [schema, ...layersOf(inner)];
}

const innermost = (schema: Schema): Schema => layersOf(schema).at(-1) ?? schema;

/** Registered entry of a schema: the outside counts before what it wraps. */
const metaOf = (schema: Schema): Meta =>
  Object.assign(
    {},
    ...layersOf(schema)
      .map((layer) => layer.meta?.() ?? {})
      .reverse(),
  ) as Meta;

/** The keys of a schema, at whatever depth. */
export function keysOf(schema: Schema, path = ""): Key[] {
  const { def } = innermost(schema);
  if (def.shape !== undefined)
    return Object.entries(def.shape).map(([name, child]) => keyOf(child, path === "" ? name : `${path}.${name}`));
  if (def.element !== undefined) return keysOf(def.element, `${path}[]`);
  if (def.valueType !== undefined) return keysOf(def.valueType, `${path}.<name>`);
  return [];
}

/** A key by its schema. Where its entries, and not itself, are described with others of their kind, it is too. */
export function keyOf(schema: Schema, path: string): Key {
  const { description = "", shared, foreign = false } = metaOf(schema);
  const { valueType } = innermost(schema).def;
  return {
    path,
    description,
    accepts: acceptedBy(schema),
    least: leastOf(schema),
    presence: presenceOf(schema),
    shared: shared ?? (valueType === undefined ? undefined : metaOf(valueType).shared),
    keys: foreign ? [] : keysOf(schema, path),
  };
}

/** The keys and everything within them. */
export const withInner = (keys: readonly Key[]): Key[] => keys.flatMap((key) => [key, ...withInner(key.keys)]);

function presenceOf(schema: Schema): Presence {
  for (const { def } of layersOf(schema)) {
    if (def.type === "optional") return { is: "optional" };
    if (def.type === "default" || def.type === "prefault") return { is: "default", value: def.defaultValue };
  }
  return { is: "required" };
}

/** Conditions of a schema on its whole value, in order. */
const checksOf = (schema: Schema): Check[] =>
  (innermost(schema).def.checks ?? []).map((check) => check._zod.def).filter(({ path }) => path === undefined || path.length === 0);

const messageOf = (check: Check): string | undefined => {
  const said = check.error?.({});
  return typeof said === "string" ? said : undefined;
};

function leastOf(schema: Schema): Key["least"] {
  const { least: value } = metaOf(schema);
  const why = checksOf(schema).find((check) => messageOf(check) === `${value} or more`)?.params?.rule;
  return value === undefined || why === undefined ? undefined : { value, why };
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
