import { idleCompactors } from "./bucket/shards";
import { changesThatRulersMiss } from "./credentials/rules";
import { secondsOf } from "./prometheus/freeForm/form";
import { CREDENTIALS_FOLDER } from "./settings/credentials";
import type { Settings } from "./settings/schema";
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
  return [...longIntervals(settings), ...filesThatNobodyMounts(settings), ...changesThatRulersMiss(settings), ...idleCompactors(settings)];
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

/** Directory of the service account's token and the cluster's CA, in every pod that has them. */
const MOUNTED = "/var/run/secrets/kubernetes.io/serviceaccount/";

/** Place of a file's name: a field `…_file`, or an entry of a list `files`. */
const FILE = /(?:_file|\.files\[\d+\])$/;

/**
 * Files that jobs of one's own name and that no component mounts: a job whose CA or list of targets is not there has no
 * target, and only Prometheus' log says so.
 */
function filesThatNobodyMounts({ prometheus: { scrapeConfigs, extra } }: Settings): string[] {
  const mounted = [
    MOUNTED,
    "/dev/",
    `${CREDENTIALS_FOLDER}/`,
    ...(extra.volumeMounts ?? []).map(({ mountPath }) => `${mountPath.replace(/\/$/, "")}/`),
  ];
  return textsIn(scrapeConfigs, "prometheus.scrapeConfigs")
    .filter(([key, file]) => FILE.test(key) && file !== "" && !mounted.some((directory) => file.startsWith(directory)))
    .map(
      ([key, file]) =>
        `${key} names ${file}, which nothing mounts: unless images.prometheus has it, the job finds no target or can't scrape, and only Prometheus' log says so; the keys credentials and credentialsFrom make ${CREDENTIALS_FOLDER}/<name> of what is secret, prometheus.extra.volumes and volumeMounts mount anything`,
    );
}
