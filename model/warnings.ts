import { unneededRisks } from "./acceptedRisks";
import { idleCompactors } from "./bucket/shards";
import { changesThatRulersMiss } from "./credentials/rules";
import { gatewayWarnings } from "./gateway/warnings";
import { evaluatesRules } from "./prometheus/config";
import { FILE_PLACE } from "./prometheus/freeForm/credentials";
import { secondsOf } from "./prometheus/freeForm/form";
import { readWarnings } from "./reads/warnings";
import { CREDENTIALS_DIRECTORY } from "./settings/credentials";
import type { Extra } from "./settings/extra";
import type { Settings } from "./settings/schema";
import { loggingOf } from "./telemetry/logging";
import { tlsWarnings } from "./tls/warnings";
import { isPath } from "./values/credentials";
import { durationSeconds } from "./values/quantity";
import { textsIn } from "./values/textsIn";

/** Settings that Prometheus and Thanos take, and that would surprise their author. Said at preview, and nothing is refused. */

/**
 * How far back a query looks for a series' newest sample, in seconds: Thanos' `--query.lookback-delta` and Prometheus'
 * `--query.lookback-delta`, which are left as they are.
 */
const LOOKBACK_SECONDS = 300;

/** Sentences, each with the key that it is about. */
export function planWarnings(settings: Settings): string[] {
  return [
    ...longIntervals(settings),
    ...denserThanLoad(settings),
    ...unloggedSlowQueries(settings),
    ...filesThatNobodyMounts(settings),
    ...changesThatRulersMiss(settings),
    ...readWarnings(settings),
    ...idleCompactors(settings),
    ...gatewayWarnings(settings),
    ...tlsWarnings(settings),
    ...unneededRisks(settings),
  ];
}

/**
 * Intervals after which a series has no value for a while: one sample that comes late, or not at all, is enough
 * of a gap from half of the lookback on.
 */
function longIntervals({ prometheus, ruler }: Settings): string[] {
  const { scrapeInterval, evaluationInterval, scrapeConfigs } = prometheus;
  const intervals: [string, string][] = [
    ["prometheus.scrapeInterval", scrapeInterval],
    ["prometheus.evaluationInterval", evaluationInterval],
    ...(ruler === undefined ? [] : [["ruler.evaluationInterval", ruler.evaluationInterval] as [string, string]]),
    ...scrapeConfigs.flatMap(({ scrape_interval }, index): [string, string][] =>
      typeof scrape_interval === "string" && secondsOf(scrape_interval) !== undefined
        ? [[`prometheus.scrapeConfigs[${index}].scrape_interval`, scrape_interval]]
        : [],
    ),
  ];
  return intervals
    .filter(([, interval]) => durationSeconds(interval) > LOOKBACK_SECONDS / 2)
    .map(
      ([key, interval]) =>
        `${key} is ${interval}: a query looks 5m back for a series' newest sample, so graphs and alerts have gaps where ` +
        `${durationSeconds(interval) > LOOKBACK_SECONDS ? "nobody asks over a longer range (last_over_time)" : "one sample is late or missing"}; from 2m down they have none`,
    );
}

/** A load that counts fewer samples than the stack's own Prometheus makes of it. */
function denserThanLoad({ load, prometheus: { scrapeInterval } }: Settings): string[] {
  if (load === undefined || load.scraped === 0) return [];
  const { interval, samplesPerSecond, series } = load;
  const seconds = interval === undefined ? series / (samplesPerSecond ?? series) : durationSeconds(interval);
  // A rate that was measured is a little less: series come and go.
  const most = durationSeconds(scrapeInterval) * (interval === undefined ? 1.1 : 1);
  if (seconds <= most) return [];
  const [given, more] =
    interval === undefined
      ? [
          `load.samplesPerSecond is ${samplesPerSecond}, one of a series in ${Number(seconds.toPrecision(3))}s`,
          "a larger load.samplesPerSecond",
        ]
      : [`load.interval is ${interval}`, "a shorter load.interval, load.samplesPerSecond"];
  return [
    `${given}, and prometheus.scrapeInterval is ${scrapeInterval}: what this stack scrapes has more samples than the load counts; ` +
      `${more}, or load.scraped 0 where others send all of it`,
  ];
}

