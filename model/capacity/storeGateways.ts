import { BYTES_PER_CHUNK } from "../reads/limits";
import { bucketBytes } from "./bucket";
import {
  BLOCK_SECONDS,
  CHUNK_SAMPLES,
  DAY,
  GB,
  IDLE_BYTES,
  IDLE_CORES,
  INDEX_HEADER,
  MERGED_AFTER_SECONDS,
  READ_AT_STORE_SECONDS,
  READ_CHUNK_SECONDS,
  STORE_GATEWAY_QUERIES,
  YEAR,
  YOUNG_INDEX_HEADER,
} from "./coefficients";
import { blockBytes } from "./head";
import { mostDrawn } from "./load";
import { divided } from "./need";
import { atOnce, querySeconds } from "./queries";
import type { CapacityPlan, LoadedBucket, Need } from "./types";

/** Store gateways. Any one of a shard has the headers of all its blocks, so that more of them divide queries only. */

/** Bytes of index headers of everything in the bucket when the environment is a year old. */
export const indexHeaderBytes = (plan: LoadedBucket): number =>
  bucketBytes(plan, YEAR) * INDEX_HEADER + plan.replicas.before * blockBytes(plan.load, 2 * DAY) * YOUNG_INDEX_HEADER;

/** Length of blocks that were merged, of the three that they have (thanos docs/components/compact.md: 8h, 2d, 14d) the middle one. */
const OLD_BLOCK_SECONDS = 2 * DAY;

/** Series, each once for each of its blocks, and chunks that one query of the usual range reads from one shard of the bucket. */
export interface BucketRead {
  series: number;
  chunks: number;
}

/**
 * Series and chunks that a usual query reads from the shard with most of them: all that the bucket has of its range. Blocks have all
 * replicas and two hours until they are merged, and two days afterwards: the longest are older than most queries ask for. Samples are raw
 * ones, up to their retention; a range query with a long step reads fewer, which are downsampled.
 */
export function readFromBucket({ load, queries, prometheus, receivers }: CapacityPlan, bucket: LoadedBucket): BucketRead {
  const { replicas, retention, storeGateway } = bucket;
  const { youngestSeconds, hashed, shards, limits } = storeGateway;
  const range = Math.min(queries.rangeSeconds, retention.raw);
  const young = Math.max(0, Math.min(range, MERGED_AFTER_SECONDS) - youngestSeconds);
  const old = Math.max(0, range - Math.max(MERGED_AFTER_SECONDS, youngestSeconds));
  const blocks = (replicas.before * young) / BLOCK_SECONDS + (replicas.after * old) / OLD_BLOCK_SECONDS;
  // A hash divides blocks, of which there are few.
  const share = hashed && blocks > 0 ? mostDrawn(Math.max(1, blocks), 1 / shards) / Math.max(1, blocks) : 1;
  // Behind a ring each Prometheus of a pair writes series of its own; beside sidecars these are the replicas.
  const series = share * queries.series * (receivers === undefined ? 1 : prometheus.replicas);
  const perSecond = load.series === 0 ? 0 : load.samplesPerSecond / load.series;
  const chunks = (seconds: number): number => (seconds * perSecond) / CHUNK_SAMPLES;
  return {
    series: Math.min(limits.series, series * blocks),
    // One in each block at least.
    chunks: Math.min(limits.chunks, series * (blocks + replicas.before * chunks(young) + replicas.after * chunks(old))),
  };
}

export function storeGatewayNeeds(plan: CapacityPlan): Need[] {
  const { bucket, queries, load } = plan;
  if (bucket === undefined) return [];
  const { storeGateway } = bucket;
  const headers = indexHeaderBytes(bucket) / storeGateway.shards;
  const read = readFromBucket(plan, bucket);
  const readSeconds = read.series * READ_AT_STORE_SECONDS + read.chunks * READ_CHUNK_SECONDS;
  const readBytes = read.series * load.labelBytes + read.chunks * BYTES_PER_CHUNK;
  // An answer is in memory until the querier has read it.
  const seconds = 1 / STORE_GATEWAY_QUERIES + readSeconds + querySeconds(plan);
  return divided("store gateways", storeGateway, (pods) => {
    const perSecond = queries.perSecond / pods;
    return {
      cpu: {
        "the process itself": IDLE_CORES,
        queries: perSecond / STORE_GATEWAY_QUERIES,
        "samples that they read": perSecond * readSeconds,
      },
      memory: {
        "the process itself": IDLE_BYTES,
        "its own caches": storeGateway.cacheBytes,
        // A thirty-second of the postings' offsets, and what was read of the mapped rest.
        "index headers": headers / 4,
        queries: (perSecond / STORE_GATEWAY_QUERIES) * GB,
        "samples that they read": atOnce(perSecond, seconds, storeGateway.maxConcurrent) * readBytes,
      },
      disk: { "index headers": headers, "headers of blocks that replace others": headers },
    };
  });
}
