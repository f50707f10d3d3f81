import type { StoreLimits } from "../settings/reads";
import { smallestReceiverMemory } from "../settings/rings";
import type { ResourceSettings, Settings } from "../settings/schema";
import { quantityBytes } from "../values/quantity";

/**
 * Limits of one request of the StoreAPI, which is what a querier asks a store for one selector. Source: thanos v0.42.4
 * pkg/store/limiter.go, bucket.go.
 */

/**
 * Part of the memory that the answers to one selector may take: the rest is for the process, and for what garbage collection has yet to
 * free.
 */
const READ_SHARE = 3 / 4;
/**
 * Memory of a querier for one series of one store's answer with its first chunk, and for each further chunk (measured on 0.42.4 with
 * GOMEMLIMIT: 60,000 series of thirteen labels with a chunk each from three stores, 2.9 KB; with eleven chunks each, 8.0 KB).
 */
export const BYTES_PER_SERIES = 2_560;
export const BYTES_PER_CHUNK = 512;
/** Samples that Thanos counts for each chunk, however many it has (`MaxSamplesPerChunk`). */
const SAMPLES_PER_CHUNK = 120;

/** Both limits; 0 is none. */
export type ReadLimits = Required<StoreLimits>;

/** A component that serves the StoreAPI. */
export interface Store {
  /** Its key in the stack file. */
  key: string;
  own: { storeLimits: StoreLimits; resources: ResourceSettings };
  /** Bytes of memory of the smallest of them. Default: what `own` says. */
  memory?: number;
  /** Processes of its kind that answer one selector together. */
  together: number;
  /** Whether Thanos counts what it reads (thanos #8964). */
  counts: boolean;
}

/**
 * Limits where an environment names none: what all processes of a kind send for one selector fits into a querier, and into
 * each of them. Half of it is for series, half for chunks.
 */
export function defaultReadLimits({ querier }: Settings, { own, together, memory }: Omit<Store, "key">): ReadLimits {
  const share = Math.min(quantityBytes(querier.resources.memory) / together, memory ?? quantityBytes(own.resources.memory));
  const half = (share * READ_SHARE) / 2;
  return { series: Math.floor(half / BYTES_PER_SERIES), samples: Math.floor(half / BYTES_PER_CHUNK) * SAMPLES_PER_CHUNK };
}

/**
 * Arguments with the limits of a store. Where Thanos counts nothing there are none by default: they would follow from the number of
 * receivers and the memory of queriers, and a change of either would restart what keeps samples, for nothing.
 */
export function readLimitFlags(settings: Settings, store: Omit<Store, "key">): string[] {
  const { series, samples } = { ...(store.counts ? defaultReadLimits(settings, store) : {}), ...store.own.storeLimits };
  return [
    ...(series === undefined ? [] : [`--store.limits.request-series=${series}`]),
    ...(samples === undefined ? [] : [`--store.limits.request-samples=${samples}`]),
  ];
}

/** Every kind of store of the settings, whether it is in the plan or not. */
export const STORES = {
  receive: (receive: NonNullable<Settings["receive"]>): Store => ({
    key: "receive",
    own: receive,
    memory: smallestReceiverMemory(receive),
    together: receive.replicas + receive.hashrings.reduce((sum, { replicas }) => sum + replicas, 0),
    counts: false,
  }),
  storeGateway: ({ storeGateway }: NonNullable<Settings["objectStorage"]>): Store => ({
    key: "objectStorage.storeGateway",
    own: storeGateway,
    together: storeGateway.replicas * (storeGateway.partition.hash ?? (storeGateway.partition.time?.length ?? 0) + 1),
    counts: true,
  }),
  sidecar: ({ prometheus }: Settings): Store => ({
    key: "prometheus.sidecar",
    own: prometheus.sidecar,
    together: prometheus.replicas * prometheus.shards,
    counts: false,
  }),
  ruler: (ruler: NonNullable<Settings["ruler"]>): Store => ({ key: "ruler", own: ruler, together: ruler.replicas, counts: false }),
  querier: ({ querier }: Settings): Store => ({ key: "querier", own: querier, together: 1, counts: false }),
};
