import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { parse } from "yaml";
import type { EngineConfig } from "../commands/engineConfig";
import type { SilentEngine } from "./silentEngine";

/** A program with its `Pulumi.yaml` and its packages, and a stack of it. */
export interface HostedProgram {
  readonly directory: string;
  readonly stack: string;
  readonly config: EngineConfig;
}

/** Settings in `runtime.options` of a `Pulumi.yaml`. */
interface RuntimeOptions {
  readonly typescript?: boolean;
  readonly tsconfig?: string;
}

/** Variables that Pulumi's Node.js host gives a program of such options (sdk/nodejs/cmd/pulumi-language-nodejs of Pulumi 3.248.0). */
function variables(directory: string): Record<string, string> {
  const project = parse(readFileSync(join(directory, "Pulumi.yaml"), "utf8")) as { runtime: { options?: RuntimeOptions } };
  const { typescript = true, tsconfig } = project.runtime.options ?? {};
  return {
    PULUMI_NODEJS_TYPESCRIPT: String(typescript),
    ...(tsconfig === undefined ? {} : { PULUMI_NODEJS_TSCONFIG_PATH: join(directory, tsconfig) }),
  };
}

/**
 * Runs a program as Pulumi's Node.js host does for a preview.
 *
 * @param preload a file of CommonJS that the program's process loads first
 * @param env further variables of its environment
 * @returns its exit code, and what it wrote to stderr
 */
export async function underHost(
  { directory, stack, config }: HostedProgram,
  engine: SilentEngine,
  preload: string,
  env: Readonly<Record<string, string>> = {},
): Promise<{ exitCode: number | undefined; stderr: string }> {
  const host = join(directory, "node_modules", "@pulumi", "pulumi", "cmd", "run");
  const flags = [
    "--monitor",
    engine.address,
    "--engine",
    engine.address,
    "--project",
    "thanos-stack",
    "--stack",
    stack,
    "--pwd",
    directory,
  ];
  const { exitCode, stderr } = await execa("node", [host, ...flags, "--dry_run", "true", "--parallel", "16", "."], {
    cwd: directory,
    reject: false,
    env: {
      PULUMI_CONFIG: JSON.stringify(config.texts),
      PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(config.secretKeys),
      ...variables(directory),
      NODE_OPTIONS: `--require=${preload}`,
      ...env,
    },
  });
  return { exitCode, stderr };
}
