import { setTimeout as delay } from "node:timers/promises";
import { Command } from "commander";
import { RemoteWriteClient } from "../clients/remoteWrite";
import { GATEWAY_APP, PROMETHEUS_APP, QUERIER_APP, QUERY_FRONTEND_APP, RECEIVE_APP, ROUTER_APP } from "../model/kubernetes/identities";
import { NODES } from "../sandbox/topology";
import { Cluster, runId } from "../tests/e2e/stack";
import { acknowledgedSamples, startSender } from "../tests/ledger";
import { median, table } from "./figures";
import { type Deployed, wanted, withPlans } from "./ingestPlans";
import { beginBenchmark } from "./leftovers";
import { asked, transportOf } from "./queryWorker";
import { metricsOf, sumOf, total, type Use, useOf } from "./stack";
import { failedTries, quantile, type Try } from "./tries";

/**
 * `npm run bench:ingest [-- --rounds 5] [--plans ours,chart] [--with NAME=JSON]`: what a sample, a series and a query cost in this
 * project's ring and in what people have instead, deployed beside each other and loaded in turns. `--with` adds plans of this project with
 * keys of their own, which is how a default is judged.
 */

const SERIES = 60_000;
const INTERVAL_MS = 3_000;
/** Of a turn: until requests flow evenly, then without queries, then with them. */
const SETTLE_MS = 6_000;
const WRITES_MS = 24_000;
const QUERIES_MS = 20_000;
const QUERIES_PER_SECOND = 2;
/** Series that a query counts: those whose number has five digits of which the first is 1. */
const QUERIED = "1.{4}";
/** Labels as Kubernetes' series have them, about 200 bytes with the ledger's own. */
const LABELS = {
  cluster: "bench",
  namespace: "bench-namespace",
  pod: "application-7d9c5b8f6d-x2x9k",
  container: "application",
  instance: "10.244.17.203:8080",
  job: "bench-namespace/application",
};

const APPS = [RECEIVE_APP, ROUTER_APP, QUERIER_APP, QUERY_FRONTEND_APP, GATEWAY_APP] as const;
type App = (typeof APPS)[number];
type ByApp = Record<App, number>;

const ofApps = (value: (app: App) => number): ByApp => Object.fromEntries(APPS.map((app) => [app, value(app)])) as ByApp;

/** Of all pods of an app: what they have used so far, and hold now. */
type Sum = Pick<Use, "cpuSeconds" | "residentBytes">;

interface Summary {
  pods: { podRef: { namespace: string; name: string }; containers?: { cpu?: { time: string; usageCoreNanoSeconds?: number } }[] }[];
}

/** CPU seconds of the gateway's pods: HAProxy tells nothing of it, kubelet does. */
async function gatewaySeconds(cluster: Cluster, namespace: string): Promise<number> {
  const summaries = await Promise.all(NODES.map(({ name }) => cluster.get<Summary>(`/api/v1/nodes/${name}/proxy/stats/summary`)));
  return summaries
    .flatMap((summary) => summary?.pods ?? [])
    .filter(({ podRef }) => podRef.namespace === namespace && podRef.name.startsWith(GATEWAY_APP))
    .flatMap(({ containers = [] }) => containers.map(({ cpu }) => (cpu?.usageCoreNanoSeconds ?? 0) / 1e9))
    .reduce((sum, each) => sum + each, 0);
}

async function sumOfApp(cluster: Cluster, namespace: string, app: string): Promise<Sum> {
  if (app === GATEWAY_APP) return { cpuSeconds: await gatewaySeconds(cluster, namespace), residentBytes: 0 };
  const uses = await useOf(cluster, namespace, app);
  return { cpuSeconds: sumOf(uses, (each) => each.cpuSeconds), residentBytes: sumOf(uses, (each) => each.residentBytes) };
}

type Reading = Record<App, Sum>;

async function reading(cluster: Cluster, namespace: string): Promise<Reading> {
  return Object.fromEntries(await Promise.all(APPS.map(async (app) => [app, await sumOfApp(cluster, namespace, app)] as const))) as Reading;
}

/** Use of a plan without a load: cores, and resident bytes. */
interface Idle {
  cores: ByApp;
  resident: ByApp;
}

async function idle(cluster: Cluster, { namespace }: Deployed, milliseconds: number): Promise<Idle> {
  const [from, before] = [Date.now(), await reading(cluster, namespace)];
  await delay(milliseconds);
  const [to, after] = [Date.now(), await reading(cluster, namespace)];
  return {
    cores: ofApps((app) => ((after[app].cpuSeconds - before[app].cpuSeconds) * 1_000) / (to - from)),
    resident: ofApps((app) => after[app].residentBytes),
  };
}

/** Measurements of one turn. */
interface Turn {
  /** CPU seconds for a million acknowledged samples, without what the plan takes idle. */
  cpu: ByApp;
  resident: ByApp;
  failedAttempts: number;
  queries: readonly Try[];
}

