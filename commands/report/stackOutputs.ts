import { execFile } from "node:child_process";

/** The outputs that a stack has now, or why they can't be told. */
export type DeployedOutputs = { outputs: Record<string, unknown> } | { unknown: string };

/**
 * Asks the Pulumi CLI for the outputs of a deployed stack.
 *
 * @param further arguments for the CLI, such as `--cwd`
 */
export async function deployedOutputs(stack: string, further: readonly string[] = []): Promise<DeployedOutputs> {
  const { code, stdout, stderr } = await pulumi(["stack", "output", "--json", "--non-interactive", "--stack", stack, ...further]);
  if (code !== 0) {
    const [reason = "it gave no reason"] = stderr.split("\n").filter((line) => line.trim() !== "");
    return { unknown: `\`pulumi stack output\` failed: ${reason.trim()}` };
  }
  try {
    return { outputs: JSON.parse(stdout) as Record<string, unknown> };
  } catch {
    return { unknown: "`pulumi stack output --json` did not answer with JSON" };
  }
}

/** Answer of the CLI. */
export interface CliAnswer {
  code: number;
  stdout: string;
  stderr: string;
}

const LARGEST_ANSWER = 256 * 2 ** 20;

/** Runs the Pulumi CLI of PATH in this process's directory. A CLI that isn't there is an answer too. */
export function pulumi(args: readonly string[]): Promise<CliAnswer> {
  return new Promise((resolve) => {
    const env = { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" };
    execFile("pulumi", [...args], { env, maxBuffer: LARGEST_ANSWER }, (error, stdout, stderr) => {
      if (error === null) resolve({ code: 0, stdout, stderr });
      else if ("code" in error && typeof error.code === "number") resolve({ code: error.code, stdout, stderr });
      else if ("code" in error && error.code === "ENOENT") resolve({ code: 127, stdout, stderr: "the Pulumi CLI is not on PATH" });
      else resolve({ code: 127, stdout, stderr: stderr || error.message });
    });
  });
}
