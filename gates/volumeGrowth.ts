import * as pulumi from "@pulumi/pulumi";
import { ConnectionError } from "../clients/transport";
import { DATA_VOLUME, type Storage, VOLUME_SIZE_ANNOTATION } from "../model/kubernetes/storage";
import { formatProblem } from "../model/values/problem";
import { quantityBytes } from "../model/values/quantity";
import type { Claim, ClaimGrowth, ClaimView } from "./cluster";
import { type Inputs, replicasOf } from "./inputs";
import { PATIENCE, type Patience, until } from "./patience";

/**
 * Volumes that grow in place. A StatefulSet's claim template can't change, so a changed size would replace it (model/kubernetes/storage.ts:
 * `unchangedByGrowth` keeps the template's size as it was made). The size that is meant stands in an annotation of the StatefulSet, and
 * these hooks bring every claim to it: existing ones before the StatefulSet's own update, so that a failure leaves the update to be run
 * again, and claims of new pods, which still get the template's size, after it.
 */

/** Hooks for a StatefulSet, by its name. */
export type VolumeGates = (set: { name: string }) => pulumi.ResourceHookBinding;

/** A provisioner that only says that volumes are made by hand. */
const BY_HAND = "kubernetes.io/no-provisioner";

const REPEAT = "The claims ask for it already; look at `kubectl describe pvc`, and run the same update again";
const NOTHING_TO_REPEAT =
  "The claims ask for it already, and the driver goes on by itself: no update is needed. Look at `kubectl describe pvc`";

/**
 * Hooks that let the volumes of StatefulSets grow.
 *
 * @param key the workload's key in the configuration, such as `receive`; its size is at `<key>.storage.pvc.size`
 * @param storage directories of nodes have no size, and need no hook
 */
export function volumeGates(cluster: ClaimView & ClaimGrowth, key: string, storage: Storage, patience: Patience = PATIENCE): VolumeGates {
  if (storage.pvc === undefined) return () => ({});
  return ({ name }) => {
    const set = { name, key: `${key}.storage.pvc.size` };
    return {
      beforeUpdate: [
        new pulumi.ResourceHook(
          `volumes-of-${name}-can-grow`,
          async ({ oldInputs, newInputs }) => {
            const change = changeOf(oldInputs, newInputs);
            if (change === undefined) return;
            if (quantityBytes(change.after) < quantityBytes(change.before)) throw new Error(smallerRefusal(set, change));
            await volumesMayGrow(cluster, set, change.after).catch(async (error: unknown) => {
              // A preview is worth having without the cluster too; an update asks again before it changes anything.
              if (!(error instanceof ConnectionError)) throw error;
              await pulumi.log.warn(`nobody knows yet whether the volumes of ${name} can grow to ${change.after}: ${error.message}`);
            });
          },
          { onDryRun: true },
        ),
        new pulumi.ResourceHook(`volumes-of-${name}-grow`, async ({ oldInputs, newInputs }) => {
          const change = changeOf(oldInputs, newInputs);
          if (change !== undefined) await growVolumes(cluster, set, change.after, replicasOf(oldInputs) ?? 0, REPEAT, patience);
        }),
      ],
      afterUpdate: [
        new pulumi.ResourceHook(`volumes-of-new-pods-of-${name}-grow`, async ({ newInputs }) => {
          const size = volumeSize(newInputs);
          if (size === undefined || size === templateSize(newInputs)) return;
          await growVolumes(cluster, set, size, replicasOf(newInputs) ?? 0, NOTHING_TO_REPEAT, patience);
        }),
      ],
      // One that is made again finds the claims of the one before, and they may have been smaller.
      afterCreate: [
        new pulumi.ResourceHook(`volumes-found-by-${name}-grow`, async ({ newInputs }) => {
          const size = volumeSize(newInputs);
          if (size !== undefined) await growVolumes(cluster, set, size, replicasOf(newInputs) ?? 0, NOTHING_TO_REPEAT, patience);
        }),
      ],
    };
  };
}

/** A StatefulSet's volumes, as messages name them. */
export interface GrowingVolumes {
  /** Name of the StatefulSet. */
  name: string;
  /** Key of their size in the configuration. */
  key: string;
}

function smallerRefusal({ key }: GrowingVolumes, { before, after }: { before: string; after: string }): string {
  return formatProblem({
    key,
    value: after,
    rule: `a volume never gets smaller, and these were given ${before}`,
    remedy: `${before} or more; smaller volumes are a second stack and a migration`,
  });
}

/**
 * Whether every claim can be brought to a size.
 *
 * @throws a refusal that names the key, the reason and what would be accepted
 */
