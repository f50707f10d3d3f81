import { left } from "./availability/left";
import type { AvailabilityPlan, Workload } from "./availability/types";
import { availabilityPlan } from "./availabilityPlan";
import type { BucketPlan } from "./bucket/plan";
import { BLOCK_SECONDS, CHUNK_SAMPLES, HEAD_SECONDS, SEND_SECONDS, TENANT_OWN_SERIES } from "./capacity/coefficients";
import { mostDrawn, newSeriesPerHour, times } from "./capacity/load";
import type {
  Budget,
  CapacityPlan,
  ComponentPlan,
  Load,
  LoadedBucket,
  Pods,
  PrometheusCapacityPlan,
  QueuePlan,
  ReceiversPlan,
  RingCapacityPlan,
  RingParts,
  StoreGatewayPlan,
} from "./capacity/types";
import { memcachedResources } from "./kubernetes/memcached";
import { STARTUP_BUDGET_SECONDS } from "./kubernetes/pod";
import type { CapacityParts } from "./plan";
import { prometheusRetentionTime } from "./retention/prometheus";
import { receiveRetentionTime } from "./retention/receivers";
import { ketamaRing } from "./ring/ketama";
import { type RingPlan, ringOf } from "./ring/plan";
import { zoneBalance } from "./ring/replicaSets";
import { shardSizes } from "./ring/shards";
import { MOST_QUERIERS, MOST_QUERY_FRONTENDS, MOST_RECEIVERS, MOST_ROUTERS, MOST_STORE_GATEWAYS } from "./settings/forms";
import { DEFAULT_RING, ringsOf } from "./settings/rings";
import type { ResourceSettings, Settings } from "./settings/schema";
import { cpuCores, durationSeconds, quantityBytes } from "./values/quantity";

/** The part of a stack's plan that decides about what it carries. */

type LoadSettings = NonNullable<Settings["load"]>;

/**
 * Series that the stack's own Prometheus scrapes where others write too and nobody says. Measured: three nodes' targets and the stack's own
 * (shared measurements of prod, before its dropped buckets).
 */
const OWN_SERIES = 59_000;

/** Series that a query reads where nobody says, if there are as many. */
const READ_SERIES = 1_000;

/**
 * The receiver with most against the mean, in a ring of {@link MOST_RECEIVERS}: 1.093 over three zones, which takes most of a second to
 * find. A shard of a ring is a smaller one of its own.
 */
const UNEVEN_RING = 1.1;

const loadOf = (load: LoadSettings, series: number): Load =>
  times(
    {
      series: load.series,
      samplesPerSecond: load.samplesPerSecond ?? load.series / durationSeconds(load.interval ?? "1s"),
      newSeriesPerHour: newSeriesPerHour(load),
      labelBytes: load.labelBytes,
      tenants: load.tenants,
      late: load.outOfOrderPercent / 100,
    },
    series / load.series,
  );

const budget = (key: string, text: string, amount: (text: string) => number): Budget => ({ key, text, amount: amount(text) });

/** A volume's size; undefined for directories of nodes, whose size nobody knows. */
function diskOf(key: string, { pvc, emptyDir }: { pvc?: { size: string } | undefined; emptyDir?: { size: string } | undefined }) {
  if (pvc !== undefined) return { disk: budget(`${key}.pvc.size`, pvc.size, quantityBytes) };
  return emptyDir === undefined ? {} : { disk: budget(`${key}.emptyDir.size`, emptyDir.size, quantityBytes) };
}

const requested = (key: string, { cpu, memory }: ResourceSettings): Pick<ComponentPlan, "cpu" | "memory"> => ({
  cpu: budget(`${key}.cpu`, cpu, cpuCores),
  memory: budget(`${key}.memory`, memory, quantityBytes),
});

const component = (key: string, resources: ResourceSettings, pods: Pods): ComponentPlan => ({ pods, ...requested(key, resources) });

/** Numbers of pods beyond those that there are, each twice the one before, up to as many as a stack file takes. */
function beyond(replicas: number, most: number): number[] {
  const next = Math.min(most, 2 * Math.max(1, replicas));
  return next <= replicas ? [] : [next, ...beyond(next, most)];
}

/** A component whose work is divided over its pods, of which a stack file takes so many. */
const sharing = (key: string, resources: ResourceSettings, workload: Workload, settings: Settings, most: number): ComponentPlan => ({
  ...component(key, resources, podsOf(workload, settings)),
  more: beyond(workload.replicas, most).map((replicas) => ({ pods: podsOf({ ...workload, replicas }, settings) })),
});

