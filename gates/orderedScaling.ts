import * as pulumi from "@pulumi/pulumi";
import { percent } from "../model/availability/words";
import { RECEIVE_APP, ROUTER_APP } from "../model/kubernetes/identities";
import { claimOf } from "../model/kubernetes/storage";
import { heldBack } from "../model/retention/handover";
import { addressesOf, joining, podOf, seriesLost } from "../model/ring/change";
import { HASHRINGS_FILE } from "../model/ring/flags";
import { HASHRINGS_CONFIG_MAP, planRing, type ReceiverSet, type RingPlan } from "../model/ring/plan";
import type { Settings } from "../model/settings/schema";
import { FIXED_BLOCK_DURATION, imageVersion, THANOS_VERSION } from "../model/values/versions";
import { type AppliedStatefulSet, type ClaimGrowth, type ClaimView, type ClusterView, type StatefulSetApplying, troubled } from "./cluster";
import { fieldManagerOf, type Inputs, replicasOf, resolved } from "./inputs";
import { clockOf, PATIENCE, type Patience, until, waitingTime } from "./patience";
import { receiversAreUploaded } from "./upload";
import { volumeGates } from "./volumeGrowth";

/**
 * The order of a change of the ring, held by the engine's resource hooks. Neither the hashring file nor the receivers depend
 * on the other in the graph, since growing wants pods first and shrinking wants the ring first; each waits, before its own
 * update, for what must be true by then.
 */
export interface ScalingGates {
  /** For the ConfigMap with the hashrings. */
  hashrings: pulumi.ResourceHookBinding;
  /** For each StatefulSet of receivers. */
  receivers: (set: ReceiverSet) => pulumi.ResourceHookBinding;
}

/** Remedy when a gate of the ring gives up. */
const FIX_AND_REPEAT =
  "Nothing was removed; fix it and run the same update again (an update needs --parallel of at least 2: the ring and its receivers wait for each other)";

/** End of the refusal without server-side apply: who needs it, and how it goes on otherwise. */
const WITHOUT_APPLY = 'leaving receivers need: switch it on, or put "history-loss" into accepts';

/** Hooks that make growing and shrinking of rings lossless, and let the receivers' volumes grow. */
export function scalingGates(
  settings: Settings,
  receive: RingPlan,
  cluster: ClusterView & StatefulSetApplying & ClaimView & ClaimGrowth,
  patience: Patience = PATIENCE,
): ScalingGates {
  const grow = new pulumi.ResourceHook("ring-waits-for-new-receivers", async ({ oldInputs, newInputs }) => {
    const before = hashringsText(oldInputs);
    const after = hashringsText(newInputs);
    if (before !== undefined && after !== undefined) await receiversMayJoin(cluster, before, after, patience);
  });
  return {
    hashrings: { beforeUpdate: [smallerRingIsAccepted(settings, receive, cluster), grow] },
    receivers: (set) => {
      const key = set.settings.keyOf("storage").replace(/\.storage$/, "");
      const { beforeUpdate = [], afterUpdate = [], ...others } = volumeGates(cluster, key, set.settings.storage, patience)(set);
      return {
        ...others,
        beforeUpdate: [
          refusal(settings, receive, set),
          ...beforeUpdate,
          new pulumi.ResourceHook(`${set.name}-waits-for-the-smaller-ring`, async ({ oldInputs, newInputs, oldOutputs }) => {
            const pods = leavingPods(set, oldInputs, newInputs);
            await receiversMayLeave(receive, set, cluster, pods, patience);
            if (pods.length === 0 || !waitsForUpload(settings)) return;
            const holders = await withVolumes(cluster, set, pods);
            const applied = await resolved<AppliedStatefulSet>(oldInputs);
            await receiversAreUploaded(
              cluster,
              { pods: holders, staying: set.replicas, applied, fieldManager: fieldManagerOf(oldOutputs, WITHOUT_APPLY) },
              patience,
            );
          }),
        ],
        afterUpdate: [...afterUpdate, new pulumi.ResourceHook(`${set.name}-settles`, () => receiversSettle(set, cluster, patience))],
      };
    },
  };
}

/** Whether what leaving receivers hold must be in the bucket before they go. */
export function waitsForUpload(settings: Settings): boolean {
  return settings.objectStorage !== undefined && !settings.accepts.includes("history-loss");
}

/** Before a ring is published: every receiver that is new in it is Ready. */
export async function receiversMayJoin(cluster: ClusterView, before: string, after: string, patience: Patience = PATIENCE): Promise<void> {
  const pods = joining(before, after).map(podOf);
  await until(
    `receivers ${pods.join(", ")} to be Ready before they enter the ring`,
    () => troubled(cluster, pods),
    patience,
    FIX_AND_REPEAT,
  );
}

