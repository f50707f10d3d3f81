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
