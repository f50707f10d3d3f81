import { LABEL_PROXY_HTTP_PORT, LABEL_PROXY_PORT } from "../kubernetes/ports";
import type { Settings } from "../settings/schema";
import { READER_TENANTS_HEADER } from "./haproxy";

/**
 * Arguments of prom-label-proxy, which puts a matcher of the reader's tenants into everything that it passes on, and answers 404 to what it
 * can't. It listens on loopback alone: whoever reached it would name its own tenants. Source: prom-label-proxy v0.15.0 main.go.
 */
export function labelProxyFlags({ tenancy }: Pick<Settings, "tenancy">, queryUrl: string): string[] {
  return [
    `-insecure-listen-address=127.0.0.1:${LABEL_PROXY_PORT}`,
    `-internal-listen-address=:${LABEL_PROXY_HTTP_PORT}`,
    `-upstream=${queryUrl}`,
    `-label=${tenancy.label}`,
    `-header-name=${READER_TENANTS_HEADER}`,
    "-header-uses-list-syntax",
    "-enable-label-apis",
    "-enable-label-matchers-for-rules-api",
  ];
}
