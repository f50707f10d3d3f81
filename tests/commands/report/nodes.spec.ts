import assert from "node:assert/strict";
import type { V1Node } from "@kubernetes/client-node";
import type { Transport } from "../../../clients/transport";
import { nodeFinding, pendingPods } from "../../../commands/report/nodes";
import type { PolicyResource } from "../../../policy/resources";
import { type Overrides, run, type Stack } from "../../harness";

interface NodeChoice {
  zone?: string;
  labels?: Record<string, string>;
  taints?: { key: string; value?: string; effect: string }[];
}

const node = (name: string, { zone, labels = {}, taints = [] }: NodeChoice = {}): V1Node => ({
  metadata: {
    name,
    labels: { "kubernetes.io/hostname": name, ...(zone === undefined ? {} : { "topology.kubernetes.io/zone": zone }), ...labels },
  },
  spec: { taints },
});

const resourcesOf = async (stack: Stack, overrides: Overrides = {}): Promise<PolicyResource[]> =>
  (await run(stack, overrides)).resources.filter(({ custom }) => custom).map((each) => ({ ...each, protect: false }));

const [A, B, C] = ["z1", "z2", "z3"];
const THREE = [node("a", { zone: A }), node("b", { zone: B }), node("c", { zone: C })];
const POOL = { pool: "monitoring" };
const inPool = (zone: string, name = zone) => node(name, { zone, labels: POOL });

