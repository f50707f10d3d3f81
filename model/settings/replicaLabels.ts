import type { Settings } from "./schema";

/**
 * The labels that tell replicas of a series apart. They are this project's own and distinct from anything that senders use: a receiver's
 * external label overwrites a sample's label of the same name on read (thanos `labelpb.ExtendSortedLabels`).
 */

/** External label of each receiver: which replica. */
export const RECEIVE_REPLICA_LABEL = "receive_replica";
/** External label of each Prometheus: which of a pair. */
export const PROMETHEUS_REPLICA_LABEL = "prometheus_replica";
/** External label of each ruler: which of several that evaluate the same rules. */
export const RULE_REPLICA_LABEL = "rule_replica";

/** Every replica label of this project: names that no sender may give another meaning, whichever of them an environment has. */
export const REPLICA_LABELS: readonly string[] = [PROMETHEUS_REPLICA_LABEL, RECEIVE_REPLICA_LABEL, RULE_REPLICA_LABEL];

/** The labels that have a meaning of their own in an environment: that of its cluster and the replica labels. */
export const reservedLabels = ({ cluster }: Pick<Settings, "cluster">): string[] => [cluster.label, ...REPLICA_LABELS];

/** The external label that names the environment's cluster, with its value. */
export const clusterLabels = ({ cluster }: Pick<Settings, "cluster">): Record<string, string> => ({ [cluster.label]: cluster.name });

/**
 * Labels that the querier removes: exactly the replica labels that exist in the environment. Blocks in a bucket may be of an
 * earlier scheme, or of rulers that are gone.
 */
export function replicaLabels(settings: Settings): string[] {
  const history = settings.objectStorage !== undefined;
  return [
    PROMETHEUS_REPLICA_LABEL,
    ...(settings.ingestion === "receive" || history ? [RECEIVE_REPLICA_LABEL] : []),
    ...(settings.ruler !== undefined || history ? [RULE_REPLICA_LABEL] : []),
  ];
}
