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
  grpcEndpoint,
  hostAndPort,
  hostPathRoot,
  namespaceName,
  nodeName,
  remoteWriteUrl,
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
 *
 * Its descriptions are docs/configuration.md and config/stack.schema.json, which `npm run docs` makes: Markdown, with
 * links relative to docs/. What is `shared` is described there once, under that heading.
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

/** Exactly one key of a map, as JSON Schema has it. */
const ONE_KEY = { minProperties: 1, maxProperties: 1 };

const hostPath = z
  .strictObject({
    path: hostPathRoot.describe("Root on every named node. A pod's data is in `<path>/<namespace>/<pod>`."),
    nodes: z
      .array(nodeName)
      .min(1)
      .refine((nodes) => new Set(nodes).size === nodes.length, "every node once")
      .meta({ uniqueItems: true })
      .describe("Pod number N (of each shard) belongs to node N modulo their count, for good."),
  })
  .optional()
  .describe("Directories of the nodes' own disks ([how](operations.md#hostpath-storage)).");
const pvc = z
  .strictObject({
    size: volumeSize.describe("Size of each pod's volume."),
    storageClass: storageClass
      .optional()
      .describe("Left out: the cluster's default class. Empty: volumes that were made by hand and belong to no class."),
  })
  .optional()
  .describe("Persistent volumes of the cluster.");

const storage = z
  .strictObject({ hostPath, pvc })
  .refine((chosen) => (chosen.hostPath === undefined) !== (chosen.pvc === undefined), "exactly one of hostPath and pvc")
  .meta({ shared: "storage", ...ONE_KEY, description: "Where each pod keeps its data." });

const prometheusStorage = z
  .strictObject({
    hostPath,
    pvc,
    emptyDir: z
      .strictObject({ size: volumeSize.describe("Most that it takes; above it the kubelet evicts the pod.") })
      .optional()
      .describe(
        "Space of the node that ends with the pod, where `ingestion` is `receive`: the samples are in the ring. A pod that is moved or " +
          "deleted loses what it has not sent yet: seconds, or up to 2h while the ring is away.",
      ),
  })
  .refine(
    (chosen) => [chosen.hostPath, chosen.pvc, chosen.emptyDir].filter((each) => each !== undefined).length === 1,
    "exactly one of hostPath, pvc and emptyDir",
  )
  .meta({ shared: "storage", ...ONE_KEY, description: "Where each server keeps its samples and its write-ahead log." });

const image = z
  .string()
  .regex(
    /^[^\s:@]+(?::\d+)?[^\s:@]*:(?!latest(?:@|$))[\w][\w.-]{0,127}(?:@sha256:[0-9a-f]{64})?$/,
    "an image with a tag that is not latest, and optionally its digest",
  );

const antiAffinity = z.enum(["hard", "soft"]);
const spread = antiAffinity.default("hard").describe("`hard`: no two of these pods on one node. `soft`: preferably not.");

const requestLimits = z.strictObject({
  sizeBytes: count(0, 2 ** 40)
    .optional()
    .describe(
      "Largest request in bytes, as it is sent and as it is unpacked. A larger one is answered 413, which senders drop. Left out: a sixteenth " +
        "of the memory of whatever takes requests (receivers, in `split` mode routers), and at least 4 KiB for each of " +
        "`prometheus.remoteWrite.maxSamplesPerSend` ([why](decisions.md#limits-of-a-request-follow-from-memory)). 0: no limit, " +
        "[a risk](#accepted-risks).",
    ),
  series: count(0, 1e9)
    .optional()
    .describe(
      "Most series in one request. Left out: one for each 8 KiB of that memory, and at least `prometheus.remoteWrite.maxSamplesPerSend`. " +
        "0: no limit, [a risk](#accepted-risks).",
    ),
  samples: count(0, 1e9)
    .optional()
    .describe("Most samples in one request. Left out: 16 for each series. 0: no limit, [a risk](#accepted-risks)."),
});

const tenantLimits = z
  .strictObject({
    request: requestLimits
      .optional()
      .describe(
        "Limits of one request. For the default tenant none is below what one request of the stack's own Prometheus and rulers holds: they " +
          "would be answered 413, and drop it.",
      ),
    headSeries: count(0, 1e10)
      .optional()
      .describe(
        "Most active series of a tenant over the whole ring; above it senders get 429 and retry. 0: no limit. Receivers ask the querier for " +
          "the count, so a limit opens that connection. The default tenant has none ([why](decisions.md#active-series-are-not-limited-by-default)).",
      ),
  })
  .meta({ shared: "limits" });

