import { decidingKey } from "./capacity/deciding";
import { loadProblemsOf, onePod, reasonOf } from "./capacity/limits";
import { underLoad } from "./capacity/load";
import { isBeyondBudget, isMet } from "./capacity/need";
import { needsOf, sameNeed } from "./capacity/needs";
import { sendersFor, shardLoad } from "./capacity/prometheus";
import { carrying, short } from "./capacity/quantities";
import type { CapacityPlan, Need } from "./capacity/types";
import { capacityPlan } from "./capacityPlan";
import { planStack } from "./plan";
import { MOST_PROMETHEUS_SHARDS, MOST_QUERIERS, MOST_RECEIVERS, MOST_SENDERS } from "./settings/forms";
import { type SettingsInput, settingsSchema } from "./settings/schema";
import { counted } from "./values/counted";
import { formatProblem, type Problem } from "./values/problem";
import { cpuCores, durationSeconds, quantityBytes } from "./values/quantity";

/** A stack file for a load, as small as the model of what a plan carries allows. */

/** Most that one pod may have; above it there are more pods. */
export interface Largest {
  memory: string;
  cpu: string;
  volume: string;
}

/** Load, retention and losses that a stack file is sized for. */
export interface SizeRequest {
  name: string;
  load: NonNullable<SettingsInput["load"]>;
  /** Who writes beside the stack's own Prometheus. */
  otherSenders: "none" | "single" | "pairs";
  /** How long samples stay, such as `30d`. */
  retention: string;
  survives: { nodes: number; zones: number };
  largest: Largest;
}

/** A figure of the stack file, and why it is no smaller. */
export interface Reason {
  /** Its key; that of a part of `config`. */
  key: string;
  value: string;
  why: string;
}

/** A stack file's keys, without their prefix, and why each figure is what it is. */
export interface SizedStack {
  config: SettingsInput;
  reasons: Reason[];
}

/** Numbers of pods and shards, which grow where a pod would be too large. */
interface Counts {
  receivers: number;
  shards: number;
  queriers: number;
}

/** Sizes of one environment's pods: amounts by key, and the senders of each Prometheus. */
interface Sizes {
  amounts: Amounts;
  senders: number;
}

/** Amounts by key, such as `receive.resources.memory`. */
type Amounts = Record<string, string>;

/** Less than this no component is given; each key is then as large as its neediest pod makes it. */
const LEAST: Amounts = Object.fromEntries(
  ["receive", "querier", "prometheus"].flatMap((key) => [
    [`${key}.resources.cpu`, "50m"],
    [`${key}.resources.memory`, "64Mi"],
    ...(key === "querier" ? [] : [[`${key}.storage.pvc.size`, "1Gi"]]),
  ]),
);

/** Longest time of a scrape where a stack file names none. */
const SCRAPE_TIMEOUT_SECONDS = durationSeconds(settingsSchema.shape.prometheus.shape.scrapeTimeout.parse(undefined));

/** As many zones as replicas, so that a lost one takes one of a series: no zones where none may be lost. */
const zonesFor = ({ zones }: SizeRequest["survives"], replicationFactor: number): string[] =>
  zones === 0 ? [] : Array.from({ length: replicationFactor }, (_, index) => `z${index + 1}`);

const structureOf = ({ survives }: SizeRequest) => {
  const lost = Math.max(survives.nodes, survives.zones);
  const replicationFactor = Math.max(3, 2 * lost + 1);
  return { lost, zones: zonesFor(survives, replicationFactor), replicationFactor };
};

/** Scrapes that make the samples of the load, and no more; each ends before the next begins. */
function scrapesOf({ interval }: SizeRequest["load"]): { scrapeInterval?: string; scrapeTimeout?: string } {
  if (interval === undefined) return {};
  return { scrapeInterval: interval, ...(durationSeconds(interval) < SCRAPE_TIMEOUT_SECONDS ? { scrapeTimeout: interval } : {}) };
}

/** Whether pairs and single senders write into the ring: the stack's own Prometheus is a pair where one may be lost. */
function isMixed({ otherSenders, survives }: SizeRequest): boolean {
  const isPair = Math.max(survives.nodes, survives.zones) > 0;
  return otherSenders !== "none" && isPair !== (otherSenders === "pairs");
}

