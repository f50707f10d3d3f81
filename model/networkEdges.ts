import { GRPC_PORT, HTTP_PORT, REMOTE_WRITE_PORT } from "./hashring";
import type { ComponentName } from "./labels";
import { PROMETHEUS_PORT } from "./prometheusConfig";
import { limitsActiveSeries } from "./receiveLimits";
import type { Settings } from "./settings";
import { QUERY_HTTP_PORT } from "./thanosFlags";

/** Port of memcached. */
export const MEMCACHED_PORT = 11211;

/** Who is at one end of an edge: a part of this stack, everybody, or every pod of some namespaces. */
export type Peer = { component: ComponentName } | { anyone: true } | { namespaces: string[] };

/** One permitted connection. */
export interface Edge {
  from: Peer;
  to: Peer;
  /** TCP port; absent: every port. */
  port?: number;
  /** What runs over it. */
  purpose: string;
}

const part = (component: ComponentName): Peer => ({ component });
const anyone: Peer = { anyone: true };
const someNamespaces = (namespaces: string[] | undefined): Peer => (namespaces === undefined ? anyone : { namespaces });

/** The parts of the stack that run in an environment. */
export function componentsOf(settings: Settings): ComponentName[] {
  return [
    "receive",
    ...(settings.receive.mode === "split" ? (["receive-router"] as const) : []),
    "querier",
    ...(settings.queryFrontend === undefined ? [] : (["query-frontend", "query-cache"] as const)),
    "prometheus",
  ];
}

/**
 * Every connection that the data path needs, and no other. Port 19391 (Cap'n Proto, without authentication) is in none; 10901 of the receivers takes writes
 * for any tenant unchecked (thanos #8812), so only receivers and queriers reach it.
 */
export function networkEdges(settings: Settings): Edge[] {
  const { access, querier } = settings;
  const split = settings.receive.mode === "split";
  const door = split ? "receive-router" : "receive";
  const frontend = settings.queryFrontend !== undefined;
  const metrics: Edge[] = componentsOf(settings)
    .filter((component) => component !== "query-cache")
    .map((component) => ({
      from: part("prometheus"),
      to: part(component),
      port:
        component === "receive" || component === "receive-router"
          ? HTTP_PORT
          : component === "prometheus"
            ? PROMETHEUS_PORT
            : QUERY_HTTP_PORT,
      purpose: "metrics",
    }));
  return [
    { from: part("prometheus"), to: part(door), port: REMOTE_WRITE_PORT, purpose: "remote write" },
    { from: someNamespaces(access.senders), to: part(door), port: REMOTE_WRITE_PORT, purpose: "remote write of others" },
    { from: part(door), to: part("receive"), port: GRPC_PORT, purpose: "writes forwarded to their owners" },
    { from: part("querier"), to: part("receive"), port: GRPC_PORT, purpose: "StoreAPI" },
    { from: someNamespaces(access.readers), to: part(frontend ? "query-frontend" : "querier"), port: QUERY_HTTP_PORT, purpose: "queries" },
    ...(frontend
      ? [
          { from: part("query-frontend"), to: part("querier"), port: QUERY_HTTP_PORT, purpose: "queries passed on" },
          { from: part("query-frontend"), to: part("query-cache"), port: MEMCACHED_PORT, purpose: "cached answers" },
        ]
      : []),
    ...(limitsActiveSeries(settings)
      ? [{ from: part(door), to: part("querier"), port: QUERY_HTTP_PORT, purpose: "active series of tenants" }]
      : []),
    ...(access.federation.length > 0
      ? [{ from: { namespaces: access.federation }, to: part("querier"), port: GRPC_PORT, purpose: "queriers of other stacks" }]
      : []),
    ...(querier.endpoints.length > 0 ? [{ from: part("querier"), to: anyone, purpose: "endpoints of other stacks" }] : []),
    // Targets are anywhere, on any port; so are the API server and the kubelets.
    { from: part("prometheus"), to: anyone, purpose: "scrapes and discovery" },
    ...metrics,
  ];
}
