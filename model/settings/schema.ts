import { z } from "zod";
import { isDnsName } from "../values/kubernetesNames";
import { IMAGES } from "../values/versions";
import { accessSchema } from "./access";
import { alertingSettings } from "./alerting";
import { credentialsFromSettings } from "./credentials";
import { exposeSettings } from "./expose";
import { clusterName, count, fitsRegistry, fromRegistry, image, kubeconfig, namespaceName, ownLabel, registry, zone } from "./forms";
import { gatewaySettings } from "./gateway";
import { loadSettings } from "./load";
import { networkSettings } from "./network";
import { objectStorageSettings } from "./objectStorage";
import { namespaceMetadata, pods, services } from "./pods";
import { prometheusSettings } from "./prometheus";
import { querierSettings, queryFrontendSettings } from "./query";
import { receiveSettings } from "./receive";
import { REPLICA_LABELS } from "./replicaLabels";
import { rulerSettings } from "./ruler";
import type { storage } from "./storage";
import { TARGET_LABELS } from "./targetLabels";
import { loggingSettings, tracingSettings } from "./telemetry";
import { tenancySchema } from "./tenancy";
import { tlsSettings } from "./tls";

/**
 * The schema of an environment: every key of `Pulumi.<stack>.yaml` under `thanos-stack:`. Strict at every level, so that a typing error is
 * an error; defaults are those of a production ring, and a smaller environment says where it is smaller.
 *
 * Its descriptions are docs/configuration.md and config/stack.schema.json, which `npm run docs` makes: Markdown, with
 * links relative to docs/. What is `shared` is described there once, under that heading.
 */

const clusterLabel = ownLabel.refine(
  (label) => !REPLICA_LABELS.includes(label),
  `a label that is none of the replica labels ${REPLICA_LABELS.join(", ")}`,
);

/** Risks that an environment can take only by naming them. */
export const ACCEPTABLE_RISKS = {
  "data-loss": "replication factor 1: losing one receiver's disk loses its samples",
  "one-copy-acknowledgement": "replication factor 2: Thanos acknowledges with one replica (thanos #7669)",
  "replicas-on-one-node": "soft anti-affinity: several replicas of a series may be on one node and be lost with it",
  "history-loss":
    "shrinking a ring without a bucket, or without waiting for uploads into it: what the leaving receivers hold is no longer answered",
  "storage-replacement": "StatefulSets without protection: a change may replace them and their storage",
  "open-doors":
    "an endpoint open to everybody: Thanos has no authentication, so whatever reaches the cluster's network writes for every tenant or reads everything",
  "no-limit": "a limit of 0, which is none: one sender, one target or one query can fill the memory of what takes it, for everybody",
  "any-tenant":
    "a ring for any tenant: each name that a sender makes up is a database of its own in every receiver, until their memory is full",
  "ending-certificates": "a certificate that ends within 30 days: from then on every connection that rests on it fails",
  "plain-caches":
    "memcached beside tls: Thanos speaks to it in plain text, so that whoever listens on the network reads cached answers, postings and chunks",
} as const;

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
          "Name of that label: the one by which an existing fleet tells its clusters apart. Not one that series have of their own, from targets " +
            `or rules: ${TARGET_LABELS.map((label) => `\`${label}\``).join(", ")}, or any that begins with \`__\`. The dashboards select by ` +
            "`cluster` unless they are [adapted](operations.md#dashboards-by-another-label).",
        ),
      context: z
        .string()
        .min(1)
        .describe("Context of the kubeconfig. Always named: nothing is ever deployed to whatever the shell points at."),
      kubeconfig: kubeconfig
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

  load: loadSettings,

  tenancy: tenancySchema.prefault({}).describe("How senders name their tenant, and which tenants there are."),

  images: z
    .strictObject({
      thanos: image
        .default(IMAGES.thanos)
        .describe(
          "Every Thanos component. A mirror's address, a digest, another patch of 0.42, or 0.41 where an [upgrade](operations.md#upgrade) " +
            "begins: flags come and go between releases, and an unknown one stops every pod.",
        ),
      prometheus: image
        .default(IMAGES.prometheus)
        .describe("Prometheus, 3.8.0 or later: earlier ones don't know a field of its configuration, and end at their start."),
      memcached: image.default(IMAGES.memcached).describe("The caches of query frontend and store gateways."),
      haproxy: image
        .default(IMAGES.haproxy)
        .describe(
          "The gateway: HAProxy 2.6 or later, with its exporter for Prometheus built in, as the official images and Debian's have it.",
        ),
      promLabelProxy: image
        .default(IMAGES.promLabelProxy)
        .describe("prom-label-proxy beside HAProxy, 0.12 or later: earlier ones don't know a flag, and end at their start."),
      registry: registry
        .optional()
        .describe(
          "A mirror from which all images come, such as `registry.example:5000/mirror`: it stands in place of each image's own registry. Its " +
            "login: `pods.imagePullSecrets`.",
        ),
    })
    .refine(({ registry: mirror, ...images }) => fitsRegistry(images, mirror), {
      error: "a shorter path, so that the name of each image has at most 255 characters behind the registry",
      path: ["registry"],
      params: { rule: "container runtimes refuse a longer name" },
    })
    .transform(({ registry: mirror, ...images }) => fromRegistry(images, mirror))
    .prefault({})
    .describe("Images, where a mirror or another tested version is wanted. The defaults are what this release was tested with."),

  pods,

  services,

  namespaceMetadata,

  logging: loggingSettings,

  tracing: tracingSettings,

  access: accessSchema.prefault({}).describe("Who reaches the stack's endpoints, by namespace and by network. Everything else is closed."),

  gateway: gatewaySettings,

  expose: exposeSettings,

  network: networkSettings.describe("What the stack needs of the cluster's network."),

  tls: tlsSettings,

  ingestion: z
    .enum(["receive", "sidecar"])
    .default("receive")
    .describe(
      "How samples reach the querier. `receive`: Prometheus remote-writes into a ring of receivers. `sidecar`: each Prometheus keeps its " +
        "samples and a sidecar in its pod serves them; nobody else can write, and the key `receive` may stay in the file without effect.",
    ),

  objectStorage: objectStorageSettings,

  credentialsFrom: credentialsFromSettings.describe(
    "Files of Secrets that exist already (External Secrets, Vault or an operator makes them), by the name of the file. Beside the encrypted map " +
      "`credentials` ([both](#credentials)), with which they share their names.",
  ),

  ruler: rulerSettings,

  alerting: alertingSettings.describe("Where alerts are sent."),

  receive: receiveSettings,

  querier: querierSettings,

  queryFrontend: queryFrontendSettings,

  prometheus: prometheusSettings,
});

/** Everything that an environment chose, with every default filled in. */
export type Settings = z.output<typeof settingsSchema>;
/** Settings as an environment may write them. */
export type SettingsInput = z.input<typeof settingsSchema>;
/** A risk that can be accepted by name. */
export type AcceptableRisk = keyof typeof ACCEPTABLE_RISKS;
/** The ring's part of the settings. */
export type ReceiveSettings = NonNullable<Settings["receive"]>;
/** The bucket's part of the settings. */
export type ObjectStorageSettings = NonNullable<Settings["objectStorage"]>;
/** The ruler's part of the settings. */
export type RulerSettings = NonNullable<Settings["ruler"]>;
/** memcached servers of one purpose. */
export type CacheSettings = NonNullable<Settings["queryFrontend"]>["cache"];
/** CPU and memory of a container. */
export type ResourceSettings = Settings["querier"]["resources"];
/** Where a StatefulSet keeps its data. */
export type StorageSettings = z.output<typeof storage>;
