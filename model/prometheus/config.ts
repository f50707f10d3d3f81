import { stringify } from "yaml";
import { API_TOKEN_DIRECTORY } from "../kubernetes/apiToken";
import { COMPACTOR_APP, GATEWAY_APP } from "../kubernetes/identities";
import { JOBS } from "../kubernetes/jobs";
import { PART_OF } from "../kubernetes/labels";
import { CERTIFICATE_PATH, LABEL_PROXY_HTTP_PORT_NAME, SIDECAR_HTTP_PORT_NAME } from "../kubernetes/ports";
import { clusterLabels } from "../settings/externalLabels";
import { holdsReaders } from "../settings/gatewayEndpoints";
import { PROMETHEUS_REPLICA_LABEL } from "../settings/replicaLabels";
import type { Settings } from "../settings/schema";
import { PROMETHEUS_TLS_DIRECTORY, remoteWriteClient } from "../tls/flags";
import { inExternalLabel } from "../values/literal";
import { once } from "../values/once";
import { prometheusSize } from "../values/quantity";
import { alertingConfig, byProxy } from "./alerting";
import { annotatedTargetRules } from "./annotatedTargets";
import { keptSeries } from "./keptSeries";
import { tracingConfig } from "./tracing";

/** prometheus.yml: what is scraped, under which names, and where it is sent. Source: prometheus docs/configuration, 3.x. */

/** Where the configuration is mounted. */
export const PROMETHEUS_CONFIG_DIRECTORY = "/etc/prometheus/config";
/** Where the rule files are mounted. */
export const PROMETHEUS_RULES_DIRECTORY = "/etc/prometheus/rules";
/** Name of the configuration file. */
export const PROMETHEUS_CONFIG_FILE = "prometheus.yml";
/** Names of rule files. */
export const RULE_FILES = ["*.yaml", "*.yml"] as const;

type RelabelConfig = Record<string, unknown>;
interface ScrapeConfig {
  job_name: string;
  relabel_configs?: RelabelConfig[];
  [field: string]: unknown;
}

const clusterTls = { ca_file: `${API_TOKEN_DIRECTORY}/ca.crt` };
const clusterIdentity = { authorization: { type: "Bearer", credentials_file: `${API_TOKEN_DIRECTORY}/token` } };

function kubeletJob(job: string, path: string, { kubeletCertificates: certificates, keepAll }: Settings["prometheus"]): ScrapeConfig {
  return {
    job_name: job,
    scheme: "https",
    metrics_path: path,
    tls_config: certificates === "verify" ? clusterTls : { ...clusterTls, insecure_skip_verify: true },
    ...clusterIdentity,
    // The kubelet itself is asked, which needs `nodes/metrics` only; through the API server it would need
    // `nodes/proxy`, which can run commands.
    kubernetes_sd_configs: [{ role: "node" }],
    relabel_configs: [
      { source_labels: ["__meta_kubernetes_node_name"], target_label: "node" },
      { source_labels: ["__meta_kubernetes_node_label_topology_kubernetes_io_zone"], target_label: "zone" },
    ],
    ...(keepAll ? {} : { metric_relabel_configs: keptSeries() }),
  };
}

function apiServerJob({ keepAll }: Settings["prometheus"]): ScrapeConfig {
  return {
    job_name: JOBS.apiServer,
    scheme: "https",
    tls_config: { ...clusterTls, server_name: "kubernetes.default.svc" },
    ...clusterIdentity,
    kubernetes_sd_configs: [{ role: "endpointslice", namespaces: { names: ["default"] } }],
    relabel_configs: [
      {
        source_labels: ["__meta_kubernetes_service_name", "__meta_kubernetes_endpointslice_port_name"],
        regex: "kubernetes;https",
        action: "keep",
      },
    ],
    ...(keepAll ? {} : { metric_relabel_configs: keptSeries() }),
  };
}

