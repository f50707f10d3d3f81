/** Types of a plan, as far as it decides about what it carries, and of what comes of it. */

/** A load, in one place of the plan or in all of it. */
export interface Load {
  /** Active series. */
  series: number;
  samplesPerSecond: number;
  /** Series that appear in an hour; as many end. */
  newSeriesPerHour: number;
  /** Mean bytes of a series' labels. */
  labelBytes: number;
  tenants: number;
  /** Share of series with samples out of order, 0 to 1. */
  late: number;
}

/** Load of queries. */
export interface Queries {
  perSecond: number;
  rangeSeconds: number;
  /** Series that one reads, before replicas. */
  series: number;
}

/** A request, limit or volume that an environment chose. */
export interface Budget {
  key: string;
  /** As it is written, such as `2Gi`. */
  text: string;
  /** Bytes, cores or senders. */
  amount: number;
}

/** When something is needed. */
export type Situation = "always" | "restart" | "loss" | "replay";

/** How many of its pods do a component's work. */
export interface Pods {
  all: number;
  /** While they restart one after the other. */
  restart: number;
  /** After the loss that `survives` demands. */
  loss: number;
}

/** Pods, CPU, memory and disk of a component of the plan. */
export interface ComponentPlan {
  pods: Pods;
  /** Its pods if there were more of them, up to as many as a stack file takes. Absent where more of them divide nothing. */
  more?: readonly { pods: Pods }[];
  cpu: Budget;
  memory: Budget;
  /** Undefined where nobody knows how large the disk is, or nothing is kept. */
  disk?: Budget;
}

/** Parts of a ring's series and tenants that its receiver with most series has. */
export interface RingParts {
  /** Part of its series that the receiver with most of them stores, 0 to 1. */
  heaviest: number;
  /** Tenants of which that receiver has series: all, or those whose shards it is in. */
  tenants: number;
  /** Part of the ring's series that it stores of its largest tenant, 0 to {@link heaviest}. */
  largestTenant: number;
}

/** A ring of receivers. */
export interface RingCapacityPlan extends ComponentPlan, RingParts {
  name: string;
  /** With more receivers: its parts, and the load that is then written into it, since each is scraped as well. */
  more: readonly ({ pods: Pods; load: Load } & RingParts)[];
  /** Its key for shards of tenants, and its parts if each tenant had the whole ring. Absent where each has. */
  shards?: { key: string; whole: RingParts };
  /** Names of its StatefulSets. */
  sets: readonly string[];
  /** Load that is written into it, each series once. */
  load: Load;
  retentionSeconds: number;
  /** Bytes of a tenant's blocks at most, if anything bounds them. */
  retainedBytes?: number;
}

/** The receivers of all rings. */
export interface ReceiversPlan {
  rings: readonly RingCapacityPlan[];
  replicationFactor: number;
  /** Whether routers are apart; otherwise each receiver takes requests. */
  split: boolean;
  maxExemplars: number;
  /** Series that one more receiver adds to what the stack's own Prometheus scrapes, where nobody named how many these are. */
  scrapedOfOne: number;
  outOfOrderSeconds: number;
}

/** Remote-write queues of one Prometheus: one for each target, which sends it all samples. */
export interface QueuePlan {
  /** Targets, each with a queue of its own: the ring, and those of `prometheus.remoteWrite.otherTargets`. */
  targets: number;
  /** Whether the ring is one of them. How fast others take samples nobody knows. */
  toRing: boolean;
  /** Senders to one target at once at most (Prometheus calls them shards), as they are written. */
  senders: Budget;
  /** Samples that wait for each of them at most. */
  waiting: number;
  /** Samples of one request at most. */
  perRequest: number;
  /** Samples a second that all of them together surely send to the ring. */
  samplesPerSecond: number;
}

/** The Prometheus servers. */
export interface PrometheusCapacityPlan extends ComponentPlan {
  /** Load that all shards scrape together, each series once. */
  load: Load;
  shards: number;
  replicas: number;
  retentionSeconds: number;
  retainedBytes?: number;
  agent: boolean;
  /** Undefined where nothing is sent. */
  queue?: QueuePlan;
  /** Whether queries are answered from its samples. */
  queried: boolean;
  /** The container beside each server through which these go; undefined behind a ring. */
  sidecar?: Pick<ComponentPlan, "cpu" | "memory">;
}

/** The store gateways of a bucket. */
export interface StoreGatewayPlan extends ComponentPlan {
  shards: number;
  /** Whether a hash of blocks divides these; otherwise one has all blocks of an age. */
  hashed: boolean;
  cacheBytes: number;
  syncSeconds: number;
  /** Age from which on samples are read from the bucket. */
  youngestSeconds: number;
  /** Selectors that one of them reads at once, at most. */
  maxConcurrent: number;
  /**
   * Most series, each once for each of its blocks, and most chunks of one answer, where the environment names limits; infinite otherwise.
   * Those that Thanos is given by default follow from memory, and so do not say how much of it a load needs.
   */
  limits: { series: number; chunks: number };
}

