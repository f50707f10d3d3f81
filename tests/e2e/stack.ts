import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Stack } from "@pulumi/pulumi/automation";
import { execa } from "execa";
import { apiServerTransport, type ClusterAddress, loadKubeConfig } from "../../clients/apiServer";
import { connectCluster } from "../../clients/cluster";
import { type ExposedSample, parseExposition } from "../../clients/exposition";
import { type Labels, PrometheusClient } from "../../clients/prometheus";
import { RemoteWriteClient } from "../../clients/remoteWrite";
import { parseServiceUrl } from "../../clients/services";
import { directTransport, type HttpResponse, type Transport } from "../../clients/transport";
import { HTTP_PORT } from "../../model/kubernetes/ports";
import { type ReceiveOutputs, readOutputs, type StackOutputs, type TlsClient } from "../../outputs";
import { environment, openStack } from "../../sandbox/engine";
import { makeBlocks, type Series } from "../../sandbox/history";
import type { ConfigOverlay } from "../../sandbox/overlay";
import { paths } from "../../sandbox/paths";
import { recover } from "../../sandbox/recovery";
import { CONTEXT } from "../../sandbox/topology";
import { type Ledger, labelsOfSeries, type QueryCounts, type Reading, readBack, startQueries, startSender } from "../ledger";
import { killEngines } from "./engines";

/** Common to the tests of the sandbox tier: the engine's stack, the API server, and the stack's endpoints as this host reaches them. */

/** The cluster that the tests run on: the sandbox's. */
export const CLUSTER: ClusterAddress = { kubeconfig: paths().kubeconfig, context: CONTEXT };

/** A Kubernetes object as the API server answers it. */
export interface KubernetesObject {
  metadata: {
    name: string;
    namespace?: string;
    uid: string;
    resourceVersion: string;
    labels?: Record<string, string>;
    deletionTimestamp?: string;
  };
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
  data?: Record<string, string>;
}

/** A pod, as far as these tests look at it. */
export interface Pod extends KubernetesObject {
  status: {
    phase?: string;
    podIP?: string;
    conditions?: { type: string; status: string }[];
    containerStatuses?: { restartCount: number; ready: boolean }[];
  };
  spec: {
    nodeName?: string;
    containers: { name: string; args?: string[]; resources?: { requests?: { cpu?: string; memory?: string } } }[];
  };
}

/** The API server's answer; fails where it refused. */
function accepted<T>(path: string, { status, body }: HttpResponse): T {
  assert.ok(status < 300, `${path}: ${status} ${body.slice(0, 300)}`);
  return JSON.parse(body) as T;
}

/** The API server. */
export class Cluster {
  private readonly api: Transport = apiServerTransport(loadKubeConfig(CLUSTER));

  /** An object or list; undefined where there is none. */
  async get<T = KubernetesObject>(path: string): Promise<T | undefined> {
    const answer = await this.api.send({ method: "GET", path });
    return answer.status === 404 ? undefined : accepted<T>(path, answer);
  }

  /** Makes an object, as somebody who is no part of a stack; what the API server made of it. */
  create<T = KubernetesObject>(path: string, object: object): Promise<T> {
    return this.write<T>("POST", path, object, "application/json");
  }

  /** Changes fields of an object, as somebody with kubectl would; null takes one away. */
  async mergePatch(path: string, patch: object): Promise<void> {
    await this.write("PATCH", path, patch, "application/merge-patch+json");
  }

  /** Asks for an object's deletion, gracefully; it may take its time. */
  async delete(path: string): Promise<void> {
    accepted(path, await this.api.send({ method: "DELETE", path }));
  }

  private async write<T>(method: "POST" | "PATCH", path: string, object: object, contentType: string): Promise<T> {
    return accepted<T>(path, await this.api.send({ method, path, headers: { "content-type": contentType }, body: JSON.stringify(object) }));
  }

  async list<T = KubernetesObject>(path: string): Promise<T[]> {
    return (await this.get<{ items: T[] }>(path))?.items ?? [];
  }

