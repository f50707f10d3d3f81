import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { REPOSITORY } from "../../sandbox/paths";
import { consoleSteps, outputDiffers } from "../docs/console";
import { codeBlocks, readDocument } from "../docs/documents";

/** Prints a shell's state after each command, to begin the next one with. */
const STATE = "declare -px; declare -fp";

describe("docs/walkthrough.md", function () {
  this.timeout(30 * 60_000);
  this.bail(true);
  const left = join(REPOSITORY, "Pulumi.walkthrough.yaml");
  before(() => rmSync(left, { force: true }));
  after(() => rmSync(left, { force: true }));
  let state = "";

  for (const [index, { command, expected }] of codeBlocks(readDocument("docs/walkthrough.md").text, "console")
    .flatMap(consoleSteps)
    .entries()) {
    const [first = ""] = command.split("\n");
    it(`${index + 1}. ${first.length > 100 ? `${first.slice(0, 99)}…` : first}`, async () => {
      const script = `${state}\n{ ${command}\n} 2>&1\n{ ${STATE}; } >&4\n`;
      const { stdout, stdio } = await execa("bash", ["-c", script], {
        cwd: REPOSITORY,
        stdio: ["ignore", "pipe", "inherit", "ignore", "pipe"],
        reject: false,
        stripFinalNewline: false,
        // As in a shell of one's own, also where make runs these tests: inside another make it would name the directories that it enters.
        env: { MAKEFLAGS: undefined, MAKELEVEL: undefined, MFLAGS: undefined, npm_config_loglevel: "error" },
      });
      state = String(stdio[4] ?? "");
      const differs = outputDiffers(expected, String(stdout));
      assert.equal(differs, undefined, `${differs}; it printed:\n${String(stdout)}`);
    });
  }
});
