import { settingsSchema } from "../../model/settings";

/** What a document says of a key, or the schema does: the two must agree. */
export interface KeyEntry {
  /** `required`, `none`, or the default as JSON. */
  default: string;
  /** What kind of value it holds, in the schema's word: `object`, `record`, `string`. */
  kind: string;
  /** Texts that its accepted values must name: `1–99`, `1Gi or more`, or each word of an enumeration in quotes. Empty where the form is described in words. */
  accepts: string[];
}

interface Schema {
  def: {
    type: string;
    innerType?: Schema;
    element?: Schema;
    valueType?: Schema;
    shape?: Record<string, Schema>;
    entries?: Record<string, string>;
    defaultValue?: unknown;
  };
  meta(): { least?: string } | undefined;
  minValue?: number;
  maxValue?: number;
}

/**
 * Every key of the configuration by its path. An entry of a list is `[]`, one of an object by name is `.<tenant>`. Objects that are filled in by themselves
 * have no entry of their own: their keys have.
 */
export function schemaKeys(): Map<string, KeyEntry> {
  const found = new Map<string, KeyEntry>();
  visit(settingsSchema as unknown as Schema, "", found);
  return found;
}

function visit(schema: Schema, path: string, found: Map<string, KeyEntry>): void {
  const layers = [schema];
  for (let inner = schema.def.innerType; inner !== undefined; inner = inner.def.innerType) layers.push(inner);
  const bare = layers[layers.length - 1] ?? schema;
  const chosen = layers.find(({ def }) => ["default", "prefault", "optional"].includes(def.type));
  const filledIn = bare.def.type === "object" && (chosen?.def.type === "default" || chosen?.def.type === "prefault");
  if (path !== "" && !path.endsWith("[]") && !path.endsWith(">") && !filledIn) {
    found.set(path, {
      default: chosen === undefined ? "required" : chosen.def.type === "optional" ? "none" : JSON.stringify(chosen.def.defaultValue),
      kind: bare.def.type,
      accepts: acceptedValues(bare),
    });
  }
  for (const [name, child] of Object.entries(bare.def.shape ?? {})) visit(child, path === "" ? name : `${path}.${name}`, found);
  if (bare.def.element !== undefined) visit(bare.def.element, `${path}[]`, found);
  if (bare.def.type === "record" && bare.def.valueType?.def.type === "object") visit(bare.def.valueType, `${path}.<tenant>`, found);
}

function acceptedValues(schema: Schema): string[] {
  const { def } = schema;
  if (def.type === "enum") return Object.keys(def.entries ?? {}).map((word) => JSON.stringify(word));
  if (def.type === "number") return [`${schema.minValue}–${schema.maxValue}`];
  const shortest = schema.meta()?.least;
  if (shortest !== undefined) return [`${shortest} or more`];
  if (def.type === "array" && def.element?.def.type === "enum") return acceptedValues(def.element);
  return [];
}
