import { acceptedBy, checksOf, innermost, layersOf, messageOf, metaOf, type Schema } from "../../config/accepted";

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

function leastOf(schema: Schema): Key["least"] {
  const { least: value } = metaOf(schema);
  const why = checksOf(schema).find((check) => messageOf(check) === `${value} or more`)?.params?.rule;
  return value === undefined || why === undefined ? undefined : { value, why };
}
