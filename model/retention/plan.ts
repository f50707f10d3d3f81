import type { Settings } from "../settings/schema";
import { handoverDuration } from "./handover";
import { prometheusRetentionTime } from "./prometheus";

/** How long samples are where. Durations are as Prometheus and Thanos write them, such as `36h`. */
export interface RetentionPlan {
  /** How long receivers keep samples themselves, those of the ring that keeps them for the shortest time; absent in the sidecar scheme. */
  receivers?: string;
  /** How long each Prometheus keeps samples itself. */
  prometheus: string;
  /** Age of samples at which the bucket takes over; absent without a bucket. */
  handover?: string;
}

/**
 * How long samples are where.
 *
 * @param receivers How long receivers keep them; undefined where there are none.
 */
export function planRetention(settings: Settings, receivers: string | undefined): RetentionPlan {
  const handover = handoverDuration(settings);
  return {
    ...(receivers === undefined ? {} : { receivers }),
    prometheus: prometheusRetentionTime(settings),
    ...(handover === undefined ? {} : { handover }),
  };
}