const freeForm = z.record(z.string(), z.unknown());

const bucketName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/, "a bucket's name: lower-case letters, digits, '.', '_' and '-', at least 3 characters");

const cache = z
  .strictObject({
    inMemory: z
      .strictObject({
        size: cacheSize
          .default("256Mi")
          .describe("The two caches of a store gateway take half of `objectStorage.storeGateway.resources.memory` at most."),
      })
      .optional()
      .describe("A cache in the process, the default: each store gateway has its own, and loses it with a restart."),
    memcached: z
      .strictObject({
        replicas: count(1, 20).default(2).describe("memcached servers."),
        memory: cacheMemory.default("256Mi").describe("Memory for items in each; the container gets 64Mi more."),
      })
      .optional()
      .describe("memcached servers that all store gateways share and that outlive their restarts."),
  })
  .refine((chosen) => (chosen.inMemory === undefined) !== (chosen.memcached === undefined), "exactly one of inMemory and memcached")
  .prefault({ inMemory: {} })
  .meta({ shared: "cache", ...ONE_KEY });

const keptFor = z.union([z.literal("forever"), duration]);

/** Where the bucket is, by kind: one of these keys. */
export const bucketShape = {
  s3: z
    .strictObject({
      bucket: bucketName.describe("It exists already: the stack makes none."),
      endpoint: hostAndPort.describe("Server, without a scheme."),
      region: z.string().min(1).optional().describe("Left out: the server's default."),
      insecure: z.boolean().default(false).describe("Whether the server is reached by plain HTTP."),
      bucketLookup: z
        .enum(["auto", "path", "virtual-hosted"])
        .default("auto")
        .describe("How the bucket is addressed: `path` where its name is no DNS name of the server."),
    })
    .optional()
    .describe("S3, or what speaks its protocol."),
  gcs: z
    .strictObject({ bucket: bucketName.describe("It exists already: the stack makes none.") })
    .optional()
    .describe("Google Cloud Storage."),
  azure: z
    .strictObject({
      storageAccount: z
        .string()
        .regex(/^[a-z0-9]{3,24}$/, "a storage account: 3 to 24 lower-case letters and digits")
        .describe("The storage account."),
      container: bucketName.describe("The container in it. It exists already: the stack makes none."),
      endpoint: hostAndPort.optional().describe("Left out: Azure's public cloud."),
      userAssignedId: z
        .string()
        .min(1)
        .optional()
        .describe("Which managed identity, where a pod has several. Not together with credentials: Thanos takes one of the two."),
    })
    .optional()
    .describe("Azure Blob Storage."),
  filesystem: z
    .strictObject({
      path: hostPathRoot.describe("The bucket is in `<path>/<namespace>/bucket`."),
      node: nodeName.describe("Everything that uses the bucket runs there."),
    })
    .optional()
    .describe("A directory on one node, shared by the pods there: for environments of one node only."),
};

const storeGateway = z
  .strictObject({
    replicas: count(1, 20).default(2).describe("Store gateways of each shard: any one of them serves all of it."),
    partition: z
      .strictObject({
        hash: count(2, 64).optional().describe("Blocks are divided into so many shards by a hash of their names."),
        time: z.array(duration).min(1).optional().describe("Blocks are divided at these ages, which ascend."),
      })
      .refine((chosen) => chosen.hash === undefined || chosen.time === undefined, "at most one of hash and time")
      .prefault({})
      .describe("How blocks are divided over store gateways. Left out: not at all, each has every block."),
    storage: storage.describe("Index headers and what is kept of blocks. What is lost is fetched again."),
    indexCache: cache.describe("Cache of postings and series of indexes."),
    chunkCache: cache.describe("Cache of chunks, and of what exists in the bucket."),
    syncInterval: duration
      .default("3m")
      .describe("How often new blocks are looked for. At least 10s, since each time the whole bucket is listed."),
    antiAffinity: antiAffinity.default("hard").describe("`hard`: no two of a shard on one node. `soft`: preferably not."),
    rollout: rollout.describe("Restarts each shard, one store gateway after the other."),
    resources: resources("250m", "1Gi"),
  })
  .describe("Serves the bucket. At least its `storage` is to be chosen.");

