import { writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { execa } from "execa";
import { paths } from "../../sandbox/paths";
import { installPlugins } from "../../sandbox/plugins/install";
import { alone, filesOf, STAGES, type Stage } from "./stages";

/**
 * Runs this tier: every file, as {@link STAGES} has them share the cluster that runs, or the files that are named, one after the other.
 * What is missing of the cluster is made before each stage, and all of it anew before every file together and after a stage that failed.
 * Each file has a process of its own, which ends with its tests, whatever one that ran out of time has left going on in it.
 *
 * usage: run.ts [FILE...] [-- option of mocha...]
 */

const SANDBOX = ["-r", "ts-node/register/transpile-only", "sandbox/cli.ts"];
const MOCHA = ["--no-config", "--require", "ts-node/register/transpile-only", "--forbid-only", "--exit", "--timeout", "0"];

/** Runs a command of the sandbox, each line of its output behind a name where others run beside it. */
async function sandbox(args: readonly string[], name?: string): Promise<boolean> {
  const named = name === undefined ? "inherit" : ([line(name), "inherit"] as const);
  const { failed } = await execa("node", [...SANDBOX, ...args], { reject: false, stdin: "ignore", stdout: named, stderr: named });
  return !failed;
}

/** Puts a file's name before each line of its output. */
const line = (name: string) =>
  function* (text: unknown) {
    yield `${name.padEnd(16)} ${String(text)}`;
  };

/** Runs files one after the other; the names of those that failed. */
async function runLane(files: readonly string[], options: readonly string[], beside: boolean): Promise<string[]> {
  const failed: string[] = [];
  for (const file of files) {
    console.log(`== tests/e2e/${file}.spec.ts`);
    const passed = await sandbox(
      ["run", "--", "npx", "mocha", ...MOCHA, ...options, `tests/e2e/${file}.spec.ts`],
      beside ? file : undefined,
    );
    if (!passed) failed.push(file);
  }
  return failed;
}

async function runStage(lanes: Stage, options: readonly string[]): Promise<string[]> {
  const failed = await Promise.all(lanes.map((files) => runLane(files, options, lanes.length > 1)));
  return failed.flat();
}

async function main(): Promise<void> {
  const end = process.argv.indexOf("--");
  const named = process.argv.slice(2, end < 0 ? undefined : end).map((path) => basename(path, ".spec.ts"));
  const options = end < 0 ? [] : process.argv.slice(end + 1);
  const stages = named.length > 0 ? alone(named) : STAGES;
  const failed: string[] = [];
  let clusterSeconds = 0;
  const timed = async (...args: string[]) => {
    const began = Date.now();
    const passed = await sandbox(args);
    clusterSeconds += (Date.now() - began) / 1_000;
    return passed;
  };
  // A cluster that somebody left there is not what is tested.
  let broken = named.length === 0;
  for (const stage of stages) {
    if (broken && !(await timed("down"))) failed.push("down");
    if (!(await timed("cluster", "up", "--for-tests"))) {
      failed.push(...filesOf(stage));
      broken = true;
      continue;
    }
    // Two files that begin at once would each compile what the other starts.
    installPlugins(paths().pulumiHome);
    const failedNow = await runStage(stage, options);
    broken = failedNow.length > 0;
    failed.push(...failedNow);
  }
  const results = process.env.MOCHA_RESULTS;
  if (results !== undefined && results !== "") writeFileSync(join(results, "cluster-seconds"), String(clusterSeconds));
  if (failed.length > 0) {
    console.error(`failed: ${failed.join(", ")}`);
    process.exitCode = 1;
  }
}

void main();
