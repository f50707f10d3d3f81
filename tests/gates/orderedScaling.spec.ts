import assert from "node:assert/strict";
import type * as pulumi from "@pulumi/pulumi";
import type { AppliedStatefulSet, ClusterView } from "../../gates/cluster";
import {
  receiversMayJoin,
  receiversMayLeave,
  receiversSettle,
  scalingGates,
  shrinkRefusal,
  waitsForUpload,
} from "../../gates/orderedScaling";
import type { Patience } from "../../gates/patience";
import { percent } from "../../model/availability/words";
import { volumeSizeMetadata } from "../../model/kubernetes/storage";
import { planStack } from "../../model/plan";
import { seriesLost } from "../../model/ring/change";
import { HASHRINGS_FILE } from "../../model/ring/flags";
import { HASHRINGS_CONFIG_MAP, type RingPlan } from "../../model/ring/plan";
import type { Settings } from "../../model/settings/schema";
import { IMAGES } from "../../model/values/versions";
import { ringPlan, ringSettings, settingsOf } from "../harness";
import { quickClock } from "./quickClock";

const QUICK: Patience = { timeoutSeconds: 0.3, pollSeconds: 0.01, quietSeconds: 0.05, clock: quickClock() };

/** A cluster whose state a test sets. What it doesn't set is as it should be after the change. */
function fakeCluster(plan: RingPlan, state: Partial<ClusterView> = {}): ClusterView {
  return {
    podTrouble: async () => undefined,
    availableReplicas: async () => 3,
    image: async () => IMAGES.thanos,
    pods: async () => ["thanos-receive-0", "thanos-receive-1"],
    configMapText: async (name) => (name === HASHRINGS_CONFIG_MAP ? plan.hashringsFile : ""),
    metrics: () => Promise.reject(new Error("only uploads are read so")),
    metric: async (_, name) => (name === "thanos_receive_hashring_nodes" ? (plan.rings.at(-1)?.members.length ?? 0) : 7),
    ...state,
  };
}

/** Plans of the same environment with rings of two sizes. */
async function plans(before: number, after: number): Promise<{ larger: RingPlan; smaller: RingPlan; settings: Settings }> {
  const settings = settingsOf("dev");
  const sized = (replicas: number) => ringPlan(planStack({ ...settings, receive: { ...ringSettings(settings), replicas } }));
  return { larger: sized(before), smaller: sized(after), settings };
}

const setOf = (plan: RingPlan) => {
  const [set] = plan.sets;
  assert.ok(set);
  return set;
};