/** At preview and before the update: a smaller ring without object storage loses old samples, which the environment must accept. */
function refusal(settings: Settings, receive: RingPlan, set: ReceiverSet): pulumi.ResourceHook {
  return new pulumi.ResourceHook(
    `shrinking-${set.name}-is-accepted`,
    ({ oldInputs, newInputs }) =>
      refuseLoss(settings, receive, {
        set,
        before: replicasOf(oldInputs) ?? 0,
        leaving: leavingPods(set, oldInputs, newInputs),
        image: receiverImage(oldInputs),
      }),
    { onDryRun: true },
  );
}

/**
 * Before a smaller ring is published: whatever the receivers' own hooks would refuse. The ring changes first, so that an update without a
 * preview would otherwise leave receivers outside the ring that nobody may remove.
 */
function smallerRingIsAccepted(settings: Settings, receive: RingPlan, cluster: ClusterView): pulumi.ResourceHook {
  return new pulumi.ResourceHook("smaller-ring-is-accepted", async ({ oldInputs, newInputs, oldOutputs }) => {
    const before = hashringsText(oldInputs);
    const after = hashringsText(newInputs);
    if (before === undefined || after === undefined) return;
    const staying = new Set(addressesOf(after).map(podOf));
    const gone = addressesOf(before)
      .map(podOf)
      .filter((pod) => !staying.has(pod));
    for (const set of receive.sets) {
      const leaving = gone.filter((pod) => pod.replace(/-\d+$/, "") === set.name);
      if (leaving.length === 0) continue;
      refuseLoss(settings, receive, { set, before: set.replicas + leaving.length, leaving, image: await cluster.image(set.name) });
      if (waitsForUpload(settings)) fieldManagerOf(oldOutputs, WITHOUT_APPLY);
    }
  });
}

/** Receivers of a set that would leave the ring. */
interface Leaving {
  set: ReceiverSet;
  /** Receivers of the set that there are. */
  before: number;
  /** Their pods; empty where none leaves. */
  leaving: readonly string[];
  /** Image that they run. */
  image: string;
}

/** @throws where what they hold would no longer be served, and the environment does not accept that */
function refuseLoss(settings: Settings, receive: RingPlan, { set, before, leaving, image }: Leaving): void {
  if (leaving.length === 0 || settings.accepts.includes("history-loss")) return;
  if (settings.objectStorage === undefined) throw new Error(shrinkRefusal(settings, receive, set, before, leaving));
  if (FIXED_BLOCK_DURATION.test(imageVersion(image))) throw new Error(versionRefusal(image, leaving));
  const later = heldBack(settings);
  if (later !== undefined) throw new Error(holdingBackRefusal(later, leaving));
}

/** Refusal when receivers would leave whose Thanos can't be made to cut all that they hold. */
function versionRefusal(image: string, leaving: readonly string[]): string {
  return (
    `images.thanos = ${image}, which runs now: ${leaving.join(", ")} would leave the ring, and receivers of that release keep in their head blocks what came out of order, so that ` +
    `not all of it would be in the bucket. Accepted: ${THANOS_VERSION} in one update and the smaller ring in the next, or "history-loss" in accepts.`
  );
}

/** Refusal when receivers would leave and store gateways keep back what they hold. */
function holdingBackRefusal(handover: string, leaving: readonly string[]): string {
  return (
    `objectStorage.handover = ${handover}: ${leaving.join(", ")} would leave the ring, and store gateways serve what they hold from that age on only, so that nothing would until then. ` +
    'Accepted: no objectStorage.handover, until what they hold is older; or "history-loss" in accepts.'
  );
}

/** Refusal when a ring would shrink and old samples would go with it. */
export function shrinkRefusal(settings: Settings, receive: RingPlan, set: ReceiverSet, before: number, leaving: readonly string[]): string {
  const sets = receive.sets.filter((each) => each.ring === set.ring);
  const key = set.ring === "default" ? "receive.replicas" : `receive.hashrings (${set.ring}).replicas`;
  const size = before * sets.length;
  const larger = planRing(
    {
      ...receive.settings,
      ...(set.ring === "default"
        ? { replicas: size }
        : { hashrings: receive.settings.hashrings.map((ring) => (ring.name === set.ring ? { ...ring, replicas: size } : ring)) }),
    },
    settings,
  );
  const ring = larger.rings.find((each) => each.name === set.ring);
  if (ring === undefined) throw new Error(`there is no hashring ${set.ring}`);
  const all = sets.flatMap((each) => leaving.map((pod) => pod.replace(new RegExp(`^${set.name}-`), `${each.name}-`)));
  const whose = ring.shuffleSharding === undefined ? "the series" : "some tenant's series";
  const loss = seriesLost(ring, receive.settings.replicationFactor, all);
  return (
    `${key} = ${set.replicas * sets.length}: ${all.join(", ")} would leave the ring of ${size}, and without a bucket nothing serves what they hold: ` +
    `${percent(loss.wholly)} of ${whose} have every replica there, ${percent(loss.possibly)} have a quorum there, so that samples which only those acknowledged ` +
    `would be missing for up to ${set.retention.time}. Their volumes stay. Accepted: ${size}, or "history-loss" in accepts.`
  );
}