const compactor = z
  .strictObject({
    retention: z
      .strictObject({
        raw: keptFor.default("90d").describe("For samples as they were written."),
        fiveMinutes: keptFor.default("1y").describe("For the 5-minute resolution, which blocks get at the age of 40h."),
        oneHour: keptFor.default("forever").describe("For the 1-hour resolution, which blocks get at the age of 10d."),
      })
      .prefault({})
      .describe(
        "How long samples stay in the bucket, for each resolution. A coarser one never ends before a finer one, and each stays until the next " +
          "one is made.",
      ),
    downsampling: z.boolean().default(true).describe("Whether blocks get coarser resolutions, for long ranges."),
    verticalCompaction: z
      .boolean()
      .default(true)
      .describe(
        "Whether blocks that overlap are merged, for good: replicas of the receivers and samples out of order sample by sample, pairs of " +
          "Prometheus by the querier's `penalty`. Off, a ring's bucket halts the compactor, which is refused; pairs only take twice the space.",
      ),
    concurrency: count(1, 32).default(1).describe("Groups of blocks that are compacted at once."),
    consistencyDelay: duration
      .default("30m")
      .describe("Least age of an uploaded block before it is compacted. A shorter one is for buckets that show at once what was written."),
    deleteDelay: duration
      .default("48h")
      .describe(
        "How long a block that was replaced stays, so that store gateways have learned of it. At least six times " +
          "`objectStorage.storeGateway.syncInterval`.",
      ),
    storage: storage.describe(
      "Scratch space for the largest compaction, its downloads and its result: twice the largest group of blocks that is compacted at once. " +
        "With `hostPath` it is one node, since there is one compactor.",
    ),
    rollout,
    resources: resources("500m", "2Gi"),
  })
  .describe("Merges, downsamples and drops blocks. There is exactly one.");

