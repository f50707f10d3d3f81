/** The checks of one deployed stack: which there are, and where each takes its readings from. */
import { randomUUID } from "node:crypto";
import { RemoteWriteClient } from "../../clients/remoteWrite";
import type { Transport } from "../../clients/transport";
import { type ReceiveOutputs, type RingMember, remoteWriteUrl, type StackOutputs } from "../../outputs";
import { certificatesLast } from "./certificates";
import {
  type AcknowledgedReading,
  everyTargetOnce,
  expectedStores,
  hashringsAgree,
  nodesReady,
  podsReady,
  sampleReadBack,
  samplesAcknowledged,
  storesSeen,
  targetsUp,
  type WrittenSample,
} from "./checks";
import { isPublic, throughGateway } from "./gateway";
import type { StackReader } from "./readings";
import type { Check } from "./run";
import type { Credentials } from "./selection";

/** The metric of the sample that verify writes. */
export const VERIFY_METRIC = "thanos_stack_verify";
const SHORTEST_RATE_MS = 5_000;

/**
 * The checks of a stack, by its scheme.
 *
 * @param shortestRateMs least time in milliseconds over which receivers' counters are compared. Default: 5,000.
 * @param credentials tokens of the gateway. Default: whoever verifies has none.
 */
export function stackChecks(
  reader: StackReader,
  outputs: StackOutputs,
  shortestRateMs = SHORTEST_RATE_MS,
  credentials?: Credentials,
): Check[] {
  let writes = 0;
  const gateway = throughGateway(outputs, {
    credentials,
    onWrite: () => {
      writes++;
    },
  });
  return [
    { name: "nodes", look: async () => nodesReady(await reader.nodes()) },
    { name: "pods", look: async () => podsReady(await reader.pods(), outputs.objectStorage?.compactors) },
    { name: "scrape targets", look: () => lookAtTargets(reader, outputs) },
    ...(outputs.scheme === "receive" ? ringChecks(reader, outputs, shortestRateMs, () => writes) : [stores(reader, outputs, [])]),
    ...(outputs.tls === undefined && outputs.gatewayRemoteWriteUrl === undefined && outputs.gatewayQueryUrl === undefined
      ? []
      : [{ name: "certificates", look: async () => certificatesLast(await reader.certificates(), new Date()) }]),
    ...(isPublic(outputs) ? [{ name: "gateway from outside", look: gateway }] : []),
    { name: "query", look: () => lookAtUp(reader, outputs) },
  ];
}

/** @param written Samples that verify has written through the gateway so far. */
function ringChecks(reader: StackReader, outputs: ReceiveOutputs, shortestRateMs: number, written: () => number): Check[] {
  const { ring } = outputs;
  const endpoint = new CountingTransport(reader.remoteWrite(remoteWriteUrl(outputs)));
  let first: AcknowledgedReading | undefined;
  return [
    { name: "hashring", look: async () => hashringsAgree(await reader.hashrings(ring.loadedAs), ring.members) },
    {
      name: "samples acknowledged",
      look: async () => {
        const reading = await reader.acknowledged(() => endpoint.requests + written());
        first ??= reading;
        return samplesAcknowledged(first, reading, shortestRateMs);
      },
    },
    stores(reader, outputs, ring.members),
    writeAndReadBack(reader, outputs, endpoint),
  ];
}

function stores(reader: StackReader, outputs: StackOutputs, members: readonly RingMember[]): Check {
  return {
    name: "stores",
    look: async () => storesSeen(await reader.queries(outputs.querierUrl).stores(), expectedStores(members, await reader.pods())),
  };
}

async function lookAtTargets(reader: StackReader, outputs: StackOutputs): ReturnType<Check["look"]> {
  const { jobs, replicas, shards } = outputs.prometheus;
  return targetsUp(await reader.targets(), replicas * shards, jobs, await reader.pods());
}

async function lookAtUp(reader: StackReader, outputs: StackOutputs): ReturnType<Check["look"]> {
  // Other senders' targets are not this Prometheus' concern: only series with its labels and jobs are asked for.
  const labels = Object.entries(outputs.externalLabels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const jobs = outputs.prometheus.jobs.map((job) => job.replace(/[^\w-]/g, (symbol) => `\\${symbol}`)).join("|");
  const query = `timestamp(up{${[...labels, `job=~${JSON.stringify(jobs)}`].join(",")}})`;
  const readings = await reader.targets();
  return everyTargetOnce(readings, await reader.queries(outputs.querierUrl).instant(query), outputs.replicaLabels);
}

/** Writes one sample, as any sender of the default tenant would, and then reads until it is there. */
function writeAndReadBack(reader: StackReader, outputs: ReceiveOutputs, endpoint: Transport): Check {
  const timestampMs = Date.now();
  const run = randomUUID();
  const sample: WrittenSample = { labels: { __name__: VERIFY_METRIC, run }, value: timestampMs % 1_000_000_007 };
  const series = [{ labels: sample.labels, samples: [{ timestampMs, value: sample.value }] }];
  const writer = new RemoteWriteClient(endpoint, { tenant: outputs.defaultTenant, tenantHeader: outputs.tenantHeader });
  let acknowledged = false;
  return {
    name: "write and read back",
    look: async () => {
      if (!acknowledged) {
        // One try a poll: the polls are the retries, and end in time.
        await writer.send(series, { giveUpAfterMs: 0 });
        acknowledged = true;
      }
      const { vector } = await reader.queries(outputs.queryUrl).instant(`${VERIFY_METRIC}{run="${run}"}`);
      return sampleReadBack(sample, vector);
    },
  };
}

/** Counts requests that may have been acknowledged; each holds one sample. */
class CountingTransport implements Transport {
  requests = 0;

  constructor(private readonly transport: Transport) {}

  get description(): string {
    return this.transport.description;
  }

  send(request: Parameters<Transport["send"]>[0]): ReturnType<Transport["send"]> {
    this.requests++;
    return this.transport.send(request);
  }
}
