import assert from "node:assert/strict";
import fc from "fast-check";
import { idOf, parseId, suffix, withName } from "../../../../sandbox/plugins/kubernetes/naming";
import { Secret, textAt, unknown, type Value, type ValueMap } from "../../../../sandbox/plugins/protocol/values";

const seed = new Uint8Array([1, 2, 3]);

function named(newInputs: ValueMap, oldInputs: ValueMap = {}, more: Partial<Parameters<typeof withName>[0]> = {}): ValueMap {
  return withName({ logicalName: "config", oldInputs, newInputs, randomSeed: seed, autonaming: undefined, ...more });
}

describe("automatic names", () => {
  it("are the logical name and eight digits, and say that they are automatic", () => {
    const inputs = named({ metadata: { labels: { a: "b" } } });
    assert.match(textAt(inputs, "metadata", "name") ?? "", /^config-[0-9a-f]{8}$/);
    assert.equal(textAt(inputs, "metadata", "annotations", "pulumi.com/autonamed"), "true");
    assert.equal(textAt(inputs, "metadata", "labels", "a"), "b");
  });

  it("follow from the seed, and are random without one", () => {
    assert.deepEqual(named({}), named({}));
    assert.equal(suffix(seed), suffix(seed));
    assert.notEqual(suffix(new Uint8Array()), suffix(new Uint8Array()));
  });

  it("stay what they were", () => {
    const first = named({});
    assert.deepEqual(named({}, first, { randomSeed: new Uint8Array([9]) }), first);
  });

  it("do not take over a name that was explicit", () => {
    const inputs = named({}, { metadata: { name: "explicit" } });
    assert.match(textAt(inputs, "metadata", "name") ?? "", /^config-/);
  });

  it("are not given to what has a name, will have one, or is not known", () => {
    const given: Value[] = [{ name: "mine" }, { generateName: "mine-" }, { name: unknown }, unknown];
    for (const metadata of given) {
      assert.deepEqual(named({ metadata }), { metadata });
    }
  });

  it("see the name inside a secret", () => {
    const inputs = { metadata: new Secret({ name: "mine" }) };
    assert.deepEqual(named(inputs), inputs);
  });

  it("are what the engine proposes, or refused where it forbids them", () => {
    const proposed = named({}, {}, { autonaming: { mode: "propose", proposedName: "dev-config" } });
    assert.equal(textAt(proposed, "metadata", "name"), "dev-config");
    assert.throws(() => named({}, {}, { autonaming: { mode: "disable", proposedName: "" } }), /metadata\.name/);
  });

  it("are names Kubernetes accepts when the logical one has capitals", () => {
    assert.match(textAt(named({}, {}, { logicalName: "queryFrontend" }), "metadata", "name") ?? "", /^queryfrontend-/);
  });
});

describe("identifiers", () => {
  it("hold namespace and name", () => {
    const part = fc.stringMatching(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);
    fc.assert(
      fc.property(fc.option(part, { nil: undefined }), part, (namespace, name) => {
        assert.deepEqual(parseId(idOf(namespace, name)), { namespace, name });
      }),
    );
  });
});
