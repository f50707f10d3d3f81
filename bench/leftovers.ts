import { rm } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { run } from "../sandbox/command";
import { deployedEnvironments, openStack } from "../sandbox/engine";
import { takeLock } from "../sandbox/lock";
import { inNode } from "../sandbox/node";
import { paths } from "../sandbox/paths";
import { recover } from "../sandbox/recovery";
import { NODES } from "../sandbox/topology";
import { Cluster, type KubernetesObject } from "../tests/e2e/stack";

/** Leftovers of benchmarks in the sandbox's cluster, at their end or where they were killed, and their removal. */

/** A PersistentVolume. */
export interface Volume extends KubernetesObject {
  spec: { claimRef?: { namespace: string }; local?: { path: string } };
}

/** Stacks in the engine's backend, and objects of the cluster of the kinds that a benchmark makes. */
export interface Standing {
  stacks: readonly string[];
  namespaces: readonly string[];
  clusterRoles: readonly string[];
  clusterRoleBindings: readonly string[];
  volumes: readonly Volume[];
}

/** The part of them that is to be removed. */
export interface Leftovers extends Standing {
  /** Names of stacks and namespaces that have, or had, directories on the nodes. */
  data: readonly string[];
}

/** Names of a benchmark's stack, of its namespace, and of what is called after these. */
const OF_A_BENCHMARK = /^bench-[a-z0-9-]+$/;

const isLeft = (name: string): boolean => OF_A_BENCHMARK.test(name);

/** Selects the leftovers of benchmarks among all that there is: nothing of any environment, nor of the sandbox itself. */
export function leftoversOf({ stacks, namespaces, clusterRoles, clusterRoleBindings, volumes }: Standing): Leftovers {
  const claimed = volumes.filter(({ spec }) => isLeft(spec.claimRef?.namespace ?? ""));
  const owners = [...stacks, ...namespaces, ...claimed.map(({ spec }) => spec.claimRef?.namespace ?? "")];
  return {
    stacks: stacks.filter(isLeft),
    namespaces: namespaces.filter(isLeft),
    clusterRoles: clusterRoles.filter(isLeft),
    clusterRoleBindings: clusterRoleBindings.filter(isLeft),
    volumes: claimed,
    data: [...new Set(owners.filter(isLeft))].sort(),
  };
}

const RBAC = "/apis/rbac.authorization.k8s.io/v1";

async function standing(cluster: Cluster): Promise<Standing> {
  const named = async (path: string) => (await cluster.list(path)).map(({ metadata }) => metadata.name);
  return {
    stacks: deployedEnvironments(),
    namespaces: await named("/api/v1/namespaces"),
    clusterRoles: await named(`${RBAC}/clusterroles`),
    clusterRoleBindings: await named(`${RBAC}/clusterrolebindings`),
    volumes: await cluster.list<Volume>("/api/v1/persistentvolumes"),
  };
}

/**
 * Takes the sandbox for a benchmark until its process ends, and removes what benchmarks that were killed have left: stacks with the
 * engine's locks, namespaces, cluster roles and volumes with their data.
 *
 * @param what The program, for whoever wants the sandbox meanwhile.
 * @throws {StepFailed} where another benchmark, or a command that changes the cluster, is running
 */
export async function beginBenchmark(what: string): Promise<void> {
  takeLock(paths().lock, what);
  const cluster = new Cluster();
  const { stacks } = leftoversOf(await standing(cluster));
  for (const name of stacks) {
    console.log(`removing the stack ${name}, which an earlier run has left`);
    // Which environment it was does not matter: nothing is deployed of its settings.
    const stack = await openStack("dev", {}, { stack: name });
    await recover(stack);
    await removeStack(cluster, name, stack);
  }
  // Objects that no state knows of.
  const left = leftoversOf(await standing(cluster));
  const objects = [
    ...left.namespaces.map((name) => ["namespace", name, "--wait=false"]),
    ...left.clusterRoleBindings.map((name) => ["clusterrolebinding", name]),
    ...left.clusterRoles.map((name) => ["clusterrole", name]),
  ];
  for (const each of objects) {
    console.log(`removing the ${each[0]} ${each[1]}, which an earlier run has left`);
    await kubectl(["delete", ...each, "--ignore-not-found"]);
  }
  for (const name of left.namespaces) await killed(cluster, name);
  await removeData(left.volumes, left.data);
}

/** Asks the sandbox's cluster, whatever the caller's own kubectl is set to. */
export const kubectl = (args: readonly string[]) => run("kubectl", ["--kubeconfig", paths().kubeconfig, ...args]);

/** Destroys a benchmark's stack, and removes it with its data. */
export async function removeStack(cluster: Cluster, name: string, stack: Awaited<ReturnType<typeof openStack>>): Promise<void> {
  const claimed = (await cluster.list<Volume>("/api/v1/persistentvolumes")).filter(({ spec }) => spec.claimRef?.namespace === name);
  const destroyed = new AbortController();
  await Promise.all([stack.destroy().finally(() => destroyed.abort()), killed(cluster, name, destroyed.signal)]);
  await stack.workspace.removeStack(name);
  await removeData(claimed, [name]);
}

/** Removes volumes that the sandbox gave, and directories on the nodes. */
async function removeData(volumes: readonly Volume[], names: readonly string[]): Promise<void> {
  for (const { metadata, spec } of volumes) {
    await kubectl(["delete", "persistentvolume", metadata.name, "--ignore-not-found"]);
    if (spec.local !== undefined) await rm(spec.local.path, { recursive: true, force: true });
  }
  for (const node of NODES) for (const name of names) await inNode(node, ["rm", "-rf", `/data/thanos/${name}`, `/data/prometheus/${name}`]);
}

/**
 * Ends a namespace's pods without their grace periods, until the namespace is gone: nobody needs what they would still store.
 *
 * @param ended Ends it earlier, as where nobody removes the namespace any more. Default: never.
 */
async function killed(cluster: Cluster, namespace: string, ended?: AbortSignal): Promise<void> {
  while (ended?.aborted !== true && (await cluster.get(`/api/v1/namespaces/${namespace}`)) !== undefined) {
    for (const { metadata } of await cluster.pods(namespace))
      if (metadata.deletionTimestamp !== undefined)
        await kubectl(["delete", "pod", metadata.name, "--namespace", namespace, "--force", "--grace-period=0", "--ignore-not-found"]);
    await delay(1_000);
  }
}
