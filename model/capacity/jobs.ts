import { ALL_COMPONENTS } from "../kubernetes/components";
import { SIDECAR_CONTAINER } from "../kubernetes/identities";

/**
 * Value of the label `job` of a component's metrics, and name of its container; undefined of what is not scraped. Receivers of several
 * rings are one job, which does not tell them apart: they have none here, and are selected by the names of their pods.
 *
 * @param component Its name in a need: whose pods they are, without an article.
 */
export function jobOf(component: string): string | undefined {
  if (component === "sidecars") return SIDECAR_CONTAINER;
  return ALL_COMPONENTS.find(({ who, metricsPort }) => metricsPort !== undefined && who.replace(/^the /, "") === component)?.app;
}

/** Matcher of the pods of some StatefulSets, in PromQL: where components have the same job, as receivers of several rings. */
export const podsOfSets = (sets: readonly string[]): string => `pod=~"(?:${sets.join("|")})-[0-9]+"`;
