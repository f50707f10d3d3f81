import { identityServices } from "../bucket/cloudIdentity";
import { bucketHosts, bucketPort } from "../bucket/config";
import type { BucketPlan } from "../bucket/plan";
import { runningComponents } from "../kubernetes/components";
import type { ComponentName } from "../kubernetes/identities";
import {
  GATEWAY_QUERY_PORT,
  GATEWAY_WRITE_PORT,
  GRPC_PORT,
  HTTP_PORT,
  LABEL_PROXY_HTTP_PORT,
  MEMCACHED_PORT,
  QUERY_HTTP_PORT,
  REMOTE_WRITE_PORT,
} from "../kubernetes/ports";
import { goesThroughProxy, hasBucketServer } from "../kubernetes/proxy";
import { alertmanagerPorts, rulerUsesProxy } from "../prometheus/alerting";
import { limitsActiveSeries } from "../ring/limits";
import { ringOf, type Scheme } from "../ring/plan";
import { accessListOf } from "../settings/access";
import { gatewayEndpoints, holdsReaders } from "../settings/gatewayEndpoints";
import type { NameServer } from "../settings/network";
import type { Settings } from "../settings/schema";
import { portOfUrl, splitHost } from "../values/hosts";

/**
 * Who is at one end of an edge: a component of this stack, everybody, or every pod of some namespaces and
 * what has an address in some networks.
 */
export type Peer = { component: ComponentName } | { anyone: true } | { namespaces?: string[]; networks?: string[] };

/** One permitted connection. */
export interface Edge {
  from: Peer;
  to: Peer;
  /** TCP port; absent: every port. */
  port?: number;
  /** The traffic over it. */
  purpose: string;
}

const peer = (component: ComponentName): Peer => ({ component });
const anyone: Peer = { anyone: true };

/**
 * The edge of those whom a list in `access` names; of everybody where there is no list, none where it names nobody, since
 * a rule without peers is one for all.
 */
function edgesOf(entries: readonly string[] | undefined, edge: Omit<Edge, "from">): Edge[] {
  if (entries === undefined) return [{ from: anyone, ...edge }];
  return entries.length === 0 ? [] : [{ from: accessListOf(entries), ...edge }];
}

/**
 * The edges of those whom a list in `access` names: to the endpoint itself, or through the gateway where that has one for it.
 *
 * @param gatewayPort Port of the gateway's endpoint; undefined where it has none.
 */
function othersEdges(entries: readonly string[] | undefined, gatewayPort: number | undefined, edge: Omit<Edge, "from">): Edge[] {
  if (gatewayPort === undefined) return edgesOf(entries, edge);
  return [
    ...edgesOf(entries, { to: peer("gateway"), port: gatewayPort, purpose: `${edge.purpose} at the gateway` }),
    { ...edge, from: peer("gateway"), purpose: `${edge.purpose} from the gateway` },
  ];
}

/** Who answers at a name server. */
export function nameServerPeer({ namespace, network }: NameServer): Peer {
  if (namespace !== undefined) return { namespaces: [namespace] };
  if (network !== undefined) return { networks: [network] };
  throw new Error("a name server has a namespace or a network");
}

/** Beginning of the names of policies with what the environment adds. */
export const FURTHER_POLICY = "further-";

/**
 * Edges that the environment adds to those of the data path (`network.edges`).
 *
 * @param component At one of whose ends.
 */
export function furtherEdges({ network }: Pick<Settings, "network">, component: ComponentName): Edge[] {
  return network.edges
    .filter((edge) => edge.component === component)
    .flatMap(({ from, to, ports }) =>
      ports.map((port) => ({
        from: from === undefined ? peer(component) : accessListOf(from),
        to: to === undefined ? peer(component) : accessListOf(to),
        port,
        purpose: from === undefined ? "further connections outwards" : "further connections inwards",
      })),
    );
}

/** Where a proxy is; everywhere where nobody says it. */
const proxyPeer = (to: readonly string[] | undefined): Peer => (to === undefined ? anyone : accessListOf(to));