function configOf(request: SizeRequest, counts: Counts, { amounts, senders }: Sizes): SettingsInput {
  const { name, load, otherSenders, retention, survives } = request;
  const { lost, zones, replicationFactor } = structureOf(request);
  const resources = (key: string) => ({ cpu: amounts[`${key}.resources.cpu`], memory: amounts[`${key}.resources.memory`] });
  const storage = (key: string) => ({ pvc: { size: amounts[`${key}.storage.pvc.size`] ?? "1Gi" } });
  return {
    cluster: { name, context: name, ...(zones.length === 0 ? {} : { zones }) },
    namespace: `thanos-${name}`,
    survives,
    load,
    access: { senders: [], readers: [] },
    receive: {
      replicas: counts.receivers,
      replicationFactor,
      ...(otherSenders === "none" ? {} : { otherSenders }),
      retention: { time: retention },
      storage: storage("receive"),
      resources: resources("receive"),
    },
    querier: {
      replicas: counts.queriers,
      ...(isMixed(request) ? { deduplication: "penalty" as const } : {}),
      resources: resources("querier"),
    },
    prometheus: {
      replicas: lost + 1,
      shards: counts.shards,
      ...scrapesOf(load),
      storage: storage("prometheus"),
      resources: resources("prometheus"),
      remoteWrite: { maxShards: senders },
    },
  };
}

function planOf(config: SettingsInput): CapacityPlan {
  const settings = settingsSchema.parse(config);
  const plan = capacityPlan(settings, planStack(settings));
  if (plan === undefined) throw new Error("a size is of a load");
  return plan;
}

/** Whether a larger amount meets a need: senders are chosen before, and a replay in sequence takes more receivers. */
const isMetByAmount = (need: Need): boolean => need.resource !== "remoteWrite" && !isBeyondBudget(need);

/** Largest numbers that the stack file takes. */
const MOST = { receivers: MOST_RECEIVERS, shards: MOST_PROMETHEUS_SHARDS, queriers: MOST_QUERIERS, senders: MOST_SENDERS } as const;

/** Senders of a Prometheus at least, so that one that waits for an answer is not all of them. */
const FEWEST_SENDERS = 4;

/** Senders of each queue: as many as catch up, which a stack file takes. */
const sendersOf = (plan: CapacityPlan): number => Math.min(MOST.senders, Math.max(FEWEST_SENDERS, sendersFor(plan.prometheus) ?? 0));

/** The plan of these numbers of pods, with amounts and the senders that its load needs. */
function planWith(request: SizeRequest, counts: Counts, amounts: Amounts): { plan: CapacityPlan; sizes: Sizes } {
  const first = { amounts, senders: FEWEST_SENDERS };
  // What waits for senders is in memory, and how many there are follows from the load alone.
  const sizes = { amounts, senders: sendersOf(planOf(configOf(request, counts, first))) };
  return { plan: planOf(configOf(request, counts, sizes)), sizes };
}

/** The most that one pod may have of what a key gives, as the request writes it. */
function largestOf({ largest }: SizeRequest, key: string): string {
  if (key.endsWith(".memory")) return largest.memory;
  return key.endsWith(".cpu") ? largest.cpu : largest.volume;
}

/** Whether an amount is more than another one; of keys of CPU both are cores. */
const isMore = (key: string, amount: string, other: string): boolean =>
  key.endsWith(".cpu") ? cpuCores(amount) > cpuCores(other) : quantityBytes(amount) > quantityBytes(other);

const smallerOf = (key: string, amount: string, other: string): string => (isMore(key, amount, other) ? other : amount);

/**
 * The least sizes that carry the load with these numbers of pods, none larger than a pod may be. What is needed depends on no amount but by
 * the replay, which is met at once.
 *
 * @throws {Error} where these numbers do not carry it
 */
