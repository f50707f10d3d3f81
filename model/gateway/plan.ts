import { GATEWAY_SERVICES, GATEWAY_UPSTREAM_SERVICE, type Identity, RECEIVE_IDENTITY, ROUTER_IDENTITY } from "../kubernetes/identities";
import type { RingPlan } from "../ring/plan";
import type { GatewaySettings } from "../settings/gateway";
import { type Endpoint, gatewayEndpoints, holdsReaders } from "../settings/gatewayEndpoints";
import type { Settings } from "../settings/schema";
import { tlsServerName } from "../tls/plan";
import { hostOf, type Upstream } from "./haproxy";

/** The gateway of an environment: what it has, and what is behind it. */
export interface GatewayPlan {
  settings: GatewaySettings;
  endpoints: Endpoint[];
  upstream: Upstream;
  /** Component that takes what is written; undefined where nobody writes. */
  writesTo: Identity | undefined;
  /** Whether a reader sees some tenants only, and goes through prom-label-proxy. */
  heldReaders: boolean;
  /** URLs inside the cluster. */
  remoteWriteUrl: string | undefined;
  queryUrl: string | undefined;
}

/**
 * The gateway; undefined without one.
 *
 * @param ring The ring behind it; undefined in the sidecar scheme.
 * @param queryUrl URL of whatever answers queries.
 */
export function planGateway(settings: Settings, ring: RingPlan | undefined, queryUrl: string): GatewayPlan | undefined {
  const { gateway, namespace, cluster } = settings;
  if (gateway === undefined) return undefined;
  const endpoints = gatewayEndpoints(settings);
  const host = (service: string) => `${service}.${namespace}.svc.${cluster.domain}`;
  const routers = ring?.settings.mode === "split" ? (ring.settings.routers.autoscaling?.max ?? ring.settings.routers.replicas) : undefined;
  const receivers = ring?.rings.reduce((sum, { members }) => sum + members.length, 0) ?? 0;
  const writes = endpoints.includes("write") && ring !== undefined;
  return {
    settings: gateway,
    endpoints,
    // One more for each, since pods that go and come overlap.
    upstream: {
      write: writes ? { host: host(GATEWAY_UPSTREAM_SERVICE), pods: 2 * (routers ?? receivers) } : undefined,
      query: hostOf(queryUrl),
      // Also in the step before they serve TLS: a receiver that does answers 400 to plain text, which senders drop.
      serverName: settings.tls === undefined ? undefined : tlsServerName(settings),
    },
    writesTo: writes ? (routers === undefined ? RECEIVE_IDENTITY : ROUTER_IDENTITY) : undefined,
    heldReaders: holdsReaders(settings),
    remoteWriteUrl: writes ? `https://${host(GATEWAY_SERVICES.write)}/api/v1/receive` : undefined,
    queryUrl: endpoints.includes("query") ? `https://${host(GATEWAY_SERVICES.query)}` : undefined,
  };
}
