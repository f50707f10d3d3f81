import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import { decisionLines } from "../commands/recover";
import { clusterLookUp } from "../commands/recover/cluster";
import { planRecovery } from "../commands/recover/plan";
import { readState } from "../commands/recover/state";
import { readIfThere, until } from "./command";
import { type Paths, paths } from "./paths";
import { CONTEXT } from "./topology";

/** The ids of the engines that hold a stack's lock in the sandbox's backend and still run. */
function lockHolders(directory: string): number[] {
  const locks = existsSync(directory) ? readdirSync(directory).filter((file) => file.endsWith(".json")) : [];
  return locks.flatMap((file) => {
    const pid = /"pid":\s*(\d+)/.exec(readIfThere(join(directory, file)) ?? "")?.[1];
    return pid !== undefined && readIfThere(`/proc/${pid}/comm`)?.trim() === "pulumi" ? [Number(pid)] : [];
  });
}

/**
 * Makes a stack ready for an update after one that was killed, as a user would by hand: waits for an engine that still runs, takes the lock
 * away that a dead one left (`pulumi cancel`), and does what `npm run recover -- --yes` does.
 *
 * @throws {StepFailed} if another update goes on for longer than two minutes
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
  const { decisions, state: recovered } = await planRecovery(
    readState(exported),
    clusterLookUp({ kubeconfig: where.kubeconfig, context: CONTEXT }),
  );
  for (const line of decisionLines(decisions)) report(line);
  await stack.importStack({ ...exported, deployment: recovered.deployment });
}
