import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const checkout = resolve(__dirname, "..", "..");

/** The packages this machine's stand-ins take the place of the official plugins of. */
const packages = ["kubernetes", "random"] as const;

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function launcher(name: string): string {
  const tsNode = require.resolve("ts-node/register/transpile-only");
  return `#!/bin/sh
TS_NODE_PROJECT=${quote(join(checkout, "tsconfig.json"))}
export TS_NODE_PROJECT
exec ${quote(process.execPath)} -r ${quote(tsNode)} ${quote(join(__dirname, name, "main.ts"))} "$@"
`;
}

function write(path: string, content: string): void {
  try {
    if (readFileSync(path, "utf8") === content) {
      return;
    }
  } catch {
    // Not there yet.
  }
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

/**
 * Puts the stand-in provider plugins where the engine looks for installed ones, under the exact versions of the npm packages
 * in this checkout, so that a program that uses those packages runs on them. Does nothing that has been done before.
 *
 * @param pulumiHome the engine's PULUMI_HOME.
 */
export function installPlugins(pulumiHome: string): void {
  for (const name of packages) {
    const { version } = require(`@pulumi/${name}/package.json`) as { version: string };
    // The engine takes an executable of this name as the plugin; a PulumiPlugin.yaml is only read where there is none.
    const path = join(pulumiHome, "plugins", `resource-${name}-v${version}`, `pulumi-resource-${name}`);
    write(path, launcher(name));
    chmodSync(path, 0o755);
  }
}
