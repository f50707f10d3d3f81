import type { AvailabilityPlan, Workload } from "./availability/types";
import type { StackPlan } from "./plan";
import { ringOf } from "./ring/plan";
import { tolerableReceivers } from "./ring/quorum";
import type { Settings, StorageSettings } from "./settings/schema";

/** The part of a stack's plan that decides about its availability. */
export function availabilityPlan(settings: Settings, plan: StackPlan): AvailabilityPlan {
  const { querier, prometheus, queryFrontend, cluster } = settings;
  const workload = ({
    replicas,
    antiAffinity,
    storage,
  }: Pick<Workload, "replicas" | "antiAffinity"> & { storage?: StorageSettings }): Workload => ({
    replicas,
    antiAffinity,
    // Directories of nodes say where the pods are, whatever the zones of those are.
    ...(cluster.zones.length > 0 && storage?.hostPath === undefined ? { zoneSpread: true } : {}),
    ...(replicas > 1 ? { maxUnavailable: 1 } : {}),
  });
  const stored = ({ hostPath }: StorageSettings) =>
    hostPath === undefined ? { storage: "pvc" as const } : { storage: "hostPath" as const, nodes: hostPath.nodes.length };
  const { history, ruler } = plan;
  const ring = ringOf(plan.scheme);
  return {
    ...(ring === undefined
      ? {}
      : {
          receive: {
            hashrings: ring.rings.map(({ name, members }) => ({ name, members })),
            replicationFactor: ring.settings.replicationFactor,
            antiAffinity: ring.settings.antiAffinity,
            ...stored(ring.settings.storage),
            ...(ring.settings.replicationFactor > 1 ? { maxUnavailable: tolerableReceivers(ring.settings.replicationFactor) } : {}),
          },
        }),
    ...(ring?.settings.mode === "split" ? { routers: workload(ring.settings.routers) } : {}),
    prometheus: {
      ...workload(prometheus),
      shards: prometheus.shards,
      ...stored(prometheus.storage),
      ...(prometheus.storage.emptyDir === undefined ? {} : { storage: "emptyDir" as const }),
    },
    querier: workload(querier),
    ...(queryFrontend === undefined ? {} : { queryFrontend: workload(queryFrontend) }),
    ...(history === undefined
      ? {}
      : { storeGateway: { ...workload(history.objectStorage.storeGateway), parts: history.storeGatewaySets.length } }),
    ...(ruler === undefined ? {} : { ruler: { ...workload({ ...ruler.settings, storage: ruler.storage }), stores: ruler.stores } }),
    zones: cluster.zones.length,
  };
}
