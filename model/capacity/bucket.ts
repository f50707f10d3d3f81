import {
  COMPACTED_SERIES_BYTES,
  COMPACTED_SERIES_CORES,
  DAY,
  DOWNSAMPLED,
  HOUR,
  IDLE_BYTES,
  IDLE_CORES,
  LONGEST_BLOCK_SECONDS,
  MERGED_AFTER_SECONDS,
  POINT_BYTES,
  YEAR,
} from "./coefficients";
import { blockBytes } from "./head";
import { need } from "./need";
import type { CapacityPlan, LoadedBucket, Need } from "./types";

/** The bucket and its compactors. */

const MINUTE = 60;

/** Bytes of raw samples for so many seconds, as they are when nothing more will be merged. */
const rawBytes = ({ load, replicas }: LoadedBucket, seconds: number): number =>
  replicas.after * blockBytes(load, seconds, LONGEST_BLOCK_SECONDS);

/** Bytes of a downsampled resolution for so many seconds: an index like that of raw samples, and points; never more than those. */
function downsampledBytes(plan: LoadedBucket, seconds: number, resolution: number): number {
  const { load, replicas } = plan;
  const index = replicas.after * blockBytes({ ...load, samplesPerSecond: 0 }, seconds, LONGEST_BLOCK_SECONDS);
  const points = (replicas.after * load.series * seconds * POINT_BYTES) / resolution;
  return Math.min(DOWNSAMPLED * rawBytes(plan, seconds), index + points);
}

/** Bytes in the bucket at that age of the environment, under this load all the time. */
export function bucketBytes(plan: LoadedBucket, age: number): number {
  const { load, replicas, retention, downsampling, deleteSeconds } = plan;
  const kept = (seconds: number) => Math.min(age, seconds);
  // Blocks that were compacted stay for the delete delay beside their result: those of two hours with all replicas, and those of later
  // compactions.
  const young = replicas.before * blockBytes(load, Math.min(age, MERGED_AFTER_SECONDS + deleteSeconds));
  const replaced = 2 * rawBytes(plan, Math.min(age, deleteSeconds + 2 * DAY));
  return (
    rawBytes(plan, kept(retention.raw)) +
    young +
    replaced +
    (downsampling
      ? downsampledBytes(plan, kept(retention.fiveMinutes), 5 * MINUTE) + downsampledBytes(plan, kept(retention.oneHour), HOUR)
      : 0)
  );
}

/** Bytes after one year, two, and so on to five. */
export const bucketByYear = (plan: LoadedBucket): number[] => [1, 2, 3, 4, 5].map((years) => bucketBytes(plan, years * YEAR));

/** Groups that are compacted at once, in parts of all series: each tenant of each stream is one, and the largest may be among them. */
function compactedShare({ compactor, load, ofOneTenant }: LoadedBucket): number {
  const besideLargest = Math.min(1, (compactor.concurrency - 1) / Math.max(1, load.tenants - 1));
  return Math.min(1, Math.max(compactor.concurrency / load.tenants, ofOneTenant + (1 - ofOneTenant) * besideLargest));
}

/**
 * Part of all series that the compactor with most tenants has, 0 to 1. A hash divides these, and which there are is not known: the mean,
 * and three standard deviations of a draw; beside the largest, if that is known.
 */
export function compactedByOne({
  compactor: { shards },
  load: { tenants },
  ofOneTenant,
}: Pick<LoadedBucket, "compactor" | "load" | "ofOneTenant">): number {
  const mean = tenants / shards;
  const drawn = shards === 1 ? 1 : Math.min(1, (mean + 3 * Math.sqrt(mean)) / tenants);
  return ofOneTenant + (1 - ofOneTenant) * drawn;
}

export function compactorNeeds({ bucket }: CapacityPlan): Need[] {
  if (bucket === undefined) return [];
  const { compactor, load, replicas, retention } = bucket;
  const share = compactedShare(bucket);
  const longest = Math.min(LONGEST_BLOCK_SECONDS, retention.raw);
  const series = (load.series + (load.newSeriesPerHour * longest) / HOUR) * replicas.after;
  const result = share * rawBytes(bucket, longest);
  // Replicas are merged when blocks are still small.
  const replicated = 2 * share * replicas.before * blockBytes(load, 8 * HOUR);
  return [
    need("compactor", "memory", compactor.memory, {
      "the process itself": IDLE_BYTES,
      "series of the largest group": share * series * COMPACTED_SERIES_BYTES,
    }),
    need("compactor", "cpu", compactor.cpu, {
      "the process itself": IDLE_CORES,
      "compaction and downsampling": compactedByOne(bucket) * load.series * replicas.before * COMPACTED_SERIES_CORES,
    }),
    ...(compactor.disk === undefined
      ? []
      : [
          need(
            "compactor",
            "disk",
            compactor.disk,
            2 * result >= replicated
              ? { "blocks of the largest group": result, "what comes of them": result }
              : { "blocks with all replicas": replicated },
          ),
        ]),
  ];
}

/** Requests to the bucket in a month: of whoever uploads, of the compactor, and of store gateways. Not measured. */
export function bucketRequests({ load, uploaders, storeGateway }: LoadedBucket, queriesPerSecond: number): number {
  const month = 730 * HOUR;
  const blocks = (uploaders * load.tenants * month) / (2 * HOUR);
  const gateways = storeGateway.pods.all * storeGateway.shards;
  // Of a block: meta.json, index, a chunk and marks, written once, read once by the compactor, and its header once by each store gateway.
  return blocks * (4 + 4 + gateways) + (gateways * month) / storeGateway.syncSeconds + queriesPerSecond * month * 3;
}
