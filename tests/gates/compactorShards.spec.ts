import assert from "node:assert/strict";
import type * as pulumi from "@pulumi/pulumi";
import type { AppliedStatefulSet } from "../../gates/cluster";
import { compactorGates } from "../../gates/compactorShards";
import { compactFlags } from "../../model/bucket/flags";
import { planBucket } from "../../model/bucket/plan";
import { BUCKET, settingsWith } from "../model/bucket/historySettings";
import { quickClock } from "./quickClock";

const QUICK = { timeoutSeconds: 0.05, pollSeconds: 0.001, quietSeconds: 0, clock: quickClock() };
const NAME = "thanos-compactor";
const storage = { pvc: { size: "10Gi" } };

/** The StatefulSet of so many compactors, as the engine knows it. */
function inputs(shards: number, changes: Parameters<typeof settingsWith>[0] = {}) {
  const settings = settingsWith({ objectStorage: { ...BUCKET, compactor: { storage, shards } }, ...changes });
  const history = planBucket(settings, "12h");
  assert.ok(history !== undefined);
  const container = { name: NAME, image: "thanos:v0.42.4", args: compactFlags(settings, history) };
  return { metadata: { name: NAME }, spec: { replicas: shards, template: { spec: { containers: [container] } } } };
}

/** A cluster whose pods are gone after so many polls. */
function fakeCluster(polls: number) {
  const applied: [number, string][] = [];
  let asked = 0;
  return {
    applied,
    asked: () => asked,
    remains: async () => (asked++ < polls ? [`${NAME}-0`] : []),
    applyStatefulSet: async ({ spec }: AppliedStatefulSet, manager: string) => void applied.push([spec.replicas, manager]),
  };
}

async function update(
  cluster: ReturnType<typeof fakeCluster>,
  oldInputs: object,
  newInputs: object,
  oldOutputs: object = { __fieldManager: "m" },
) {
  for (const hook of compactorGates(cluster, QUICK)(NAME)) {
    assert.notEqual(hook.opts?.onDryRun, true, "a preview ends nobody");
    await hook.callback({ oldInputs, newInputs, oldOutputs } as unknown as pulumi.ResourceHookArgs);
  }
}

describe("compactors of another division", () => {
  for (const [before, after] of [
    [1, 3],
    [3, 1],
    [3, 4],
  ] as const) {
    it(`begin when all ${before} of the old one are gone, which become ${after}`, async () => {
      const cluster = fakeCluster(3);
      await update(cluster, inputs(before), inputs(after));
      assert.deepEqual([cluster.applied, cluster.asked()], [[[0, "m"]], 4]);
    });
  }

  it("are those by another label too", async () => {
    const cluster = fakeCluster(0);
    await update(cluster, inputs(3), inputs(3, { tenancy: { label: "owner" } }));
    assert.deepEqual(cluster.applied, [[0, "m"]]);
  });

  it("leave those of the same one alone, whatever else changes", async () => {
    for (const shards of [1, 3]) {
      const cluster = fakeCluster(0);
      const other = inputs(shards);
      const [container] = other.spec.template.spec.containers;
      const changed = {
        ...other,
        spec: { ...other.spec, template: { spec: { containers: [{ ...container, image: "thanos:v0.42.5" }] } } },
      };
      await update(cluster, inputs(shards), changed);
      assert.deepEqual([cluster.applied, cluster.asked()], [[], 0]);
    }
  });

  it("don't begin while one is still there, and then the old ones go on", async () => {
    const cluster = fakeCluster(Number.POSITIVE_INFINITY);
    await assert.rejects(
      update(cluster, inputs(1), inputs(3)),
      /every pod of thanos-compactor to be gone; still missing: thanos-compactor-0/,
    );
    assert.deepEqual(cluster.applied, [
      [0, "m"],
      [1, "m"],
    ]);
  });

  it("need a provider that applies on the server, or nobody is ended", async () => {
    const cluster = fakeCluster(0);
    await assert.rejects(update(cluster, inputs(1), inputs(3), {}), /without server-side apply, which compactors/);
    assert.deepEqual(cluster.applied, []);
  });
});
