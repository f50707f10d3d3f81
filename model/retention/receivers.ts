import { type RingSettings, ringsOf } from "../settings/rings";
import type { ReceiveSettings, Settings } from "../settings/schema";
import { durationSeconds } from "../values/quantity";

/**
 * How long receivers keep samples themselves, such as `15d`: what `receive.retention.time` says, or the ring's own, else everything there
 * is to answer from (15d), or beside a bucket what stays answerable while the bucket is away (36h: below the age of 40h from which on the
 * bucket has coarser resolutions too).
 */
export function receiveRetentionTime(
  { retention }: Pick<RingSettings, "retention">,
  { objectStorage }: Pick<Settings, "objectStorage">,
): string {
  return retention.time ?? (objectStorage === undefined ? "15d" : "36h");
}

/** Retention of one ring's receivers, and the key that decides about it. */
export interface RingRetention {
  key: string;
  time: string;
}

/** Of every ring, the shortest first. */
export function ringRetentions(receive: ReceiveSettings, settings: Settings): RingRetention[] {
  const own = ringsOf(receive, settings).map((ring) => ({
    key: ring.retention.time === receive.retention.time ? "receive.retention.time" : `${ring.key}.retention.time`,
    time: receiveRetentionTime(ring, settings),
  }));
  const once = [...new Map(own.map((each) => [each.key, each])).values()];
  return once.sort((left, right) => durationSeconds(left.time) - durationSeconds(right.time));
}
