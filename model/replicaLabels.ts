/**
 * The labels that tell copies of a series apart. They are this project's own and distinct from anything that senders use: a receiver's external label
 * overwrites a sample's label of the same name on read (thanos `labelpb.ExtendSortedLabels`).
 */

/** External label of each receiver: which copy. */
export const RECEIVE_REPLICA_LABEL = "receive_replica";
/** External label of each Prometheus: which of a pair. */
export const PROMETHEUS_REPLICA_LABEL = "prometheus_replica";
/** External label that names the environment's cluster. */
export const CLUSTER_LABEL = "cluster";

/** What the querier removes: exactly the labels that exist in the receive scheme. */
export const REPLICA_LABELS: readonly string[] = [PROMETHEUS_REPLICA_LABEL, RECEIVE_REPLICA_LABEL];
