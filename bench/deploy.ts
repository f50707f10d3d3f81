import { setTimeout as delay } from "node:timers/promises";
import { connectCluster } from "../clients/cluster";
import { PrometheusClient } from "../clients/prometheus";
import { readOutputs } from "../outputs";
import { openStack } from "../sandbox/engine";
import { paths } from "../sandbox/paths";
import { recover } from "../sandbox/recovery";
import { CONTEXT } from "../sandbox/topology";
import { median, seconds } from "./figures";
import { beginBenchmark } from "./leftovers";
import { Creations, type Moment, type Moments, timeline } from "./moments";

/**
 * `npm run bench:deploy -- [runs]`: on the sandbox's running cluster, from the start of `pulumi up` of dev to the first sample that the
 * querier answers, and to the end of the update; then an unchanged preview. Each run begins with nothing. In the end the medians, and when
 * what was made.
 */
async function main(): Promise<void> {
  const runs = Number(process.argv[2] ?? "10");
  await beginBenchmark("bench:deploy");
  const all: Moments[] = [];
  for (let run = 1; run <= runs; run++) all.push(await measured(run));
  const middle = (name: string) => seconds(median(all.flatMap((moments) => moments.get(name)?.done ?? [])));
  console.log(`\nmedian of ${runs}: first sample after ${middle(ANSWERED)} s, update ended after ${middle(ENDED)} s\n`);
  console.log(timeline(all));
}

const NAMESPACE = "thanos-dev";
const SCRAPED = "first sample scraped";
const ANSWERED = "first sample answered";
const ENDED = "update ended";

/** Generated end of the name of a Deployment's pod, which is another one in every run. */
const GENERATED = /-[a-z0-9]{8,10}-[a-z0-9]{5}$/;

/** Longest time in milliseconds until Prometheus has scraped every process of the stack: two intervals, and a moment. */
const SCRAPED_WITHIN = 75_000;

/** One run, from nothing. */
async function measured(run: number): Promise<Moments> {
  const stack = await openStack("dev");
  await recover(stack);
  await stack.destroy();
  const cluster = connectCluster({ kubeconfig: paths().kubeconfig, context: CONTEXT });
  const querier = new PrometheusClient(cluster.service(`http://thanos-querier.${NAMESPACE}.svc:9090`));
  const creations = new Creations();
  const before = Date.now();
  const since = (atMs = Date.now()): number => atMs - before;
  const moments = new Map<string, Moment>();
  let ended = false;
  const asking = (async () => {
    while (!moments.has(ANSWERED) && !(ended && since() > 600_000)) {
      // Samples that an earlier run has stored on the nodes would be answered too.
      const fresh = await querier.instant(`timestamp(up) > ${before / 1_000}`).catch(() => undefined);
      const times = fresh?.vector.map(({ sample }) => sample.value * 1_000) ?? [];
      if (times.length === 0) {
        await delay(100);
        continue;
      }
      moments.set(ANSWERED, { done: since() });
      moments.set(SCRAPED, { done: since(Math.min(...times)) });
    }
  })();
  const result = await stack.up({ onEvent: (event) => creations.note(event, since()) });
  moments.set(ENDED, { done: since() });
  ended = true;
  await asking;
  const outputs = readOutputs(Object.fromEntries(Object.entries(result.outputs).map(([name, { value }]) => [name, value])));
  const again = Date.now();
  await stack.preview();
  const preview = Date.now() - again;
  for (const [pod, startMs] of await processStarts(querier, before)) {
    moments.set(`process of ${pod.replace(GENERATED, "")} started`, { done: since(startMs) });
  }
  const after = (name: string) => (moments.has(name) ? `${seconds(moments.get(name)?.done ?? 0)} s` : "never");
  console.log(
    `run ${run}: first sample after ${after(ANSWERED)}, update ended after ${after(ENDED)}, unchanged preview ${seconds(preview)} s, ` +
      `${Object.values(result.summary.resourceChanges ?? {}).reduce((sum, count) => sum + count, 0)} resources, queries at ${outputs.queryUrl}`,
  );
  return new Map([...creations.made, ...moments]);
}

/** When each process of the stack was started, in milliseconds since the epoch, by its pod: as far as it has been scraped. */
async function processStarts(querier: PrometheusClient, before: number): Promise<[string, number][]> {
  const query = `process_start_time_seconds{namespace="${NAMESPACE}",job=~"prometheus|thanos-.+"} > ${before / 1_000}`;
  // Three receivers, a querier and a Prometheus.
  const expected = 5;
  for (const end = Date.now() + SCRAPED_WITHIN; ; await delay(1_000)) {
    const { vector } = await querier.instant(query).catch(() => ({ vector: [] }));
    if (vector.length >= expected || Date.now() > end)
      return vector.map(({ labels, sample }) => [labels.pod ?? "a pod", sample.value * 1_000]);
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
