import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { globsOverlap, isGlob, NAME_OR_GLOB, rangesAscend, takesTenant } from "../../../model/values/glob";
import { takesTenant as readersTakeTenant } from "../../../outputs";

interface Vectors {
  globs: { pattern: string; matches: string[]; others: string[] }[];
}

const { globs }: Vectors = JSON.parse(readFileSync(path.join(__dirname, "..", "ring", "vectors", "shards.json"), "utf8"));
const ours = globs.filter(({ pattern }) => NAME_OR_GLOB.test(pattern));

describe("patterns of tenants", () => {
  it("take whom Go's Match takes, here and in the reader of the outputs", () => {
    assert.ok(ours.length >= 12);
    for (const { pattern, matches, others } of ours) {
      for (const takes of [takesTenant, (each: string, name: string) => readersTakeTenant([each], name)]) {
        for (const name of matches) assert.ok(takes(pattern, name), `${pattern} takes ${name}`);
        for (const name of others) assert.ok(!takes(pattern, name), `${pattern} does not take ${name}`);
      }
    }
  });

  it("have none that takes a name with a dot in front", () => {
    for (const pattern of ["*", "?", "?*", "[.]*", "[^a]*", ".*", "[a-z]*", "-*", ""]) assert.ok(!NAME_OR_GLOB.test(pattern), pattern);
    for (const { pattern, matches } of ours)
      assert.deepEqual(
        matches.filter((name) => name.startsWith(".")),
        [],
        pattern,
      );
  });

  it("have one form: what Go refuses, and what it reads in another way than one thinks, is none", () => {
    for (const pattern of ["a[", "a[]", "a]", "a[a-]", "a[-a]", "a[^b]", "a\\*", "a[._-]", "a/b", "a b"])
      assert.ok(!NAME_OR_GLOB.test(pattern), pattern);
    for (const pattern of ["a", "a.b_c-d", "a*", "a?", "a[0-9]", "a[0-9a-f._]x*"]) assert.ok(NAME_OR_GLOB.test(pattern), pattern);
    assert.deepEqual(["a", "a*", "a[b]", "a?"].map(isGlob), [false, true, true, true]);
    assert.deepEqual(["a[z-a]", "a[a-z]", "a"].map(rangesAscend), [false, true, true]);
  });

  for (const [one, other, overlap] of [
    ["a", "a", true],
    ["a", "b", false],
    ["a*", "ab", true],
    ["a*", "b*", false],
    ["a*c", "ab*", true],
    ["a*c", "a*d", false],
    ["team-?", "team-[0-9]", true],
    ["team-?", "team-10", false],
    ["a[0-4]", "a[5-9]", false],
    ["a[0-4x]", "a[5-9x]", true],
    ["a**", "a", true],
    ["a*b*c", "axbyc", true],
    ["a*b*c", "acb", false],
  ] as const) {
    it(`${one} and ${other} ${overlap ? "take a name in common" : "take none in common"}`, () => {
      assert.equal(globsOverlap(one, other), overlap);
      assert.equal(globsOverlap(other, one), overlap);
    });
  }

  it("overlap exactly where there is a name that both take", () => {
    const part = fc.constantFrom("a", "b", "*", "?", "[ab]", "[b-c]");
    const pattern = fc.array(part, { maxLength: 4 }).map((parts) => `a${parts.join("")}`);
    const longer = (names: readonly string[]) => names.flatMap((name) => ["a", "b", "c"].map((letter) => name + letter));
    const names = [0, 1, 2, 3].reduce((all) => [...new Set([...all, ...longer(all)])], ["a"]);
    fc.assert(
      fc.property(pattern, pattern, (one, other) => {
        const common = names.some((name) => takesTenant(one, name) && takesTenant(other, name));
        if (common) assert.ok(globsOverlap(one, other));
        // Without "*" a pattern takes names of its own length only, and all of these are here.
        if (!one.includes("*") && !other.includes("*")) assert.equal(globsOverlap(one, other), common);
      }),
    );
  });
});
