import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const checkout = resolve(__dirname, "..", "..");

/** The packages this machine's stand-ins take the place of the official plugins of. */
const packages = ["kubernetes", "random"] as const;

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Compiling takes longer than all else at a plugin's start, so what has been compiled is run while no source is newer. */
function launcher(name: string, compiled: string): string {
  const tsNode = require.resolve("ts-node/register/transpile-only");
  return `#!/bin/sh
if [ -z "$(find ${quote(__dirname)} -name '*.ts' -newer ${quote(join(compiled, name, "main.js"))} | head -n 1)" ]; then
  NODE_PATH=${quote(join(checkout, "node_modules"))}
  export NODE_PATH
  exec ${quote(process.execPath)} ${quote(join(compiled, name, "main.js"))} "$@"
fi
TS_NODE_PROJECT=${quote(join(checkout, "tsconfig.json"))}
export TS_NODE_PROJECT
exec ${quote(process.execPath)} -r ${quote(tsNode)} ${quote(join(__dirname, name, "main.ts"))} "$@"
`;
}

function sourcesOf(name: string): string[] {
  return ["protocol", name].flatMap((directory) => readdirSync(join(__dirname, directory)).map((file) => join(directory, file)));
}

function modified(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.NEGATIVE_INFINITY;
}

function compile(name: string, target: string): void {
  const sources = sourcesOf(name);
  const newest = Math.max(...sources.map((source) => modified(join(__dirname, source))));
  if (modified(join(target, name, "main.js")) > newest) {
    return;
  }
  const typescript = require("typescript") as typeof import("typescript");
  const { CommonJS } = typescript.ModuleKind;
  const compilerOptions = { module: CommonJS, target: typescript.ScriptTarget.ES2022, esModuleInterop: true };
  // The entry comes last: its time says that all of them are compiled.
  for (const source of sources.sort((a, b) => Number(a.endsWith("main.ts")) - Number(b.endsWith("main.ts")))) {
    const path = join(target, source.replace(/\.ts$/, ".js"));
    const { outputText } = typescript.transpileModule(readFileSync(join(__dirname, source), "utf8"), { compilerOptions, fileName: source });
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, outputText);
  }
}

/**
 * Puts the stand-in provider plugins where the engine looks for installed ones, under the exact versions of the npm packages
 * in this checkout, so that a program that uses those packages runs on them. What is in place already is left as it is.
 *
 * @param pulumiHome the engine's PULUMI_HOME.
 */
export function installPlugins(pulumiHome: string): void {
  for (const name of packages) {
    const { version } = require(`@pulumi/${name}/package.json`) as { version: string };
    // The engine takes an executable of this name as the plugin; a PulumiPlugin.yaml is only read where there is none.
    const directory = resolve(pulumiHome, "plugins", `resource-${name}-v${version}`);
    const path = join(directory, `pulumi-resource-${name}`);
    const compiled = join(directory, "compiled");
    compile(name, compiled);
    const content = launcher(name, compiled);
    if (!existsSync(path) || readFileSync(path, "utf8") !== content) {
      writeFileSync(path, content);
      chmodSync(path, 0o755);
    }
  }
}
