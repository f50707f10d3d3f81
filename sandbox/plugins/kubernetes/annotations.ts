import { at, textAt, type Value, type ValueMap } from "../protocol/values";

/** The annotations through which a program steers this provider; the same as the official provider's. */
export const annotations = {
  autonamed: "pulumi.com/autonamed",
  skipAwait: "pulumi.com/skipAwait",
  timeoutSeconds: "pulumi.com/timeoutSeconds",
  waitFor: "pulumi.com/waitFor",
  patchForce: "pulumi.com/patchForce",
  patchFieldManager: "pulumi.com/patchFieldManager",
  deletionPropagationPolicy: "pulumi.com/deletionPropagationPolicy",
} as const;

export function annotation(object: Value | undefined, key: string): string | undefined {
  return textAt(object, "metadata", "annotations", key);
}

export function isAnnotated(object: Value | undefined, key: string): boolean {
  return at(object, "metadata", "annotations", key) === "true";
}

export function isAutonamed(inputs: ValueMap): boolean {
  return isAnnotated(inputs, annotations.autonamed);
}
