import assert from "node:assert/strict";
import type * as pulumi from "@pulumi/pulumi";
import type { AppliedDeployment } from "../../gates/cluster";
import { replicaGates, UNTIL_SCALED } from "../../gates/replicas";
import { quickClock } from "./quickClock";

const QUICK = { timeoutSeconds: 0.05, pollSeconds: 0.001, quietSeconds: 0, clock: quickClock() };
const NAME = "thanos-querier";
const BOUNDS = { min: 2, max: 5, cpu: 80 };

/** A Deployment as the engine knows it, with a number of pods or without. */
const inputs = (replicas?: number) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: NAME },
  spec: { ...(replicas === undefined ? {} : { replicas }), template: { spec: {} } },
});

/** A cluster that writes down what is done to it; its pods are available one poll after another. */
function fakeCluster(mostAvailable = Number.POSITIVE_INFINITY) {
  const done: unknown[] = [];
  let available = 0;
  return {
    done,
    availablePods: async () => Math.min(available++, mostAvailable),
    applyDeployment: async (deployment: AppliedDeployment, manager: string) => void done.push([manager, deployment]),
    removeAutoscaler: async (name: string) => void done.push(`no autoscaler ${name}`),
  };
}

type When = "afterCreate" | "beforeUpdate";

async function called(
  when: When,
  cluster: ReturnType<typeof fakeCluster>,
  autoscaling: typeof BOUNDS | undefined,
  args: object,
): Promise<unknown[]> {
  const hooks = (replicaGates(cluster, QUICK)(NAME, autoscaling)[when] ?? []) as pulumi.ResourceHook[];
  for (const hook of hooks) {
    assert.notEqual(hook.opts?.onDryRun, true, "a preview changes nothing");
    await hook.callback(args as unknown as pulumi.ResourceHookArgs);
  }
  return cluster.done;
}

const least = (replicas: number) => [UNTIL_SCALED, { metadata: { name: NAME }, spec: { replicas } }];

describe("a number of pods that follows the load", () => {
  it("is the least one from the first update on, which waits for it", async () => {
    const cluster = fakeCluster();
    assert.deepEqual(await called("afterCreate", cluster, BOUNDS, { newInputs: inputs() }), [least(2)]);
    assert.equal(await cluster.availablePods(), 3, "asked until two were available");
    await assert.rejects(
      called("afterCreate", fakeCluster(1), BOUNDS, { newInputs: inputs() }),
      /gave up .* waiting for 2 pods of thanos-querier; still missing: 1 of them/,
    );
  });

  it("is left alone after a creation that makes it", async () => {
    assert.deepEqual(await called("afterCreate", fakeCluster(), { ...BOUNDS, min: 1 }, { newInputs: inputs() }), []);
    assert.deepEqual(await called("afterCreate", fakeCluster(), undefined, { newInputs: inputs(3) }), []);
  });

  for (const [before, then] of [
    [3, 3],
    [1, 2],
    [9, 5],
  ] as const) {
    it(`becomes somebody else's before it is left out: ${before} stays ${then}`, async () => {
      const args = { oldInputs: inputs(before), newInputs: inputs() };
      assert.deepEqual(await called("beforeUpdate", fakeCluster(), BOUNDS, args), [least(then)]);
    });
  }

  it("is the provider's again before it is set, and nothing scales it meanwhile", async () => {
    const args = { oldInputs: inputs(), newInputs: inputs(4), oldOutputs: { __fieldManager: "pulumi-kubernetes-1" } };
    assert.deepEqual(await called("beforeUpdate", fakeCluster(), undefined, args), [
      `no autoscaler ${NAME}`,
      ["pulumi-kubernetes-1", inputs(4)],
    ]);
  });

  it("is not taken back where nobody can say whose it would be, and then nothing is removed", async () => {
    const cluster = fakeCluster();
    const args = { oldInputs: inputs(), newInputs: inputs(4), oldOutputs: {} };
    await assert.rejects(called("beforeUpdate", cluster, undefined, args), /without server-side apply, which a number of pods .* needs/);
    assert.deepEqual(cluster.done, []);
  });

  it("is nobody's business in any other update", async () => {
    const same = { oldInputs: inputs(), newInputs: inputs() };
    assert.deepEqual(await called("beforeUpdate", fakeCluster(), BOUNDS, same), []);
    const fixed = { oldInputs: inputs(2), newInputs: inputs(3) };
    assert.deepEqual(await called("beforeUpdate", fakeCluster(), undefined, fixed), []);
  });
});
