import {
  at,
  isJsonObject,
  isMap,
  type Json,
  type JsonObject,
  markSecretsInMap,
  revealMap,
  Secret,
  sameValue,
  textAt,
  unknown,
  unwrap,
  unwrapMap,
  type Value,
  type ValueMap,
  withValue,
} from "../protocol/values";
import type { Kind } from "./discovery";

/** Keys of the outputs that are the provider's own and no part of the object. */
export const fieldManagerKey = "__fieldManager";
export const initialApiVersionKey = "__initialApiVersion";

export function isSecretKind({ group, kind }: Kind): boolean {
  return group === "" && kind === "Secret";
}

function base64(value: Json): Json {
  return typeof value === "string" ? Buffer.from(value).toString("base64") : value;
}

/**
 * The object the API server is asked for. A Secret's `stringData` is sent as `data`: server-side apply keeps no track of who
 * set a key through `stringData`, so a key taken out of it would stay.
 */
export function documentOf(kind: Kind, inputs: ValueMap): JsonObject {
  const document = Object.fromEntries(Object.entries(revealMap(inputs)).filter(([key]) => !key.startsWith("__")));
  const { stringData, ...rest } = document;
  if (!isSecretKind(kind) || !isJsonObject(stringData)) {
    return document;
  }
  const encoded = Object.fromEntries(Object.entries(stringData).map(([key, value]) => [key, base64(value)]));
  return { ...rest, data: { ...(isJsonObject(rest.data) ? rest.data : {}), ...encoded } };
}

/** A Secret's data is secret whether the program marked it or not. */
export function withSecretData(kind: Kind, map: ValueMap): ValueMap {
  if (!isSecretKind(kind)) {
    return map;
  }
  const result = { ...map };
  for (const key of ["data", "stringData"]) {
    const value = result[key];
    if (value !== undefined && value !== null && !(value instanceof Secret)) {
      result[key] = new Secret(value);
    }
  }
  return result;
}

/** The outputs of a resource: the live object without its book-keeping, secret where the inputs are. */
export function outputsOf(kind: Kind, live: JsonObject, inputs: ValueMap, fieldManager: string, initialApiVersion: string): ValueMap {
  const metadata = isJsonObject(live.metadata) ? live.metadata : {};
  const { managedFields: _, ...kept } = metadata;
  const marked = withSecretData(kind, markSecretsInMap({ ...live, metadata: kept } as ValueMap, inputs));
  return { ...marked, [fieldManagerKey]: fieldManager, [initialApiVersionKey]: initialApiVersion };
}

/**
 * Outputs as a preview may promise them: what the server invents at creation (identifiers, addresses, the status) is unknown.
 */
export function previewOfCreation(kind: Kind, outputs: ValueMap, inputs: ValueMap): ValueMap {
  let preview: ValueMap = { ...outputs, status: unknown };
  for (const key of ["uid", "resourceVersion", "creationTimestamp"]) {
    preview = withValue(preview, ["metadata", key], unknown);
  }
  if (textAt(inputs, "metadata", "name") === undefined) {
    preview = withValue(preview, ["metadata", "name"], unknown);
  }
  if (kind.group === "" && kind.kind === "Service" && at(inputs, "spec", "type") !== "ExternalName") {
    for (const key of ["clusterIP", "clusterIPs"]) {
      if (at(inputs, "spec", key) === undefined && at(inputs, "spec", "clusterIP") !== "None") {
        preview = withValue(preview, ["spec", key], unknown);
      }
    }
  }
  return preview;
}

/** As `previewOfCreation`, for an object that exists: its identity stays, what follows from the change does not. */
export function previewOfUpdate(outputs: ValueMap): ValueMap {
  const preview = withValue(outputs, ["metadata", "resourceVersion"], unknown);
  return outputs.status === undefined ? preview : { ...preview, status: unknown };
}

function merge(base: Value | undefined, over: Value): Value {
  if (over instanceof Secret || !isMap(over)) {
    return over;
  }
  if (base instanceof Secret) {
    return new Secret(merge(base.value, over));
  }
  return isMap(base) ? mergeMaps(base, over) : over;
}

