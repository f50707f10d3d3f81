import { bucketBytes } from "./bucket";
import { DAY, GB, IDLE_BYTES, IDLE_CORES, INDEX_HEADER, STORE_GATEWAY_QUERIES, YEAR, YOUNG_INDEX_HEADER } from "./coefficients";
import { blockBytes } from "./head";
import { divided } from "./need";
import type { CapacityPlan, LoadedBucket, Need } from "./types";

/** Store gateways. Any one of a shard has the headers of all its blocks, so that more of them divide queries only. */

/** Bytes of index headers of everything in the bucket when the environment is a year old. */
export const indexHeaderBytes = (plan: LoadedBucket): number =>
  bucketBytes(plan, YEAR) * INDEX_HEADER + plan.replicas.before * blockBytes(plan.load, 2 * DAY) * YOUNG_INDEX_HEADER;

export function storeGatewayNeeds({ bucket, queries }: CapacityPlan): Need[] {
  if (bucket === undefined) return [];
  const { storeGateway } = bucket;
  const headers = indexHeaderBytes(bucket) / storeGateway.shards;
  return divided("store gateways", storeGateway, (pods) => ({
    cpu: { "the process itself": IDLE_CORES, queries: queries.perSecond / pods / STORE_GATEWAY_QUERIES },
    memory: {
      "the process itself": IDLE_BYTES,
      "its own caches": storeGateway.cacheBytes,
      // A thirty-second of the postings' offsets, and what was read of the mapped rest.
      "index headers": headers / 4,
      queries: (queries.perSecond / pods / STORE_GATEWAY_QUERIES) * GB,
    },
    disk: { "index headers": headers, "headers of blocks that replace others": headers },
  }));
}
