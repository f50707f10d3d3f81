/** The versions that this release was tested with on a real cluster. One place, so that an upgrade is one change. */

/** Thanos, every component, and the release whose source is that of every flag. */
export const THANOS_VERSION = "0.42.4";
/** Prometheus. */
export const PROMETHEUS_VERSION = "3.14.0";
/**
 * memcached, the cache of query frontend and store gateways. The sandbox runs its machine's own (Debian 12:
 * 1.6.18), which knows the same flags.
 */
export const MEMCACHED_VERSION = "1.6.45";
/**
 * HAProxy, the gateway: the branch with long-term support of 2025, to 2030. The sandbox runs its machine's own (Debian 12: 2.6.12); both
 * take the configuration.
 */
export const HAPROXY_VERSION = "3.2.24";
/** prom-label-proxy, which holds readers of the gateway to their tenants. */
export const PROM_LABEL_PROXY_VERSION = "0.15.0";

/**
 * Image references by component, from the projects' own registries: the tag for people, the digest (of the index of all platforms) for what
 * is run. No registry was asked for a digest: each is what independent public repositories pin for this tag, memcached's and HAProxy's are
 * Docker's own record of its official images (docker-library/repo-info). Nobody was found who pins prom-label-proxy of this version.
 */
export const IMAGES = {
  thanos: `quay.io/thanos/thanos:v${THANOS_VERSION}@sha256:b567818fe608067eb0f1d7c2c4fe361e7ad83c8a256234c97685f1d0bf670cc8`,
  prometheus: `quay.io/prometheus/prometheus:v${PROMETHEUS_VERSION}@sha256:5ce7540c3c00ef4ab0c9d2c995c6a5b9c421f44b4a115d97a2c7af3b1c21cbb0`,
  memcached: `docker.io/library/memcached:${MEMCACHED_VERSION}@sha256:eeb9eaa939ffaa2304899674c9e88a9247ec8e5e40e424a892df7b09914bd2ec`,
  haproxy: `docker.io/library/haproxy:${HAPROXY_VERSION}@sha256:fa8c8825c5ca0e0f65c3fc2059b92e9d1735a640b2b38091823a959a64016c4f`,
  promLabelProxy: `quay.io/prometheuscommunity/prom-label-proxy:v${PROM_LABEL_PROXY_VERSION}`,
} as const;

/** The version that an image's tag names, without a leading `v`; for the label `app.kubernetes.io/version`. */
export function imageVersion(image: string): string {
  const [reference = ""] = image.split("@");
  return reference.slice(reference.lastIndexOf(":") + 1).replace(/^v(?=\d)/, "");
}

/**
 * Releases of Thanos that know every flag which this release spells: the minor that it is made for, and the one before,
 * from which an environment is upgraded.
 */
export const SUPPORTED_THANOS = /^0\.4[12]\.\d+(?:[-+].*)?$/;

/** Whether a querier's file of endpoints may say how each is spoken to (Thanos v0.41 cmd/thanos/endpointset.go passes over it). */
export const knowsClientConfig = (image: string): boolean => !imageVersion(image).startsWith("0.41.");

/**
 * Releases of Prometheus that know every flag and field which this release spells: `scrape_native_histograms` came with 3.8 (Prometheus
 * CHANGELOG), and an unknown field stops it at its start.
 */
export const SUPPORTED_PROMETHEUS = /^3\.(?:[89]|[1-9]\d+)\.\d+(?:[-+].*)?$/;

/**
 * Releases whose receivers end at their start when `--tsdb.max-block-duration` is not the minimum, and which cut samples out of order only
 * with newer ones (Thanos v0.41 `cmd/thanos/receive.go`; since v0.42 `startPeriodicHeadCompaction` in `pkg/receive/multitsdb.go`).
 */
export const FIXED_BLOCK_DURATION = /^0\.41\./;

/** The oldest HAProxy that knows every word of the gateway's configuration: the one of Debian 12, which the sandbox runs. */
export const HAPROXY_MINIMUM = "2.6";
/** The oldest prom-label-proxy that knows every flag which the gateway gives it (its CHANGELOG). */
export const PROM_LABEL_PROXY_MINIMUM = "0.12";

/**
 * Whether a version is older than another, by major and minor; false where it begins with no such numbers. Of a major alone, as in the tag
 * `haproxy:1`, it is the newest release.
 */
export function isBefore(version: string, minimum: string): boolean {
  const numbers = (text: string) =>
    /^(\d+)(?:\.(\d+)|(?=-|$))/
      .exec(text)
      ?.slice(1)
      .map((part) => (part === undefined ? Number.POSITIVE_INFINITY : Number(part)));
  const [major = 0, minor = 0] = numbers(version) ?? [Number.POSITIVE_INFINITY];
  const [leastMajor = 0, leastMinor = 0] = numbers(minimum) ?? [];
  return major < leastMajor || (major === leastMajor && minor < leastMinor);
}
