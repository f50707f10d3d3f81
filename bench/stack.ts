import { cpus } from "node:os";
import type { OutputMap, Stack } from "@pulumi/pulumi/automation";
import { type ExposedSample, parseExposition } from "../clients/exposition";
import { ALL_COMPONENTS } from "../model/kubernetes/components";
import { ensureBucket } from "../sandbox/bucket";
import { ensureVolumes } from "../sandbox/cluster";
import { environmentConfig, openStack } from "../sandbox/engine";
import { bucketOf, type ConfigOverlay, mergeConfig } from "../sandbox/overlay";
import { Cluster, type Deployed, deployedStack, inside, type Pod } from "../tests/e2e/stack";
import { removeStack } from "./leftovers";

/**
 * Common to the benchmarks on the sandbox's cluster: a stack of their own, its receivers' metrics, and the
 * outcome of every single try of a send.
 */

/** A benchmark's stack while it is deployed. */
export interface BenchStack {
  readonly cluster: Cluster;
  readonly deployed: Deployed;
  readonly namespace: string;
  /** Every output of the stack, secret ones too. */
  outputs(): Promise<OutputMap>;
  /** Brings the stack to its settings with these on top. */
  update(overrides: ConfigOverlay): Promise<void>;
}

/**
 * Deploys an environment as a stack and a namespace of the benchmark's own, so that no environment is touched; in the
 * end both are removed, with their data.
 *
 * @param env the environment whose settings it has
 * @param name the stack's and the namespace's name
 * @param overrides on top of the environment's own
 */
export async function withStack(
  env: string,
  name: string,
  overrides: ConfigOverlay,
  measure: (stack: BenchStack) => Promise<void>,
): Promise<void> {
  const bucket = bucketOf(environmentConfig(env));
  // A prefix of its own in the environment's bucket.
  const history: ConfigOverlay = bucket === undefined ? {} : { "thanos-stack:objectStorage": { prefix: name } };
  if (bucket !== undefined) await ensureBucket(bucket.bucket);
  // Those of an earlier stack are gone with its data.
  await ensureVolumes();
  const open = (more: ConfigOverlay): Promise<Stack> =>
    openStack(env, mergeConfig({ "thanos-stack:namespace": name, "thanos-stack:protect": false }, history, overrides, more), {
      stack: name,
    });
  const stack = await open({});
  const cluster = new Cluster();
  try {
    await stack.up();
    const deployed = await deployedStack(cluster, stack);
    await measure({
      cluster,
      deployed,
      namespace: name,
      outputs: () => stack.outputs(),
      update: async (more) => {
        await (await open(more)).up();
      },
    });
  } finally {
    await removeStack(cluster, name, stack);
  }
}

/** The metrics of a pod, from the port that its component serves them at. */
export async function metricsOf(pod: Pod): Promise<ExposedSample[]> {
  const { name, namespace = "", labels } = pod.metadata;
  const served = ALL_COMPONENTS.find(({ app }) => app === labels?.["app.kubernetes.io/name"]);
  if (served?.metricsPort === undefined) throw new Error(`${name} serves no metrics`);
  const { status, body } = await inside().pod({ namespace, name, port: served.metricsPort }).send({ method: "GET", path: "/metrics" });
  if (status !== 200) throw new Error(`${name}: ${status} ${body.slice(0, 200)}`);
  return parseExposition(body);
}

/** Resources of a pod: CPU that it has used so far, memory and head series that it holds now. */
export interface Use {
  pod: Pod;
  cpuSeconds: number;
  residentBytes: number;
  headSeries: number;
}

/** Of each pod of an app. */
export async function useOf(cluster: Cluster, namespace: string, app: string): Promise<Use[]> {
  const pods = await cluster.pods(namespace, app);
  return Promise.all(
    pods.map(async (pod) => {
      const samples = await metricsOf(pod);
      return {
        pod,
        cpuSeconds: total(samples, "process_cpu_seconds_total"),
        residentBytes: total(samples, "process_resident_memory_bytes"),
        headSeries: total(samples, "prometheus_tsdb_head_series"),
      };
    }),
  );
}

/** The sum of a number over all of some pods. */
export const sumOf = (uses: readonly Use[], of: (use: Use) => number): number => uses.reduce((sum, each) => sum + of(each), 0);

/** The sum of a metric over all its series; 0 where there is none. */
export function total(samples: readonly ExposedSample[], name: string): number {
  return samples.filter((each) => each.name === name).reduce((sum, { value }) => sum + value, 0);
}

/** Whether a pod says that it is Ready. */
export function isReady(pod: Pod): boolean {
  return pod.status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

/** A reading of the machine's processors. */
export interface ProcessorTimes {
  busyMs: number;
  totalMs: number;
}

/** Time that the machine's processors have spent since it started, in milliseconds: in all, and busy. */
export function processorTimes(): ProcessorTimes {
  const times = cpus().map((each) => each.times);
  const totalMs = times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0);
  return { totalMs, busyMs: totalMs - times.reduce((sum, { idle }) => sum + idle, 0) };
}

/** The share of the machine's processors that was busy between two readings, in percent. */
export function busyPercent(before: ProcessorTimes, after: ProcessorTimes): number {
  return (100 * (after.busyMs - before.busyMs)) / Math.max(after.totalMs - before.totalMs, 1);
}
