import { GRPC_PORT, QUERY_HTTP_PORT } from "../kubernetes/ports";
import { replicaLabels } from "../settings/externalLabels";
import type { Settings } from "../settings/schema";
import { grpcServerFlags, queryingFlags } from "../tls/flags";
import { servesTls } from "../tls/plan";
import { inArgument } from "../values/literal";
import { knowsClientConfig } from "../values/versions";
import type { DeduplicationFunction } from "./deduplication";

/** Command lines of querier and query frontend, spelled as Thanos v0.42.4 knows them (cmd/thanos/{query,query_frontend}.go). */

/** Where the querier's endpoint file is mounted. */
export const ENDPOINTS_FOLDER = "/etc/thanos/endpoints";
/** Name of the file with the querier's endpoints. */
export const ENDPOINTS_FILE = "endpoints.yaml";
/** Where the query frontend's cache configuration is mounted. */
export const RESPONSE_CACHE_FOLDER = "/etc/thanos/response-cache";
/** Name of the query frontend's cache configuration. */
export const RESPONSE_CACHE_FILE = "response-cache.yaml";

/** Arguments of the querier. */
export function querierFlags(settings: Settings, deduplication: DeduplicationFunction): string[] {
  const { querier, tenancy } = settings;
  return [
    "query",
    `--grpc-address=:${GRPC_PORT}`,
    `--http-address=:${QUERY_HTTP_PORT}`,
    "--enable-auto-gomemlimit",
    `--endpoint.sd-config-file=${ENDPOINTS_FOLDER}/${ENDPOINTS_FILE}`,
    `--store.sd-dns-interval=${querier.discoveryInterval}`,
    ...replicaLabels(settings).map((label) => `--query.replica-label=${label}`),
    // Long ranges are answered from the coarser resolutions, where the bucket has them.
    ...(settings.objectStorage?.compactor.downsampling ? ["--query.auto-downsampling"] : []),
    `--deduplication.func=${deduplication}`,
    `--query.promql-engine=${querier.engine}`,
    `--query.timeout=${querier.timeout}`,
    `--query.max-concurrent=${querier.maxConcurrent}`,
    `--store.response-timeout=${querier.responseTimeout}`,
    `--query.tenant-header=${inArgument(tenancy.header)}`,
    `--query.default-tenant-id=${tenancy.defaultTenant}`,
    `--query.tenant-label-name=${tenancy.label}`,
    ...grpcServerFlags(settings),
    ...(servesTls(settings) && !knowsClientConfig(settings.images.thanos) ? queryingFlags(settings) : []),
  ];
}

/** Arguments of the query frontend. */
export function queryFrontendFlags(
  frontend: NonNullable<Settings["queryFrontend"]>,
  tenancy: Settings["tenancy"],
  downstreamUrl: string,
): string[] {
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
    `--query-range.response-cache-config-file=${RESPONSE_CACHE_FOLDER}/${RESPONSE_CACHE_FILE}`,
    `--labels.split-interval=${frontend.splitInterval}`,
    `--labels.response-cache-max-freshness=${frontend.maxFreshness}`,
    `--labels.response-cache-config-file=${RESPONSE_CACHE_FOLDER}/${RESPONSE_CACHE_FILE}`,
  ];
}
