/** Kubernetes labels of every object, from one place, so that selectors, network policies and scrape jobs can rely on them. */

/** The value of `app.kubernetes.io/part-of` on everything that this program makes. */
export const PART_OF = "thanos-stack";

/** The part of the stack that an object belongs to. */
export type ComponentName =
  | "namespace"
  | "data-priority"
  | "volumes"
  | "receive"
  | "receive-router"
  | "querier"
  | "query-frontend"
  | "query-cache"
  | "store-gateway"
  | "index-cache"
  | "chunk-cache"
  | "compactor"
  | "ruler"
  | "prometheus";

/** Which part of the stack, under which name. */
export interface Identity {
  /** Value of `app.kubernetes.io/name`, such as `thanos-receive`; also the scrape job's name. */
  app: string;
  /** Value of `app.kubernetes.io/component`. */
  component: ComponentName;
  /** Value of `app.kubernetes.io/instance` where several workloads share a component, such as a hashring's or a shard's. Default: `app`. */
  instance?: string;
}

/** Labels that identify pods. They never change in the life of a workload: selectors and volume claim templates are immutable. */
export function selectorLabels(identity: Identity): Record<string, string> {
  return {
    "app.kubernetes.io/name": identity.app,
    "app.kubernetes.io/component": identity.component,
    "app.kubernetes.io/instance": identity.instance ?? identity.app,
  };
}

/** The labels of this stack's pods that have the given ones: others' pods in the same namespace may have the rest of them too. */
export const ownPods = (labels: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  ...labels,
  "app.kubernetes.io/part-of": PART_OF,
});

/** Labels of objects: the identifying ones, what they are part of, and the version where there is one. */
export function commonLabels(identity: Identity, version?: string): Record<string, string> {
  return {
    ...selectorLabels(identity),
    "app.kubernetes.io/part-of": PART_OF,
    ...(version === undefined ? {} : { "app.kubernetes.io/version": version }),
  };
}
