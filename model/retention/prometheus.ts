import type { Settings } from "../settings/schema";

/**
 * How long each Prometheus keeps samples itself, such as `15d`: what `prometheus.retention.time` says, else what nobody else holds.
 * Behind a ring, that is what its own rules look back at (6h); beside a bucket, what stays answerable while the bucket is away (2d);
 * with neither, everything there is (15d).
 */
export function prometheusRetentionTime(settings: Settings): string {
  const { ingestion, objectStorage, prometheus } = settings;
  if (prometheus.retention.time !== undefined) return prometheus.retention.time;
  if (ingestion === "receive") return "6h";
  return objectStorage === undefined ? "15d" : "2d";
}