export const settingsSchema = z.strictObject({
  cluster: z
    .strictObject({
      name: clusterName.describe(
        "Value of the external label that names the cluster, on every series of this stack's Prometheus: any text, and a whole number is its " +
          "digits (`158`; one that begins with 0 is quoted, since the engine makes another number of it). It names no object. It also " +
          "identifies the cluster to Pulumi, so that a kubeconfig that is moved or renewed is still the same cluster.",
      ),
      label: clusterLabel
        .default("cluster")
        .describe(
          "Name of that label: the one by which an existing fleet tells its clusters apart. Not one that series have of their own, such as " +
            "`job` or `namespace`. The dashboards select by `cluster` unless they are [adapted](operations.md#dashboards-by-another-label).",
        ),
      context: z
        .string()
        .min(1)
        .describe("Context of the kubeconfig. Always named: nothing is ever deployed to whatever the shell points at."),
      kubeconfig: z
        .string()
        .min(1)
        .optional()
        .describe(
          "Path of the kubeconfig. Left out: of the files of `KUBECONFIG` the first that has the context, then `~/.kube/config`. A context " +
            "whose cluster or user is in another file is a warning.",
        ),
      domain: z
        .string()
        .refine(isDnsName, "a DNS name without dots at its ends")
        .default("cluster.local")
        .describe("Cluster domain, part of every ring member's name. The name is what is hashed: changing it moves series."),
      zones: z
        .array(zone)
        .refine((zones) => new Set(zones).size === zones.length, "every zone once")
        .meta({ uniqueItems: true })
        .default([])
        .describe(
          "Values of `topology.kubernetes.io/zone`, such as `eu-central-1a`, `PHX-AD-1`, `rack_2` or `1`. Receivers are divided evenly over " +
            "them (one StatefulSet a zone, named by the zone's lower-case letters, digits and dashes), the ring knows each member's zone, and the " +
            "other components are spread over zones by force. Empty: nothing is known of zones and nothing is promised of them.",
        ),
    })
    .describe("The cluster that this environment is deployed to."),

  namespace: namespaceName.describe(
    "Made by the program and removed with it, unless `existingNamespace`; so not `default`, and in no case one that begins with `kube-` or " +
      "ends in `-volumes`. With hostPath storage at most 55 characters, since its directories are made by jobs in `<namespace>-volumes`.",
  ),

  existingNamespace: z
    .boolean()
    .default(false)
    .describe(
      "Whether somebody else made the namespace. It is then looked at before anything is made, and neither labelled, protected nor removed; " +
        "what selects pods selects this stack's only ([how](operations.md#in-a-namespace-that-exists)).",
    ),

  accepts: z
    .array(z.enum(Object.keys(ACCEPTABLE_RISKS) as [keyof typeof ACCEPTABLE_RISKS, ...(keyof typeof ACCEPTABLE_RISKS)[]]))
    .default([])
    .describe("Risks that this environment takes, each by name ([what they are](#accepted-risks))."),

  protect: z
    .boolean()
    .default(true)
    .describe(
      "Whether Pulumi refuses to delete or replace the namespace, the StatefulSets of whatever keeps samples (receivers, Prometheus, stateful " +
        "rulers), and everything of hostPath storage. Store gateways and the compactor fetch again what they lose.",
    ),

  dataPriority: count(1, 1_000_000_000)
    .optional()
    .describe(
      "Priority of the pods that hold samples which are nowhere else: receivers, Prometheus, stateful rulers. Pods without a class have 0, and " +
        "make room where one of these comes back to the node or the zone of its volume ([why](decisions.md#pods-with-samples-go-first)). Left " +
        "out: the stack makes no priority class.",
    ),

  survives: z
    .strictObject({
      nodes: count(0, 4).default(0).describe("Nodes that may be lost at once. A ring survives 2 at most (replication factor 5)."),
      zones: count(0, 2).default(0).describe("Zones that may be lost at once. Above 0 only with `cluster.zones`."),
    })
    .prefault({})
    .describe(
      "What must be survived without a refused write, an incomplete answer or a lost acknowledged sample. A plan that survives less is refused " +
        "at preview.",
    ),

  tenancy: tenancySchema.prefault({}).describe("How senders name their tenant, and which tenants there are."),

  images: z
    .strictObject({
      thanos: image
        .default(IMAGES.thanos)
        .describe(
          "Every Thanos component. A mirror's address, a digest, another patch of 0.42, or 0.41 where an [upgrade](operations.md#upgrade) " +
            "begins: flags come and go between releases, and an unknown one stops every pod.",
        ),
      prometheus: image.default(IMAGES.prometheus).describe("Prometheus."),
      memcached: image.default(IMAGES.memcached).describe("The caches of query frontend and store gateways."),
    })
    .prefault({})
    .describe("Images, where a mirror or another tested version is wanted. The defaults are what this release was tested with."),

  access: accessSchema.prefault({}).describe("Who reaches the stack's endpoints, by namespace and by network. Everything else is closed."),

  network: networkSettings.describe("What the stack needs of the cluster's network."),

  ingestion: z
    .enum(["receive", "sidecar"])
    .default("receive")
    .describe(
      "How samples reach the querier. `receive`: Prometheus remote-writes into a ring of receivers. `sidecar`: each Prometheus keeps its " +
        "samples and a sidecar in its pod serves them; nobody else can write, and the key `receive` may stay in the file without effect.",
    ),

  objectStorage: z
    .strictObject({
      ...bucketShape,
      prefix: bucketPrefix
        .optional()
        .describe("Directory within the bucket, so that several stacks can share one. Left out: the bucket's root."),
      serviceAccountAnnotations: annotations
        .default({})
        .describe(
          "Annotations that give the service accounts of whatever reaches the bucket an identity of the cloud, such as " +
            "`eks.amazonaws.com/role-arn`.",
        ),
      handover: duration
        .optional()
        .describe(
          "Age from which on the bucket surely has a sample. A sidecar serves nothing older. A receiver serves all that it holds, and store " +
            "gateways serve everything that is uploaded; only behind a ring, and only where this is written, do they hold back until it. Left out: " +
            "behind a ring what its receivers surely still hold (their retention less two hours and `receive.tooFarInFutureWindow`, in whole " +
            "hours), so that the two overlap as little as can be; with sidecars a quarter of what Prometheus holds, 12h at most, so that little is " +
            "missed when a volume is lost; where a size bounds what is held, 4h and three times `objectStorage.storeGateway.syncInterval`, which " +
            "is also the least.",
        ),
      storeGateway,
      compactor,
    })
    .refine(
      (chosen) => [chosen.s3, chosen.gcs, chosen.azure, chosen.filesystem].filter((each) => each !== undefined).length === 1,
      "exactly one of s3, gcs, azure and filesystem",
    )
    .optional()
    .describe(
      "A bucket for long-term storage, and what serves and compacts it. Its credentials are [a key of their own](#credentials-of-the-bucket), " +
        "`objectStorageCredentials`. Left out: queries reach no further back than local retention.",
    ),

  ruler: z
    .strictObject({
      mode: z
        .enum(["stateless", "stateful"])
        .default("stateless")
        .describe(
          "`stateless`: results are remote-written into the ring. `stateful`: the rulers keep, serve and upload them; the only mode with sidecars.",
        ),
      replicas: count(1, 5)
        .default(2)
        .describe("Rulers that evaluate the same rules, at the same instants: their results are replicas of one series."),
      evaluationInterval: duration
        .default("30s")
        .describe("How often rules are evaluated that name no interval of their own. At least 1s."),
      queryOffset: duration
        .default("0s")
        .describe("How far behind the clock rules are evaluated, so that samples which arrive late are counted."),
      retention: duration
        .default("36h")
        .describe(
          "How long a stateful ruler keeps results itself: with a bucket at least two hours beyond the handover, and at most 40h where that " +
            "bucket is downsampled.",
        ),
      storage: storage
        .optional()
        .describe("Where a stateful ruler keeps its results. Required for `stateful`; a stateless ruler keeps nothing."),
      antiAffinity: spread,
      rollout,
      resources: resources("100m", "512Mi"),
    })
    .optional()
    .describe(
      "Evaluates the rules of `prometheus.ruleFolder` over everything that the querier serves. Left out: each Prometheus evaluates them over its " +
        "own targets.",
    ),

  alerting: alertingSettings.describe("Where alerts are sent."),

  receive: z
    .strictObject({
      mode: z
        .enum(["router-ingester", "split"])
        .default("router-ingester")
        .describe(
          "`router-ingester`: every receiver routes and stores. `split`: routers of their own in front, so that only they read the ring and a " +
            "change of it restarts no store.",
        ),
      replicas: count(1, 99).default(3).describe("Receivers of the default ring, over all zones."),
      replicationFactor: count(1, 5)
        .default(3)
        .describe(
          "Receivers that store each series. A write is acknowledged by a majority. 1 and 2 are accepted risks; 4 is refused, since it survives " +
            "no more lost receivers than 3.",
        ),
      hashrings: z
        .array(
          z.strictObject({
            name: dnsLabel.describe("Part of its StatefulSets' names. Not `default`, and used once."),
            tenants: z.array(tenantName).min(1).describe("A tenant belongs to one ring."),
            replicas: count(1, 99).describe("Its receivers, over all zones."),
          }),
        )
        .default([])
        .describe("Rings for tenants of their own, beside the default ring, which takes every other tenant."),
      routers: z
        .strictObject({
          replicas: count(1, 99).default(2).describe("Routers."),
          antiAffinity: spread,
          rollout,
          resources: resources("100m", "256Mi"),
        })
        .prefault({})
        .describe("The routers; used in `split` mode only."),
      antiAffinity: antiAffinity
        .default("hard")
        .describe(
          "`hard`: never two receivers of a ring on one node. `soft`: preferably not; then all replicas of a series may be on one node, which is " +
            "a risk to accept.",
        ),
      storage: storage.describe("Where each receiver keeps its samples and its write-ahead log."),
      retention: z
        .strictObject({
          time: receiverRetention
            .optional()
            .describe("Left out: 15d, or beside a bucket 36h, which is below the 40h after which the bucket has coarser resolutions too."),
          size: retainedSize
            .optional()
            .describe("How many bytes of blocks a tenant may keep in one receiver; the oldest go first. Left out: no bound."),
        })
        .prefault({})
        .describe("How long samples stay in the receivers."),
      outOfOrderWindow: duration
        .default("2h")
        .describe(
          "How far behind a tenant's newest sample an older one may be. Below 2h it is refused: a sender that was cut off for an hour would be " +
            "answered 409 and drop what its log still holds.",
        ),
      tooFarInFutureWindow: futureWindow
        .default("5m")
        .describe("Samples further in the future are refused: one wrong clock would make everyone else's samples too old (thanos #6167)."),
      maxExemplars: count(0, 1e7).default(100_000).describe("Exemplars kept for a tenant; 0 drops them."),
      limits: z
        .strictObject({
          maxConcurrency: count(0, 1e5).default(0).describe("Requests worked on at once; further ones wait. 0: no limit."),
          default: tenantLimits.prefault({}).describe("Limits of every tenant."),
          tenants: z
            .record(tenantName, tenantLimits)
            .default({})
            .describe(
              "Limits of tenants by name, each laid over those of every tenant. A ring takes the tenant, or the limits are refused.",
            ),
        })
        .prefault({})
        .describe("Limits by request and by tenant, read again without a restart."),
      publishNotReadyPeers: z
        .boolean()
        .default(true)
        .describe(
          "Whether a receiver that is not Ready keeps its name among peers. True: peers reach it 1–2 s after a replay instead of 12–21 s, in which " +
            "a second loss refuses writes, and no sender waits for it meanwhile where two others are a quorum ([measured](../bench/README.md)). " +
            "With fewer than three replicas, false makes a write to one that replays its log fail at once instead of waiting for the forward " +
            "timeout (thanos #9004).",
        ),
      relabel: z
        .array(freeForm)
        .default([])
        .describe("Relabelling of everything that is received, as in [Prometheus' relabel_config](#keys-with-prometheus-own-form)."),
      otherSenders: z
        .enum(["none", "single", "pairs"])
        .default("none")
        .describe(
          "Senders other than this stack's own Prometheus: single ones, or highly available pairs that send every series twice. It decides the " +
            "[deduplication function](decisions.md#the-deduplication-function-follows-from-the-senders).",
        ),
      rollout: receiveRollout.describe("How the receivers are restarted."),
      resources: resources("500m", "2Gi"),
    })
    .optional()
    .describe("The ring of receivers. Required where `ingestion` is `receive`."),

  querier: z
    .strictObject({
      replicas: count(1, 50).default(2).describe("Queriers."),
      deduplication: z
        .enum(["chain", "penalty"])
        .optional()
        .describe(
          "`chain` fits single senders, `penalty` pairs. Left out: what fits the declared senders. Required where single senders and pairs write " +
            "into one ring, since no function fits both.",
        ),
      engine: z.enum(["prometheus", "thanos"]).default("prometheus").describe("PromQL engine."),
      timeout: queryTime.default("2m").describe("Longest time of one query."),
      responseTimeout: answerTime
        .default("10s")
        .describe("Longest silence of one receiver before a query goes on without it. Thanos' own default is for ever."),
      maxConcurrent: count(1, 1_000).default(20).describe("Queries at once; further ones wait."),
      discoveryInterval: lookupInterval.default("5s").describe("How often receivers are looked up: a new one is found within this time."),
      endpoints: z
        .array(grpcEndpoint)
        .default([])
        .describe(
          "gRPC addresses of other stacks' queriers or stores, such as `dns+thanos-querier-grpc.other.svc.cluster.local:10901` or " +
            "`dnssrv+_grpc._tcp.host`.",
        ),
      antiAffinity: spread,
      rollout,
      resources: resources("250m", "1Gi"),
    })
    .prefault({})
    .describe("Serves PromQL over everything that the stack stores."),

  queryFrontend: z
    .strictObject({
      replicas: count(1, 20).default(2).describe("Query frontends."),
      splitInterval: splitInterval.default("24h").describe("Long ranges are split at multiples of this."),
      maxFreshness: freshness.default("1m").describe("The newest samples of a range, up to this age, are not cached."),
      cache: z
        .strictObject({
          replicas: count(1, 20).default(2).describe("memcached servers."),
          memory: cacheMemory.default("256Mi").describe("Memory for items in each; the container gets 64Mi more."),
        })
        .prefault({})
        .describe("memcached servers for results of queries."),
      antiAffinity: spread,
      rollout,
      resources: resources("100m", "256Mi"),
    })
    .optional()
    .describe("Splits and caches range queries in front of the querier. `{}` for all defaults. Left out: there is none."),

  prometheus: z
    .strictObject({
      replicas: count(1, 5).default(2).describe("Servers that scrape the same targets."),
      shards: count(1, 64).default(1).describe("Shards into which the targets are divided, by a hash of their address."),
      mode: z
        .enum(["server", "agent"])
        .default("server")
        .describe("`server` evaluates rules (unless there is a `ruler`) and serves queries; `agent` only forwards, and needs a ring."),
      scrapeInterval: workInterval.default("30s").describe("Time between two scrapes of a target."),
      scrapeTimeout: workInterval.default("10s").describe("Longest time of a scrape; not above `prometheus.scrapeInterval`."),
      evaluationInterval: workInterval.default("30s").describe("Time between two evaluations of a rule."),
      retention: z
        .strictObject({
          time: duration
            .optional()
            .describe(
              "Left out: 6h behind a ring; with sidecars 2d beside a bucket, so that the bucket may be away for a while, and 15d without one. At " +
                "least 2h: the write-ahead log holds two hours for a ring that is away.",
            ),
          size: retainedSize.optional().describe("How many bytes of blocks it keeps. Left out: no bound."),
        })
        .prefault({})
        .describe("What a Prometheus itself keeps and serves."),
      storage: prometheusStorage,
      ruleFolder: repositoryFolder
        .default("rules")
        .describe(
          "Directory of the rule files: every `*.yaml` and `*.yml` in it, in UTF-8. Anything else there is refused by name, except hidden files, " +
            "a README and Markdown, so that no rule is left out unseen; it is not left by `..`, an absolute path or a link. A directory without a rule is a " +
            "warning.",
        ),
      serviceAccountAnnotations: annotations
        .default({})
        .describe(
          "Annotations of Prometheus' service account, such as `eks.amazonaws.com/role-arn` for service discovery of a cloud; beside sidecars " +
            "over those of `objectStorage.serviceAccountAnnotations`.",
        ),
      namespaces: z
        .array(namespaceName)
        .min(1)
        .optional()
        .describe(
          "Namespaces in which targets are discovered, beside the stack's own and `default`. Left out: all. It also narrows what Prometheus may " +
            "read from the API server.",
        ),
      ...clusterJobKeys,
      annotated: annotatedSchema
        .prefault({})
        .describe(
          "Bounds of targets that ask to be scraped by the annotation `prometheus.io/scrape`. A target that exceeds one is down, with the " +
            "reason, and nothing of that scrape is kept.",
        ),
      scrapeConfigs: z
        .array(freeForm)
        .default([])
        .describe("Further jobs, each with a `job_name` of its own, as in [Prometheus' scrape_configs](#keys-with-prometheus-own-form)."),
      externalLabels: z
        .record(labelName, z.string())
        .default({})
        .describe(
          "Further external labels. That of `cluster.label`, `prometheus_replica`, `receive_replica`, `rule_replica` and the tenant's label are " +
            "the stack's.",
        ),
      remoteWrite: z
        .strictObject({
          maxShards: count(1, 1_000).default(20).describe("Senders at once at most: what protects a ring that has just come back."),
          maxSamplesPerSend: count(100, 50_000)
            .default(5_000)
            .describe("Samples in one request. Measured: 5,000 cost the receivers a fifth less CPU than 1,000."),
          capacity: count(500, 500_000).default(20_000).describe("Samples waiting in each sender."),
          batchSendDeadline: sendDeadline.default("2s").describe("Longest wait for a request to fill."),
          relabel: z
            .array(freeForm)
            .default([])
            .describe("Relabelling of what is sent, as in [Prometheus' write_relabel_configs](#keys-with-prometheus-own-form)."),
          otherTargets: z
            .array(
              z.strictObject({
                url: remoteWriteUrl.describe(
                  "Where to. NetworkPolicies of this stack let Prometheus go anywhere; those of the target must let it in.",
                ),
                headers: z
                  .record(z.string(), z.string())
                  .default({})
                  .describe("Headers of each request, such as the tenant's. They stand in a ConfigMap: no credentials."),
              }),
            )
            .default([])
            .describe(
              "Where everything is sent besides, such as another stack's `remoteWriteUrl` while one moves to the other scheme. The only targets " +
                "where `ingestion` is `sidecar`.",
            ),
        })
        .prefault({})
        .describe("What is sent into the ring, and how."),
      antiAffinity: antiAffinity.default("hard").describe("`hard`: no two servers of a shard on one node. `soft`: preferably not."),
      rollout: rollout.describe("Restarts each shard, one server after the other."),
      resources: resources("250m", "2Gi"),
      sidecar: z
        .strictObject({ resources: resources("50m", "256Mi") })
        .prefault({})
        .describe("The sidecar, where there is one."),
    })
    .describe("The stack's own Prometheus."),
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
