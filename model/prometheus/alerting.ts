import { urlGoesThroughProxy } from "../kubernetes/proxy";
import { PROMETHEUS_REPLICA_LABEL } from "../settings/replicaLabels";
import type { Settings } from "../settings/schema";
import { alertmanagerAt, portOfUrl, splitHost } from "../values/hosts";

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
export function alertingConfig(settings: Settings): AlertingConfig | Record<string, never> {
  const { alerting } = settings;
  if (alerting.alertmanagers.length === 0) return {};
  return {
    alerting: {
      alert_relabel_configs: [{ regex: PROMETHEUS_REPLICA_LABEL, action: "labeldrop" }],
      alertmanagers: alerting.alertmanagers.map((address) => {
        const { scheme, path, lookup } = alertmanagerAt(address);
        const client = lookup === undefined ? byProxy(settings, alerting.client) : alerting.client;
        return { scheme, ...(path === "" ? {} : { path_prefix: path }), ...discovery(address), ...client };
      }),
    },
  };
}

/** Thanos' port of an Alertmanager that is looked up without one (thanos v0.42.4 pkg/alert/alert.go `defaultAlertmanagerPort`). */
const DEFAULT_PORT = 9093;

/** Port at which an Alertmanager is asked; undefined where records of DNS say it. */
function portOf(address: string): number | undefined {
  const { lookup, port } = alertmanagerAt(address);
  if (lookup === undefined) return portOfUrl(address);
  return lookup === "dns" ? Number(port ?? DEFAULT_PORT) : undefined;
}

/** How Prometheus finds them: Thanos' lookups are its service discovery, at the same interval. */
function discovery(address: string): Discovery {
  const { lookup, server } = alertmanagerAt(address);
  if (lookup === undefined) return { static_configs: [{ targets: [server] }] };
  const { host } = splitHost(server);
  const port = portOf(address);
  if (port === undefined) return { dns_sd_configs: [{ names: [host], type: "SRV" }] };
  // Thanos asks for addresses of both versions; a name without one kind is no fault (discovery/dns/dns.go `lookupWithSearchPath`).
  return { dns_sd_configs: (["A", "AAAA"] as const).map((type) => ({ names: [host], type, port })) };
}

/** The address as Thanos' file of Alertmanagers has it: without scheme and path, and looked up with a port. */
export function alertmanagerInFile(address: string): string {
  const { lookup, server, port } = alertmanagerAt(address);
  const withPort = lookup === "dns" && port === undefined ? `${server}:${portOf(address)}` : server;
  return lookup === undefined ? server : `${lookup}+${withPort}`;
}

/** Fields by which a client of Prometheus says of itself how it reaches servers. */
const OWN_WAY = ["proxy_url", "proxy_from_environment"];

/** How Prometheus reaches something outside: by the stack's proxy, where there is one and the client has no way of its own. */
export const byProxy = ({ network }: Settings, client: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  network.proxy === undefined || OWN_WAY.some((field) => client[field] !== undefined)
    ? { ...client }
    : { ...client, proxy_from_environment: true };

/**
 * Whether a ruler reaches an Alertmanager through the stack's proxy. Thanos' client is told of it, since it knows no environment. One that
 * is looked up is asked by its address, of which a list of names to spare says nothing: it is reached without the proxy.
 */
export function rulerUsesProxy(settings: Settings, alertmanager: string): boolean {
  if (OWN_WAY.some((field) => settings.alerting.client[field] !== undefined)) return false;
  return alertmanagerAt(alertmanager).lookup === undefined && urlGoesThroughProxy(settings, alertmanager);
}

/**
 * Ports at which rulers reach Alertmanagers themselves, each once. Undefined where records of DNS say it: then any.
 */
export function alertmanagerPorts(settings: Settings): (number | undefined)[] {
  const direct = settings.alerting.alertmanagers.filter((address) => !rulerUsesProxy(settings, address));
  const ports = direct.map(portOf);
  if (ports.includes(undefined)) return [undefined];
  return [...new Set(ports)].sort((a = 0, b = 0) => a - b);
}
