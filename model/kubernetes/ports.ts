/** Ports of every component, in one place: Services, NetworkPolicies, flags and addresses agree on them. */

/** gRPC of every Thanos component: StoreAPI, rules, and of receivers the writes that peers forward. */
export const GRPC_PORT = 10901;
/** Metrics, probes and profiles of every Thanos component but querier and query frontend. */
export const HTTP_PORT = 10902;
/** Remote write. */
export const REMOTE_WRITE_PORT = 19291;
/** HTTP of querier and query frontend: what people open. */
export const QUERY_HTTP_PORT = 9090;
/** HTTP of Prometheus. */
export const PROMETHEUS_PORT = 9090;
/** memcached, which speaks its own protocol. */
export const MEMCACHED_PORT = 11211;
/** Remote write of others, at the gateway. */
export const GATEWAY_WRITE_PORT = 8443;
/** Queries of others, at the gateway. */
export const GATEWAY_QUERY_PORT = 8444;
/** Port of the gateway's Services: that of HTTPS, so that no URL needs one. */
export const GATEWAY_SERVICE_PORT = 443;
/** prom-label-proxy, on loopback of the gateway's pods. */
export const LABEL_PROXY_PORT = 9095;
/** Metrics and profiles of prom-label-proxy. */
export const LABEL_PROXY_HTTP_PORT = 10903;

/** Name of the sidecar's HTTP port: a pod's port names are unique. */
export const SIDECAR_HTTP_PORT_NAME = "sidecar-http";
/** Name of prom-label-proxy's HTTP port. */
export const LABEL_PROXY_HTTP_PORT_NAME = "proxy-http";

/** Ports as every Service and NetworkPolicy names them. */
export const GRPC = { name: "grpc", containerPort: GRPC_PORT };
export const HTTP = { name: "http", containerPort: HTTP_PORT };

/** Path, at the gateway's {@link HTTP_PORT}, of metrics about the certificate that it shows. */
export const CERTIFICATE_PATH = "/-/certificate";
