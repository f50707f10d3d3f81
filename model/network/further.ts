import type { ComponentName } from "../kubernetes/identities";
import {
  GATEWAY_QUERY_PORT,
  GATEWAY_WRITE_PORT,
  GRPC_PORT,
  HTTP_PORT,
  LABEL_PROXY_HTTP_PORT,
  MEMCACHED_PORT,
  PROMETHEUS_PORT,
  QUERY_HTTP_PORT,
  REMOTE_WRITE_PORT,
} from "../kubernetes/ports";
import { isEverybody } from "../settings/access";
import type { Extra } from "../settings/extra";
import { gatewayEndpoints, holdsReaders } from "../settings/gatewayEndpoints";
import type { FurtherEdge } from "../settings/network";
import { ACCEPTABLE_RISKS, type Settings } from "../settings/schema";
import { receiveOf } from "../settings/scheme";
import type { Problem } from "../values/problem";
import { componentsOf } from "./edges";

/** Connections that an environment adds to those of the data path, against what there is to connect to. */

type Component = FurtherEdge["component"] & ComponentName;

const STORE_API = [GRPC_PORT, HTTP_PORT];

/** TCP ports on which a component itself listens beyond its pod. */
function ownPorts(component: Component, settings: Settings): number[] {
  switch (component) {
    case "receive":
      return [...STORE_API, ...(receiveOf(settings)?.mode === "split" ? [] : [REMOTE_WRITE_PORT])];
    case "receive-router":
      return [...STORE_API, REMOTE_WRITE_PORT];
    case "querier":
      return [GRPC_PORT, QUERY_HTTP_PORT];
    case "query-frontend":
      return [QUERY_HTTP_PORT];
    case "compactor":
      return [HTTP_PORT];
    case "prometheus":
      return [PROMETHEUS_PORT, ...(settings.ingestion === "sidecar" ? STORE_API : [])];
    case "query-cache":
    case "index-cache":
    case "chunk-cache":
      return [MEMCACHED_PORT];
    case "gateway": {
      const endpoints = gatewayEndpoints(settings).map((endpoint) => (endpoint === "write" ? GATEWAY_WRITE_PORT : GATEWAY_QUERY_PORT));
      return [HTTP_PORT, ...endpoints, ...(holdsReaders(settings) ? [LABEL_PROXY_HTTP_PORT] : [])];
    }
    case "store-gateway":
    case "ruler":
      return STORE_API;
  }
}

/** What the pods of a component have beside it. */
function extraOf(component: Component, settings: Settings): Extra | undefined {
  const { receive, querier, queryFrontend, prometheus, ruler, objectStorage } = settings;
  const { storeGateway, compactor } = objectStorage ?? {};
  const by: Record<Component, { extra: Extra } | undefined> = {
    receive,
    "receive-router": receive?.routers,
    querier,
    "query-frontend": queryFrontend,
    "query-cache": queryFrontend?.cache,
    "store-gateway": storeGateway,
    "index-cache": storeGateway?.indexCache.memcached,
    "chunk-cache": storeGateway?.chunkCache.memcached,
    compactor,
    ruler,
    prometheus,
    // It has no `extra`.
    gateway: undefined,
  };
  return by[component]?.extra;
}

/** Every port of a component's pods that somebody can connect to. */
function listened(component: Component, settings: Settings): number[] {
  const { containers = [], initContainers = [] } = extraOf(component, settings) ?? {};
  const beside = [...containers, ...initContainers].flatMap(({ ports = [] }) =>
    ports.flatMap(({ containerPort, protocol = "TCP" }) => (protocol === "TCP" ? [containerPort] : [])),
  );
  return [...new Set([...ownPorts(component, settings), ...beside])];
}

/** Every problem of `network.edges`. */
export function furtherEdgeProblems(settings: Settings): Problem[] {
  const components = componentsOf(settings);
  return settings.network.edges.flatMap(({ component, from, ports }, index): Problem[] => {
    const key = `network.edges[${index}]`;
    if (!components.some((each) => each === component)) {
      const rule = "this environment has no such component, so the policy would select no pod";
      return [{ key: `${key}.component`, value: component, rule, remedy: `one of ${components.join(", ")}` }];
    }
    if (from === undefined) return [];
    const known = listened(component, settings);
    return [
      ...ports.flatMap((port, at) =>
        known.includes(port)
          ? []
          : [
              {
                key: `${key}.ports[${at}]`,
                value: port,
                rule: `no container of ${component} listens there beyond its pod`,
                remedy: `one of ${known.join(", ")}, or a port of a container in its extra`,
              },
            ],
      ),
      ...from.flatMap((entry, at) =>
        isEverybody(entry) && !settings.accepts.includes("open-doors")
          ? [
              {
                key: `${key}.from[${at}]`,
                value: entry,
                rule: ACCEPTABLE_RISKS["open-doors"],
                remedy: 'narrower networks, or "open-doors" in accepts',
              },
            ]
          : [],
      ),
    ];
  });
}