/** Pods that are left: the numbers of the proof of what the plan survives. */
function podsOf(workload: Workload, { survives, cluster }: Settings): Pods {
  const zones = cluster.zones.length;
  const { replicas } = workload;
  return {
    all: replicas,
    restart: Math.max(1, replicas - 1),
    loss: Math.min(
      left(workload, { nodes: survives.nodes }, zones),
      zones > 0 ? left(workload, { zones: survives.zones }, zones) : replicas,
    ),
  };
}

/**
 * Series of a default ring, as the stack's own Prometheus scrapes them, and as others send them; and those of it that one more receiver
 * has.
 *
 * @param further Receivers beyond those of the stack file. Default: none.
 */
function scrapedOf(
  { load, receive }: { load: LoadSettings; receive: Settings["receive"] | undefined },
  further = 0,
): { scraped: number; others: number; ofOne: number } {
  const elsewhere = Object.values(load.hashrings).reduce((sum, { series }) => sum + series, 0);
  const all = Math.max(0, load.series - elsewhere);
  const alone = receive === undefined || receive.otherSenders === "none";
  const receivers =
    receive === undefined ? 0 : [receive, ...receive.hashrings].reduce((sum, { replicas = receive.replicas }) => sum + replicas, further);
  const ofTenants = (load.tenants - 1) * TENANT_OWN_SERIES;
  const scraped = Math.min(all, load.scraped ?? (alone ? all : OWN_SERIES + ofTenants * receivers));
  return { scraped, others: all - scraped, ofOne: alone || load.scraped !== undefined ? 0 : ofTenants };
}

function receiversPlan(settings: Settings, ring: RingPlan, load: LoadSettings): ReceiversPlan {
  const { settings: receive } = ring;
  const { prometheus, survives } = settings;
  const pairs = receive.otherSenders === "pairs" ? 2 : 1;
  const rings = ringsOf(receive, settings).map((each): RingCapacityPlan => {
    const isDefault = each.name === DEFAULT_RING;
    const members = ring.rings.find(({ name }) => name === each.name)?.members ?? [];
    /** Series that are written into it: each Prometheus of a shard, and each sender of a pair, writes series of its own. */
    const writtenWith = (replicas: number): { written: number; own: number } => {
      const { scraped, others } = scrapedOf({ load, receive }, replicas - each.replicas);
      const own = isDefault ? scraped * prometheus.replicas : 0;
      return { own, written: isDefault ? own + others * pairs : (load.hashrings[each.name]?.series ?? 0) * pairs };
    };
    const balance = Math.max(0, ...zoneBalance(ketamaRing(members, receive.replicationFactor)).members.map(({ load: own }) => own));
    const sharding = each.shuffleSharding;
    const sizes = sharding === undefined ? [Number.POSITIVE_INFINITY] : shardSizes(sharding);
    const partsOf = (replicas: number, uneven: number, shards = sizes): RingParts => {
      const { written, own } = writtenWith(replicas);
      // All that the stack's own Prometheus writes is one tenant's, and in one shard, unless a label of its series names their tenants.
      const ofOne = written > 0 && settings.tenancy.splitLabel === undefined ? own / written : 0;
      // A tenant's shard holds all of its series; which shards a receiver is in is drawn. Nobody knows how many tenants a pattern names:
      // all of them may have the smallest shards, which divide least, or the largest, of which a receiver is in most.
      const [smallest, largest] = [Math.min(replicas, ...shards), Math.min(replicas, Math.max(...shards))];
      const drawn = (shard: number): number => mostDrawn(load.tenants, replicas === 0 ? 1 : shard / replicas);
      const ofShard = ((smallest < replicas ? Math.max(uneven, UNEVEN_RING) : uneven) * receive.replicationFactor) / Math.max(1, smallest);
      return {
        heaviest: Math.min(1, ofShard * (ofOne + ((1 - ofOne) * drawn(smallest)) / load.tenants)),
        tenants: drawn(largest),
        largestTenant: Math.min(1, ofShard * (ofOne + (1 - ofOne) / load.tenants)),
      };
    };
    const podsWith = (replicas: number): Pods => ({
      all: replicas,
      restart: Math.max(1, replicas - 1),
      loss: replicas - Math.max(survives.nodes, each.zones.length > 0 ? (survives.zones * replicas) / each.zones.length : 0),
    });
    const { retention } = each;
    return {
      ...component(each.keyOf("resources"), each.resources, podsWith(each.replicas)),
      ...partsOf(members.length, balance),
      more: beyond(each.replicas, MOST_RECEIVERS).map((replicas) => ({
        pods: podsWith(replicas),
        load: loadOf(load, writtenWith(replicas).written),
        ...partsOf(replicas, UNEVEN_RING),
      })),
      ...(sharding === undefined
        ? {}
        : { shards: { key: `${each.key}.shuffleSharding`, whole: partsOf(members.length, balance, [members.length]) } }),
      ...diskOf(each.keyOf("storage"), each.storage),
      name: each.name,
      sets: ring.sets.filter((set) => set.ring === each.name).map(({ name }) => name),
      load: loadOf(load, writtenWith(each.replicas).written),
      retentionSeconds: durationSeconds(receiveRetentionTime(each, settings)),
      ...(retention.size === undefined ? {} : { retainedBytes: quantityBytes(retention.size) }),
    };
  });
  return {
    rings: [...rings.slice(-1), ...rings.slice(0, -1)],
    replicationFactor: receive.replicationFactor,
    split: receive.mode === "split",
    maxExemplars: receive.maxExemplars,
    scrapedOfOne: scrapedOf({ load, receive }).ofOne,
    outOfOrderSeconds: durationSeconds(receive.outOfOrderWindow),
  };
}

