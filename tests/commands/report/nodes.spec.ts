import assert from "node:assert/strict";
import type { V1Node } from "@kubernetes/client-node";
import type { Transport } from "../../../clients/transport";
import { crowdedZones, nodeFinding, pendingPods, plannedZones } from "../../../commands/report/nodes";
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
      assert.deepEqual(found, [
        "Would stay Pending: 1 of 5 pods of thanos-querier: none of the cluster's 5 nodes takes one more (3 whose topology.kubernetes.io/zone would be more than maxSkew 1 above another; 2 with one of them already)",
      ]);
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

  describe("are found as the scheduler finds them:", () => {
    const HOST = "kubernetes.io/hostname";
    const ZONE = "topology.kubernetes.io/zone";
    const SIX = [...THREE, node("a2", { zone: A }), node("b2", { zone: B }), node("c2", { zone: C })];
    const TAINT = { key: "dedicated", effect: "NoSchedule" };
    const queriers = (pods: object, more: object = {}) =>
      resourcesOf("dev", { querier: { replicas: 4, antiAffinity: "soft", pods, ...more } });
    const ofQueriers = (found: string[]) => found.filter((line) => line.includes("thanos-querier"));
    const pending = async (pods: object, nodes: V1Node[], more: object = {}) => ofQueriers(pendingPods(await queriers(pods, more), nodes));
    const apart = (term: object) => ({
      affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: HOST, ...term }] } },
    });
    const APP = { key: "app.kubernetes.io/name", operator: "In", values: ["thanos-querier"] };

    it("a spread counts nodes with taints as places that stay empty, unless it honours them", async () => {
      const nodes = [node("a"), node("b"), node("c", { taints: [TAINT] })];
      const spread = { topologyKey: HOST, whenUnsatisfiable: "DoNotSchedule" };
      assert.deepEqual(await pending({ topologySpread: [spread] }, nodes), [
        "Would stay Pending: 2 of 4 pods of thanos-querier: none of the cluster's 3 nodes takes one more (2 whose kubernetes.io/hostname would be more than maxSkew 1 above another; 1 with the taint dedicated:NoSchedule)",
      ]);
      assert.deepEqual(await pending({ topologySpread: [{ ...spread, nodeTaintsPolicy: "Honor" }] }, nodes), []);
    });

    it("a spread leaves out nodes that the selector does, unless it ignores that", async () => {
      const nodes = [node("a", { labels: POOL }), node("b", { labels: POOL }), node("c")];
      const spread = { topologyKey: HOST, whenUnsatisfiable: "DoNotSchedule" };
      assert.deepEqual(await pending({ nodeSelector: POOL, topologySpread: [spread] }, nodes), []);
      assert.match(
        (await pending({ nodeSelector: POOL, topologySpread: [{ ...spread, nodeAffinityPolicy: "Ignore" }] }, nodes)).join(),
        /2 of 4 pods of thanos-querier.*1 without the label pool=monitoring/,
      );
    });

    it("a spread takes no node without its label, which is the reason", async () => {
      const spread = { topologyKey: "rack", whenUnsatisfiable: "DoNotSchedule" };
      assert.deepEqual(await pending({ topologySpread: [spread] }, THREE), [
        "Would stay Pending: 4 of 4 pods of thanos-querier: 0 of the cluster's 3 nodes can take them (3 without the label rack, over which pods are spread)",
      ]);
      assert.match(
        (await pending({ topologySpread: [{ ...spread, minDomains: 2 }] }, [node("a", { labels: { rack: "1" } })])).join(),
        /3 of 4 pods of thanos-querier.*\(1 whose rack is one of 1 where minDomains asks for 2\)/,
      );
    });

    it("pods keep off those that their term is about, and nobody else", async () => {
      for (const term of [
        {},
        { labelSelector: { matchLabels: { app: "other" } } },
        { labelSelector: { matchExpressions: [{ ...APP, operator: "NotIn" }] } },
        { labelSelector: { matchExpressions: [APP] }, namespaces: ["other"] },
        { labelSelector: { matchExpressions: [APP] }, mismatchLabelKeys: ["app.kubernetes.io/name"] },
        { labelSelector: { matchExpressions: [APP] }, topologyKey: "rack" },
      ])
        assert.deepEqual(await pending(apart(term), THREE), [], JSON.stringify(term));
      for (const term of [
        { labelSelector: {} },
        { labelSelector: { matchExpressions: [APP] } },
        { labelSelector: { matchExpressions: [APP] }, namespaces: ["thanos-dev"] },
        { labelSelector: { matchExpressions: [APP] }, namespaceSelector: {} },
        { labelSelector: { matchExpressions: [APP] }, matchLabelKeys: ["app.kubernetes.io/name"] },
      ])
        assert.deepEqual(
          await pending(apart(term), THREE),
          ["Would stay Pending: 1 of 4 pods of thanos-querier: none of the cluster's 3 nodes takes one more (3 with one of them already)"],
          JSON.stringify(term),
        );
    });

    it("pods keep off each other by zone too", async () => {
      assert.deepEqual(await pending(apart({ topologyKey: ZONE, labelSelector: { matchExpressions: [APP] } }), SIX), [
        "Would stay Pending: 1 of 4 pods of thanos-querier: none of the cluster's 6 nodes takes one more (6 with one of them in the same topology.kubernetes.io/zone already)",
      ]);
    });

    it("pods keep together where their affinity asks for themselves", async () => {
      const together = (term: object) => ({
        affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: ZONE, ...term }] } },
      });
      const own = { labelSelector: { matchExpressions: [APP] } };
      assert.deepEqual(await pending(together(own), SIX), []);
      assert.match(
        (await pending(together(own), SIX, { antiAffinity: "hard" })).join(),
        /2 of 4 pods of thanos-querier: none .* \(.*4 with another topology.kubernetes.io\/zone than the pods of the affinity/,
      );
      assert.match(
        (await pending(together({ ...own, topologyKey: "rack" }), SIX)).join(),
        /4 of 4 pods .*\(6 without the label rack, which the affinity to pods needs\)/,
      );
      const others = { labelSelector: { matchLabels: { app: "other" } } };
      assert.deepEqual(await pending(together(others), SIX, { antiAffinity: "hard" }), [], "where others are is not known");
    });
  });

  describe("in fewer zones than the plan counts on", () => {
    const zones = ["z1", "z2", "z3"];
    const crowded = async (overrides: Overrides, nodes: V1Node[], counted = zones) =>
      crowdedZones(await resourcesOf("prod", overrides), counted, nodes);

    it("are named with what one zone would hold", async () => {
      const nodes = [...THREE, inPool("z1", "a2"), inPool("z1", "a3")];
      assert.deepEqual(await crowded({ querier: { pods: { nodeSelector: POOL } } }, nodes), [
        "Less is survived than planned: 2 of 2 pods of thanos-querier would be in zone z1: of the zones z1, z2, z3 only z1 has nodes that can take them",
      ]);
      assert.deepEqual(pendingPods(await resourcesOf("prod", { querier: { pods: { nodeSelector: POOL } } }), nodes), []);
    });

    it("are enough where no zone has more pods than with all of them", async () => {
      assert.deepEqual(
        await crowded({ querier: { pods: { nodeSelector: POOL } } }, [...THREE, inPool("z1", "a2"), inPool("z3", "c2")]),
        [],
      );
      assert.deepEqual(await crowded({}, THREE), []);
      assert.deepEqual(await crowded({}, [node("a", { zone: A }), node("a2", { zone: A })], []), [], "no zones, no promise");
    });

    it("are as planned where pods themselves ask for fewer", async () => {
      const pods = { nodeSelector: { "topology.kubernetes.io/zone": "z1" } };
      assert.deepEqual(await crowded({ survives: { zones: 0 }, querier: { pods } }, [...THREE, node("a2", { zone: A })]), []);
    });

    it("are counted against the zones of the configuration that was previewed", () => {
      assert.deepEqual(plannedZones({ "thanos-stack:cluster": '{"name":"prod","zones":["z1",2]}' }), ["z1", "2"]);
      for (const config of [{}, { "thanos-stack:cluster": "[secret]" }, { "thanos-stack:cluster": "{}" }])
        assert.deepEqual(plannedZones(config as Record<string, string>), []);
    });
  });

  it("are a note where the API server doesn't tell them", async () => {
    const api = (status: number): Transport => ({
      description: "API server https://10.0.0.1",
      send: async () => ({ status, headers: {}, body: JSON.stringify({ items: [] }) }),
    });
    assert.deepEqual(await nodeFinding([], [], () => api(403)), {
      warnings: [],
      notes: ["Whether there are nodes for all pods is not known: API server https://10.0.0.1 answered 403 to /api/v1/nodes"],
    });
    assert.deepEqual(await nodeFinding([], [], () => api(200)), { warnings: [], notes: [] });
  });
});
