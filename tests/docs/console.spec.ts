import assert from "node:assert/strict";
import { consoleSteps, outputDiffers } from "./console";
import { codeBlocks, readDocument } from "./documents";

describe("console blocks", () => {
  it("are commands, each with its further lines and its output", () => {
    assert.deepEqual(consoleSteps("$ cat <<E\n> a\n> E\na\n$ true\n"), [
      { command: "cat <<E\na\nE", expected: ["a"] },
      { command: "true", expected: [] },
    ]);
    assert.throws(() => consoleSteps("text\n"), /output before any command/);
  });

  it("hold for what they show, and for nothing else", () => {
    const holds = (expected: string[], output: string) => assert.equal(outputDiffers(expected, output), undefined);
    holds([], "");
    holds(["a", "b"], "a\nb\n");
    holds(["…", "b"], "x\ny\nb\n");
    holds(["a", "…"], "a\n");
    holds(["took … s (100 %)"], "took 1.5 s (100 %)\n");
    holds(["a      c", "b-…   c"], "a           c\nb-123456789   c\n");
    assert.match(outputDiffers(["a      c"], "a c\n") ?? "", /no line/);
    assert.match(outputDiffers(["a"], "b\n") ?? "", /no line "a"/);
    assert.match(outputDiffers([], "b\n") ?? "", /others/);
    assert.match(outputDiffers(["a", "b"], "b\na\n") ?? "", /another order/);
    assert.match(outputDiffers(["a.c"], "abc\n") ?? "", /no line/);
  });

  it("of the walkthrough can be read", () => {
    const steps = codeBlocks(readDocument("docs/walkthrough.md").text, "console").flatMap(consoleSteps);
    assert.ok(steps.length > 20);
    assert.equal(steps.at(-1)?.command, "make down");
  });
});