function queuePlan({ ingestion, prometheus: { remoteWrite } }: Settings, targets: number): QueuePlan {
  const { maxShards, maxSamplesPerSend, capacity } = remoteWrite;
  return {
    targets,
    toRing: ingestion === "receive",
    senders: budget("prometheus.remoteWrite.maxShards", String(maxShards), Number),
    waiting: capacity + maxSamplesPerSend,
    perRequest: maxSamplesPerSend,
    samplesPerSecond: (maxShards * maxSamplesPerSend) / SEND_SECONDS,
  };
}

function prometheusPlan(settings: Settings, load: LoadSettings, workload: Workload): PrometheusCapacityPlan {
  const { prometheus, ingestion } = settings;
  const { remoteWrite } = prometheus;
  const { scraped } = scrapedOf({ load, receive: ingestion === "receive" ? settings.receive : undefined });
  const targets = (ingestion === "receive" ? 1 : 0) + remoteWrite.otherTargets.length;
  return {
    ...component("prometheus.resources", prometheus.resources, podsOf(workload, settings)),
    ...diskOf("prometheus.storage", prometheus.storage),
    // It has one database, of no tenant, and no window for samples out of order.
    load: { ...loadOf(load, scraped), tenants: 1, late: 0 },
    shards: prometheus.shards,
    replicas: prometheus.replicas,
    retentionSeconds: durationSeconds(prometheusRetentionTime(settings)),
    ...(prometheus.retention.size === undefined ? {} : { retainedBytes: quantityBytes(prometheus.retention.size) }),
    agent: prometheus.mode === "agent",
    ...(targets === 0 ? {} : { queue: queuePlan(settings, targets) }),
    queried: ingestion === "sidecar",
    ...(ingestion === "sidecar" ? { sidecar: requested("prometheus.sidecar.resources", prometheus.sidecar.resources) } : {}),
  };
}

/** Age at which the youngest samples of a block are when it is cut: two hours of three. */
const CUT_SECONDS = HEAD_SECONDS - BLOCK_SECONDS;

/** Reads of store gateways: how blocks are divided among them, from which age of samples on, and the limits. */
function readOf(
  { partition, maxConcurrent, storeLimits: { series = 0, samples = 0 } }: BucketPlan["objectStorage"]["storeGateway"],
  sets: BucketPlan["storeGatewaySets"],
): Pick<StoreGatewayPlan, "hashed" | "youngestSeconds" | "maxConcurrent" | "limits"> {
  const bound = (limit: number) => (limit === 0 ? Number.POSITIVE_INFINITY : limit);
  const ages = sets.map(({ blocks: { youngest } }) => (youngest === undefined ? CUT_SECONDS : durationSeconds(youngest)));
  return {
    hashed: partition.hash !== undefined,
    youngestSeconds: Math.min(...ages),
    maxConcurrent,
    limits: { series: bound(series), chunks: bound(samples) / CHUNK_SAMPLES },
  };
}

const kept = (text: string): number => (text === "forever" ? Number.POSITIVE_INFINITY : durationSeconds(text));

