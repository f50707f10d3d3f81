import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { manifestsOf, manifestsYaml } from "../../commands/manifests";
import { runProgram } from "../../commands/program";
import { AUTOSCALED, CHOSEN, EXTRA, HISTORY, NETWORKS, OWN_SHAPES } from "../components/plans";
import { configOf, run, STACKS, together } from "../harness";
import { assertGolden, firstDifference, UPDATE_COMMAND } from "./compare";

/**
 * Pulumi.prod.yaml in somebody else's cluster: pods, networks, reads and rings as that one wants them, and what the program knows nothing
 * of.
 */
const OTHER_CLUSTER = {
  name: "prod-elsewhere",
  stack: "prod" as const,
  overrides: together(...[HISTORY, CHOSEN, NETWORKS, OWN_SHAPES, AUTOSCALED, EXTRA].map(({ overrides }) => overrides)),
};
/** Pulumi.prod.yaml with one word changed. */
const OTHER_SCHEME = { name: "prod-sidecar", stack: "prod" as const, overrides: { ingestion: "sidecar" } };

describe("golden files", () => {
  const environments = [...STACKS.map((stack) => ({ name: stack as string, stack, overrides: {} })), OTHER_SCHEME, OTHER_CLUSTER];
  for (const { name, stack, overrides } of environments) {
    it(`${name}.yaml is what the environment comes to`, async () => {
      const { resources } = await run(stack, overrides);
      assertGolden(`${name}.yaml`, manifestsYaml(manifestsOf(resources)));
    });

    // A name that changes is a resource that is deleted and made anew.
    it(`urns.${name}.txt lists every resource by type and logical name`, async () => {
      const { resources } = await run(stack, overrides);
      const urns = resources.map((resource) => `${resource.type}::${resource.name}`).sort();
      assertGolden(`urns.${name}.txt`, `${urns.join("\n")}\n`);
    });
  }

  it("are the same from run to run", async () => {
    const first = await run("prod");
    const again = await runProgram({ config: configOf("prod"), stack: "prod" });
    assert.equal(manifestsYaml(manifestsOf(again.resources)), manifestsYaml(manifestsOf(first.resources)));
    const reordered = manifestsYaml(manifestsOf([...first.resources].reverse()));
    assert.equal(reordered, manifestsYaml(manifestsOf(first.resources)), "the order of registration shows in the text");
  });
});

describe("golden files: comparison", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "golden-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it("accepts equal text", () => {
    writeFileSync(join(directory, "a.yaml"), "a: 1\n");
    assertGolden("a.yaml", "a: 1\n", directory, {});
  });

  it("names the file, the line, both texts and the command", () => {
    writeFileSync(join(directory, "a.yaml"), "a: 1\nb: 2\nc: 3\n");
    assert.throws(
      () => assertGolden("a.yaml", "a: 1\nb: 4\nc: 3\n", directory, {}),
      (error: Error) => {
        for (const part of ["tests/golden/a.yaml", "line 2", "  a: 1", "- b: 2", "+ b: 4", "  c: 3", UPDATE_COMMAND]) {
          assert.ok(error.message.includes(part), `${part} is not in ${error.message}`);
        }
        return true;
      },
    );
    assert.equal(readFileSync(join(directory, "a.yaml"), "utf8"), "a: 1\nb: 2\nc: 3\n");
  });

  it("shows what is only at the end of either text", () => {
    assert.match(firstDifference("a\n", "a\nb\n") ?? "", /line 2 .*\n {2}a\n\+ b/);
    assert.match(firstDifference("a\nb\n", "a\n") ?? "", /line 2 .*\n {2}a\n- b/);
    assert.match(firstDifference("a", "a\n") ?? "", /line 2/);
    assert.equal(firstDifference("a\n", "a\n"), undefined);
  });

  it("cuts a long difference short", () => {
    const long = Array.from({ length: 100 }, (_, index) => `line ${index}`).join("\n");
    const shown = firstDifference("", long) ?? "";
    assert.ok(shown.split("\n").length < 20, shown);
    assert.match(shown, /88 lines more/);
  });

  it("writes the file when asked to, and never in CI", () => {
    assertGolden("a.yaml", "new\n", directory, { UPDATE_GOLDEN: "1" });
    assert.equal(readFileSync(join(directory, "a.yaml"), "utf8"), "new\n");
    assert.throws(() => assertGolden("b.yaml", "new\n", directory, { UPDATE_GOLDEN: "1", CI: "true" }), /b\.yaml is missing/);
    assert.equal(existsSync(join(directory, "b.yaml")), false);
    assert.throws(() => assertGolden("a.yaml", "newer\n", directory, { UPDATE_GOLDEN: "1", CI: "true" }), /is not what the program makes/);
    assert.equal(readFileSync(join(directory, "a.yaml"), "utf8"), "new\n");
  });

  it("does not make a missing file without being asked", () => {
    assert.throws(() => assertGolden("a.yaml", "new\n", directory, {}), /a\.yaml is missing/);
    assert.equal(existsSync(join(directory, "a.yaml")), false);
  });
});
