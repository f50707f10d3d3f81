import { setTimeout as delay } from "node:timers/promises";
import { RemoteWriteClient } from "../clients/remoteWrite";
import { directTransport } from "../clients/transport";
import { quantityBytes } from "../model/values/quantity";
import { type Pod, runId } from "../tests/e2e/stack";
import { type Sender, startSender } from "../tests/ledger";
import { table } from "./figures";
import { beginBenchmark } from "./leftovers";
import { type BenchStack, busyPercent, processorTimes, sumOf, type Use, useOf, withStack } from "./stack";
import { failedTries, quantile, RecordingTransport } from "./tries";

/**
 * `npm run --silent sandbox -- run -- node -r ts-node/register/transpile-only bench/capacity.ts [series ...]`: how many series, each with a
 * sample a second, prod's routers and receivers carry on this machine with prod's resources. Senders are added until an attempt fails, an
 * acknowledgement takes longer than the interval between two samples, or a process comes near its memory limit. Requests are as large as
 * the stack's own Prometheus makes them.
 */

const STACK = "bench-capacity";
const STEPS = [2_000, 5_000, 10_000, 20_000, 40_000, 80_000];
const INTERVAL_SECONDS = 1;
const SAMPLES_PER_REQUEST = 5_000;
/** A step begins with new series, which are made once; what follows is what goes on. */
const WARM_UP_MS = 10_000;
const MEASURED_MS = 20_000;
const LONGEST_RUN_SECONDS = 900;
/** Share of the memory limit from which a process is not trusted with more. */
const MEMORY_SHARE = 0.9;

/** Resources that the pods of an app use: CPU of all together, memory and head series of the one with the most. */
interface Taken {
  cpuSeconds: number;
  residentBytes: number;
  /** Resident memory as a share of the limit. */
  memoryShare: number;
  headSeries: number;
}

function memoryLimit(pod: Pod): number {
  const [container] = pod.spec.containers as { resources?: { limits?: { memory?: string } } }[];
  return quantityBytes(container?.resources?.limits?.memory ?? "0");
}

async function takenBy({ cluster, namespace }: BenchStack, app: string): Promise<Taken> {
  const uses = await useOf(cluster, namespace, app);
  const most = (of: (use: Use) => number): number => Math.max(...uses.map(of));
  return {
    cpuSeconds: sumOf(uses, ({ cpuSeconds }) => cpuSeconds),
    residentBytes: most(({ residentBytes }) => residentBytes),
    memoryShare: most(({ pod, residentBytes }) => residentBytes / memoryLimit(pod)),
    headSeries: most(({ headSeries }) => headSeries),
  };
}

const HEAD = [
  "series",
  "samples/s acknowledged",
  "failed attempts",
  "attempt median / p99 / slowest, s",
  "CPU s per million samples: receivers / routers",
  "resident MB, largest receiver / router",
  "head series a receiver",
  "machine busy, of it the sender",
  "carried",
];

async function ramp(stack: BenchStack, steps: readonly number[]): Promise<string[][]> {
  const transport = new RecordingTransport(directTransport(stack.deployed.writeUrl, { connectionPerRequest: true }));
  const write = new RemoteWriteClient(transport);
  const run = runId();
  const senders: Sender[] = [];
  const acknowledged = (): number =>
    senders.reduce((sum, { ledger }) => sum + (ledger.counts.acknowledged * ledger.series) / ledger.batches, 0);
  const rows: string[][] = [];
  let sent = 0;
  try {
    for (const [index, series] of steps.entries()) {
      const added = series - sent;
      sent = series;
      const started = Date.now();
      senders.push(
        startSender({
          write,
          series: added,
          batches: Math.ceil(added / SAMPLES_PER_REQUEST),
          intervalMs: INTERVAL_SECONDS * 1_000,
          ticks: LONGEST_RUN_SECONDS,
          labels: { run, step: String(index) },
        }),
      );
      await delay(WARM_UP_MS);
      const from = Date.now();
      const before = {
        receivers: await takenBy(stack, "thanos-receive"),
        routers: await takenBy(stack, "thanos-receive-router"),
        samples: acknowledged(),
        machine: processorTimes(),
        own: process.cpuUsage(),
      };
      await delay(MEASURED_MS);
      const to = Date.now();
      const samples = acknowledged() - before.samples;
      const machine = processorTimes();
      const own = process.cpuUsage(before.own);
      const [receivers, routers] = [await takenBy(stack, "thanos-receive"), await takenBy(stack, "thanos-receive-router")];
      const tries = transport.between(from, to);
      const failed = failedTries(transport.between(started, to)).length;
      const slowest = quantile(tries, 1);
      const perMillion = (later: Taken, earlier: Taken): string => (((later.cpuSeconds - earlier.cpuSeconds) * 1e6) / samples).toFixed(1);
      const megabytes = (use: Taken): string => `${Math.round(use.residentBytes / 1e6)} (${Math.round(100 * use.memoryShare)} %)`;
      const reasons = [
        ...(failed > 0 ? [`${failed} attempts failed`] : []),
        ...(slowest > INTERVAL_SECONDS ? ["slower than the interval"] : []),
        ...([receivers, routers].some((use) => use.memoryShare > MEMORY_SHARE) ? ["memory near the limit"] : []),
      ];
      rows.push([
        String(series),
        Math.round((samples * 1_000) / (to - from)).toString(),
        `${failed} of ${transport.between(started, to).length}`,
        [quantile(tries, 0.5), quantile(tries, 0.99), slowest].map((seconds) => seconds.toFixed(2)).join(" / "),
        `${perMillion(receivers, before.receivers)} / ${perMillion(routers, before.routers)}`,
        `${megabytes(receivers)} / ${megabytes(routers)}`,
        String(receivers.headSeries),
        `${busyPercent(before.machine, machine).toFixed(0)} %, ${(((own.user + own.system) / 1_000 / (machine.totalMs - before.machine.totalMs)) * 100).toFixed(0)} %`,
        reasons.length === 0 ? "yes" : `no: ${reasons.join(", ")}`,
      ]);
      console.log(rows.at(-1)?.join(" | "));
      if (reasons.length > 0) break;
    }
  } finally {
    await Promise.all(senders.map((sender) => sender.stop()));
  }
  const errors = new Set(senders.flatMap(({ ledger }) => ledger.counts.errors));
  for (const error of errors) console.log(`  ${error}`);
  return rows;
}

async function main(): Promise<void> {
  const given = process.argv.slice(2).map(Number);
  await beginBenchmark("bench:capacity");
  await withStack("prod", STACK, {}, async (stack) => {
    const before = processorTimes();
    await delay(5_000);
    console.log(`before any load the machine is ${busyPercent(before, processorTimes()).toFixed(0)} % busy`);
    console.log(`\n${table(HEAD, await ramp(stack, given.length === 0 ? STEPS : given))}`);
  });
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
