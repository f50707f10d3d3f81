import * as pulumi from "@pulumi/pulumi";
import type { Autoscaling } from "../model/settings/autoscaling";
import type { AppliedDeployment, ReplicasView } from "./cluster";
import { fieldManagerOf, type Inputs, replicasOf, resolved } from "./inputs";
import { PATIENCE, type Patience, until } from "./patience";

/**
 * The number of pods between whoever updates and an autoscaler. To the API server the number is a field like any other, and belongs to
 * whoever set it: one that its only owner leaves out falls to 1, and one that another owns can't be set. So it is handed over before
 * an update leaves it out, and taken back before an update sets it
 * (kubernetes docs/reference/using-api/server-side-apply.md "Transferring ownership").
 */

/** Hooks for a Deployment, by its name and the bounds of its number of pods. */
export type ReplicaGates = (name: string, autoscaling: Autoscaling | undefined) => pulumi.ResourceHookBinding;

/** Whose the number is until the autoscaler changes it for the first time. */
export const UNTIL_SCALED = "thanos-stack-autoscaling";

/** Hooks that let the number of a Deployment's pods follow its load, and end that. */
export function replicaGates(cluster: ReplicasView, patience: Patience = PATIENCE): ReplicaGates {
  return (name, autoscaling) => ({
    ...(autoscaling === undefined
      ? {}
      : {
          afterCreate: [
            new pulumi.ResourceHook(`${name}-has-its-least-number`, () => startWithTheLeast(cluster, name, autoscaling, patience)),
          ],
        }),
    beforeUpdate: [
      new pulumi.ResourceHook(`${name}-keeps-its-number`, async ({ oldInputs, newInputs, oldOutputs }) => {
        const [before, after] = [replicasOf(oldInputs), replicasOf(newInputs)];
        if (before !== undefined && after === undefined && autoscaling !== undefined) await handOver(cluster, name, before, autoscaling);
        if (before === undefined && after !== undefined) await takeBack(cluster, name, after, oldInputs, oldOutputs);
      }),
    ],
  });
}

/**
 * After a creation, which leaves the number out and so makes one pod: as many as there are to be at least, without waiting for the
 * autoscaler.
 */
async function startWithTheLeast(cluster: ReplicasView, name: string, { min }: Autoscaling, patience: Patience): Promise<void> {
  if (min === 1) return;
  await cluster.applyDeployment({ metadata: { name }, spec: { replicas: min } }, UNTIL_SCALED);
  await until(
    `${min} pods of ${name}`,
    async () => {
      const missing = min - (await cluster.availablePods(name));
      return missing <= 0 ? [] : [`${missing} of them`];
    },
    patience,
    "The Deployment asks for them already: no update is needed. Look at `kubectl describe pod`",
  );
}

/** Before an update that leaves the number out: it stays what it is, within the bounds, and becomes somebody else's. */
async function handOver(cluster: ReplicasView, name: string, before: number, { min, max }: Autoscaling): Promise<void> {
  const replicas = Math.min(max, Math.max(min, before));
  await cluster.applyDeployment({ metadata: { name }, spec: { replicas } }, UNTIL_SCALED);
}

/**
 * Before an update that sets the number: the autoscaler goes, which the same update removes at its end, so that it doesn't change the
 * number again; and the number is the provider's own, so that it may set it.
 */
async function takeBack(cluster: ReplicasView, name: string, replicas: number, oldInputs: Inputs, oldOutputs: Inputs): Promise<void> {
  const fieldManager = fieldManagerOf(
    oldOutputs,
    "a number of pods that an autoscaler has changed needs: switch it on, or leave autoscaling as it is",
  );
  const applied = await resolved<AppliedDeployment>(oldInputs);
  await cluster.removeAutoscaler(name);
  await cluster.applyDeployment({ ...applied, spec: { ...applied.spec, replicas } }, fieldManager);
}
