import * as pulumi from "@pulumi/pulumi";
import { SHARD_FLAG } from "../model/bucket/flags";
import type { AppliedStatefulSet, EndingView, StatefulSetApplying } from "./cluster";
import { fieldManagerOf, type Inputs, resolved } from "./inputs";
import { PATIENCE, type Patience, until } from "./patience";

/**
 * Every block has one compactor at any time. A rolling restart would run compactors of two divisions beside each other, and a block that
 * one has begun would be another one's: both merge it, and what they make overlaps. So where the division changes, all of them end first.
 */

/** Hooks before an update of the compactors' StatefulSet, by its name. */
export type CompactorGates = (name: string) => pulumi.ResourceHook[];

/** Hooks that end every compactor before blocks are divided in another way. */
export function compactorGates(cluster: StatefulSetApplying & EndingView, patience: Patience = PATIENCE): CompactorGates {
  return (name) => [
    new pulumi.ResourceHook(`${name}-waits-for-the-end-of-the-old-division`, async ({ oldInputs, newInputs, oldOutputs }) => {
      if (divisionOf(oldInputs) === divisionOf(newInputs)) return;
      const applied = await resolved<AppliedStatefulSet>(oldInputs);
      const manager = fieldManagerOf(
        oldOutputs,
        "compactors that end before others begin need: switch it on, or leave objectStorage.compactor.shards as it is",
      );
      await endAll(cluster, applied, manager, patience);
    }),
  ];
}

/** How blocks are divided, in the words of the compactors' flag and their number; undefined where one has all of them. */
function divisionOf(inputs: Inputs): string | undefined {
  const { spec } = (inputs ?? {}) as Partial<AppliedStatefulSet>;
  return spec?.template?.spec.containers[0]?.args?.find((arg) => arg.startsWith(SHARD_FLAG));
}

/**
 * Leaves a StatefulSet without a pod. The engine's update that follows sets the number again.
 *
 * @throws when pods are still there after the time, with everything as it was
 */
async function endAll(
  cluster: StatefulSetApplying & EndingView,
  applied: AppliedStatefulSet,
  fieldManager: string,
  patience: Patience,
): Promise<void> {
  const { name } = applied.metadata;
  await pulumi.log.info(`${name}: every compactor ends before blocks are divided in another way`);
  await cluster.applyStatefulSet({ ...applied, spec: { ...applied.spec, replicas: 0 } }, fieldManager);
  try {
    await until(
      `every pod of ${name} to be gone`,
      () => cluster.remains(name),
      patience,
      "The compactors begin again as they were: look at `kubectl describe pod`, and run the same update again",
    );
  } catch (error) {
    await cluster.applyStatefulSet(applied, fieldManager);
    throw error;
  }
}
