/** Which stack is meant: its outputs, and the cluster it is on. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import type { Command } from "commander";
import type { ClusterAddress } from "../../clients/apiServer";
import { messageOf } from "../../clients/transport";
import { kubeconfigFiles, kubeconfigOf } from "../../config/kubeconfig";
import { stackConfig, stackName, stackNames, stacksWithFiles } from "../../config/stackFiles";
import { readOutputs, type StackOutputs } from "../../outputs";

/** Choices of the command line. */
export interface Selection {
  /** Stack name, such as `dev` or `organization/thanos-stack/dev`. */
  stack: string;
  /** File with the outputs as `pulumi stack output --json` prints them. Default: the Pulumi CLI is asked. */
  outputs?: string;
  context?: string;
  kubeconfig?: string;
}

/** Adds the options of a {@link Selection} to a command. */
export const withSelection = (command: Command): Command =>
  command
    .requiredOption("--stack <name>", "Pulumi stack")
    .option("--context <name>", "kubeconfig context (default: THANOS_STACK_CONTEXT, then the stack's configuration)")
    .option("--kubeconfig <file>", "kubeconfig file (default: THANOS_STACK_KUBECONFIG, then the stack's configuration, then kubectl's)")
    .option("--outputs <file>", "read the stack's outputs from a JSON file instead of from Pulumi");

/** The cluster a stack is on could not be told. */
export class SelectionError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "SelectionError";
  }
}

const CLUSTER_KEY = "thanos-stack:cluster";

/**
 * The outputs of the stack, from a file or from the Pulumi CLI on the PATH (its backend and login are those of the shell).
 *
 * @param project directory of Pulumi.yaml
 * @throws {SelectionError} when they can't be had
 * @throws {StackOutputsError} when they are not those of a thanos-stack stack
 */
export async function selectOutputs(selection: Selection, project: string, environment: NodeJS.ProcessEnv): Promise<StackOutputs> {
  const text =
    selection.outputs === undefined
      ? await pulumi(["stack", "output", "--json", "--stack", selection.stack], project, environment)
      : await readText(selection.outputs);
  return readOutputs(parseObject(text, selection.outputs ?? `stack ${selection.stack}`));
}

/** Current tokens of the gateway, by tenant and by reader. */
export interface Credentials {
  tenants: Record<string, string>;
  readers: Record<string, string>;
}

/**
 * The stack's tokens, from the file of outputs or, as a secret, from the Pulumi CLI; undefined where they are in neither, or whoever asks
 * can't decrypt them.
 */
export async function selectCredentials(
  selection: Selection,
  project: string,
  environment: NodeJS.ProcessEnv,
): Promise<Credentials | undefined> {
  const read = async (): Promise<unknown> =>
    selection.outputs === undefined
      ? JSON.parse(
          await pulumi(["stack", "output", "credentials", "--json", "--show-secrets", "--stack", selection.stack], project, environment),
        )
      : parseObject(await readText(selection.outputs), selection.outputs).credentials;
  const value = await read().catch(() => undefined);
  if (!isObject(value)) return undefined;
  const tokens = (of: unknown) =>
    Object.fromEntries(Object.entries(isObject(of) ? of : {}).filter((each): each is [string, string] => typeof each[1] === "string"));
  return { tenants: tokens(value.tenants), readers: tokens(value.readers) };
}

/**
 * The kubeconfig and context of the stack's cluster. Each is taken from the command line, else from `THANOS_STACK_KUBECONFIG` and
 * `THANOS_STACK_CONTEXT`, else from the stack's configuration (`thanos-stack:cluster`). A kubeconfig's current context is never used.
 *
 * @param project directory of Pulumi.yaml and the stack files
 * @throws {SelectionError} when nothing names a context
 */
export async function selectCluster(selection: Selection, project: string, environment: NodeJS.ProcessEnv): Promise<ClusterAddress> {
  const context = selection.context ?? nonEmpty(environment.THANOS_STACK_CONTEXT);
  const kubeconfig = selection.kubeconfig ?? nonEmpty(environment.THANOS_STACK_KUBECONFIG);
  const configured =
    context !== undefined && kubeconfig !== undefined
      ? {}
      : await configuredCluster(selection.stack, project, environment, context === undefined);
  const selected = { context: context ?? configured.context, kubeconfig: kubeconfig ?? configured.kubeconfig };
  if (selected.context === undefined) {
    throw new SelectionError(
      `no context names the cluster of stack ${selection.stack}: neither --context, nor THANOS_STACK_CONTEXT, nor ${CLUSTER_KEY} in its configuration. ${stacksWithFiles(project)}`,
    );
  }
  const file = selected.kubeconfig ?? chosenOf(selected.context, environment);
  return { context: selected.context, ...(file === undefined ? {} : { kubeconfig: file }) };
}

/** Of several files of KUBECONFIG the one that the engine reads; undefined where the client finds it by itself. */
function chosenOf(context: string, environment: NodeJS.ProcessEnv): string | undefined {
  if (kubeconfigFiles(environment).length < 2) return undefined;
  const { kubeconfig, warning } = kubeconfigOf(undefined, context, environment);
  return warning === undefined ? kubeconfig : undefined;
}

/**
 * The stack file is read first, so that a cluster can be verified without the CLI; values it doesn't spell out
 * (an ESC environment's) take the CLI.
 */
async function configuredCluster(
  stack: string,
  project: string,
  environment: NodeJS.ProcessEnv,
  needsContext: boolean,
): Promise<Partial<ClusterAddress>> {
  const inFile = clusterOf(configInFile(stack, project)[CLUSTER_KEY]);
  if (inFile.context !== undefined || !needsContext) {
    return inFile;
  }
  const asked = await pulumi(["config", "get", CLUSTER_KEY, "--stack", stack], project, environment).then(
    (text) => parseObject(text, CLUSTER_KEY),
    () => ({}),
  );
  return { ...clusterOf(asked), ...inFile };
}

/** The configuration of a stack's file; empty where there is none, since it may be elsewhere. */
function configInFile(stack: string, project: string): Record<string, unknown> {
  const name = stackName(stack, project);
  return stackNames(project).includes(name) ? stackConfig(name, project) : {};
}

function clusterOf(value: unknown): Partial<ClusterAddress> {
  const { context, kubeconfig } = isObject(value) ? value : {};
  return { ...(typeof context === "string" ? { context } : {}), ...(typeof kubeconfig === "string" ? { kubeconfig } : {}) };
}

async function pulumi(args: readonly string[], project: string, environment: NodeJS.ProcessEnv): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)("pulumi", [...args, "--cwd", project, "--non-interactive"], {
      env: environment,
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout;
  } catch (error) {
    const stderr = isObject(error) && typeof error.stderr === "string" ? error.stderr.trim() : "";
    const reason = isObject(error) && error.code === "ENOENT" ? "there is no pulumi on the PATH" : stderr || messageOf(error);
    throw new SelectionError(`pulumi ${args.join(" ")}: ${reason}`);
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new SelectionError(messageOf(error));
  }
}

function parseObject(text: string, source: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) {
      return value;
    }
  } catch (error) {
    throw new SelectionError(`${source} is not JSON: ${messageOf(error)}`);
  }
  throw new SelectionError(`${source} is not a JSON object`);
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
