import { setTimeout as delay } from "node:timers/promises";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { PrometheusClient } from "../clients/prometheus";
import { directTransport, type Transport } from "../clients/transport";
import { RecordingTransport, type Try } from "./tries";

/**
 * Queries of a benchmark, asked by a thread of their own: one that encodes twenty thousand samples a second answers late itself, and its
 * clock would be taken for the querier's.
 */

/** Who is asked, in a form that goes from thread to thread. */
export interface Endpoint {
  url: string;
  /** Certificates that it is trusted by, as PEM. */
  ca?: string;
  token?: string;
}

interface Task {
  endpoint: Endpoint;
  query: string;
  perSecond: number;
  milliseconds: number;
}

/** A way to an endpoint, each request with its token. */
export function transportOf({ url, ca, token }: Endpoint): Transport {
  const to = directTransport(url, { connectionPerRequest: true, ...(ca === undefined ? {} : { tls: { ca } }) });
  if (token === undefined) return to;
  const headers = { authorization: `Bearer ${token}` };
  return { description: to.description, send: (request) => to.send({ ...request, headers: { ...request.headers, ...headers } }) };
}

/** Asks a query for a while, each on schedule, whether earlier ones have been answered or not, and tells how each went. */
export function asked(task: Task): Promise<Try[]> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(__filename, { workerData: task, execArgv: ["-r", "ts-node/register/transpile-only"] });
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

async function ask({ endpoint, query, perSecond, milliseconds }: Task): Promise<readonly Try[]> {
  const recording = new RecordingTransport(transportOf(endpoint));
  const client = new PrometheusClient(recording);
  const under: Promise<unknown>[] = [];
  const start = performance.now();
  for (let next = 0; next * 1_000 < milliseconds * perSecond; next += 1) {
    await delay(Math.max(0, start + (next * 1_000) / perSecond - performance.now()));
    under.push(client.instant(query).catch(() => undefined));
  }
  await Promise.all(under);
  return recording.tries;
}

if (!isMainThread) void ask(workerData as Task).then((tries) => parentPort?.postMessage(tries));
