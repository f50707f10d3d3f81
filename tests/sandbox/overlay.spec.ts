import assert from "node:assert/strict";
import fc from "fast-check";
import { type ConfigOverlay, type ConfigValue, clusterOverlay, merge, mergeConfig, refuseSecrets } from "../../sandbox/overlay";

const SANDBOX = { kubeconfig: "/state/kubeconfig", context: "sandbox", nodes: ["node1", "node2", "node3"] };

const value: fc.Arbitrary<ConfigValue> = fc.letrec<{ value: ConfigValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value;
const config: fc.Arbitrary<ConfigOverlay> = fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), value, { maxKeys: 4, noNullPrototype: true });

describe("sandbox overlay", () => {
  it("merges objects key by key and replaces lists and scalars", () => {
    assert.deepEqual(merge({ a: { b: 1, c: [1, 2] }, d: "x" }, { a: { c: [3] }, d: { e: null } }), { a: { b: 1, c: [3] }, d: { e: null } });
  });

  it("keeps the upper layer's values and the lower layer's other keys, and changes neither", () => {
    fc.assert(
      fc.property(config, config, (lower, upper) => {
        const before = JSON.stringify([lower, upper]);
        const merged = mergeConfig(lower, upper);
        assert.equal(JSON.stringify([lower, upper]), before);
        assert.deepEqual(mergeConfig(merged, upper), merged);
        assert.deepEqual(new Set(Object.keys(merged)), new Set([...Object.keys(lower), ...Object.keys(upper)]));
        for (const key of Object.keys(lower)) if (!(key in upper)) assert.deepEqual(merged[key], lower[key]);
      }),
    );
  });

  it("is associative, so that layers can be combined in any grouping", () => {
    fc.assert(
      fc.property(config, config, config, (a, b, c) =>
        assert.deepEqual(mergeConfig(mergeConfig(a, b), c), mergeConfig(a, mergeConfig(b, c))),
      ),
    );
  });

  it("names the cluster and leaves its other settings", () => {
    const own = { "thanos-stack:cluster": { name: "prod", context: "prod", zones: ["z1"] }, "thanos-stack:namespace": "x" };
    assert.deepEqual(mergeConfig(own, clusterOverlay(own, SANDBOX)), {
      "thanos-stack:cluster": { name: "prod", context: "sandbox", kubeconfig: "/state/kubeconfig", zones: ["z1"] },
      "thanos-stack:namespace": "x",
    });
  });

  it("renames the nodes of host paths and nothing beside them", () => {
    const own = {
      "thanos-stack:receive": { replicas: 3, storage: { hostPath: { path: "/data", nodes: ["a-1", "a-2"] } } },
      "thanos-stack:prometheus": { storage: { pvc: { size: "1Gi" } }, nodes: ["kept"] },
    };
    const merged = mergeConfig(own, clusterOverlay(own, SANDBOX));
    assert.deepEqual(merged["thanos-stack:receive"], { replicas: 3, storage: { hostPath: { path: "/data", nodes: ["node1", "node2"] } } });
    assert.deepEqual(merged["thanos-stack:prometheus"], own["thanos-stack:prometheus"]);
  });

  it("refuses more nodes than the sandbox has", () => {
    const own = { "thanos-stack:receive": { storage: { hostPath: { nodes: ["a", "b", "c", "d"] } } } };
    assert.throws(() => clusterOverlay(own, SANDBOX), /thanos-stack:receive puts data on 4 nodes; the sandbox has 3/);
  });

  it("refuses secrets wherever they are, by name", () => {
    const own = {
      "thanos-stack:a": { secure: "v1:x" },
      "thanos-stack:b": { list: [{ key: { secure: "v1:y" } }] },
      "thanos-stack:c": { secure: true, other: 1 },
    };
    assert.throws(
      () => refuseSecrets(own, "Pulumi.x.yaml"),
      /Pulumi\.x\.yaml holds secrets .*: thanos-stack:a, thanos-stack:b\.list\[0\]\.key\. /,
    );
    assert.doesNotThrow(() => refuseSecrets({ "thanos-stack:c": own["thanos-stack:c"] }, "Pulumi.x.yaml"));
  });
});
