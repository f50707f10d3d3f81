import { z } from "zod";
import { accessSchema } from "./access";
import { alertingSettings } from "./alertingSettings";
import { annotatedSchema } from "./annotatedTargets";
import { isDnsName } from "./kubernetesNames";
import { networkSettings } from "./networkSettings";
import { REPLICA_LABELS } from "./replicaLabels";
import { receiveRollout, rollout } from "./rollout";
import { clusterJobKeys } from "./scrapeSettings";
import { tenancySchema, tenantName } from "./tenancy";
import {
  annotations,
  bucketPrefix,
  cacheMemory,
  cacheSize,
  clusterName,
  dnsLabel,
  duration,
  durationOf,
  hostAndPort,
  hostPathRoot,
  namespaceName,
  nodeName,
  repositoryFolder,
  resources,
  retainedSize,
  storageClass,
  volumeSize,
  zone,
} from "./values";
import { IMAGES } from "./versions";

/**
 * What an environment can choose: the schema of every key of `Pulumi.<stack>.yaml` under `thanos-stack:`. Strict at every level, so that a
 * typing error is an error; defaults are those of a production ring, and a smaller environment says where it is smaller.
 */

const labelName = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, "a Prometheus label name");
/** Labels that a target's series have of their own: an external label of the same name is on none of them. */
const TARGET_LABELS = ["__name__", "job", "instance", "namespace", "pod", "node", "container", "le", "quantile", "app"];
const clusterLabel = labelName.refine(
  (label) => !TARGET_LABELS.includes(label) && !REPLICA_LABELS.includes(label) && !label.startsWith("__"),
  `a label that nothing else has: none of ${[...TARGET_LABELS, ...REPLICA_LABELS].join(", ")}`,
);
const receiverRetention = durationOf("2h", "Thanos takes 0 for ever, and samples are cut into blocks of two hours");
const futureWindow = durationOf(
  "10s",
  "0 takes samples of any time, so that one wrong clock makes everyone else's too old; clocks differ by some seconds",
);
const queryTime = durationOf("1s", "no query is answered in no time");
const answerTime = durationOf(
  "1s",
  "0 waits for ever for a receiver that is silent, and a shorter one leaves out those that are only busy",
);
const lookupInterval = durationOf("1s", "0 stops the querier, and every look asks the cluster's DNS for each address");
const splitInterval = durationOf("10m", "0 stops the query frontend, and every part of a range is a request: 144 a day at ten minutes");
const freshness = durationOf("10s", "samples that are still on their way would be cached as missing");
const workInterval = durationOf(
  "1s",
  "Prometheus takes 0 for its own default, and more often than every second it can't keep up with targets",
);
const sendDeadline = durationOf("100ms", "each sender would send its samples one by one, without a pause");
const count = (minimum: number, maximum: number) => z.int().min(minimum).max(maximum);

/** Risks that an environment can take only by naming them. */
export const ACCEPTABLE_RISKS = {
  "data-loss": "replication factor 1: losing one receiver's disk loses its samples",
  "one-copy-acknowledgement": "replication factor 2: Thanos acknowledges with one copy (thanos #7669)",
  "replicas-on-one-node": "soft anti-affinity: several copies of a series may be on one node and be lost with it",
  "history-loss":
    "shrinking a ring without a bucket, or without waiting for uploads into it: what the leaving receivers hold is no longer answered",
  "storage-replacement": "StatefulSets without protection: a change may replace them and their storage",
  "open-doors":
    "a door for everybody: Thanos has no authentication, so whatever reaches the cluster's network writes for every tenant or reads everything",
  "no-limit": "a limit of 0, which is none: one sender or one target can fill the memory of what takes it, for everybody",
  "any-tenant":
    "a ring for any tenant: each name that a sender makes up is a database of its own in every receiver, until their memory is full",
} as const;

/** Directories of the nodes' own disks. */
const hostPath = z
  .strictObject({
    path: hostPathRoot,
    nodes: z
      .array(nodeName)
      .min(1)
      .refine((nodes) => new Set(nodes).size === nodes.length, "every node once"),
  })
  .optional();
