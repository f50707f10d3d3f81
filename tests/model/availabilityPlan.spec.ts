import assert from "node:assert/strict";
import { availability } from "../../model/availability/proof";
import { availabilityPlan } from "../../model/availabilityPlan";
import { type Overrides, planOf, type Stack, settingsOf, together } from "../harness";

const PVC = { pvc: { size: "5Gi" } };
const BUCKET: Overrides = {
  objectStorage: {
    s3: { bucket: "history", endpoint: "s3.example.org" },
    storeGateway: { storage: PVC, replicas: 3, partition: { hash: 4 } },
    compactor: { storage: PVC },
  },
};
const SIDECAR: Overrides = { ingestion: "sidecar" };
const of = (stack: Stack, ...overrides: Overrides[]) =>
  availabilityPlan(settingsOf(stack, together(...overrides)), planOf(stack, together(...overrides)));

describe("what of a plan decides about its availability", () => {
  it("the ring in the receive scheme, and routers where there are some", () => {
    const prod = of("prod");
    assert.equal(prod.receive?.hashrings[0]?.members.length, 3);
    assert.equal(prod.receive?.replicationFactor, 3);
    assert.equal(prod.routers?.replicas, 2);
    assert.equal(of("dev").routers, undefined);
    assert.deepEqual([of("dev").receive?.storage, of("dev").receive?.nodes], ["hostPath", 1]);
  });

  it("no ring in the sidecar scheme, although the key stays in the stack file; Prometheus and where it keeps its samples", () => {
    const dev = of("dev", SIDECAR);
    assert.deepEqual([dev.receive, dev.routers], [undefined, undefined]);
    assert.deepEqual(dev.prometheus, { replicas: 1, antiAffinity: "soft", shards: 1, storage: "hostPath", nodes: 1 });
    const prod = of("prod", SIDECAR);
    assert.deepEqual(prod.prometheus, {
      replicas: 2,
      antiAffinity: "hard",
      zoneSpread: true,
      maxUnavailable: 1,
      shards: 1,
      storage: "pvc",
    });
    assert.deepEqual(availability(prod).survives, { nodes: 1, zones: 1 });
    assert.deepEqual(availability(dev).survives, { nodes: 0, zones: 0 });
  });

  it("the store gateways of each part, with a bucket", () => {
    assert.deepEqual(of("prod", BUCKET).storeGateway, { replicas: 3, antiAffinity: "hard", zoneSpread: true, maxUnavailable: 1, parts: 4 });
    assert.equal(of("dev").storeGateway, undefined);
    const hostPath = {
      objectStorage: { storeGateway: { storage: { pvc: undefined, hostPath: { path: "/data/store", nodes: ["a", "b", "c"] } } } },
    };
    assert.equal(of("prod", BUCKET, hostPath).storeGateway?.zoneSpread, undefined, "directories, not zones, say where they are");
  });

  it("the rulers, and whether they hold what comes of the rules", () => {
    assert.deepEqual(of("dev", { ruler: { replicas: 1, antiAffinity: "soft" } }).ruler, {
      replicas: 1,
      antiAffinity: "soft",
      stores: false,
    });
    assert.equal(of("prod", { ruler: { mode: "stateful", storage: PVC, retention: "30d" } }).ruler?.stores, true);
    assert.equal(of("dev").ruler, undefined);
  });

  describe("the nodes that pods ask for", () => {
    const inPool = (pool: string) => ({ pods: { nodeSelector: { pool } } });

    it("are none where every node will do, whatever taints are borne", () => {
      assert.equal(of("prod", { pods: { tolerations: [{ operator: "Exists" }], affinity: {} } }).nodes, undefined);
    });

    it("are as many as the component that needs most of a kind", () => {
      const of3 = (count: number) => ({ count, of: ["z1", "z2", "z3"] });
      assert.deepEqual(of("prod", inPool("monitoring")).nodes, [{ count: 3, which: "with pool=monitoring", zones: of3(3) }]);
      assert.deepEqual(of("prod", { querier: inPool("queries") }).nodes, [{ count: 2, which: "with pool=queries", zones: of3(2) }]);
      assert.deepEqual(of("prod", { querier: { ...inPool("queries"), replicas: 5, antiAffinity: "soft" } }).nodes, [
        { count: 3, which: "with pool=queries", zones: of3(3) },
      ]);
      assert.deepEqual(of("dev", inPool("monitoring")).nodes, [{ count: 1, which: "with pool=monitoring" }]);
      assert.deepEqual(of("prod", inPool("monitoring"), { receive: inPool("samples") }).nodes, [
        { count: 3, which: "with pool=samples", zones: of3(3) },
        { count: 2, which: "with pool=monitoring", zones: of3(2) },
      ]);
    });

    it("are in no more zones than these ask for, and what is survived is counted so", () => {
      const zones = (...values: string[]) => ({
        pods: {
          affinity: {
            nodeAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: {
                nodeSelectorTerms: [{ matchExpressions: [{ key: "topology.kubernetes.io/zone", operator: "In", values }] }],
              },
            },
          },
        },
      });
      const survived = (overrides: Overrides) => availability(of("prod", overrides)).survives;
      assert.deepEqual(survived({ querier: zones("z1", "z3") }), { nodes: 1, zones: 1 });
      for (const overrides of [
        { querier: { pods: { nodeSelector: { "topology.kubernetes.io/zone": "z1" } } } },
        { queryFrontend: zones("z2") },
        { receive: { routers: zones("z2") } },
        { objectStorage: { storeGateway: zones("z2") } },
        { querier: { ...zones("z1", "z3"), replicas: 2, antiAffinity: "soft" }, queryFrontend: zones("z2") },
      ])
        assert.deepEqual(survived(overrides).zones, 0, JSON.stringify(overrides));
      const { limits, summary } = availability(of("prod", { querier: zones("z1") }));
      assert.deepEqual(limits.zones, ["1 zone can take all queriers (2), which may be in 1 zone alone"]);
      assert.ok(summary.some((line) => line.startsWith("counts on 2 nodes with topology.kubernetes.io/zone In z1: ")));
      assert.equal(availability(of("prod", SIDECAR, { prometheus: zones("z1") })).survives.zones, 0);
      assert.equal(availability(of("prod", { prometheus: zones("z1") })).scenarios.find(({ loss }) => loss === "zone")?.unscraped, 1);
    });

    it("are in no more zones than there are nodes by name", () => {
      const pods = { nodeSelector: { "kubernetes.io/hostname": "n1" } };
      const plan = of("prod", { querier: { antiAffinity: "soft", pods } });
      assert.equal(plan.querier.zones, 1);
      assert.deepEqual(availability(plan).survives, { nodes: 0, zones: 0 });
    });

    it("are those of an affinity too, and said in the summary", () => {
      const term = { matchExpressions: [{ key: "disk", operator: "In", values: ["ssd", "nvme"] }] };
      const nodeAffinity = {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [term, { matchExpressions: [{ key: "fast", operator: "Exists" }] }],
        },
      };
      const plan = of("prod", { pods: { nodeSelector: { pool: "monitoring" }, affinity: { nodeAffinity } } });
      assert.ok(
        availability(plan).summary.includes(
          "counts on 3 nodes with pool=monitoring and disk In ssd|nvme or fast Exists, in each of the zones z1, z2, z3: with fewer, pods stay Pending or share a zone, and less is survived",
        ),
        availability(plan).summary.join("\n"),
      );
      assert.ok(
        availability(of("prod", { querier: inPool("queries") })).summary.includes(
          "counts on 2 nodes with pool=queries, in 2 of the zones z1, z2, z3: with fewer, pods stay Pending or share a zone, and less is survived",
        ),
      );
    });
  });
});
