import assert from "node:assert/strict";
import fc from "fast-check";
import {
  at,
  containsSecret,
  containsUnknown,
  decode,
  encode,
  fromStruct,
  isMap,
  type Json,
  markSecrets,
  outputSignature,
  redact,
  revealMap,
  Secret,
  sameValue,
  secretSignature,
  signatureKey,
  textAt,
  toStruct,
  Unknown,
  unknown,
  unwrap,
  type Value,
  type ValueMap,
  withValue,
} from "../../../../sandbox/plugins/protocol/values";

const key = fc.string({ minLength: 1, maxLength: 8 }).filter((name) => name !== "__proto__" && name !== signatureKey);
const { value: values } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom<Value>(null, true, false, unknown),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (Object.is(number, -0) ? 0 : number)),
    fc.string(),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(key, tie("value"), { maxKeys: 4 }).map((map): Value => ({ ...map })),
    tie("value").map((inner) => new Secret(inner)),
  ),
}));

function secretMarks(value: Value): number {
  if (value instanceof Secret) {
    return 1 + secretMarks(value.value);
  }
  const inner = Array.isArray(value) ? value : isMap(value) ? Object.values(value) : [];
  return inner.reduce<number>((sum, element) => sum + secretMarks(element), 0);
}

describe("values of the provider protocol", () => {
  it("survive the wire, with unknowns and secrets", () => {
    fc.assert(
      fc.property(fc.dictionary(key, values, { maxKeys: 4 }), (map) => {
        const back = fromStruct(toStruct({ ...map }));
        assert.deepEqual(back, { ...map });
      }),
    );
  });

  it("reads every sentinel of an unknown", () => {
    for (const sentinel of [
      "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
      "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
      "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    ]) {
      assert.ok(decode(sentinel) instanceof Unknown);
    }
    assert.equal(decode("04da6b54-80e4-46f7-96ec-b56ff0331ba0"), "04da6b54-80e4-46f7-96ec-b56ff0331ba0");
  });

  it("writes a secret with the signature of secrets", () => {
    assert.deepEqual(encode(new Secret("text")), { [signatureKey]: secretSignature, value: "text" });
  });

  it("reads output values: known, unknown and secret", () => {
    const output = (rest: { [key: string]: Json }): Value => decode({ [signatureKey]: outputSignature, ...rest });
    assert.equal(output({ value: "text", dependencies: ["urn"] }), "text");
    assert.ok(output({}) instanceof Unknown);
    assert.deepEqual(output({ value: "text", secret: true }), new Secret("text"));
    assert.deepEqual(output({ secret: true }), new Secret(unknown));
  });

  it("tells where something is unknown or secret", () => {
    assert.equal(containsUnknown({ a: [{ b: new Secret(unknown) }] }), true);
    assert.equal(containsUnknown({ a: [{ b: new Secret("x") }] }), false);
    assert.equal(containsSecret({ a: [{ b: new Secret("x") }] }), true);
    assert.equal(containsSecret({ a: [{ b: unknown }] }), false);
  });

  it("leaves nulls of objects out of a document, and has none for an unknown", () => {
    assert.deepEqual(revealMap({ a: null, b: { c: null, d: new Secret("x") }, e: [1, { f: null }] }), { b: { d: "x" }, e: [1, {}] });
    assert.throws(() => revealMap({ a: [unknown] }), /unknown/);
  });

  it("looks through secrets, and sees nothing below an unknown", () => {
    const value = new Secret({ metadata: new Secret({ name: "x", list: [{ y: 1 }] }) });
    assert.equal(textAt(value, "metadata", "name"), "x");
    assert.equal(at(value, "metadata", "list", 0, "y"), 1);
    assert.ok(at({ metadata: unknown }, "metadata", "name") instanceof Unknown);
    assert.equal(at({ a: "text" }, "a", "b"), undefined);
  });

  it("sets a value inside a secret without taking the mark off", () => {
    assert.deepEqual(withValue({ metadata: new Secret({ name: "x" }) }, ["metadata", "labels", "a"], "b"), {
      metadata: new Secret({ name: "x", labels: { a: "b" } }),
    });
    assert.deepEqual(withValue({ metadata: unknown }, ["metadata", "name"], "x"), { metadata: unknown });
  });

  it("marks by place, and a list as a whole", () => {
    const live: ValueMap = { data: { a: "1", b: "2" }, list: [{ v: "x" }, { v: "y" }], other: { c: "3" } };
    const inputs: ValueMap = { data: { a: new Secret("1") }, list: [{ v: "x" }, { v: new Secret("y") }], other: new Secret({ c: "3" }) };
    assert.deepEqual(markSecrets(live, inputs), {
      data: { a: new Secret("1"), b: "2" },
      list: new Secret([{ v: "x" }, { v: "y" }]),
      other: new Secret({ c: "3" }),
    });
  });

  it("marks everything that is secret in a value when it is its own pattern, and changes nothing else", () => {
    fc.assert(
      fc.property(values, (value) => {
        const marked = markSecrets(unwrap(value), value);
        assert.deepEqual(unwrap(marked), unwrap(value));
        assert.equal(secretMarks(marked) > 0, secretMarks(value) > 0);
      }),
    );
  });

  it("takes secrets out of a text, longest first and in base64 too", () => {
    const inputs: ValueMap = { a: new Secret({ one: "hunter2", two: "hunter2-and-more" }), b: "visible" };
    assert.equal(redact('"hunter2-and-more" hunter2 visible aHVudGVyMg==', inputs), '"[secret]" [secret] visible [secret]');
  });

  it("compares whatever is marked, null as absent, and an unknown as different", () => {
    assert.equal(sameValue({ a: new Secret("x"), b: null }, { a: "x" }), true);
    assert.equal(sameValue([1, 2], [2, 1]), false);
    assert.equal(sameValue(unknown, unknown), false);
  });
});
