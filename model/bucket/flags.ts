import { stringify } from "yaml";
import { POD_INDEX_ENV } from "../kubernetes/pod";
import { GRPC_PORT, HTTP_PORT } from "../kubernetes/ports";
import type { ObjectStorageSettings } from "../settings/schema";
import { durationSeconds, durationText, goDuration, prometheusSize, quantityBytes } from "../values/quantity";
import { OBJECT_STORE_FLAG } from "./mount";
import type { BlockSelection, HistoryPlan } from "./plan";

/** Command lines and files of store gateway and compactor, spelled as Thanos v0.42.4 knows them (cmd/thanos/{store,compact}.go). */
/** Where store gateways keep headers of indexes. */
export const STORE_GATEWAY_DATA = "/var/thanos/store";
/** Where the compactor works. */
export const COMPACTOR_DATA = "/var/thanos/compact";
/** Where the files of store gateways and compactor are mounted. */
export const HISTORY_CONFIG_FOLDER = "/etc/thanos/history";
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
  const interval = durationSeconds(storeGateway.syncInterval);
  return {
    [INDEX_CACHE_FILE]: stringify(cacheConfig(storeGateway.indexCache, addresses.indexCache)),
    [CHUNK_CACHE_FILE]: stringify({
      ...cacheConfig(storeGateway.chunkCache, addresses.chunkCache),
      // Cached for longer than the time between syncs, a new block would stay unseen for the difference.
      blocks_iter_ttl: `${Math.min(interval, LONGEST_LISTING)}s`,
      metafile_doesnt_exist_ttl: `${Math.min(interval, LONGEST_ABSENCE)}s`,
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

/** Arguments of a store gateway. */
export function storeFlags({ storeGateway, compactor }: ObjectStorageSettings, blocks: BlockSelection): string[] {
  const file = (name: string) => `${HISTORY_CONFIG_FOLDER}/${name}`;
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
    // Headers of blocks that nobody asks for need no memory.
    "--store.enable-index-header-lazy-reader",
    // The page that lists blocks could mark them for deletion, and asks nobody who they are.
    "--disable-admin-operations",
  ];
}

/** The variable with a pod's number in its StatefulSet, in what Kubernetes expands. */
const POD_INDEX = `$(${POD_INDEX_ENV.name})`;

/** Keeps a compactor from what must not be merged, and from what is another one's. */
function compactorSelector({ merging, compactor }: Pick<HistoryPlan, "merging" | "compactor">): object[] {
  const leaves = merging.leaves.map((label) => ({ action: "drop", source_labels: [label], regex: ".+" }));
  if (compactor.replicas === 1) return leaves;
  return [
    ...leaves,
    { action: "hashmod", source_labels: compactor.dividedBy, modulus: compactor.replicas, target_label: "shard" },
    { action: "keep", source_labels: ["shard"], regex: POD_INDEX },
  ];
}

/** Files of the compactor, by name; empty where it compacts every block, and where its selector is another one in each pod. */
export function compactorFiles(history: Pick<HistoryPlan, "merging" | "compactor">): Record<string, string> {
  const selector = compactorSelector(history);
  return selector.length === 0 || history.compactor.replicas > 1 ? {} : { [SELECTOR_FILE]: stringify(selector) };
}

/** Begins the flag by which compactors are told their shards; without it there is one for all blocks. */
export const SHARD_FLAG = "--selector.relabel-config=";

function selectorFlags(history: Pick<HistoryPlan, "merging" | "compactor">): string[] {
  const selector = compactorSelector(history);
  if (selector.length === 0) return [];
  // A file is the same in all pods, and Kubernetes expands variables in arguments only.
  return history.compactor.replicas > 1
    ? [`${SHARD_FLAG}${JSON.stringify(selector)}`]
    : [`--selector.relabel-config-file=${HISTORY_CONFIG_FOLDER}/${SELECTOR_FILE}`];
}

const retention = (keptFor: string): string => (keptFor === "forever" ? "0d" : keptFor);

/** Arguments of each compactor. */
export function compactFlags(history: Pick<HistoryPlan, "objectStorage" | "merging" | "compactor">): string[] {
  const { merging } = history;
  const { compactor } = history.objectStorage;
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
    ...selectorFlags(history),
    "--disable-admin-operations",
  ];
}
