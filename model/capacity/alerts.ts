import { stringify } from "yaml";
import { PROMETHEUS_APP, RECEIVE_APP } from "../kubernetes/identities";
import { headsOf } from "./heads";
import { jobOf, podsOfSets } from "./jobs";
import { firstLimit, onePod } from "./limits";
import { usable, usualLimit } from "./need";
import { needsOf } from "./needs";
import { cutOff } from "./prometheus";
import { bytesInWords, secondsInWords, short } from "./quantities";
import { receiversName } from "./receivers";
import { otherRemedies } from "./remedies";
import type { CapacityPlan, Need, RingCapacityPlan } from "./types";
import { limitName, SITUATION_NAMES } from "./words";

/**
 * Alerts before a limit of the plan is met, with the thresholds that the model computes of its load. What needs no load (a full volume, a
 * queue with all of its shards) is in rules/. Metrics of containers are cAdvisor's, of heads, logs and blocks the TSDB's own.
 */

/** Name of the file, beside those of `prometheus.ruleFolder`. */
export const CAPACITY_RULES_FILE = "thanos-stack-capacity.yaml";

const DAY = 86_400;
/** Part of what is carried from which on it is said. */
const NEARLY = 0.9;
/** Part of the time without a loss after which it is said: as much is left to do something. */
const HALF = 0.5;

interface Rule {
  alert: string;
  expr: string;
  for: string;
  labels: { severity: "warning" | "critical"; component?: string };
  annotations: { summary: string };
}

/**
 * The file of rules by its name; none where the environment names no load.
 *
 * @param namespace Where the stack is.
 */
export function capacityRules(plan: CapacityPlan | undefined, namespace: string): Record<string, string> {
  if (plan === undefined) return {};
  const rules = [
    ...needsOf(plan).flatMap((need) => ofNeed(need, plan, namespace)),
    ...seriesRules(plan, namespace),
    ...queueRules(plan, namespace),
  ];
  return { [CAPACITY_RULES_FILE]: stringify({ groups: [{ name: "thanos-capacity", rules }] }, { lineWidth: 0 }) };
}

const ofNeed = (need: Need, plan: CapacityPlan, namespace: string): Rule[] =>
  need.resource === "memory" ? memoryRules(need, plan, namespace) : need.resource === "disk" ? diskRules(need, plan, namespace) : [];

/** The ring whose receivers a need is of. */
const ringOf = ({ component }: Need, { receivers }: CapacityPlan): RingCapacityPlan | undefined =>
  receivers?.rings.find((ring) => receiversName(receivers, ring) === component);

/** Matchers of a component's pods, as text, and its job, which its container is named after; undefined of what is not scraped. */
function podsOf(need: Need, plan: CapacityPlan, namespace: string): { pods: string; job: string } | undefined {
  const ring = ringOf(need, plan);
  const job = ring === undefined ? jobOf(need.component) : RECEIVE_APP;
  if (job === undefined) return undefined;
  const several = (plan.receivers?.rings.length ?? 0) > 1;
  const pod = ring === undefined || !several ? "" : `, ${podsOfSets(ring.sets)}`;
  return { pods: `namespace="${namespace}"${pod}`, job };
}

/** A number that PromQL reads: whole bytes. */
const number = (bytes: number): string => String(Math.floor(bytes));

function memoryRules(need: Need, plan: CapacityPlan, namespace: string): Rule[] {
  const { component, budget, available, when } = need;
  const own = podsOf(need, plan, namespace);
  if (own === undefined) return [];
  // The series of the pod's own cgroup has no container.
  const used = `max by (pod) (container_memory_working_set_bytes{${own.pods}, container="${own.job}"})`;
  const remedy = `${budget.key} (${budget.text}) is to be larger${otherRemedies(need, plan)}`;
  const usual = usualLimit(need);
  const reserved = SITUATION_NAMES[when];
  return [
    {
      alert: "MemoryNearLimit",
      expr: `${used} > ${number(available)}`,
      for: "10m",
      labels: { severity: "critical", component },
      annotations: {
        summary: `{{ $labels.pod }} uses {{ $value | humanize1024 }}B of memory, and ${bytesInWords(available)} is 90 % of its limit, above which it collects garbage instead of working: ${remedy}`,
      },
    },
    ...(usual < available * NEARLY && reserved !== ""
      ? [
          {
            alert: "MemoryAbovePlan",
            expr: `${used} > ${number(usual)}`,
            for: "1h",
            labels: { severity: "warning" as const, component },
            annotations: {
              summary: `{{ $labels.pod }} has used {{ $value | humanize1024 }}B of memory for an hour; above ${bytesInWords(usual)} it is too small ${reserved}: ${remedy}`,
            },
          },
        ]
      : []),
  ];
}

