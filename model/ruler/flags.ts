import { stringify } from "yaml";
import { OBJECT_STORE_FLAG } from "../bucket/mount";
import type { Addresses } from "../kubernetes/addresses";
import { RULER_APP } from "../kubernetes/identities";
import { GRPC_PORT, HTTP_PORT, QUERY_HTTP_PORT } from "../kubernetes/ports";
import { alertmanagerInFile, rulerUsesProxy } from "../prometheus/alerting";
import { queueConfig, RULE_FILES } from "../prometheus/config";
import { readLimitFlags, STORES } from "../reads/limits";
import { clusterLabels } from "../settings/externalLabels";
import { externalQueryUrl, prefixFlags } from "../settings/externalUrl";
import { RULE_REPLICA_LABEL } from "../settings/replicaLabels";
import type { RulerSettings, Settings } from "../settings/schema";
import { type Process, telemetryFlags } from "../telemetry/files";
import { grpcServerFlags, remoteWriteClient, TLS_DIRECTORY } from "../tls/flags";
import { servesTls } from "../tls/plan";
import { alertmanagerAt } from "../values/hosts";
import { inArgument } from "../values/literal";
import { goDuration } from "../values/quantity";

/** Command line and files of the ruler. Source: thanos v0.42.4 cmd/thanos/rule.go, docs/components/rule.md. */

/** Where a ruler keeps its samples, or the log of those that it has yet to send. */
export const RULER_DATA = "/var/thanos/rule";
/** Where the rule files are mounted. */
export const RULER_RULES_DIRECTORY = "/etc/thanos/rules";
/** Where a stateless ruler's remote-write configuration is mounted. */
export const RULER_REMOTE_WRITE_DIRECTORY = "/etc/thanos/remote-write";
/** Where the configuration of the Alertmanagers is mounted, where they ask who sends. */
export const RULER_ALERTING_DIRECTORY = "/etc/thanos/alertmanagers";
/** Name of the configuration of the Alertmanagers. */
export const RULER_ALERTING_FILE = "alertmanagers.yaml";
/** Name of a stateless ruler's remote-write configuration. */
export const RULER_REMOTE_WRITE_FILE = "remote-write.yaml";

/** The ruler's process, for its logs and traces. */
export const rulerProcess = ({ logging }: RulerSettings): Process => ({ name: RULER_APP, logging, serves: true });

/**
 * Arguments of the ruler. A group's strategy for partial answers stays Thanos' default, abort: over half of the series an alert would be
 * silent or wrong, and the next evaluation comes soon.
 *
 * No label is ignored when a stateless ruler takes up pending alerts again (`--restore-ignored-label`): an alert about a target
 * has the external labels itself, and is found by all of its labels (prometheus rules/group.go `RestoreForState`). One that
 * aggregates them away waits for its `for` anew.
 *
 * @param addresses The queriers' and people's addresses.
 */
export function rulerFlags(
  settings: Settings,
  ruler: RulerSettings,
  addresses: Pick<Addresses, "queryGrpcAddress" | "queryUrl">,
): string[] {
  const { prometheus, alerting, querier } = settings;
  // The pods behind the queriers' headless Service, one by one: where one does not answer, the same evaluation asks
  // another (rule.go `queryFuncCreator`).
  const queriers = `dns+${addresses.queryGrpcAddress.replace(/:\d+$/, "")}:${QUERY_HTTP_PORT}`;
  // As Prometheus would have labelled the same results.
  const labels = { ...prometheus.externalLabels, ...clusterLabels(settings) };
  return [
    "rule",
    `--grpc-address=:${GRPC_PORT}`,
    `--http-address=:${HTTP_PORT}`,
    "--enable-auto-gomemlimit",
    `--data-dir=${RULER_DATA}`,
    ...RULE_FILES.map((pattern) => `--rule-file=${RULER_RULES_DIRECTORY}/${pattern}`),
    `--eval-interval=${goDuration(ruler.evaluationInterval)}`,
    `--rule-query-offset=${goDuration(ruler.queryOffset)}`,
    `--query=${queriers}`,
    `--query.sd-dns-interval=${goDuration(querier.discoveryInterval)}`,
    ...Object.entries(labels).map(([label, value]) => `--label=${label}=${inArgument(JSON.stringify(value))}`),
    `--label=${RULE_REPLICA_LABEL}="$(POD_NAME)"`,
    `--alert.query-url=${externalQueryUrl(settings) ?? addresses.queryUrl}`,
    ...prefixFlags(ruler.externalUrl),
    // Alertmanager knows an alert by its labels.
    `--alert.label-drop=${RULE_REPLICA_LABEL}`,
    ...(hasAlertingFile(settings)
      ? [`--alertmanagers.config-file=${RULER_ALERTING_DIRECTORY}/${RULER_ALERTING_FILE}`]
      : alerting.alertmanagers.map((address) => `--alertmanagers.url=${address}`)),
    ...(ruler.mode === "stateless"
      ? [`--remote-write.config-file=${RULER_REMOTE_WRITE_DIRECTORY}/${RULER_REMOTE_WRITE_FILE}`]
      : [
          `--tsdb.retention=${ruler.retention}`,
          "--tsdb.block-duration=2h",
          ...(settings.objectStorage === undefined ? [] : [OBJECT_STORE_FLAG]),
        ]),
    // Samples that a ruler has not sent before a restart are not sent after it either, so one that writes is restarted in the first step
    // only.
    ...grpcServerFlags(settings, servesTls(settings) || (settings.tls !== undefined && ruler.mode === "stateless")),
    ...readLimitFlags(settings, STORES.ruler(ruler)),
    ...telemetryFlags(settings, rulerProcess(ruler)),
  ];
}

/** Remote-write file of a stateless ruler. Without a tenant's header the ring takes it for the default tenant, as it takes Prometheus. */
export function rulerRemoteWriteConfig(settings: Settings, url: string): string {
  return stringify(
    {
      remote_write: [
        {
          url,
          name: "receive",
          ...remoteWriteClient(settings, TLS_DIRECTORY),
          // Receivers of 0.42 store no metadata (thanos handler.go).
          metadata_config: { send: false },
          send_native_histograms: true,
          queue_config: queueConfig(settings.prometheus.remoteWrite),
        },
      ],
    },
    { lineWidth: 0 },
  );
}

/** Whether the Alertmanagers are told of in a file: a flag has no place for who sends, and by which way. */
export const hasAlertingFile = (settings: Settings): boolean => {
  const { alertmanagers, client } = settings.alerting;
  return alertmanagers.some((address) => Object.keys(client).length > 0 || rulerUsesProxy(settings, address));
};

/** The file of Alertmanagers. Source: thanos v0.42.4 pkg/alert/config.go, pkg/clientconfig/http.go. */
export function rulerAlertingConfig(settings: Settings): string {
  const { alerting, network } = settings;
  const { authorization, ...client } = alerting.client as { authorization?: { credentials_file?: string } };
  const token = authorization?.credentials_file;
  return stringify(
    {
      alertmanagers: alerting.alertmanagers.map((address) => {
        const { scheme, path } = alertmanagerAt(address);
        return {
          scheme,
          static_configs: [alertmanagerInFile(address)],
          ...(path === "" ? {} : { path_prefix: path }),
          api_version: "v2",
          http_config: {
            ...client,
            ...(token === undefined ? {} : { bearer_token_file: token }),
            ...(rulerUsesProxy(settings, address) ? { proxy_url: network.proxy?.url } : {}),
          },
        };
      }),
    },
    { lineWidth: 0 },
  );
}
