import { caseShares, type Placed, placeCopies, worstCopiesLost } from "../ring/copies";
import { ketamaRing, RingError, type RingMember, ringProblems, zoneBalance } from "../ring/ketama";
import { writeQuorum } from "../ring/quorum";
import type { Problem } from "../values/problem";
import { anyOf, counted, kept, LOSS_NAMES, percent } from "./words";

/**
 * What a plan survives, proven before anything is deployed: every loss is enumerated, and for each the exact share of the hash space, thus
 * of the series, that can't be written, can't be read, or can lose what was acknowledged.
 *
 * What the proof rests on (Thanos v0.42.4):
 * - A write is acknowledged once a quorum of the series' receivers has it: 1 of 1, 1 of 2, otherwise more than half (`writeQuorum`).
 * - A request is refused, and retried by Prometheus, as soon as one of its series has no quorum. A request holds series from everywhere in
 *   the hash space, so that any share that can't be written means that practically every request is refused.
 * - A read needs one of the series' receivers; the querier merges what each has. Nothing repairs a receiver that has missed samples, so
 *   losses that follow one another within the retention add up.
 * - An acknowledged sample is sure to be on a quorum of receivers, no more, and its write-ahead log isn't synced to disk with it: losing that
 *   many receivers can lose it, wholly with a disk, by its last seconds with a node whose disk comes back.
 * - In the sidecar scheme each Prometheus of a shard scrapes and keeps every series of it by itself: one that is left has all samples, and without any nothing is scraped, nothing recent
 *   answered, and what is not in the bucket may be lost. Nobody writes, so nothing is refused.
 * - What is older than the handover is answered by store gateways alone: for each part of the bucket one of its replicas is enough.
 */

/** Whether the scheduler must put the pods on different nodes (`hard`) or only prefers to (`soft`, and then nothing is certain). */
export type AntiAffinity = "hard" | "soft";

/** Interchangeable pods, of which any one does the work. */
export interface Workload {
  replicas: number;
  antiAffinity: AntiAffinity;
  /** Whether the scheduler must spread the pods evenly over the plan's zones (a spread constraint that forbids to schedule otherwise). Default: false. */
  zoneSpread?: boolean;
  /** `maxUnavailable` of the pod disruption budget. Default: no budget, so that a drain may take every pod it finds. */
  maxUnavailable?: number;
}

/** The Prometheus servers; `replicas`, `antiAffinity` and `zoneSpread` hold within each shard. */
export interface PrometheusWorkload extends Workload {
  /** Parts into which the targets are divided. */
  shards: number;
  /** As {@link ReceivePlan.storage}; it matters in the sidecar scheme, where Prometheus keeps the samples. `emptyDir`: its log ends with its pod. Default: pvc. */
  storage?: "hostPath" | "pvc" | "emptyDir";
  /** Nodes that can run them. Default: with `hard`, as many as a shard has replicas; with `soft`, one. */
  nodes?: number;
}

/** The store gateways; `replicas`, `antiAffinity` and `zoneSpread` hold within each part, and any one of a part answers for it. */
export interface StoreGatewayWorkload extends Workload {
  /** Parts into which the bucket is divided. */
  parts: number;
}

/** The rulers: any one of them evaluates every rule. */
export interface RulerWorkload extends Workload {
  /** Whether they alone hold what comes of the rules, and answer for it. */
  stores: boolean;
}

/** A hashring of the plan. */
export interface PlannedHashring {
  name: string;
  /** Members; those of a zone run in that zone. Either all name a zone or none. */
  members: readonly (RingMember & { pod: string })[];
}

/** The receivers. */
export interface ReceivePlan {
  hashrings: readonly PlannedHashring[];
  /** Receivers that store each series. */
  replicationFactor: number;
  /** `hard`: no two members of one hashring share a node. */
  antiAffinity: AntiAffinity;
  /** Nodes that can run receivers. Default: with `hard`, as many as the largest hashring has members; with `soft`, one. */
  nodes?: number;
  /** `hostPath`: a node's data is lost with its disk. `pvc`: the volume outlives the node. */
  storage: "hostPath" | "pvc";
  /** `maxUnavailable` of the pod disruption budget over the members of a hashring. Default: no budget. */
  maxUnavailable?: number;
  /** Which members of a hashring a rolling restart takes at once. `onePerZone`: a StatefulSet for each zone, rolled independently. Default: `one`. */
  restart?: "one" | "onePerZone";
}

