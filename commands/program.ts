import { createHash } from "node:crypto";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { PROJECT_DIRECTORY } from "../config/stackFiles";
import type { examineCertificates } from "../gates/certificateEnds";
import type { examineNamespace } from "../gates/existingNamespace";
import { engineConfig, takenUnread } from "./engineConfig";

/** Runs the program without engine or cluster and records what it registers: for rendering, review and tests. */

export { PROJECT_DIRECTORY };

/** A resource as the program registered it. */
export interface RegisteredResource {
  /** Type token, such as `kubernetes:apps/v1:StatefulSet`. */
  type: string;
  /** Logical name. */
  name: string;
  /** Whether a provider makes it; components are made of others. */
  custom: boolean;
  inputs: Record<string, unknown>;
  options: ResourceOptions;
}

/** The options that decide about order and safety. */
export interface ResourceOptions {
  parent: string;
  protect: boolean;
  provider: string;
  dependsOn: string[];
  aliases: number;
  /** Names of what the engine runs before it makes the resource, in this order. */
  beforeCreate: string[];
  /** Names of what the engine runs before an update of the resource, in this order. */
  beforeUpdate: string[];
  /** Longest that the engine waits for the resource, such as `4h`; empty where it goes by a default of its own. */
  timeouts: { create: string; update: string; delete: string };
}

/** Result of a run of the program. */
export interface ProgramRun {
  resources: RegisteredResource[];
  outputs: Record<string, unknown>;
  /** Names of the outputs that the engine encrypts. */
  secretOutputs: string[];
  /** Diagnostics of the program, such as what the plan survives. */
  messages: string[];
  /** Those of them that are warnings. */
  warnings: string[];
  /** Full keys that are encrypted: the plan is the one with them, without what they hold. */
  unread: string[];
}

/** How to run it. */
export interface RunOptions {
  /**
   * Configuration by full key (`thanos-stack:namespace`), as YAML would hold it. Encrypted values can't be read without
   * the engine: see {@link engineConfig}.
   */
  config: Record<string, unknown>;
  /** Secret configuration by full key. Default: none. */
  secrets?: Record<string, unknown>;
  stack: string;
  /** Whether this is a preview, in which ids are unknown. Default: false. */
  preview?: boolean;
  /** Looks at a namespace that somebody else made. Default: nobody does. */
  examine?: typeof examineNamespace;
  /** Looks at certificates that others have made. Default: nobody does. */
  examineEnds?: typeof examineCertificates;
}

/** A secret text that a provider makes up, and the character that stands for each of its own where there is none. */
const PASSWORD = "random:index/randomPassword:RandomPassword";
const STAND_IN = "x";

type Program = (examine: typeof examineNamespace, examineEnds: typeof examineCertificates) => Promise<Record<string, unknown>>;

/** Without a cluster nobody sees what is in it, and the plan is the one for what fits. */
const unseen = (): Promise<void> => Promise.resolve();

/** Note on a key that a plan made without the engine can't read. */
export const unreadNote = (key: string): string =>
  `${key} is encrypted, and only the engine can read it: whether it fits the bucket is not checked here, and the Secret stands here without its content.`;

/**
 * Runs `index.ts` under Pulumi's mocks.
 *
 * @throws what the program throws, also from inside an `apply`, and on two resources of one type and name or two
 * hooks of one name, which mocks let pass.
 */
export async function runProgram({
  config,
  secrets = {},
  stack,
  preview = false,
  examine = unseen,
  examineEnds = unseen,
}: RunOptions): Promise<ProgramRun> {
  const resources: RegisteredResource[] = [];
  const messages: string[] = [];
  const warnings: string[] = [];
  const rejections: unknown[] = [];
  const hooks: string[] = [];
  const onRejection = (reason: unknown) => rejections.push(reason);
  process.on("unhandledRejection", onRejection);
  const restoreConsole = recordConsole(messages, warnings);
  try {
    await pulumi.runtime.setMocks(
      {
        newResource: (args) => {
          const inputs = args.inputs as Record<string, unknown>;
          const state = args.type.startsWith("kubernetes:") ? named(args.name, inputs) : inputs;
          // The answer of an engine's provider: nothing before the first update, and then as many characters as were asked for.
          const made = args.type === PASSWORD && !preview ? { ...state, result: STAND_IN.repeat(Number(inputs.length)) } : state;
          return { id: preview ? undefined : `${args.name}-id`, state: made };
        },
        call: (args) => args.inputs,
      },
      "thanos-stack",
      stack,
      preview,
    );
    acceptHooks(hooks);
    recordRegistrations(resources);
    const given = engineConfig({ ...config, ...secrets });
    pulumi.runtime.setAllConfig(given.texts, [...given.secretKeys, ...Object.keys(secrets)]);
    const program = require(join(PROJECT_DIRECTORY, "index")) as Program;
    // Of outputs that a preview does not know whole the SDK gives back none.
    let exported: Record<string, unknown> = {};
    await pulumi.runtime.runInPulumiStack(async () => {
      exported = await program(examine, examineEnds);
      return exported;
    });
    // Without it the last resources are missing; the SDK's types hide it.
    await (pulumi.runtime as unknown as { waitForRPCs(): Promise<void> }).waitForRPCs();
    if (rejections.length > 0) throw rejections[0];
    const { outputs, secretOutputs } = await settled(exported);
    refuseDuplicates(resources, hooks);
    return { resources, outputs, secretOutputs, messages, warnings, unread: takenUnread(given) };
  } finally {
    // The SDK's own promises of a failed run reject after this one.
    await new Promise(setImmediate);
    restoreConsole();
    process.off("unhandledRejection", onRejection);
  }
}

