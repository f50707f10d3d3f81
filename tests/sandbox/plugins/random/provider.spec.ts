import assert from "node:assert/strict";
import fc from "fast-check";
import { Secret, unknown, type ValueMap } from "../../../../sandbox/plugins/protocol/values";
import { randomText, recipeProblems, textRecipe } from "../../../../sandbox/plugins/random/generate";
import { RandomProvider } from "../../../../sandbox/plugins/random/provider";

const password = "random:index/randomPassword:RandomPassword";
const string = "random:index/randomString:RandomString";
const id = "random:index/randomId:RandomId";
const integer = "random:index/randomInteger:RandomInteger";

function of(type: string) {
  const provider = new RandomProvider();
  const resource = { urn: `urn:pulumi:dev::p::${type}::x`, type, name: "x" };
  return {
    create: (inputs: ValueMap, preview = false) => provider.create({ ...resource, inputs, preview, timeout: 0 }),
    failures: async (inputs: ValueMap) =>
      (
        await provider.check({ ...resource, oldInputs: {}, newInputs: inputs, randomSeed: new Uint8Array(), autonaming: undefined })
      ).failures.map(({ property }) => property),
    diff: (oldInputs: ValueMap, newInputs: ValueMap) =>
      provider.diff({ ...resource, id: "x", oldInputs, oldOutputs: {}, newInputs, ignoreChanges: [] }),
  };
}

describe("random texts", () => {
  const recipes = fc.record({
    length: fc.integer({ min: 4, max: 40 }),
    lower: fc.boolean(),
    upper: fc.boolean(),
    number: fc.boolean(),
    special: fc.boolean(),
    minLower: fc.integer({ min: 0, max: 1 }),
    minNumeric: fc.integer({ min: 0, max: 2 }),
  });

  it("are as long as asked, of the allowed characters, with the wanted number of each", () => {
    fc.assert(
      fc.property(recipes, (inputs) => {
        const recipe = textRecipe(inputs);
        fc.pre(recipeProblems(recipe).length === 0);
        const text = randomText(recipe);
        const count = (class_: RegExp) => [...text].filter((character) => class_.test(character)).length;
        assert.equal(text.length, inputs.length);
        assert.ok(count(/[a-z]/) >= inputs.minLower);
        assert.ok(count(/[0-9]/) >= inputs.minNumeric);
        assert.ok(inputs.lower || count(/[a-z]/) === inputs.minLower);
        assert.ok(inputs.number || count(/[0-9]/) === inputs.minNumeric);
        assert.ok(inputs.upper || count(/[A-Z]/) === 0);
        assert.ok(inputs.special || count(/[^A-Za-z0-9]/) === 0);
      }),
    );
  });

  it("take their special characters from the program", () => {
    const text = randomText(textRecipe({ length: 200, lower: false, upper: false, number: false, overrideSpecial: "_~" }));
    assert.match(text, /^[_~]{200}$/);
  });
});

describe("random resources", () => {
  it("keep a password secret, and out of the identifier", async () => {
    const { id: identifier, outputs } = await of(password).create({ length: 20 });
    assert.ok(outputs.result instanceof Secret);
    assert.match(String(outputs.result.value), /^.{20}$/);
    assert.equal(identifier, "none");
    assert.deepEqual((await of(password).create({ length: 20 }, true)).outputs.result, new Secret(unknown));
  });

  it("make a string its identifier", async () => {
    const { id: identifier, outputs } = await of(string).create({ length: 5, special: false });
    assert.equal(outputs.result, identifier);
    assert.match(identifier, /^[A-Za-z0-9]{5}$/);
  });

  it("write the same bytes in four notations, behind the prefix", async () => {
    const { id: identifier, outputs } = await of(id).create({ byteLength: 8, prefix: "p-" });
    const hex = String(outputs.hex).replace(/^p-/, "");
    assert.match(hex, /^[0-9a-f]{16}$/);
    const bytes = Buffer.from(hex, "hex");
    assert.equal(outputs.b64Std, `p-${bytes.toString("base64")}`);
    assert.equal(outputs.b64Url, `p-${identifier}`);
    assert.equal(identifier, bytes.toString("base64url"));
    assert.equal(outputs.dec, `p-${BigInt(`0x${hex}`)}`);
  });

  it("stay between their bounds", async () => {
    const results = await Promise.all(Array.from({ length: 50 }, () => of(integer).create({ min: 3, max: 5 })));
    assert.deepEqual([...new Set(results.map(({ outputs }) => Number(outputs.result)))].sort(), [3, 4, 5]);
  });

  it("know nothing before they are made", async () => {
    assert.equal((await of(integer).create({ min: 1, max: 2 }, true)).outputs.result, unknown);
  });

  it("are made anew when any input changes, keepers included, and only then", async () => {
    const before = { length: 8, keepers: { version: "1" } };
    assert.deepEqual((await of(password).diff(before, structuredClone(before))).changes, []);
    const { changes } = await of(password).diff(before, { length: 8, keepers: { version: unknown } });
    assert.deepEqual(changes, [{ path: "keepers.version", kind: "update", replaces: true }]);
  });

  it("are refused when nothing could be made", async () => {
    assert.deepEqual(await of(password).failures({}), ["length"]);
    assert.deepEqual(await of(password).failures({ length: 2, minLower: 2, minUpper: 1 }), ["length"]);
    assert.deepEqual(await of(password).failures({ length: 2, lower: false, upper: false, numeric: false, special: false }), ["special"]);
    assert.deepEqual(await of(id).failures({ byteLength: 0 }), ["byteLength"]);
    assert.deepEqual(await of(integer).failures({ min: 2, max: 1 }), ["max"]);
    assert.deepEqual(await of(integer).failures({ min: 1, max: 2, seed: "s" }), ["seed"]);
    assert.deepEqual(await of(password).failures({ length: unknown }), []);
    await assert.rejects(of("random:index/randomPet:RandomPet").failures({}), /RandomPet is not offered.*RandomPassword/);
  });
});