export async function volumesMayGrow(cluster: ClaimView, { name, key }: GrowingVolumes, size: string): Promise<void> {
  const refuse = (rule: string, remedy: string): never => {
    throw new Error(formatProblem({ key, value: size, rule, remedy }));
  };
  const smaller = (await cluster.claims(name)).filter((claim) => isTooSmall(claim, size));
  const names = (claims: readonly Claim[]) => claims.map((claim) => claim.name).join(", ");
  const unbound = smaller.filter(({ phase }) => phase !== "Bound");
  if (unbound.length > 0) {
    refuse(
      `${names(unbound)} ${unbound.length === 1 ? "has" : "have"} no volume yet, and only a bound claim can grow`,
      "the size it was, until the pods run",
    );
  }
  for (const className of new Set(smaller.map(({ storageClass }) => storageClass))) {
    const claims = smaller.filter(({ storageClass }) => storageClass === className);
    if (className === undefined) {
      return refuse(
        `${names(claims)} belong${claims.length === 1 ? "s" : ""} to no storage class, and only a class's volumes can grow`,
        "the size it was",
      );
    }
    const volumeClass = await cluster.volumeClass(className);
    if (volumeClass === undefined) return refuse(`storage class ${className} of ${names(claims)} does not exist`, "the size it was");
    if (!volumeClass.allowsExpansion) {
      refuse(
        `storage class ${className} does not let volumes grow (${names(claims)})`,
        `the size it was, or "allowVolumeExpansion: true" on the class if its driver ${volumeClass.provisioner} can`,
      );
    }
    const full = claims.filter(({ capacity }) => !holds(capacity, size));
    if (volumeClass.provisioner === BY_HAND && full.length > 0) {
      const least = full.reduce(
        (all, { capacity = "0" }) => (quantityBytes(capacity) < quantityBytes(all) ? capacity : all),
        full[0]?.capacity ?? "0",
      );
      refuse(
        `volumes of storage class ${className} are made by hand (${BY_HAND}) and nothing resizes them: ${names(full)}`,
        `at most ${least}`,
      );
    }
  }
}

/**
 * Brings every claim of a StatefulSet to a size and waits until the volumes have it. A claim that is larger already, by hand, stays so.
 *
 * @param replicas pods that run: of a claim without one only the file system is left to grow, which it does when a pod mounts it
 * @param advice what to do when a volume does not grow in time
 */
export async function growVolumes(
  cluster: ClaimView & ClaimGrowth,
  set: GrowingVolumes,
  size: string,
  replicas: number,
  advice: string = REPEAT,
  patience: Patience = PATIENCE,
): Promise<void> {
  const before = (await cluster.claims(set.name)).filter((claim) => isTooSmall(claim, size));
  if (before.length === 0) return;
  await volumesMayGrow(cluster, set, size);
  // One that asked for more than its driver could give, and never got it, comes back to what is meant.
  for (const claim of before.filter(({ requested }) => quantityBytes(requested) !== quantityBytes(size))) {
    await cluster.requestSize(claim.name, size);
  }
  await until(
    `volumes of ${set.name} to have ${size}`,
    async () =>
      (await cluster.claims(set.name))
        .filter((claim) => !holds(claim.capacity, size) && !growsWhenMounted(set, claim, replicas))
        .map(({ name, capacity = "none", resize }) => `${name} (has ${capacity}${resize.length === 0 ? "" : `; ${resize.join("; ")}`})`),
    patience,
    advice,
  );
}

/** Whether a claim asks for less than a size, or has not got it. */
function isTooSmall({ requested, capacity }: Claim, size: string): boolean {
  return quantityBytes(requested) < quantityBytes(size) || !holds(capacity, size);
}

function holds(capacity: string | undefined, size: string): boolean {
  return capacity !== undefined && quantityBytes(capacity) >= quantityBytes(size);
}

/** Whether the volume itself has grown and only its file system has not, which no pod has mounted. */
function growsWhenMounted({ name: set }: GrowingVolumes, { name, resize }: Claim, replicas: number): boolean {
  const ordinal = Number(name.slice(`${DATA_VOLUME}-${set}-`.length));
  return ordinal >= replicas && resize.some((each) => /^(FileSystemResizePending|NodeResizePending)\b/.test(each));
}

/** The size before and after an update; undefined when it stays. */
function changeOf(oldInputs: Inputs, newInputs: Inputs): { before: string; after: string } | undefined {
  const before = volumeSize(oldInputs) ?? templateSize(oldInputs);
  const after = volumeSize(newInputs);
  if (before === undefined || after === undefined || quantityBytes(before) === quantityBytes(after)) return undefined;
  return { before, after };
}

/** The size that a StatefulSet's volumes are meant to have; undefined for one from before volumes grew. */
function volumeSize(inputs: Inputs): string | undefined {
  const annotations = (inputs?.metadata as { annotations?: Record<string, unknown> } | undefined)?.annotations;
  const size = annotations?.[VOLUME_SIZE_ANNOTATION];
  return typeof size === "string" ? size : undefined;
}

/** The size that a StatefulSet's new claims get. */
function templateSize(inputs: Inputs): string | undefined {
  const spec = inputs?.spec as { volumeClaimTemplates?: { spec?: { resources?: { requests?: { storage?: unknown } } } }[] } | undefined;
  const size = spec?.volumeClaimTemplates?.[0]?.spec?.resources?.requests?.storage;
  return typeof size === "string" ? size : undefined;
}
