import { PROMETHEUS_PORT } from "../kubernetes/ports";
import type { Settings } from "../settings/schema";
import { logFlags } from "../telemetry/logging";
import { serverOf } from "../values/hosts";
import { quantityBytes } from "../values/quantity";
import { PROMETHEUS_CONFIG_DIRECTORY, PROMETHEUS_CONFIG_FILE } from "./config";

/** Where Prometheus keeps its blocks and its write-ahead log. */
export const PROMETHEUS_DATA = "/prometheus";

/** Part of Prometheus' memory that the samples of one query may take. */
const QUERY_SHARE = 1 / 4;
/** Memory of a sample while a query is worked on: its time and its value (prometheus promql `FPoint`). */
const BYTES_PER_SAMPLE = 16;

/** Most samples of one query where an environment names none. */
export const defaultMaxSamples = ({ resources }: Settings["prometheus"]): number =>
  Math.floor((quantityBytes(resources.memory) * QUERY_SHARE) / BYTES_PER_SAMPLE);

/**
 * Prometheus' arguments. Source: prometheus docs/command-line/prometheus.md and cmd/prometheus/main.go, 3.x.
 *
 * @param uploads Whether a sidecar uploads its blocks.
 */
export function prometheusFlags(settings: Settings, uploads: boolean): string[] {
  const { prometheus } = settings;
  const common = [
    `--config.file=${PROMETHEUS_CONFIG_DIRECTORY}/${PROMETHEUS_CONFIG_FILE}`,
    `--web.listen-address=:${PROMETHEUS_PORT}`,
    "--auto-gomemlimit.ratio=0.9",
    "--storage.remote.flush-deadline=1m",
    // Hidden there: scrape/manager.go `reloader`, whose first look at what was discovered is one interval after the start.
    ...(prometheus.discoveryInterval === undefined ? [] : [`--scrape.discovery-reload-interval=${prometheus.discoveryInterval}`]),
    ...externalFlags(prometheus.externalUrl),
    ...logFlags(settings, prometheus.logging),
  ];
  if (prometheus.mode === "agent") return [...common, "--agent", `--storage.agent.path=${PROMETHEUS_DATA}`];
  return [
    ...common,
    `--storage.tsdb.path=${PROMETHEUS_DATA}`,
    "--enable-feature=exemplar-storage",
    `--query.max-samples=${prometheus.queries.maxSamples ?? defaultMaxSamples(prometheus)}`,
    `--query.max-concurrency=${prometheus.queries.maxConcurrent}`,
    `--query.timeout=${prometheus.queries.timeout}`,
    // Exactly where blocks are uploaded: the compactor does the rest, and a block that both have compacted overlaps itself.
    ...(uploads ? ["--storage.tsdb.min-block-duration=2h", "--storage.tsdb.max-block-duration=2h"] : []),
  ];
}

/**
 * Links to the external URL, with everything still at the root: by default what is served moves below its path (cmd/prometheus/main.go).
 */
function externalFlags(url: string | undefined): string[] {
  if (url === undefined) return [];
  return [`--web.external-url=${url}`, ...(serverOf(url).path === "" ? [] : ["--web.route-prefix=/"])];
}