const POD_IDENTITY: RelabelConfig[] = [
  { source_labels: ["__meta_kubernetes_namespace"], target_label: "namespace" },
  { source_labels: ["__meta_kubernetes_pod_name"], target_label: "pod" },
  { source_labels: ["__meta_kubernetes_pod_node_name"], target_label: "node" },
];

/** Annotations by which pods and services ask to be scraped: `prometheus.io/scrape`, `/scheme`, `/path`, `/port`. */
function annotated(role: "pod" | "service"): RelabelConfig[] {
  const annotation = (name: string) => `__meta_kubernetes_${role}_annotation_prometheus_io_${name}`;
  return [
    { source_labels: [annotation("scrape")], regex: "true", action: "keep" },
    { source_labels: [annotation("scheme")], regex: "(https?)", target_label: "__scheme__" },
    { source_labels: [annotation("path")], regex: "(.+)", target_label: "__metrics_path__" },
    // A pod that declares no port is found by its bare address, which in IPv6 ends where a port would begin.
    { source_labels: ["__address__"], regex: "([0-9A-Fa-f.]*(?::[0-9A-Fa-f.]*){2,})", replacement: "[$1]", target_label: "__address__" },
    {
      source_labels: ["__address__", annotation("port")],
      regex: "(\\[.+\\]|[^:]+)(?::\\d+)?;(\\d+)",
      replacement: "$1:$2",
      target_label: "__address__",
    },
  ];
}

// A pod with several ports is several targets of discovery; with the annotated port they become one, since equal targets are scraped once.
const LIVE_PODS: RelabelConfig = {
  source_labels: ["__meta_kubernetes_pod_phase"],
  regex: "Pending|Succeeded|Failed|Completed",
  action: "drop",
};

function stackJob(settings: Settings, sidecars: boolean): ScrapeConfig {
  // Ports of what is beside a pod's first program: its container's name is its job.
  const beside = [...(sidecars ? [SIDECAR_HTTP_PORT_NAME] : []), ...(holdsReaders(settings) ? [LABEL_PROXY_HTTP_PORT_NAME] : [])];
  return {
    job_name: JOBS.stack,
    kubernetes_sd_configs: [{ role: "pod", namespaces: { names: [settings.namespace] } }],
    relabel_configs: [
      {
        source_labels: ["__meta_kubernetes_pod_label_app_kubernetes_io_part_of", "__meta_kubernetes_pod_container_port_name"],
        regex: `${PART_OF};${beside.length > 0 ? `(http|${beside.join("|")})` : "http"}`,
        action: "keep",
      },
      LIVE_PODS,
      { source_labels: ["__meta_kubernetes_pod_label_app_kubernetes_io_name"], target_label: "job" },
      ...(beside.length > 0
        ? [
            {
              source_labels: ["__meta_kubernetes_pod_container_port_name", "__meta_kubernetes_pod_container_name"],
              regex: `${beside.length > 1 ? `(?:${beside.join("|")})` : beside.join("")};(.+)`,
              target_label: "job",
            },
          ]
        : []),
      ...POD_IDENTITY,
      ...compactorShard(settings),
    ],
    ...(settings.gateway === undefined ? {} : { metric_relabel_configs: COUNTED_REFUSALS }),
  };
}

/** The days of the certificate that each gateway shows, which are no part of HAProxy's own metrics. */
function gatewayCertificateJob({ namespace }: Settings): ScrapeConfig {
  return {
    job_name: JOBS.gatewayCertificate,
    metrics_path: CERTIFICATE_PATH,
    kubernetes_sd_configs: [{ role: "pod", namespaces: { names: [namespace] } }],
    relabel_configs: [
      {
        source_labels: [
          "__meta_kubernetes_pod_label_app_kubernetes_io_part_of",
          "__meta_kubernetes_pod_label_app_kubernetes_io_name",
          "__meta_kubernetes_pod_container_port_name",
        ],
        regex: `${PART_OF};${GATEWAY_APP};http`,
        action: "keep",
      },
      LIVE_PODS,
      ...POD_IDENTITY,
    ],
  };
}

