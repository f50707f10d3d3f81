import { decidingKey } from "./capacity/deciding";
import { loadProblemsOf, onePod, reasonOf } from "./capacity/limits";
import { usable } from "./capacity/need";
import { needsOf } from "./capacity/needs";
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
  /** Undefined: as many as the stack file has by default. */
  senders?: number;
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
    querier: { replicas: counts.queriers, resources: resources("querier") },
    prometheus: {
      replicas: lost + 1,
      shards: counts.shards,
      ...scrapesOf(load),
      storage: storage("prometheus"),
      resources: resources("prometheus"),
      ...(senders === undefined ? {} : { remoteWrite: { maxShards: senders } }),
    },
  };
}

function planOf(config: SettingsInput): CapacityPlan {
  const settings = settingsSchema.parse(config);
  const plan = capacityPlan(settings, planStack(settings));
  if (plan === undefined) throw new Error("a size is of a load");
  return plan;
}

/** Senders that a queue needs beyond those of the plan; undefined where these will do. */
function moreSenders({ prometheus }: CapacityPlan): number | undefined {
  const wanted = sendersFor(prometheus) ?? 0;
  return wanted > (prometheus.queue?.senders.amount ?? 0) ? wanted : undefined;
}

/** Whether a larger amount meets a need: senders are chosen before, and a replay in sequence takes more receivers. */
const isMetByAmount = ({ resource, least = 0, available }: Need): boolean => resource !== "remoteWrite" && least <= available;

/**
 * The least sizes that carry the load with these numbers of pods. What is needed depends on no amount but by the replay, which is met at
 * once.
 */
function sizesFor(request: SizeRequest, counts: Counts): { sizes: Sizes; plan: CapacityPlan } {
  const amounts = { ...LEAST };
  // First, since what waits for them is in memory.
  const senders = moreSenders(planOf(configOf(request, counts, { amounts })));
  const sizes: Sizes = { amounts, ...(senders === undefined ? {} : { senders: Math.min(senders, MOST.senders) }) };
  for (;;) {
    const plan = planOf(configOf(request, counts, sizes));
    const over = needsOf(plan).filter((need) => need.worst > need.available && isMetByAmount(need));
    if (over.length === 0) return { sizes, plan };
    for (const need of over) {
      const { key } = need.budget;
      const carries = carrying(need);
      const larger = carriesMore(need, carries, amounts[key]) ? carries : amounts[key];
      if (larger !== undefined) amounts[key] = larger;
    }
  }
}

/** Whether an amount is more than the one that is there; of CPU both are in thousandths or whole cores. */
function carriesMore({ resource }: Need, amount: string, before: string | undefined): boolean {
  if (before === undefined) return true;
  const thousandths = (text: string) => (text.endsWith("m") ? Number(text.slice(0, -1)) : Number(text) * 1_000);
  return resource === "cpu" || resource === "replay"
    ? thousandths(amount) > thousandths(before)
    : quantityBytes(amount) > quantityBytes(before);
}

/** A larger number where pods are too large: half of the way to what divides them enough, and one step at least, so that none is passed. */
const grownBy = (count: number, excess: number, step = 1): number =>
  excess <= 1 ? count : count + step * Math.max(1, Math.floor((count * (excess - 1)) / 2 / step));

/** Resources of a component by the end of their keys, with the most that one pod may have of each. */
const mostOf = ({ memory, cpu, volume }: Largest): readonly { end: string; most: number }[] => [
  { end: "resources.memory", most: quantityBytes(memory) },
  { end: "resources.cpu", most: cpuCores(cpu) },
  { end: "storage.pvc.size", most: quantityBytes(volume) },
];

/** Usable part of the most that a pod may have, for a need: a replay takes all CPU of a pod, and so much time. */
const usableOf = ({ resource, available, budget }: Need, most: number): number =>
  resource === "replay" ? (available * most) / budget.amount : usable(resource, most);

/** How many times as much as it may have a component's neediest pod needs: not its amount, since the steps of these are an eighth. */
function sizeExcess(plan: CapacityPlan, component: string, largest: Largest): number {
  const excesses = mostOf(largest).map(({ end, most }) => {
    const needs = needsOf(plan).filter((need) => need.budget.key === `${component}.${end}` && isMetByAmount(need));
    if (needs.every(({ budget }) => budget.amount <= most)) return 1;
    return Math.max(1 + Number.EPSILON, ...needs.map((need) => need.worst / usableOf(need, most)));
  });
  return Math.max(...excesses);
}

