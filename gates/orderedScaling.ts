import { setTimeout as delay } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { RECEIVE_APP } from "../model/hashring";
import { HASHRINGS_CONFIG_MAP, planStack, type ReceiverSet, ROUTER_APP, type StackPlan } from "../model/plan";
import { addressesOf, historyLoss, joining, podOf } from "../model/ringChange";
import { HASHRINGS_FILE } from "../model/thanosFlags";
import type { ClusterView } from "./cluster";

/**
 * The order of a change of the ring, held by the engine's resource hooks. Neither the hashring file nor the receivers depend on the other in the graph, since
 * growing wants pods first and shrinking wants the ring first; each waits, before its own update, for what must be true by then.
 */
export interface ScalingGates {
  /** For the ConfigMap with the hashrings. */
  hashrings: pulumi.ResourceHookBinding;
  /** For each StatefulSet of receivers. */
  receivers: (set: ReceiverSet) => pulumi.ResourceHookBinding;
}

/** How a gate waits. */
export interface Patience {
  /** Seconds after which it gives up. */
  timeoutSeconds: number;
  /** Seconds between two looks. */
  pollSeconds: number;
  /** Seconds without a sample after which a receiver counts as no longer written to. */
  quietSeconds: number;
}

/** A receiver's start may have to replay its log (10 minutes were reported), a ring file reaches pods within two; a sender retries within ten seconds. */
const PATIENCE: Patience = { timeoutSeconds: 1_800, pollSeconds: 1, quietSeconds: 15 };

/** Hooks that make growing and shrinking of rings lossless. */
export function scalingGates(plan: StackPlan, cluster: ClusterView): ScalingGates {
  const grow = new pulumi.ResourceHook("ring-waits-for-new-receivers", async ({ oldInputs, newInputs }) => {
    const before = hashringsText(oldInputs);
    const after = hashringsText(newInputs);
    if (before !== undefined && after !== undefined) await receiversMayJoin(cluster, before, after);
  });
  return {
    hashrings: { beforeUpdate: [grow] },
    receivers: (set) => ({
      beforeUpdate: [
        refusal(plan, set),
        new pulumi.ResourceHook(`${set.name}-waits-for-the-smaller-ring`, async ({ oldInputs, newInputs }) => {
          await receiversMayLeave(plan, set, cluster, leavingPods(set, oldInputs, newInputs));
        }),
      ],
      afterUpdate: [new pulumi.ResourceHook(`${set.name}-settles`, () => receiversSettle(set, cluster))],
    }),
  };
}

/** Before a ring is published: every receiver that is new in it is Ready. */
export async function receiversMayJoin(cluster: ClusterView, before: string, after: string, patience: Patience = PATIENCE): Promise<void> {
  const pods = joining(before, after).map(podOf);
  await until(
    `receivers ${pods.join(", ")} to be Ready before they enter the ring`,
    async () => {
      const ready = await Promise.all(pods.map((pod) => cluster.podReady(pod)));
      return pods.filter((_, index) => !ready[index]);
    },
    patience,
  );
}

/** At preview and before the update: a smaller ring without a bucket loses history, which the environment must accept. */
function refusal(plan: StackPlan, set: ReceiverSet): pulumi.ResourceHook {
  return new pulumi.ResourceHook(
    `shrinking-${set.name}-is-accepted`,
    ({ oldInputs, newInputs }) => {
      const leaving = leavingPods(set, oldInputs, newInputs);
      if (leaving.length === 0 || plan.settings.accepts.includes("history-loss")) return;
      throw new Error(shrinkRefusal(plan, set, replicasOf(oldInputs) ?? 0, leaving));
    },
    { onDryRun: true },
  );
}

/** What is said when a ring would shrink and history would go with it. */
export function shrinkRefusal(plan: StackPlan, set: ReceiverSet, before: number, leaving: readonly string[]): string {
  const { settings } = plan;
  const sets = plan.receiverSets.filter((each) => each.ring === set.ring);
  const key = set.ring === "default" ? "receive.replicas" : `receive.hashrings (${set.ring}).replicas`;
  const size = before * sets.length;
  const larger = planStack({
    ...settings,
    receive: {
      ...settings.receive,
      ...(set.ring === "default"
        ? { replicas: size }
        : { hashrings: settings.receive.hashrings.map((ring) => (ring.name === set.ring ? { ...ring, replicas: size } : ring)) }),
    },
  });
  const ring = larger.rings.find((each) => each.name === set.ring);
  if (ring === undefined) throw new Error(`there is no hashring ${set.ring}`);
  const all = sets.flatMap((each) => leaving.map((pod) => pod.replace(new RegExp(`^${set.name}-`), `${each.name}-`)));
  const loss = historyLoss(ring, settings.receive.replicationFactor, all);
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  return (
    `${key} = ${set.replicas * sets.length}: ${all.join(", ")} would leave the ring of ${size}, and without a bucket nothing answers for what they hold: ` +
    `${percent(loss.wholly)} of the series have every copy there, ${percent(loss.possibly)} have a quorum there, so that samples which only those acknowledged ` +
    `would be missing for up to ${settings.receive.retention.time}. Their volumes stay. Accepted: ${size}, or "history-loss" in accepts.`
  );
}

