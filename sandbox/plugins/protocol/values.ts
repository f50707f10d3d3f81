import { Struct } from "google-protobuf/google/protobuf/struct_pb";

/** A JSON document, as the Kubernetes API speaks it. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

/** A value that is not known yet: it depends on something a preview does not create. */
export class Unknown {
  readonly unknown = true;
}

/** A value that must never be stored or shown in the clear. */
export class Secret {
  constructor(readonly value: Value) {}
}

/** A property value of the provider protocol: JSON, plus unknowns and secrets at any depth. */
export type Value = null | boolean | number | string | Unknown | Secret | Value[] | ValueMap;
export interface ValueMap {
  [key: string]: Value;
}

export const unknown = new Unknown();

/** Key that marks an object of the protocol as something else than a plain object (sdk/go/common/resource/sig). */
export const signatureKey = "4dabf18193072939515e22adb298388d";
export const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
export const outputSignature = "d0e6a833031e9bbcd3f4e8bde6ca49a4";

/** How an unknown value of any type is written; the first is what this side writes (sdk/go/common/resource/plugin/rpc.go). */
export const unknownSentinel = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const unknownSentinels: ReadonlySet<string> = new Set([
  unknownSentinel,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

export function isMap(value: unknown): value is ValueMap {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Unknown) && !(value instanceof Secret);
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Reads a value in the wire's notation. */
export function decode(wire: Json): Value {
  if (typeof wire === "string") {
    return unknownSentinels.has(wire) ? unknown : wire;
  }
  if (Array.isArray(wire)) {
    return wire.map(decode);
  }
  if (!isJsonObject(wire)) {
    return wire;
  }
  const signature = wire[signatureKey];
  if (signature === secretSignature) {
    return new Secret(decode(wire.value ?? null));
  }
  if (signature === outputSignature) {
    const element = "value" in wire ? decode(wire.value ?? null) : unknown;
    return wire.secret === true ? new Secret(element) : element;
  }
  return decodeMap(wire);
}

export function decodeMap(wire: JsonObject): ValueMap {
  const map: ValueMap = {};
  for (const [key, value] of Object.entries(wire)) {
    map[key] = decode(value);
  }
  return map;
}

/** Writes a value in the wire's notation. */
export function encode(value: Value): Json {
  if (value instanceof Unknown) {
    return unknownSentinel;
  }
  if (value instanceof Secret) {
    return { [signatureKey]: secretSignature, value: encode(value.value) };
  }
  if (Array.isArray(value)) {
    return value.map(encode);
  }
  return isMap(value) ? encodeMap(value) : value;
}

export function encodeMap(map: ValueMap): JsonObject {
  const wire: JsonObject = {};
  for (const [key, value] of Object.entries(map)) {
    if (value !== undefined) {
      wire[key] = encode(value);
    }
  }
  return wire;
}

/** An absent Struct means an empty map: the engine sends none for a resource without old state. */
export function fromStruct(struct: Struct | undefined): ValueMap {
  return struct === undefined ? {} : decodeMap(struct.toJavaScript() as JsonObject);
}

export function toStruct(map: ValueMap): Struct {
  return Struct.fromJavaScript(encodeMap(map));
}

export function containsUnknown(value: Value | undefined): boolean {
  if (value instanceof Unknown) {
    return true;
  }
  if (value instanceof Secret) {
    return containsUnknown(value.value);
  }
  if (Array.isArray(value)) {
    return value.some(containsUnknown);
  }
  return isMap(value) && Object.values(value).some(containsUnknown);
}

export function containsSecret(value: Value | undefined): boolean {
  if (value instanceof Secret) {
    return true;
  }
  if (Array.isArray(value)) {
    return value.some(containsSecret);
  }
  return isMap(value) && Object.values(value).some(containsSecret);
}

/** The value with the secret marks taken off; unknowns stay. */
export function unwrap(value: Value): Value {
  if (value instanceof Secret) {
    return unwrap(value.value);
  }
  if (Array.isArray(value)) {
    return value.map(unwrap);
  }
  return isMap(value) ? unwrapMap(value) : value;
}

export function unwrapMap(map: ValueMap): ValueMap {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, unwrap(value)]));
}

/**
 * The document behind a value: secrets in the clear, nulls of objects left out, because a null means "unset" to a program
 * but "delete" or an error to the Kubernetes API.
 *
 * @throws Error when something in it is unknown; `containsUnknown` is the question to ask first.
 */