/** What is planned, as far as it decides about availability. */
export interface AvailabilityPlan {
  /** Absent in the sidecar scheme, where each Prometheus holds its own samples. */
  receive?: ReceivePlan;
  /** Routers in front of the receivers. Absent: receivers route. */
  routers?: Workload;
  prometheus: PrometheusWorkload;
  querier: Workload;
  queryFrontend?: Workload;
  /** Absent without a bucket. */
  storeGateway?: StoreGatewayWorkload;
  /** Absent where Prometheus evaluates the rules itself. */
  ruler?: RulerWorkload;
  /** Number of zones the cluster offers. Default: the zones that the hashrings' members name. */
  zones?: number;
}

/** A loss that is examined. */
export type Loss = "node" | "twoNodes" | "zone" | "rollingRestart" | "drain" | "prometheus" | "querier" | "storeGateway";

/** Shares of the series of a hashring, 0 to 1; in the sidecar scheme of all series, and the Prometheus of a shard are what receivers are otherwise. */
export interface Shares {
  /** Series of which fewer receivers than the quorum are left: writes are refused. */
  unwritable: number;
  /** Series of which no receiver is left: unanswered as far as the bucket does not answer for them. */
  unreadable: number;
  /** Series of which exactly one receiver is left. */
  oneCopyLeft: number;
  /** Series of which a quorum of receivers is gone: samples that only they acknowledged are missing, for good if the receivers' data is. */
  mayLoseAcknowledged: number;
}

/** One case of a loss: certain pods are gone. */
export interface LossCase extends Shares {
  hashring: string;
  /** Receivers that are gone. */
  lost: string[];
}

/** A loss and the worst that it can do. */
export interface Scenario extends Shares {
  loss: Loss;
  /** Cases examined: sets of receivers, over all hashrings. The shares are the largest of any case. */
  cases: number;
  /** The case in which most series refuse writes. Absent when no case takes a receiver. */
  worst?: { hashring: string; lost: string[] };
  /** `refused`: practically every remote-write request fails and is retried until the pods are back. Absent in the sidecar scheme. */
  writes?: "accepted" | "refused";
  /** `partial`: answers can lack samples; `none`: nobody answers. */
  queries: "complete" | "partial" | "none";
  /** `partial`: what only the bucket holds is not answered in full. Absent without a bucket. */
  history?: "complete" | "partial";
  /** `paused`: no rule is evaluated meanwhile. Absent without rulers. */
  rules?: "evaluated" | "paused";
  /** Share of the scrape targets that no Prometheus scrapes meanwhile. */
  unscraped: number;
}

/** How many losses at once. */
export interface Survival {
  nodes: number;
  zones: number;
}

/** What a plan survives. It is plain data, the same for the same plan: a stack output. */
export interface Availability {
  /** A few lines for people. */
  summary: string[];
  /** Any so many nodes, or zones, can be lost: no write is refused (in the sidecar scheme: every target is scraped), no query incomplete, no acknowledged sample lost. */
  survives: Survival;
  /** The same for what receivers, or the Prometheus of the sidecar scheme, store alone, whatever becomes of the rest. */
  dataSurvives: Survival;
  /** What fails with one node, or zone, more than survived. */
  limits: { nodes: string[]; zones: string[] };
  /** Receivers that hold each series, how many of them acknowledge, and where they may stand. Absent in the sidecar scheme. */
  receive?: { replicationFactor: number; quorum: number; antiAffinity: AntiAffinity; zones: number; hashrings: HashringSummary[] };
  scenarios: Scenario[];
}

/** A hashring in short. */
export interface HashringSummary {
  name: string;
  members: number;
  /** The member that holds most, and how much relative to the mean. */
  heaviest: { pod: string; load: number };
}

/** The load, relative to the mean, above which the summary calls a hashring uneven: hashing alone stays well below. */
export const UNEVEN_LOAD = 1.25;

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
  const largest = largestHashring(receive);
  if (receive.antiAffinity === "hard" && receive.nodes !== undefined && receive.nodes < largest) {
    problems.push({
      key: "receive.nodes",
      value: receive.nodes,
      rule: `with hard anti-affinity every member of a hashring needs a node of its own, and the largest hashring has ${largest}; the others would stay Pending`,
      remedy: `${largest} nodes or more, or soft anti-affinity`,
    });
  }
  return problems;
}

const largestHashring = (receive: ReceivePlan): number => Math.max(0, ...receive.hashrings.map((ring) => ring.members.length));

