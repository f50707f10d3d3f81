import type { Identity } from "../kubernetes/labels";
import { directoriesOf, type HostPathVolume } from "../kubernetes/storage";
import { prometheusRetentionTime } from "../retention/prometheus";
import { receiveRetentionTime } from "../retention/receivers";
import { PROMETHEUS_REPLICA_LABEL, RECEIVE_REPLICA_LABEL, RULE_REPLICA_LABEL } from "../settings/replicaLabels";
import type { ObjectStorageSettings, Settings } from "../settings/schema";
import { receiveOf } from "../settings/scheme";
import { durationSeconds, durationText } from "../values/quantity";
import { bucketUser, bucketVolumes } from "./config";

/** What a bucket comes to: who answers for it, who tends it, from which age on it answers, and which copies in it are merged. */

/** Name of the store gateways, and the stem of each part's StatefulSet. */
export const STORE_GATEWAY_APP = "thanos-store-gateway";
/** Headless Service under which queriers find the store gateways of every part. */
export const STORE_GATEWAY_SERVICE = STORE_GATEWAY_APP;
/** Name of the compactor. */
export const COMPACTOR_APP = "thanos-compactor";
/** Name of the memcached servers for postings and series of indexes. */
export const INDEX_CACHE_APP = "thanos-index-cache";
/** Name of the memcached servers for chunks and metadata. */
export const CHUNK_CACHE_APP = "thanos-chunk-cache";

/** The blocks that one set of store gateways answers for. */
export interface BlockSelection {
  /** Age from which on it answers. Default: however young. */
  youngest?: string;
  /** Age up to which it answers. Default: however old. */
  oldest?: string;
  /** Its part of the blocks, by a hash of their names. Default: all of them. */
  hash?: { parts: number; part: number };
}

/** One StatefulSet of store gateways: those that answer for one part of the bucket, each for all of the part. */
export interface StoreGatewaySet {
  name: string;
  replicas: number;
  identity: Identity;
  blocks: BlockSelection;
}

/** memcached servers of their own for one purpose. */
export interface CacheServers {
  identity: Identity;
  replicas: number;
  /** Memory for items, such as `256Mi`. */
  memory: string;
}

/** Which blocks the compactor merges although they overlap, and how. Merging can't be undone. */
export interface BlockMerging {
  /** External labels that tell copies apart. Blocks that differ by nothing else are merged, and lose them. None: the first overlap halts the compactor. */
  replicaLabels: string[];
  /** `penalty` takes the samples of one of a pair at a time; `one-to-one` keeps every sample, once. */
  function: "one-to-one" | "penalty";
  /** External labels whose blocks the compactor leaves alone. */
  leaves: string[];
}

/** Everything that a bucket needs. */
export interface HistoryPlan {
  objectStorage: ObjectStorageSettings;
  storeGatewaySets: StoreGatewaySet[];
  compactor: { name: string; identity: Identity };
  /** memcached servers; empty where caches are in the store gateways themselves. */
  caches: CacheServers[];
  /** Age at which the bucket takes over, such as `12h`. */
  handover: string;
  merging: BlockMerging;
  /** User as which store gateways and compactor run. */
  user: number;
  hostPathVolumes: HostPathVolume[];
}

const HOUR = 3_600;
/** Seconds of a block as TSDBs cut it (Thanos' and this program's setting). */
const BLOCK = 2 * HOUR;
/** Longest that a sample is in the head alone: it is cut when it spans one and a half blocks (prometheus tsdb/head.go `compactable`). */
const HEAD = 1.5 * BLOCK;
/** What uploading one block may take. Shippers look every 30 s (sidecar.go, receive.go). */
const UPLOAD = HOUR;
/** Longest default handover from sidecars: so much is not answered when a Prometheus loses its volume and has no pair. */
const LONGEST_SIDECAR_HANDOVER = 12 * HOUR;

/** What local storage surely answers, and by which key. */
export interface LocalRetention {
  key: string;
  value: string;
  /** Seconds up to which nothing is dropped. */
  surely: number;
}

/**
 * How far back those who keep samples themselves surely answer. A TSDB drops a block when its end is the retention behind the end of the newest block (tsdb/db.go
 * `BeyondTimeRetention`), and the newest can end ahead of the clock: a block of late samples ends on the full two hours (tsdb/compact.go `CompactOOO`), and a receiver takes samples
 * from the future.
 */
export function localRetention(settings: Settings): LocalRetention {
  const receive = receiveOf(settings);
  if (receive !== undefined) {
    const time = receiveRetentionTime(receive, settings);
    return {
      key: "receive.retention.time",
      value: time,
      surely: durationSeconds(time) - BLOCK - durationSeconds(receive.tooFarInFutureWindow),
    };
  }
  const time = prometheusRetentionTime(settings);
  return { key: "prometheus.retention.time", value: time, surely: durationSeconds(time) - BLOCK };
}

/**
 * Seconds after which a sample is surely in the bucket and known to every store gateway: until then it may be in a head, on its way, or in a bucket whose listing is cached. A store
 * gateway looks every `syncInterval`, at a listing and at absences that are cached for as long again each.
 */
export function leastHandoverSeconds({ storeGateway }: Pick<ObjectStorageSettings, "storeGateway">): number {
  return HEAD + UPLOAD + 3 * durationSeconds(storeGateway.syncInterval);
}