/** Of what refuses, a backend for each reason and tenant, HAProxy tells a hundred series; one counts. */
const COUNTED_REFUSALS: RelabelConfig[] = [
  { source_labels: ["proxy"], regex: "(?:refused|unread):.+", replacement: "refusal", target_label: "__tmp_refusal" },
  {
    source_labels: ["__tmp_refusal", "__name__"],
    regex: "refusal;haproxy_backend_http_requests_total",
    replacement: "counted",
    target_label: "__tmp_refusal",
  },
  { source_labels: ["__tmp_refusal"], regex: "refusal", action: "drop" },
  { regex: "__tmp_refusal", action: "labeldrop" },
];

/**
 * The shard that a compactor works on, so that two of one shard are told from one each of two; and of how many, so that a missing one is.
 */
function compactorShard({ objectStorage }: Settings): RelabelConfig[] {
  const shards = objectStorage?.compactor.shards ?? 1;
  if (shards === 1) return [];
  const pod = {
    source_labels: ["__meta_kubernetes_pod_label_app_kubernetes_io_name", "__meta_kubernetes_pod_label_apps_kubernetes_io_pod_index"],
    regex: `${COMPACTOR_APP};(.+)`,
  };
  return [
    { ...pod, target_label: "compactor_shard" },
    { ...pod, target_label: "compactor_shards", replacement: String(shards) },
  ];
}

function annotatedJob(job: string, role: "pod" | "service", settings: Settings): ScrapeConfig {
  const { namespaces } = settings.prometheus;
  return {
    job_name: job,
    ...annotatedTargetRules(settings),
    kubernetes_sd_configs: [
      { role: role === "pod" ? "pod" : "endpointslice", ...(namespaces === undefined ? {} : { namespaces: { names: namespaces } }) },
    ],
    relabel_configs: [
      ...annotated(role),
      // This stack's pods are the stack job's; a second target would answer every one of their series twice.
      {
        source_labels: ["__meta_kubernetes_namespace", "__meta_kubernetes_pod_label_app_kubernetes_io_part_of"],
        regex: `${settings.namespace};${PART_OF}`,
        action: "drop",
      },
      LIVE_PODS,
      ...POD_IDENTITY,
      ...(role === "service" ? [{ source_labels: ["__meta_kubernetes_service_name"], target_label: "service" }] : []),
    ],
  };
}

/** Keeps a target in exactly one shard, by its address. */
function shardOf(shards: number, shard: number): RelabelConfig[] {
  if (shards === 1) return [];
  return [
    { source_labels: ["__address__"], modulus: shards, target_label: "__tmp_shard", action: "hashmod" },
    { source_labels: ["__tmp_shard"], regex: String(shard), action: "keep" },
  ];
}

/** One target of remote write. */
function remoteWrite(target: { name: string; url: string }, queue: Settings["prometheus"]["remoteWrite"]) {
  const { name, url, ...others } = target;
  return {
    url,
    name,
    ...others,
    // Receivers of 0.42 store no metadata (thanos handler.go).
    metadata_config: { send: false },
    send_exemplars: true,
    send_native_histograms: true,
    ...(queue.relabel.length === 0 ? {} : { write_relabel_configs: queue.relabel }),
    queue_config: queueConfig(queue),
  };
}

/** Whether Prometheus itself evaluates the rules: an agent can't, and a ruler does it over everything. */
export function evaluatesRules(settings: Settings): boolean {
  return settings.prometheus.mode === "server" && settings.ruler === undefined;
}

/** Names of the jobs whose targets this environment scrapes, as they appear in the label `job`. */
export function jobNames(settings: Settings): string[] {
  return [
    JOBS.kubelet,
    JOBS.cadvisor,
    JOBS.apiServer,
    JOBS.services,
    JOBS.pods,
    ...(settings.gateway === undefined ? [] : [JOBS.gatewayCertificate]),
    ...settings.prometheus.scrapeConfigs.map((job) => String(job.job_name)),
  ];
}

const literalLabels = (labels: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(labels).map(([label, value]) => [label, inExternalLabel(value)]));