/** Persistent volumes of the cluster. */
const pvc = z.strictObject({ size: volumeSize, storageClass: storageClass.optional() }).optional();

const storage = z
  .strictObject({ hostPath, pvc })
  .refine((chosen) => (chosen.hostPath === undefined) !== (chosen.pvc === undefined), "exactly one of hostPath and pvc");

const prometheusStorage = z
  .strictObject({
    hostPath,
    pvc,
    /** Space of the node that ends with the pod, for a Prometheus whose samples are in a ring: one that moves loses what it has not sent yet. */
    emptyDir: z.strictObject({ size: volumeSize }).optional(),
  })
  .refine(
    (chosen) => [chosen.hostPath, chosen.pvc, chosen.emptyDir].filter((each) => each !== undefined).length === 1,
    "exactly one of hostPath, pvc and emptyDir",
  );

const image = z
  .string()
  .regex(
    /^[^\s:@]+(?::\d+)?[^\s:@]*:(?!latest(?:@|$))[\w][\w.-]{0,127}(?:@sha256:[0-9a-f]{64})?$/,
    "an image with a tag that is not latest, and optionally its digest",
  );

const antiAffinity = z.enum(["hard", "soft"]);

const requestLimits = z.strictObject({
  /** Largest request in bytes, as it is sent and as it is unpacked; 0: no limit. A request over it is answered 413, which senders drop. */
  sizeBytes: count(0, 2 ** 40).optional(),
  /** Most series in one request; 0: no limit. */
  series: count(0, 1e9).optional(),
  /** Most samples in one request; 0: no limit. */
  samples: count(0, 1e9).optional(),
});

const tenantLimits = z.strictObject({
  request: requestLimits.optional(),
  /** Most active series of the tenant over the whole ring; senders over it get 429 and retry. 0: no limit. */
  headSeries: count(0, 1e10).optional(),
});

const freeForm = z.record(z.string(), z.unknown());

const bucketName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/, "a bucket's name: lower-case letters, digits, '.', '_' and '-', at least 3 characters");

/** A cache in the process itself, or memcached servers that all processes share and that outlive a restart. */
const cache = z
  .strictObject({
    inMemory: z.strictObject({ size: cacheSize.default("256Mi") }).optional(),
    memcached: z.strictObject({ replicas: count(1, 20).default(2), memory: cacheMemory.default("256Mi") }).optional(),
  })
  .refine((chosen) => (chosen.inMemory === undefined) !== (chosen.memcached === undefined), "exactly one of inMemory and memcached")
  .prefault({ inMemory: {} });

const keptFor = z.union([z.literal("forever"), duration]);

/** Where the bucket is, by kind: one of these keys. */
export const bucketShape = {
  /** S3 or what speaks its protocol. Without credentials the pods' own identity is used (AWS SDK: IRSA, EKS pod identity, instance role). */
  s3: z
    .strictObject({
      bucket: bucketName,
      endpoint: hostAndPort,
      region: z.string().min(1).optional(),
      /** Plain HTTP. */
      insecure: z.boolean().default(false),
      /** How the bucket is addressed: `path` where its name is no DNS name of the server. */
      bucketLookup: z.enum(["auto", "path", "virtual-hosted"]).default("auto"),
    })
    .optional(),
  /** Google Cloud Storage. Without credentials: workload identity. */
  gcs: z.strictObject({ bucket: bucketName }).optional(),
  /** Azure Blob Storage. Without credentials: managed identity, `userAssignedId` where there are several. */
  azure: z
    .strictObject({
      storageAccount: z.string().regex(/^[a-z0-9]{3,24}$/, "a storage account: 3 to 24 lower-case letters and digits"),
      container: bucketName,
      endpoint: hostAndPort.optional(),
      userAssignedId: z.string().min(1).optional(),
    })
    .optional(),
  /** A directory on one node, shared by the pods there: for one-node environments only. */
  filesystem: z.strictObject({ path: hostPathRoot, node: nodeName }).optional(),
};

