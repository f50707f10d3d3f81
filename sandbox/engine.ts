import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type EngineEvent, LocalWorkspace, type OutputMap, PulumiCommand, type Stack, type StackSettings } from "@pulumi/pulumi/automation";
import { parse } from "yaml";
import { bucketServer } from "./bucket";
import { StepFailed } from "./command";
import { type ClusterNames, type ConfigOverlay, type ConfigValue, refuseSecrets, sandboxConfig, withoutCredentials } from "./overlay";
import { type Paths, paths, REPOSITORY } from "./paths";
import "./engineConnections";
import { installPlugins } from "./plugins/install";
import { recover } from "./recovery";
import type { Report } from "./steps";
import { CONTEXT, NODE_NETWORK, NODES } from "./topology";

/** The project's name, as Pulumi.yaml has it. */
export const PROJECT = "thanos-stack";

/** Variables that the engine and its programs need beside the usual environment. */
function engineVariables(where: Paths): Record<string, string> {
  return {
    PULUMI_HOME: where.pulumiHome,
    PULUMI_BACKEND_URL: `file://${where.pulumiBackend}`,
    // Everything it protects is made by the sandbox and goes with it.
    PULUMI_CONFIG_PASSPHRASE: "thanos-stack-sandbox",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    PULUMI_NODEJS_TRANSPILE_ONLY: "true",
    KUBECONFIG: where.kubeconfig,
    THANOS_STACK_KUBECONFIG: where.kubeconfig,
    THANOS_STACK_CONTEXT: CONTEXT,
  };
}

/** The environment for programs that work with the sandbox's cluster and engine: this process's, with what names those. */
export function environment(where: Paths = paths()): NodeJS.ProcessEnv {
  return { ...process.env, ...engineVariables(where), PATH: `${where.bin}:${process.env.PATH ?? ""}` };
}

/** The lines of shell that make a user's shell work with the sandbox. */
export function shellExports(where: Paths): string {
  const quote = (text: string): string => `'${text.replace(/'/g, "'\\''")}'`;
  return [
    ...Object.entries(engineVariables(where)).map(([name, value]) => `export ${name}=${quote(value)}`),
    `export PATH=${quote(`${where.bin}:${where.toolchain}/bin`)}:"$PATH"`,
  ].join("\n");
}

/**
 * An environment's configuration as its stack file has it, without its credentials.
 *
 * @throws if there is no such file, or it holds other secrets
 */
export function environmentConfig(env: string): ConfigOverlay {
  const file = `Pulumi.${env}.yaml`;
  const path = join(REPOSITORY, file);
  if (!/^[\w.-]+$/.test(env) || !existsSync(path))
    throw new StepFailed(`there is no environment ${JSON.stringify(env)}: it would be ${file}`);
  const content: { config?: ConfigOverlay } | null = parse(readFileSync(path, "utf8"));
  const config = withoutCredentials(content?.config ?? {});
  refuseSecrets(config, file);
  return config;
}

/** Runs the program. Loaded only now: whoever does nothing but look at stacks has no use for it. */
export function loadProgram(): Promise<Record<string, unknown>> {
  const program = require(join(REPOSITORY, "index.ts")) as () => Promise<Record<string, unknown>>;
  return program();
}

/**
 * An environment's stack under the real engine, configured for the sandbox. Its configuration is written anew each time, so that no key of
 * an earlier run stays. A bucket that it names is for the caller to make before an update (`ensureBucket`); a preview needs none.
 *
 * @param env the environment: the `dev` of Pulumi.dev.yaml
 * @param overrides on top of the environment's own and the sandbox's overlay: objects are merged, everything else replaced
 * @param variant the name of a stack of its own beside the environment's (default: the environment's name), or what is run
 * instead of this repository's program
 */