/**
 * Alert for a volume that is too small for the retention: bytes of the TSDB when its oldest samples are as old as they get, if its blocks
 * grow until then as they did in the last day, and not afterwards. Without a day of growth there is nothing to go by, which the age of the
 * samples tells.
 */
function diskRules(need: Need, plan: CapacityPlan, namespace: string): Rule[] {
  const { component, budget } = need;
  const found = podsOf(need, plan, namespace);
  const retention = component === "Prometheus" ? plan.prometheus.retentionSeconds : ringOf(need, plan)?.retentionSeconds;
  if (found === undefined || retention === undefined) return [];
  const own = `${found.pods}, job="${found.job}"`;
  const blocks = `prometheus_tsdb_storage_blocks_bytes{${own}}`;
  const now = `sum by (pod) ({__name__=~"prometheus_tsdb_(?:storage_blocks|(?:wal|head_chunks|out_of_order_wbl)_storage_size)_bytes", ${own}})`;
  const age = `(time() - min by (pod) (prometheus_tsdb_lowest_timestamp{${own}}) / 1000)`;
  return [
    {
      alert: "VolumeTooSmallForRetention",
      expr: `${now} + clamp_min(sum by (pod) (deriv(${blocks}[1d])), 0) * clamp_min(${retention} - ${age}, 0) > ${number(usable("disk", budget.amount))} and ${age} > ${Math.min(DAY, retention)}`,
      for: "1h",
      labels: { severity: "warning", component },
      annotations: {
        summary: `{{ $labels.pod }} will have {{ $value | humanize1024 }}B on its volume when its oldest samples are ${secondsInWords(retention)} old; ${bytesInWords(usable("disk", budget.amount))} is 85 % of it: ${budget.key} (${budget.text}) is to be larger, or the retention shorter`,
      },
    },
  ];
}

/** Series in all heads, each once, against those that are carried. */
function seriesRules(plan: CapacityPlan, namespace: string): Rule[] {
  const { times, need } = firstLimit(plan);
  const heads = headsOf(plan);
  const job = heads.component === "Prometheus" ? PROMETHEUS_APP : RECEIVE_APP;
  const carried = heads.series * times;
  return [
    {
      alert: "SeriesNearLimit",
      expr: `sum(prometheus_tsdb_head_series{namespace="${namespace}", job="${job}"}) / ${heads.replicas} > ${number(NEARLY * carried)}`,
      for: "15m",
      labels: { severity: "warning" },
      annotations: {
        summary: `{{ $value | humanize }} series are in the heads of ${heads.component}, each counted once, and ${short(carried)} are carried: ${limitName(need)} (${need.budget.key}, ${need.budget.text}, of ${onePod(need.component)}) is the first limit`,
      },
    },
  ];
}

/** How far Prometheus is behind its ring, against how long it can be cut off from it without a loss. */
function queueRules(plan: CapacityPlan, namespace: string): Rule[] {
  const cut = cutOff(plan);
  if (cut === undefined || cut.seconds === 0) return [];
  const own = `{namespace="${namespace}"}`;
  const sent = `prometheus_remote_storage_queue_highest_sent_timestamp_seconds{namespace="${namespace}", remote_name="receive"}`;
  return [
    {
      alert: "RemoteWriteNearLoss",
      // A queue that has sent nothing yet has sent up to 0, which is 1970: it is behind since its process started.
      expr:
        `prometheus_remote_storage_highest_timestamp_in_seconds${own} - ignoring(remote_name, url) group_right () ` +
        `(${sent} > 0 or ${sent} + ignoring(remote_name, url) group_left process_start_time_seconds${own}) > ${Math.floor(HALF * cut.seconds)}`,
      for: "5m",
      labels: { severity: "critical" },
      annotations: {
        summary: `{{ $labels.pod }} is {{ $value | humanizeDuration }} behind the ring, and its samples are lost from ${secondsInWords(cut.seconds)} on: the ring does not take them, or prometheus.remoteWrite.maxShards is too small`,
      },
    },
  ];
}