export function reveal(value: Value): Json {
  if (value instanceof Unknown) {
    throw new Error("an unknown value has no document");
  }
  if (value instanceof Secret) {
    return reveal(value.value);
  }
  if (Array.isArray(value)) {
    return value.map(reveal);
  }
  return isMap(value) ? revealMap(value) : value;
}

export function revealMap(map: ValueMap): JsonObject {
  const object: JsonObject = {};
  for (const [key, value] of Object.entries(map)) {
    const revealed = reveal(value);
    if (revealed !== null) {
      object[key] = revealed;
    }
  }
  return object;
}

/** The value at a path of keys, seen through secret marks; undefined when there is none, `unknown` below an unknown. */
export function at(value: Value | undefined, ...path: (string | number)[]): Value | undefined {
  let current: Value | undefined = value;
  for (const key of path) {
    while (current instanceof Secret) {
      current = current.value;
    }
    if (current instanceof Unknown) {
      return current;
    }
    if (Array.isArray(current)) {
      current = typeof key === "number" ? current[key] : undefined;
    } else if (isMap(current)) {
      current = current[key];
    } else {
      return undefined;
    }
  }
  while (current instanceof Secret) {
    current = current.value;
  }
  return current;
}

/** The string at a path, or undefined when it is absent, empty, unknown or no string. */
export function textAt(value: Value | undefined, ...path: (string | number)[]): string | undefined {
  const found = at(value, ...path);
  return typeof found === "string" && found !== "" ? found : undefined;
}

/**
 * A copy of the map with one value set, creating objects on the way; objects marked secret stay so.
 * Nothing is set below an unknown, since what is there cannot be seen.
 */
export function withValue(map: ValueMap, path: readonly string[], value: Value): ValueMap {
  const [key, ...rest] = path;
  if (key === undefined) {
    return map;
  }
  return { ...map, [key]: rest.length === 0 ? value : inside(map[key], rest, value) };
}

function inside(current: Value | undefined, path: readonly string[], value: Value): Value {
  if (current instanceof Unknown) {
    return current;
  }
  if (current instanceof Secret) {
    return new Secret(inside(current.value, path, value));
  }
  return withValue(isMap(current) ? current : {}, path, value);
}

/**
 * Marks in `value` everything that is secret in `pattern`, by place. A list is secret as a whole if anything in the pattern's
 * list is, since the API may reorder lists.
 */
export function markSecrets(value: Value, pattern: Value | undefined): Value {
  if (value instanceof Secret || pattern === undefined) {
    return value;
  }
  if (pattern instanceof Secret) {
    return new Secret(value);
  }
  if (isMap(value) && isMap(pattern)) {
    return markSecretsInMap(value, pattern);
  }
  return containsSecret(pattern) ? new Secret(value) : value;
}

export function markSecretsInMap(map: ValueMap, pattern: ValueMap): ValueMap {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, markSecrets(value, pattern[key])]));
}

/** Every non-trivial string that is secret in a value: what must not appear in a message. */
export function secretTexts(value: Value | undefined, inSecret = false): string[] {
  if (value instanceof Secret) {
    return secretTexts(value.value, true);
  }
  if (Array.isArray(value)) {
    return value.flatMap((element) => secretTexts(element, inSecret));
  }
  if (isMap(value)) {
    return Object.values(value).flatMap((element) => secretTexts(element, inSecret));
  }
  return inSecret && typeof value === "string" && value.length >= 4 ? [value] : [];
}

/** The text with every secret of the values, also in base64, replaced by `[secret]`. */
export function redact(text: string, ...values: (Value | undefined)[]): string {
  const secrets = values.flatMap((value) => secretTexts(value)).flatMap((secret) => [secret, Buffer.from(secret).toString("base64")]);
  return secrets.sort((a, b) => b.length - a.length).reduce((result, secret) => result.replaceAll(secret, "[secret]"), text);
}

/** Whether two values are the same, whatever is marked secret. An unknown is never the same as anything. */
export function sameValue(a: Value | undefined, b: Value | undefined): boolean {
  if (a instanceof Secret) {
    return sameValue(a.value, b);
  }
  if (b instanceof Secret) {
    return sameValue(a, b.value);
  }
  if (a instanceof Unknown || b instanceof Unknown) {
    return false;
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((element, index) => sameValue(element, b[index]));
  }
  if (isMap(a) && isMap(b)) {
    const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
    return [...keys].every((key) => sameValue(a[key] ?? null, b[key] ?? null));
  }
  return (a ?? null) === (b ?? null);
}
