import type { PodComponent } from "../settings/components";

/**
 * Names of the components, and of their Services. An app's name is its Service's, the value of the label `job` of its metrics, and the stem
 * of its workloads' names. All of them are deployed names, which never change.
 */

/** The component that an object belongs to. */
export type ComponentName = PodComponent | "namespace" | "data-priority" | "volumes";

/** Which component, under which name. */
export interface Identity {
  /** Value of `app.kubernetes.io/name`, such as `thanos-receive`; also the value of the label `job`. */
  app: string;
  /** Value of `app.kubernetes.io/component`. */
  component: ComponentName;
  /** Value of `app.kubernetes.io/instance` where several workloads share a component, such as a hashring's or a shard's. Default: `app`. */
  instance?: string;
}

/** Name of the default ring's StatefulSet and the stem of every other's. */
export const RECEIVE_APP = "thanos-receive";
export const ROUTER_APP = "thanos-receive-router";
export const QUERIER_APP = "thanos-querier";
export const QUERY_FRONTEND_APP = "thanos-query-frontend";
/** The memcached servers of the query frontend. */
export const QUERY_CACHE_APP = "thanos-query-cache";
/** Name of the store gateways, and the stem of each shard's StatefulSet. */
export const STORE_GATEWAY_APP = "thanos-store-gateway";
/** The memcached servers for postings and series of indexes. */
export const INDEX_CACHE_APP = "thanos-index-cache";
/** The memcached servers for chunks and metadata. */
export const CHUNK_CACHE_APP = "thanos-chunk-cache";
export const COMPACTOR_APP = "thanos-compactor";
export const RULER_APP = "thanos-ruler";
export const PROMETHEUS_APP = "prometheus";
/** The sidecar's container, and the value of the label `job` of its metrics: it has no pod of its own. */
export const SIDECAR_CONTAINER = "thanos-sidecar";
/** The gateway, and the stem of its Services' names. */
export const GATEWAY_APP = "thanos-gateway";
/** prom-label-proxy's container in the gateway's pods, and the value of the label `job` of its metrics. */
export const LABEL_PROXY_CONTAINER = "prom-label-proxy";
/** Container beside HAProxy that has it take up renewed certificates. */
export const RELOADER_CONTAINER = "reloader";
/** Name of the claim, and of what else belongs to the bucket, where it is a directory of a node. */
export const BUCKET_CLAIM = "thanos-bucket";

export const RECEIVE_IDENTITY = { app: RECEIVE_APP, component: "receive" } as const satisfies Identity;
export const ROUTER_IDENTITY = { app: ROUTER_APP, component: "receive-router" } as const satisfies Identity;
export const QUERIER_IDENTITY = { app: QUERIER_APP, component: "querier" } as const satisfies Identity;
export const QUERY_FRONTEND_IDENTITY = { app: QUERY_FRONTEND_APP, component: "query-frontend" } as const satisfies Identity;
export const QUERY_CACHE_IDENTITY = { app: QUERY_CACHE_APP, component: "query-cache" } as const satisfies Identity;
export const STORE_GATEWAY_IDENTITY = { app: STORE_GATEWAY_APP, component: "store-gateway" } as const satisfies Identity;
export const INDEX_CACHE_IDENTITY = { app: INDEX_CACHE_APP, component: "index-cache" } as const satisfies Identity;
export const CHUNK_CACHE_IDENTITY = { app: CHUNK_CACHE_APP, component: "chunk-cache" } as const satisfies Identity;
export const COMPACTOR_IDENTITY = { app: COMPACTOR_APP, component: "compactor" } as const satisfies Identity;
export const RULER_IDENTITY = { app: RULER_APP, component: "ruler" } as const satisfies Identity;
export const PROMETHEUS_IDENTITY = { app: PROMETHEUS_APP, component: "prometheus" } as const satisfies Identity;
export const GATEWAY_IDENTITY = { app: GATEWAY_APP, component: "gateway" } as const satisfies Identity;
/** Identity of the bucket's own objects, where it is a directory of a node. */
export const BUCKET_IDENTITY = { app: BUCKET_CLAIM, component: "volumes" } as const satisfies Identity;
/** Identity of the objects that make the directories of nodes. */
export const DIRECTORIES_IDENTITY = { app: "hostpath-directories", component: "volumes" } as const satisfies Identity;
/** Identity of the certificates that others connect with. */
export const CLIENTS_IDENTITY = { app: "thanos-clients", component: "namespace" } as const satisfies Identity;
export const NETWORK_POLICIES_IDENTITY = { app: "network-policies", component: "namespace" } as const satisfies Identity;

/** Service to which senders write. */
export const RECEIVE_SERVICE = RECEIVE_APP;
/** Headless Service that gives receivers their names. */
export const PEER_SERVICE = `${RECEIVE_APP}-peers`;
/** Headless Service under which queriers find ready receivers of every ring. */
export const STORE_SERVICE = `${RECEIVE_APP}-stores`;
/** Service of the queriers' gRPC, for other stacks. */
export const QUERIER_GRPC_SERVICE = `${QUERIER_APP}-grpc`;
/** Headless Service under which queriers find the store gateways of every shard. */
export const STORE_GATEWAY_SERVICE = STORE_GATEWAY_APP;
/** Headless Service that names the rulers; a stateful one is found by its SRV record. */
export const RULER_SERVICE = RULER_APP;
/** Headless Service under which queriers find the sidecars of every Prometheus. */
export const SIDECAR_SERVICE = "prometheus-sidecars";
/** Services of the gateway: for remote write, and for queries. */
export const GATEWAY_SERVICES = { write: `${GATEWAY_APP}-write`, query: `${GATEWAY_APP}-query` } as const;
/** Headless Service under which the gateway finds what takes remote write. */
export const GATEWAY_UPSTREAM_SERVICE = `${GATEWAY_APP}-upstream`;
