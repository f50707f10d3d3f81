/**
 * How many replicas make a write acknowledged. Source: thanos pkg/receive/handler.go `writeQuorum` v0.42: one of one, one
 * of two (#7669), otherwise a majority.
 */
export function writeQuorum(replicationFactor: number): number {
  return replicationFactor <= 2 ? 1 : Math.floor(replicationFactor / 2) + 1;
}

/** Receivers that may be away while every write still reaches its quorum: what a disruption budget allows. */
export function tolerableReceivers(replicationFactor: number): number {
  return replicationFactor - writeQuorum(replicationFactor);
}
