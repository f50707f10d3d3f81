import { QUERIER_APP, QUERY_FRONTEND_APP } from "../kubernetes/identities";
import { GRPC_PORT, QUERY_HTTP_PORT } from "../kubernetes/ports";
import { readLimitFlags, STORES } from "../reads/limits";
import { replicaLabels } from "../settings/externalLabels";
import { externalQueryUrl, prefixFlags } from "../settings/externalUrl";
import type { Settings } from "../settings/schema";
import { type Process, telemetryFlags } from "../telemetry/files";
import { querierServerFlags, queryingFlags } from "../tls/flags";
import { servesTls } from "../tls/plan";
import { inArgument } from "../values/literal";
import { goDuration } from "../values/quantity";
import { knowsClientConfig } from "../values/versions";
import type { DeduplicationFunction } from "./deduplication";

/** Command lines of querier and query frontend, spelled as Thanos v0.42.4 knows them (cmd/thanos/{query,query_frontend}.go). */

/** Where the querier's endpoint file is mounted. */
export const ENDPOINTS_DIRECTORY = "/etc/thanos/endpoints";
/** Name of the file with the querier's endpoints. */
export const ENDPOINTS_FILE = "endpoints.yaml";
/** Where the query frontend's cache configuration is mounted. */
export const RESPONSE_CACHE_DIRECTORY = "/etc/thanos/response-cache";
/** Name of the query frontend's cache configuration. */
export const RESPONSE_CACHE_FILE = "response-cache.yaml";

/** The querier's process, for its logs and traces. */
export const querierProcess = ({ querier }: Settings): Process => ({ name: QUERIER_APP, logging: querier.logging, serves: true });

/** Arguments of the querier. */
export function querierFlags(settings: Settings, deduplication: DeduplicationFunction): string[] {
  const { querier, tenancy } = settings;
  const external = externalQueryUrl(settings);
  return [
    "query",
    `--grpc-address=:${GRPC_PORT}`,
    `--http-address=:${QUERY_HTTP_PORT}`,
    "--enable-auto-gomemlimit",
    `--endpoint.sd-config-file=${ENDPOINTS_DIRECTORY}/${ENDPOINTS_FILE}`,
    `--store.sd-dns-interval=${querier.discoveryInterval}`,
    ...replicaLabels(settings).map((label) => `--query.replica-label=${label}`),
    // Long ranges are answered from the coarser resolutions, where the bucket has them.
    ...(settings.objectStorage?.compactor.downsampling ? ["--query.auto-downsampling"] : []),
    `--deduplication.func=${deduplication}`,
    `--query.promql-engine=${querier.engine}`,
    `--query.timeout=${querier.timeout}`,
    `--query.max-concurrent=${querier.maxConcurrent}`,
    ...readLimitFlags(settings, STORES.querier(settings)),
    `--query.max-concurrent-select=${querier.maxConcurrentSelect}`,
    `--store.response-timeout=${querier.responseTimeout}`,
    `--query.tenant-header=${inArgument(tenancy.header)}`,
    `--query.default-tenant-id=${tenancy.defaultTenant}`,
    `--query.tenant-label-name=${tenancy.label}`,
    ...querierServerFlags(settings),
    ...(servesTls(settings) && !knowsClientConfig(settings.images.thanos) ? queryingFlags(settings) : []),
    ...(external === undefined ? [] : [`--alert.query-url=${external}`]),
    ...prefixFlags(external),
    ...telemetryFlags(settings, querierProcess(settings)),
  ];
}

type FrontendSettings = NonNullable<Settings["queryFrontend"]>;

/** The query frontend's process, for its logs and traces. */
export const queryFrontendProcess = ({ logging }: FrontendSettings): Process => ({ name: QUERY_FRONTEND_APP, logging, serves: true });

/** Arguments of the query frontend. */
export function queryFrontendFlags(settings: Settings, frontend: FrontendSettings, downstreamUrl: string): string[] {
  const { tenancy } = settings;
  const { longerThan, userHeader } = frontend.slowQueries;
  return [
    "query-frontend",
    `--http-address=:${QUERY_HTTP_PORT}`,
    "--enable-auto-gomemlimit",
    `--query-frontend.downstream-url=${downstreamUrl}`,
    "--query-frontend.compress-responses",
    `--query-frontend.tenant-header=${inArgument(tenancy.header)}`,
    `--query-frontend.default-tenant-id=${tenancy.defaultTenant}`,
    `--query-range.split-interval=${frontend.splitInterval}`,
    `--query-range.response-cache-max-freshness=${frontend.maxFreshness}`,
    `--query-range.response-cache-config-file=${RESPONSE_CACHE_DIRECTORY}/${RESPONSE_CACHE_FILE}`,
    `--labels.split-interval=${frontend.splitInterval}`,
    `--labels.response-cache-max-freshness=${frontend.maxFreshness}`,
    `--labels.response-cache-config-file=${RESPONSE_CACHE_DIRECTORY}/${RESPONSE_CACHE_FILE}`,
    ...(frontend.maxRange === undefined ? [] : [`--query-range.max-query-length=${goDuration(frontend.maxRange)}`]),
    `--query-range.max-query-parallelism=${frontend.maxParallelism}`,
    `--labels.max-query-parallelism=${frontend.maxParallelism}`,
    `--query-range.max-retries-per-request=${frontend.maxTries}`,
    `--labels.max-retries-per-request=${frontend.maxTries}`,
    ...(frontend.verticalShards === undefined ? [] : [`--query-frontend.vertical-shards=${frontend.verticalShards}`]),
    `--query-frontend.log-queries-longer-than=${goDuration(longerThan)}`,
    ...(userHeader === undefined ? [] : [`--query-frontend.slow-query-logs-user-header=${inArgument(userHeader)}`]),
    ...telemetryFlags(settings, queryFrontendProcess(frontend)),
  ];
}
