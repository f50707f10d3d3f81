import { PROMETHEUS_REPLICA_LABEL } from "../settings/replicaLabels";
import type { Settings } from "../settings/schema";
import { alertmanagerAt, splitHost } from "../values/hosts";

/** The `alerting` block of prometheus.yml. Source: prometheus docs/configuration/configuration.md, `alertmanager_config`, 3.x. */
export interface AlertingConfig {
  alerting: {
    alert_relabel_configs: Record<string, unknown>[];
    alertmanagers: ({ scheme: string; path_prefix?: string } & Discovery)[];
  };
}

type Discovery =
  | { static_configs: { targets: string[] }[] }
  | { dns_sd_configs: { names: string[]; type: "SRV" | "A" | "AAAA"; port?: number }[] };

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
        const { scheme, path } = alertmanagerAt(address);
        return { scheme, ...(path === "" ? {} : { path_prefix: path }), ...discovery(address), ...alerting.client };
      }),
    },
  };
}

/** Thanos' port of an Alertmanager that is looked up without one (thanos v0.42.4 pkg/alert/alert.go `defaultAlertmanagerPort`). */
const DEFAULT_PORT = 9093;

/** How Prometheus finds them: Thanos' lookups are its service discovery, at the same interval. */
function discovery(address: string): Discovery {
  const { lookup, server } = alertmanagerAt(address);
  if (lookup === undefined) return { static_configs: [{ targets: [server] }] };
  const { host, port } = splitHost(server);
  if (lookup !== "dns") return { dns_sd_configs: [{ names: [host], type: "SRV" }] };
  // Thanos asks for addresses of both versions; a name without one kind is no fault (discovery/dns/dns.go `lookupWithSearchPath`).
  return { dns_sd_configs: (["A", "AAAA"] as const).map((type) => ({ names: [host], type, port: Number(port ?? DEFAULT_PORT) })) };
}

/** The address as Thanos' file of Alertmanagers has it: without scheme and path, and looked up with a port. */
export function alertmanagerInFile(address: string): string {
  const { lookup, server, port } = alertmanagerAt(address);
  const withPort = lookup === "dns" && port === undefined ? `${server}:${DEFAULT_PORT}` : server;
  return lookup === undefined ? server : `${lookup}+${withPort}`;
}

/**
 * Ports of the Alertmanagers, each once: where whoever evaluates rules must reach out to. Undefined where records of DNS say it: then any.
 */
export function alertmanagerPorts({ alerting }: Settings): (number | undefined)[] {
  const ports = alerting.alertmanagers.map((address) => {
    const { lookup, scheme, port } = alertmanagerAt(address);
    if (port !== undefined) return Number(port);
    if (lookup !== undefined) return lookup === "dns" ? DEFAULT_PORT : undefined;
    return scheme === "https" ? 443 : 80;
  });
  if (ports.includes(undefined)) return [undefined];
  return [...new Set(ports)].sort((a = 0, b = 0) => a - b);
}