function sizesFor(request: SizeRequest, counts: Counts): { sizes: Sizes; plan: CapacityPlan } {
  const amounts = Object.fromEntries(Object.entries(LEAST).map(([key, least]) => [key, smallerOf(key, least, largestOf(request, key))]));
  for (;;) {
    const { plan, sizes } = planWith(request, counts, amounts);
    const over = needsOf(plan).filter((need) => !isMet(need));
    if (over.length === 0) return { sizes, plan };
    const larger = over.flatMap((need) => {
      const { key } = need.budget;
      const amount = smallerOf(key, carrying(need), largestOf(request, key));
      return isMetByAmount(need) && isMore(key, amount, amounts[key] ?? "0") ? [{ key, amount }] : [];
    });
    if (larger.length === 0)
      throw new Error(`no amount meets ${over.map(({ component, resource }) => `${resource} of ${component}`).join(", ")}`);
    for (const { key, amount } of larger) if (isMore(key, amount, amounts[key] ?? "0")) amounts[key] = amount;
  }
}

/** Parts of the stack file whose number follows from the load, in an order in which one's number says what the next has to do. */
const COUNTED = [
  { count: "receivers", key: "receive.", what: "receivers in a ring" },
  { count: "shards", key: "prometheus.", what: "shards of Prometheus" },
  { count: "queriers", key: "querier.", what: "queriers" },
] as const;

type Counted = (typeof COUNTED)[number];

/** The need of a part that the largest pods of these numbers meet least; undefined where they meet all. */
function unmet(request: SizeRequest, counts: Counts, { key }: Counted): { plan: CapacityPlan; need?: Need | undefined } {
  const { plan } = planWith(request, counts, Object.fromEntries(Object.keys(LEAST).map((each) => [each, largestOf(request, each)])));
  // As many senders as a stack file takes may send the load, and still not catch up.
  const isSlow = ({ resource }: Need): boolean => resource === "remoteWrite" && (sendersFor(plan.prometheus) ?? 0) > MOST.senders;
  const [need] = needsOf(plan)
    .filter((each) => each.budget.key.startsWith(key) && (!isMet(each) || isSlow(each)))
    .sort((left, right) => right.worst / right.available - left.worst / left.available);
  return { plan, need };
}

/** The least number of a part with which pods of the largest size carry the load; one fewer does not. */
function fewest(request: SizeRequest, counts: Counts, part: Counted, least: number, step: number): number {
  const most = Math.floor(MOST[part.count] / step) * step;
  const left = (count: number) => unmet(request, { ...counts, [part.count]: count }, part);
  let [not, enough] = [least - step, least];
  for (let { plan, need } = left(enough); need !== undefined; { plan, need } = left(enough)) {
    if (enough >= most) throw new Error(formatProblem(tooMuch(request, plan, part, need)));
    [not, enough] = [enough, Math.min(most, 2 * enough)];
  }
  while (enough - not > step) {
    const middle = not + Math.floor((enough - not) / 2 / step) * step;
    if (left(middle).need === undefined) enough = middle;
    else not = middle;
  }
  return enough;
}

/**
 * A stack file that carries the load.
 *
 * @throws {Error} naming what would be refused, where no numbers of pods of that size carry it
 */
export function sizedStack(request: SizeRequest): SizedStack {
  const { lost, zones, replicationFactor } = structureOf(request);
  const step = Math.max(1, zones.length);
  const counts: Counts = { receivers: Math.ceil(replicationFactor / step) * step, shards: 1, queriers: lost + 1 };
  for (const part of COUNTED) counts[part.count] = fewest(request, counts, part, counts[part.count], part.count === "receivers" ? step : 1);
  const { sizes, plan } = sizesFor(request, counts);
  return { config: configOf(request, counts, sizes), reasons: reasonsOf(request, counts, plan) };
}

/** `32Gi of memory, 16 of CPU and a volume of 16Ti`. */
const ofLargest = ({ memory, cpu, volume }: Largest): string => `${memory} of memory, ${cpu} of CPU and a volume of ${volume}`;

/** More of what one pod may have, by what it is short of. */
const LARGER: Readonly<Partial<Record<Need["resource"], string>>> = {
  memory: "a larger memory of one pod",
  cpu: "more CPU of one pod",
  disk: "a larger volume of one pod, or less retention",
  replay: "more CPU of one pod",
};

const HALF = 0.5;
/** Part of a need that half of its load leaves where several environments have less each. */
const DIVIDED = 0.75;