/** Slow queries, which the query frontend logs at info (thanos v0.42.4 internal/cortex/frontend/transport/handler.go), below its level. */
function unloggedSlowQueries(settings: Settings): string[] {
  const { queryFrontend } = settings;
  if (queryFrontend === undefined || durationSeconds(queryFrontend.slowQueries.longerThan) === 0) return [];
  const { level } = loggingOf(settings, queryFrontend.logging);
  if (level !== "warn" && level !== "error") return [];
  const key = queryFrontend.logging.level === undefined ? "logging.level" : "queryFrontend.logging.level";
  return [
    `${key} is ${level}: the query frontend logs slow queries (queryFrontend.slowQueries.longerThan, ${queryFrontend.slowQueries.longerThan}) at info, which that ` +
      'leaves out; queryFrontend.logging.level "info", or longerThan "0s" where nobody reads them',
  ];
}

/** Directory of the service account's token and the cluster's CA, in every pod that has them. */
const MOUNTED = "/var/run/secrets/kubernetes.io/serviceaccount/";

/** A key that names files, and who reads them. */
interface FilePlace {
  key: string;
  value: unknown;
  /** Directories that the reader's container has of the stack. */
  mounted: readonly string[];
  reader: "prometheus" | "ruler";
  extra: Extra;
  /** Effect of a file that is not there, in words. */
  harm: string;
}

/** Everything that names files in Prometheus' own form, as far as it is in effect. */
function filePlaces(settings: Settings): FilePlace[] {
  const { prometheus, alerting, ruler } = settings;
  const ofPrometheus = { reader: "prometheus", extra: prometheus.extra, mounted: [MOUNTED] } as const;
  const sender =
    ruler !== undefined
      ? ({ reader: "ruler", extra: ruler.extra, mounted: [] } as const)
      : evaluatesRules(settings)
        ? ofPrometheus
        : undefined;
  return [
    { ...ofPrometheus, key: "prometheus.scrapeConfigs", value: prometheus.scrapeConfigs, harm: "the job finds no target or can't scrape" },
    ...prometheus.remoteWrite.otherTargets.map(({ client }, index) => ({
      ...ofPrometheus,
      key: `prometheus.remoteWrite.otherTargets[${index}].client`,
      value: client,
      harm: "nothing is sent there",
    })),
    ...(sender === undefined || alerting.alertmanagers.length === 0
      ? []
      : [{ ...sender, key: "alerting.client", value: alerting.client, harm: "no alert is sent" }]),
  ];
}

/**
 * Files that nobody mounts where they are read: only a log says that they are not there. A path is shown where it is one for sure, since
 * the credential itself may stand there.
 */
function filesThatNobodyMounts(settings: Settings): string[] {
  return filePlaces(settings).flatMap(({ key, value, mounted, reader, extra, harm }) => {
    const directories = [
      ...mounted,
      "/dev/",
      `${CREDENTIALS_DIRECTORY}/`,
      ...(extra.volumeMounts ?? []).map(({ mountPath }) => `${mountPath.replace(/\/$/, "")}/`),
    ];
    return textsIn(value, key)
      .filter(([at, file]) => FILE_PLACE.test(at) && file.startsWith("/") && !directories.some((directory) => file.startsWith(directory)))
      .map(
        ([at, file]) =>
          `${at} names ${isPath(file) ? file : "a path (not shown)"}, which nothing mounts: unless images.${reader === "ruler" ? "thanos" : reader} has it, ` +
          `${harm}, and only the log of ${reader === "ruler" ? "the rulers" : "Prometheus"} says so; the keys credentials and credentialsFrom make ` +
          `${CREDENTIALS_DIRECTORY}/<name> of what is secret, ${reader}.extra.volumes and volumeMounts mount anything`,
      );
  });
}
