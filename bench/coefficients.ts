import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Command } from "commander";
import type { ExposedSample } from "../clients/exposition";
import { RemoteWriteClient } from "../clients/remoteWrite";
import { directTransport } from "../clients/transport";
import { jobOf } from "../model/capacity/jobs";
import { REPOSITORY } from "../sandbox/paths";
import { runId } from "../tests/e2e/stack";
import { type Sender, startSender } from "../tests/ledger";
import { judged, type Measured, type Point, type Result, selected, tables } from "./coefficientsFit";
import { CHURN, GENERATION_MS, LATE, LATE_MS, overlayOf, planOf, predictedOf, QUERIES_PER_SECOND } from "./coefficientsModel";
import { table } from "./figures";
import { beginBenchmark } from "./leftovers";
import { type BenchStack, metricsOf, total, withStack } from "./stack";

/**
 * `npm run bench:coefficients [-- --only 50k-rf3] [--again]`: measures loads on prod's split ring, each on a stack of its own, and judges
 * the model of what a plan carries by them. What is measured is kept in bench/coefficients.json; a point that is there is not
 * measured again, so that a run can be ended and gone on with. `--table` measures nothing.
 */

const STACK = "bench-coefficients";
const RESULTS = join(REPOSITORY, "bench", "coefficients.json");
const SAMPLES_PER_REQUEST = 5_000;
/** Bytes of the labels that the sender gives a series without padding (tests/ledger), and of those that the cluster's own have, about. */
const SENDER_LABEL_BYTES = 70;
const OWN_LABEL_BYTES = 300;
/** New series are made in the first interval; what follows is what goes on. */
const WARM_UP_MS = 60_000;
const MEASURED_MS = 60_000;
/** A reading of every pod of a component. */
type Reading = ReadonlyMap<string, readonly ExposedSample[]>;

const COMPONENTS = ["receivers", "routers", "queriers"] as const;

async function reading({ cluster, namespace }: BenchStack, component: string): Promise<Reading> {
  const pods = await cluster.pods(namespace, jobOf(component) ?? component);
  return new Map(await Promise.all(pods.map(async (pod) => [pod.metadata.name, await metricsOf(pod)] as const)));
}

/** Of the neediest pod: the most of a number. */
const most = (of: Reading, value: (samples: readonly ExposedSample[], pod: string) => number): number =>
  Math.max(0, ...[...of].map(([pod, samples]) => value(samples, pod)));

const DISK = [
  "prometheus_tsdb_storage_blocks_bytes",
  "prometheus_tsdb_wal_storage_size_bytes",
  "prometheus_tsdb_head_chunks_storage_size_bytes",
  "prometheus_tsdb_out_of_order_wbl_storage_size_bytes",
];

/** Growth of a metric per second between two readings, of the pod where it grows most. */
const perSecond = (before: Reading, after: Reading, name: string, seconds: number): number =>
  most(after, (samples, pod) => (total(samples, name) - total(before.get(pod) ?? [], name)) / seconds);

function measuredOf(component: string, before: Reading, after: Reading, seconds: number): Measured[] {
  const disk = most(after, (samples) => DISK.reduce((sum, name) => sum + total(samples, name), 0));
  return [
    { component, resource: "memory", amount: most(after, (samples) => total(samples, "process_resident_memory_bytes")) },
    { component, resource: "cpu", amount: perSecond(before, after, "process_cpu_seconds_total", seconds) },
    ...(component === "receivers" ? [{ component, resource: "disk" as const, amount: disk }] : []),
  ];
}

/** Senders of a point's load, and whoever queries it; `stop` ends all of them. */
function start({ deployed }: BenchStack, point: Point): { stop: () => Promise<void>; failed: () => number } {
  const write = new RemoteWriteClient(directTransport(deployed.writeUrl, { connectionPerRequest: true }));
  const run = runId();
  const pad = "x".repeat(Math.max(0, point.labelBytes - SENDER_LABEL_BYTES));
  const senders: Sender[] = [];
  const send = (series: number, labels: Record<string, string>, behindMs = 0): Sender => {
    const sender = startSender({
      write,
      series,
      batches: Math.ceil(series / SAMPLES_PER_REQUEST),
      intervalMs: point.intervalSeconds * 1_000,
      ticks: 10_000,
      labels: { run, ...(pad === "" ? {} : { pad }), ...labels },
      behindMs,
    });
    senders.push(sender);
    return sender;
  };
  const ended = new AbortController();
  const every = async (milliseconds: number, each: (round: number) => Promise<void>): Promise<void> => {
    for (let round = 0; !ended.signal.aborted; round += 1) {
      await each(round);
      await delay(milliseconds, undefined, { signal: ended.signal }).catch(() => undefined);
    }
  };
  const churned = point.kind === "churn" ? Math.round(CHURN * point.series) : 0;
  const late = point.kind === "late" ? Math.round(LATE * point.series) : 0;
  send(point.series - churned - late, { part: "steady" });
  if (late > 0) {
    send(late, { part: "late" });
    send(late, { part: "late" }, LATE_MS);
  }
  let generation: Sender | undefined;
  const running: Promise<void>[] = [];
  if (churned > 0)
    running.push(
      every(GENERATION_MS, async (round) => {
        await generation?.stop();
        if (!ended.signal.aborted) generation = send(churned, { part: "churn", generation: String(round) });
      }),
    );
  if (point.kind === "queries")
    running.push(
      every(1_000 / QUERIES_PER_SECOND, async () => {
        const query = `count(thanos_stack_ledger{run="${run}", series=~"${"[0-9]".repeat(3)}"})`;
        await deployed.querier.instant(query).catch(() => undefined);
      }),
    );
  return {
    failed: () => senders.reduce((sum, { ledger }) => sum + ledger.counts.failed, 0),
    stop: async () => {
      ended.abort();
      await Promise.all(running);
      await Promise.all(senders.map((sender) => sender.stop()));
    },
  };
}