/** The part of an environment's plan that decides who connects to whom. */
export interface ConnectedPlan {
  scheme: Scheme;
  /** Absent without a bucket. */
  bucket?: BucketPlan;
}

/**
 * Every connection that the data path needs, and no other. Port 19391 (Cap'n Proto, without authentication) is in none; 10901 of the
 * receivers takes writes for any tenant unchecked (thanos #8812), so only receivers and queriers reach it.
 *
 * @param bucketCredentials whether the bucket's credentials are given: without them whatever uses it asks the cloud who it is
 */
export function networkEdges(settings: Settings, plan: ConnectedPlan, bucketCredentials: boolean): Edge[] {
  const { access, querier } = settings;
  const frontend = settings.queryFrontend !== undefined;
  const metrics: Edge[] = runningComponents(settings).flatMap(({ name, metricsPort: port }) =>
    port === undefined ? [] : [{ from: peer("prometheus"), to: peer(name), port, purpose: "metrics" }],
  );
  return [
    ...ringEdges(settings, plan.scheme),
    ...othersEdges(access.readers, gatewayEndpoints(settings).includes("query") ? GATEWAY_QUERY_PORT : undefined, {
      to: peer(frontend ? "query-frontend" : "querier"),
      port: QUERY_HTTP_PORT,
      purpose: "queries",
    }),
    ...(frontend
      ? [
          { from: peer("query-frontend"), to: peer("querier"), port: QUERY_HTTP_PORT, purpose: "queries passed on" },
          { from: peer("query-frontend"), to: peer("query-cache"), port: MEMCACHED_PORT, purpose: "cached answers" },
        ]
      : []),
    ...bucketEdges(settings, plan, bucketCredentials),
    ...rulerEdges(settings, plan.scheme),
    ...proxyEdges(settings),
    ...edgesOf(access.federation, { to: peer("querier"), port: GRPC_PORT, purpose: "queriers of other stacks" }),
    ...(querier.endpoints.length > 0 ? [{ from: peer("querier"), to: anyone, purpose: "endpoints of other stacks" }] : []),
    ...traceEdges(settings),
    // Targets are anywhere, on any port; so are the API server and the kubelets, Alertmanagers, and the sidecars' bucket.
    { from: peer("prometheus"), to: anyone, purpose: "scrapes and discovery" },
    ...metrics,
    ...(holdsReaders(settings)
      ? [{ from: peer("prometheus"), to: peer("gateway"), port: LABEL_PROXY_HTTP_PORT, purpose: "metrics of prom-label-proxy" }]
      : []),
  ];
}

/** Traces on their way to the collector, which is anywhere; Prometheus may go everywhere anyway, and its sidecar with it. */
function traceEdges(settings: Settings): Edge[] {
  const { tracing } = settings;
  if (tracing === undefined) return [];
  const port = Number(splitHost(tracing.endpoint).port);
  return runningComponents(settings)
    .filter(({ name, metricsPort }) => name !== "prometheus" && metricsPort !== undefined)
    .map(({ name }) => ({ from: peer(name), to: anyone, port, purpose: "traces" }));
}

/** How samples come in and are asked for where they are kept. */
function ringEdges(settings: Settings, scheme: Scheme): Edge[] {
  const receive = ringOf(scheme)?.settings;
  if (receive === undefined) {
    return [
      { from: peer("querier"), to: peer("prometheus"), port: GRPC_PORT, purpose: "StoreAPI of the sidecars" },
      { from: peer("prometheus"), to: peer("prometheus"), port: HTTP_PORT, purpose: "metrics of the sidecars" },
    ];
  }
  const endpoint = receive.mode === "split" ? "receive-router" : "receive";
  return [
    { from: peer("prometheus"), to: peer(endpoint), port: REMOTE_WRITE_PORT, purpose: "remote write" },
    ...othersEdges(settings.access.senders, gatewayEndpoints(settings).includes("write") ? GATEWAY_WRITE_PORT : undefined, {
      to: peer(endpoint),
      port: REMOTE_WRITE_PORT,
      purpose: "remote write of others",
    }),
    { from: peer(endpoint), to: peer("receive"), port: GRPC_PORT, purpose: "writes forwarded to their owners" },
    { from: peer("querier"), to: peer("receive"), port: GRPC_PORT, purpose: "StoreAPI" },
    ...(limitsActiveSeries(receive)
      ? [{ from: peer(endpoint), to: peer("querier"), port: QUERY_HTTP_PORT, purpose: "active series of tenants" }]
      : []),
  ];
}

