import { setMaxListeners } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { RemoteWriteClient } from "../clients/remoteWrite";
import { directTransport } from "../clients/transport";
import { type Hierarchy, machineHierarchies, processesInCgroup } from "../sandbox/cgroups";
import { readIfThere } from "../sandbox/command";
import { NAME, NODES } from "../sandbox/topology";
import { eventually, type Pod, runId } from "../tests/e2e/stack";
import { type Ledger, type QueryCounts, type Reading, readBack, startQueries, startSender } from "../tests/ledger";
import { table } from "./figures";
import { beginBenchmark } from "./leftovers";
import { type BenchStack, isReady, metricsOf, total, withStack } from "./stack";
import { failedTries, failures, quantile, RecordingTransport } from "./tries";

/**
 * `npm run --silent sandbox -- run -- node -r ts-node/register/transpile-only bench/notReadyPeers.ts [mode ...] [death ...]`: what writes
 * and queries meet while one receiver of three replays a write-ahead log for about a minute, with each value of
 * `receive.publishNotReadyPeers` (thanos #9004) and each way in which a receiver goes without flushing: its process is killed, which keeps
 * its address, or its pod is, which does not.
 */

const STACK = "bench-peers";
/** Modes measured unless arguments name some of them. */
const MODES = ["router-ingester", "split"];
const DEATHS = ["process", "pod"] as const;
/** Series in every receiver's head, for which its log is replayed. */
const SERIES = 300_000;
const SERIES_PER_REQUEST = 5_000;
/** CPU of the replaying receiver: a twentieth of a processor. The period is short, so that it answers slowly and not in bursts. */
const PERIOD_MICROSECONDS = 20_000;
const QUOTA_MICROSECONDS = 1_000;

/** Twenty requests a second: more than five workers a peer get rid of while each waits for the forward timeout of 5 s. */
const LOAD = { series: 500, batches: 20 };
const LONGEST_RUN_SECONDS = 600;
/** Writes and queries go on until no forward has failed for so long: then every peer reaches the receiver again. */
const QUIET_MS = 4_000;

/**
 * `process`: the container is started again in its pod. `pod`: everything in the pod is killed, as by a node that
 * restarts, and it gets another address.
 */
type Death = (typeof DEATHS)[number];

const RUNS: readonly { publish: boolean; death: Death; receiver: number }[] = [
  { publish: false, death: "process", receiver: 0 },
  { publish: true, death: "process", receiver: 1 },
  { publish: true, death: "pod", receiver: 2 },
  { publish: false, death: "pod", receiver: 0 },
];

/** A receiver is alone on its node and has room for its head; everything else is dev's. */
const receive = (mode: string, publish: boolean) => ({
  "thanos-stack:accepts": [],
  "thanos-stack:receive": {
    mode,
    routers: { antiAffinity: "soft" },
    antiAffinity: "hard",
    publishNotReadyPeers: publish,
    storage: { hostPath: { nodes: NODES.map((node) => node.name) } },
    resources: { memory: "2Gi" },
  },
});

/** Result of a run. */
interface Result {
  mode: string;
  publish: boolean;
  death: Death;
  times: { killed: number; noticed: number; ready: number; reached: number; end: number };
  replaySeconds: number;
  transport: RecordingTransport;
  ledger: Ledger;
  queries: QueryCounts;
  reading: Reading;
}

/** The control group of a pod's CPU. */
function podGroup(pod: Pod): { hierarchy: Hierarchy; path: string; directory: string } {
  const hierarchy = machineHierarchies().find(({ version, controllers }) => version === 2 || controllers.includes("cpu"));
  if (hierarchy === undefined) throw new Error("this machine has no control groups for CPU");
  const path = `${pod.spec.nodeName}/kubepods/burstable/pod${pod.metadata.uid}`;
  return { hierarchy, path, directory: join(hierarchy.mountPoint, NAME, path) };
}

