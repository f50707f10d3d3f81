import assert from "node:assert/strict";
import { type Dirent, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_DIRECTORY } from "../../commands/program";

/** Columns at which Biome wraps code; comments it leaves as they are. */
const { lineWidth } = (JSON.parse(readFileSync(join(PROJECT_DIRECTORY, "biome.json"), "utf8")) as { formatter: { lineWidth: number } })
  .formatter;

/** Directories that hold nothing tracked: packages of others, the repository's own history, output of commands. */
const PASSED_OVER: readonly string[] = ["node_modules", ".git", "out"];

/** Paths of all sources of TypeScript and CommonJS in a directory, from the repository's root. */
function sourcesIn(directory: string): string[] {
  const entries: Dirent[] = readdirSync(join(PROJECT_DIRECTORY, directory), { withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return PASSED_OVER.includes(entry.name) ? [] : sourcesIn(path);
    return entry.isFile() && /\.(?:ts|cjs)$/.test(entry.name) ? [path] : [];
  });
}

/** Docstrings whose first word is "What", on the line of their opening or on the next, by the number of their first line. */
const unnamed = (text: string): number[] =>
  [...text.matchAll(/\/\*\*\s*(?:\n\s*\*\s*)?What\b/g)].map(({ index }) => text.slice(0, index).split("\n").length);

/** Numbers of the lines that are a comment, or a part of one, and wider than code. */
const wide = (text: string): number[] =>
  text.split("\n").flatMap((line, index) => (/^\s*(?:\/\/|\/\*|\*)/.test(line) && [...line].length > lineWidth ? [index + 1] : []));

describe("comments of the sources", () => {
  const sources = sourcesIn("").map((path) => ({ path, text: readFileSync(join(PROJECT_DIRECTORY, path), "utf8") }));
  const places = (linesOf: (text: string) => number[]): string[] =>
    sources.flatMap(({ path, text }) => linesOf(text).map((line) => `${path}:${line}`));

  it("say first what a thing is or does: no docstring begins with What", () => {
    assert.deepEqual(places(unnamed), []);
  });

  it("are wrapped where code is", () => {
    assert.deepEqual(places(wide), []);
  });

  it("are all read", () => {
    for (const path of ["index.ts", "model/plan.ts", "start/index.cjs", "tests/docs/comments.spec.ts"])
      assert.ok(
        sources.some((each) => each.path === path),
        path,
      );
  });

  // The words are put together, so that this file does not fail its own tests.
  const WORD = "What";
  for (const [text, lines] of [
    [`/** ${WORD} a ring is. */`, [1]],
    [`const a = 1;\n  /**\n   * ${WORD} a ring is.\n   */`, [2]],
    [`interface A { b: string /** ${WORD}'s a ring. */ }`, [1]],
    ["/** A ring. What it is. */\n// What it is not.", []],
    ["/**\n * A ring.\n * What it is.\n */", []],
    ["/** Whatever a ring is. */", []],
  ] as const) {
    it(`begins with What, line by line: ${JSON.stringify(text)}`, () => assert.deepEqual(unnamed(text), lines));
  }

  it("is wide from a column more than code", () => {
    const comment = (columns: number) => `// ${"é".repeat(columns - 3)}`;
    assert.deepEqual(wide(`${comment(lineWidth)}\n${comment(lineWidth + 1)}`), [2]);
    assert.deepEqual(wide(`  ${comment(lineWidth - 1)}\n * ${comment(lineWidth)}\nconst a = "${comment(lineWidth)}";`), [1, 2]);
  });
});
