import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { REGISTER_INSTANCE } from "ts-node";
import { PROJECT_DIRECTORY } from "../../config/stackFiles";

const { transpile } = require("../../start/transpiler.cjs") as { transpile: (file: string) => { code: string } };

/** Files of this repository that the program can load. */
const programFiles = (): string[] => [
  join(PROJECT_DIRECTORY, "index.ts"),
  ...["config", "components", "objects", "model", "gates", "clients", "outputs"].flatMap((directory) =>
    readdirSync(join(PROJECT_DIRECTORY, directory), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
      .map((entry) => join(entry.parentPath, entry.name)),
  ),
];

/** The code that runs, without the source map at its end. */
const running = (code: string): string => code.replace(/\n\/\/# sourceMappingURL=.*\s*$/, "").trimEnd();

describe("start: transpiler", () => {
  it("makes of every file of the program what ts-node makes of it for tests and commands", () => {
    const tsNode = process[REGISTER_INSTANCE];
    assert.ok(tsNode !== undefined, "tests run without ts-node");
    const files = programFiles();
    const other = files.filter((file) => running(transpile(file).code) !== running(tsNode.compile(readFileSync(file, "utf8"), file)));
    assert.deepEqual(
      other.map((file) => relative(PROJECT_DIRECTORY, file)),
      [],
    );
    assert.ok(files.length > 200, "the check sees no files");
  });

  it("says where a file is no TypeScript", () => {
    const directory = mkdtempSync(join(tmpdir(), "start-"));
    try {
      const file = join(directory, "broken.ts");
      writeFileSync(file, "const a = 1;\nconst b: = 2;\n");
      assert.throws(() => transpile(file), /broken\.ts:2/);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
