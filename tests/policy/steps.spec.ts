import assert from "node:assert/strict";
import { stepsOf } from "./steps";

describe("steps of a function of text", () => {
  const growth = (pattern: RegExp, part: string) => {
    const steps = (size: number) => stepsOf(() => void pattern.test(part.repeat(size)));
    return Math.round(steps(800) / steps(400));
  };

  it("grow with the text where it is read once, and with its square where it is read anew at every character", () => {
    assert.equal(growth(/(?<![a-z])[a-z]+:/, "a"), 2);
    assert.equal(growth(/[a-z]+:/, "a"), 4);
    assert.equal(growth(/eyJ[\w-]{10,}\./, "eyJ"), 4, "behind a fixed beginning too");
    assert.equal(growth(/[a-z]{1,5}:/, "a"), 2, "a bounded repetition is none");
    assert.throws(() => growth(/(?:a+)+b/, "a"), /more than \d+ steps/);
  });

  it("are those of each match of a text, and of string methods", () => {
    assert.equal(
      stepsOf(() => [..."abab".matchAll(/ab/g)]),
      4,
    );
    assert.equal(
      stepsOf(() => "a b".split(" ").join()),
      3,
    );
  });

  it("are of expressions that match as in V8, of no others, and leave texts and expressions as they were", () => {
    const { exec } = RegExp.prototype;
    const { trim } = String.prototype;
    for (const pattern of [/a+?b/, /(?<n>a)b/, /(a)\1/, /a/m, /(?<=ab)c/, /a\u0062/]) {
      assert.throws(() => stepsOf(() => void pattern.test("aabc")), /has something that is not counted/, String(pattern));
    }
    assert.deepEqual([RegExp.prototype.exec, String.prototype.trim], [exec, trim]);
  });
});