const storeGateway = z.strictObject({
  /** Store gateways of each part: any one of them answers for it. */
  replicas: count(1, 20).default(2),
  /** How blocks are divided over store gateways: by a hash of the block over so many parts, or by age at these boundaries. Default: not at all. */
  partition: z
    .strictObject({
      hash: count(2, 64).optional(),
      time: z.array(duration).min(1).optional(),
    })
    .refine((chosen) => chosen.hash === undefined || chosen.time === undefined, "at most one of hash and time")
    .prefault({}),
  /** Index headers and what is kept of blocks; lost, it is fetched again. */
  storage,
  /** Postings and series of indexes. */
  indexCache: cache,
  /** Chunks, and what exists in the bucket. */
  chunkCache: cache,
  /** How often new blocks are looked for. */
  syncInterval: duration.default("3m"),
  antiAffinity: antiAffinity.default("hard"),
  rollout,
  resources: resources("250m", "1Gi"),
});

const compactor = z.strictObject({
  /** How long samples stay in the bucket, for each resolution. */
  retention: z
    .strictObject({
      raw: keptFor.default("90d"),
      fiveMinutes: keptFor.default("1y"),
      oneHour: keptFor.default("forever"),
    })
    .prefault({}),
  /** Whether blocks older than 40 h get a 5-minute resolution and those older than 10 d a 1-hour one. */
  downsampling: z.boolean().default(true),
  /**
   * Whether blocks that overlap are merged, for good: copies of the receivers and samples out of order sample by sample, pairs of Prometheus by the querier's `penalty`. Off, a ring's
   * bucket halts the compactor; pairs only take twice the space.
   */
  verticalCompaction: z.boolean().default(true),
  /** Block groups compacted at once. */
  concurrency: count(1, 32).default(1),
  /** Least age of an uploaded block before it is compacted. Shorter where blocks are made with a history of their own, and the bucket shows at once what was written. */
  consistencyDelay: duration.default("30m"),
  /** How long a block that was replaced stays, so that store gateways have learned of it. */
  deleteDelay: duration.default("48h"),
  /** Scratch space for the largest compaction: downloads and result. */
  storage,
  rollout,
  resources: resources("500m", "2Gi"),
});

