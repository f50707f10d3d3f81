import assert from "node:assert/strict";
import { re2Trouble } from "../../../../model/prometheus/freeForm/re2";

/** Verdicts of Go 1.26's `regexp.Compile`; where it refuses, what must be named. */
const TAKEN = [
  "",
  "(.*)",
  "kubernetes;https",
  "(.+?)(?::\\d+)?;(\\d+)",
  "a|b|",
  "^go_.*$",
  "(?i)error",
  "(?i-s:a)(?U)b",
  "(?P<name>a)(?<other>b)(?<other>c)",
  "[]a]",
  "[^]a-]",
  "[a-z\\d\\pL[:alpha:][:^space:]]",
  "[[:word:]&&[]",
  "\\pN\\p{Greek}\\P{^Lu}\\pl",
  "\\p{Letter}\\p{old_italic}[\\p{Any}\\p{Cn}\\p{LC}]",
  "\\Qa.b*\\E+",
  "\\x41\\x{1F600}\\101\\0\\012\\a\\n\\-\\/\\_\\.",
  "a{2,5}b{3,}c{0}d{1000}",
  "a{,5}{",
  "a{02}",
  "x*?y+?z??w{2}?",
  "^*",
  "(?:)*",
  "(a{10}){100}",
  "a)(b",
  "\\A\\b\\B\\z",
  "]}",
];

const REFUSED: readonly [string, RegExp][] = [
  ["\\p{Foo}", /the class of characters \\p\{Foo\}/],
  ["[a\\P{^Latin_1}]", /the class of characters \\P\{\^Latin_1\}/],
  ["(?!foo).*", /a negative lookahead/],
  ["foo(?=bar)", /a lookahead/],
  ["(?<!a)b", /a negative lookbehind/],
  ["(?<=a)b", /a lookbehind/],
  ["(?>a)", /an atomic group/],
  ["(?#note)a", /a comment/],
  ["(a)\\1", /a backreference, \\1/],
  ["(?<n>a)\\k<n>", /a backreference, \\k/],
  ["(?P=n)", /the group \(\?P/],
  ["a*+", /possessive/],
  ["a++", /possessive/],
  ["a{2}+", /possessive/],
  ["a**", /a repetition of a repetition/],
  ["a{2}{3}", /a repetition of a repetition/],
  ["*a", /nothing to repeat/],
  ["(|+a)", /nothing to repeat/],
  ["(a", /a group that is not closed/],
  ["a))", /a \) without a \(/],
  ["[a", /a \[ that is not closed/],
  ["[z-a]", /a range/],
  ["[[:letters:]]", /the class/],
  ["[\\b]", /the escape \\b/],
  ["a\\Z", /the escape \\Z/],
  ["\\d\\h", /the escape \\h/],
  ["\\8", /a backreference/],
  ["\\x{110000}", /the escape/],
  ["\\xg", /the escape \\x/],
  ["a{1001}", /the repetition \{1001\}/],
  ["a{3,2}", /the repetition \{3,2\}/],
  ["(a{40}){40}", /nested repetitions/],
  ["(?<>a)", /the group name/],
  ["\\Qa", /a group that is not closed/],
  ["(?x)a", /the group \(\?x/],
  ["(?i-)a", /the group/],
  [`${"(".repeat(1_100)}${")".repeat(1_100)}`, /nested more than/],
];

describe("regular expressions of RE2", () => {
  for (const text of TAKEN) it(`takes ${JSON.stringify(text)}`, () => assert.equal(re2Trouble(text), undefined));
  for (const [text, trouble] of REFUSED) {
    it(`refuses ${JSON.stringify(text).slice(0, 40)}`, () => assert.match(re2Trouble(text) ?? "(taken)", trouble));
  }

  it("reads a long expression once", () => {
    assert.equal(re2Trouble("a|".repeat(500_000)), undefined);
    assert.equal(re2Trouble("(?:a)[b]\\d{2}".repeat(50_000)), undefined);
  });
});
