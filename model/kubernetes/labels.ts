import type { Settings } from "../settings/schema";
import type { Identity } from "./identities";

/** Kubernetes labels of every object, from one place, so that selectors, network policies and scrape jobs can rely on them. */

/** The value of {@link PART_OF_LABEL} on everything that this program makes. */
export const PART_OF = "thanos-stack";

/** The label that tells the workloads of one component apart. */
export const INSTANCE_LABEL = "app.kubernetes.io/instance";

/** Labels that identify pods. They never change in the life of a workload: selectors and volume claim templates are immutable. */
export function selectorLabels(identity: Identity): Record<string, string> {
  return {
    "app.kubernetes.io/name": identity.app,
    "app.kubernetes.io/component": identity.component,
    [INSTANCE_LABEL]: identity.instance ?? identity.app,
  };
}

/** The label that says whose an object is. */
export const PART_OF_LABEL = "app.kubernetes.io/part-of";

/** Label of every object of this program, pods included, and of nobody else's. */
export const OWN_LABEL = { [PART_OF_LABEL]: PART_OF };

/**
 * By what this stack's pods with these labels are selected. Where the namespace is somebody else's, pods of others may have the same
 * labels, so {@link OWN_LABEL} is asked for too; in one of the stack's own there are no others. Not for a workload's own
 * `spec.selector`, which can't be changed.
 */
export function ownPods(
  { existingNamespace }: Pick<Settings, "existingNamespace">,
  labels: Readonly<Record<string, string>>,
): Record<string, string> {
  return existingNamespace ? { ...labels, ...OWN_LABEL } : { ...labels };
}

/** Labels of objects: the identifying ones, what they are part of, and the version where there is one. */
export function commonLabels(identity: Identity, version?: string): Record<string, string> {
  return {
    ...selectorLabels(identity),
    ...OWN_LABEL,
    ...(version === undefined ? {} : { "app.kubernetes.io/version": version }),
  };
}

/** Annotation that tells the Kubernetes provider that an object is ready when it is there. */
export const NOT_AWAITED = { "pulumi.com/skipAwait": "true" };
