import type { Command } from "./flags";

/**
 * Flags that the program sets, or that another one of them would contradict, by command: each with the key of the stack file that decides
 * about it, or why none does.
 */

/** Who decides about a flag. */
export type Owner = { key: string } | { why: string };

/** A command whose flags the program knows; memcached's own are judged by these alone. */
export type Program = Command | "memcached";

const by = (key: string): Owner => ({ key });
const fixed = (why: string): Owner => ({ why });

const PORTS = fixed("Services, policies and addresses name the stack's own ports");
const DATA = fixed("the volume is mounted there");
const MEMORY = fixed("it is on in every process of the stack");
const ADMINISTRATION = fixed("the page that it closes marks blocks for deletion and asks nobody who they are");
const ROOT = fixed("probes, scrapes, queriers and the query frontend ask at the root");
const PLAIN = fixed("every other component of the stack speaks to this port without TLS and without a login");
/** Several flags about which the same is to be said. */
const alike = (names: readonly string[], owner: Owner): Record<string, Owner> => Object.fromEntries(names.map((name) => [name, owner]));
const TLS = by("tls");
const SERVER_TLS = alike(["grpc-server-tls-cert", "grpc-server-tls-key", "grpc-server-tls-client-ca"], TLS);
const WRITES = fixed(
  "whoever reaches the port could write series into this Prometheus, and nobody asks who that is; receivers take what others send",
);
/**
 * Without TLS there is no certificate in a request, and Thanos reads it all the same (v0.42.4 pkg/tenancy/tenancy.go
 * `getTenantFromCertificate`).
 */
const CERTIFICATE_TENANT = fixed(
  "a tenant's name is what tenancy.header says, also of senders with a certificate; without tls each request would end in a panic",
);
const CONFIGURATION = fixed("the program writes this file");

/** A flag, and its twins by which the same is given as a file or as text. */
const withFile = (name: string, owner: Owner): Record<string, Owner> => ({ [name]: owner, [`${name}-file`]: owner });

const BUCKET = withFile("objstore.config", by("objectStorage"));
const THANOS = {
  "http-address": PORTS,
  "http.config": PLAIN,
  "enable-auto-gomemlimit": MEMORY,
  ...withFile("tracing.config", by("tracing")),
};
/** Flags about the logs of a component. */
const logs = (key: string): Record<string, Owner> => ({
  "log.level": by(`${key}.logging.level`),
  "log.format": by(`${key}.logging.format`),
});
/** Limits of what is read from a component. */
const reads = (key: string): Record<string, Owner> => ({
  "store.limits.request-series": by(`${key}.storeLimits.series`),
  "store.limits.request-samples": by(`${key}.storeLimits.samples`),
});
const logsOfServer = (key: string): Record<string, Owner> => ({
  ...logs(key),
  ...withFile("request.logging-config", by(`${key}.logging.requests`)),
});
const STORE_API = { ...THANOS, ...SERVER_TLS, "grpc-address": PORTS };
const PAGES = ["web.route-prefix", "web.external-prefix", "web.prefix-header"];
const COMPACTOR = "objectStorage.compactor";
const GATEWAY = "objectStorage.storeGateway";

