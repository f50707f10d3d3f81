/**
 * `npm run capacity -- --stack <name>`: what a deployed stack takes, beside what its plan said, from the stack's own metrics through its
 * querier. Exit status: 0 when it was read, whatever it says; 2 when it could not be (no such stack, cluster, load or option).
 */
import * as path from "node:path";
import { Command, CommanderError } from "commander";
import { connectCluster } from "../clients/cluster";
import { stackName } from "../config/stackFiles";
import type { Capacity } from "../model/capacity/types";
import { visible } from "../model/values/visibleText";
import type { StackOutputs } from "../outputs";
import { type CapacityVerdict, judgeCapacity } from "./capacity/judgement";
import { readCapacity } from "./capacity/readings";
import { capacityLines } from "./capacity/report";
import { complain } from "./terminal";
import { REQUEST_TIMEOUT_MS, StackReader } from "./verify/readings";
import { type Selection, selectCluster, selectOutputs, withSelection } from "./verify/selection";

/** Options of {@link compareCapacity}. */
export interface CapacityOptions extends Selection {
  /** Print one JSON document instead of text. */
  json: boolean;
  /** Directory of Pulumi.yaml. Default: this repository. */
  project?: string;
  /** Default: this process'. */
  environment?: NodeJS.ProcessEnv;
  /** Milliseconds since the epoch. Default: now. */
  nowMs?: number;
  /** Takes lines of output. Default: standard output. */
  print?: (line: string) => void;
}

/**
 * The capacity of the deployed plan, from the outputs of its stack.
 *
 * @throws {Error} where the stack names no load, or was deployed by a version that does not say what its heads hold
 */
export function deployedCapacity({ capacity }: StackOutputs, stack: string): Capacity {
  const known = capacity as Partial<Capacity> | undefined;
  if (known?.heads === undefined || known.components === undefined) {
    const found = capacity === undefined ? "is not there" : "is of another version of this program";
    throw new Error(
      `stack ${stack}: the output capacity ${found}, so that there is nothing to compare with. Accepted: a stack file with \`load\`, and an update with this version`,
    );
  }
  return known as Capacity;
}

/** Reads one deployed stack, and prints what it takes beside what its plan said. */
export async function compareCapacity(options: CapacityOptions): Promise<CapacityVerdict> {
  const project = options.project ?? path.resolve(__dirname, "..");
  const environment = options.environment ?? process.env;
  const print = options.print ?? console.log;
  const nowMs = options.nowMs ?? Date.now();
  stackName(options.stack, project);
  const [outputs, cluster] = await Promise.all([
    selectOutputs(options, project, environment),
    selectCluster(options, project, environment),
  ]);
  const capacity = deployedCapacity(outputs, options.stack);
  const reader = new StackReader(connectCluster(cluster, { timeoutMs: REQUEST_TIMEOUT_MS }), outputs);
  const verdict = judgeCapacity(capacity, await readCapacity(reader.queries(outputs.querierUrl), capacity, outputs, nowMs), nowMs);
  print(visible(options.json ? JSON.stringify(verdict, undefined, 2) : capacityLines(verdict, nowMs).join("\n")));
  return verdict;
}

/**
 * The command.
 *
 * @param args arguments after the command's own name
 * @returns the exit status
 */
export async function main(args: readonly string[], overrides: Partial<CapacityOptions> = {}): Promise<number> {
  const command = withSelection(new Command("capacity"))
    .description("Shows what a deployed stack takes beside what its plan said, and when its first limit is met.")
    .option("--json", "print one JSON document", false)
    .exitOverride();
  try {
    command.parse(args, { from: "user" });
    await compareCapacity({ ...command.opts<Selection & { json: boolean }>(), ...overrides });
    return 0;
  } catch (error) {
    if (!(error instanceof CommanderError)) complain(error);
    else if (error.exitCode === 0) return 0;
    return 2;
  }
}

if (require.main === module) {
  main(process.argv.slice(2)).then((status) => {
    process.exitCode = status;
  });
}
