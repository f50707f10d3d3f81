import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Command } from "commander";
import { clusterLookUp } from "./recover/cluster";
import { type Decision, type LookUp, planRecovery } from "./recover/plan";
import { readState } from "./recover/state";
import { type CliAnswer, pulumi } from "./report/stackOutputs";
import { complain, say } from "./terminal";
import { selectCluster } from "./verify/selection";

const PROJECT_DIRECTORY = resolve(__dirname, "..");

/** Exit codes of `npm run recover`. */
export const EXIT = {
  /** Nothing is pending, or (with `--yes`) nothing any more. */
  fine: 0,
  /** Something is pending that only a person can decide about, or the state can't be had or written. */
  open: 1,
} as const;

/** The outside of a recovery. */
export interface Outside {
  /** The Pulumi CLI. */
  cli: (args: readonly string[]) => Promise<CliAnswer>;
  lookUp: LookUp;
  print: (line: string) => void;
}

/**
 * Brings a stack whose engine was killed to where the same update can go on: what the engine had created without seeing the end of it goes
 * into the state, what it had not created is forgotten. The cluster is only read; the state is written in one step, and only with `write`.
 *
 * @throws when the state can't be read or written, such as while an update holds the stack's lock
 * @returns the exit code
 */
export async function recoverStack(stack: string, write: boolean, { cli, lookUp, print }: Outside): Promise<number> {
  const { decisions, state } = await planRecovery(readState(await exportedState(stack, cli)), lookUp);
  if (decisions.length === 0) {
    print(`${stack}: no operation is pending, the next update can go on`);
    return EXIT.fine;
  }
  print(`${stack}: ${count(decisions.length)} pending`);
  for (const line of decisionLines(decisions)) print(`  ${line}`);
  const open = decisions.filter((decision) => decision.open).length;
  const settled = decisions.length - open;
  if (settled === 0) return EXIT.open;
  if (!write) {
    print(`Nothing was changed. To write this into the stack's state: npm run recover -- --stack ${stack} --yes`);
    return open === 0 ? EXIT.fine : EXIT.open;
  }
  await importState(stack, state, cli);
  print(
    open === 0
      ? `Written into the state; now run the same update again: pulumi up --stack ${stack}\n` +
          `To turn back instead, run the one before with --refresh: the cluster may have a part of what was cut short.`
      : `Written into the state, but for ${count(open)}`,
  );
  return open === 0 ? EXIT.fine : EXIT.open;
}

const count = (operations: number): string => `${operations} ${operations === 1 ? "operation is" : "operations are"}`;

/** The decisions for people, one a line. */
export function decisionLines(decisions: readonly Decision[]): string[] {
  return decisions.map(({ operation, outcome }) => `${operation}: ${outcome}`);
}

async function exportedState(stack: string, cli: Outside["cli"]): Promise<unknown> {
  // Without --show-secrets: what is encrypted stays so, there and back.
  const { code, stdout, stderr } = await cli(["stack", "export", "--stack", stack, "--cwd", PROJECT_DIRECTORY, "--non-interactive"]);
  if (code !== 0) throw new Error(`\`pulumi stack export\` failed: ${stderr.trim()}`);
  return JSON.parse(stdout);
}

async function importState(stack: string, state: unknown, cli: Outside["cli"]): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "recover-"));
  const file = join(directory, "state.json");
  try {
    writeFileSync(file, JSON.stringify(state), { mode: 0o600 });
    const { code, stderr } = await cli([
      "stack",
      "import",
      "--stack",
      stack,
      "--file",
      file,
      "--cwd",
      PROJECT_DIRECTORY,
      "--non-interactive",
    ]);
    if (code === 0) return;
    const locked = /locked/i.test(stderr) ? `\nIf no update runs any more, \`pulumi cancel --stack ${stack}\` takes the lock away` : "";
    throw new Error(`\`pulumi stack import\` failed: ${stderr.trim()}${locked}`);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** `npm run recover -- --stack prod`: after an engine that was killed. */
async function main(): Promise<void> {
  const program = new Command("recover")
    .description("After an engine that was killed: say what is pending, and take over what it had created")
    .requiredOption("-s, --stack <name>", "Pulumi stack")
    .option("--yes", "write it into the stack's state; without this it is only said", false)
    .option("--context <name>", "kubeconfig context (default: THANOS_STACK_CONTEXT, then the stack's configuration)")
    .option("--kubeconfig <file>", "kubeconfig file (default: THANOS_STACK_KUBECONFIG, then the stack's configuration, then kubectl's)")
    .addHelpText(
      "after",
      `\nExit codes: ${EXIT.fine} the next update can go on; ${EXIT.open} something is left to be decided, or it failed.`,
    )
    .parse();
  const { yes, ...selection } = program.opts<{ stack: string; yes: boolean; context?: string; kubeconfig?: string }>();
  const cluster = await selectCluster(selection, PROJECT_DIRECTORY, process.env);
  process.exitCode = await recoverStack(selection.stack, yes, {
    cli: pulumi,
    lookUp: clusterLookUp(cluster),
    print: say,
  });
}

if (require.main === module) {
  main().catch((error: unknown) => {
    complain(error);
    process.exitCode = EXIT.open;
  });
}
