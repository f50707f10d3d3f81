import { fewestZones } from "./availability/left";
import { nodesOfRing } from "./availability/plan";
import type { AvailabilityPlan, CountedOn, Workload } from "./availability/types";
import { type ChosenPods, choicesFor } from "./kubernetes/choices";
import { setComponents } from "./kubernetes/components";
import { namedNodes, zonesFor } from "./kubernetes/nodeSelection";
import { nodesInWords } from "./kubernetes/nodesInWords";
import type { CapacityParts } from "./plan";
import { ketamaRing } from "./ring/ketama";
import { type RingPlan, ringOf } from "./ring/plan";
import { tolerableReceivers } from "./ring/quorum";
import { shardsOf } from "./ring/shards";
import type { PodComponent } from "./settings/components";
import type { PodSettings } from "./settings/pods";
import type { Settings, StorageSettings } from "./settings/schema";

/** A workload's own settings that decide about where its pods are. */
interface Own extends Pick<Workload, "replicas" | "antiAffinity"> {
  pods: PodSettings;
  storage?: StorageSettings | Settings["prometheus"]["storage"];
}

/** Zones over which pods can be spread where the nodes that they ask for are not in all of them, or are too few for all. */
function fewerZones(settings: Settings, pods: PodSettings): { zones?: number } {
  const { zones } = settings.cluster;
  const { pods: chosen } = choicesFor(settings, { pods });
  const most = Math.min(zonesFor(chosen, zones).length, namedNodes(chosen)?.length ?? zones.length);
  return most < zones.length ? { zones: most } : {};
}

/** The part of a stack's plan that decides about its availability. */
export function availabilityPlan(settings: Settings, plan: CapacityParts): AvailabilityPlan {
  const { querier, prometheus, queryFrontend, cluster } = settings;
  const workload = ({ replicas, antiAffinity, storage, pods }: Own): Workload => ({
    replicas,
    antiAffinity,
    // Directories of nodes say where the pods are, whatever the zones of those are.
    ...(cluster.zones.length > 0 && storage?.hostPath === undefined ? { zoneSpread: true, ...fewerZones(settings, pods) } : {}),
    ...(replicas > 1 ? { maxUnavailable: 1 } : {}),
  });
  const stored = ({ hostPath }: StorageSettings) =>
    hostPath === undefined ? { storage: "pvc" as const } : { storage: "hostPath" as const, nodes: hostPath.nodes.length };
  const { bucket, ruler } = plan;
  const ring = ringOf(plan.scheme);
  const made: AvailabilityPlan = {
    ...(ring === undefined
      ? {}
      : {
          receive: {
            hashrings: ring.rings.map((each) => {
              const own = settingsOfRing(ring, each.name);
              return {
                name: each.name,
                members: each.members,
                antiAffinity: own.antiAffinity,
                ...stored(own.storage),
                ...(each.shuffleSharding === undefined
                  ? {}
                  : { shards: shardsOf(ketamaRing(each.members, ring.settings.replicationFactor), each.shuffleSharding, each.tenants) }),
              };
            }),
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
    ...(bucket === undefined
      ? {}
      : { storeGateway: { ...workload(bucket.objectStorage.storeGateway), parts: bucket.storeGatewaySets.length } }),
    ...(ruler === undefined ? {} : { ruler: { ...workload({ ...ruler.settings, storage: ruler.storage }), stores: ruler.stores } }),
    zones: cluster.zones.length,
  };
  const nodes = countedOn(made, settings, ring);
  return nodes.length === 0 ? made : { ...made, nodes };
}

const settingsOfRing = (ring: RingPlan, name: string) => ring.sets.find((set) => set.ring === name)?.settings ?? ring.settings;

/**
 * Nodes that the plan's pods ask for, where not every node will do: each kind once, with as many as its neediest component takes, in as
 * many zones.
 */
function countedOn(plan: AvailabilityPlan, settings: Settings, ring: RingPlan | undefined): CountedOn[] {
  const apart = ({ replicas, antiAffinity }: Workload) => (antiAffinity === "hard" ? replicas : 1);
  const spread = (own: { pods: PodSettings }, workload: Workload | undefined): Counted[] => {
    if (workload === undefined) return [];
    const { pods } = choicesFor(settings, own);
    const of = workload.zoneSpread ? zonesFor(pods, settings.cluster.zones) : [];
    const zones = of.length === 0 ? 0 : fewestZones(workload.replicas, workload.zones ?? of.length);
    return [{ pods, count: apart(workload), of, zones: zones > 1 ? zones : 0 }];
  };
  const rings = (plan.receive?.hashrings ?? []).flatMap((each): Counted[] => {
    const own = ring && settingsOfRing(ring, each.name);
    if (own === undefined || plan.receive === undefined) return [];
    const of = [...new Set(each.members.flatMap(({ zone }) => (zone === undefined ? [] : [zone])))];
    return [{ pods: choicesFor(settings, own).pods, count: nodesOfRing(each, plan.receive), of, zones: of.length }];
  });
  const placed = setComponents(settings).flatMap(({ name, own }) => (name === "receive" ? rings : spread(own, workloadOf[name](plan))));
  const most = new Map<string, CountedOn>();
  for (const { pods, count, of, zones } of placed) {
    const which = nodesInWords(pods);
    if (which === undefined) continue;
    const key = JSON.stringify([which, of]);
    const before = most.get(key);
    const inZones = Math.max(zones, before?.zones?.count ?? 0);
    most.set(key, {
      count: Math.max(count, inZones, before?.count ?? 0),
      which,
      ...(inZones === 0 ? {} : { zones: { count: inZones, of } }),
    });
  }
  return [...most.values()];
}

/**
 * Each component's workload in the plan, but receivers, which have one in each ring; undefined where a loss of its pods is none of data or
 * answers.
 */
const workloadOf: Readonly<Record<Exclude<PodComponent, "receive">, (plan: AvailabilityPlan) => Workload | undefined>> = {
  "receive-router": ({ routers }) => routers,
  querier: ({ querier }) => querier,
  "query-frontend": ({ queryFrontend }) => queryFrontend,
  "query-cache": () => undefined,
  prometheus: ({ prometheus }) => prometheus,
  ruler: ({ ruler }) => ruler,
  "store-gateway": ({ storeGateway }) => storeGateway,
  "index-cache": () => undefined,
  "chunk-cache": () => undefined,
  compactor: () => undefined,
  gateway: ({ gateway }) => gateway,
};

/** Pods with what they count on. */
interface Counted {
  pods: ChosenPods;
  /** Nodes. */
  count: number;
  /** Zones that they may be in; none where zones don't matter. */
  of: readonly string[];
  /** In how many of these there must be nodes. */
  zones: number;
}
