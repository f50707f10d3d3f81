import assert from "node:assert/strict";
import type { ClusterView } from "../../gates/cluster";
import { type Patience, receiversMayJoin, receiversMayLeave, receiversSettle, shrinkRefusal } from "../../gates/orderedScaling";
import { HASHRINGS_CONFIG_MAP, planStack, type StackPlan } from "../../model/plan";
import { historyLoss } from "../../model/ringChange";
import { planOf } from "../harness";

const QUICK: Patience = { timeoutSeconds: 0.3, pollSeconds: 0.01, quietSeconds: 0.05 };

/** A cluster whose state a test sets. What it doesn't set is as it should be after the change. */
function fakeCluster(plan: StackPlan, state: Partial<ClusterView> = {}): ClusterView {
  return {
    podReady: async () => true,
    availableReplicas: async () => 3,
    pods: async () => ["thanos-receive-0", "thanos-receive-1"],
    configMapText: async (name) => (name === HASHRINGS_CONFIG_MAP ? plan.hashringsFile : ""),
    metric: async (_, name) => (name === "thanos_receive_hashring_nodes" ? (plan.rings.at(-1)?.members.length ?? 0) : 7),
    ...state,
  };
}

/** Plans of the same environment with rings of two sizes. */
async function plans(before: number, after: number): Promise<{ larger: StackPlan; smaller: StackPlan }> {
  const { settings } = await planOf("dev", {});
  const sized = (replicas: number) => planStack({ ...settings, receive: { ...settings.receive, replicas } });
  return { larger: sized(before), smaller: sized(after) };
}

const setOf = (plan: StackPlan) => {
  const [set] = plan.receiverSets;
  assert.ok(set);
  return set;
};

describe("gates: growing", () => {
  it("lets a ring be published when every new receiver is Ready, and asks for no other", async () => {
    const { larger, smaller } = await plans(5, 3);
    const asked: string[] = [];
    let looks = 0;
    const podReady = async (pod: string) => {
      asked.push(pod);
      return ++looks > 4;
    };
    await receiversMayJoin(fakeCluster(larger, { podReady }), smaller.hashringsFile, larger.hashringsFile, QUICK);
    assert.deepEqual([...new Set(asked)].sort(), ["thanos-receive-3", "thanos-receive-4"]);
    assert.ok(looks > 4);
  });

  it("gives up naming what is missing, when a new receiver never becomes Ready", async () => {
    const { larger, smaller } = await plans(5, 3);
    const cluster = fakeCluster(larger, { podReady: async (pod) => pod !== "thanos-receive-4" });
    await assert.rejects(
      receiversMayJoin(cluster, smaller.hashringsFile, larger.hashringsFile, QUICK),
      /still missing: thanos-receive-4\. Nothing was removed/,
    );
  });

  it("waits for nobody when the ring only shrinks", async () => {
    const { larger, smaller } = await plans(5, 3);
    const cluster = fakeCluster(smaller, { podReady: async () => false });
    await receiversMayJoin(cluster, larger.hashringsFile, smaller.hashringsFile, QUICK);
  });
});

describe("gates: shrinking", () => {
  const LEAVING = ["thanos-receive-3", "thanos-receive-4"];

  it("lets receivers go when the ring is published and loaded without them and they are quiet", async () => {
    const { smaller } = await plans(5, 3);
    await receiversMayLeave(smaller, setOf(smaller), fakeCluster(smaller), LEAVING, QUICK);
  });

  it("keeps them while the published ring names them", async () => {
    const { larger, smaller } = await plans(5, 3);
    const cluster = fakeCluster(smaller, { configMapText: async () => larger.hashringsFile });
    await assert.rejects(
      receiversMayLeave(smaller, setOf(smaller), cluster, LEAVING, QUICK),
      /published without .*missing: thanos-receive-3, thanos-receive-4/,
    );
  });

  it("keeps them while one router still has the larger ring, or can't be asked", async () => {
    const { smaller } = await plans(5, 3);
    const behind = fakeCluster(smaller, { metric: async (pod) => (pod === "thanos-receive-1" ? 5 : 3) });
    await assert.rejects(
      receiversMayLeave(smaller, setOf(smaller), behind, LEAVING, QUICK),
      /loaded the smaller ring; still missing: thanos-receive-1\./,
    );
    const silent = fakeCluster(smaller, { metric: () => Promise.reject(new Error("connection refused")) });
    await assert.rejects(receiversMayLeave(smaller, setOf(smaller), silent, LEAVING, QUICK), /connection refused/);
    const none = fakeCluster(smaller, { pods: async () => [] });
    await assert.rejects(receiversMayLeave(smaller, setOf(smaller), none, LEAVING, QUICK), /any router/);
  });

  it("keeps them while samples arrive", async () => {
    const { smaller } = await plans(5, 3);
    let samples = 0;
    const cluster = fakeCluster(smaller, {
      metric: async (pod, name) => (name === "thanos_receive_hashring_nodes" ? 3 : pod === "thanos-receive-3" ? ++samples : 7),
    });
    await assert.rejects(
      receiversMayLeave(smaller, setOf(smaller), cluster, LEAVING, QUICK),
      /receive nothing for 0\.05 s; still missing: thanos-receive-3\./,
    );
  });

  it("says what history leaves with them, exactly", async () => {
    const { larger, smaller } = await plans(5, 3);
    const [ring] = larger.rings;
    assert.ok(ring);
    const loss = historyLoss(ring, 3, LEAVING);
    assert.equal(loss.wholly, 0, "two of five can't hold all of three copies");
    assert.ok(
      loss.possibly > 0.2 && loss.possibly < 0.4,
      `${loss.possibly}: about three of ten series have two of their copies on any two of five`,
    );
    assert.deepEqual(historyLoss(ring, 3, ["thanos-receive-4"]), { wholly: 0, possibly: 0 });
    assert.equal(historyLoss(ring, 2, LEAVING).wholly > 0.05, true, "with two copies some series are only there");
    const message = shrinkRefusal(smaller, setOf(smaller), 5, LEAVING);
    assert.match(message, /receive\.replicas = 3: thanos-receive-3, thanos-receive-4 would leave the ring of 5/);
    assert.match(
      message,
      new RegExp(`0\\.0 % of the series have every copy there, ${(loss.possibly * 100).toFixed(1)} % have a quorum there`),
    );
    assert.match(message, /Accepted: 5, or "history-loss" in accepts/);
  });
});

describe("gates: after an update of receivers", () => {
  it("goes on when all of them have been Ready for a while, and not before", async () => {
    const { smaller } = await plans(3, 3);
    let looks = 0;
    await receiversSettle(setOf(smaller), fakeCluster(smaller, { availableReplicas: async () => (++looks > 3 ? 3 : 2) }), QUICK);
    assert.equal(looks, 4);
    const never = fakeCluster(smaller, { availableReplicas: async () => 2 });
    await assert.rejects(receiversSettle(setOf(smaller), never, QUICK), /still missing: 1 of them/);
  });
});
