import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PLATFORM_OUTPUTS } from "./program";

const ROOT = join(__dirname, "..", "..");
const SOURCE = join(ROOT, "outputs");
const FILES = ["index.ts", "package.json", "tsconfig.json", "README.md"];

describe("the outputs' reader as a package", function () {
  this.timeout(120_000);
  const directory = mkdtempSync(join(tmpdir(), "outputs-"));
  const consumer = join(directory, "consumer");
  const installed = join(consumer, "node_modules", "thanos-stack-outputs");

  before(() => {
    const copy = join(directory, "outputs");
    for (const file of FILES) cpSync(join(SOURCE, file), join(copy, file));
    symlinkSync(join(ROOT, "node_modules"), join(directory, "node_modules"));
    execFileSync("npm", ["run", "--silent", "build"], {
      cwd: copy,
      env: { ...process.env, PATH: `${join(ROOT, "node_modules", ".bin")}:${process.env.PATH}` },
    });
    // The package that is published is what npm packs of dist, no more.
    const [packed] = JSON.parse(execFileSync("npm", ["pack", "--json", "--silent", "./dist"], { cwd: copy, encoding: "utf8" })) as {
      filename: string;
    }[];
    mkdirSync(installed, { recursive: true });
    execFileSync("tar", ["-xzf", join(copy, packed?.filename ?? ""), "--strip-components=1", "-C", installed]);
  });
  after(() => rmSync(directory, { recursive: true }));

  it("is used by a program that has nothing else installed", () => {
    const outputs = JSON.stringify(PLATFORM_OUTPUTS);
    const script = `console.log(require("thanos-stack-outputs").remoteWriteUrl(require("thanos-stack-outputs").readOutputs(${outputs})))`;
    // Without the link to this repository's modules, nothing but the package itself is found.
    rmSync(join(directory, "node_modules"));
    try {
      const printed = execFileSync(process.execPath, ["-e", script], { cwd: consumer, encoding: "utf8", env: { PATH: process.env.PATH } });
      assert.equal(printed.trim(), PLATFORM_OUTPUTS.remoteWriteUrl);
    } finally {
      symlinkSync(join(ROOT, "node_modules"), join(directory, "node_modules"));
    }
  });

  it("has types for both of TypeScript's ways of resolving modules", () => {
    const use = `import { awaitStackOutputs, readOutputs, receiveOutputs } from "thanos-stack-outputs";
      type Reference = Parameters<typeof awaitStackOutputs>[0];
      export const url = async (of: Reference): Promise<string> => receiveOutputs(await awaitStackOutputs(of)).remoteWriteUrl;
      // @ts-expect-error It is a text.
      export const count: number = readOutputs({}).queryUrl;`;
    writeFileSync(join(consumer, "use.ts"), use);
    for (const resolution of [{ module: "nodenext" }, { module: "commonjs", moduleResolution: "node10" }]) {
      const compilerOptions = { noEmit: true, strict: true, skipLibCheck: true, target: "es2022", types: [], ...resolution };
      writeFileSync(join(consumer, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["use.ts"] }));
      const { status, stdout } = spawnSync(process.execPath, [join(ROOT, "node_modules", "typescript", "bin", "tsc")], {
        cwd: consumer,
        encoding: "utf8",
      });
      assert.equal(status, 0, stdout);
    }
  });

  it("depends on nothing at run time", () => {
    const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as Record<string, object>;
    assert.equal(manifest.dependencies, undefined);
    assert.deepEqual(Object.keys(manifest.peerDependencies ?? {}), ["@pulumi/pulumi"]);
    assert.doesNotMatch(readFileSync(join(installed, "index.js"), "utf8"), /require\(/);
    assert.ok(!existsSync(join(installed, "index.ts")));
  });
});