  pods(namespace: string, app?: string): Promise<Pod[]> {
    const selector = app === undefined ? "" : `?labelSelector=${encodeURIComponent(`app.kubernetes.io/name=${app}`)}`;
    return this.list<Pod>(`/api/v1/namespaces/${namespace}/pods${selector}`);
  }

  /** Address of a Service that this host can reach: its cluster IP. */
  async serviceAddress(inClusterUrl: string): Promise<string> {
    const { name, namespace, port, path, scheme } = parseServiceUrl(inClusterUrl);
    const service = await this.get<{ spec: { clusterIP: string } }>(`/api/v1/namespaces/${namespace}/services/${name}`);
    assert.ok(service, `there is no Service ${namespace}/${name}`);
    return `${scheme}://${service.spec.clusterIP}:${port}${path}`;
  }
}

let ways: ReturnType<typeof connectCluster> | undefined;

/** Ways to what no policy lets this host reach: by port-forward, as a person would. */
export function inside(): ReturnType<typeof connectCluster> {
  ways ??= connectCluster(CLUSTER);
  return ways;
}

/** A deployed stack and its endpoints. */
export interface Deployed {
  outputs: ReceiveOutputs;
  /** The whole URL of remote write, as this host reaches it. */
  writeUrl: string;
  /** Where everybody asks who may read: the query frontend where there is one. */
  querier: PrometheusClient;
  writer: RemoteWriteClient;
  /** A writer of another tenant than the default one. */
  writerAs: (tenant: string | undefined) => RemoteWriteClient;
}

async function outputsOf(stack: Stack): Promise<StackOutputs> {
  return readOutputs(Object.fromEntries(Object.entries(await stack.outputs()).map(([name, { value }]) => [name, value])));
}

/** The querier of a deployed environment of either scheme, past any cache. */
export async function querierOf(stack: Stack): Promise<PrometheusClient> {
  return new PrometheusClient(inside().service((await outputsOf(stack)).querierUrl));
}

/**
 * The endpoints of a deployed environment with a ring, from its outputs as every consumer reads them.
 *
 * @param shown By what it is written to where it encrypts. Default: `ledger` of its `tls.clients.write`.
 */
export async function deployedStack(cluster: Cluster, stack: Stack, tenant?: string, shown?: TlsClient): Promise<Deployed> {
  const outputs = await outputsOf(stack);
  assert.equal(outputs.scheme, "receive");
  const writeUrl = await cluster.serviceAddress(outputs.remoteWriteUrl);
  const { ca, serverName: servername } = outputs.tls ?? {};
  const { ledger } = ((await stack.outputs()).tlsClients?.value ?? {}) as Record<string, TlsClient>;
  const certificate = shown ?? ledger;
  const tls = certificate === undefined ? {} : { tls: { ca, servername, cert: certificate.certificate, key: certificate.key } };
  const transport = directTransport(writeUrl, { connectionPerRequest: true, ...tls });
  const writerAs = (each: string | undefined) => new RemoteWriteClient(transport, each === undefined ? {} : { tenant: each });
  return {
    outputs,
    writeUrl,
    querier: new PrometheusClient(directTransport(await cluster.serviceAddress(outputs.queryUrl))),
    writer: writerAs(tenant),
    writerAs,
  };
}

/** The kinds of change of an update that are not "no change". */
export function changes(resourceChanges: Record<string, number> | undefined): Record<string, number> {
  return Object.fromEntries(Object.entries(resourceChanges ?? {}).filter(([kind]) => kind !== "same"));
}

/** Changes that a preview shows: operation, type and name, sorted. */
export async function previewed(stack: Stack): Promise<string[]> {
  const found = new Set<string>();
  await stack.preview({
    onEvent: ({ resourcePreEvent }) => {
      if (resourcePreEvent === undefined) return;
      const { op, urn } = resourcePreEvent.metadata;
      const [, , type = "", name = ""] = urn.split("::");
      if (!["same", "read", "refresh"].includes(op)) found.add(`${op} ${type.slice(type.lastIndexOf(":") + 1)} ${name}`);
    },
  });
  return [...found].sort();
}

