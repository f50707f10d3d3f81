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