/** Limits the CPU of a pod, past Kubernetes, which would start it anew; or ends that. */
function limitCpu(pod: Pod, limited: boolean): void {
  const { hierarchy, directory } = podGroup(pod);
  if (hierarchy.version === 2) {
    writeFileSync(join(directory, "cpu.max"), `${limited ? QUOTA_MICROSECONDS : "max"} ${PERIOD_MICROSECONDS}`);
    return;
  }
  if (limited) writeFileSync(join(directory, "cpu.cfs_period_us"), String(PERIOD_MICROSECONDS));
  writeFileSync(join(directory, "cpu.cfs_quota_us"), String(limited ? QUOTA_MICROSECONDS : -1));
}

/** Fills the heads: every receiver of three stores every series at replication factor 3. */
async function fill({ deployed, cluster, namespace }: BenchStack, series: number): Promise<void> {
  const loader = new RemoteWriteClient(directTransport(deployed.writeUrl));
  const now = Date.now();
  for (let first = 0; first < series; first += SERIES_PER_REQUEST) {
    await loader.send(
      Array.from({ length: Math.min(SERIES_PER_REQUEST, series - first) }, (_, index) => ({
        labels: { __name__: "thanos_stack_bench_fill", series: String(first + index) },
        samples: [3, 2, 1].map((seconds) => ({ timestampMs: now - seconds * 1_000, value: seconds })),
      })),
    );
  }
  await eventually("every receiver has every series", async () => {
    const heads = await Promise.all((await cluster.pods(namespace, "thanos-receive")).map(metricsOf));
    return heads.length === 3 && heads.every((metrics) => total(metrics, "prometheus_tsdb_head_series") >= series);
  });
}

/** Ends a receiver without a chance to flush; what comes in its place is slow. */
function kill(victim: Pod, death: Death): void {
  limitCpu(victim, true);
  const all = processesInCgroup(podGroup(victim).path);
  const own = all.filter((id) => readIfThere(`/proc/${id}/comm`)?.trim() === "thanos");
  if (own.length === 0 || own.length === all.length)
    throw new Error(`${victim.metadata.name}: ${own.length} of ${all.length} processes are Thanos`);
  for (const id of death === "process" ? own : all) process.kill(id, "SIGKILL");
}

/**
 * Waits until no forward between the pods of the ring fails any more, and returns the time of the last
 * that did, or the present if none did.
 */
async function lastFailedForward({ cluster, namespace }: BenchStack): Promise<number> {
  let errors = -1;
  let changed = Date.now();
  await eventually("every peer reaches every receiver", async () => {
    const pods = [...(await cluster.pods(namespace, "thanos-receive")), ...(await cluster.pods(namespace, "thanos-receive-router"))];
    const seen = (await Promise.all(pods.map(metricsOf)))
      .flat()
      .filter(({ name, labels }) => name === "thanos_receive_forward_requests_total" && labels.result === "error")
      .reduce((sum, { value }) => sum + value, 0);
    if (seen !== errors && errors >= 0) changed = Date.now();
    errors = seen;
    return Date.now() - changed >= QUIET_MS;
  });
  return changed;
}