/** By command and flag. */
export const OWN_FLAGS: Record<Program, Record<string, Owner>> = {
  "thanos receive": {
    ...logsOfServer("receive"),
    ...reads("receive"),
    ...STORE_API,
    ...BUCKET,
    "remote-write.address": PORTS,
    ...alike(["remote-write.server-tls-cert", "remote-write.server-tls-key", "remote-write.server-tls-client-ca"], TLS),
    ...alike(
      ["secure", "skip-verify", "cert", "key", "ca"].map((name) => `remote-write.client-tls-${name}`),
      TLS,
    ),
    "remote-write.client-server-name": TLS,
    "receive.replication-protocol": fixed("receivers take each other's writes by gRPC: the port of the other protocol is open to nobody"),
    "receive.capnproto-address": fixed("nobody may reach that port, which has neither encryption nor authentication (thanos #8093)"),
    label: fixed("its label tells one receiver's samples from another's, in answers and in blocks"),
    "receive.tenant-header": by("tenancy.header"),
    "receive.tenant-certificate-field": CERTIFICATE_TENANT,
    "receive.default-tenant-id": by("tenancy.defaultTenant"),
    "receive.tenant-label-name": by("tenancy.label"),
    "receive.split-tenant-label-name": by("tenancy.splitLabel"),
    "tsdb.path": DATA,
    "tsdb.retention": by("receive.retention.time"),
    "tsdb.max-retention-bytes": by("receive.retention.size"),
    "tsdb.out-of-order.time-window": by("receive.outOfOrderWindow"),
    "tsdb.too-far-in-future.time-window": by("receive.tooFarInFutureWindow"),
    "tsdb.max-exemplars": by("receive.maxExemplars"),
    "tsdb.min-block-duration": fixed("blocks are cut every two hours, and earlier by a shrink of the ring, which sets it itself"),
    "tsdb.max-block-duration": fixed("blocks are cut every two hours, and earlier by a shrink of the ring, which sets it itself"),
    "receive.replication-factor": by("receive.replicationFactor"),
    ...withFile("receive.hashrings", by("receive.hashrings")),
    "receive.hashrings-algorithm": fixed("with another one than ketama every change of the ring moves nearly every series"),
    "receive.hashrings-file-refresh-interval": fixed("updates of the stack wait for what receivers read after 15s"),
    "receive.local-endpoint": fixed("it is the receiver's entry in the ring, byte for byte"),
    "receive-forward-max-backoff": fixed("a peer that came back is tried again within a second, which rolling restarts rest on"),
    ...withFile("receive.limits-config", by("receive.limits")),
    ...withFile("receive.relabel-config", by("receive.relabel")),
  },
  "thanos query": {
    ...logsOfServer("querier"),
    ...reads("querier"),
    ...STORE_API,
    ...alike([...PAGES, "alert.query-url"], by("querier.externalUrl")),
    ...withFile("endpoint.sd-config", by("querier.endpoints")),
    endpoint: by("querier.endpoints"),
    "endpoint-strict": by("querier.endpoints"),
    "endpoint-group": by("querier.endpoints"),
    "endpoint-group-strict": by("querier.endpoints"),
    "store.sd-files": by("querier.endpoints"),
    "inject-test-addresses": by("querier.endpoints"),
    ...alike(
      ["secure", "skip-verify", "cert", "key", "ca"].map((name) => `grpc-client-tls-${name}`),
      TLS,
    ),
    "grpc-client-server-name": TLS,
    "store.sd-dns-interval": by("querier.discoveryInterval"),
    "query.replica-label": by("querier.replicaLabels"),
    "query.auto-downsampling": by(`${COMPACTOR}.downsampling`),
    "deduplication.func": by("querier.deduplication"),
    "query.promql-engine": by("querier.engine"),
    "query.timeout": by("querier.timeout"),
    "query.max-concurrent": by("querier.maxConcurrent"),
    "query.max-concurrent-select": by("querier.maxConcurrentSelect"),
    "store.response-timeout": by("querier.responseTimeout"),
    "query.tenant-header": by("tenancy.header"),
    "query.tenant-certificate-field": CERTIFICATE_TENANT,
    "query.default-tenant-id": by("tenancy.defaultTenant"),
    "query.tenant-label-name": by("tenancy.label"),
  },
  "thanos query-frontend": {
    ...logsOfServer("queryFrontend"),
    ...THANOS,
    "query-frontend.downstream-url": fixed("it stands in front of the stack's queriers"),
    "query-frontend.compress-responses": fixed("long answers are compressed on their way, and a second flag would turn that off"),
    "query-frontend.tenant-header": by("tenancy.header"),
    "query-frontend.tenant-certificate-field": CERTIFICATE_TENANT,
    "query-frontend.default-tenant-id": by("tenancy.defaultTenant"),
    "query-range.split-interval": by("queryFrontend.splitInterval"),
    "query-range.response-cache-max-freshness": by("queryFrontend.maxFreshness"),
    ...withFile("query-range.response-cache-config", by("queryFrontend.cache")),
    "labels.split-interval": by("queryFrontend.splitInterval"),
    "labels.response-cache-max-freshness": by("queryFrontend.maxFreshness"),
    ...withFile("labels.response-cache-config", by("queryFrontend.cache")),
    "query-range.max-query-length": by("queryFrontend.maxRange"),
    "query-range.max-query-parallelism": by("queryFrontend.maxParallelism"),
    "labels.max-query-parallelism": by("queryFrontend.maxParallelism"),
    "query-range.max-retries-per-request": by("queryFrontend.maxTries"),
    "labels.max-retries-per-request": by("queryFrontend.maxTries"),
    "query-frontend.vertical-shards": by("queryFrontend.verticalShards"),
    "query-frontend.log-queries-longer-than": by("queryFrontend.slowQueries.longerThan"),
    "query-frontend.slow-query-logs-user-header": by("queryFrontend.slowQueries.userHeader"),
  },
  "thanos rule": {
    ...logsOfServer("ruler"),
    ...reads("ruler"),
    ...STORE_API,
    ...alike(PAGES, by("ruler.externalUrl")),
    ...BUCKET,
    "data-dir": DATA,
    "rule-file": by("prometheus.ruleFolder"),
    "eval-interval": by("ruler.evaluationInterval"),
    "rule-query-offset": by("ruler.queryOffset"),
    query: fixed("rules are evaluated over the stack's queriers"),
    "grpc-query-endpoint": fixed("rules are evaluated over the stack's queriers"),
    ...withFile("query.config", fixed("rules are evaluated over the stack's queriers")),
    "query.sd-files": fixed("rules are evaluated over the stack's queriers"),
    "query.sd-dns-interval": by("querier.discoveryInterval"),
    label: by("prometheus.externalLabels"),
    "alert.query-url": by("querier.externalUrl"),
    "alert.label-drop": fixed("Alertmanager knows an alert by its labels, and the rulers' replica label is none of them"),
    "alertmanagers.url": by("alerting.alertmanagers"),
    ...withFile("alertmanagers.config", by("alerting.alertmanagers")),
    ...withFile("remote-write.config", fixed("a stateless ruler writes into the stack's ring")),
    "tsdb.retention": by("ruler.retention"),
    "tsdb.block-duration": fixed("blocks are of two hours, as every other one in the bucket"),
  },
  "thanos sidecar": {
    ...logsOfServer("prometheus.sidecar"),
    ...reads("prometheus.sidecar"),
    ...STORE_API,
    ...BUCKET,
    "prometheus.url": fixed("it serves the Prometheus in its own pod"),
    "tsdb.path": DATA,
    "reloader.config-file": CONFIGURATION,
    "reloader.rule-dir": by("prometheus.ruleFolder"),
    "reloader.watch-interval": fixed("changed files are read again after 15s"),
    "reloader.method": fixed("Prometheus' lifecycle API, which can also end it, stays closed"),
    "reloader.process-name": fixed("Prometheus is told by signal that a file has changed"),
    "min-time": by("objectStorage.handover"),
  },
  "thanos store": {
    ...logsOfServer(GATEWAY),
    ...reads(GATEWAY),
    "store.grpc.touched-series-limit": by(`${GATEWAY}.storeLimits.series`),
    "store.grpc.series-sample-limit": by(`${GATEWAY}.storeLimits.samples`),
    "store.grpc.downloaded-bytes-limit": by(`${GATEWAY}.downloadedBytes`),
    "store.grpc.series-max-concurrency": by(`${GATEWAY}.maxConcurrent`),
    ...STORE_API,
    ...BUCKET,
    "data-dir": DATA,
    ...withFile("index-cache.config", by(`${GATEWAY}.indexCache`)),
    "index-cache-size": by(`${GATEWAY}.indexCache`),
    ...withFile("store.caching-bucket.config", by(`${GATEWAY}.chunkCache`)),
    "sync-block-duration": by(`${GATEWAY}.syncInterval`),
    "ignore-deletion-marks-delay": by(`${COMPACTOR}.deleteDelay`),
    "max-time": by("objectStorage.handover"),
    "min-time": by(`${GATEWAY}.partition`),
    ...withFile("selector.relabel-config", by(`${GATEWAY}.partition`)),
    "chunk-pool-size": by(`${GATEWAY}.resources.memory`),
    "store.enable-index-header-lazy-reader": fixed("it is on: headers of blocks that nobody asks for need no memory"),
    "disable-admin-operations": ADMINISTRATION,
  },
  "thanos compact": {
    ...logs(COMPACTOR),
    ...THANOS,
    ...alike(PAGES, ROOT),
    ...BUCKET,
    wait: fixed("a compactor that ends after one run would be started again without a pause"),
    "wait-interval": fixed("alerts about a compactor that is late rest on its five minutes"),
    "data-dir": DATA,
    "retention.resolution-raw": by(`${COMPACTOR}.retention.raw`),
    "retention.resolution-5m": by(`${COMPACTOR}.retention.fiveMinutes`),
    "retention.resolution-1h": by(`${COMPACTOR}.retention.oneHour`),
    "downsampling.disable": by(`${COMPACTOR}.downsampling`),
    "downsample.concurrency": by(`${COMPACTOR}.concurrency`),
    "compact.concurrency": by(`${COMPACTOR}.concurrency`),
    "consistency-delay": by(`${COMPACTOR}.consistencyDelay`),
    "delete-delay": by(`${COMPACTOR}.deleteDelay`),
    "deduplication.replica-label": by(`${COMPACTOR}.replicaLabels`),
    "deduplication.func": by("querier.deduplication"),
    "compact.enable-vertical-compaction": fixed("it follows from the replica labels"),
    ...withFile("selector.relabel-config", by(`${COMPACTOR}.shards`)),
    "disable-admin-operations": ADMINISTRATION,
  },
  prometheus: {
    ...logs("prometheus"),
    "config.file": CONFIGURATION,
    "web.listen-address": PORTS,
    "web.config.file": PLAIN,
    "web.enable-lifecycle": fixed("whoever reaches the port could end it, and nobody asks who that is"),
    "web.enable-admin-api": fixed("whoever reaches the port could delete series, and nobody asks who that is"),
    "web.enable-remote-write-receiver": WRITES,
    "web.enable-otlp-receiver": WRITES,
    "web.external-url": by("prometheus.externalUrl"),
    "web.route-prefix": by("prometheus.externalUrl"),
    "auto-gomemlimit.ratio": MEMORY,
    "auto-gomemlimit": MEMORY,
    "scrape.discovery-reload-interval": by("prometheus.discoveryInterval"),
    "storage.remote.flush-deadline": fixed("its grace period fits it"),
    agent: by("prometheus.mode"),
    "query.max-samples": by("prometheus.queries.maxSamples"),
    "query.max-concurrency": by("prometheus.queries.maxConcurrent"),
    "query.timeout": by("prometheus.queries.timeout"),
    "storage.agent.path": DATA,
    "storage.tsdb.path": DATA,
    "storage.tsdb.retention.time": by("prometheus.retention.time"),
    "storage.tsdb.retention.size": by("prometheus.retention.size"),
    "storage.tsdb.min-block-duration": fixed("what a sidecar uploads is compacted by the compactor alone"),
    "storage.tsdb.max-block-duration": fixed("what a sidecar uploads is compacted by the compactor alone"),
  },
  memcached: {
    "memory-limit": by("memory"),
    "max-item-size": fixed("its clients are told the same size"),
    "conn-limit": fixed("it fits the clients of the stack"),
    port: PORTS,
    listen: PORTS,
    "unix-socket": PORTS,
    "udp-port": PORTS,
    "enable-ssl": PLAIN,
    "enable-sasl": PLAIN,
    daemon: fixed("the container ends with its process"),
    user: fixed("the pod says who it runs as"),
  },
};