export async function openStack(
  env: string,
  overrides: ConfigOverlay = {},
  { stack = env, program = loadProgram }: { stack?: string; program?: () => Promise<Record<string, unknown>> } = {},
  where: Paths = paths(),
): Promise<Stack> {
  const configuration = sandboxConfig(environmentConfig(env), overrides, {
    kubeconfig: where.kubeconfig,
    context: CONTEXT,
    nodes: NODES.map((node) => node.name),
    // A pod sees the host by its own address, or by a node's, whose kube-proxy led it from a Service to a pod elsewhere.
    machine: NODE_NETWORK,
    objectStorage: objectStorage(where),
  });
  return openProgram({ project: PROJECT, stack, folder: REPOSITORY, program, ...configuration }, where);
}

/** The sandbox's S3 server as an overlay has it. */
function objectStorage(where: Paths): ClusterNames["objectStorage"] {
  const { endpoint, region, caFile, credentials } = bucketServer(where);
  return { endpoint, region, credentials, ca: readFileSync(caFile, "utf8") };
}

/** A Pulumi program, and the stack of it that is opened. */
export interface ProgramStack {
  readonly project: string;
  readonly stack: string;
  /** Where the program is. */
  readonly folder: string;
  readonly program: () => Promise<Record<string, unknown>>;
  /** The configuration, by full key. */
  readonly config: ConfigOverlay;
  /** Further configuration, by full key, that the stack's file holds encrypted only. Default: none. */
  readonly secrets?: ConfigOverlay;
}

/** A stack of any program under the real engine, in the sandbox's backend. Its configuration is written anew each time. */
export async function openProgram(
  { project, stack: name, folder, program, config, secrets = {} }: ProgramStack,
  where: Paths = paths(),
): Promise<Stack> {
  installPlugins(where.pulumiHome);
  mkdirSync(where.pulumiBackend, { recursive: true });
  const workDir = join(where.pulumiWork, ...(project === PROJECT ? [] : [`project-${project}`]), name);
  mkdirSync(workDir, { recursive: true });
  const stack = await LocalWorkspace.createOrSelectStack(
    { stackName: name, projectName: project, program },
    {
      workDir,
      pulumiHome: where.pulumiHome,
      pulumiCommand: await PulumiCommand.get({ root: where.home }),
      envVars: { ...engineVariables(where), PATH: environment(where).PATH ?? "" },
      projectSettings: { name: project, runtime: "nodejs", main: folder },
    },
  );
  // The salt is the stack's: with another one, what it has encrypted can't be read.
  const before: StackSettings = await stack.workspace.stackSettings(name).catch(() => ({}));
  await stack.workspace.saveStackSettings(name, { ...before, config: { ...config } });
  for (const [key, value] of Object.entries(secrets)) await stack.setConfig(key, { value: configText(value), secret: true });
  return stack;
}

/** A value as the engine keeps it: structured ones as JSON. */
function configText(value: ConfigValue): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The last part of a URN: the resource's logical name. */
export function nameOf(urn: string): string {
  return urn.slice(urn.lastIndexOf("::") + 2);
}

/** The last part of a type: `StatefulSet` of kubernetes:apps/v1:StatefulSet. */
export function kindOf(type: string): string {
  return type.slice(type.lastIndexOf(":") + 1);
}

const SEVERITIES: ReadonlySet<string> = new Set(["info", "info#err", "warning", "error"]);

/** Follows an update's events and says what is going on, in one line each time. */
export class UpdateProgress {
  private readonly started = new Map<string, string>();
  private done = 0;
  private changed = 0;
  /** Every error that the engine and its programs reported, in the order of their coming. */
  readonly errors: string[] = [];

