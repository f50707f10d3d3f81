import assert from "node:assert/strict";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { execa } from "execa";
import { type HostedProgram, underHost } from "../../bench/pulumiHost";
import { type SilentEngine, silentEngine } from "../../bench/silentEngine";
import { engineConfig } from "../../commands/engineConfig";
import { PROJECT_DIRECTORY, stackConfig } from "../../config/stackFiles";

const NOTHING = { texts: {}, secretKeys: [] };

describe("start: what the engine runs", function () {
  this.timeout(120_000);
  let scratch: string;
  let engine: SilentEngine;

  before(async () => {
    scratch = mkdtempSync(join(tmpdir(), "start-"));
    engine = await silentEngine();
    writeFileSync(
      join(scratch, "loaded.js"),
      `const file = ${JSON.stringify(join(scratch, "loaded.json"))};
      // What stands in for a module has no parent.
      const real = () => Object.values(require.cache).filter((module) => module.parent !== undefined);
      process.on("exit", () => require("node:fs").writeFileSync(file, JSON.stringify(real().map(({ filename }) => filename))));`,
    );
  });

  after(() => {
    engine.close();
    rmSync(scratch, { recursive: true });
  });

  /** Files that a program loads under Pulumi's own host. */
  async function loadedBy(program: HostedProgram): Promise<string[]> {
    const { exitCode, stderr } = await underHost(program, engine, join(scratch, "loaded.js"));
    assert.equal(exitCode, 0, [...engine.errors(), stderr].join("\n"));
    return JSON.parse(readFileSync(join(scratch, "loaded.json"), "utf8")) as string[];
  }

  /** Packages that take long to load, and the files by which they would be. */
  const HEAVY = [
    "/typescript/lib/typescript.js",
    "/@npmcli/arborist/lib/index.js",
    "/normalize-package-data/lib/normalize.js",
    "/fdir/dist/index.cjs",
    "/@pulumi/pulumi/automation/index.js",
    "/zod/v4/locales/index.cjs",
    "/@pulumi/kubernetes/index.js",
    "/@kubernetes/client-node/dist/index.js",
    "/@peculiar/x509/build/x509.cjs.js",
    "/ts-node/dist/index.js",
  ];

  it("dev is registered, and loads no compiler, no client and no library of certificates, which it does not use", async () => {
    for (const file of HEAVY) assert.ok(existsSync(join(PROJECT_DIRECTORY, "node_modules", file)), `there is no ${file}`);
    const before = engine.registered();
    const files = await loadedBy({ directory: PROJECT_DIRECTORY, stack: "dev", config: engineConfig(stackConfig("dev")) });
    assert.deepEqual(
      files.filter((file) => HEAVY.some((heavy) => file.endsWith(heavy))),
      [],
    );
    assert.ok(engine.registered() - before > 40, "nothing is registered");
    for (const part of ["/index.ts", "/@pulumi/pulumi/index.js", "/@pulumi/kubernetes/core/v1/index.js"])
      assert.ok(
        files.some((file) => file.endsWith(part)),
        `the check does not see ${part}`,
      );
  });

  /** A project that starts as this one does, with another program. */
  function programOf(name: string, lines: readonly string[]): HostedProgram {
    const directory = join(scratch, name);
    cpSync(join(PROJECT_DIRECTORY, "start"), join(directory, "start"), { recursive: true });
    for (const file of ["package.json", "Pulumi.yaml"]) cpSync(join(PROJECT_DIRECTORY, file), join(directory, file));
    symlinkSync(join(PROJECT_DIRECTORY, "node_modules"), join(directory, "node_modules"));
    writeFileSync(join(directory, "index.ts"), `${lines.join("\n")}\n`);
    return { directory, stack: name, config: NOTHING };
  }

  it("an error of the program shows the file and the line of TypeScript", async () => {
    const program = programOf("program", [
      'import * as pulumi from "@pulumi/pulumi";',
      "interface Erased {",
      "  readonly whole: string;",
      "}",
      "function fails(given: Erased): never {",
      "  throw new TypeError('no ' + given.whole);",
      "}",
      'export = async () => ({ never: pulumi.output(fails({ whole: "luck" })) });',
    ]);
    const { exitCode } = await underHost(program, engine, join(scratch, "loaded.js"));
    assert.notEqual(exitCode, 0);
    const error = stripVTControlCharacters(engine.errors().find((each) => each.includes("no luck")) ?? "");
    assert.match(error, /TypeError: no luck/);
    assert.match(error, /at fails \(.*\/program\/index\.ts:6:9\)/);
    assert.match(error, /at .*\/program\/index\.ts:8:\d+/);
  });

  it("a promise that never settles shows where it was made", async () => {
    const program = programOf("waits", [
      'import * as pulumi from "@pulumi/pulumi";',
      "interface Erased {",
      "  readonly whole: string;",
      "}",
      "const never = new Promise<Erased>(() => undefined);",
      'const waits = () => new pulumi.ComponentResource("a:b:C", "c", { never }, {}, true);',
      "export = async () => void waits();",
    ]);
    const { exitCode, stderr } = await underHost(program, engine, join(scratch, "loaded.js"), { PULUMI_DEBUG_PROMISE_LEAKS: "true" });
    assert.notEqual(exitCode, 0);
    assert.match(stderr, /STACK_TRACE:\nError: (.*\n)*.*at waits \(.*\/waits\/index\.ts:6:\d+\)/);
  });

  it("a function is serialized with what it uses of the file around it, also of files that were loaded before", async () => {
    const program = programOf("serializes", [
      'import * as pulumi from "@pulumi/pulumi";',
      'const around = { text: "from around" };',
      "const sayIt = () => around.text;",
      "const native = sayIt.bind(undefined);",
      "const unknown = () => native();",
      "export = async () => {",
      "  const { text } = await pulumi.runtime.serializeFunction(sayIt);",
      '  if (!text.includes("from around")) throw new Error(text);',
      "  await pulumi.runtime.serializeFunction(unknown);",
      "};",
    ]);
    const { exitCode } = await underHost(program, engine, join(scratch, "loaded.js"));
    assert.notEqual(exitCode, 0);
    const error = stripVTControlCharacters(engine.errors().at(-1) ?? "");
    assert.match(error, /'native', a function .*which could not be serialized/s);
    assert.match(error, /index\.ts\(\d+,\d+\)/);
  });

  it("messages for --debug are sent where its variable is set, and cost nothing where it is not", async () => {
    const dev = { directory: PROJECT_DIRECTORY, stack: "dev", config: engineConfig(stackConfig("dev")) };
    const sent = async (env: Readonly<Record<string, string>>) => {
      const before = engine.debugMessages();
      await underHost(dev, engine, join(scratch, "loaded.js"), env);
      return engine.debugMessages() - before;
    };
    const [asked, silent] = [await sent({ PULUMI_OPTION_DEBUG: "true" }), await sent({ PULUMI_OPTION_DEBUG: "false" })];
    assert.ok(asked > 100, `${asked} messages`);
    assert.ok(silent < 10, `${silent} messages`);
  });

  it("the variable of --debug is read as the CLI reads it", async () => {
    const script = `
      const log = require("@pulumi/pulumi/log");
      const { debug } = log;
      const { debugMessagesOnDemand } = require("./start/messages.cjs");
      const sends = (value) => {
        log.debug = debug;
        process.env.PULUMI_OPTION_DEBUG = value;
        debugMessagesOnDemand();
        return log.debug === debug;
      };
      console.log(JSON.stringify(["true", "1", "TRUE", "false", "0", ""].map(sends)));`;
    const { stdout } = await execa("node", ["-e", script], { cwd: PROJECT_DIRECTORY });
    assert.deepEqual(JSON.parse(stdout), [true, true, true, false, false, false]);
  });

  it("what is put off is loaded when it is asked for", async () => {
    const script = `
      require("./start/deferred.cjs").deferUnused();
      const pulumi = require("@pulumi/pulumi");
      const zod = require("zod");
      const loaded = () => ["typescript/lib/typescript.js", "arborist/lib/index.js", "pulumi/automation/index.js", "locales/index.cjs"]
        .map((end) => Object.keys(require.cache).some((file) => file.endsWith(end) && require.cache[file].parent !== undefined));
      (async () => {
        const before = loaded();
        const one = 1;
        const { text } = await pulumi.runtime.serializeFunction(() => one);
        const typescript = loaded()[0];
        await pulumi.runtime.computeCodePaths({});
        const workspace = typeof pulumi.automation.LocalWorkspace;
        const german = typeof zod.locales.de;
        console.log(JSON.stringify({ before, typescript, serialized: text.includes("one"), workspace, german, after: loaded() }));
      })();`;
    const { stdout } = await execa("node", ["-e", script], { cwd: PROJECT_DIRECTORY });
    assert.deepEqual(JSON.parse(stdout), {
      before: [false, false, false, false],
      typescript: true,
      serialized: true,
      workspace: "function",
      german: "function",
      after: [true, true, true, true],
    });
  });
});
