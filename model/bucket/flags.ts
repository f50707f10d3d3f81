import { stringify } from "yaml";
import { COMPACTOR_APP, STORE_GATEWAY_APP } from "../kubernetes/identities";
import { POD_INDEX_ENV } from "../kubernetes/pod";
import { GRPC_PORT, HTTP_PORT } from "../kubernetes/ports";
import { readLimitFlags, STORES } from "../reads/limits";
import type { ObjectStorageSettings, Settings } from "../settings/schema";
import { type Process, telemetryFlags } from "../telemetry/files";
import { grpcServerFlags } from "../tls/flags";
import { durationSeconds, durationText, goDuration, prometheusSize, quantityBytes } from "../values/quantity";
import { OBJECT_STORE_FLAG } from "./mount";
import type { BlockMerging, BlockSelection, BucketPlan } from "./plan";

/** Command lines and files of store gateway and compactor, spelled as Thanos v0.42.4 knows them (cmd/thanos/{store,compact}.go). */
/** Where store gateways keep headers of indexes. */
export const STORE_GATEWAY_DATA = "/var/thanos/store";
/** Where the compactor works. */
export const COMPACTOR_DATA = "/var/thanos/compact";
/** Where the files of store gateways and compactor are mounted. */
export const BUCKET_CONFIG_DIRECTORY = "/etc/thanos/history";
/** Name of the configuration of the cache for postings and series. */
export const INDEX_CACHE_FILE = "index-cache.yaml";
/** Name of the configuration of the cache for chunks and metadata. */
export const CHUNK_CACHE_FILE = "chunk-cache.yaml";
/** Name of the file that says which blocks are a process's own. */
export const SELECTOR_FILE = "selector.yaml";

/** Largest item in memcached; its servers are started with the same (`--max-item-size=5m`). */
const LARGEST_ITEM = "5MiB";

type CacheSettings = ObjectStorageSettings["storeGateway"]["indexCache"];

/**
 * A cache's configuration. Memory of the process itself is bounded by size; memcached is found by its SRV record.
 *
 * @param address Where the memcached servers are; used only where there are some.
 */
function cacheConfig(cache: CacheSettings, address: string) {
  if (cache.inMemory !== undefined) {
    const mebibytes = Math.floor(quantityBytes(cache.inMemory.size) / 2 ** 20);
    return {
      type: "IN-MEMORY",
      // Items above the second bound are not kept; the default of 125 MiB is refused for smaller caches.
      config: { max_size: `${mebibytes}MiB`, max_item_size: `${Math.floor(mebibytes / 2)}MiB` },
    };
  }
  return {
    type: "MEMCACHED",
    config: {
      addresses: [address],
      timeout: "500ms",
      max_item_size: LARGEST_ITEM,
      dns_provider_update_interval: "10s",
      // One query asks for thousands of keys at once.
      max_get_multi_batch_size: 100,
      max_async_buffer_size: 100_000,
    },
  };
}

/** Longest that a listing and an absence are cached (thanos' own defaults), where store gateways do not sync more often. */
const LONGEST_LISTING = 5 * 60;
const LONGEST_ABSENCE = 15 * 60;

/**
 * Files of one set of store gateways, by name.
 *
 * @param addresses Where the memcached servers are.
 */
export function storeGatewayFiles(
  { storeGateway }: ObjectStorageSettings,
  blocks: BlockSelection,
  addresses: { indexCache: string; chunkCache: string },
): Record<string, string> {
  const cached = Math.floor(durationSeconds(storeGateway.syncInterval) / 2);
  return {
    [INDEX_CACHE_FILE]: stringify(cacheConfig(storeGateway.indexCache, addresses.indexCache)),
    [CHUNK_CACHE_FILE]: stringify({
      ...cacheConfig(storeGateway.chunkCache, addresses.chunkCache),
      // Cached for all of the time between two syncs, it answers the next one too, and a new block stays unseen until the one after that.
      blocks_iter_ttl: `${Math.min(cached, LONGEST_LISTING)}s`,
      metafile_doesnt_exist_ttl: `${Math.min(cached, LONGEST_ABSENCE)}s`,
    }),
    ...(blocks.hash === undefined ? {} : { [SELECTOR_FILE]: stringify(hashSelector(blocks.hash)) }),
  };
}

/** Keeps the blocks of one shard, by a hash of their names (docs/sharding.md; `__block_id` is pkg/block/fetcher.go `BlockIDLabel`). */
export function hashSelector({ parts, part }: { parts: number; part: number }) {
  return [
    { action: "hashmod", source_labels: ["__block_id"], modulus: parts, target_label: "shard" },
    { action: "keep", source_labels: ["shard"], regex: String(part) },
  ];
}

/** Part of a store gateway's memory in which chunks of queries in flight are. Thanos' own default is 2 GB whatever there is. */
const CHUNK_POOL = 0.25;

/** A store gateway's process, for its logs and traces. */
export const storeGatewayProcess = ({ storeGateway: { logging } }: ObjectStorageSettings): Process => ({
  name: STORE_GATEWAY_APP,
  logging,
  serves: true,
});