describe("gates: growing", () => {
  it("lets a ring be published when every new receiver is Ready, and asks for no other", async () => {
    const { larger, smaller } = await plans(5, 3);
    const asked: string[] = [];
    let looks = 0;
    const podTrouble = async (pod: string) => {
      asked.push(pod);
      return ++looks > 4 ? undefined : "not Ready";
    };
    await receiversMayJoin(fakeCluster(larger, { podTrouble }), smaller.hashringsFile, larger.hashringsFile, QUICK);
    assert.deepEqual([...new Set(asked)].sort(), ["thanos-receive-3", "thanos-receive-4"]);
    assert.ok(looks > 4);
  });

  it("gives up naming what is missing, when a new receiver never becomes Ready", async () => {
    const { larger, smaller } = await plans(5, 3);
    const cluster = fakeCluster(larger, {
      podTrouble: async (pod) => (pod === "thanos-receive-4" ? "not scheduled: 0/3 nodes are available" : undefined),
    });
    await assert.rejects(
      receiversMayJoin(cluster, smaller.hashringsFile, larger.hashringsFile, QUICK),
      /still missing: thanos-receive-4 \(not scheduled: 0\/3 nodes are available\)\. Nothing was removed/,
    );
  });

  it("waits for nobody when the ring only shrinks", async () => {
    const { larger, smaller } = await plans(5, 3);
    const cluster = fakeCluster(smaller, { podTrouble: async () => "not Ready" });
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

  it("asks for the smaller ring by the name that it has in this file: of a ring that is shuffle sharded the file before had another", async () => {
    const settings = settingsOf("dev");
    const sized = (replicas: number) =>
      ringPlan(
        planStack({
          ...settings,
          receive: { ...ringSettings(settings), replicas, shuffleSharding: { shardSize: 3, zoneAwarenessDisabled: false, overrides: [] } },
        }),
      );
    const [larger, smaller] = [sized(5), sized(3)];
    const loaded = (plan: RingPlan) => (plan.rings[0] === undefined ? "" : plan.rings[0].loadedAs);
    assert.notEqual(loaded(larger), loaded(smaller));
    const of = (plan: RingPlan): Partial<ClusterView> => ({
      metric: async (_, name, labels = {}) =>
        name === "thanos_receive_hashring_nodes" ? (labels.name === loaded(plan) ? (plan.rings[0]?.members.length ?? 0) : 0) : 7,
    });
    await receiversMayLeave(smaller, setOf(smaller), fakeCluster(smaller, of(smaller)), LEAVING, QUICK);
    await assert.rejects(
      receiversMayLeave(smaller, setOf(smaller), fakeCluster(smaller, of(larger)), LEAVING, QUICK),
      /loaded the smaller ring; still missing/,
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
      /receive nothing for 0\.05 seconds; still missing: thanos-receive-3\./,
    );
  });

  it("asks whether the smaller ring is loaded when it is published, and whether they are quiet when it is loaded", async () => {
    const { larger, smaller } = await plans(5, 3);
    const asked: string[] = [];
    let looks = 0;
    const cluster = fakeCluster(smaller, {
      configMapText: async () => {
        asked.push("published");
        return ++looks > 2 ? smaller.hashringsFile : larger.hashringsFile;
      },
      metric: async (_, name) => {
        const isRing = name === "thanos_receive_hashring_nodes";
        asked.push(isRing ? "loaded" : "quiet");
        return isRing ? (++looks > 8 ? 3 : 5) : 7;
      },
    });
    await receiversMayLeave(smaller, setOf(smaller), cluster, LEAVING, { ...QUICK, timeoutSeconds: 10 });
    assert.deepEqual(
      asked.filter((what, index) => what !== asked[index - 1]),
      ["published", "loaded", "quiet"],
    );
  });

  it("says what history leaves with them, exactly", async () => {
    const { larger, smaller, settings } = await plans(5, 3);
    const [ring] = larger.rings;
    assert.ok(ring);
    const loss = seriesLost(ring, 3, LEAVING);
    assert.equal(loss.wholly, 0, "two of five can't hold all of three copies");
    assert.ok(
      loss.possibly > 0.2 && loss.possibly < 0.4,
      `${loss.possibly}: about three of ten series have two of their copies on any two of five`,
    );
    assert.deepEqual(seriesLost(ring, 3, ["thanos-receive-4"]), { wholly: 0, possibly: 0 });
    assert.equal(seriesLost(ring, 2, LEAVING).wholly > 0.05, true, "with two copies some series are only there");
    const message = shrinkRefusal(settings, smaller, setOf(smaller), 5, LEAVING);
    assert.match(message, /receive\.replicas = 3: thanos-receive-3, thanos-receive-4 would leave the ring of 5/);
    assert.match(message, new RegExp(`: 0 % of the series have every replica there, ${percent(loss.possibly)} have a quorum there`));
    assert.match(message, /Accepted: 5, or "history-loss" in accepts/);
  });

  it("waits for uploads where there is a bucket and nothing else is accepted", () => {
    const settings = settingsOf("prod");
    assert.ok(settings.objectStorage !== undefined, "prod has a bucket");
    assert.equal(waitsForUpload(settings), true);
    assert.equal(waitsForUpload({ ...settings, objectStorage: undefined }), false);
    assert.equal(waitsForUpload({ ...settings, accepts: ["history-loss"] }), false);
  });
});

describe("gates: after an update of receivers", () => {
  it("goes on when all of them have been Ready for a while, and not before", async () => {
    const { smaller } = await plans(3, 3);
    let looks = 0;
    await receiversSettle(setOf(smaller), fakeCluster(smaller, { availableReplicas: async () => (++looks > 3 ? 3 : 2) }), QUICK);
    assert.equal(looks, 4);
    const never = fakeCluster(smaller, { availableReplicas: async () => 2 });
    await assert.rejects(receiversSettle(setOf(smaller), never, QUICK), /still missing: 1 of them, Ready since a moment ago/);
    const full = fakeCluster(smaller, {
      availableReplicas: async () => 2,
      podTrouble: async (pod) => (pod === "thanos-receive-2" ? "not scheduled: 3 Insufficient cpu" : undefined),
    });
    await assert.rejects(
      receiversSettle(setOf(smaller), full, QUICK),
      /still missing: thanos-receive-2 \(not scheduled: 3 Insufficient cpu\)\./,
    );
  });
});

describe("gates: hooks of receivers", () => {
  it("let new volumes grow before it is waited for that all have been Ready, and volumes that are found when a set is made", () => {
    const settings = settingsOf("prod");
    const plan = ringPlan(planStack(settings));
    const never = () => Promise.reject(new Error("nothing runs"));
    const cluster = { ...fakeCluster(plan), applyStatefulSet: never, claims: never, volumeClass: never, requestSize: never };
    const set = setOf(plan);
    const hooks = scalingGates(settings, plan, cluster, QUICK).receivers(set);
    const names = (of: pulumi.ResourceHookBinding[keyof pulumi.ResourceHookBinding]) =>
      (of as pulumi.ResourceHook[]).map(({ name }) => name);
    assert.deepEqual(names(hooks.afterUpdate), [`volumes-of-new-pods-of-${set.name}-grow`, `${set.name}-settles`]);
    assert.deepEqual(names(hooks.afterCreate), [`volumes-found-by-${set.name}-grow`]);
  });
});

describe("gates: hooks of a ring that gets smaller", () => {
  interface Shrink {
    accepts?: Settings["accepts"];
    bucket?: boolean;
    preview?: boolean;
    image?: string;
    outputs?: object;
    handover?: string;
    /** The hooks of the file of hashrings, which is published first. */
    ring?: boolean;
    /** Phase of the leaving receiver's claim. */
    claim?: string;
  }
  /**
   * Everything that is applied when the engine runs the hooks before the update of a set to one receiver
   * less: name, field manager and partition.
   */
  async function shrink({
    accepts = [],
    bucket = true,
    preview = false,
    image = IMAGES.thanos,
    outputs,
    handover,
    ring = false,
    claim = "Bound",
  }: Shrink): Promise<unknown[]> {
    const prod = settingsOf("prod");
    const objectStorage =
      bucket && prod.objectStorage ? { ...prod.objectStorage, ...(handover === undefined ? {} : { handover }) } : undefined;
    const settings = { ...prod, accepts, objectStorage };
    const plan = ringPlan(planStack(settings));
    const set = setOf(plan);
    const applied: unknown[] = [];
    const never = () => Promise.reject(new Error("no volume grows here"));
    const sample = (name: string, value: number) => ({ name, value, labels: { tenant: "a" } });
    let syncs = 0;
    const cluster = {
      ...fakeCluster(plan),
      image: async () => image,
      metric: async (pod: string, name: string) => {
        if (name === "thanos_blocks_meta_sync_failures_total") return 0;
        if (name !== "thanos_blocks_meta_syncs_total") return fakeCluster(plan).metric(pod, name);
        if (!applied.includes("store gateways looked")) applied.push("store gateways looked");
        return ++syncs;
      },
      applyStatefulSet: async ({ metadata, spec }: AppliedStatefulSet, fieldManager: string) =>
        void applied.push([metadata.name === set.name, fieldManager, spec.replicas - set.replicas, spec.updateStrategy]),
      metrics: async () => [
        sample("prometheus_tsdb_head_chunks", applied.length === 0 ? 1 : 0),
        sample("thanos_shipper_dir_syncs_total", ++syncs),
      ],
      claims: async () => [{ name: `data-${set.name}-${set.replicas}`, phase: claim, requested: "50Gi", resize: [] }],
      volumeClass: never,
      requestSize: never,
    };
    const gates = scalingGates(settings, plan, cluster, QUICK);
    const hooks = (ring ? gates.hashrings : gates.receivers(set)).beforeUpdate as pulumi.ResourceHook[];
    const file = (larger: number) => {
      const rings = JSON.parse(plan.hashringsFile) as { endpoints: { address: string }[] }[];
      const more = Array.from({ length: larger }, (_, index) => ({ address: `${set.name}-${set.replicas + index}.x:10901` }));
      return { data: { [HASHRINGS_FILE]: JSON.stringify(rings.map((each) => ({ ...each, endpoints: [...each.endpoints, ...more] }))) } };
    };
    const inputs = (replicas: number) => ({
      ...file(replicas - set.replicas),
      metadata: { name: set.name },
      spec: { replicas, template: { spec: { containers: [{ name: "thanos-receive", image, args: ["receive"] }] } } },
    });
    for (const hook of hooks) {
      if (preview && hook.opts?.onDryRun !== true) continue;
      const args = {
        oldInputs: inputs(set.replicas + 1),
        newInputs: inputs(set.replicas),
        oldOutputs: outputs ?? { __fieldManager: "pulumi-kubernetes-1" },
      };
      await hook.callback(args as unknown as pulumi.ResourceHookArgs);
    }
    return applied;
  }

  it("let what leaves cut its heads and wait for its uploads, where there is a bucket", async () => {
    const partition = setOf(ringPlan(planStack(settingsOf("prod")))).replicas;
    const updateStrategy = { type: "RollingUpdate", rollingUpdate: { partition } };
    assert.deepEqual(await shrink({}), [[true, "pulumi-kubernetes-1", 1, updateStrategy], "store gateways looked"]);
    assert.deepEqual(await shrink({ preview: true }), [], "not at preview");
  });

  it("wait for no receiver whose volume was never bound, which has never run", async () => {
    assert.deepEqual(await shrink({ claim: "Pending" }), []);
  });

  it("let it go without, where that is accepted", async () => {
    assert.deepEqual(await shrink({ accepts: ["history-loss"] }), []);
    assert.deepEqual(await shrink({ accepts: ["history-loss"], bucket: false }), []);
    assert.deepEqual(await shrink({ accepts: ["history-loss"], image: "thanos:v0.41.0" }), []);
  });

  it("refuse before the smaller ring is published, at an update that had no preview too", async () => {
    const refused: [Shrink, RegExp][] = [
      [{ bucket: false }, /would leave the ring .*"history-loss" in accepts/],
      [{ image: "thanos:v0.41.0" }, /images\.thanos = thanos:v0\.41\.0, which runs now/],
      [{ handover: "10d" }, /objectStorage\.handover = 10d/],
      [{ outputs: {} }, /without server-side apply/],
    ];
    for (const [options, says] of refused) {
      await assert.rejects(shrink({ ...options, ring: true }), says);
      await shrink({ ...options, ring: true, accepts: ["history-loss"] });
    }
    await shrink({ ring: true });
  });

  it("refuse without a bucket, at preview too", async () => {
    for (const preview of [true, false])
      await assert.rejects(shrink({ bucket: false, preview }), /would leave the ring .*"history-loss" in accepts/);
  });

  it("refuse while receivers run that can't cut all of it, at preview too", async () => {
    for (const preview of [true, false]) {
      await assert.rejects(
        shrink({ preview, image: "quay.io/thanos/thanos:v0.41.0" }),
        /images\.thanos = quay\.io\/thanos\/thanos:v0\.41\.0, which runs now: .* Accepted: 0\.42\.\d+ in one update and the smaller ring in the next, or "history-loss"/,
      );
    }
  });

  it("refuse while store gateways would hold back what leaves, at preview too", async () => {
    for (const preview of [true, false]) {
      await assert.rejects(
        shrink({ preview, handover: "10d" }),
        /objectStorage\.handover = 10d: .* Accepted: no objectStorage\.handover, until .* or "history-loss" in accepts/,
      );
    }
  });

  it("refuse before a claim grows, which nothing takes back, at an update that had no preview too", async () => {
    const prod = settingsOf("prod");
    const settings: Settings = { ...prod, objectStorage: undefined };
    const plan = ringPlan(planStack(settings));
    const set = setOf(plan);
    const asked: string[] = [];
    const cluster = {
      ...fakeCluster(plan),
      applyStatefulSet: async () => assert.fail("nothing is applied"),
      claims: async () => [
        {
          name: `data-${set.name}-0`,
          phase: "Bound",
          storageClass: "fast",
          requested: "50Gi",
          capacity: asked.length > 0 ? "100Gi" : "50Gi",
          resize: [],
        },
      ],
      volumeClass: async () => ({ provisioner: "ebs.csi.aws.com", allowsExpansion: true }),
      requestSize: async (claim: string) => void asked.push(claim),
    };
    const hooks = scalingGates(settings, plan, cluster, QUICK).receivers(set).beforeUpdate as pulumi.ResourceHook[];
    const inputs = (size: string, replicas: number) => ({
      metadata: { name: set.name, ...volumeSizeMetadata({ pvc: { size } }) },
      spec: { replicas },
    });
    const update = async (replicas: number) => {
      const args = { oldInputs: inputs("50Gi", set.replicas + 1), newInputs: inputs("100Gi", replicas) };
      for (const hook of hooks) await hook.callback(args as unknown as pulumi.ResourceHookArgs);
    };
    await assert.rejects(update(set.replicas), /would leave the ring/);
    assert.deepEqual(asked, []);
    await update(set.replicas + 1);
    assert.deepEqual(asked, [`data-${set.name}-0`], "the same hooks grow claims where nothing is refused");
  });

  it("refuse where the provider applies on the client", async () => {
    await assert.rejects(shrink({ outputs: {} }), /without server-side apply/);
  });
});
