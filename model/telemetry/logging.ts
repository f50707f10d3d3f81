import type { Settings } from "../settings/schema";
import type { ComponentLogging } from "../settings/telemetry";

/**
 * Logging of a process: its flags, and Thanos' file for requests. Sources: thanos v0.42.4 pkg/logging, prometheus
 * docs/command-line/prometheus.md.
 */

/** The stack's logging with a component's own over it. */
export const loggingOf = ({ logging }: Pick<Settings, "logging">, own: ComponentLogging): Settings["logging"] => ({ ...logging, ...own });

/**
 * Flags of a process' log, the same for Thanos and Prometheus. What both do by themselves is not spelled, so that nothing restarts
 * for it.
 */
export function logFlags(settings: Pick<Settings, "logging">, own: ComponentLogging): string[] {
  const { level, format } = loggingOf(settings, own);
  return [...(level === "info" ? [] : [`--log.level=${level}`]), ...(format === "logfmt" ? [] : [`--log.format=${format}`])];
}

/**
 * The file that `--request.logging-config-file` names; undefined where no request is logged. Thanos logs a request that went well at debug,
 * one that ended with the server's error at error, and leaves out what is below the file's level (pkg/logging/options.go, http.go,
 * grpc.go).
 */
export function requestLogging(settings: Pick<Settings, "logging">, own: ComponentLogging): object | undefined {
  const { requests } = loggingOf(settings, own);
  if (requests === "none") return undefined;
  return { options: { level: requests === "all" ? "DEBUG" : "ERROR", decision: { log_start: false, log_end: true } } };
}
