import { OBJECT_STORE_FLAG } from "../bucket/mount";
import { SIDECAR_CONTAINER } from "../kubernetes/identities";
import { GRPC_PORT, HTTP_PORT, PROMETHEUS_PORT } from "../kubernetes/ports";
import { readLimitFlags, STORES } from "../reads/limits";
import type { Settings } from "../settings/schema";
import { type Process, telemetryFlags } from "../telemetry/files";
import { grpcServerFlags } from "../tls/flags";
import { PROMETHEUS_CONFIG_DIRECTORY, PROMETHEUS_CONFIG_FILE, PROMETHEUS_RULES_DIRECTORY } from "./config";
import { PROMETHEUS_DATA } from "./flags";

/**
 * The sidecar of each Prometheus in the sidecar scheme: it serves the querier its Prometheus' samples, uploads
 * blocks, and has changed files read again.
 */

/** The sidecar's process, for its logs and traces. */
export const sidecarProcess = ({ prometheus: { sidecar } }: Settings): Process => ({
  name: SIDECAR_CONTAINER,
  logging: sidecar.logging,
  serves: true,
});

/**
 * Arguments of the sidecar. Source: thanos v0.42.4 cmd/thanos/sidecar.go.
 *
 * Reloads go by signal within the pod, so that Prometheus' lifecycle API, which can also end it, stays closed.
 *
 * @param handover Age of samples from which on the bucket serves them, such as `12h`; undefined without a bucket.
 */
export function sidecarFlags(settings: Settings, handover: string | undefined): string[] {
  return [
    "sidecar",
    `--grpc-address=:${GRPC_PORT}`,
    `--http-address=:${HTTP_PORT}`,
    "--enable-auto-gomemlimit",
    `--prometheus.url=http://127.0.0.1:${PROMETHEUS_PORT}`,
    `--tsdb.path=${PROMETHEUS_DATA}`,
    `--reloader.config-file=${PROMETHEUS_CONFIG_DIRECTORY}/${PROMETHEUS_CONFIG_FILE}`,
    `--reloader.rule-dir=${PROMETHEUS_RULES_DIRECTORY}`,
    "--reloader.watch-interval=15s",
    "--reloader.method=signal",
    "--reloader.process-name=prometheus",
    ...(handover === undefined ? [] : [OBJECT_STORE_FLAG, `--min-time=-${handover}`]),
    ...grpcServerFlags(settings),
    ...readLimitFlags(settings, STORES.sidecar(settings)),
    ...telemetryFlags(settings, sidecarProcess(settings)),
  ];
}
