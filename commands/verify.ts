/**
 * `npm run verify -- --stack <name>`: shows that a deployed stack works, on any cluster, through nothing but the stack's outputs and a
 * kubeconfig. Exit status: 0 when every check holds, 1 when one fails, 2 when it couldn't begin (no such stack, cluster or option).
 */
import * as path from "node:path";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { connectCluster } from "../clients/cluster";
import { stackName } from "../config/stackFiles";
import { visible } from "../model/values/visibleText";
import type { StackOutputs } from "../outputs";
import { complain } from "./terminal";
import { type Address, addressOf } from "./verify/addresses";
import { isPublic } from "./verify/gateway";
import { REQUEST_TIMEOUT_MS, StackReader } from "./verify/readings";
import { addressLines, resultLines, summary } from "./verify/report";
import { type CheckResult, runChecks } from "./verify/run";
import { type Selection, selectCluster, selectCredentials, selectOutputs, withSelection } from "./verify/selection";
import { stackChecks } from "./verify/stack";

/** Options of {@link verify}. */
export interface VerifyOptions extends Selection {
  /** Longest time in milliseconds to wait for the checks. */
  timeoutMs: number;
  /** Print one JSON document instead of text. */
  json: boolean;
  /** Directory of Pulumi.yaml. Default: this repository. */
  project?: string;
  /** Default: this process'. */
  environment?: NodeJS.ProcessEnv;
  /** Pause in milliseconds between two polls of a check. Default: 1,000. */
  intervalMs?: number;
  /** Least time in milliseconds over which receivers' counters are compared: scrapes come in bursts. Default: 5,000. */
  shortestRateMs?: number;
  /** Takes lines of output. Default: standard output. */
  print?: (line: string) => void;
}

/** Result of {@link verify}. */
export interface VerifyReport {
  ok: boolean;
  stack: string;
  checks: CheckResult[];
  open: Address[];
}

/**
 * Verifies one deployed stack and prints the findings.
 *
 * @throws {Error} when the stack's outputs or its cluster can't be told; what goes wrong later is a failed check
 */
export async function verify(options: VerifyOptions): Promise<VerifyReport> {
  const project = options.project ?? path.resolve(__dirname, "..");
  const print = options.print ?? console.log;
  const environment = options.environment ?? process.env;
  stackName(options.stack, project);
  const [outputs, cluster] = await Promise.all([
    selectOutputs(options, project, environment),
    selectCluster(options, project, environment),
  ]);
  const reader = new StackReader(connectCluster(cluster, { timeoutMs: REQUEST_TIMEOUT_MS }), outputs);
  const credentials = isPublic(outputs) ? await selectCredentials(options, project, environment) : undefined;
  const checks = stackChecks(reader, outputs, options.shortestRateMs, credentials);
  const names = checks.map(({ name }) => name);
  const results = await runChecks(checks, {
    timeoutMs: options.timeoutMs,
    ...(options.intervalMs === undefined ? {} : { intervalMs: options.intervalMs }),
    onResult: (result) => {
      if (!options.json) {
        print(resultLines(result, names).join("\n"));
      }
    },
  });
  const open = await Promise.all(
    toOpen(outputs).map(async ([name, url]) => addressOf(name, url, await reader.clusterIp(url).catch(() => undefined), cluster)),
  );
  const report: VerifyReport = { ok: results.every(({ ok }) => ok), stack: options.stack, checks: results, open };
  print(options.json ? visible(JSON.stringify(report, undefined, 2)) : ["", summary(results), "", ...addressLines(open)].join("\n"));
  return report;
}

function toOpen(outputs: StackOutputs): [string, string][] {
  return [
    ["queries", outputs.queryUrl],
    ...(outputs.querierUrl === outputs.queryUrl ? [] : [["querier", outputs.querierUrl] satisfies [string, string]]),
    ["prometheus", outputs.prometheus.service],
  ];
}

/** Parses `90`, `90s`, `2m` or `500ms` into milliseconds. */
export function parseDuration(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text) ?? [];
  if (number === undefined) {
    throw new InvalidArgumentError("a duration such as 120s, 2m or 500ms is expected.");
  }
  return Number(number) * (unit === "ms" ? 1 : unit === "m" ? 60_000 : 1_000);
}

/**
 * The command.
 *
 * @param args arguments after the command's own name
 * @returns the exit status
 */
export async function main(args: readonly string[], overrides: Partial<VerifyOptions> = {}): Promise<number> {
  const command = withSelection(new Command("verify"))
    .description("Shows that a deployed stack works: scraped, acknowledged, stored, and answered.")
    .option("--timeout <duration>", "longest time to wait for the checks", parseDuration, 120_000)
    .option("--json", "print one JSON document", false)
    .exitOverride();
  try {
    command.parse(args, { from: "user" });
    const { timeout, ...options } = command.opts<Selection & { json: boolean; timeout: number }>();
    return (await verify({ ...options, timeoutMs: timeout, ...overrides })).ok ? 0 : 1;
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? 0 : 2;
    }
    complain(error);
    return 2;
  }
}

if (require.main === module) {
  main(process.argv.slice(2)).then((status) => {
    process.exitCode = status;
  });
}