function bucketPlan(
  settings: Settings,
  plan: CapacityParts,
  receivers: ReceiversPlan | undefined,
  prometheus: PrometheusCapacityPlan,
  workload: Workload | undefined,
): LoadedBucket | undefined {
  const { bucket } = plan;
  if (bucket === undefined || workload === undefined) return undefined;
  const { storeGateway, compactor } = bucket.objectStorage;
  const written = receivers?.rings.map(({ load }) => load) ?? [prometheus.load];
  const first = written[0] ?? prometheus.load;
  const total = written.reduce((sum, { series }) => sum + series, 0);
  const before = receivers?.replicationFactor ?? prometheus.replicas;
  const one: Pods = { all: 1, restart: 1, loss: 1 };
  const { raw, fiveMinutes, oneHour } = compactor.retention;
  return {
    storeGateway: {
      ...sharing("objectStorage.storeGateway.resources", storeGateway.resources, workload, settings, MOST_STORE_GATEWAYS),
      ...diskOf("objectStorage.storeGateway.storage", storeGateway.storage),
      shards: bucket.storeGatewaySets.length,
      cacheBytes: [storeGateway.indexCache, storeGateway.chunkCache].reduce(
        (sum, { inMemory }) => sum + (inMemory === undefined ? 0 : quantityBytes(inMemory.size)),
        0,
      ),
      syncSeconds: durationSeconds(storeGateway.syncInterval),
      ...readOf(storeGateway, bucket.storeGatewaySets),
    },
    compactor: {
      ...component("objectStorage.compactor.resources", compactor.resources, one),
      ...diskOf("objectStorage.compactor.storage", compactor.storage),
      concurrency: compactor.concurrency,
      shards: compactor.shards,
    },
    retention: { raw: kept(raw), fiveMinutes: kept(fiveMinutes), oneHour: kept(oneHour) },
    downsampling: compactor.downsampling,
    deleteSeconds: durationSeconds(compactor.deleteDelay),
    load: first.series === 0 ? first : times(first, total / first.series),
    // Streams of sidecars have no tenants.
    ofOneTenant:
      receivers === undefined || total === 0
        ? 1
        : settings.tenancy.splitLabel === undefined
          ? (prometheus.load.series * prometheus.replicas) / total
          : 0,
    replicas: { before, after: compactor.verticalCompaction ? 1 : before },
    uploaders: receivers?.rings.reduce((sum, { pods }) => sum + pods.all, 0) ?? prometheus.shards * prometheus.replicas,
  };
}

/** Containers that cost what they ask for, and of which no need is computed ({@link notModelled} says why). */
function othersOf({ ruler, queryFrontend }: Settings, { bucket }: CapacityParts): CapacityPlan["others"] {
  const caches = [...(queryFrontend === undefined ? [] : [queryFrontend.cache]), ...(bucket?.caches ?? []).map(({ servers }) => servers)];
  return [
    ...(ruler === undefined
      ? []
      : [
          {
            plan: {
              ...requested("ruler.resources", ruler.resources),
              ...(ruler.mode === "stateful" && ruler.storage !== undefined ? diskOf("ruler.storage", ruler.storage) : {}),
            },
            count: ruler.replicas,
          },
        ]),
    ...caches.map(({ replicas, memory }) => ({ plan: requested("cache", memcachedResources(memory)), count: replicas })),
  ];
}

/** Components of the plan of which no need is computed, each with the reason. */
function notModelled({ ruler, queryFrontend }: Settings, { bucket }: CapacityParts): string[] {
  return [
    ...(ruler === undefined ? [] : ["rulers (what they take is what their rules give, which nobody knows before they run)"]),
    ...(queryFrontend === undefined && (bucket?.caches ?? []).length === 0
      ? []
      : ["memcached servers (their memory is bounded by its own setting, whatever the load)"]),
  ];
}

/** Undefined where the environment names no load. */
export function capacityPlan(settings: Settings, plan: CapacityParts): CapacityPlan | undefined {
  const { load, querier, queryFrontend } = settings;
  if (load === undefined) return undefined;
  const available: AvailabilityPlan = availabilityPlan(settings, plan);
  const ring = ringOf(plan.scheme);
  const receivers = ring === undefined ? undefined : receiversPlan(settings, ring, load);
  const prometheus = prometheusPlan(settings, load, available.prometheus);
  const bucket = bucketPlan(settings, plan, receivers, prometheus, available.storeGateway);
  return {
    load: loadOf(load, load.series),
    samplesAreNamed: load.samplesPerSecond !== undefined,
    queries: {
      perSecond: load.queries.perSecond,
      rangeSeconds: durationSeconds(load.queries.range),
      series: load.queries.series ?? Math.min(READ_SERIES, load.series),
    },
    ...(receivers === undefined ? {} : { receivers }),
    ...(ring === undefined || available.routers === undefined
      ? {}
      : { routers: sharing("receive.routers.resources", ring.settings.routers.resources, available.routers, settings, MOST_ROUTERS) }),
    querier: {
      ...sharing("querier.resources", querier.resources, available.querier, settings, MOST_QUERIERS),
      maxConcurrent: querier.maxConcurrent,
    },
    ...(queryFrontend === undefined || available.queryFrontend === undefined
      ? {}
      : {
          queryFrontend: sharing(
            "queryFrontend.resources",
            queryFrontend.resources,
            available.queryFrontend,
            settings,
            MOST_QUERY_FRONTENDS,
          ),
        }),
    prometheus,
    startupSeconds: STARTUP_BUDGET_SECONDS,
    ...(bucket === undefined ? {} : { bucket }),
    zones: settings.cluster.zones.length,
    ...(load.prices === undefined ? {} : { prices: load.prices }),
    others: othersOf(settings, plan),
    notModelled: notModelled(settings, plan),
  };
}
