import {
  BLOCK_SECONDS,
  CORES_PER_SERIES,
  EXEMPLAR_BYTES,
  EXEMPLAR_PLACE_BYTES,
  HEAD_SECONDS,
  IDLE_CORES,
  RECEIVER_BYTES,
  REQUEST_BYTES,
  ROUTE_SECONDS,
  ROUTER_BYTES,
  STORE_SECONDS,
  TENANT_BYTES,
} from "./coefficients";
import { blockBytes, headMemory, headSeries, logDisk, replayCoreSeconds } from "./head";
import { times, writtenSamples } from "./load";
import { divided, fewest, need } from "./need";
import { serving } from "./queries";
import type { CapacityPlan, Load, Need, ReceiversPlan, RingCapacityPlan } from "./types";

/**
 * Receivers and routers. The ring does not change when a receiver is lost, so that no other stores more; what is lost is its part in taking
 * requests, which senders bring to those that are left.
 */

/** What the receiver that stores most of a ring has. */
export const heaviestLoad = ({ load, heaviest, tenants }: RingCapacityPlan): Load => ({ ...times(load, heaviest), tenants });

/** Seconds of a replay in the receiver that stores most, with the CPU that it surely has. */
export const replaySeconds = (ring: RingCapacityPlan): number => replayCoreSeconds(heaviestLoad(ring)) / ring.cpu.amount;

/** Name of a ring's receivers in a need. */
export const receiversName = ({ rings }: Pick<ReceiversPlan, "rings">, { name }: Pick<RingCapacityPlan, "name">): string =>
  rings.length === 1 ? "receivers" : `receivers of ring ${name}`;

function ringNeeds(plan: CapacityPlan, receivers: ReceiversPlan, ring: RingCapacityPlan, seconds: number): Need[] {
  const component = receiversName(receivers, ring);
  const own = heaviestLoad(ring);
  const { working, replaying } = headMemory(own, seconds);
  const reads = serving(plan, ring.heaviest / receivers.replicationFactor);
  const fixed = {
    "the process itself": RECEIVER_BYTES,
    "tenants' databases": own.tenants * TENANT_BYTES,
    // Places are there from the beginning; every exemplar belongs to some series, so that few of these have few of those.
    exemplars:
      own.tenants * receivers.maxExemplars * EXEMPLAR_PLACE_BYTES +
      Math.min(own.tenants * receivers.maxExemplars, headSeries(own)) * EXEMPLAR_BYTES,
  };
  // Any receiver of any ring takes requests for all of them.
  const front = receivers.rings.reduce((sum, { pods }) => sum + pods.all, 0);
  const takes = (pods: number) => (receivers.split ? 0 : writtenSamples(plan) / Math.max(1, front - ring.pods.all + pods));
  const memory = (pods: number) => ({ ...fixed, ...working, "requests in work": takes(pods) * REQUEST_BYTES, queries: reads.memory });
  const cpu = (pods: number) => ({
    "the process itself": IDLE_CORES,
    "storing samples": own.samplesPerSecond * STORE_SECONDS.most,
    "series in the head": headSeries(own) * CORES_PER_SERIES,
    "taking and sending on": takes(pods) * ROUTE_SECONDS.most,
    queries: reads.cpu,
  });
  const isYoung = seconds < HEAD_SECONDS;
  const blocks = isYoung ? 0 : blockBytes(own, ring.retentionSeconds + BLOCK_SECONDS);
  // Samples out of order become blocks of their own, which receivers do not merge (both durations of blocks are 2h).
  const late: Load = { ...own, series: own.series * own.late, samplesPerSecond: 0, newSeriesPerHour: 0 };
  const disk = {
    blocks: ring.retainedBytes === undefined ? blocks : Math.min(blocks, ring.retainedBytes * own.tenants),
    "blocks of samples out of order":
      isYoung || ring.retainedBytes !== undefined ? 0 : blockBytes(late, ring.retentionSeconds + BLOCK_SECONDS),
    "a block that is written or merged": isYoung ? 0 : blockBytes(own, 2 * BLOCK_SECONDS),
    ...logDisk(own, receivers.outOfOrderSeconds, seconds),
  };
  const { pods, when } = fewest(ring.pods);
  const work = need(component, "memory", ring.memory, memory(ring.pods.all), memory(pods), when);
  const replay = need(component, "memory", ring.memory, { ...fixed, ...replaying }, undefined);
  return [
    replay.worst > work.worst ? { ...work, worst: replay.worst, parts: replay.parts, when: "replay" } : work,
    need(component, "cpu", ring.cpu, cpu(ring.pods.all), cpu(pods), when),
    ...(ring.disk === undefined ? [] : [need(component, "disk", ring.disk, disk)]),
    need(
      component,
      "replay",
      ring.cpu,
      { "reading the log": replaySeconds(ring) },
      { "reading the log": replaySeconds(ring) },
      "replay",
      receivers.startupSeconds,
    ),
  ];
}

/**
 * Receivers of every ring, the one that stores most of each.
 *
 * @param seconds For how long they have taken samples, where that is less than a head keeps them, as in a benchmark.
 */
export const receiverNeeds = (plan: CapacityPlan, seconds = HEAD_SECONDS): Need[] =>
  plan.receivers === undefined
    ? []
    : plan.receivers.rings.flatMap((ring) => ringNeeds(plan, plan.receivers as ReceiversPlan, ring, seconds));

export function routerNeeds(plan: CapacityPlan): Need[] {
  const { routers } = plan;
  if (routers === undefined) return [];
  return divided("routers", routers, (pods) => ({
    cpu: { "the process itself": IDLE_CORES, "taking and sending on": (writtenSamples(plan) / pods) * ROUTE_SECONDS.most },
    memory: { "the process itself": ROUTER_BYTES, "requests in work": (writtenSamples(plan) / pods) * REQUEST_BYTES },
  }));
}
