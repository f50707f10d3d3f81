import { createHash, randomBytes } from "node:crypto";
import type { Autonaming } from "../protocol/provider";
import { at, isMap, textAt, Unknown, type ValueMap, withValue } from "../protocol/values";
import { annotations, isAutonamed } from "./annotations";

/** Eight hexadecimal digits: from the seed when the engine sends one, so that a planned name is the created one. */
export function suffix(seed: Uint8Array): string {
  const bytes = seed.length === 0 ? randomBytes(4) : createHash("sha512").update(seed).digest();
  return bytes.toString("hex").slice(0, 8);
}

/** The field manager of one resource: unique, so that two resources never share ownership of a field. */
export function newFieldManager(): string {
  return `pulumi-kubernetes-${randomBytes(4).toString("hex")}`;
}

export interface Naming {
  logicalName: string;
  oldInputs: ValueMap;
  newInputs: ValueMap;
  randomSeed: Uint8Array;
  autonaming: Autonaming | undefined;
}

/**
 * The new inputs with `metadata.name` set where the program leaves it to the provider: the name given before, as long as it
 * was given by the provider, else the logical name and a random suffix.
 *
 * @throws Error when the engine forbids generated names.
 */
export function withName({ logicalName, oldInputs, newInputs, randomSeed, autonaming }: Naming): ValueMap {
  const metadata = at(newInputs, "metadata") ?? {};
  const open = metadata instanceof Unknown || at(metadata, "name") instanceof Unknown || at(metadata, "generateName") !== undefined;
  if (open || !isMap(metadata) || textAt(metadata, "name") !== undefined) {
    return newInputs;
  }
  const kept = isAutonamed(oldInputs) ? textAt(oldInputs, "metadata", "name") : undefined;
  if (kept === undefined && autonaming?.mode === "disable") {
    throw new Error("automatic naming is disabled for this resource, and metadata.name is not set");
  }
  const proposed = autonaming?.proposedName || `${logicalName}-${suffix(randomSeed)}`;
  const name = kept ?? proposed.toLowerCase();
  return withValue(withValue(newInputs, ["metadata", "name"], name), ["metadata", "annotations", annotations.autonamed], "true");
}

/** The engine's id of an object: `namespace/name`, or the name alone where there is no namespace. */
export function idOf(namespace: string | undefined, name: string): string {
  return namespace === undefined || namespace === "" ? name : `${namespace}/${name}`;
}

export function parseId(id: string): { namespace: string | undefined; name: string } {
  const slash = id.indexOf("/");
  return slash < 0 ? { namespace: undefined, name: id } : { namespace: id.slice(0, slash), name: id.slice(slash + 1) };
}
