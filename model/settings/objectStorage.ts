import { z } from "zod";
import { hostAndPort } from "./addressForms";
import { extra } from "./extra";
import {
  annotations,
  antiAffinity,
  bucketPrefix,
  bytesOf,
  cacheMemory,
  cacheSize,
  certificates,
  count,
  dataKey,
  duration,
  hostPathRoot,
  MOST_STORE_GATEWAYS,
  nodeName,
  objectName,
  replicaLabelList,
  resources,
} from "./forms";
import { pods, services } from "./pods";
import { storeLimits } from "./reads";
import { rollout } from "./rollout";
import { ONE_KEY, storage } from "./storage";
import { logging, plainLogging } from "./telemetry";

/** Long-term storage, and what serves and compacts it: its schema. */

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
        pods,
        services,
        extra,
      })
      .optional()
      .describe("memcached servers that all store gateways share and that outlive their restarts."),
  })
  .refine((chosen) => (chosen.inMemory === undefined) !== (chosen.memcached === undefined), "exactly one of inMemory and memcached")
  .prefault({ inMemory: {} })
  .meta({ shared: "cache", ...ONE_KEY });

/** Parts that S3 takes (AWS "Multipart upload limits"), of which there are 10,000 at most. */
const partSize = bytesOf("5Mi", "S3 takes no smaller part but the last");

const encryption = z
  .strictObject({
    method: z
      .enum(["SSE-S3", "SSE-KMS", "SSE-C"])
      .describe(
        "`SSE-S3`: by the server, with a key of its own. `SSE-KMS`: with the key `kmsKeyId`. `SSE-C`: with `objectStorageCredentials.encryptionKey`, " +
          "which the server does not keep: without it the bucket can't be read.",
      ),
    kmsKeyId: z.string().min(1).optional().describe("Of `SSE-KMS`: the key's id or ARN."),
    kmsContext: z
      .record(z.string().min(1), z.string())
      .optional()
      .describe("Of `SSE-KMS`: the encryption context, which whoever decrypts must name too."),
  })
  .refine(({ method, kmsKeyId }) => (method === "SSE-KMS") === (kmsKeyId !== undefined), "kmsKeyId with SSE-KMS, and with no other method")
  .refine(({ method, kmsContext }) => method === "SSE-KMS" || kmsContext === undefined, "kmsContext with SSE-KMS only");

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
      ca: certificates
        .optional()
        .describe(
          "Certificates of the authorities by which the server is known, as PEM. Left out: those of the image, which are the public ones. Not with " +
            "`insecure`.",
        ),
      encryption: encryption.optional().describe("How the server encrypts what it stores. Left out: as the bucket says."),
      storageClass: z
        .string()
        .regex(/^[A-Z][A-Z0-9_]*$/, "a storage class such as STANDARD_IA: upper-case letters, digits and '_'")
        .optional()
        .describe(
          "Storage class of what is written, such as `STANDARD_IA`. Left out: the server's default. One that must be restored first can't be read.",
        ),
      partSize: partSize
        .optional()
        .describe("Parts in which large files are written. Left out: 64Mi. A smaller one takes less memory, and more requests."),
      multipart: z.boolean().default(true).describe("Whether large files are written in parts; some servers take none."),
      maxRetries: count(1, 100).optional().describe("Tries of a request. Left out: 10."),
      listObjects: z
        .enum(["v1", "v2"])
        .optional()
        .describe("Version of the API by which the bucket is listed: `v1` for servers that know no other. Left out: `v2`."),
      signature: z.enum(["v2", "v4"]).default("v4").describe("Version of the signature of requests: `v2` for servers that know no other."),
      contentMd5: z
        .boolean()
        .default(true)
        .describe("Whether what is written has an MD5 sum; without, it is checked by CRC32C, which not all servers know."),
      dualstack: z.boolean().default(true).describe("Whether AWS is reached over IPv6 too."),
    })
    .refine(({ ca, insecure }) => ca === undefined || !insecure, "ca without insecure: there is no certificate over plain HTTP")
    .refine(
      ({ encryption: chosen, insecure }) => chosen?.method !== "SSE-C" || !insecure,
      "SSE-C without insecure: its key goes with every request, and servers refuse it over plain HTTP",
    )
    .optional()
    .describe("S3, or what speaks its protocol."),
  gcs: z
    .strictObject({
      bucket: bucketName.describe("It exists already: the stack makes none."),
      maxRetries: count(1, 100).optional().describe("Tries of a request. Left out: as long as it may take."),
    })
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
  secret: z
    .strictObject({
      name: objectName.describe(
        "It exists already, in the stack's namespace, and is read when a pod starts: the update that follows its change asks for a [restart](operations.md#restart).",
      ),
      key: dataKey.default("objstore.yaml").describe("Its key with the configuration."),
      files: z
        .array(dataKey.refine((name) => name !== "objstore.yaml", "another name than objstore.yaml, which is the configuration's file"))
        .refine((names) => new Set(names).size === names.length, "every key once")
        .meta({ uniqueItems: true })
        .default([])
        .describe(
          "Further keys of it, which become files beside the configuration: `ca.crt` is `/etc/thanos/objectstore/ca.crt`, for the configuration's " +
            "`http_config.tls_config.ca_file`.",
        ),
      port: count(1, 65_535).default(443).describe("TCP port of the bucket's server, which the network policies open."),
      podIdentity: z
        .boolean()
        .default(false)
        .describe(
          "Whether the configuration names no credentials, and pods show an identity of the cloud: its services are then reachable.",
        ),
    })
    .optional()
    .describe(
      "A Secret that somebody else makes (External Secrets, Vault, a bucket's operator) with the whole configuration " +
        "([form](https://thanos.io/tip/thanos/storage.md)) of any provider: also OSS, COS, Swift, OCI, BOS and OBS. Nothing of it is checked, nor whether " +
        "another stack keeps its blocks there.",
    ),
};

