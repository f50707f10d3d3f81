import {
  BLOCK_SECONDS,
  CORES_PER_SERIES,
  HEAD_SECONDS,
  IDLE_BYTES,
  IDLE_CORES,
  LOG_SAMPLE_BYTES,
  LOG_SURELY_SECONDS,
  PROMETHEUS_BYTES,
  QUEUED_SAMPLE_BYTES,
  REMOTE_WRITE,
  REQUEST_LABELS,
  REQUEST_SAMPLE_BYTES,
  SCRAPE_SECONDS,
  UNEVEN_SHARDS,
} from "./coefficients";
import { blockBytes, headBytes, headMemory, headSeries, logDisk, replayCoreSeconds, replayWith } from "./head";
import { times } from "./load";
import { need, type Parts, replayNeed, sumOf, usable } from "./need";
import { serving } from "./queries";
import type { Capacity, CapacityPlan, Load, Need, PrometheusCapacityPlan, QueuePlan } from "./types";

/** The stack's own Prometheus. Each server of a shard scrapes all of it, so that a loss gives the others no more to do. */

/** Load that one Prometheus of the largest shard scrapes. */
export const shardLoad = ({ load, shards }: PrometheusCapacityPlan): Load =>
  times(load, shards === 1 ? 1 : Math.min(1, UNEVEN_SHARDS / shards));

/** Blocks that it keeps; an agent keeps none. */
function blocksOf(plan: PrometheusCapacityPlan): Parts {
  if (plan.agent) return {};
  const own = shardLoad(plan);
  const blocks = blockBytes(own, plan.retentionSeconds + BLOCK_SECONDS);
  return {
    blocks: plan.retainedBytes === undefined ? blocks : Math.min(blocks, plan.retainedBytes),
    // Blocks of a tenth of the retention are merged, beside what they are merged from (prometheus docs/storage.md "Compaction").
    "blocks that are merged": blockBytes(own, Math.max(2 * BLOCK_SECONDS, plan.retentionSeconds / 10)),
  };
}

/** Replicas of each series that one server has, on average: one of those of its shard. */
const servedBy = ({ shards }: PrometheusCapacityPlan): number => 1 / shards;

/**
 * The sidecar of a server, through which its samples are queried: it passes on the chunks that Prometheus streams, series by series (thanos
 * v0.42.4 pkg/store/prometheus.go `handleStreamedPrometheusResponse`), which is what any store does. Blocks are uploaded as they are read.
 */
export function sidecarNeeds(plan: CapacityPlan): Need[] {
  const { sidecar } = plan.prometheus;
  if (sidecar === undefined) return [];
  const reads = serving(plan, servedBy(plan.prometheus), plan.prometheus.retentionSeconds);
  return [
    need("sidecars", "memory", sidecar.memory, { "the process itself": IDLE_BYTES, queries: reads.memory }),
    need("sidecars", "cpu", sidecar.cpu, { "the process itself": IDLE_CORES, queries: reads.cpu }),
  ];
}

/** Memory of queues with so many senders each, of which each has all that may wait for it and its largest request. */
const queuesMemory = ({ targets, waiting, perRequest }: QueuePlan, own: Load, senders: number): Parts => ({
  "remote write": targets * headBytes(own) * (REMOTE_WRITE - 1),
  "samples that wait to be sent": targets * senders * waiting * QUEUED_SAMPLE_BYTES,
  "requests of senders": targets * senders * perRequest * (REQUEST_SAMPLE_BYTES + own.labelBytes * REQUEST_LABELS),
});

/** Senders that are at work while nothing waits longer than a request takes at worst. */
const usualSenders = (queue: QueuePlan | undefined, { samplesPerSecond }: Load): number =>
  queue === undefined ? 0 : Math.min(queue.senders.amount, Math.ceil((queue.senders.amount * samplesPerSecond) / queue.samplesPerSecond));

export function prometheusNeeds(plan: CapacityPlan): Need[] {
  const { prometheus } = plan;
  const { queue, queried } = prometheus;
  const own = shardLoad(prometheus);
  const { working, replaying } = headMemory(own);
  const reads = queried ? serving(plan, servedBy(prometheus), prometheus.retentionSeconds) : { cpu: 0, memory: 0 };
  const process = { "the process itself": PROMETHEUS_BYTES };
  const sending = (senders: number): Parts => (queue === undefined ? {} : queuesMemory(queue, own, senders));
  const cpu = {
    "the process itself": IDLE_CORES,
    "scraping, storing and sending": own.samplesPerSecond * SCRAPE_SECONDS,
    "series in the head": headSeries(own) * CORES_PER_SERIES,
    queries: reads.cpu,
  };
  return [
    need(
      "Prometheus",
      "memory",
      prometheus.memory,
      { ...process, ...working, ...sending(usualSenders(queue, own)), queries: reads.memory },
      // Samples that were not sent before the restart are sent by as many senders as there may be.
      { ...process, ...replaying, ...sending(queue?.senders.amount ?? 0) },
      "replay",
    ),
    need("Prometheus", "cpu", prometheus.cpu, cpu),
    // Of its log an agent keeps each series' last time only (prometheus tsdb/agent/db.go `loadWAL`): how long that takes was not measured.
    ...(prometheus.agent
      ? []
      : [replayNeed("Prometheus", prometheus.cpu, replayWith(replayCoreSeconds(own, 0), prometheus.cpu.amount), plan)]),
    ...(prometheus.disk === undefined
      ? []
      : [need("Prometheus", "disk", prometheus.disk, { ...blocksOf(prometheus), ...logDisk(own, 0) })]),
    ...(!queue?.toRing
      ? []
      : [
          need(
            "Prometheus",
            "remoteWrite",
            queue.senders,
            { "samples that are scraped": own.samplesPerSecond },
            undefined,
            "always",
            queue.samplesPerSecond,
          ),
        ]),
  ];
}

/**
 * How long Prometheus can be cut off from its ring without a loss, and how long it then takes to catch up while the load goes on: what its
 * log surely holds, what of it fits the volume, and what the ring takes of it afterwards (`receive.outOfOrderWindow`).
 */
export function cutOff({ prometheus, receivers }: CapacityPlan): Capacity["cutOff"] {
  const { queue } = prometheus;
  if (!queue?.toRing) return undefined;
  const own = shardLoad(prometheus);
  const log = sumOf(logDisk(own, 0));
  const room =
    prometheus.disk === undefined ? Number.POSITIVE_INFINITY : usable("disk", prometheus.disk.amount) - sumOf(blocksOf(prometheus)) - log;
  const held = own.samplesPerSecond === 0 ? Number.POSITIVE_INFINITY : HEAD_SECONDS + room / (own.samplesPerSecond * LOG_SAMPLE_BYTES);
  const seconds = Math.max(0, Math.min(LOG_SURELY_SECONDS, held, receivers?.outOfOrderSeconds ?? Number.POSITIVE_INFINITY));
  const spare = queue.samplesPerSecond - own.samplesPerSecond;
  return { seconds, catchUpSeconds: spare > 0 ? (seconds * own.samplesPerSecond) / spare : null };
}

/**
 * Senders with which the largest shard catches up in no longer than it was cut off, while the load goes on: they send twice what it
 * scrapes. Undefined where nothing is sent to a ring.
 */
export function sendersFor({ queue, ...prometheus }: PrometheusCapacityPlan): number | undefined {
  if (!queue?.toRing) return undefined;
  return Math.ceil((2 * shardLoad(prometheus).samplesPerSecond * queue.senders.amount) / queue.samplesPerSecond);
}