/** `pulumi up` of an environment with overrides. */
export async function up(env: string, overrides: ConfigOverlay = {}) {
  const stack = await openStack(env, overrides);
  const result = await stack.up();
  return { stack, changes: changes(result.summary.resourceChanges), stdout: result.stdout };
}

/** Removes what an earlier run may have left of an environment, so that a test begins with nothing. */
export async function remove(env: string, overrides: ConfigOverlay = {}, name = env): Promise<void> {
  const stack = await openStack(env, overrides, { stack: name });
  await recover(stack);
  const { resources = [] } = (await stack.exportStack()).deployment ?? {};
  if (resources.length === 0) return;
  // Resources that are there are brought to these settings first: they may be protected, reached by a kubeconfig that is gone, or
  // half removed by a run that was killed.
  await stack.up({ refresh: true });
  await stack.destroy();
}

// A test that ran out of time leaves its engine behind, which goes on changing the cluster and keeps the
// stack locked for whoever comes after it. Benchmarks use this file without mocha.
if (typeof afterEach === "function")
  afterEach(function () {
    if (this.currentTest?.timedOut === true) killEngines();
  });

/** The message with which an operation of the engine fails. */
export async function failure(operation: () => Promise<unknown>): Promise<string> {
  try {
    await operation();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  throw new assert.AssertionError({ message: "the operation should have failed" });
}

/** `npm run verify` of a stack of the sandbox; its whole output. Fails with it where a check does. */
export const verify = (stack: string): Promise<string> => command("verify", stack);

/** A command of a stack as a user runs it; its whole output. Fails with it where the command does. */
export async function command(name: string, stack: string, ...further: string[]): Promise<string> {
  const result = await execa("npm", ["run", "--silent", name, "--", "--stack", stack, ...further], {
    env: environment(),
    all: true,
    reject: false,
  });
  assert.equal(result.exitCode, 0, result.all);
  return result.all;
}

/** Samples at the `/metrics` of a pod of Thanos. */
export async function metricsOf(pod: Pod | undefined): Promise<ExposedSample[]> {
  assert.ok(pod !== undefined, "there is no such pod");
  const { name, namespace = "" } = pod.metadata;
  const { status, body } = await inside().pod({ namespace, name, port: HTTP_PORT }).send({ method: "GET", path: "/metrics" });
  assert.equal(status, 200, `${name}: ${body.slice(0, 200)}`);
  return parseExposition(body);
}

/** Waits until every one of these receivers has loaded a default ring of so many. */
export async function ringLoaded(receivers: () => Promise<Pod[]>, members: number): Promise<void> {
  await eventually(`every receiver has loaded the ring of ${members}`, async () => {
    const pages = await Promise.all((await receivers()).map(metricsOf));
    const loaded = (page: ExposedSample[]) =>
      page.some(({ name, labels, value }) => name === "thanos_receive_hashring_nodes" && labels.name === "default" && value === members);
    return pages.length > 0 && pages.every(loaded);
  });
}

/**
 * Waits until the querier asks so many receivers, no longer those that are gone: it looks them up every few seconds, and until then an
 * answer without them is a partial one.
 */
export async function receiversAsked(querier: PrometheusClient, receivers: number): Promise<void> {
  await eventually(
    `the querier asks ${receivers} receivers`,
    async () => (await querier.stores()).filter(({ component }) => component === "receive").length === receivers,
  );
}

/** Blocks of made history, a sample a minute, for as long as something is done with them. */
export async function withBlocks<T>(
  range: { from: number; to: number },
  series: readonly Series[],
  act: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "thanos-stack-blocks-"));
  try {
    await makeBlocks({ folder, ...range, resolutionSeconds: 60, series });
    return await act(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Waits until a condition holds. Generous, since it bounds only a fault. */
export async function eventually<T>(what: string, probe: () => Promise<T | undefined | false>, seconds = 300): Promise<T> {
  const end = Date.now() + seconds * 1_000;
  let last = "";
  for (;;) {
    try {
      const value = await probe();
      if (value !== undefined && value !== false) return value;
      last = "";
    } catch (error) {
      last = `: ${String(error)}`;
    }
    if (Date.now() > end) throw new assert.AssertionError({ message: `not within ${seconds} s: ${what}${last}` });
    await delay(500);
  }
}

/** A run's own label value, so that two runs' series are never one. */
export function runId(): string {
  return `${process.pid}-${Date.now()}`;
}

/** Record of a load while something happened to the stack. */
export interface LoadResult {
  ledger: Ledger;
  reading: Reading;
  queries: QueryCounts;
}

/** How the load is; what is left out is the default. */
export interface LoadOptions {
  /** Series, each with a sample a second. Default: 500. */
  series?: number;
  /** Requests in which they are sent, each on a connection of its own. Default: 4. */
  batches?: number;
  /** Tenant. Default: the receivers' own default. */
  tenant?: string;
}

/** The longest that a load runs by itself if nobody stops it, in seconds. */
const LONGEST_LOAD_SECONDS = 1_800;

/**
 * Sends and queries while something happens, then reads back every acknowledged sample. The figures are printed, since
 * they are what a closing note reports.
 */
export async function underLoad(deployed: Deployed, options: LoadOptions, happening: () => Promise<void>): Promise<LoadResult> {
  const { series = 500, batches = 4, tenant } = options;
  const { querier } = deployed;
  const run = runId();
  const written = `count(thanos_stack_ledger{run="${run}"})`;
  const sender = startSender({
    write: deployed.writerAs(tenant),
    series,
    batches,
    ticks: LONGEST_LOAD_SECONDS,
    labels: { run },
  });
  await eventually("every series is answered", async () => (await querier.instant(written)).vector[0]?.sample.value === series);
  const queries = startQueries({
    client: querier,
    rate: 5,
    query: written,
    expect: (vector) => vector[0]?.sample.value === series,
    count: 5 * LONGEST_LOAD_SECONDS,
    // With the server's five minutes each query decodes half a million samples; and what was not written for two of them would not be seen.
    lookbackDelta: "2m",
  });
  try {
    await happening();
  } finally {
    await Promise.all([queries.stop(), sender.stop()]);
  }
  const [ledger, asked] = await Promise.all([sender.stop(), queries.stop()]);
  const reading = await readBack(ledger, querier, { replicaLabels: ["receive_replica"] });
  console.log(`      sent ${JSON.stringify(ledger.counts)}\n      read ${JSON.stringify(reading)}\n      asked ${JSON.stringify(asked)}`);
  return { ledger, reading, queries: asked };
}

/**
 * Nothing that was acknowledged is missing, every send was acknowledged in the end, and every query had its whole answer.
 *
 * @param accepted whether samples of a series may be missing after what happened; default: of none
 */
export function assertLossless({ ledger, reading, queries }: LoadResult, accepted: (labels: Labels) => boolean = () => false): void {
  assert.ok(reading.acknowledged > 5_000, `${reading.acknowledged} samples acknowledged`);
  assert.equal(ledger.counts.failed, 0, "sends that were given up");
  const missing = reading.lostSeries.filter((series) => !accepted(labelsOfSeries(ledger, series)));
  assert.deepEqual(missing, [], "series with acknowledged samples that are nowhere");
  assert.equal(reading.wrong, 0, "samples answered with another value");
  assertAnswered(queries);
}

/** Every query had its whole answer; what went wrong instead is in the message. */
export function assertAnswered({ failed, empty, incomplete, errors }: QueryCounts): void {
  assert.deepEqual({ failed, empty, incomplete, errors }, { failed: 0, empty: 0, incomplete: 0, errors: [] });
}