/**
 * After an update: every receiver of the set has been Ready for `minReadySeconds`, so that peers and queriers have found them again before
 * the next zone, the routers or the queriers are touched. The engine itself goes on when they are Ready.
 */
export async function receiversSettle(set: ReceiverSet, cluster: ClusterView, patience: Patience = PATIENCE): Promise<void> {
  await until(
    `all ${set.replicas} receivers of ${set.name} to have been Ready for a while`,
    async () => {
      const available = await cluster.availableReplicas(set.name);
      if (available >= set.replicas) return [];
      const found = await troubled(cluster, podsOf(set, 0, set.replicas));
      return found.length > 0 ? found : [`${set.replicas - available} of them, Ready since a moment ago`];
    },
    patience,
    FIX_AND_REPEAT,
  );
}

/** Before receivers go: the ring without them is what everybody routes by, and nothing is written to them any more. */
export async function receiversMayLeave(
  receive: RingPlan,
  set: ReceiverSet,
  cluster: ClusterView,
  leaving: readonly string[],
  patience: Patience = PATIENCE,
): Promise<void> {
  if (leaving.length === 0) return;
  await until(
    `the ring to be published without ${leaving.join(", ")}`,
    async () => {
      const text = await cluster.configMapText(HASHRINGS_CONFIG_MAP, HASHRINGS_FILE);
      return text === ""
        ? ["the ConfigMap"]
        : addressesOf(text)
            .map(podOf)
            .filter((pod) => leaving.includes(pod));
    },
    patience,
    FIX_AND_REPEAT,
  );
  const ring = receive.rings.find(({ name }) => name === set.ring);
  const app = receive.settings.mode === "split" ? ROUTER_APP : RECEIVE_APP;
  await until(
    "every router to have loaded the smaller ring",
    async () => {
      const routers = await cluster.pods({ "app.kubernetes.io/name": app });
      const sizes = await Promise.all(
        routers.map((pod) => cluster.metric(pod, "thanos_receive_hashring_nodes", { name: ring?.loadedAs ?? set.ring })),
      );
      return routers.length === 0 ? ["any router"] : routers.filter((_, index) => sizes[index] !== ring?.members.length);
    },
    patience,
    FIX_AND_REPEAT,
  );
  const { now } = clockOf(patience);
  const seen = new Map<string, { total: number; since: number }>();
  await until(
    `${leaving.join(", ")} to receive nothing for ${waitingTime(patience.quietSeconds)}`,
    async () => {
      const busy: string[] = [];
      for (const pod of leaving) {
        // A pod that is not there receives nothing either.
        if ((await cluster.podTrouble(pod)) !== undefined) continue;
        const total = await cluster.metric(pod, "prometheus_tsdb_head_samples_appended_total");
        const last = seen.get(pod);
        const since = last === undefined || last.total !== total ? now() : last.since;
        seen.set(pod, { total, since });
        if ((now() - since) / 1_000 < patience.quietSeconds) busy.push(pod);
      }
      return busy;
    },
    patience,
    FIX_AND_REPEAT,
  );
}

/** Those of a set's pods that have ever had their volume: the others have never run, and hold nothing. */
async function withVolumes(cluster: ClaimView, set: ReceiverSet, pods: readonly string[]): Promise<string[]> {
  const bound = (await cluster.claims(set.name)).filter(({ phase }) => phase === "Bound").map(({ name }) => name);
  return pods.filter((pod) => bound.includes(claimOf(pod)));
}

/** Pods of the set that the update removes: the highest numbers. */
function leavingPods(set: ReceiverSet, oldInputs: Inputs, newInputs: Inputs): string[] {
  const before = replicasOf(oldInputs);
  const after = replicasOf(newInputs);
  if (before === undefined || after === undefined || after >= before) return [];
  return podsOf(set, after, before);
}

/** Pods of the set from a number to below another. */
function podsOf(set: ReceiverSet, from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `${set.name}-${from + index}`);
}

/** Image of the receivers that run. */
function receiverImage(inputs: Inputs): string {
  return (inputs as Partial<AppliedStatefulSet> | undefined)?.spec?.template?.spec.containers[0]?.image ?? "";
}

function hashringsText(inputs: Inputs): string | undefined {
  const text = (inputs?.data as Record<string, unknown> | undefined)?.[HASHRINGS_FILE];
  return typeof text === "string" ? text : undefined;
}