function retained({ prometheus }: Settings, time: string) {
  const { size } = prometheus.retention;
  return { time, ...(size === undefined ? {} : { size: prometheusSize(size) }) };
}

/** Queue settings of remote write into the ring, of whoever writes: nothing is dropped while the ring can't take it. */
export function queueConfig(queue: Settings["prometheus"]["remoteWrite"]) {
  return {
    min_shards: 1,
    max_shards: queue.maxShards,
    capacity: queue.capacity,
    max_samples_per_send: queue.maxSamplesPerSend,
    batch_send_deadline: queue.batchSendDeadline,
    min_backoff: "250ms",
    max_backoff: "10s",
    // Without it a limited tenant's samples are dropped instead of sent later.
    retry_on_http_429: true,
  };
}

/** The plan of a shard, as far as its configuration needs it. */
export interface ShardPlan {
  /** Number of the shard, from 0. */
  shard: number;
  /** Where samples are sent; undefined in the sidecar scheme. */
  remoteWriteUrl: string | undefined;
  /** How long Prometheus keeps samples, such as `6h`. */
  retention: string;
}

/**
 * prometheus.yml of one shard. The pod's name is expanded by Prometheus itself from the environment, so that one text serves every replica.
 */
export const prometheusConfig = once(configText);

function configText(settings: Settings, { shard, remoteWriteUrl, retention }: ShardPlan): string {
  const { prometheus } = settings;
  const targets = [
    ...(remoteWriteUrl === undefined
      ? []
      : [{ name: "receive", url: remoteWriteUrl, ...remoteWriteClient(settings, PROMETHEUS_TLS_DIRECTORY) }]),
    ...prometheus.remoteWrite.otherTargets.map(({ url, headers, client }, index) => ({
      name: `other-${index}`,
      url,
      ...(Object.keys(headers).length === 0 ? {} : { headers }),
      ...byProxy(settings, client),
    })),
  ].map((target) => remoteWrite(target, prometheus.remoteWrite));
  const jobs: ScrapeConfig[] = [
    stackJob(settings, remoteWriteUrl === undefined),
    kubeletJob(JOBS.kubelet, "/metrics", prometheus),
    kubeletJob(JOBS.cadvisor, "/metrics/cadvisor", prometheus),
    apiServerJob(prometheus),
    annotatedJob(JOBS.services, "service", settings),
    annotatedJob(JOBS.pods, "pod", settings),
    ...(settings.gateway === undefined ? [] : [gatewayCertificateJob(settings)]),
    ...(prometheus.scrapeConfigs as ScrapeConfig[]),
  ];
  return stringify(
    {
      global: {
        scrape_interval: prometheus.scrapeInterval,
        scrape_timeout: prometheus.scrapeTimeout,
        evaluation_interval: prometheus.evaluationInterval,
        // Both forms of a histogram that has both: dashboards and rules of others ask for the buckets by name.
        scrape_native_histograms: true,
        always_scrape_classic_histograms: true,
        external_labels: {
          ...literalLabels(prometheus.externalLabels),
          ...literalLabels(clusterLabels(settings)),
          // biome-ignore lint/suspicious/noTemplateCurlyInString: Prometheus expands it from the pod's environment.
          [PROMETHEUS_REPLICA_LABEL]: "${POD_NAME}",
        },
      },
      ...(evaluatesRules(settings)
        ? { rule_files: RULE_FILES.map((pattern) => `${PROMETHEUS_RULES_DIRECTORY}/${pattern}`), ...alertingConfig(settings) }
        : {}),
      // The flags of the same names are deprecated.
      ...(prometheus.mode === "agent" ? {} : { storage: { tsdb: { retention: retained(settings, retention) } } }),
      scrape_configs: jobs.map((job) => ({
        ...job,
        relabel_configs: [...(job.relabel_configs ?? []), ...shardOf(prometheus.shards, shard)],
      })),
      ...(targets.length === 0 ? {} : { remote_write: targets }),
      ...tracingConfig(settings),
    },
    { aliasDuplicateObjects: false, lineWidth: 0 },
  );
}