async function turn(cluster: Cluster, deployed: Deployed, run: string, { cores }: Idle): Promise<Turn> {
  const { namespace, samplesPerRequest } = deployed;
  const sender = startSender({
    write: new RemoteWriteClient(transportOf(deployed.write)),
    series: SERIES,
    batches: Math.ceil(SERIES / samplesPerRequest),
    intervalMs: INTERVAL_MS,
    ticks: 10_000,
    labels: { ...LABELS, run },
  });
  try {
    await delay(SETTLE_MS);
    const [from, before, earlier] = [Date.now(), await reading(cluster, namespace), acknowledgedSamples(sender.ledger)];
    await delay(WRITES_MS);
    const [to, after, later] = [Date.now(), await reading(cluster, namespace), acknowledgedSamples(sender.ledger)];
    const query = `count(thanos_stack_ledger{run="${run}", series=~"${QUERIED}"})`;
    const queries = await asked({ endpoint: deployed.query, query, perSecond: QUERIES_PER_SECOND, milliseconds: QUERIES_MS });
    const seconds = (to - from) / 1_000;
    const { failedAttempts } = sender.ledger.counts;
    return {
      cpu: ofApps((app) => ((after[app].cpuSeconds - before[app].cpuSeconds - cores[app] * seconds) * 1e6) / Math.max(1, later - earlier)),
      resident: ofApps((app) => after[app].residentBytes),
      failedAttempts: Object.values(failedAttempts).reduce((sum, each) => sum + each, 0),
      queries,
    };
  } finally {
    await sender.stop();
  }
}

/** Prints the cost of a stack of ours before anybody else sends: samples a second of its own Prometheus, and cores by component. */
async function alone(cluster: Cluster, { name, namespace }: Deployed): Promise<void> {
  const own = async () => {
    const pages = await Promise.all((await cluster.pods(namespace, PROMETHEUS_APP)).map(metricsOf));
    const sum = (of: string): number => pages.reduce((all, page) => all + total(page, of), 0);
    return { cpu: sum("process_cpu_seconds_total"), samples: sum("prometheus_remote_storage_samples_total"), pages };
  };
  // Until it has scraped everything once.
  await delay(45_000);
  const [from, before, ring] = [Date.now(), await own(), await reading(cluster, namespace)];
  await delay(60_000);
  const [to, after, later] = [Date.now(), await own(), await reading(cluster, namespace)];
  const rate = (now: number, then: number): number => ((now - then) * 1_000) / (to - from);
  console.log(
    `${name} alone: ${Math.round(rate(after.samples, before.samples))} samples/s of its own; cores: ${PROMETHEUS_APP} ${rate(after.cpu, before.cpu).toFixed(3)}, ` +
      APPS.map((app) => `${app} ${rate(later[app].cpuSeconds, ring[app].cpuSeconds).toFixed(3)}`).join(", "),
  );
}

const HEAD = [
  "plan",
  "samples a request",
  "CPU s per million samples: receivers / routers / gateway",
  "memory per series of the ring, kB",
  "resident MB: receivers / routers",
  "query p50 / p99, s",
  "failed attempts, queries",
];

function row({ name, samplesPerRequest }: Deployed, before: Idle, turns: readonly Turn[]): string[] {
  const cpu = (app: App): string => median(turns.map((each) => each.cpu[app])).toFixed(1);
  const resident = (app: App): number => median(turns.map((each) => each.resident[app]));
  const queries = turns.flatMap((each) => each.queries);
  return [
    name,
    String(samplesPerRequest),
    [RECEIVE_APP, ROUTER_APP, GATEWAY_APP].map((app) => cpu(app as App)).join(" / "),
    ((resident(RECEIVE_APP) - before.resident[RECEIVE_APP]) / SERIES / 1e3).toFixed(2),
    [RECEIVE_APP, ROUTER_APP].map((app) => Math.round(resident(app as App) / 1e6)).join(" / "),
    [0.5, 0.99].map((share) => quantile(queries, share).toFixed(2)).join(" / "),
    `${turns.reduce((sum, each) => sum + each.failedAttempts, 0)}, ${failedTries(queries).length} of ${queries.length}`,
  ];
}

const words = (text = ""): string[] => text.split(",").filter((each) => each !== "");

async function main(): Promise<void> {
  const options = new Command("bench:ingest")
    .option("--rounds <number>", "turns of each plan", Number, 5)
    .option("--plans <names>", "plans, or what their names begin with; all without")
    .option("--with <name=json...>", "a plan of this project with keys of its own, at replication factor 3")
    .parse()
    .opts<{ rounds: number; plans?: string; with?: string[] }>();
  const cluster = new Cluster();
  const plans = wanted(words(options.plans), options.with ?? []);
  await beginBenchmark("bench:ingest");
  await withPlans(
    cluster,
    plans,
    (each) => alone(cluster, each),
    async (all) => {
      const run = runId();
      const measured: { deployed: Deployed; before: Idle; turns: Turn[] }[] = [];
      for (const deployed of all) measured.push({ deployed, before: await idle(cluster, deployed, 20_000), turns: [] });
      for (let round = 1; round <= options.rounds; round += 1)
        for (const { deployed, before, turns } of measured) {
          const one = await turn(cluster, deployed, run, before);
          turns.push(one);
          console.log(`round ${round}: ${row(deployed, before, [one]).join(" | ")}`);
        }
      console.log(
        `\n${table(
          HEAD,
          measured.map(({ deployed, before, turns }) => row(deployed, before, turns)),
        )}`,
      );
    },
  );
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
