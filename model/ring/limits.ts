import { stringify } from "yaml";
import { RECEIVE_APP } from "../kubernetes/identities";
import { smallestReceiverMemory } from "../settings/rings";
import type { ReceiveSettings, Settings } from "../settings/schema";
import { quantityBytes } from "../values/quantity";

type TenantLimits = ReceiveSettings["limits"]["default"];
type RequestLimits = Required<NonNullable<TenantLimits["request"]>>;

const orNothing = <T>(key: string, value: T | undefined) => (value === undefined ? {} : { [key]: value });

function writeLimits(limits: TenantLimits) {
  const request = {
    ...orNothing("size_bytes_limit", limits.request?.sizeBytes),
    ...orNothing("series_limit", limits.request?.series),
    ...orNothing("samples_limit", limits.request?.samples),
  };
  return { ...(Object.keys(request).length > 0 ? { request } : {}), ...orNothing("head_series_limit", limits.headSeries) };
}

/**
 * Part of its memory that the text of one request may take. Around it are what is read from it, about as much again, and a copy for
 * each receiver that it is sent on to.
 */
const REQUEST_SHARE = 16;
/** Memory for one series of a request, however short its labels are: what is read from it, and its place in the lists for each receiver. */
const BYTES_PER_SERIES = 512;
/** Samples a series, on average over a request: senders that catch up send many of few. */
const SAMPLES_PER_SERIES = 16;
/**
 * Bytes of one sample in an unpacked request of this stack's own senders, on average over the request. Prometheus writes all labels of the
 * series with each sample, which are 200 to 1,000 bytes as a rule; four times as many leave room for clusters whose names are long.
 * Source: prometheus storage/remote/queue_manager.go `populateTimeSeries`.
 */
const BYTES_PER_OWN_SAMPLE = 4_096;

/**
 * The largest request of this stack's own senders: of samples, of series (each sample may be another one's), and of bytes. Thanos holds its
 * limit against a request as it is sent and as it is unpacked, so the larger of the two counts (pkg/receive/handler.go `receiveHTTP`).
 */
export function ownRequest({ prometheus: { remoteWrite } }: Settings): RequestLimits {
  const samples = remoteWrite.maxSamplesPerSend;
  return { samples, series: samples, sizeBytes: samples * BYTES_PER_OWN_SAMPLE };
}

/** Memory of the smallest process that may take a request, in bytes. */
const takersMemory = (receive: ReceiveSettings): number =>
  Math.min(smallestReceiverMemory(receive), ...(receive.mode === "split" ? [quantityBytes(receive.routers.resources.memory)] : []));

/**
 * A request, in bytes as it is unpacked, that alone fills the memory of the smallest process that may take it: its text, what is read from
 * it, and a copy for each receiver that it is sent on to.
 */
export const fillingRequest = (receive: ReceiveSettings): number => Math.floor(takersMemory(receive) / (2 + receive.replicationFactor));

/**
 * Limits of one request where an environment names none: what the process that takes it can hold beside its other work, and never less than
 * this stack's own Prometheus and rulers send at once, since they drop what is answered 413. In `split` mode routers take requests;
 * otherwise any receiver of any ring does, and passes on what is another ring's, so that the smallest counts.
 */
export function defaultRequestLimits(receive: ReceiveSettings, settings: Settings): RequestLimits {
  const own = ownRequest(settings);
  const share = takersMemory(receive) / REQUEST_SHARE;
  const series = Math.max(Math.floor(share / BYTES_PER_SERIES), own.series);
  return {
    sizeBytes: Math.max(Math.floor(share), own.sizeBytes),
    series,
    samples: series * SAMPLES_PER_SERIES,
  };
}

/** Whether any tenant's active series are limited, which Thanos does by asking a Prometheus API ("meta monitoring"). */
export function limitsActiveSeries({ limits }: ReceiveSettings): boolean {
  return [limits.default, ...Object.values(limits.tenants)].some(({ headSeries = 0 }) => headSeries > 0);
}

/**
 * Text of the file that `--receive.limits-config-file` names. Receivers read it again when it changes.
 *
 * A tenant's own limits are laid over the default's, one by one; 0 is no limit. The default tenant has no share in a default
 * limit of active series: the counts come from the samples that this stack's own Prometheus writes as that tenant, and once they
 * were refused no count would ever fall.
 * Sources: thanos docs/components/receive.md "Limits & gates", pkg/receive/head_series_limiter.go (counts are kept until others come).
 *
 * @param metaMonitoringUrl Prometheus API that knows the receivers' `prometheus_tsdb_head_series`; used
 * only where active series are limited.
 */
export function receiveLimitsFile(receive: ReceiveSettings, settings: Settings, metaMonitoringUrl: string): string {
  const { limits } = receive;
  const { defaultTenant } = settings.tenancy;
  const exempt = (limits.default.headSeries ?? 0) === 0 ? {} : { [defaultTenant]: { headSeries: 0, ...limits.tenants[defaultTenant] } };
  return stringify({
    write: {
      global: {
        max_concurrency: limits.maxConcurrency,
        ...(limitsActiveSeries(receive)
          ? {
              meta_monitoring_url: metaMonitoringUrl,
              // Thanos' own query counts every replica of a series; the limit is one of series.
              meta_monitoring_limit_query: `sum(prometheus_tsdb_head_series{job="${RECEIVE_APP}"}) by (tenant) / ${receive.replicationFactor}`,
            }
          : {}),
      },
      default: writeLimits({ ...limits.default, request: { ...defaultRequestLimits(receive, settings), ...limits.default.request } }),
      tenants: Object.fromEntries(
        Object.entries({ ...limits.tenants, ...exempt })
          .sort(([left], [right]) => left.localeCompare(right))
          .map(([tenant, own]) => [tenant, writeLimits(own)]),
      ),
    },
  });
}
