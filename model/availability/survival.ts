import { worstReplicasLost } from "../ring/placement";
import { writeQuorum } from "../ring/quorum";
import { left, leftAfter } from "./left";
import type { PlacedHashring } from "./plan";
import type { AvailabilityPlan, Survival, Workload } from "./types";
import { counted } from "./words";

/** How many nodes, or zones, a plan can lose at once, and what fails with one more. */

const ofAll = (lost: number, copies: number): string =>
  copies === 1 ? "the only receiver" : lost === copies ? `all ${copies} receivers` : `${lost} of the ${copies} receivers`;

/** Why one zone may have all pods of a workload, where it is for the nodes that they ask for. */
const inFewZones = ({ zones }: Workload, domain: keyof Survival): string =>
  domain === "zones" && zones !== undefined ? `, which may be in ${counted(zones, "zones")} alone` : "";

/** Shards that are named one by one. */
const MOST_SHARDS = 3;

/** Hashrings by name, as the end of a sentence. */
const named = (names: readonly string[]): string => `${names.length === 1 ? "hashring" : "hashrings"} ${names.join(", ")}`;

/**
 * Hashrings, or shards of them, among all of a plan: `hashrings a, b`, `hashring a (2 of its 9 shards: a-0, a-1, a-2 or a-0, a-3, a-4)`.
 */
function inHashrings(some: readonly PlacedHashring[], all: readonly PlacedHashring[]): string {
  const of = (hashrings: readonly PlacedHashring[], name: string) => hashrings.filter(({ ring }) => ring.name === name);
  const parts = [...new Set(some.map(({ ring }) => ring.name))].map((name) => {
    const [found, every] = [of(some, name), of(all, name).length];
    if (every === 1) return name;
    if (found.length === every) return `${name} (each of its ${every} shards)`;
    const shards = found.slice(0, MOST_SHARDS).map(({ ring }) => ring.members.map(({ pod }) => pod).join(", "));
    return `${name} (${found.length} of its ${every} shards: ${shards.join(" or ")}${found.length > MOST_SHARDS ? " or …" : ""})`;
  });
  return named(parts);
}

/** Failures when any `count` nodes, or zones, are lost; empty if there are none. */
function failures(
  plan: AvailabilityPlan,
  placed: readonly PlacedHashring[],
  domain: keyof Survival,
  count: number,
  zones: number,
): { data: string[]; service: string[] } {
  const { receive, prometheus } = plan;
  const what = counted(count, domain);
  const lost = domain === "nodes" ? { nodes: count } : { zones: count };
  const remaining = leftAfter(plan, lost, zones);
  const data: string[] = [];
  if (receive === undefined) {
    if (remaining.prometheus <= 0) {
      const all = prometheus.replicas === 1 ? "the only Prometheus" : `all ${prometheus.replicas} Prometheus`;
      const part = prometheus.shards === 1 ? "" : " of a shard";
      data.push(
        `${what} can take ${all}${part}${inFewZones(prometheus, domain)}, so that nothing is scraped there and its recent samples are unreadable`,
      );
    }
  } else {
    const quorum = writeQuorum(receive.replicationFactor);
    const losses = placed.map((hashring) => ({ hashring, lost: worstReplicasLost(hashring.copies, hashring[domain], count) }));
    for (const copies of [...new Set(losses.map((each) => each.lost))].sort((one, other) => other - one)) {
      if (copies > receive.replicationFactor - quorum || copies >= quorum) {
        const writes = copies > receive.replicationFactor - quorum ? `the quorum of ${quorum} is not reached` : undefined;
        const samples = copies >= quorum ? `acknowledged samples can be on these alone` : undefined;
        const affected = losses.flatMap((each) => (each.lost === copies ? [each.hashring] : []));
        data.push(
          `${what} can take ${ofAll(copies, receive.replicationFactor)} of a series in ${inHashrings(affected, placed)}: ` +
            [writes, samples].filter((text) => text !== undefined).join(", and "),
        );
      }
    }
  }
  const service: string[] = [];
  const workloads = [
    { name: "routers", workload: plan.routers },
    { name: "queriers", workload: plan.querier },
    { name: "query frontends", workload: plan.queryFrontend },
    { name: "gateways", workload: plan.gateway },
    { name: "store gateways", workload: plan.storeGateway, which: plan.storeGateway?.parts === 1 ? "" : " of a part of the bucket" },
    { name: "rulers", workload: plan.ruler?.stores ? plan.ruler : undefined, which: ", which alone hold what comes of the rules" },
  ];
  for (const { name, workload, which = "" } of workloads) {
    if (workload !== undefined && left(workload, lost, zones) <= 0) {
      service.push(`${what} can take all ${name} (${workload.replicas})${which}${inFewZones(workload, domain)}`);
    }
  }
  return { data, service };
}

/** How many nodes and zones can be lost, by what is stored and by everything, with what fails next. */
export function survivalOf(plan: AvailabilityPlan, placed: readonly PlacedHashring[], zones: number) {
  const most = (domain: keyof Survival, fails: (found: { data: string[]; service: string[] }) => string[]) => {
    if (domain === "zones" && zones < 2) return { count: 0, limit: ["the plan names no two zones"] };
    const inOneZone = placed.filter((hashring) => hashring.zones.length < 2);
    if (domain === "zones" && inOneZone.length > 0) {
      return { count: 0, limit: [`all receivers of a series in ${inHashrings(inOneZone, placed)} may be in one zone`] };
    }
    let count = 0;
    for (;;) {
      const limit = fails(failures(plan, placed, domain, count + 1, zones));
      if (limit.length > 0) {
        return { count, limit };
      }
      count++;
    }
  };
  const data = { nodes: most("nodes", (found) => found.data), zones: most("zones", (found) => found.data) };
  const all = {
    nodes: most("nodes", (found) => [...found.data, ...found.service]),
    zones: most("zones", (found) => [...found.data, ...found.service]),
  };
  return {
    survives: { nodes: all.nodes.count, zones: all.zones.count },
    dataSurvives: { nodes: data.nodes.count, zones: data.zones.count },
    limits: { nodes: all.nodes.limit, zones: all.zones.limit },
  };
}
