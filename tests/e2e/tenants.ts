import { readdirSync } from "node:fs";
import { compress } from "snappyjs";
import { encodeWriteRequest } from "../../clients/remoteWrite";
import { directTransport } from "../../clients/transport";
import { dataDirectory } from "../../sandbox/history";
import { runId } from "./stack";

/** Tenants at the endpoint of a ring, and what they leave in its receivers. */

/** Names that no ring takes: the receivers' data directory, the one above it, one that is hidden there, and a stranger. */
export const STRANGERS: readonly string[] = [".", "..", ".hidden", "stranger"];

/** Older than what receivers keep: a tenant with nothing newer is idle at once, and its directory is removed. */
const LONG_AGO_MS = 40 * 86_400_000;

/** An answer of the endpoint, for messages. */
export interface Answer {
  tenant: string;
  status: number;
  body: string;
}

/** One sample of each tenant, by remote write and by OTLP. */
export async function writtenAs(writeUrl: string, tenants: readonly string[], ageMs = LONG_AGO_MS): Promise<Answer[]> {
  const timestampMs = Date.now() - ageMs;
  const run = runId();
  const receiver = directTransport(new URL(writeUrl).origin, { connectionPerRequest: true });
  const labels = { __name__: "thanos_stack_stranger", run };
  const remoteWrite = {
    path: "/api/v1/receive",
    headers: { "content-type": "application/x-protobuf", "content-encoding": "snappy", "x-prometheus-remote-write-version": "0.1.0" },
    body: compress(encodeWriteRequest([{ labels, samples: [{ timestampMs, value: 1 }] }])),
  };
  const point = { timeUnixNano: String(timestampMs * 1e6), asDouble: 1, attributes: [{ key: "run", value: { stringValue: run } }] };
  const metric = { name: "thanos_stack_stranger_otlp", gauge: { dataPoints: [point] } };
  const otlp = {
    path: "/api/v1/otlp",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ resourceMetrics: [{ scopeMetrics: [{ metrics: [metric] }] }] }),
  };
  const requests = tenants.flatMap((tenant) => [remoteWrite, otlp].map((request) => ({ tenant, request })));
  return Promise.all(
    requests.map(async ({ tenant, request: { path, headers, body } }) => {
      const answer = await receiver.send({ method: "POST", path, headers: { ...headers, "THANOS-TENANT": tenant }, body });
      return { tenant: `${path} ${tenant}`, status: answer.status, body: answer.body.trim() };
    }),
  );
}

/** Entries of the data directories of receivers: a directory for each tenant, by pod. */
export async function tenantDirectories(namespace: string, pods: readonly string[]): Promise<Record<string, string[]>> {
  const entries = pods.map(async (pod) => {
    const { directory } = await dataDirectory({ namespace, pod });
    return [pod, readdirSync(directory).sort()] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}