describe("report: nodes for all pods", () => {
  describe("of an environment in three zones", () => {
    let prod: PolicyResource[];
    let pooled: PolicyResource[];
    before(async () => {
      prod = await resourcesOf("prod");
      pooled = await resourcesOf("prod", { pods: { nodeSelector: POOL } });
    });

    it("are enough with one in each zone", () => {
      assert.deepEqual(pendingPods(prod, THREE), []);
    });

    it("are too few where a zone has none, for its receivers and for nobody else", () => {
      const found = pendingPods(prod, [node("a", { zone: A }), node("b", { zone: B }), node("b2", { zone: B })]);
      assert.deepEqual(found, [
        "Would stay Pending: 1 of 1 pods of thanos-receive-z3: 0 of the cluster's 3 nodes can take them (3 outside of the affinity to nodes)",
      ]);
    });

    it("are those with the labels that pods ask for", () => {
      assert.deepEqual(
        pendingPods(
          pooled,
          [A, B, C].map((zone) => inPool(zone ?? "")),
        ),
        [],
      );
      const found = pendingPods(pooled, [...THREE, inPool("z1", "a2"), inPool("z2", "b2")]);
      assert.ok(
        found.includes(
          "Would stay Pending: 1 of 1 pods of thanos-receive-z3: 0 of the cluster's 5 nodes can take them (3 without the label pool=monitoring; 2 outside of the affinity to nodes)",
        ),
        found.join("\n"),
      );
    });

    it("are none where all have a taint that nobody bears, except for who does", async () => {
      const taints = [{ key: "dedicated", value: "monitoring", effect: "NoSchedule" }];
      const tainted = THREE.map(({ metadata }) => ({ metadata, spec: { taints } }) as V1Node);
      const found = pendingPods(prod, tainted);
      assert.ok(found.length > 0);
      for (const line of found)
        assert.match(line, /: 0 of the cluster's 3 nodes can take them \(.*\d with the taint dedicated=monitoring:NoSchedule/);
      for (const toleration of [
        { operator: "Exists" },
        { key: "dedicated", operator: "Exists" },
        { key: "dedicated", value: "monitoring" },
        { key: "dedicated", value: "monitoring", effect: "NoSchedule" },
      ]) {
        assert.deepEqual(pendingPods(await resourcesOf("prod", { pods: { tolerations: [toleration] } }), tainted), []);
      }
      for (const toleration of [
        { key: "dedicated", value: "batch" },
        { key: "other", operator: "Exists" },
        { key: "dedicated", operator: "Exists", effect: "NoExecute" },
      ]) {
        assert.deepEqual(pendingPods(await resourcesOf("prod", { pods: { tolerations: [toleration] } }), tainted), found);
      }
      const preferred = THREE.map(({ metadata }) => ({
        metadata,
        spec: { taints: [{ key: "dedicated", effect: "PreferNoSchedule" }] },
      }));
      assert.deepEqual(pendingPods(prod, preferred), []);
    });

    it("count pods that keep each other off", async () => {
      const found = pendingPods(await resourcesOf("prod", { querier: { replicas: 5, antiAffinity: "hard" } }), [
        ...THREE,
        node("a2", { zone: A }),
        node("a3", { zone: A }),
      ]);
      // Evenly over the zones: two where one has one.
      assert.deepEqual(found, ["Would stay Pending: 1 of 5 pods of thanos-querier: 5 of the cluster's 5 nodes can take them"]);
    });

    it("are those that an affinity names", async () => {
      const only = (key: string, operator: string, values?: string[]) => ({
        pods: {
          affinity: {
            nodeAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: {
                nodeSelectorTerms: [{ matchExpressions: [{ key, operator, ...(values && { values }) }] }],
              },
            },
          },
        },
      });
      const cores = THREE.map((one, index) => ({
        ...one,
        metadata: { ...one.metadata, labels: { ...one.metadata?.labels, cores: String(8 + index) } },
      }));
      assert.deepEqual(pendingPods(await resourcesOf("prod", only("cores", "Gt", ["7"])), cores), []);
      assert.notDeepEqual(pendingPods(await resourcesOf("prod", only("cores", "Gt", ["8"])), cores), []);
      assert.deepEqual(pendingPods(await resourcesOf("prod", only("cores", "Lt", ["11"])), cores), []);
      assert.deepEqual(pendingPods(await resourcesOf("prod", only("cores", "Exists")), cores), []);
      assert.notDeepEqual(pendingPods(await resourcesOf("prod", only("cores", "DoesNotExist")), cores), []);
      assert.deepEqual(pendingPods(await resourcesOf("prod", only("pool", "NotIn", ["batch"])), cores), []);
    });
  });

  describe("of an environment with directories of nodes", () => {
    let dev: PolicyResource[];
    const [holder = ""] = ["dev-1"];
    before(async () => {
      dev = await resourcesOf("dev");
    });

    it("are the ones that are named", () => {
      assert.deepEqual(pendingPods(dev, [node(holder)]), []);
      const found = pendingPods(dev, [node("other")]);
      assert.equal(found.length, 1);
      assert.match(
        found[0] ?? "",
        /^Would stay Pending: .*thanos-receive-0, .*thanos-receive-2.*: no node of the cluster is the one of its directory \(dev-1\)$/,
      );
    });

    it("take the pods, or are named with why not", () => {
      const found = pendingPods(dev, [node(holder, { taints: [{ key: "maintenance", effect: "NoExecute" }] })]);
      assert.ok(
        found.some((line) => /thanos-receive-0.*: the node of its directory, dev-1, with the taint maintenance:NoExecute$/.test(line)),
        found.join("\n"),
      );
      assert.ok(
        found.some((line) => /pods of thanos-querier: 0 of the cluster's 1 nodes/.test(line)),
        found.join("\n"),
      );
    });
  });

  it("are a note where the API server doesn't tell them", async () => {
    const api = (status: number): Transport => ({
      description: "API server https://10.0.0.1",
      send: async () => ({ status, headers: {}, body: JSON.stringify({ items: [] }) }),
    });
    assert.deepEqual(await nodeFinding([], () => api(403)), {
      warnings: [],
      notes: ["Whether there are nodes for all pods is not known: API server https://10.0.0.1 answered 403 to /api/v1/nodes"],
    });
    assert.deepEqual(await nodeFinding([], () => api(200)), { warnings: [], notes: [] });
  });
});