/** Arguments of a store gateway. */
export function storeFlags(settings: Settings, objectStorage: ObjectStorageSettings, blocks: BlockSelection): string[] {
  const { storeGateway, compactor } = objectStorage;
  const file = (name: string) => `${BUCKET_CONFIG_DIRECTORY}/${name}`;
  return [
    "store",
    `--grpc-address=:${GRPC_PORT}`,
    `--http-address=:${HTTP_PORT}`,
    "--enable-auto-gomemlimit",
    `--data-dir=${STORE_GATEWAY_DATA}`,
    OBJECT_STORE_FLAG,
    `--index-cache.config-file=${file(INDEX_CACHE_FILE)}`,
    `--store.caching-bucket.config-file=${file(CHUNK_CACHE_FILE)}`,
    `--sync-block-duration=${goDuration(storeGateway.syncInterval)}`,
    // Half of what the compactor leaves, so that a block that was replaced is forgotten before it is gone and
    // not before its replacement is known.
    `--ignore-deletion-marks-delay=${durationText(Math.floor(durationSeconds(compactor.deleteDelay) / 2))}`,
    ...(blocks.youngest === undefined ? [] : [`--max-time=-${blocks.youngest}`]),
    ...(blocks.oldest === undefined ? [] : [`--min-time=-${blocks.oldest}`]),
    ...(blocks.hash === undefined ? [] : [`--selector.relabel-config-file=${file(SELECTOR_FILE)}`]),
    `--chunk-pool-size=${prometheusSize(String(Math.floor(quantityBytes(storeGateway.resources.memory) * CHUNK_POOL)))}`,
    ...readLimitFlags(settings, STORES.storeGateway(objectStorage)),
    `--store.grpc.series-max-concurrency=${storeGateway.maxConcurrent}`,
    ...(storeGateway.downloadedBytes === undefined
      ? []
      : [`--store.grpc.downloaded-bytes-limit=${prometheusSize(storeGateway.downloadedBytes)}`]),
    // Headers of blocks that nobody asks for need no memory.
    "--store.enable-index-header-lazy-reader",
    ...grpcServerFlags(settings),
    // The page that lists blocks could mark them for deletion, and asks nobody who they are.
    "--disable-admin-operations",
    ...telemetryFlags(settings, storeGatewayProcess(objectStorage)),
  ];
}

/** Keeps a compactor from what must not be merged. */
const leavesAlone = ({ leaves }: BlockMerging) => leaves.map((label) => ({ action: "drop", source_labels: [label], regex: ".+" }));

/**
 * Files of the compactor, by name; empty where it compacts every block.
 *
 * @param shards Compactors. Of several each has a selector of its own, and a file would be the same in all pods.
 */
export function compactorFiles(merging: BlockMerging, shards: number): Record<string, string> {
  return merging.leaves.length === 0 || shards > 1 ? {} : { [SELECTOR_FILE]: stringify(leavesAlone(merging)) };
}

/** Begins the flag by which each of several compactors is told its shard; a single one has all blocks and no such flag. */
export const SHARD_FLAG = "--selector.relabel-config=";

/** Says which blocks a compactor has: in a flag where it differs by pod, since Kubernetes expands variables in nothing else. */
function selectorFlags({ merging, compactor }: Pick<BucketPlan, "merging" | "compactor">): string[] {
  if (compactor.replicas > 1) {
    const selector = [
      ...leavesAlone(merging),
      { action: "hashmod", source_labels: compactor.dividedBy, modulus: compactor.replicas, target_label: "shard" },
      { action: "keep", source_labels: ["shard"], regex: `$(${POD_INDEX_ENV.name})` },
    ];
    return [`${SHARD_FLAG}${JSON.stringify(selector)}`];
  }
  return merging.leaves.length === 0 ? [] : [`--selector.relabel-config-file=${BUCKET_CONFIG_DIRECTORY}/${SELECTOR_FILE}`];
}

const retention = (keptFor: string): string => (keptFor === "forever" ? "0d" : keptFor);

/** The compactor's process, for its logs and traces. */
export const compactorProcess = ({ compactor: { logging } }: ObjectStorageSettings): Process => ({
  name: COMPACTOR_APP,
  logging,
  serves: false,
});

/** Arguments of each compactor. */
export function compactFlags(settings: Settings, bucket: Pick<BucketPlan, "objectStorage" | "merging" | "compactor">): string[] {
  const { objectStorage, merging } = bucket;
  const { compactor } = objectStorage;
  return [
    "compact",
    "--wait",
    "--wait-interval=5m",
    `--http-address=:${HTTP_PORT}`,
    "--enable-auto-gomemlimit",
    `--data-dir=${COMPACTOR_DATA}`,
    OBJECT_STORE_FLAG,
    `--retention.resolution-raw=${retention(compactor.retention.raw)}`,
    `--retention.resolution-5m=${retention(compactor.retention.fiveMinutes)}`,
    `--retention.resolution-1h=${retention(compactor.retention.oneHour)}`,
    ...(compactor.downsampling ? [`--downsample.concurrency=${compactor.concurrency}`] : ["--downsampling.disable"]),
    `--consistency-delay=${goDuration(compactor.consistencyDelay)}`,
    `--compact.concurrency=${compactor.concurrency}`,
    `--delete-delay=${compactor.deleteDelay}`,
    // Any of these allows overlaps as well (compact.go `enableVerticalCompaction`).
    ...merging.replicaLabels.map((label) => `--deduplication.replica-label=${label}`),
    // One-to-one is the absence of a function.
    ...(merging.function === "penalty" ? ["--deduplication.func=penalty"] : []),
    ...selectorFlags(bucket),
    "--disable-admin-operations",
    ...telemetryFlags(settings, compactorProcess(objectStorage)),
  ];
}
