import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { clusterLabels } from "../../model/settings/externalLabels";
import { PROMETHEUS_REPLICA_LABEL, RECEIVE_REPLICA_LABEL } from "../../model/settings/replicaLabels";
import { settingsSchema } from "../../model/settings/schema";
import { bucketAccess, ensureBucket } from "../bucket";
import { StepFailed } from "../command";
import { bucketOf, CONFIG_NAMESPACE, type ConfigOverlay } from "../overlay";
import type { Paths } from "../paths";
import type { Step } from "../steps";
import { BLOCK_DURATION, makeBlocks } from "./make";
import type { Series } from "./openMetrics";
import { type BucketBlock, labelText, listBlocks, uploadBlocks } from "./remote";

/** The labels of an environment's history, by where they are. */
export interface HistoryLabels {
  /** Of the blocks: what the querier adds to every series of them. */
  readonly external: Readonly<Record<string, string>>;
  /** Of every series in them. */
  readonly series: Readonly<Record<string, string>>;
}

/** The settings that decide labels. */
const labelSettings = settingsSchema.pick({ cluster: true, ingestion: true, tenancy: true, prometheus: true });

/**
 * The labels that an environment's own blocks have: of the first Prometheus with a sidecar, or of the first receiver and in it of the first
 * Prometheus, which has sent its own with every series.
 *
 * @param config the environment's configuration, without its secrets
 */
export function historyLabels(config: ConfigOverlay): HistoryLabels {
  const settings = labelSettings.parse(
    Object.fromEntries(Object.keys(labelSettings.shape).map((key) => [key, config[`${CONFIG_NAMESPACE}:${key}`]])),
  );
  const prometheus = {
    ...settings.prometheus.externalLabels,
    ...clusterLabels(settings),
    [PROMETHEUS_REPLICA_LABEL]: "prometheus-0",
  };
  if (settings.ingestion === "sidecar") return { external: prometheus, series: {} };
  return {
    external: { [RECEIVE_REPLICA_LABEL]: "thanos-receive-0", [settings.tenancy.label]: settings.tenancy.defaultTenant },
    series: prometheus,
  };
}

const DAY = 86_400_000;
const HOUR = 3_600_000;

/** How often the example's counters begin anew; every stretch of ten days has it once. */
const COUNTER_LIFE = 10 * DAY;

/**
 * Series for a walkthrough, of two instances each: a temperature that rises and falls once a day, requests counted at a constant rate, and
 * `up`. Each value depends on nothing but its time, so that history that is made piece by piece is the same as in one.
 *
 * @param labels further labels of every series
 */
export function exampleSeries(labels: Readonly<Record<string, string>> = {}): Series[] {
  return [0, 1].flatMap((instance) => {
    const all = { ...labels, job: "made-history", instance: `example-${instance}:9100` };
    return [
      {
        name: "example_temperature_celsius",
        labels: all,
        value: (time: number) => 20 + 5 * Math.sin((2 * Math.PI * (time % DAY)) / DAY) + instance,
      },
      {
        name: "example_requests_total",
        labels: all,
        // Off the hours at which blocks begin, so that the new beginning is within a block.
        value: (time: number) => ((instance + 2) * ((time + HOUR) % COUNTER_LIFE)) / 1_000,
      },
      { name: "up", labels: all, value: () => 1 },
    ];
  });
}

/**
 * The parts of a stretch of time for which there is no block yet.
 *
 * @param blocks those that count
 */
export function missingRanges(
  from: number,
  to: number,
  blocks: readonly Pick<BucketBlock, "minTime" | "maxTime">[],
): { from: number; to: number }[] {
  const ranges: { from: number; to: number }[] = [];
  for (let start = from; start < to; start += BLOCK_DURATION) {
    const end = start + BLOCK_DURATION;
    if (blocks.some(({ minTime, maxTime }) => minTime < end && maxTime > start)) continue;
    const last = ranges.at(-1);
    if (last?.to === start) last.to = end;
    else ranges.push({ from: start, to: end });
  }
  return ranges;
}

/** The history that {@link historySteps} makes. */
export interface EnvironmentHistory {
  readonly env: string;
  /** The environment's configuration, without its secrets. */
  readonly config: ConfigOverlay;
  /** How many days, 1 to 400. */
  readonly days: number;
  /** The end, in milliseconds since 1970; it is cut to an even hour (UTC). */
  readonly until: number;
}

/** How often the example is sampled, in seconds. */
const RESOLUTION = 30;

/**
 * The steps that give an environment's bucket days of history, as if it had run so long: blocks of two hours that no compactor has seen.
 * Blocks that the bucket has with the same labels are left, so that running them again goes on where an earlier run was interrupted.
 *
 * @throws {StepFailed} if the environment has no bucket
 * @throws {RangeError} on days or an end that are none
 */
export function historySteps({ env, config, days, until }: EnvironmentHistory, where: Paths): Step[] {
  const place = bucketOf(config);
  if (place === undefined) {
    throw new StepFailed(`Pulumi.${env}.yaml has no ${CONFIG_NAMESPACE}:objectStorage.s3, so that ${env} has no bucket for history`);
  }
  if (!Number.isInteger(days) || days < 1 || days > 400) throw new RangeError(`days is ${days}: it must be a whole number from 1 to 400`);
  if (!Number.isFinite(until)) throw new RangeError("until is no time: it must be one such as 2026-07-01T00:00:00Z");
  const to = Math.floor(until / BLOCK_DURATION) * BLOCK_DURATION;
  const from = to - days * DAY;
  const labels = historyLabels(config);
  const bucket = bucketAccess(place.bucket);
  const base = join(where.home, "history");
  let folder = "";
  let made = 0;
  return [
    { title: `Bucket ${place.bucket} on the S3 server`, run: async (report) => void (await ensureBucket(place.bucket, where, report)) },
    {
      title: `Blocks of ${days} days up to ${new Date(to).toISOString()}`,
      run: async (report) => {
        const there = (await listBlocks(bucket, place.prefix, where)).filter(
          (block) => !block.markedForDeletion && labelText(block.labels) === labelText(labels.external),
        );
        // Blocks that an interrupted run made and didn't upload.
        rmSync(base, { recursive: true, force: true });
        mkdirSync(base, { recursive: true });
        folder = mkdtempSync(join(base, `${env}-`));
        for (const range of missingRanges(from, to, there)) {
          const blocks = await makeBlocks(
            { folder, ...range, resolutionSeconds: RESOLUTION, series: exampleSeries(labels.series) },
            where,
            report,
          );
          made += blocks.length;
        }
        report(made === 0 ? "all of them are in the bucket" : `${made} blocks made`);
      },
    },
    {
      title: `Upload as ${labelText(labels.external)}`,
      run: async (report) => {
        if (made > 0) await uploadBlocks({ folder, labels: labels.external, bucket, prefix: place.prefix }, where, report);
        rmSync(folder, { recursive: true, force: true });
      },
    },
  ];
}
