import { PROMETHEUS_REPLICA_LABEL } from "../settings/replicaLabels";
import type { Settings } from "../settings/schema";
import { serverOf } from "../values/hosts";

/** The `alerting` block of prometheus.yml. Source: prometheus docs/configuration/configuration.md, `alertmanager_config`, 3.x. */
export interface AlertingConfig {
  alerting: {
    alert_relabel_configs: Record<string, unknown>[];
    alertmanagers: { scheme: string; path_prefix?: string; static_configs: { targets: string[] }[] }[];
  };
}

/**
 * Where a Prometheus that evaluates rules sends its alerts; an empty object where there is no Alertmanager. The replica label is dropped on
 * the way: Alertmanager knows an alert by its labels, and a pair's two alerts would be two notifications.
 */
export function alertingConfig({ alerting }: Settings): AlertingConfig | Record<string, never> {
  if (alerting.alertmanagers.length === 0) return {};
  return {
    alerting: {
      alert_relabel_configs: [{ regex: PROMETHEUS_REPLICA_LABEL, action: "labeldrop" }],
      alertmanagers: alerting.alertmanagers.map((address) => {
        const { scheme, server, path } = serverOf(address);
        return { scheme, ...(path === "" ? {} : { path_prefix: path }), static_configs: [{ targets: [server] }], ...alerting.client };
      }),
    },
  };
}

/** Ports of the Alertmanagers, each once: where whoever evaluates rules must reach out to. */
export function alertmanagerPorts({ alerting }: Settings): number[] {
  const ports = alerting.alertmanagers.map((address) => {
    const { scheme, port } = serverOf(address);
    return port === undefined ? (scheme === "https" ? 443 : 80) : Number(port);
  });
  return [...new Set(ports)].sort((a, b) => a - b);
}
