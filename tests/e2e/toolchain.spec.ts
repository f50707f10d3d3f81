import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import { PROJECT_DIRECTORY } from "../../commands/program";

/** The real wheels, on a PATH that has everything of this machine but Node.js and Go. */
describe("a machine without Node.js and Go", function () {
  this.timeout(600_000);

  let root: string;
  let path: string;
  before(() => {
    root = mkdtempSync(join(tmpdir(), "bare-"));
    const machine = join(root, "machine");
    mkdirSync(machine);
    const without = new Set(["node", "nodejs", "npm", "npx", "corepack", "go", "gofmt"]);
    const seen = new Set<string>();
    // As a shell looks: the first of a name counts.
    for (const directory of new Set((process.env.PATH ?? "").split(delimiter))) {
      for (const program of listed(directory)) {
        if (without.has(program) || seen.has(program)) continue;
        seen.add(program);
        symlinkSync(join(directory, program), join(machine, program));
      }
    }
    path = machine;
  });
  after(() => rmSync(root, { recursive: true, force: true }));

  it("gets both, and writes the same manifests with them", async () => {
    const on = { cwd: PROJECT_DIRECTORY, env: { PATH: path, XDG_CACHE_HOME: join(root, "cache") } };
    const made = await execa("make", ["--silent", "path"], on);
    assert.match(made.stderr, /Node\.js: fetching .*\n(.*\n)*Go: fetching /, `${made.stderr}\n${made.stdout}`);
    path = made.stdout;
    assert.ok(path.startsWith(join(root, "cache/thanos-stack/toolchain/bin:")), path);

    const fetched = { ...on, env: { ...on.env, PATH: path, GOTOOLCHAIN: "local" } };
    const pinned = (file: string): string | undefined =>
      /==(\S+)/.exec(readFileSync(join(PROJECT_DIRECTORY, "sandbox/toolchain", file), "utf8"))?.[1];
    assert.equal((await execa("node", ["--version"], fetched)).stdout, `v${pinned("node.txt")}`);
    assert.match((await execa("npm", ["--version"], fetched)).stdout, /^\d+\./);
    assert.ok((await execa("go", ["version"], fetched)).stdout.startsWith(`go version go${pinned("go.txt")} `));
    assert.equal((await execa("make", ["--silent", "path"], fetched)).stderr, "");

    const { stdout } = await execa("npm", ["run", "--silent", "render", "--", "--stack", "dev"], fetched);
    assert.equal(`${stdout}\n`, readFileSync(join(PROJECT_DIRECTORY, "tests/golden/dev.yaml"), "utf8"));
  });
});

function listed(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
