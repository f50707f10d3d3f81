import { type KetamaRing, ketamaRing, partOfRing, RingError, ringProblems } from "../ring/ketama";
import { type Placed, placeReplicas } from "../ring/placement";
import { zoneBalance } from "../ring/replicaSets";
import type { Problem } from "../values/problem";
import type { AntiAffinity, AvailabilityPlan, PlannedHashring, PrometheusWorkload, ReceivePlan } from "./types";

/** Whether a plan can be deployed as given, and where its receivers may stand. */

/** Every reason why a plan can't be deployed as given; empty if it can. Keys begin with `receive.`. */
export function planProblems(plan: AvailabilityPlan): Problem[] {
  const { receive } = plan;
  if (receive === undefined) {
    return [];
  }
  if (receive.hashrings.length === 0) {
    return [
      {
        key: "receive.hashrings",
        value: [],
        rule: "receivers need a hashring, or every write fails",
        remedy: "a hashring without tenants, which takes every tenant",
      },
    ];
  }
  const problems = receive.hashrings.flatMap((ring, i) => {
    const key = `receive.hashrings[${i}]`;
    const found = ringProblems(ring.members, receive.replicationFactor, key);
    const zoned = ring.members.filter((member) => member.zone !== undefined).length;
    if (zoned > 0 && zoned < ring.members.length) {
      found.push({
        key: `${key}.members`,
        value: ring.members.filter((member) => member.zone === undefined).map((member) => member.pod),
        rule: "either every member of a hashring names its zone or none: Thanos counts the others as a zone of their own",
        remedy: "a zone for every member, or for none",
      });
    }
    return found;
  });
  const crowded = receive.hashrings.filter((ring) => {
    const nodes = ring.nodes ?? receive.nodes;
    return antiAffinityOf(ring, receive) === "hard" && nodes !== undefined && nodes < ring.members.length;
  });
  const largest = crowded.reduce<PlannedHashring | undefined>(
    (most, ring) => (ring.members.length > (most?.members.length ?? 0) ? ring : most),
    undefined,
  );
  if (largest !== undefined) {
    problems.push({
      key: "receive.nodes",
      value: largest.nodes ?? receive.nodes,
      rule: `with hard anti-affinity every member of a hashring needs a node of its own, and the largest hashring has ${largest.members.length}; the others would stay Pending`,
      remedy: `${largest.members.length} nodes or more, or soft anti-affinity`,
    });
  }
  return problems;
}

/** Whether two members of a hashring may share a node. */
export const antiAffinityOf = (ring: PlannedHashring, receive: ReceivePlan): AntiAffinity => ring.antiAffinity ?? receive.antiAffinity;

/** Nodes that can run a hashring's members, at least. */
export const nodesOfRing = (ring: PlannedHashring, receive: ReceivePlan): number =>
  ring.nodes ?? receive.nodes ?? (antiAffinityOf(ring, receive) === "hard" ? ring.members.length : 1);

/** Nodes that can run receivers, at least. */
export const nodesOf = (receive: ReceivePlan): number => Math.max(0, ...receive.hashrings.map((ring) => nodesOfRing(ring, receive)));

/** Nodes that can run Prometheus, at least. */
export const nodesOfPrometheus = ({ nodes, antiAffinity, replicas }: PrometheusWorkload): number =>
  nodes ?? (antiAffinity === "hard" ? replicas : 1);

const isZoned = (ring: PlannedHashring): boolean => ring.members.length > 0 && ring.members.every((member) => member.zone !== undefined);

const ALONE = "alone";

/** Failure domains: the members, as indices, that a node or a zone can hold at most, and so are lost together. */
export function domains(ring: PlannedHashring, by: "member" | "zone"): number[][] {
  if (by === "member") {
    return ring.members.map((_, i) => [i]);
  }
  const zones = new Map<string, number[]>();
  for (const [i, member] of ring.members.entries()) {
    const zone = member.zone ?? ALONE;
    zones.set(zone, [...(zones.get(zone) ?? []), i]);
  }
  return [...zones.values()];
}

/** A hashring, or a tenant's shard of it, with what holds each of its series. */
export interface PlacedHashring {
  /** Its members are those of the shard. */
  ring: PlannedHashring;
  copies: Placed;
  /** Members that the loss of a node can take at most; with soft anti-affinity, every pod of a zone may be on one node. */
  nodes: number[][];
  zones: number[][];
}

/** A hashring of a plan as Thanos computes it. */
export const ketamaOf = (ring: PlannedHashring, { replicationFactor }: ReceivePlan): KetamaRing =>
  ketamaRing(ring.members, replicationFactor);

/**
 * Where the replicas of each series of a hashring are, and what a node or a zone can hold of its members at most; each shard apart where
 * tenants have some.
 */
export function placeHashring(ring: PlannedHashring, receive: ReceivePlan, ketama = ketamaOf(ring, receive)): PlacedHashring[] {
  const hard = antiAffinityOf(ring, receive) === "hard";
  const placed = (part: PlannedHashring, copies: Placed): PlacedHashring => ({
    ring: part,
    copies,
    nodes: domains(part, hard ? "member" : "zone"),
    zones: isZoned(part) ? domains(part, "zone") : [],
  });
  if (ring.shards === undefined) return [placed(ring, placeReplicas(ketama))];
  return ring.shards.map((shard) => {
    const members = shard.flatMap((member) => ring.members[member] ?? []);
    return placed({ ...ring, members }, placeReplicas(partOfRing(ketama, shard)));
  });
}

/** The member that holds most of a hashring's series, and how much relative to the mean. */
export function heaviestOf(ring: PlannedHashring, ketama: KetamaRing): { pod: string; load: number } {
  const { members } = zoneBalance(ketama);
  const heaviest = members.reduce((best, member, i) => (member.load > (members[best]?.load ?? 0) ? i : best), 0);
  return { pod: ring.members[heaviest]?.pod ?? "", load: rounded(members[heaviest]?.load ?? 0) };
}

/** @throws {RingError} with every problem of the plan. */
export function refuseProblems(plan: AvailabilityPlan): void {
  const problems = planProblems(plan);
  if (problems.length > 0) {
    throw new RingError(problems);
  }
}

/** Six significant digits keep an output short; none and all stay exact. */
export function rounded(share: number): number {
  const value = Number(share.toPrecision(6));
  return value === 1 && share < 1 ? 0.999999 : value;
}
