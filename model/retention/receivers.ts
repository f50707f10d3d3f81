import type { ReceiveSettings, Settings } from "../settings/schema";

/**
 * How long receivers keep samples themselves, such as `15d`: what `receive.retention.time` says, else everything there is to
 * answer from (15d), or beside a bucket what stays answerable while the bucket is away (36h: below the age of 40h from which on
 * the bucket has coarser resolutions too).
 */
export function receiveRetentionTime({ retention }: ReceiveSettings, { objectStorage }: Pick<Settings, "objectStorage">): string {
  return retention.time ?? (objectStorage === undefined ? "15d" : "36h");
}
