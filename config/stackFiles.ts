import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import { ENGINE_NUMBERS } from "./engineNumbers";
import { CONFIG_NAMESPACE } from "./namespace";

/** The directory of the program, where its stack files are. */
export const PROJECT_DIRECTORY = resolve(__dirname, "..");

/** A stack file that can't be read. Its message begins with the file's name. */
export class StackFileError extends Error {
  constructor(
    readonly file: string,
    /** Why, in one line. */
    readonly reason: string,
  ) {
    super(`${file}: ${reason}`);
    this.name = "StackFileError";
  }
}

/** Name of a stack's file. */
export const stackFileName = (stack: string): string => `Pulumi.${stack}.yaml`;

/**
 * Takes the name of a stack that a command was given, without the organization and project that Pulumi Cloud puts before it.
 *
 * @param given What the command line says: `dev`, or `organization/thanos-stack/dev`.
 * @throws {Error} for an empty name, naming the stacks that there are
 */
export function stackName(given: string, directory = PROJECT_DIRECTORY): string {
  const name = given.split("/").at(-1)?.trim() ?? "";
  if (name === "") throw new Error(`no stack is named. ${stacksWithFiles(directory)}`);
  return name;
}

/**
 * The `config:` block of a stack's file by full key, read as the engine reads it: with merge keys (`<<`), and keys without a namespace as
 * this project's. Encrypted values stay `{ secure: … }`.
 *
 * @throws {StackFileError} where there is no such file, or it is not the YAML of a stack
 */
export function stackConfig(stack: string, directory = PROJECT_DIRECTORY): Record<string, unknown> {
  const name = stackFileName(stack);
  const content = readYaml(name, directory);
  if (content === null || content === undefined) return {};
  if (!isMap(content)) throw new StackFileError(name, "this is no map with `config`");
  const { config } = content;
  if (config === null || config === undefined) return {};
  if (!isMap(config)) throw new StackFileError(name, "`config` is no map of keys");
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [fullKey(key), value]));
}

/** The stacks that have a file, by name. */
export function stackNames(directory = PROJECT_DIRECTORY): string[] {
  return readdirSync(directory)
    .flatMap((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1] ?? [])
    .sort();
}

/** Configurations of the other stacks of a directory. */
export interface OtherStacks {
  /** Configuration by full key, by stack. */
  configs: Record<string, Record<string, unknown>>;
  /** Those whose file can't be read: each is for its own preview to refuse. */
  unreadable: StackFileError[];
}

/** Reads the files of all stacks but one. */
export function otherStacks(own: string, directory = PROJECT_DIRECTORY): OtherStacks {
  const found: OtherStacks = { configs: {}, unreadable: [] };
  for (const stack of stackNames(directory)) {
    if (stack === own) continue;
    try {
      found.configs[stack] = stackConfig(stack, directory);
    } catch (error) {
      if (!(error instanceof StackFileError)) throw error;
      found.unreadable.push(error);
    }
  }
  return found;
}

function readYaml(name: string, directory: string): unknown {
  try {
    return parse(readFileSync(join(directory, name), "utf8"), { merge: true, customTags: (tags) => [ENGINE_NUMBERS, ...tags] });
  } catch (error) {
    if (isMap(error) && error.code === "ENOENT") throw new StackFileError(name, `there is no such file. ${stacksWithFiles(directory)}`);
    // The parser shows the line, which may hold what nobody should see in a log.
    const [reason = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
    throw new StackFileError(name, reason.replace(/:$/, ""));
  }
}

/** Which stacks there are, as a sentence. */
export function stacksWithFiles(directory: string): string {
  const names = stackNames(directory);
  return names.length === 0 ? "No stack has a file here." : `Stacks with a file: ${names.join(", ")}.`;
}

/** `thanos-stack:config:x` and `x` are older and shorter forms of `thanos-stack:x`. */
function fullKey(key: string): string {
  return key.includes(":") ? key.replace(/^([^:]+):config:([^:]+)$/, "$1:$2") : `${CONFIG_NAMESPACE}:${key}`;
}

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
