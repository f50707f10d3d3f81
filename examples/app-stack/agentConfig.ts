import { stringify } from "yaml";
import { REPLICA_LABEL, type Sender } from "./sender";

/** prometheus.yml of the agent: the application's pods are scraped, everything goes to the platform. Pure. */

/**
 * Annotation with the path of a pod's metrics. The platform's own Prometheus scrapes pods with
 * `prometheus.io/scrape`, which no pod here has.
 */
export const METRICS_PATH_ANNOTATION = "prometheus.io/path";
/** Name of the container port that is scraped. */
export const HTTP_PORT_NAME = "http";

/** Where the agent has what it shows the platform's gateway. */
export const GATEWAY_DIRECTORY = "/etc/prometheus/gateway";
/** Names of the files there. */
export const TOKEN_FILE = "token";
export const CA_FILE = "ca.crt";

/** Where it has what it shows receivers that want a certificate: files of the platform's CA, certificate and key. */
export const CLIENT_DIRECTORY = "/etc/prometheus/client";
export const CLIENT_FILES = { ca: "ca.crt", certificate: "tls.crt", key: "tls.key" } as const;

/** Facts from which the configuration is made. */
export interface AgentTarget {
  namespace: string;
  app: string;
  scrapeInterval: string;
  /** Where to write; from the platform's outputs. */
  remoteWriteUrl: string;
  /** The header that names the tenant; from the platform's outputs. */
  tenantHeader: string;
  sender: Sender;
  /**
   * Whether the platform's gateway takes what is written: it is shown a token, and names the tenant itself. Its CA is a file, or one that
   * everybody trusts.
   */
  gateway?: { hasCa: boolean };
  /** Receivers that want a certificate, and the name in theirs; absent where a gateway is before them, or nothing is encrypted. */
  client?: { serverName: string };
}

/** Who the agent is to whatever it writes to. */
function credentials({ gateway, client, tenantHeader, sender }: AgentTarget): object {
  const headers = { [tenantHeader]: sender.tenant };
  if (client !== undefined) {
    const at = (file: keyof typeof CLIENT_FILES) => `${CLIENT_DIRECTORY}/${CLIENT_FILES[file]}`;
    return {
      headers,
      tls_config: { ca_file: at("ca"), cert_file: at("certificate"), key_file: at("key"), server_name: client.serverName },
    };
  }
  if (gateway === undefined) return { headers };
  return {
    authorization: { credentials_file: `${GATEWAY_DIRECTORY}/${TOKEN_FILE}` },
    ...(gateway.hasCa ? { tls_config: { ca_file: `${GATEWAY_DIRECTORY}/${CA_FILE}` } } : {}),
  };
}

/** The file's text. The pod's name is expanded by Prometheus itself from the environment. */
export function agentConfig(target: AgentTarget): string {
  return stringify(
    {
      global: {
        scrape_interval: target.scrapeInterval,
        // Both forms of a histogram that has both: dashboards ask for the buckets by name.
        scrape_native_histograms: true,
        always_scrape_classic_histograms: true,
        external_labels: {
          ...target.sender.externalLabels,
          // biome-ignore lint/suspicious/noTemplateCurlyInString: Prometheus expands it from the pod's environment.
          [REPLICA_LABEL]: "${POD_NAME}",
        },
      },
      scrape_configs: [
        {
          job_name: "pods",
          kubernetes_sd_configs: [
            {
              role: "pod",
              namespaces: { names: [target.namespace] },
              selectors: [{ role: "pod", label: `app.kubernetes.io/part-of=${target.app}` }],
            },
          ],
          relabel_configs: [
            { source_labels: ["__meta_kubernetes_pod_container_port_name"], regex: HTTP_PORT_NAME, action: "keep" },
            { source_labels: ["__meta_kubernetes_pod_phase"], regex: "Pending|Succeeded|Failed|Completed", action: "drop" },
            {
              source_labels: ["__meta_kubernetes_pod_annotation_prometheus_io_path"],
              regex: "(.+)",
              target_label: "__metrics_path__",
            },
            { source_labels: ["__meta_kubernetes_pod_label_app_kubernetes_io_name"], target_label: "job" },
            { source_labels: ["__meta_kubernetes_namespace"], target_label: "namespace" },
            { source_labels: ["__meta_kubernetes_pod_name"], target_label: "pod" },
          ],
        },
      ],
      remote_write: [
        {
          name: "platform",
          url: target.remoteWriteUrl,
          ...credentials(target),
          // Receivers of Thanos 0.42 store no metadata.
          metadata_config: { send: false },
          send_exemplars: true,
          send_native_histograms: true,
          queue_config: {
            max_shards: 10,
            batch_send_deadline: "2s",
            // Without it a limited tenant's samples are dropped instead of sent later.
            retry_on_http_429: true,
          },
        },
      ],
    },
    { lineWidth: 0 },
  );
}
