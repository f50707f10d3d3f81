import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ApiException, type KubernetesObject, KubernetesObjectApi } from "@kubernetes/client-node";
import type { Stack } from "@pulumi/pulumi/automation";
import { kubeConfig } from "./cluster";
import { readIfThere, until } from "./command";
import { type Paths, paths } from "./paths";

/** What an update was doing when it was killed, as the stack's state has it. */
export interface PendingOperation {
  readonly type: string;
  readonly resource: { readonly urn: string; readonly type: string; readonly inputs?: { readonly [key: string]: unknown } };
}

/** An object of Kubernetes by what names it. */
export type ObjectName = KubernetesObject & { readonly metadata: { readonly name: string; readonly namespace?: string } };

/**
 * The objects that a killed update was creating: they may or may not exist, and the state doesn't know them.
 *
 * @param operations the state's pending operations
 */
export function unfinishedObjects(operations: readonly PendingOperation[]): ObjectName[] {
  return operations.flatMap(({ type, resource }) => {
    if (type !== "creating" || !resource.type.startsWith("kubernetes:")) return [];
    const { apiVersion, kind, metadata } = resource.inputs ?? {};
    const { name, namespace } = (metadata ?? {}) as { name?: unknown; namespace?: unknown };
    if (typeof apiVersion !== "string" || typeof kind !== "string" || typeof name !== "string") return [];
    return [{ apiVersion, kind, metadata: { name, ...(typeof namespace === "string" ? { namespace } : {}) } }];
  });
}

/** The ids of the engines that hold a stack's lock in the sandbox's backend and still run. */
function lockHolders(directory: string): number[] {
  const locks = existsSync(directory) ? readdirSync(directory).filter((file) => file.endsWith(".json")) : [];
  return locks.flatMap((file) => {
    const pid = /"pid":\s*(\d+)/.exec(readIfThere(join(directory, file)) ?? "")?.[1];
    return pid !== undefined && readIfThere(`/proc/${pid}/comm`)?.trim() === "pulumi" ? [Number(pid)] : [];
  });
}

/**
 * Makes a stack ready for an update after one that was killed: waits for an engine that still runs, takes the lock away that a dead one left,
 * and removes the objects whose creation was never finished, so that they are created anew. Their volumes' contents stay.
 *
 * @throws {StepFailed} if another update goes on for longer than two minutes, or an object can't be removed in that time
 */
export async function recover(stack: Stack, where: Paths = paths(), report: (text: string) => void = () => {}): Promise<void> {
  const project = (await stack.workspace.projectSettings()).name;
  const directory = join(where.pulumiBackend, ".pulumi", "locks", "organization", project, stack.name);
  await until(
    `another update of ${stack.name} did not end`,
    () => {
      const holders = lockHolders(directory);
      if (holders.length > 0) report(`waiting for another update of ${stack.name} (process ${holders.join(", ")})`);
      return holders.length === 0;
    },
    { timeout: 120_000, interval: 500 },
  );
  if (existsSync(directory) && readdirSync(directory).some((file) => file.endsWith(".json"))) await stack.cancel();

  // Asked of the file first: an export takes a second, and nearly always there is nothing.
  const state = join(where.pulumiBackend, ".pulumi", "stacks", project, `${stack.name}.json`);
  if (!existsSync(state) || !readFileSync(state, "utf8").includes('"pending_operations"')) return;
  const exported = await stack.exportStack();
  const operations: readonly PendingOperation[] = exported.deployment?.pending_operations ?? [];
  if (operations.length === 0) return;
  const client = KubernetesObjectApi.makeApiClient(kubeConfig(where));
  for (const object of unfinishedObjects(operations)) {
    report(`removing ${object.kind} ${object.metadata.name}, whose creation was interrupted`);
    await until(`removing ${object.kind} ${object.metadata.name}`, () => isGone(client, object), { timeout: 120_000, interval: 500 });
  }
  await stack.importStack({ ...exported, deployment: { ...exported.deployment, pending_operations: [] } });
}

/** Asks for an object's removal; true once there is none. */
async function isGone(client: KubernetesObjectApi, object: ObjectName): Promise<boolean> {
  try {
    await client.delete(object, undefined, undefined, undefined, undefined, "Foreground");
    return false;
  } catch (error) {
    if (error instanceof ApiException && error.code === 404) return true;
    throw error;
  }
}
