import { largestHashring } from "./availability/plan";
import type { AvailabilityPlan, CountedOn, Workload } from "./availability/types";
import { choicesFor } from "./kubernetes/choices";
import { nodesInWords } from "./kubernetes/nodesInWords";
import type { StackPlan } from "./plan";
import { ringOf } from "./ring/plan";
import { tolerableReceivers } from "./ring/quorum";
import type { PodSettings } from "./settings/pods";
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
  const made: AvailabilityPlan = {
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
    ...(plan.gateway === undefined
      ? {}
      : {
          gateway: {
            ...workload(plan.gateway.settings),
            writes: plan.gateway.endpoints.includes("write"),
            reads: plan.gateway.endpoints.includes("query"),
          },
        }),
    ...(history === undefined
      ? {}
      : { storeGateway: { ...workload(history.objectStorage.storeGateway), parts: history.storeGatewaySets.length } }),
    ...(ruler === undefined ? {} : { ruler: { ...workload({ ...ruler.settings, storage: ruler.storage }), stores: ruler.stores } }),
    zones: cluster.zones.length,
  };
  const nodes = countedOn(made, settings);
  return nodes.length === 0 ? made : { ...made, nodes };
}

/** Nodes that the plan's pods ask for, where not every node will do: each kind once, with as many as its neediest component takes. */
function countedOn(plan: AvailabilityPlan, settings: Settings): CountedOn[] {
  const { receive, querier, queryFrontend, prometheus, ruler, objectStorage, gateway } = settings;
  const apart = ({ replicas, antiAffinity }: Pick<Workload, "replicas" | "antiAffinity">) => (antiAffinity === "hard" ? replicas : 1);
  const placed: [{ pods: PodSettings } | undefined, number | undefined][] = [
    [receive, plan.receive && apart({ ...plan.receive, replicas: largestHashring(plan.receive) })],
    [receive?.routers, plan.routers && apart(plan.routers)],
    [querier, apart(plan.querier)],
    [queryFrontend, plan.queryFrontend && apart(plan.queryFrontend)],
    [prometheus, apart(plan.prometheus)],
    [objectStorage?.storeGateway, plan.storeGateway && apart(plan.storeGateway)],
    [ruler, plan.ruler && apart(plan.ruler)],
    [gateway, plan.gateway && apart(plan.gateway)],
  ];
  const most = new Map<string, number>();
  for (const [own, count] of placed) {
    const which = own && nodesInWords(choicesFor(settings, own).pods);
    if (which !== undefined && count !== undefined) most.set(which, Math.max(most.get(which) ?? 0, count));
  }
  return [...most].map(([which, count]) => ({ count, which }));
}