/**
 * After an update: every receiver of the set has been Ready for `minReadySeconds`, so that peers and queriers have found them again before the next zone, the routers or the
 * queriers are touched. The engine itself goes on when they are Ready.
 */
export async function receiversSettle(set: ReceiverSet, cluster: ClusterView, patience: Patience = PATIENCE): Promise<void> {
  await until(
    `all ${set.replicas} receivers of ${set.name} to have been Ready for a while`,
    async () => {
      const available = await cluster.availableReplicas(set.name);
      return available >= set.replicas ? [] : [`${set.replicas - available} of them`];
    },
    patience,
  );
}

/** Before receivers go: the ring without them is what everybody routes by, and nothing is written to them any more. */
export async function receiversMayLeave(
  plan: StackPlan,
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
  );
  const expected = plan.rings.find((ring) => ring.name === set.ring)?.members.length;
  const app = plan.settings.receive.mode === "split" ? ROUTER_APP : RECEIVE_APP;
  await until(
    "every router to have loaded the smaller ring",
    async () => {
      const routers = await cluster.pods({ "app.kubernetes.io/name": app });
      const sizes = await Promise.all(routers.map((pod) => cluster.metric(pod, "thanos_receive_hashring_nodes", { name: set.ring })));
      return routers.length === 0 ? ["any router"] : routers.filter((_, index) => sizes[index] !== expected);
    },
    patience,
  );
  const seen = new Map<string, { total: number; since: number }>();
  await until(
    `${leaving.join(", ")} to receive nothing for ${patience.quietSeconds} s`,
    async () => {
      const busy: string[] = [];
      for (const pod of leaving) {
        // A pod that is not there receives nothing either.
        if (!(await cluster.podReady(pod))) continue;
        const total = await cluster.metric(pod, "prometheus_tsdb_head_samples_appended_total");
        const last = seen.get(pod);
        const since = last === undefined || last.total !== total ? Date.now() : last.since;
        seen.set(pod, { total, since });
        if ((Date.now() - since) / 1_000 < patience.quietSeconds) busy.push(pod);
      }
      return busy;
    },
    patience,
  );
}

/** Pods of the set that the update removes: the highest numbers. */
function leavingPods(set: ReceiverSet, oldInputs: Inputs, newInputs: Inputs): string[] {
  const before = replicasOf(oldInputs);
  const after = replicasOf(newInputs);
  if (before === undefined || after === undefined || after >= before) return [];
  return Array.from({ length: before - after }, (_, index) => `${set.name}-${after + index}`);
}

type Inputs = Record<string, unknown> | undefined;

function replicasOf(inputs: Inputs): number | undefined {
  const replicas = (inputs?.spec as { replicas?: unknown } | undefined)?.replicas;
  return typeof replicas === "number" ? replicas : undefined;
}

function hashringsText(inputs: Inputs): string | undefined {
  const text = (inputs?.data as Record<string, unknown> | undefined)?.[HASHRINGS_FILE];
  return typeof text === "string" ? text : undefined;
}

/**
 * Waits until nothing is missing.
 *
 * @param missing What is still missing. A failure to ask counts as missing, with its reason, since pods come and go meanwhile.
 * @throws naming what is still missing when the time is over.
 */
async function until(what: string, missing: () => Promise<string[]>, patience: Patience): Promise<void> {
  const end = Date.now() + patience.timeoutSeconds * 1_000;
  let last: string[] = [];
  let said = "";
  for (;;) {
    last = await missing().catch((error: unknown) => [String(error)]);
    if (last.length === 0) return;
    const line = `waiting for ${what}; still missing: ${last.join(", ")}`;
    if (line !== said) await pulumi.log.info(line, undefined, undefined, true);
    said = line;
    if (Date.now() > end) {
      throw new Error(
        `gave up after ${patience.timeoutSeconds} s of waiting for ${what}; still missing: ${last.join(", ")}. Nothing was removed; mend it and run the ` +
          "same update again (an update needs --parallel of at least 2: the ring and its receivers wait for each other)",
      );
    }
    await delay(patience.pollSeconds * 1_000);
  }
}