export const settingsSchema = z.strictObject({
  /** The cluster that this environment is deployed to. Nothing is ever deployed to whatever the shell points at. */
  cluster: z.strictObject({
    /** Value of the external label that names the cluster, on every series. */
    name: clusterName,
    /** Name of that label. */
    label: clusterLabel.default("cluster"),
    /** Context of the kubeconfig. Always named, never the current one. */
    context: z.string().min(1),
    /** Path of the kubeconfig. Default: KUBECONFIG, then the home directory's. */
    kubeconfig: z.string().min(1).optional(),
    /** Cluster domain; part of every ring member's name. Default: cluster.local. */
    domain: z.string().refine(isDnsName, "a DNS name without dots at its ends").default("cluster.local"),
    /** Zones (values of topology.kubernetes.io/zone) over which receivers are divided. Default: none. */
    zones: z
      .array(zone)
      .refine((zones) => new Set(zones).size === zones.length, "every zone once")
      .default([]),
  }),

  /** The namespace, made by this program unless it exists. */
  namespace: namespaceName,

  /** Whether somebody else made the namespace. Then it is neither changed nor removed, and of what is in it only what is this stack's. Default: false. */
  existingNamespace: z.boolean().default(false),

  /** Risks that this environment takes, each by name. Default: none. */
  accepts: z
    .array(z.enum(Object.keys(ACCEPTABLE_RISKS) as [keyof typeof ACCEPTABLE_RISKS, ...(keyof typeof ACCEPTABLE_RISKS)[]]))
    .default([]),

  /** Whether namespace and data are protected from deletion and replacement. Default: true. */
  protect: z.boolean().default(true),

  /**
   * Priority of the pods that hold samples which are nowhere else (receivers, Prometheus, stateful rulers), above the 0 of pods without a class: when one comes back to the node or the
   * zone of its volume, pods that could be anywhere make room for it. Default: none, the stack makes no priority class.
   */
  dataPriority: count(1, 1_000_000_000).optional(),

  /** What the plan must survive without a refused write, an unanswered query or a lost acknowledged sample. Default: nothing is required. */
  survives: z.strictObject({ nodes: count(0, 4).default(0), zones: count(0, 2).default(0) }).prefault({}),

  /** How senders name their tenant, and which tenants there are. */
  tenancy: tenancySchema.prefault({}),

  /** Images, where a mirror or another tested version is wanted. Default: those that this release was tested with. */
  images: z
    .strictObject({
      thanos: image.default(IMAGES.thanos),
      prometheus: image.default(IMAGES.prometheus),
      memcached: image.default(IMAGES.memcached),
    })
    .prefault({}),

  /** Who reaches the doors of the stack, by namespace and by network. Everything else is closed. */
  access: accessSchema.prefault({}),

  /** What the stack needs of the cluster's network. */
  network: networkSettings,

  /**
   * How samples reach the querier. `receive`: Prometheus remote-writes into a ring of receivers. `sidecar`: each Prometheus keeps its samples and a sidecar answers for it; the key
   * `receive` may stay, unused. Default: receive.
   */
  ingestion: z.enum(["receive", "sidecar"]).default("receive"),

  /** A bucket for history, and what serves and tends it. Its credentials are the secret `objectStorageCredentials`. Default: none, history ends with local retention. */
  objectStorage: z
    .strictObject({
      ...bucketShape,
      /** Folder within the bucket, so that several stacks can share it. Default: the bucket's root. */
      prefix: bucketPrefix.optional(),
      /** Annotations that give the service accounts of whatever reaches the bucket an identity of the cloud, such as `eks.amazonaws.com/role-arn`. */
      serviceAccountAnnotations: annotations.default({}),
      /**
       * Age up to which receivers or sidecars answer and from which the bucket does. A sidecar answers nothing older; a receiver answers all that it holds. Default: behind a ring, what
       * its receivers surely still hold (their retention less 3h, so that the two overlap as little as can be); with sidecars, a quarter of what Prometheus holds, at most 12h, so that
       * little is missed when a volume is lost; where a size bounds what is held, the least: 4h and three times `storeGateway.syncInterval`.
       */
      handover: duration.optional(),
      storeGateway,
      compactor,
    })
    .refine(
      (chosen) => [chosen.s3, chosen.gcs, chosen.azure, chosen.filesystem].filter((each) => each !== undefined).length === 1,
      "exactly one of s3, gcs, azure and filesystem",
    )
    .optional(),

  /** Evaluates the rules over everything that the querier sees, instead of each Prometheus over its own. Default: none. */
  ruler: z
    .strictObject({
      /** `stateless`: results are remote-written into the ring. `stateful`: the ruler keeps, answers for and uploads them. */
      mode: z.enum(["stateless", "stateful"]).default("stateless"),
      /** Rulers that evaluate the same rules. Each evaluates a group at the same instants, so their results are copies of one series. */
      replicas: count(1, 5).default(2),
      /** How often rules are evaluated that name no interval of their own. */
      evaluationInterval: duration.default("30s"),
      /** How far behind the clock rules look, so that samples which arrive late are counted. Default: 0s. */
      queryOffset: duration.default("0s"),
      /** How long a stateful ruler keeps results itself: up to the bucket's handover at least, where there is a bucket. */
      retention: duration.default("36h"),
      /** Where a stateful ruler keeps them; a stateless one keeps nothing. */
      storage: storage.optional(),
      antiAffinity: antiAffinity.default("hard"),
      rollout,
      resources: resources("100m", "512Mi"),
    })
    .optional(),

  /** Where alerts are sent. Default: nowhere; they are series named ALERTS. */
  alerting: alertingSettings,

  /** The ring of receivers; wanted where `ingestion` is `receive`. */
  receive: z
    .strictObject({
      /** `router-ingester`: every receiver routes and stores. `split`: routers of their own in front, so that a ring change touches no store. */
      mode: z.enum(["router-ingester", "split"]).default("router-ingester"),
      /** Receivers of the default ring. */
      replicas: count(1, 99).default(3),
      /** Receivers that store each series. */
      replicationFactor: count(1, 5).default(3),
      /** Further rings for tenants of their own. Default: none. */
      hashrings: z.array(z.strictObject({ name: dnsLabel, tenants: z.array(tenantName).min(1), replicas: count(1, 99) })).default([]),
      routers: z
        .strictObject({
          replicas: count(1, 99).default(2),
          antiAffinity: antiAffinity.default("hard"),
          rollout,
          resources: resources("100m", "256Mi"),
        })
        .prefault({}),
      /** `hard`: never two receivers on one node. `soft`: rather not. Default: hard. */
      antiAffinity: antiAffinity.default("hard"),
      storage,
      /** How long samples stay in the receivers, and optionally how many bytes of blocks. Default: 15d, beside a bucket 36h. */
      retention: z.strictObject({ time: receiverRetention.optional(), size: retainedSize.optional() }).prefault({}),
      /** How far behind a tenant's newest sample an older one may be. Below 2h a sender that was cut off for an hour loses samples. */
      outOfOrderWindow: duration.default("2h"),
      /** Samples further in the future are refused: one wrong clock would make everyone else's samples too old (thanos #6167). */
      tooFarInFutureWindow: futureWindow.default("5m"),
      /** Exemplars kept a tenant; 0 drops them. */
      maxExemplars: count(0, 1e7).default(100_000),
      /** Limits by request and by tenant, read again without a restart. */
      limits: z
        .strictObject({
          /** Requests worked on at once; further ones wait. 0: no limit. */
          maxConcurrency: count(0, 1e5).default(0),
          default: tenantLimits.prefault({}),
          tenants: z.record(tenantName, tenantLimits).default({}),
        })
        .prefault({}),
      /**
       * Whether a receiver that is not Ready keeps its name among peers. Default: true. Measured with a replay of a minute (bench/README.md): it costs nothing meanwhile, since two
       * receivers are a quorum, and peers reach the receiver 1-2 s after it is Ready; a name that vanished is looked up again only after a pause that has grown with the replay
       * (12-21 s), in which a second loss refuses writes. With fewer than three copies a write can wait for the forward timeout of 5 s (thanos #9004).
       */
      publishNotReadyPeers: z.boolean().default(true),
      /** Relabelling of everything that is received, as in Prometheus' relabel_config. Default: none. */
      relabel: z.array(freeForm).default([]),
      /** Senders other than this stack's own Prometheus: none, single ones, or highly available pairs that send every series twice. */
      otherSenders: z.enum(["none", "single", "pairs"]).default("none"),
      rollout: receiveRollout,
      resources: resources("500m", "2Gi"),
    })
    .optional(),

  querier: z
    .strictObject({
      replicas: count(1, 50).default(2),
      /** `chain` fits single senders, `penalty` pairs. Default: what fits the declared senders. */
      deduplication: z.enum(["chain", "penalty"]).optional(),
      /** PromQL engine. */
      engine: z.enum(["prometheus", "thanos"]).default("prometheus"),
      /** Longest time of one query. */
      timeout: queryTime.default("2m"),
      /** Longest silence of one receiver before a query goes on without it. Thanos' own default is for ever. */
      responseTimeout: answerTime.default("10s"),
      /** Queries at once; further ones wait. */
      maxConcurrent: count(1, 1_000).default(20),
      /** How often receivers are looked up: a new one is found within this time. */
      discoveryInterval: lookupInterval.default("5s"),
      /** gRPC addresses of other stacks' queriers or stores, such as `dns+thanos-querier-grpc.other.svc.cluster.local:10901`. */
      endpoints: z
        .array(z.string().regex(/^(dns\+|dnssrv\+)?[^\s/]+$/, "an address: host:port, dns+host:port or dnssrv+_port._tcp.host"))
        .default([]),
      antiAffinity: antiAffinity.default("hard"),
      rollout,
      resources: resources("250m", "1Gi"),
    })
    .prefault({}),

  /** Splits and caches range queries in front of the querier. Default: none. */
  queryFrontend: z
    .strictObject({
      replicas: count(1, 20).default(2),
      /** Long ranges are split at multiples of this. */
      splitInterval: splitInterval.default("24h"),
      /** The newest part of a range is not cached for so long. */
      maxFreshness: freshness.default("1m"),
      /** memcached servers and their memory. */
      cache: z.strictObject({ replicas: count(1, 20).default(2), memory: cacheMemory.default("256Mi") }).prefault({}),
      antiAffinity: antiAffinity.default("hard"),
      rollout,
      resources: resources("100m", "256Mi"),
    })
    .optional(),

  prometheus: z.strictObject({
    /** Prometheus servers that scrape the same targets. */
    replicas: count(1, 5).default(2),
    /** Parts into which the targets are divided. */
    shards: count(1, 64).default(1),
    /** `server` evaluates rules and answers queries; `agent` only forwards. */
    mode: z.enum(["server", "agent"]).default("server"),
    scrapeInterval: workInterval.default("30s"),
    scrapeTimeout: workInterval.default("10s"),
    evaluationInterval: workInterval.default("30s"),
    /**
     * Local retention: what a Prometheus itself holds, and never less than its write-ahead log needs. Default: 6h where the ring or a bucket holds the rest, 15d where nothing else
     * does.
     */
    retention: z.strictObject({ time: duration.optional(), size: retainedSize.optional() }).prefault({}),
    storage: prometheusStorage,
    /** Folder of this repository with rule files (*.yaml, *.yml) and nothing else but hidden files and Markdown. */
    ruleFolder: repositoryFolder.default("rules"),
    /** Annotations of the service account, such as those that give it an identity of the cloud for service discovery. Default: none but the bucket's. */
    serviceAccountAnnotations: annotations.default({}),
    /** Namespaces in which targets are looked for. Default: all. */
    namespaces: z.array(namespaceName).min(1).optional(),
    ...clusterJobKeys,
    /** Bounds of targets that ask to be scraped by an annotation. */
    annotated: annotatedSchema.prefault({}),
    /** Further scrape_configs, as in prometheus.yml. */
    scrapeConfigs: z.array(freeForm).default([]),
    /** Further external labels. */
    externalLabels: z.record(labelName, z.string()).default({}),
    remoteWrite: z
      .strictObject({
        /** Senders at once at most: what protects a ring that has just come back. */
        maxShards: count(1, 1_000).default(20),
        /** Samples in one request: larger ones cost the receivers a fifth less CPU. */
        maxSamplesPerSend: count(100, 50_000).default(5_000),
        /** Samples waiting in each sender. */
        capacity: count(500, 500_000).default(20_000),
        /** Longest wait for a request to fill. */
        batchSendDeadline: sendDeadline.default("2s"),
        /** Relabelling of what is sent, as in Prometheus' write_relabel_configs. */
        relabel: z.array(freeForm).default([]),
        /** Where everything is sent besides, such as another stack's `remoteWriteUrl` while one moves to the other scheme. Default: nowhere. */
        otherTargets: z
          .array(
            z.strictObject({
              url: z.string().regex(/^https?:\/\/[^\s/]+\/\S*$/, "a URL with a path, such as http://host:19291/api/v1/receive"),
              /** Headers of each request, such as the tenant's. */
              headers: z.record(z.string(), z.string()).default({}),
            }),
          )
          .default([]),
      })
      .prefault({}),
    antiAffinity: antiAffinity.default("hard"),
    rollout,
    resources: resources("250m", "2Gi"),
    /** CPU and memory of the sidecar, where there is one. */
    sidecar: z.strictObject({ resources: resources("50m", "256Mi") }).prefault({}),
  }),
});

/** Everything that an environment chose, with every default filled in. */
export type Settings = z.output<typeof settingsSchema>;
/** What an environment may write. */
export type SettingsInput = z.input<typeof settingsSchema>;
/** A risk that can be accepted by name. */
export type AcceptableRisk = keyof typeof ACCEPTABLE_RISKS;
/** The ring's part of the settings. */
export type ReceiveSettings = NonNullable<Settings["receive"]>;
/** The bucket's part of the settings. */
export type ObjectStorageSettings = NonNullable<Settings["objectStorage"]>;
/** The ruler's part of the settings. */
export type RulerSettings = NonNullable<Settings["ruler"]>;
/** CPU and memory of a container. */
export type ResourceSettings = Settings["querier"]["resources"];
/** Where a StatefulSet keeps its data. */
export type StorageSettings = z.output<typeof storage>;
