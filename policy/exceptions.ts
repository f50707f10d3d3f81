/** Exceptions from the rules, by name. A change of this file is a change of policy: it is reviewed like one. */
export interface Exceptions {
  /** Environments (stacks) whose namespace and data must be protected. */
  protectedStacks: readonly string[];
  /** Components (app.kubernetes.io/component) whose volumes hold only what is fetched or made again, so that losing one loses nothing. */
  refetchedComponents: readonly string[];
  /** Environments that may keep data in directories of their nodes' own disks. */
  hostPathStacks: readonly string[];
  /** Services that may be reached from outside of the cluster, as `namespace/name`. */
  exposedServices: readonly string[];
}

export const EXCEPTIONS: Exceptions = {
  protectedStacks: ["prod"],
  // Headers of indexes, and downloads of the compaction that is under way; the blocks themselves are the bucket's.
  refetchedComponents: ["store-gateway", "compactor"],
  hostPathStacks: ["dev"],
  exposedServices: [],
};