/** Problem of the key of the load from which more of a part follow than a stack file takes. */
function tooMuch(request: SizeRequest, plan: CapacityPlan, { count, what }: Counted, need: Need): Problem {
  const { load, largest } = request;
  const { key, carries } = decidingKey(need, plan);
  const larger = LARGER[need.resource];
  const isDivided = carries && (sameNeed(underLoad(plan, HALF), need)?.worst ?? 0) < DIVIDED * need.worst;
  return {
    key,
    value: load[key.slice("load.".length) as keyof typeof load],
    rule: `${MOST[count]} ${what}, each of ${ofLargest(largest)}, are the most that one environment has, and do not carry it`,
    remedy: [
      ...(carries ? ["less of it"] : []),
      ...(larger !== undefined && isMetByAmount(need) ? [larger] : []),
      ...(isDivided ? ["several environments"] : []),
    ].join(", or "),
  };
}

function reasonsOf(request: SizeRequest, counts: Counts, plan: CapacityPlan): Reason[] {
  const { load, survives, retention, largest } = request;
  const { lost, zones, replicationFactor } = structureOf(request);
  const wanted = [
    ...(survives.nodes > 0 ? [counted(survives.nodes, "node")] : []),
    ...(survives.zones > 0 ? [counted(survives.zones, "zone")] : []),
  ].join(" or ");
  const after = wanted === "" ? "nothing has to survive" : `the loss of ${wanted} is survived`;
  const left = lost === 0 ? "nothing has to survive a loss" : `so that one is left after the loss of ${wanted}`;
  const structure: Reason[] = [
    ...(zones.length === 0
      ? []
      : [
          {
            key: "cluster.zones",
            value: zones.join(", "),
            why: "to be replaced by the cluster's own; one for each replica of a series",
          },
        ]),
    {
      key: "receive.replicationFactor",
      value: String(replicationFactor),
      why: `${after}, and fewer than 3 would be a risk to accept`,
    },
    {
      key: "receive.replicas",
      value: String(counts.receivers),
      why: `as many as the replication factor needs${zones.length > 0 ? ", evenly over the zones," : ""} and as fit pods of ${ofLargest(largest)}`,
    },
    { key: "receive.retention.time", value: retention, why: "asked for; there is no bucket" },
    { key: "querier.replicas", value: String(counts.queriers), why: left },
    ...(isMixed(request)
      ? [
          {
            key: "querier.deduplication",
            value: "penalty",
            why: "pairs and single senders write into one ring: it hides 4-5 % of a single one's samples around restarts; chain answers with both of a pair's",
          },
        ]
      : []),
    { key: "prometheus.replicas", value: String(lost + 1), why: `${left}; each of them writes series of its own into the ring` },
    { key: "prometheus.shards", value: String(counts.shards), why: `as few as fit pods of ${ofLargest(largest)}` },
    ...Object.entries(scrapesOf(load)).map(([key, value]) => ({
      key: `prometheus.${key}`,
      value,
      why: key === "scrapeInterval" ? "the load's" : "a scrape ends before the next begins",
    })),
  ];
  const byKey = new Map<string, Need>();
  for (const need of needsOf(plan).filter(isMetByAmount)) {
    const before = byKey.get(need.budget.key);
    if (before === undefined || need.worst / need.available > before.worst / before.available) byKey.set(need.budget.key, need);
  }
  return [
    ...structure,
    ...[...byKey.values()].map((need) => ({
      key: need.budget.key,
      value: need.budget.text,
      why: `${onePod(need.component)} ${reasonOf(need)}`,
    })),
    ...sendersReason(plan),
  ];
}

/** Why a queue has so many senders. */
function sendersReason({ prometheus }: CapacityPlan): Reason[] {
  const { queue } = prometheus;
  if (queue === undefined) return [];
  const { samplesPerSecond } = shardLoad(prometheus);
  const one = queue.samplesPerSecond / queue.senders.amount;
  return [
    {
      key: "prometheus.remoteWrite.maxShards",
      value: queue.senders.text,
      why:
        `each Prometheus writes ${short(samplesPerSecond)} samples a second into the ring, and one sender surely ${short(one)}: ` +
        `twice as many as they need, so that it catches up in no longer than it was cut off, and ${FEWEST_SENDERS} at least`,
    },
  ];
}

/** Whether a stack file carries its load: what the preview asks first. */
export const carriesItsLoad = (config: SettingsInput): boolean => loadProblemsOf(planOf(config)).length === 0;
