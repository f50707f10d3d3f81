import {
  BLOCK_SECONDS,
  CORES_PER_SERIES,
  CREATE_SECONDS,
  EXEMPLAR_BYTES,
  EXEMPLAR_PLACE_BYTES,
  FORWARD_SECONDS,
  HEAD_SECONDS,
  HOUR,
  RECEIVER_BYTES,
  RECEIVER_CORES,
  REQUEST_LABEL_BYTES,
  ROUTER_BYTES,
  ROUTER_CORES,
  ROUTER_REPLICA_BYTES,
  STORE_LABEL_SECONDS,
  STORE_SECONDS,
  TAKE_LABEL_SECONDS,
  TAKE_SECONDS,
  TENANT_BYTES,
} from "./coefficients";
import { blockBytes, headMemory, headSeries, logDisk, replayCoreSeconds, replayWith } from "./head";
import { times, writtenSamples } from "./load";
import { divided, fewest, need, type Parts, replayNeed } from "./need";
import { serving } from "./queries";
import type { CapacityPlan, Load, Need, ReceiversPlan, RingCapacityPlan } from "./types";

/**
 * Receivers and routers. The ring does not change when a receiver is lost, so that no other stores more; what is lost is its part in taking
 * requests, which senders bring to those that are left.
 */

/** Load of the receiver that stores most of a ring. */
export const heaviestLoad = ({ load, heaviest, tenants }: RingCapacityPlan): Load => ({ ...times(load, heaviest), tenants });

/**
 * Seconds of a replay in the receiver that stores most, with the CPU that it surely has, and how many of them no further core would save.
 * Databases of tenants are opened all at once (thanos v0.42.4 pkg/receive/multitsdb.go `Open`), so that these are the largest one's.
 */
export function replayOf(
  ring: RingCapacityPlan,
  { outOfOrderSeconds }: Pick<ReceiversPlan, "outOfOrderSeconds">,
): { seconds: number; least: number } {
  const { all } = replayCoreSeconds(heaviestLoad(ring), outOfOrderSeconds);
  const { inSequence } = replayCoreSeconds({ ...times(ring.load, ring.largestTenant), tenants: 1 }, outOfOrderSeconds);
  return replayWith({ all, inSequence }, ring.cpu.amount);
}

/** Name of a ring's receivers in a need. */
export const receiversName = ({ rings }: { rings: readonly unknown[] }, { name }: Pick<RingCapacityPlan, "name">): string =>
  rings.length === 1 ? "receivers" : `receivers of ring ${name}`;

/** Name of exemplars among the parts of a need. */
export const EXEMPLARS = "exemplars";

/** CPU and memory to take so many samples a second by remote write and to forward their replicas. */
function routing({ load, receivers }: CapacityPlan, samplesPerSecond: number): { cpu: Parts; memory: Parts } {
  const replicas = receivers?.replicationFactor ?? 0;
  return {
    cpu: { "taking and sending on": samplesPerSecond * (TAKE_SECONDS + load.labelBytes * TAKE_LABEL_SECONDS + replicas * FORWARD_SECONDS) },
    memory: { "requests in work": samplesPerSecond * load.labelBytes * REQUEST_LABEL_BYTES },
  };
}

/** CPU of a TSDB that samples come into. `seconds`: as of {@link headSeries}. */
const storing = (load: Load, seconds = HEAD_SECONDS): Parts => ({
  "storing samples": load.samplesPerSecond * (STORE_SECONDS + load.labelBytes * STORE_LABEL_SECONDS),
  "new series": (load.newSeriesPerHour / HOUR) * CREATE_SECONDS,
  "series in the head": headSeries(load, seconds) * CORES_PER_SERIES,
});

function ringNeeds(plan: CapacityPlan, receivers: ReceiversPlan, ring: RingCapacityPlan, seconds: number): Need[] {
  const component = receiversName(receivers, ring);
  const own = heaviestLoad(ring);
  const { working, replaying } = headMemory(own, seconds);
  const reads = serving(plan, ring.heaviest * plan.prometheus.replicas, ring.retentionSeconds);
  const fixed = {
    "the process itself": RECEIVER_BYTES,
    "tenants' databases": own.tenants * TENANT_BYTES,
    // Places are there from the beginning; every exemplar belongs to some series, so that few of these have few of those.
    [EXEMPLARS]:
      own.tenants * receivers.maxExemplars * EXEMPLAR_PLACE_BYTES +
      Math.min(own.tenants * receivers.maxExemplars, headSeries(own)) * EXEMPLAR_BYTES,
  };
  // Any receiver of any ring takes requests for all of them.
  const front = receivers.rings.reduce((sum, { pods }) => sum + pods.all, 0);
  const takes = (pods: number) => (receivers.split ? 0 : writtenSamples(plan) / Math.max(1, front - ring.pods.all + pods));
  const memory = (pods: number) => ({ ...fixed, ...working, ...routing(plan, takes(pods)).memory, queries: reads.memory });
  const cpu = (pods: number) => ({
    "the process itself": RECEIVER_CORES,
    ...storing(own, seconds),
    ...routing(plan, takes(pods)).cpu,
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
    replayNeed(component, ring.cpu, replayOf(ring, receivers), plan),
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
  return divided("routers", routers, (pods) => {
    const { cpu, memory } = routing(plan, writtenSamples(plan) / pods);
    const replicas = plan.receivers?.replicationFactor ?? 0;
    return {
      cpu: { "the process itself": ROUTER_CORES, ...cpu },
      memory: { "the process itself": ROUTER_BYTES + replicas * ROUTER_REPLICA_BYTES, ...memory },
    };
  });
}