/** Blocks on their way to the bucket, out of it, and into answers. */
function bucketEdges(settings: Settings, { bucket }: ConnectedPlan, bucketCredentials: boolean): Edge[] {
  if (bucket === undefined) return [];
  const { objectStorage } = bucket;
  const users = bucketUsers(settings);
  // Through a proxy nobody reaches the server itself, unless it is spared, or may be.
  const isReached = bucketHosts(objectStorage)?.some((host) => !goesThroughProxy(settings, host)) ?? true;
  const port = isReached ? bucketPort(objectStorage) : undefined;
  return [
    { from: peer("querier"), to: peer("store-gateway"), port: GRPC_PORT, purpose: "StoreAPI of the bucket" },
    ...bucket.caches.map((cache) => ({
      from: peer("store-gateway"),
      to: peer(cache.identity.component),
      port: MEMCACHED_PORT,
      purpose: "cached blocks",
    })),
    ...(port === undefined ? [] : users.map((component) => ({ from: peer(component), to: anyone, port, purpose: "the bucket" }))),
    ...identityServices(objectStorage, bucketCredentials)
      // Tokens are exchanged outside.
      .filter(({ networks }) => networks !== undefined || settings.network.proxy === undefined)
      .flatMap((service) =>
        users.map((component) => ({
          from: peer(component),
          to: service.networks === undefined ? anyone : { networks: service.networks },
          port: service.port,
          purpose: "the pods' own identity",
        })),
      ),
  ];
}

/** Components that use the bucket, but for Prometheus with its sidecars, which reaches everything. */
const bucketUsers = (settings: Settings): ComponentName[] =>
  runningComponents(settings).flatMap(({ name, usesBucket }) => (name !== "prometheus" && usesBucket?.(settings) ? [name] : []));

/** The way to the proxy, of whatever goes outside by it. */
function proxyEdges(settings: Settings): Edge[] {
  const { network, alerting, ruler } = settings;
  const { proxy } = network;
  if (proxy === undefined) return [];
  const way = { to: proxyPeer(proxy.to), port: portOfUrl(proxy.url) };
  return [
    ...(hasBucketServer(settings) ? bucketUsers(settings) : []).map((component) => ({
      from: peer(component),
      ...way,
      purpose: "the bucket by a proxy",
    })),
    ...(ruler !== undefined && alerting.alertmanagers.some((address) => rulerUsesProxy(settings, address))
      ? [{ from: peer("ruler"), ...way, purpose: "Alertmanagers by a proxy" }]
      : []),
  ];
}

function rulerEdges(settings: Settings, scheme: Scheme): Edge[] {
  const { ruler } = settings;
  const receive = ringOf(scheme)?.settings;
  if (ruler === undefined) return [];
  return [
    { from: peer("ruler"), to: peer("querier"), port: QUERY_HTTP_PORT, purpose: "queries of rules" },
    ...(ruler.mode === "stateless" && receive !== undefined
      ? [
          {
            from: peer("ruler"),
            to: peer(receive.mode === "split" ? "receive-router" : "receive"),
            port: REMOTE_WRITE_PORT,
            purpose: "remote write of rules",
          },
        ]
      : []),
    { from: peer("querier"), to: peer("ruler"), port: GRPC_PORT, purpose: "rules, alerts and what rulers keep" },
    ...alertmanagerPorts(settings).map((port) => ({
      from: peer("ruler"),
      to: anyone,
      ...(port === undefined ? {} : { port }),
      purpose: "Alertmanagers",
    })),
  ];
}
