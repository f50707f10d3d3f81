import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Auditor } from "./auditors";

/** Where auditors are: on PATH in the pinned version, or in a cache outside the checkout, where they are installed once. */

const run = promisify(execFile);
const MOST_OUTPUT_BYTES = 256 * 2 ** 20;
const LONGEST_AUDIT_MILLISECONDS = 600_000;
/** Go's settings: this Go release and no other, no workspace, no C library. */
const GO_ENVIRONMENT = { GOTOOLCHAIN: "local", GOWORK: "off", CGO_ENABLED: "0", GOFLAGS: "" };

/** A program, with the arguments that come before all others. */
export type Call = readonly [program: string, ...args: string[]];

/** The directory of the auditors: `$XDG_CACHE_HOME/thanos-stack/auditors`, by default in ~/.cache. */
export const auditorsDirectory = (env: NodeJS.ProcessEnv = process.env): string =>
  join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), ".cache"), "thanos-stack", "auditors");

/** How an auditor of a directory is called. */
const inDirectory = ({ name, source }: Auditor, directory: string): Call =>
  "go" in source ? [join(directory, "bin", name)] : [join(directory, "bin", "python3"), "-m", source.module];

/**
 * The program of an auditor, installed where it is nowhere yet.
 *
 * @param report told that it is installed now
 * @throws {Error} if that fails, with what Go or pip says
 */
export async function programOf(auditor: Auditor, cache: string, report: (text: string) => void): Promise<Call> {
  if (await isOnPath(auditor)) return [auditor.name];
  const { name, version } = auditor;
  const directory = join(cache, `${name}-${version}`);
  if (!existsSync(directory)) {
    report(`${name} ${version} is installed to ${directory}`);
    await mkdir(cache, { recursive: true });
    // Renamed when it is complete, so that an interrupted installation leaves nothing that counts.
    const temporary = await mkdtemp(`${directory}.`);
    try {
      await install(auditor, temporary);
      await rename(temporary, directory);
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  }
  return inDirectory(auditor, directory);
}

async function isOnPath({ name, onPath }: Auditor): Promise<boolean> {
  try {
    const { stdout } = await run(name, [...onPath.args]);
    return onPath.answer.test(stdout);
  } catch {
    return false;
  }
}

async function install({ source, version }: Auditor, directory: string): Promise<void> {
  const steps: { call: Call; env?: NodeJS.ProcessEnv }[] =
    "go" in source
      ? [
          {
            call: ["go", "install", "-trimpath", `${source.go}@v${version}`],
            env: { ...GO_ENVIRONMENT, ...source.environment, GOBIN: join(directory, "bin") },
          },
        ]
      : [
          { call: ["python3", "-m", "venv", directory] },
          { call: [join(directory, "bin", "python3"), "-m", "pip", "install", "--quiet", `${source.pip}==${version}`] },
        ];
  for (const { call, env } of steps) {
    const [program, ...args] = call;
    await run(program, args, { env: { ...process.env, ...env }, maxBuffer: MOST_OUTPUT_BYTES });
  }
}

/**
 * Runs an auditor. Most of them exit 1 where a check fails, and answer all the same.
 *
 * @param directory its working directory
 * @throws {Error} without an answer in JSON, with what the auditor says instead
 */
export async function answerOf([program, ...first]: Call, args: readonly string[], directory: string): Promise<unknown> {
  const options = { cwd: directory, maxBuffer: MOST_OUTPUT_BYTES, timeout: LONGEST_AUDIT_MILLISECONDS };
  const { stdout, stderr } = await run(program, [...first, ...args], options).catch(
    (error: { code?: unknown; stdout?: string; stderr?: string }) => {
      if (error.code !== 1) throw error;
      return { stdout: error.stdout ?? "", stderr: error.stderr ?? "" };
    },
  );
  try {
    return JSON.parse(stdout);
  } catch {
    throw new Error(`${program} gives no JSON: ${stderr || stdout || "it says nothing"}`);
  }
}