async function once(stack: BenchStack, mode: string, { publish, death, receiver }: (typeof RUNS)[number]): Promise<Result> {
  const { cluster, deployed, namespace } = stack;
  await stack.update(receive(mode, publish));
  const find = async (): Promise<Pod | undefined> =>
    (await cluster.pods(namespace, "thanos-receive")).find((pod) => pod.metadata.name === `thanos-receive-${receiver}`);
  const victim = await find();
  if (victim === undefined) throw new Error(`there is no receiver ${receiver}`);
  const transport = new RecordingTransport(directTransport(deployed.writeUrl, { connectionPerRequest: true }));
  const labels = { run: runId() };
  const sender = startSender({ write: new RemoteWriteClient(transport), ...LOAD, ticks: LONGEST_RUN_SECONDS, labels });
  const query = `count(thanos_stack_ledger{run="${labels.run}"})`;
  await eventually("every series is answered", async () => (await deployed.querier.instant(query)).vector[0]?.sample.value === LOAD.series);
  const queries = startQueries({
    client: deployed.querier,
    rate: 5,
    query,
    expect: (vector) => vector[0]?.sample.value === LOAD.series,
    count: 5 * LONGEST_RUN_SECONDS,
  });
  try {
    await lastFailedForward(stack);
    const killed = Date.now();
    kill(victim, death);
    const state = (wanted: boolean, seconds: number) =>
      eventually(
        `${victim.metadata.name} is ${wanted ? "" : "not "}Ready`,
        async () => {
          const pod = await find();
          return pod !== undefined && isReady(pod) === wanted && pod;
        },
        seconds,
      );
    await state(false, 60);
    const noticed = Date.now();
    const back = await state(true, LONGEST_RUN_SECONDS);
    const ready = Date.now();
    limitCpu(victim, false);
    const reached = await lastFailedForward(stack);
    const [ledger, asked] = await Promise.all([sender.stop(), queries.stop()]);
    const end = Date.now();
    const replaySeconds = total(await metricsOf(back), "prometheus_tsdb_data_replay_duration_seconds");
    const reading = await readBack(ledger, deployed.querier);
    return {
      mode,
      publish,
      death,
      times: { killed, noticed, ready, reached, end },
      replaySeconds,
      transport,
      ledger,
      queries: asked,
      reading,
    };
  } finally {
    limitCpu(victim, false);
    await Promise.all([sender.stop(), queries.stop()]);
  }
}

const HEAD = [
  "mode",
  "publishNotReadyPeers",
  "killed",
  "not Ready / replay, s",
  "peers reach it again, s after Ready",
  "failed attempts until noticed",
  "failed attempts during replay",
  "failed attempts after",
  "during replay: median / p99 / slowest attempt, s",
  "attempts over 1 s",
  "slowest acknowledgement, s",
  "given up",
  "lost / hidden",
  "queries failed / empty / incomplete",
];

function row({ mode, publish, death, times, replaySeconds, transport, ledger, queries, reading }: Result): string[] {
  const replay = transport.between(times.noticed, times.ready);
  return [
    mode,
    String(publish),
    death,
    `${((times.ready - times.noticed) / 1_000).toFixed(0)} / ${replaySeconds.toFixed(0)}`,
    ((times.reached - times.ready) / 1_000).toFixed(0),
    failures(transport.between(times.killed, times.noticed)),
    failures(replay),
    failures(transport.between(times.ready, times.end)),
    [quantile(replay, 0.5), quantile(replay, 0.99), quantile(replay, 1)].map((seconds) => seconds.toFixed(2)).join(" / "),
    String(replay.filter(({ seconds }) => seconds > 1).length),
    ledger.counts.slowestAcknowledgementSeconds.toFixed(1),
    String(ledger.counts.failed),
    `${reading.lost} / ${reading.hidden} of ${reading.acknowledged}`,
    `${queries.failed} / ${queries.empty} / ${queries.incomplete} of ${queries.queries}`,
  ];
}

async function main(): Promise<void> {
  // Every batch of a sender listens to the same signal.
  setMaxListeners(LOAD.batches + 10);
  const chosen = <T extends string>(all: readonly T[]): readonly T[] => {
    const named = all.filter((each) => process.argv.slice(2).includes(each));
    return named.length === 0 ? all : named;
  };
  const rows: string[][] = [];
  await beginBenchmark("bench:peers");
  for (const mode of chosen(MODES)) {
    await withStack("dev", STACK, receive(mode, false), async (stack) => {
      await fill(stack, SERIES);
      for (const each of RUNS.filter(({ death }) => chosen(DEATHS).includes(death))) {
        const result = await once(stack, mode, each);
        rows.push(row(result));
        console.log(rows.at(-1)?.join(" | "));
        for (const error of result.ledger.counts.errors) console.log(`  ${error.slice(0, 200)}`);
        const seconds = failedTries(result.transport.tries).map(({ startMs }) => Math.round((startMs - result.times.killed) / 1_000));
        if (seconds.length > 0) console.log(`  failed attempts, seconds after the kill: ${seconds.join(" ")}`);
      }
    });
  }
  console.log(`\n${table(HEAD, rows)}`);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