/**
 * Kubernetes objects without a name of their own get one from their content, so that what refers to them stays the same from run to run.
 */
export function named(logicalName: string, inputs: Record<string, unknown>): Record<string, unknown> {
  const metadata = (inputs.metadata ?? {}) as Record<string, unknown>;
  if (metadata.name !== undefined) return inputs;
  const digest = createHash("sha256").update(JSON.stringify(inputs)).digest("hex").slice(0, 8);
  return { ...inputs, metadata: { ...metadata, name: `${logicalName}-${digest}` } };
}

interface Registration {
  getType(): string;
  getName(): string;
  getParent(): string;
  getCustom(): boolean;
  getProtect(): boolean;
  getProvider(): string;
  getDependenciesList(): string[];
  getAliasesList(): unknown[];
  getHooks(): { getBeforeCreateList(): string[]; getBeforeUpdateList(): string[] } | undefined;
  getCustomtimeouts(): { getCreate(): string; getUpdate(): string; getDelete(): string } | undefined;
  getObject(): { toJavaScript(): Record<string, unknown> } | undefined;
}

/** Mocks are told neither options nor components' inputs; the monitor that the SDK registers with is. */
function recordRegistrations(resources: RegisteredResource[]): void {
  const monitor = pulumi.runtime.getMonitor() as unknown as
    | { registerResource: (request: Registration, callback: unknown) => unknown }
    | undefined;
  if (monitor === undefined) throw new Error("Pulumi's mocks gave no resource monitor");
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) => {
    if (request.getType() !== "pulumi:pulumi:Stack") {
      const timeouts = request.getCustomtimeouts();
      resources.push({
        type: request.getType(),
        name: request.getName(),
        custom: request.getCustom(),
        inputs: request.getObject()?.toJavaScript() ?? {},
        options: {
          parent: request.getParent(),
          protect: request.getProtect(),
          provider: request.getProvider(),
          dependsOn: request.getDependenciesList(),
          aliases: request.getAliasesList().length,
          beforeCreate: request.getHooks()?.getBeforeCreateList() ?? [],
          beforeUpdate: request.getHooks()?.getBeforeUpdateList() ?? [],
          timeouts: { create: timeouts?.getCreate() ?? "", update: timeouts?.getUpdate() ?? "", delete: timeouts?.getDelete() ?? "" },
        },
      });
    }
    return register(request, callback);
  };
}

/** Without an engine nobody calls hooks back, so no server for that is started. */
function acceptHooks(hooks: string[]): void {
  const { getStore } = require("@pulumi/pulumi/runtime/state") as { getStore: () => { callbacks?: unknown } };
  const done = () => Promise.resolve();
  const registerResourceHook = ({ name }: pulumi.ResourceHook) => {
    hooks.push(name);
    return done();
  };
  getStore().callbacks = { registerResourceHook, awaitStackRegistrations: done, shutdown: () => undefined };
}

/** Without an engine the SDK logs to the console, where it would mix with what a command prints. */
function recordConsole(messages: string[], warnings: string[]): () => void {
  const { log, warn, error } = console;
  const recordIn =
    (...lists: string[][]) =>
    (...parts: unknown[]): void => {
      const message = parts
        .map(String)
        .join(" ")
        .replace(/^(?:info|warning|error): \[runtime\] /, "");
      for (const list of lists) list.push(message);
    };
  Object.assign(console, { log: recordIn(messages), warn: recordIn(messages, warnings), error: recordIn(messages) });
  return () => Object.assign(console, { log, warn, error });
}

/** State of an output that the SDK keeps, and does not declare. */
interface Settling {
  isKnown: Promise<boolean>;
  isSecret: Promise<boolean>;
  promise(): Promise<unknown>;
}

async function settled(exported: Record<string, unknown>): Promise<Pick<ProgramRun, "outputs" | "secretOutputs">> {
  const secretOutputs: string[] = [];
  const entries = Object.entries(exported).map(async ([name, value]) => {
    const output = pulumi.output(value) as unknown as Settling;
    if (await output.isSecret) secretOutputs.push(name);
    // A value that only an update makes is no text or object yet.
    return (await output.isKnown) ? [[name, await output.promise()] as const] : [];
  });
  return { outputs: Object.fromEntries((await Promise.all(entries)).flat()), secretOutputs };
}

/** The engine takes neither. */
function refuseDuplicates(resources: readonly RegisteredResource[], hooks: readonly string[]): void {
  const seen = new Set<string>();
  for (const { type, name } of resources) {
    const urn = `${type}::${name}`;
    if (seen.has(urn)) throw new Error(`two resources of type ${type} are named ${name}`);
    seen.add(urn);
  }
  const twice = hooks.find((name, index) => hooks.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`two hooks are named ${twice}`);
}
