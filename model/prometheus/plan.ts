import { type Identity, PROMETHEUS_APP, PROMETHEUS_IDENTITY } from "../kubernetes/identities";
import type { Settings } from "../settings/schema";

/** One StatefulSet of Prometheus servers: a shard. */
export interface PrometheusSet {
  name: string;
  /** Number of the shard, from 0. */
  shard: number;
  replicas: number;
  identity: Identity;
}

/** The Prometheus servers of every shard, the first of which has the name alone. */
export function planPrometheus({ prometheus }: Pick<Settings, "prometheus">): PrometheusSet[] {
  return Array.from({ length: prometheus.shards }, (_, shard) => {
    const name = shard === 0 ? PROMETHEUS_APP : `${PROMETHEUS_APP}-shard-${shard}`;
    return { name, shard, replicas: prometheus.replicas, identity: { ...PROMETHEUS_IDENTITY, instance: name } };
  });
}