/** The bucket under its load, and who works on it. */
export interface LoadedBucket {
  storeGateway: StoreGatewayPlan;
  compactor: ComponentPlan & { concurrency: number; shards: number };
  /** Seconds; infinite for ever. */
  retention: { raw: number; fiveMinutes: number; oneHour: number };
  downsampling: boolean;
  /** How long a block stays that was replaced. */
  deleteSeconds: number;
  /** Load whose blocks are kept in it, each series once. */
  load: Load;
  /** Part of its series that surely are one tenant's, 0 to 1: all that the stack's own Prometheus scrapes is the default tenant's. */
  ofOneTenant: number;
  /** Replicas of a series before they are merged, and after. */
  replicas: { before: number; after: number };
  /** Processes that upload. */
  uploaders: number;
}

/** Prices of the provider, in {@link currency}. */
export interface Prices {
  currency: string;
  cpuHour: number;
  memoryGiBHour: number;
  volumeGiBMonth: number;
  bucketGiBMonth: number;
  betweenZonesGB: number;
  /** For 1,000. */
  bucketRequests: number;
}

/** The plan, as far as it decides about what it carries. */
export interface CapacityPlan {
  /** The whole environment's, each series once. */
  load: Load;
  /** Whether the environment names its samples a second. Otherwise they follow from its series. */
  samplesAreNamed: boolean;
  queries: Queries;
  receivers?: ReceiversPlan;
  routers?: ComponentPlan;
  querier: ComponentPlan & { maxConcurrent: number };
  queryFrontend?: ComponentPlan;
  prometheus: PrometheusCapacityPlan;
  /** Seconds that a start may take, the replay of a log included. */
  startupSeconds: number;
  bucket?: LoadedBucket;
  /** Zones over which pods are spread; 0 where nothing is known of them. */
  zones: number;
  prices?: Prices;
  /** Containers that no need is computed of, with their number: they cost what they ask for. */
  others: readonly { plan: Pick<ComponentPlan, "cpu" | "memory" | "disk">; count: number }[];
  /** Components of the plan of which the model computes no need, in words. */
  notModelled: readonly string[];
}

/** Resource of a need: `replay` is the time of a log's replay, `remoteWrite` the samples a second that a queue sends. */
export type Resource = "memory" | "cpu" | "disk" | "replay" | "remoteWrite";

/** Need of one resource, of the pod of a component that needs most of it. */
export interface Need {
  /** In words, in the plural where there can be several: `receivers`. */
  component: string;
  resource: Resource;
  budget: Budget;
  /** Bytes, cores, seconds or samples a second that can be used. */
  available: number;
  /** Least that it is with any budget; absent where a larger budget always helps. */
  least?: number;
  /** Amount that is needed when nothing is amiss. */
  used: number;
  /** Amount that is needed at worst. */
  worst: number;
  /** When that is. */
  when: Situation;
  /** Parts of the worst, in words, largest first. */
  parts: { what: string; amount: number }[];
}

/** A component's row of the output. */
export interface ComponentCapacity {
  component: string;
  resource: Resource;
  pods: number;
  used: number;
  worst: number;
  when: Situation;
  available: number;
  /** Of volumes that fill until their oldest samples are so old; absent of others. */
  retentionSeconds?: number;
}

/**
 * Capacity of a plan: the load that it carries, and the needs of its components. Plain data, the same for the same plan: a stack output.
 */
export interface Capacity {
  /** A few lines for people. */
  summary: string[];
  /** Series of the load. */
  load: { series: number; samplesPerSecond: number };
  /**
   * Series and samples of this load in the heads of `component`, replicas not counted: of each of a pair of senders its own, and series
   * that have just ended.
   */
  heads: { component: string; replicas: number; series: number; samplesPerSecond: number };
  /** How far the load can grow, all of it alike, and what ends it. */
  carries: { series: number; times: number; first: { component: string; resource: Resource; when: Situation } };
  components: ComponentCapacity[];
  /** Longest replay of a receiver's log, in seconds. Absent without receivers. That of Prometheus is a row of {@link components}. */
  replaySeconds?: number;
  /**
   * How long Prometheus can be cut off from the ring without a loss, and how long it then catches up, in seconds. Absent where it sends
   * nothing.
   */
  cutOff?: { seconds: number; catchUpSeconds: number | null };
  /** Bytes a second. */
  network: { betweenNodes: number; betweenZones: number };
  /** Bytes after one year, two, and so on to five. Absent without a bucket. */
  bucketByYear?: number[];
  /** A month's, without what is no part of the model. Absent without prices. */
  cost?: { currency: string; month: number; parts: Record<string, number> };
  /** Components of the plan of which none of this counts anything, in words; empty where there are none. */
  notModelled: string[];
}
