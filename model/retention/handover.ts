import { ringsOf } from "../settings/rings";
import type { ObjectStorageSettings, Settings } from "../settings/schema";
import { receiveOf } from "../settings/scheme";
import { durationSeconds, durationText } from "../values/quantity";
import { prometheusRetentionTime } from "./prometheus";
import { ringRetentions } from "./receivers";

/** Up to which age receivers, sidecars and rulers serve samples, and from which age on the bucket does. */

const HOUR = 3_600;
/** Seconds of a block as TSDBs cut it (Thanos' and this program's setting). */
const BLOCK = 2 * HOUR;
/** Longest that a sample is in the head alone: it is cut when it spans one and a half blocks (prometheus tsdb/head.go `compactable`). */
const HEAD = 1.5 * BLOCK;
/** Longest upload of one block. Shippers sync every 30 s (sidecar.go, receive.go). */
const UPLOAD = HOUR;
/** Longest default handover from sidecars: so much is not served when a Prometheus loses its volume and has no pair. */
const LONGEST_SIDECAR_HANDOVER = 12 * HOUR;

/** Retention that local storage surely has, and the key that sets it. */
export interface LocalRetention {
  key: string;
  value: string;
  /** Seconds up to which nothing is dropped. */
  surely: number;
}

/**
 * How far back those who keep samples themselves surely serve, each ring's receivers apart, the shortest first. A TSDB drops a block when
 * its end is the retention behind the end of the newest block (tsdb/db.go `BeyondTimeRetention`), and the newest can end ahead of the
 * clock: a block of late samples ends on the full two hours (tsdb/compact.go `CompactOOO`), and a receiver takes samples from the future.
 */
export function localRetentions(settings: Settings): [LocalRetention, ...LocalRetention[]] {
  const receive = receiveOf(settings);
  const prometheus = prometheusRetentionTime(settings);
  const [first, ...others] = (receive === undefined ? [] : ringRetentions(receive, settings)).map(({ key, time }) => ({
    key,
    value: time,
    surely: durationSeconds(time) - BLOCK - durationSeconds(receive?.tooFarInFutureWindow ?? "0s"),
  }));
  return first === undefined
    ? [{ key: "prometheus.retention.time", value: prometheus, surely: durationSeconds(prometheus) - BLOCK }]
    : [first, ...others];
}

/** The shortest of them: up to there nobody has dropped anything. */
export const localRetention = (settings: Settings): LocalRetention => localRetentions(settings)[0];

/**
 * Seconds after which a sample is surely in the bucket and known to every store gateway: until then it may be in a head, on
 * its way, or in a bucket whose listing is cached. A store gateway syncs every `syncInterval`, with a listing and absences
 * that are cached for as long again each.
 */
export function leastHandoverSeconds({ storeGateway }: Pick<ObjectStorageSettings, "storeGateway">): number {
  return HEAD + UPLOAD + 3 * durationSeconds(storeGateway.syncInterval);
}

/** Seconds, cut to whole hours. */
export const wholeHours = (seconds: number): number => Math.floor(seconds / HOUR) * HOUR;

function defaultHandoverSeconds(settings: Settings, objectStorage: ObjectStorageSettings): number {
  const least = leastHandoverSeconds(objectStorage);
  const receive = receiveOf(settings);
  const sizes = receive === undefined ? [settings.prometheus] : ringsOf(receive, settings);
  // A bound in bytes says nothing of time.
  if (sizes.some(({ retention }) => retention.size !== undefined)) return least;
  const ruler = settings.ruler?.mode === "stateful" ? durationSeconds(settings.ruler.retention) - BLOCK : Number.POSITIVE_INFINITY;
  const most = Math.min(localRetention(settings).surely, ruler);
  if (receive !== undefined) return Math.max(least, wholeHours(most));
  const quarter = wholeHours(durationSeconds(prometheusRetentionTime(settings)) / 4);
  return Math.max(least, Math.min(most, quarter, LONGEST_SIDECAR_HANDOVER));
}

/**
 * Seconds of age at which the bucket takes over from sidecars or receivers; undefined without a bucket. From that age on a sidecar leaves
 * the answer to the bucket (`--min-time`). Receivers and rulers have no such flag and serve all that they hold, so that their retention is
 * the handover, unless the environment names one.
 */
export function handoverSeconds(settings: Settings): number | undefined {
  const { objectStorage } = settings;
  if (objectStorage === undefined) return undefined;
  return objectStorage.handover === undefined ? defaultHandoverSeconds(settings, objectStorage) : durationSeconds(objectStorage.handover);
}

/** {@link handoverSeconds} as Thanos' flags have it, such as `14d21h`. */
export function handoverDuration(settings: Settings): string | undefined {
  const seconds = handoverSeconds(settings);
  return seconds === undefined ? undefined : durationText(seconds);
}

/**
 * Age up to which store gateways hold back although the bucket has the samples; undefined where they serve all that is uploaded. That is
 * the rule: what a receiver or a Prometheus held that left the ring or lost its volume is served as soon as it is in the bucket. Where both
 * still hold it, a sample is fetched twice and answered once. Behind a ring an environment can have it otherwise
 * (`objectStorage.handover`), for receivers that keep samples so long that the bucket has downsampled them meanwhile.
 */
export function heldBack(settings: Settings): string | undefined {
  return settings.ingestion === "receive" ? settings.objectStorage?.handover : undefined;
}