  /** The line that an event gives, or nothing where it says nothing new. */
  line(event: EngineEvent): string | undefined {
    const begun = event.resourcePreEvent?.metadata;
    if (begun !== undefined && begun.op !== "same") {
      this.started.set(begun.urn, `${begun.op} ${kindOf(begun.type)} ${nameOf(begun.urn)}`);
      return this.summary();
    }
    const ended = event.resOutputsEvent?.metadata;
    if (ended !== undefined) {
      this.done++;
      if (ended.op !== "same") this.changed++;
      this.started.delete(ended.urn);
      return this.summary();
    }
    const failed = event.resOpFailedEvent?.metadata;
    if (failed !== undefined) {
      this.started.delete(failed.urn);
      return `failed: ${failed.op} ${kindOf(failed.type)} ${nameOf(failed.urn)}`;
    }
    const diagnostic = event.diagnosticEvent;
    // The engine's debugging messages have a severity that its type doesn't know.
    if (diagnostic !== undefined && SEVERITIES.has(diagnostic.severity) && diagnostic.message.trim() !== "") {
      const whose = diagnostic.urn === undefined || diagnostic.urn === "" ? "" : `${nameOf(diagnostic.urn)}: `;
      const text = plain(diagnostic.message).trim();
      if (diagnostic.severity === "error") this.errors.push(`${whose}${text}`);
      return `${whose}${text.split("\n")[0] ?? ""}`;
    }
    return undefined;
  }

  private summary(): string {
    const running = [...this.started.values()];
    const now = running.length === 0 ? "" : `: ${running[0]}${running.length > 1 ? ` and ${running.length - 1} more` : ""}`;
    return `${this.done} resources done, ${this.changed} of them changed${now}`;
  }
}

/** A message without the engine's colour marks. */
function plain(text: string): string {
  return text.replace(/<\{%[^%]*%\}>/g, "");
}

interface UpdateOptions {
  readonly onOutput: (text: string) => void;
  readonly onError: (text: string) => void;
  readonly onEvent: (event: EngineEvent) => void;
}

/** An operation of the engine on an environment's stack, with its log and its progress. */
async function update<T>(
  env: string,
  operation: "up" | "destroy",
  where: Paths,
  report: Report,
  act: (stack: Stack, options: UpdateOptions) => Promise<T>,
): Promise<T> {
  mkdirSync(where.logs, { recursive: true });
  const log = join(where.logs, `pulumi-${env}.log`);
  const write = (text: string): void => appendFileSync(log, plain(text));
  const progress = new UpdateProgress();
  const onEvent = (event: EngineEvent): void => {
    const line = progress.line(event);
    if (line !== undefined) report(line, event.diagnosticEvent?.severity === "warning" ? "urgent" : undefined);
  };
  try {
    const stack = await openStack(env, {}, {}, where);
    await recover(stack, where, report);
    return await act(stack, { onOutput: write, onError: write, onEvent });
  } catch (error) {
    if (error instanceof StepFailed) throw error;
    write(`\n${error instanceof Error ? error.message : String(error)}\n`);
    const errors = [...new Set(progress.errors)];
    throw new StepFailed([`\`pulumi ${operation}\` of ${env} failed`, ...errors].join("\n"), log, errors.length === 0 ? 20 : 0);
  }
}

/**
 * `pulumi up` of an environment; goes on where an update that was killed ended.
 *
 * @returns the stack's outputs
 * @throws {StepFailed} with the engine's own log
 */
export async function deploy(env: string, where: Paths, report: Report): Promise<OutputMap> {
  return update(env, "up", where, report, async (stack, options) => (await stack.up(options)).outputs);
}

/**
 * `pulumi destroy` of an environment; what it protects stops it. The stack stays, without resources.
 *
 * @throws {StepFailed} with the engine's own log
 */
export async function destroy(env: string, where: Paths, report: Report): Promise<void> {
  await update(env, "destroy", where, report, (stack, options) => stack.destroy(options));
}

/** The outputs of an environment's stack as its last update left them; nothing if it was never deployed. */
export async function stackOutputs(env: string, where: Paths = paths()): Promise<OutputMap | undefined> {
  if (!deployedEnvironments(where).includes(env)) return undefined;
  return (await openStack(env, {}, {}, where)).outputs();
}

/** The environments that have a stack in the sandbox's backend. */
export function deployedEnvironments(where: Paths = paths()): string[] {
  const directory = join(where.pulumiBackend, ".pulumi", "stacks", PROJECT);
  if (!existsSync(directory)) return [];
  return [...new Set(readdirSync(directory).flatMap((file) => /^([\w.-]+?)\.json$/.exec(file)?.[1] ?? []))].sort();
}