const nodesOf = (receive: ReceivePlan): number => receive.nodes ?? (receive.antiAffinity === "hard" ? largestHashring(receive) : 1);

const nodesOfPrometheus = ({ nodes, antiAffinity, replicas }: PrometheusWorkload): number =>
  nodes ?? (antiAffinity === "hard" ? replicas : 1);

const isZoned = (ring: PlannedHashring): boolean => ring.members.length > 0 && ring.members.every((member) => member.zone !== undefined);

const ALONE = "alone";

/** What is lost together: the members, as indices, that a node or a zone can hold at most. */
function domains(ring: PlannedHashring, by: "member" | "zone"): number[][] {
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

interface PlacedHashring {
  ring: PlannedHashring;
  copies: Placed;
  /** What the loss of a node can take at most; with soft anti-affinity, every pod of a zone may be on one node. */
  nodes: number[][];
  zones: number[][];
  heaviest: { pod: string; load: number };
}

function placeHashring(ring: PlannedHashring, receive: ReceivePlan): PlacedHashring {
  const ketama = ketamaRing(ring.members, receive.replicationFactor);
  const { members } = zoneBalance(ketama);
  const heaviest = members.reduce((best, member, i) => (member.load > (members[best]?.load ?? 0) ? i : best), 0);
  return {
    ring,
    copies: placeCopies(ketama),
    nodes: domains(ring, receive.antiAffinity === "hard" ? "member" : "zone"),
    zones: isZoned(ring) ? domains(ring, "zone") : [],
    heaviest: { pod: ring.members[heaviest]?.pod ?? "", load: rounded(members[heaviest]?.load ?? 0) },
  };
}

function combinations<T>(items: readonly T[], size: number): T[][] {
  if (size === 0) {
    return [[]];
  }
  return items.flatMap((item, i) => combinations(items.slice(i + 1), size - 1).map((rest) => [item, ...rest]));
}

function product(groups: readonly number[][]): number[][] {
  return groups.reduce<number[][]>((cases, group) => cases.flatMap((chosen) => group.map((member) => [...chosen, member])), [[]]);
}

/** The sets of members that a loss can take from a hashring. */
function casesOf(loss: Loss, { ring, nodes, zones }: PlacedHashring, receive: ReceivePlan): number[][] {
  const any = (groups: readonly number[][], count: number) =>
    combinations(groups, Math.min(count, groups.length)).map((lost) => lost.flat());
  switch (loss) {
    case "node":
      return any(nodes, 1);
    case "twoNodes":
      return any(nodes, 2);
    case "zone":
      return any(zones, 1);
    case "rollingRestart":
      return receive.restart === "onePerZone" && zones.length > 0 ? product(zones) : any(domains(ring, "member"), 1);
    case "drain":
      return receive.maxUnavailable === undefined ? any(nodes, 1) : any(domains(ring, "member"), receive.maxUnavailable);
    case "prometheus":
    case "querier":
    case "storeGateway":
      return [];
  }
}

/** A restart or a drain flushes the receivers, and their data stays, as does that of a Prometheus that ends: nothing that was acknowledged is lost by it. */
const keepsData = (loss: Loss): boolean => loss === "rollingRestart" || loss === "drain" || loss === "prometheus";

function lossCases(loss: Loss, placed: readonly PlacedHashring[], receive: ReceivePlan): (LossCase & { incomplete: number })[] {
  const quorum = writeQuorum(receive.replicationFactor);
  return placed.flatMap((hashring) =>
    casesOf(loss, hashring, receive).map((lost) => {
      const { atLeast, exactly } = caseShares(hashring.copies, lost);
      const quorumLost = atLeast(quorum);
      return {
        hashring: hashring.ring.name,
        lost: lost.map((member) => hashring.ring.members[member]?.pod ?? ""),
        unwritable: atLeast(receive.replicationFactor - quorum + 1),
        unreadable: exactly(receive.replicationFactor),
        oneCopyLeft: exactly(receive.replicationFactor - 1),
        mayLoseAcknowledged: keepsData(loss) ? 0 : quorumLost,
        incomplete: quorumLost,
      };
    }),
  );
}

/**
 * Every case of a loss with its exact shares, not rounded, hashring by hashring.
 *
 * @throws {RingError} with every problem of the plan.
 */
export function enumerateLosses(plan: AvailabilityPlan, loss: Loss): LossCase[] {
  refuseProblems(plan);
  const { receive } = plan;
  if (receive === undefined) {
    return [];
  }
  const placed = receive.hashrings.map((ring) => placeHashring(ring, receive));
  return lossCases(loss, placed, receive).map(({ incomplete: _, ...one }) => one);
}

function refuseProblems(plan: AvailabilityPlan): void {
  const problems = planProblems(plan);
  if (problems.length > 0) {
    throw new RingError(problems);
  }
}

/** Pods of a workload that are sure to be left. */
function left(workload: Workload, lost: { nodes: number } | { zones: number } | { drained: true }, zones: number): number {
  const perZone = workload.zoneSpread && zones > 0 ? Math.ceil(workload.replicas / zones) : workload.replicas;
  if ("zones" in lost) {
    return Math.max(0, workload.replicas - lost.zones * perZone);
  }
  const nodes = "nodes" in lost ? lost.nodes : 1;
  const taken = nodes * (workload.antiAffinity === "hard" ? 1 : perZone);
  const bounded = "drained" in lost ? Math.min(taken, workload.maxUnavailable ?? taken) : taken;
  return Math.max(0, workload.replicas - bounded);
}

/** How many pods of each kind are sure to be left after a loss; only whether it is none matters. */
interface Left {
  routers: number;
  queries: number;
  prometheus: number;
  /** Of each part. */
  storeGateway: number;
  ruler: number;
}

function leftAfter(plan: AvailabilityPlan, lost: { nodes: number } | { zones: number } | { drained: true }, zones: number): Left {
  const of = (workload: Workload | undefined) => (workload === undefined ? Number.POSITIVE_INFINITY : left(workload, lost, zones));
  return {
    routers: of(plan.routers),
    queries: Math.min(of(plan.querier), of(plan.queryFrontend)),
    prometheus: of(plan.prometheus),
    storeGateway: of(plan.storeGateway),
    ruler: of(plan.ruler),
  };
}

function leftAfterLoss(plan: AvailabilityPlan, loss: Loss, zones: number): Left {
  const untouched = leftAfter(plan, { nodes: 0 }, zones);
  switch (loss) {
    case "node":
      return leftAfter(plan, { nodes: 1 }, zones);
    case "twoNodes":
      return leftAfter(plan, { nodes: 2 }, zones);
    case "zone":
      return leftAfter(plan, { zones: 1 }, zones);
    case "drain":
      return leftAfter(plan, { drained: true }, zones);
    case "rollingRestart":
      // Every shard is a StatefulSet, and all of them are rolled at once.
      return plan.receive === undefined ? { ...untouched, prometheus: plan.prometheus.replicas - 1 } : untouched;
    case "prometheus":
      return { ...untouched, prometheus: plan.prometheus.replicas - 1 };
    case "querier":
      return { ...untouched, queries: Math.min(untouched.queries, plan.querier.replicas - 1) };
    case "storeGateway":
      return { ...untouched, storeGateway: untouched.storeGateway - 1 };
  }
}

/** Six significant digits keep an output short; none and all stay exact. */
function rounded(share: number): number {
  const value = Number(share.toPrecision(6));
  return value === 1 && share < 1 ? 0.999999 : value;
}

/** Whether what comes of the rules is on the rulers alone, and none of them is sure to be left. */
const resultsGone = (plan: AvailabilityPlan, remaining: Left): boolean => plan.ruler?.stores === true && remaining.ruler <= 0;

/** The share of the targets, and in the sidecar scheme of the series, that a shard's Prometheus have, or all shards' where the loss can take them from each. */
const shareOfShards = (loss: Loss, { shards }: PrometheusWorkload): number => (loss === "prometheus" ? 1 / shards : 1);

/** The shares of the sidecar scheme: all of a shard's Prometheus have every sample of its series, whichever of them is left. */
function sidecarShares(loss: Loss, { prometheus }: AvailabilityPlan, remaining: Left): Shares {
  const share = shareOfShards(loss, prometheus);
  const gone = remaining.prometheus <= 0 ? share : 0;
  return {
    unwritable: 0,
    unreadable: gone,
    oneCopyLeft: remaining.prometheus === 1 && prometheus.replicas > 1 ? share : 0,
    mayLoseAcknowledged: keepsData(loss) ? 0 : gone,
  };
}

function scenarioOf(loss: Loss, plan: AvailabilityPlan, placed: readonly PlacedHashring[], zones: number): Scenario {
  const { receive, prometheus } = plan;
  const cases = receive === undefined ? [] : lossCases(loss, placed, receive);
  const largest = (key: keyof Shares | "incomplete") => cases.reduce((most, one) => Math.max(most, one[key]), 0);
  const order = ["unwritable", "unreadable", "mayLoseAcknowledged", "oneCopyLeft"] as const;
  const worst = cases.reduce<LossCase | undefined>((most, one) => {
    const differing = most && order.find((key) => one[key] !== most[key]);
    return most === undefined || (differing !== undefined && one[differing] > most[differing]) ? one : most;
  }, undefined);
  const remaining = leftAfterLoss(plan, loss, zones);
  const shares: Shares =
    receive === undefined
      ? sidecarShares(loss, plan, remaining)
      : {
          unwritable: largest("unwritable"),
          unreadable: largest("unreadable"),
          oneCopyLeft: largest("oneCopyLeft"),
          mayLoseAcknowledged: largest("mayLoseAcknowledged"),
        };
  const unscraped = remaining.prometheus > 0 ? 0 : shareOfShards(loss, prometheus);
  const historyGone = remaining.storeGateway <= 0;
  const incomplete = shares.unreadable > 0 || largest("incomplete") > 0 || historyGone || resultsGone(plan, remaining);
  const refused = shares.unwritable > 0 || remaining.routers <= 0;
  const answered = remaining.queries > 0;
  return {
    loss,
    cases: cases.length,
    ...(worst !== undefined && worst.lost.length > 0 ? { worst: { hashring: worst.hashring, lost: worst.lost } } : {}),
    unwritable: rounded(shares.unwritable),
    unreadable: rounded(shares.unreadable),
    oneCopyLeft: rounded(shares.oneCopyLeft),
    mayLoseAcknowledged: rounded(shares.mayLoseAcknowledged),
    ...(receive === undefined ? {} : { writes: refused ? ("refused" as const) : ("accepted" as const) }),
    queries: !answered ? "none" : incomplete ? "partial" : "complete",
    ...(plan.storeGateway === undefined ? {} : { history: historyGone ? ("partial" as const) : ("complete" as const) }),
    ...(plan.ruler === undefined ? {} : { rules: answered && remaining.ruler > 0 ? ("evaluated" as const) : ("paused" as const) }),
    unscraped: rounded(unscraped),
  };
}

const ofAll = (lost: number, copies: number): string =>
  copies === 1 ? "the only receiver" : lost === copies ? `all ${copies} receivers` : `${lost} of the ${copies} receivers`;

/** What fails when any `count` nodes, or zones, are lost; empty if nothing does. */
function failures(
  plan: AvailabilityPlan,
  placed: readonly PlacedHashring[],
  of: "nodes" | "zones",
  count: number,
  zones: number,
): { data: string[]; service: string[] } {
  const { receive, prometheus } = plan;
  const what = counted(count, of);
  const remaining = leftAfter(plan, of === "nodes" ? { nodes: count } : { zones: count }, zones);
  const data: string[] = [];
  if (receive === undefined) {
    if (remaining.prometheus <= 0) {
      const all = prometheus.replicas === 1 ? "the only Prometheus" : `all ${prometheus.replicas} Prometheus`;
      const part = prometheus.shards === 1 ? "" : " of a shard";
      data.push(`${what} can take ${all}${part}, so that nothing is scraped there and its recent samples are unreadable`);
    }
  } else {
    const quorum = writeQuorum(receive.replicationFactor);
    for (const hashring of placed) {
      const lost = worstCopiesLost(hashring.copies, hashring[of], count);
      if (lost > receive.replicationFactor - quorum || lost >= quorum) {
        const writes = lost > receive.replicationFactor - quorum ? `the quorum of ${quorum} is not reached` : undefined;
        const samples = lost >= quorum ? `acknowledged samples can be on these alone` : undefined;
        data.push(
          `${what} can take ${ofAll(lost, receive.replicationFactor)} of a series in hashring ${hashring.ring.name}: ` +
            [writes, samples].filter((text) => text !== undefined).join(", and "),
        );
      }
    }
  }
  const service: string[] = [];
  const named = [
    { name: "routers", workload: plan.routers },
    { name: "queriers", workload: plan.querier },
    { name: "query frontends", workload: plan.queryFrontend },
    { name: "store gateways", workload: plan.storeGateway, of: plan.storeGateway?.parts === 1 ? "" : " of a part of the bucket" },
    { name: "rulers", workload: plan.ruler?.stores ? plan.ruler : undefined, of: ", which alone hold what comes of the rules" },
  ];
  for (const { name, workload, of: ofWhat = "" } of named) {
    if (workload !== undefined && left(workload, of === "nodes" ? { nodes: count } : { zones: count }, zones) <= 0) {
      service.push(`${what} can take all ${name} (${workload.replicas})${ofWhat}`);
    }
  }
  return { data, service };
}

function survivalOf(plan: AvailabilityPlan, placed: readonly PlacedHashring[], zones: number) {
  const upTo = (of: "nodes" | "zones", fails: (found: { data: string[]; service: string[] }) => string[]) => {
    if (of === "zones" && (zones < 2 || placed.some((hashring) => hashring.zones.length < 2))) {
      return { count: 0, limit: ["the plan names no two zones"] };
    }
    let count = 0;
    for (;;) {
      const limit = fails(failures(plan, placed, of, count + 1, zones));
      if (limit.length > 0) {
        return { count, limit };
      }
      count++;
    }
  };
  const data = { nodes: upTo("nodes", (found) => found.data), zones: upTo("zones", (found) => found.data) };
  const all = {
    nodes: upTo("nodes", (found) => [...found.data, ...found.service]),
    zones: upTo("zones", (found) => [...found.data, ...found.service]),
  };
  return {
    survives: { nodes: all.nodes.count, zones: all.zones.count },
    dataSurvives: { nodes: data.nodes.count, zones: data.zones.count },
    limits: { nodes: all.nodes.limit, zones: all.zones.limit },
  };
}

/** A share that is the largest of several cases. */
const upTo = (share: number): string => (share > 0 && share < 1 ? `up to ${percent(share)}` : percent(share));

function troubleOf(scenario: Scenario): string[] {
  const trouble: string[] = [];
  if (scenario.unwritable > 0) {
    trouble.push(`${upTo(scenario.unwritable)} of series refuse writes, so practically every request fails and is retried`);
  } else if (scenario.writes === "refused") {
    trouble.push("no router is sure to be left: every request fails and is retried");
  }
  if (scenario.unwritable > 0 || scenario.unreadable > 0) {
    const except = scenario.unreadable > 0 && scenario.history === "complete" ? " where the bucket does not answer yet" : "";
    trouble.push(`${upTo(scenario.unreadable)} ${scenario.writes === undefined ? "of series " : ""}unreadable${except}`);
  }
  if (scenario.mayLoseAcknowledged > 0) {
    trouble.push(`${upTo(scenario.mayLoseAcknowledged)} may lose acknowledged samples`);
  }
  if (scenario.queries === "none") {
    trouble.push("no query is sure to be answered");
  } else if (scenario.history === "partial") {
    trouble.push("what only the bucket holds is not answered in full");
  } else if (scenario.queries === "partial" && scenario.unreadable === 0 && scenario.mayLoseAcknowledged === 0) {
    trouble.push("answers can lack samples");
  }
  if (scenario.unscraped > 0) {
    trouble.push(`${percent(scenario.unscraped)} of targets not scraped`);
  }
  if (scenario.rules === "paused" && scenario.queries !== "none") {
    trouble.push("no rule is evaluated");
  }
  return trouble;
}

function survivalLine({ nodes, zones }: Survival, limits: Availability["limits"], zoned: boolean, written: boolean): string {
  const survived = anyOf({ nodes, zones });
  const not = [...(nodes === 0 ? limits.nodes : []), ...(zones === 0 && zoned ? limits.zones : [])];
  return [
    ...(survived.length > 0 ? [`survives the loss of ${survived.join(" or ")}: ${kept(written)}`] : []),
    ...(not.length > 0 ? [`does not survive the loss of any ${nodes === 0 ? "1 node" : "1 zone"}: ${not.join("; ")}`] : []),
  ].join("; ");
}

/** With a budget of none, or with one node, whose evicted receivers wait for it while the budget holds back the rest. */
const drainNeverEnds = (receive: ReceivePlan): boolean =>
  receive.maxUnavailable !== undefined &&
  (receive.maxUnavailable === 0 || (nodesOf(receive) === 1 && receive.maxUnavailable < largestHashring(receive)));

function summaryOf(result: Omit<Availability, "summary">, plan: AvailabilityPlan, zones: number): string[] {
  const { receive, prometheus } = plan;
  const lines = [survivalLine(result.survives, result.limits, zones >= 2, receive !== undefined)];
  const { nodes: storedNodes, zones: storedZones } = result.dataSurvives;
  if (storedNodes > result.survives.nodes || storedZones > result.survives.zones) {
    const stored = [
      ...(storedNodes > 0 ? [counted(storedNodes, "nodes")] : []),
      ...(storedZones > 0 ? [counted(storedZones, "zones")] : []),
    ];
    lines.push(`what is stored survives the loss of any ${stored.join(" or ")}`);
  }
  for (const scenario of result.scenarios) {
    const trouble = troubleOf(scenario);
    if (trouble.length > 0) {
      lines.push(`${LOSS_NAMES[scenario.loss]}: ${trouble.join(", ")}`);
    }
  }
  if (result.scenarios.some((scenario) => scenario.loss === "node" && scenario.mayLoseAcknowledged > 0)) {
    const keeper =
      receive === undefined ? { name: "Prometheus", storage: prometheus.storage } : { name: "receivers", storage: receive.storage };
    lines.push(
      keeper.storage === "hostPath"
        ? `what a node's ${keeper.name} ${plan.storeGateway === undefined ? "hold" : "have not yet uploaded"} is lost with its disk`
        : "a volume outlives its node: lost with a node are the last seconds, which were not yet on disk; with its volumes, everything",
    );
  }
  if (prometheus.storage === "emptyDir") {
    lines.push(
      "Prometheus keeps its log in its pods (emptyDir): one that is moved or deleted loses what it has not sent, which is seconds, or up to 2h while the ring is away",
    );
  }
  if (receive?.antiAffinity === "soft") {
    lines.push("anti-affinity is soft: all receivers of a zone, or without zones all receivers, may share a node, and are counted so");
  }
  if (receive === undefined && prometheus.antiAffinity === "soft" && prometheus.replicas > 1) {
    lines.push("anti-affinity is soft: all Prometheus of a shard may share a node, and are counted so");
  }
  if (receive !== undefined && drainNeverEnds(receive)) {
    lines.push("a drain never ends: the disruption budget keeps receivers that have no other node to go to");
  }
  for (const { name, heaviest } of result.receive?.hashrings ?? []) {
    if (heaviest.load > UNEVEN_LOAD) {
      lines.push(`hashring ${name} is uneven: ${heaviest.pod} holds ${heaviest.load.toFixed(3)} times the mean`);
    }
  }
  return lines;
}

/**
 * What a plan survives.
 *
 * The figures are those of the worst placement that the plan allows, not of a likely one: with soft anti-affinity all pods may be on one
 * node. Shares are exact for the ring; with several hashrings, that of the worst.
 *
 * @throws {RingError} with every problem of the plan; see {@link planProblems}.
 */
export function availability(plan: AvailabilityPlan): Availability {
  refuseProblems(plan);
  const { receive } = plan;
  const placed = receive === undefined ? [] : receive.hashrings.map((ring) => placeHashring(ring, receive));
  const named = new Set(
    receive?.hashrings.flatMap((ring) => ring.members.flatMap((member) => (member.zone === undefined ? [] : [member.zone]))),
  );
  const zones = plan.zones ?? named.size;
  const nodes = receive === undefined ? nodesOfPrometheus(plan.prometheus) : nodesOf(receive);
  const losses: Loss[] = [
    "node",
    ...(nodes >= 2 ? (["twoNodes"] as const) : []),
    ...(zones >= 2 && placed.every((hashring) => hashring.zones.length >= 2) ? (["zone"] as const) : []),
    "rollingRestart",
    "drain",
    "prometheus",
    "querier",
    ...(plan.storeGateway === undefined ? [] : (["storeGateway"] as const)),
  ];
  const result = {
    ...survivalOf(plan, placed, zones),
    ...(receive === undefined
      ? {}
      : {
          receive: {
            replicationFactor: receive.replicationFactor,
            quorum: writeQuorum(receive.replicationFactor),
            antiAffinity: receive.antiAffinity,
            zones: named.size,
            hashrings: placed.map(({ ring, heaviest }) => ({ name: ring.name, members: ring.members.length, heaviest })),
          },
        }),
    scenarios: losses.map((loss) => scenarioOf(loss, plan, placed, zones)),
  };
  return { summary: summaryOf(result, plan, zones), ...result };
}

const QUERY_ORDER = ["complete", "partial", "none"] as const;

/**
 * The growth of a share that is worth a line. Other names alone move a share: that of the worst two of five members at replication factor 3,
 * over fifteen namespaces, lay between 0.305 and 0.327.
 */
const WORTH_A_LINE = 0.025;

/**
 * What a change of plan makes worse, a line each; empty if nothing.
 *
 * @param before what the stack's output said before the change.
 */
export function compareAvailability(before: Availability, after: Availability): string[] {
  const worse: string[] = [];
  for (const of of ["nodes", "zones"] as const) {
    if (after.survives[of] < before.survives[of]) {
      worse.push(`survives the loss of ${counted(after.survives[of], of)}, before ${before.survives[of]}: ${after.limits[of].join("; ")}`);
    }
    if (after.dataSurvives[of] < before.dataSurvives[of]) {
      worse.push(`stored samples survive the loss of ${counted(after.dataSurvives[of], of)}, before ${before.dataSurvives[of]}`);
    }
  }
  for (const was of before.scenarios) {
    const is = after.scenarios.find((scenario) => scenario.loss === was.loss);
    if (is === undefined) {
      // Without a bucket there is no history left to be answered, which its removal says elsewhere.
      if (was.loss === "storeGateway") continue;
      worse.push(`${LOSS_NAMES[was.loss]}: can no longer be told apart from losing everything`);
      continue;
    }
    const shares = [
      ["unwritable", "series that refuse writes"],
      ["unreadable", "unreadable series"],
      ["mayLoseAcknowledged", "series that may lose acknowledged samples"],
      ["unscraped", "targets not scraped"],
    ] as const;
    for (const [key, name] of shares) {
      if (is[key] > was[key] && (was[key] === 0 || is[key] - was[key] >= WORTH_A_LINE)) {
        worse.push(`${LOSS_NAMES[was.loss]}: ${name} ${percent(is[key])}, before ${percent(was[key])}`);
      }
    }
    if (is.writes === "refused" && was.writes === "accepted") {
      worse.push(`${LOSS_NAMES[was.loss]}: writes are refused, before accepted`);
    }
    if (QUERY_ORDER.indexOf(is.queries) > QUERY_ORDER.indexOf(was.queries)) {
      worse.push(`${LOSS_NAMES[was.loss]}: queries ${is.queries}, before ${was.queries}`);
    }
    if (is.rules === "paused" && was.rules === "evaluated") {
      worse.push(`${LOSS_NAMES[was.loss]}: rules are not evaluated, before evaluated`);
    }
  }
  return worse;
}

/** The fewest zones, from those there are, over which so many copies survive the loss of `count` zones; as many zones as copies always do. */
function zonesFor(count: number, copies: number, zones: number): number {
  const quorum = writeQuorum(copies);
  const bearable = Math.min(quorum - 1, copies - quorum);
  for (let tried = Math.max(zones, 2); tried < copies; tried++) {
    if (count * Math.ceil(copies / tried) <= bearable) {
      return tried;
    }
  }
  return Math.max(copies, zones);
}

/** What would survive so much. */
function remedyFor(of: "nodes" | "zones", count: number, found: Availability): string {
  const { receive } = found;
  const copies = 2 * count + 1;
  const lower = `survives.${of} ${found.survives[of]}`;
  if (receive === undefined || found.dataSurvives[of] >= count) {
    const place = of === "nodes" ? "with hard anti-affinity" : `spread over ${count + 1} zones or more`;
    return `${count + 1} replicas or more of each of these, ${place}; or ${lower}`;
  }
  const replicationFactor = Math.max(copies, receive.replicationFactor);
  const place =
    of === "nodes"
      ? "hard anti-affinity"
      : `the members divided evenly over ${zonesFor(count, replicationFactor, receive.zones)} zones that the ring knows`;
  return `receive.replicationFactor ${replicationFactor} with ${place}; or ${lower}`;
}

/**
 * One problem for each declared survival that the plan falls short of; empty if it keeps all.
 *
 * @param declared what the environment requires: nodes and zones that can be lost at once. Default: nothing.
 */
export function refuseBelow(declared: Partial<Survival>, found: Availability): Problem[] {
  return (["nodes", "zones"] as const).flatMap((of) => {
    const count = declared[of] ?? 0;
    if (found.survives[of] >= count) {
      return [];
    }
    return [
      {
        key: `survives.${of}`,
        value: count,
        rule: `the plan survives the loss of ${counted(found.survives[of], of)}, since ${found.limits[of].join("; ")}`,
        remedy: remedyFor(of, count, found),
      },
    ];
  });
}