const storeGateway = z
  .strictObject({
    replicas: count(1, MOST_STORE_GATEWAYS).default(2).describe("Store gateways of each shard: any one of them serves all of it."),
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
    storeLimits,
    downloadedBytes: bytesOf("1Mi", "what one series is found by may take as much")
      .optional()
      .describe(
        "Most bytes of indexes and chunks that one selector may read, from the bucket or from caches, over the whole request. Left out: no bound; what is " +
          "in memory at a time is bounded anyway.",
      ),
    maxConcurrent: count(1, 1_000).default(20).describe("Selectors that one store gateway reads at once; further ones wait."),
    antiAffinity: antiAffinity.default("hard").describe("`hard`: no two of a shard on one node. `soft`: preferably not."),
    rollout: rollout.describe("Restarts each shard, one store gateway after the other."),
    logging,
    pods,
    services,
    extra,
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
    replicaLabels: replicaLabelList
      .default([])
      .describe(
        "Labels of `querier.replicaLabels` whose blocks are merged too, **for good**, as the stack's own are: behind a ring, and beside a single " +
          "Prometheus, sample by sample, which is right for what receivers stored and would keep the samples of both of a pair; beside pairs with " +
          "sidecars by `penalty`, which is right for pairs and would drop samples of receivers. Left out: such blocks are compacted each by itself, take " +
          "their space, and are served once ([why](decisions.md#what-others-left-is-merged-only-where-that-is-written)).",
      ),
    shards: count(1, 32)
      .default(1)
      .describe(
        "Compactors, each for its share of the tenants, by a hash of `tenancy.label` and `cluster.label`: what is merged with each other is always " +
          "one's. So more than one are of use only for many tenants whose blocks one can't keep up with; a tenant is never divided. Each has `storage` " +
          "and `resources` of its own, not with `hostPath`. To change it ends all of them before the first one begins anew " +
          "([why](decisions.md#compactors-are-divided-by-tenant-and-change-all-at-once)).",
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
        "With `hostPath` it is one node, since there is one compactor then.",
    ),
    rollout,
    logging: plainLogging,
    pods,
    services,
    extra,
    resources: resources("500m", "2Gi"),
  })
  .describe("Merges, downsamples and drops blocks. There is exactly one for each block.");

/** Schema of `objectStorage`. */
export const objectStorageSettings = z
  .strictObject({
    ...bucketShape,
    prefix: bucketPrefix
      .optional()
      .describe("Directory within the bucket, so that several stacks can share one. Left out: the bucket's root."),
    serviceAccountAnnotations: annotations
      .default({})
      .describe(
        "Annotations that give the service accounts of whatever reaches the bucket an identity of the cloud, such as " +
          "`eks.amazonaws.com/role-arn`. With those of `azure.workload.identity/` its pods get the label that Azure's webhook asks for.",
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
    (chosen) => (Object.keys(bucketShape) as (keyof typeof bucketShape)[]).filter((kind) => chosen[kind] !== undefined).length === 1,
    "exactly one of s3, gcs, azure, filesystem and secret",
  )
  .refine(
    ({ secret, prefix }) => secret === undefined || prefix === undefined,
    "prefix in the Secret's own configuration: a key of ours would be another one",
  )
  .optional()
  .describe(
    "A bucket for long-term storage, and what serves and compacts it. Its credentials are [a key of their own](#credentials-of-the-bucket), " +
      "`objectStorageCredentials`. Left out: queries reach no further back than local retention.",
  );
