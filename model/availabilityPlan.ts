import type { AvailabilityPlan } from "./availability";
import type { StackPlan } from "./plan";
import { tolerableReceivers } from "./quorum";

/** What of a stack's plan decides about its availability. */
export function availabilityPlan(plan: StackPlan): AvailabilityPlan {
  const { receive, querier, prometheus, queryFrontend, cluster } = plan.settings;
  const workload = ({ replicas, antiAffinity }: { replicas: number; antiAffinity: "hard" | "soft" }) => ({
    replicas,
    antiAffinity,
    ...(cluster.zones.length > 0 ? { zoneSpread: true } : {}),
    ...(replicas > 1 ? { maxUnavailable: 1 } : {}),
  });
  const { hostPath } = receive.storage;
  return {
    receive: {
      hashrings: plan.rings.map((ring) => ({ name: ring.name, members: ring.members })),
      replicationFactor: receive.replicationFactor,
      antiAffinity: receive.antiAffinity,
      ...(hostPath === undefined ? {} : { nodes: hostPath.nodes.length }),
      storage: hostPath === undefined ? "pvc" : "hostPath",
      ...(receive.replicationFactor > 1 ? { maxUnavailable: tolerableReceivers(receive.replicationFactor) } : {}),
    },
    ...(receive.mode === "split" ? { routers: workload(receive.routers) } : {}),
    prometheus: { ...workload(prometheus), shards: prometheus.shards },
    querier: workload(querier),
    ...(queryFrontend === undefined ? {} : { queryFrontend: workload(queryFrontend) }),
    zones: cluster.zones.length,
  };
}
