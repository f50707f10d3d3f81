import { stringify } from "yaml";
import { RECEIVE_APP } from "./hashring";
import type { ReceiveSettings } from "./settings";

type TenantLimits = ReceiveSettings["limits"]["default"];

const orNothing = <T>(key: string, value: T | undefined) => (value === undefined ? {} : { [key]: value });

function writeLimits(limits: TenantLimits) {
  const request = {
    ...orNothing("size_bytes_limit", limits.request?.sizeBytes),
    ...orNothing("series_limit", limits.request?.series),
    ...orNothing("samples_limit", limits.request?.samples),
  };
  return { ...(Object.keys(request).length > 0 ? { request } : {}), ...orNothing("head_series_limit", limits.headSeries) };
}

/** Whether any tenant's active series are limited, which Thanos does by asking a Prometheus API ("meta monitoring"). */
export function limitsActiveSeries({ limits }: ReceiveSettings): boolean {
  return [limits.default, ...Object.values(limits.tenants)].some(({ headSeries = 0 }) => headSeries > 0);
}

/**
 * Text of the file that `--receive.limits-config-file` names. Receivers read it again when it changes.
 * Source: thanos docs/components/receive.md "Limits & gates".
 *
 * @param metaMonitoringUrl Prometheus API that knows the receivers' `prometheus_tsdb_head_series`; used only where active series are limited.
 */
export function receiveLimitsFile(receive: ReceiveSettings, metaMonitoringUrl: string): string {
  const { limits } = receive;
  return stringify({
    write: {
      global: {
        max_concurrency: limits.maxConcurrency,
        ...(limitsActiveSeries(receive)
          ? {
              meta_monitoring_url: metaMonitoringUrl,
              // Thanos' own query counts every copy of a series; the limit is one of series.
              meta_monitoring_limit_query: `sum(prometheus_tsdb_head_series{job="${RECEIVE_APP}"}) by (tenant) / ${receive.replicationFactor}`,
            }
          : {}),
      },
      default: writeLimits(limits.default),
      tenants: Object.fromEntries(
        Object.entries(limits.tenants)
          .sort(([left], [right]) => left.localeCompare(right))
          .map(([tenant, own]) => [tenant, writeLimits(own)]),
      ),
    },
  });
}