/** The first map with the second laid over it; lists are taken whole. */
export function mergeMaps(base: ValueMap, over: ValueMap): ValueMap {
  const result = { ...base };
  for (const [key, value] of Object.entries(over)) {
    result[key] = merge(base[key], value);
  }
  return result;
}

function drifted(input: Value, last: Value | undefined, live: Value | undefined): Value | undefined {
  if (input instanceof Secret) {
    const inner = drifted(input.value, last, live);
    return inner === undefined ? undefined : new Secret(inner);
  }
  const lastPlain = last instanceof Secret ? last.value : last;
  if (live === undefined || live === null) {
    return lastPlain === undefined || lastPlain === null ? input : undefined;
  }
  if (isMap(input) && isMap(live)) {
    const result: ValueMap = {};
    for (const [key, value] of Object.entries(input)) {
      const found = drifted(value, at(lastPlain, key), live[key]);
      if (found !== undefined) {
        result[key] = found;
      }
    }
    return result;
  }
  if (Array.isArray(input) && Array.isArray(live)) {
    const previous = Array.isArray(lastPlain) ? lastPlain : undefined;
    if (input.length === live.length) {
      return input.map((element, index) => drifted(element, previous?.[index], live[index] ?? null) ?? null);
    }
    // A list of another length than asked for is as it was asked for if it was so when last seen: the server added to it.
    return previous !== undefined && sameValue(previous, live) ? input : live;
  }
  // The server may write a value in another way than the program ("1000m" and "1"); only a change since it was last seen is drift.
  return lastPlain !== undefined && sameValue(lastPlain, live) ? input : live;
}

/**
 * The inputs that would make the object what it is now: the old inputs, with the live value wherever a field they set has
 * changed since `lastOutputs` were read, and without what is gone.
 */
export function liveInputs(kind: Kind, inputs: ValueMap, lastOutputs: ValueMap, live: JsonObject): ValueMap {
  const readable = (object: ValueMap): ValueMap => {
    const data = unwrap(object.data ?? null);
    if (!isSecretKind(kind) || !isMap(data)) {
      return object;
    }
    const decoded = Object.entries(data).map(([key, value]) => [
      key,
      typeof value === "string" ? Buffer.from(value, "base64").toString() : value,
    ]);
    return { ...object, stringData: Object.fromEntries(decoded) };
  };
  const found = drifted(inputs, readable(unwrapMap(lastOutputs)), readable(live as ValueMap));
  return withSecretData(kind, isMap(found) ? found : {});
}

const assignedMetadata = new Set([
  "creationTimestamp",
  "deletionGracePeriodSeconds",
  "deletionTimestamp",
  "generation",
  "managedFields",
  "resourceVersion",
  "selfLink",
  "uid",
]);

/** Inputs of an object that was not made by this program: all of it but what only the server sets. */
export function importedInputs(kind: Kind, live: JsonObject): ValueMap {
  const metadata = isJsonObject(live.metadata) ? live.metadata : {};
  const kept = Object.fromEntries(Object.entries(metadata).filter(([key]) => !assignedMetadata.has(key)));
  const { status: _, ...rest } = live;
  return withSecretData(kind, { ...rest, metadata: kept } as ValueMap);
}

/**
 * The value with what is at a path taken from the live object, whether that has it or not. For a path the program ignores changes
 * of: asking for what is there leaves it to whoever sets it.
 */
export function withLive(value: Json | undefined, live: Json | undefined, path: readonly string[]): Json | undefined {
  const [key, ...rest] = path;
  if (key === undefined) {
    return live;
  }
  if (Array.isArray(value)) {
    const found = Array.isArray(live) ? live : [];
    return value.map((element, index) =>
      key === "*" || key === String(index) ? (withLive(element, found[index], rest) ?? element) : element,
    );
  }
  if (!isJsonObject(value)) {
    return value;
  }
  const result = { ...value };
  for (const inner of key === "*" ? Object.keys(value) : [key]) {
    const taken = withLive(value[inner], isJsonObject(live) ? live[inner] : undefined, rest);
    if (taken === undefined) {
      delete result[inner];
    } else {
      result[inner] = taken;
    }
  }
  return result;
}
