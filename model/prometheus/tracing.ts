import type { Settings } from "../settings/schema";
import { COLLECTOR_CA_FILE } from "../telemetry/files";

/** Traces of Prometheus. Source: prometheus config/config.go `TracingConfig`, 3.14. */

/** Whether Prometheus sends traces: its own form has no place for a header but in plain text. */
const isTraced = ({ tracing }: Pick<Settings, "tracing">): boolean => tracing !== undefined && Object.keys(tracing.headers).length === 0;

/** The part of prometheus.yml about traces; empty where it sends none. */
export function tracingConfig(settings: Settings) {
  const { tracing } = settings;
  if (tracing === undefined || !isTraced(settings)) return {};
  const { protocol, endpoint, insecure, ca, samplingFraction } = tracing;
  return {
    tracing: {
      client_type: protocol,
      endpoint,
      insecure,
      sampling_fraction: samplingFraction,
      // Relative to the configuration's directory.
      ...(ca === undefined ? {} : { tls_config: { ca_file: COLLECTOR_CA_FILE } }),
    },
  };
}

/** The file with the authorities by which the collector is known, beside prometheus.yml; empty where none is named. */
export const collectorAuthorities = (settings: Settings): Record<string, string> =>
  settings.tracing?.ca === undefined || !isTraced(settings) ? {} : { [COLLECTOR_CA_FILE]: settings.tracing.ca };