async function measure(point: Point): Promise<Result> {
  let result: Result | undefined;
  await withStack("prod", STACK, overlayOf(point), async (stack) => {
    const read = async () => new Map(await Promise.all(COMPONENTS.map(async (each) => [each, await reading(stack, each)] as const)));
    const of = (all: ReadonlyMap<string, Reading>, component: string): Reading => all.get(component) ?? new Map();
    const started = Date.now();
    const load = start(stack, point);
    try {
      await delay(WARM_UP_MS);
      const [from, before] = [Date.now(), await read()];
      await delay(MEASURED_MS);
      const [to, after] = [Date.now(), await read()];
      if (load.failed() > 0)
        throw new Error(`${point.name}: ${load.failed()} requests were given up or refused: this machine does not carry it`);
      const seconds = (to - from) / 1_000;
      const age = (to - started) / 1_000;
      const receivers = of(after, "receivers");
      const headSeries = most(receivers, (samples) => total(samples, "prometheus_tsdb_head_series"));
      const samplesPerSecond = perSecond(of(before, "receivers"), receivers, "prometheus_tsdb_head_samples_appended_total", seconds);
      const heaviest =
        planOf(point, { series: 1, samplesPerSecond: 1, labelBytes: 100, newSeriesPerHour: 0 }).receivers?.rings[0]?.heaviest ?? 1;
      const sent = Math.min(headSeries, point.series * heaviest);
      const labelBytes = (sent * point.labelBytes + (headSeries - sent) * OWN_LABEL_BYTES) / Math.max(1, headSeries);
      result = {
        point,
        at: new Date(to).toISOString(),
        headSeries,
        labelBytes,
        samplesPerSecond,
        measured: COMPONENTS.flatMap((each) => measuredOf(each, of(before, each), of(after, each), seconds)),
        age,
        heaviest,
      };
    } finally {
      await load.stop();
    }
  });
  if (result === undefined) throw new Error(`${point.name} was not measured`);
  return result;
}

const results = (): Result[] => JSON.parse(readFileSync(RESULTS, "utf8")) as Result[];

/** Puts a result in the place of an earlier one of the same point. */
function keep(result: Result): void {
  const others = results().filter(({ point }) => point.name !== result.point.name);
  writeFileSync(RESULTS, `${JSON.stringify([...others, result], undefined, 2)}\n`);
}

async function main(): Promise<void> {
  const options = new Command("bench:coefficients")
    .option("--only <words>", "words of the points, such as 50k-rf3,100k-steady")
    .option("--again", "measure also what has been measured", false)
    .option("--table", "measure nothing, print what is there", false)
    .parse()
    .opts<{ only?: string; again: boolean; table: boolean }>();
  const known = new Set(results().map(({ point }) => point.name));
  const wanted = selected(options.only).filter(({ name }) => options.again || !known.has(name));
  if (!options.table && wanted.length > 0) await beginBenchmark("bench:coefficients");
  if (!options.table)
    for (const point of wanted) {
      console.log(`${point.name} …`);
      try {
        keep(await measure(point));
      } catch (error) {
        console.error(`${point.name}: ${error instanceof Error ? error.message : String(error)}`);
        process.exitCode = 1;
      }
    }
  const { rows, fits } = judged(results(), predictedOf);
  for (const { head, rows: lines } of tables({ rows })) console.log(`\n${table(head, lines)}`);
  for (const { component, resource, coefficients } of fits)
    console.log(
      `\n${component}, ${resource}: ${Object.entries(coefficients)
        .map(([name, value]) => `${name} ${value.toPrecision(3)}`)
        .join(", ")}`,
    );
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
