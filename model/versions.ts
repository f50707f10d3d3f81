/** The versions that this release was tested with on a real cluster. One place, so that an upgrade is one change. */

/** Thanos, every component. Source of every flag in `thanosFlags.ts`. */
export const THANOS_VERSION = "0.42.4";
/** Prometheus. */
export const PROMETHEUS_VERSION = "3.14.0";
/** memcached, the query frontend's cache. */
export const MEMCACHED_VERSION = "1.6.18";

/** Image references by component: pinned tags from the projects' own registries. */
export const IMAGES = {
  thanos: `quay.io/thanos/thanos:v${THANOS_VERSION}`,
  prometheus: `quay.io/prometheus/prometheus:v${PROMETHEUS_VERSION}`,
  memcached: `docker.io/library/memcached:${MEMCACHED_VERSION}`,
} as const;

/** The version that an image's tag names, without a leading `v`; for the label `app.kubernetes.io/version`. */
export function imageVersion(image: string): string {
  const [reference = ""] = image.split("@");
  return reference.slice(reference.lastIndexOf(":") + 1).replace(/^v(?=\d)/, "");
}

/** Releases of Thanos that know every flag which this release spells: the minor that it is made for, and the one before, from which an environment is upgraded. */
export const SUPPORTED_THANOS = /^0\.4[12]\.\d+(?:[-+].*)?$/;

/**
 * Releases whose receivers end at their start when `--tsdb.max-block-duration` is not the minimum, and which cut samples out of order only with newer ones (Thanos v0.41
 * `cmd/thanos/receive.go`; since v0.42 `startPeriodicHeadCompaction` in `pkg/receive/multitsdb.go`).
 */
export const FIXED_BLOCK_DURATION = /^0\.41\./;