/** How many times as long as it may take the replay of a component's log takes that more cores don't shorten. */
const replayExcess = (plan: CapacityPlan, component: string): number =>
  Math.max(0, ...needsOf(plan).map(({ budget, least = 0, available }) => (budget.key.startsWith(`${component}.`) ? least / available : 0)));

/** Largest numbers that the stack file takes. */
const MOST = { receivers: MOST_RECEIVERS, shards: MOST_PROMETHEUS_SHARDS, queriers: MOST_QUERIERS, senders: MOST_SENDERS } as const;

/** Counts that the stack file bounds, with their names in messages. */
const COUNTED = [
  { count: "receivers", component: "receivers", what: "receivers in a ring" },
  { count: "shards", component: "Prometheus", what: "shards of Prometheus" },
  { count: "queriers", component: "queriers", what: "queriers" },
] as const;

/**
 * A stack file that carries the load.
 *
 * @throws {Error} naming what would be refused, where no numbers of pods of that memory carry it
 */
export function sizedStack(request: SizeRequest): SizedStack {
  const { lost, zones, replicationFactor } = structureOf(request);
  const step = Math.max(1, zones.length);
  const counts: Counts = { receivers: Math.ceil(replicationFactor / step) * step, shards: 1, queriers: lost + 1 };
  for (;;) {
    const { sizes, plan } = sizesFor(request, counts);
    const excess = (component: string) => Math.max(sizeExcess(plan, component, request.largest), replayExcess(plan, component));
    const grown = {
      receivers: grownBy(counts.receivers, excess("receive"), step),
      shards: grownBy(counts.shards, Math.max(excess("prometheus"), (sendersFor(plan.prometheus) ?? 0) / MOST.senders)),
      queriers: grownBy(counts.queriers, excess("querier")),
    };
    if (grown.receivers === counts.receivers && grown.shards === counts.shards && grown.queriers === counts.queriers) {
      return { config: configOf(request, counts, sizes), reasons: reasonsOf(request, counts, sizes, plan) };
    }
    Object.assign(counts, grown);
    const over = COUNTED.filter(({ count }) => counts[count] > MOST[count]);
    if (over[0] !== undefined) throw new Error(formatProblem(tooMuch(request, plan, over[0].component, over)));
  }
}

/** `32Gi of memory, 16 cores and a volume of 16Ti`. */
const ofLargest = ({ memory, cpu, volume }: Largest): string => `${memory} of memory, ${cpu} cores and a volume of ${volume}`;

/** More of what one pod may have, by what it is short of. */
const LARGER: Readonly<Record<Need["resource"], string>> = {
  memory: "a larger memory of one pod",
  cpu: "more CPU of one pod",
  disk: "a larger volume of one pod, or less retention",
  replay: "more CPU of one pod",
  remoteWrite: "a larger memory of one pod",
};

/** Problem of the key of the load from which more pods follow than a stack file takes. */
function tooMuch(
  { load, largest }: SizeRequest,
  plan: CapacityPlan,
  component: string,
  over: readonly (typeof COUNTED)[number][],
): Problem {
  const [need] = needsOf(plan)
    .filter((each) => each.component === component)
    .map((each) => {
      const most = mostOf(largest).find(({ end }) => each.budget.key.endsWith(`.${end}`))?.most;
      return most === undefined ? each : { ...each, available: usableOf(each, most) };
    })
    .sort((left, right) => right.worst / right.available - left.worst / left.available);
  const { key, carries } = need === undefined ? { key: "load.series", carries: true } : decidingKey(need, plan);
  return {
    key,
    value: load[key.slice("load.".length) as keyof typeof load],
    rule: `${over.map(({ count, what }) => `${MOST[count]} ${what}`).join(" and ")}, each of ${ofLargest(largest)}, are the most that one environment has, and do not carry it`,
    remedy: [
      ...(carries ? ["less of it"] : []),
      ...(need !== undefined && !isMetByAmount(need) ? [] : [LARGER[need?.resource ?? "memory"]]),
      ...(carries ? ["or several environments"] : []),
    ].join(", "),
  };
}

function reasonsOf(request: SizeRequest, counts: Counts, sizes: Sizes, plan: CapacityPlan): Reason[] {
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
    ...(sizes.senders === undefined ? [] : sendersReason(plan)),
  ];
}

/** Why a queue has more senders than by default. */
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
        "twice as many as they need, so that it catches up in no longer than it was cut off",
    },
  ];
}

/** Whether a stack file carries its load: what the preview asks first. */
export const carriesItsLoad = (config: SettingsInput): boolean => loadProblemsOf(planOf(config)).length === 0;
