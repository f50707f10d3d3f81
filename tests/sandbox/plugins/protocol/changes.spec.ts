import assert from "node:assert/strict";
import fc from "fast-check";
import { fieldChanges, formatPath, parsePath } from "../../../../sandbox/plugins/protocol/changes";
import { Secret, unknown, type ValueMap } from "../../../../sandbox/plugins/protocol/values";

function changes(before: ValueMap, after: ValueMap): Record<string, string> {
  return Object.fromEntries(fieldChanges(before, after).map(({ path, kind }) => [formatPath(path), kind]));
}

describe("changes of inputs", () => {
  it("are found at the field that differs", () => {
    const before = { spec: { containers: [{ image: "a:1", args: ["--x"] }], replicas: 1 } };
    const after = { spec: { containers: [{ image: "a:2", args: ["--x", "--y"] }], paused: true } };
    assert.deepEqual(changes(before, after), {
      "spec.containers[0].image": "update",
      "spec.containers[0].args[1]": "add",
      "spec.replicas": "delete",
      "spec.paused": "add",
    });
  });

  it("are at the whole value when its type changes", () => {
    assert.deepEqual(changes({ a: { b: 1 } }, { a: "text" }), { a: "update" });
  });

  it("do not depend on secret marks, nulls or the provider's own keys", () => {
    assert.deepEqual(changes({ a: new Secret("x"), b: null, __fieldManager: "m" }, { a: "x" }), {});
    assert.deepEqual(changes({ a: new Secret({ b: "x" }) }, { a: new Secret({ b: "y" }) }), { "a.b": "update" });
  });

  it("include what is not known yet", () => {
    assert.deepEqual(changes({ a: { b: "x" } }, { a: { b: unknown } }), { "a.b": "update" });
    assert.deepEqual(changes({ a: { b: "x" } }, { a: unknown }), { a: "update" });
  });

  it("do not exist between equal values", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (map) => {
        assert.deepEqual(fieldChanges(map as ValueMap, structuredClone(map) as ValueMap), []);
      }),
    );
  });

  it("have paths in the engine's notation", () => {
    assert.equal(formatPath(["metadata", "annotations", "pulumi.com/autonamed"]), 'metadata.annotations["pulumi.com/autonamed"]');
    assert.equal(formatPath(["a.b", 'say "x"']), '["a.b"]["say \\"x\\""]');
    assert.equal(formatPath(["spec", "ports", 0, "port"]), "spec.ports[0].port");
  });

  it("are read back from that notation", () => {
    assert.deepEqual(parsePath('metadata.annotations["a.b/c"].x[0].y[*]'), ["metadata", "annotations", "a.b/c", "x", "0", "y", "*"]);
    const keys = fc.array(fc.oneof(fc.string({ minLength: 1, maxLength: 6 }), fc.nat({ max: 9 })), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(keys, (path) => {
        assert.deepEqual(parsePath(formatPath(path)), path.map(String));
      }),
    );
  });
});