/** Seconds, cut to whole hours. */
export const wholeHours = (seconds: number): number => Math.floor(seconds / HOUR) * HOUR;

function defaultHandoverSeconds(settings: Settings, objectStorage: ObjectStorageSettings): number {
  const least = leastHandoverSeconds(objectStorage);
  const receive = receiveOf(settings);
  const { size } = (receive ?? settings.prometheus).retention;
  // A bound in bytes says nothing of time.
  if (size !== undefined) return least;
  const ruler = settings.ruler?.mode === "stateful" ? durationSeconds(settings.ruler.retention) - BLOCK : Number.POSITIVE_INFINITY;
  const most = Math.min(localRetention(settings).surely, ruler);
  if (receive !== undefined) return Math.max(least, wholeHours(most));
  const quarter = wholeHours(durationSeconds(prometheusRetentionTime(settings)) / 4);
  return Math.max(least, Math.min(most, quarter, LONGEST_SIDECAR_HANDOVER));
}

/**
 * Seconds of age at which the bucket takes over from sidecars or receivers; undefined without a bucket. From that age on a sidecar leaves the answer to the bucket (`--min-time`).
 * Receivers and rulers have no such flag and answer all that they hold, so that their retention is the handover, unless the environment names one.
 */
export function handoverSeconds(settings: Settings): number | undefined {
  const { objectStorage } = settings;
  if (objectStorage === undefined) return undefined;
  return objectStorage.handover === undefined ? defaultHandoverSeconds(settings, objectStorage) : durationSeconds(objectStorage.handover);
}

/** {@link handoverSeconds} as Thanos' flags have it, such as `14d21h`. */
export function handoverDuration(settings: Settings): string | undefined {
  const seconds = handoverSeconds(settings);
  return seconds === undefined ? undefined : durationText(seconds);
}

/**
 * Age up to which store gateways hold back although the bucket has the samples; undefined where they answer for all that is uploaded. That is the rule: what a receiver or a Prometheus
 * held that left the ring or lost its volume is answered as soon as it is in the bucket. Where both still hold it, a sample is fetched twice and answered once. Behind a ring an
 * environment can have it otherwise (`objectStorage.handover`), for receivers that keep samples so long that the bucket has downsampled them meanwhile.
 */
export function heldBack(settings: Settings): string | undefined {
  return settings.ingestion === "receive" ? settings.objectStorage?.handover : undefined;
}

/** The parts of the bucket, one for each set of store gateways: together every block, once, from the given age back. */
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
 * How overlapping blocks are merged. Copies that receivers made are equal sample by sample, so each sample is kept once, whoever sent it: a pair's label is on the series, which stay
 * two. A pair of Prometheus scrapes at different moments, so one of them is followed at a time (thanos docs/components/compact.md "Vertical Compaction Use Cases").
 *
 * Blocks outlive the scheme that made them. One-to-one fits what a ring left; `penalty` would drop its late samples, and without merging they halt the compactor: then what is not
 * merged yet stays as it is until there is a ring again.
 */
export function blockMerging(settings: Settings): BlockMerging {
  const merges = settings.objectStorage?.compactor.verticalCompaction === true;
  const sidecars = settings.ingestion === "sidecar";
  const pairs = sidecars && settings.prometheus.replicas > 1;
  if (!merges) return { replicaLabels: [], function: "one-to-one", leaves: sidecars ? [RECEIVE_REPLICA_LABEL] : [] };
  return pairs
    ? {
        replicaLabels: [PROMETHEUS_REPLICA_LABEL, RULE_REPLICA_LABEL],
        function: "penalty",
        leaves: [RECEIVE_REPLICA_LABEL],
      }
    : { replicaLabels: [RECEIVE_REPLICA_LABEL, RULE_REPLICA_LABEL], function: "one-to-one", leaves: [] };
}

function cacheServers({ indexCache, chunkCache }: ObjectStorageSettings["storeGateway"]): CacheServers[] {
  const wanted = [
    { app: INDEX_CACHE_APP, component: "index-cache" as const, servers: indexCache.memcached },
    { app: CHUNK_CACHE_APP, component: "chunk-cache" as const, servers: chunkCache.memcached },
  ];
  return wanted.flatMap(({ app, component, servers }) => (servers === undefined ? [] : [{ identity: { app, component }, ...servers }]));
}

/** What the settings' bucket comes to; undefined without one. */
export function planHistory(settings: Settings): HistoryPlan | undefined {
  const { objectStorage, namespace } = settings;
  const handover = handoverDuration(settings);
  if (objectStorage === undefined || handover === undefined) return undefined;
  const { storeGateway, compactor } = objectStorage;
  const user = bucketUser(settings);
  const storeGatewaySets = blockSelections(storeGateway.partition, heldBack(settings)).map((blocks, part) => {
    const name = part === 0 ? STORE_GATEWAY_APP : `${STORE_GATEWAY_APP}-${part}`;
    return {
      name,
      replicas: storeGateway.replicas,
      identity: { app: STORE_GATEWAY_APP, component: "store-gateway" as const, instance: name },
      blocks,
    };
  });
  const compactorSet = { name: COMPACTOR_APP, identity: { app: COMPACTOR_APP, component: "compactor" as const } };
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
      ...directoriesOf({ ...compactorSet, replicas: 1 }, compactor.storage, namespace, user),
      ...bucketVolumes(settings),
    ],
  };
}
