import {
  CHUNK_CACHE_IDENTITY,
  COMPACTOR_APP,
  COMPACTOR_IDENTITY,
  type Identity,
  INDEX_CACHE_IDENTITY,
  STORE_GATEWAY_APP,
  STORE_GATEWAY_IDENTITY,
} from "../kubernetes/identities";
import { directoriesOf, type HostPathVolume } from "../kubernetes/storage";
import { heldBack } from "../retention/handover";
import { PROMETHEUS_REPLICA_LABEL, RECEIVE_REPLICA_LABEL, RULE_REPLICA_LABEL } from "../settings/replicaLabels";
import type { CacheSettings, ObjectStorageSettings, Settings } from "../settings/schema";
import { bucketUser, bucketVolumes } from "./directory";

/** Plan of a bucket: who serves it, who compacts it, from which age on it is served, and which replicas in it are merged. */

/** The blocks that one set of store gateways serves. */
export interface BlockSelection {
  /** Age from which on they serve. Default: however young. */
  youngest?: string;
  /** Age up to which they serve. Default: however old. */
  oldest?: string;
  /** Its shard of the blocks, by a hash of their names. Default: all of them. */
  hash?: { parts: number; part: number };
}

/** One StatefulSet of store gateways: those that serve one shard of the bucket, each all of it. */
export interface StoreGatewaySet {
  name: string;
  replicas: number;
  identity: Identity;
  blocks: BlockSelection;
}

/** memcached servers of their own for one purpose. */
export interface CacheServers {
  identity: Identity;
  servers: CacheSettings;
}

/** Which blocks the compactor merges although they overlap, and how. Merging can't be undone. */
export interface BlockMerging {
  /**
   * External labels that tell replicas apart. Blocks that differ by nothing else are merged, and lose them. None:
   * the first overlap halts the compactor.
   */
  replicaLabels: string[];
  /** `penalty` takes the samples of one of a pair at a time; `one-to-one` keeps every sample, once. */
  function: "one-to-one" | "penalty";
  /** External labels whose blocks the compactor leaves alone. */
  leaves: string[];
}

/** The StatefulSet of compactors. */
export interface CompactorSet {
  name: string;
  identity: Identity;
  /** Its pods, of which each compacts one shard of the blocks. */
  replicas: number;
  /**
   * External labels by whose values blocks are divided. Blocks that are merged have the same in all of them, since none of them is a
   * replica label (thanos pkg/block/metadata `GroupKey`: every external label but those that are taken off).
   */
  dividedBy: string[];
}

/** Everything that a bucket needs. */
export interface BucketPlan {
  objectStorage: ObjectStorageSettings;
  storeGatewaySets: StoreGatewaySet[];
  compactor: CompactorSet;
  /** memcached servers; empty where caches are in the store gateways themselves. */
  caches: CacheServers[];
  /** Age at which the bucket takes over, such as `12h`. */
  handover: string;
  merging: BlockMerging;
  /** User as which store gateways and compactor run. */
  user: number;
  hostPathVolumes: HostPathVolume[];
  /** The directory of a node that is the bucket, as a volume; empty for other kinds of buckets. */
  directory: HostPathVolume[];
}

/** The shards of the bucket, one for each set of store gateways: together every block, once, from the given age back. */
export function blockSelections(
  { hash, time }: ObjectStorageSettings["storeGateway"]["partition"],
  youngestOfAll: string | undefined,
): BlockSelection[] {
  const from = (youngest: string | undefined) => (youngest === undefined ? {} : { youngest });
  if (hash !== undefined) return Array.from({ length: hash }, (_, part) => ({ ...from(youngestOfAll), hash: { parts: hash, part } }));
  const boundaries = time ?? [];
  return [youngestOfAll, ...boundaries].map((youngest, index) => {
    const oldest = boundaries[index];
    return { ...from(youngest), ...(oldest === undefined ? {} : { oldest }) };
  });
}

/**
 * How overlapping blocks are merged. Replicas that receivers made are equal sample by sample, so each sample is kept once, whoever sent it:
 * a pair's label is on the series, which stay two. A pair of Prometheus scrapes at different moments, so one of them is followed at a time
 * (thanos docs/components/compact.md "Vertical Compaction Use Cases").
 *
 * Blocks outlive the scheme that made them. One-to-one fits what a ring left; `penalty` would drop its late samples, and without merging
 * they halt the compactor: then what is not merged yet stays as it is until there is a ring again.
 *
 * What is left alone is never a label of replicas at the same time: the compactor takes those off before it looks for the others (thanos
 * pkg/block/fetcher.go `LabelShardedMetaFilter`).
 */
export function blockMerging(settings: Settings): BlockMerging {
  const merges = settings.objectStorage?.compactor.verticalCompaction === true;
  const sidecars = settings.ingestion === "sidecar";
  const pairs = sidecars && settings.prometheus.replicas > 1;
  const further = settings.objectStorage?.compactor.replicaLabels ?? [];
  if (!merges) return { replicaLabels: [], function: "one-to-one", leaves: sidecars ? [RECEIVE_REPLICA_LABEL] : [] };
  return pairs
    ? {
        replicaLabels: [PROMETHEUS_REPLICA_LABEL, RULE_REPLICA_LABEL, ...further],
        function: "penalty",
        leaves: [RECEIVE_REPLICA_LABEL],
      }
    : { replicaLabels: [RECEIVE_REPLICA_LABEL, RULE_REPLICA_LABEL, ...further], function: "one-to-one", leaves: [] };
}

function cacheServers({ indexCache, chunkCache }: ObjectStorageSettings["storeGateway"]): CacheServers[] {
  const wanted = [
    { identity: INDEX_CACHE_IDENTITY, servers: indexCache.memcached },
    { identity: CHUNK_CACHE_IDENTITY, servers: chunkCache.memcached },
  ];
  return wanted.flatMap(({ identity, servers }) => (servers === undefined ? [] : [{ identity, servers }]));
}

/**
 * Plan of the settings' bucket; undefined without one.
 *
 * @param handover Age of samples at which the bucket takes over; undefined without a bucket.
 */
export function planBucket(settings: Settings, handover: string | undefined): BucketPlan | undefined {
  const { objectStorage, namespace, tenancy, cluster } = settings;
  if (objectStorage === undefined || handover === undefined) return undefined;
  const { storeGateway, compactor } = objectStorage;
  const user = bucketUser(settings);
  const storeGatewaySets = blockSelections(storeGateway.partition, heldBack(settings)).map((blocks, part) => {
    const name = part === 0 ? STORE_GATEWAY_APP : `${STORE_GATEWAY_APP}-${part}`;
    return {
      name,
      replicas: storeGateway.replicas,
      identity: { ...STORE_GATEWAY_IDENTITY, instance: name },
      blocks,
    };
  });
  const directory = bucketVolumes(settings);
  const compactorSet = {
    name: COMPACTOR_APP,
    identity: COMPACTOR_IDENTITY,
    replicas: compactor.shards,
    dividedBy: [tenancy.label, cluster.label],
  };
  return {
    objectStorage,
    storeGatewaySets,
    compactor: compactorSet,
    caches: cacheServers(storeGateway),
    handover,
    merging: blockMerging(settings),
    user,
    hostPathVolumes: [
      ...storeGatewaySets.flatMap((set) => directoriesOf(set, storeGateway.storage, namespace, user)),
      ...directoriesOf(compactorSet, compactor.storage, namespace, user),
      ...directory,
    ],
    directory,
  };
}
