import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";

/** A step of the sandbox failed; the message says what, the log (if any) says why. */
export class StepFailed extends Error {
  /** The log to look into. */
  readonly log?: string;
  /** How many of the log's last lines belong to the failure; 0 where the message has it all. */
  readonly lines: number;

  constructor(message: string, log?: string, lines = 20) {
    super(message);
    this.name = "StepFailed";
    this.log = log;
    this.lines = lines;
  }
}

/** How {@link run} runs a program. */
export interface RunOptions {
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Text for its standard input; without it the program has none. */
  readonly input?: string;
  /** The longest it may take, in milliseconds. Default 60 000. */
  readonly timeout?: number;
}

/**
 * Runs a program to its end and returns what it wrote to its standard output.
 *
 * @throws {StepFailed} with the end of its standard error, if it fails or takes too long
 */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await execa(program, args, {
    env: options.env,
    cwd: options.cwd,
    ...(options.input === undefined ? { stdin: "ignore" as const } : { input: options.input }),
    timeout: options.timeout ?? 60_000,
    reject: false,
  });
  if (result.failed) {
    const said = lastLines(`${result.stdout}\n${result.stderr}`, 12).trim();
    const how = result.timedOut ? "took too long" : result.exitCode === undefined ? result.shortMessage : `ended with ${result.exitCode}`;
    throw new StepFailed(`${program} ${args.join(" ")}: ${how}${said ? `\n${said}` : ""}`);
  }
  return result.stdout;
}

/** Like {@link run}, but a failure is `undefined`: for asking, and for removing what may not be there. */
export async function tryRun(program: string, args: readonly string[], options: RunOptions = {}): Promise<string | undefined> {
  try {
    return await run(program, args, options);
  } catch {
    return undefined;
  }
}

/** Options of {@link until}. */
export interface UntilOptions {
  /** The longest wait, in milliseconds. */
  readonly timeout: number;
  /** Between two polls, in milliseconds. Default 200. */
  readonly interval?: number;
  /** The log to point at when the wait ends without success. */
  readonly log?: string;
  /** Looked at before each wait; a text ends it at once, as the failure's reason. */
  readonly hopeless?: () => string | undefined;
}

/**
 * Waits until `condition` gives something.
 *
 * @param what the end of the sentence "… did not come true within N s: "
 * @throws {StepFailed} when the time is over, with the last error that `condition` threw
 */
export async function until<T>(
  what: string,
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  options: UntilOptions,
): Promise<T> {
  const end = Date.now() + options.timeout;
  let reason = "";
  for (;;) {
    try {
      const result = await condition();
      if (result !== undefined && result !== false) return result;
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
    }
    const hopeless = options.hopeless?.();
    if (hopeless !== undefined) throw new StepFailed(`${what}: ${hopeless}`, options.log);
    if (Date.now() >= end) {
      throw new StepFailed(`${what}: not within ${Math.round(options.timeout / 1000)} s${reason ? ` (${reason})` : ""}`, options.log);
    }
    await delay(options.interval ?? 200);
  }
}

/** The last `count` lines of a text. */
export function lastLines(text: string, count: number): string {
  return text.replace(/\n+$/, "").split("\n").slice(-count).join("\n");
}

/** The last `count` lines of a file, or nothing if there is no such file. Reads at most 64 KiB of it. */
export function tail(path: string, count: number): string {
  if (!existsSync(path)) return "";
  const size = statSync(path).size;
  const length = Math.min(size, 65_536);
  const buffer = Buffer.alloc(length);
  const file = openSync(path, "r");
  try {
    readSync(file, buffer, 0, length, size - length);
  } finally {
    closeSync(file);
  }
  return lastLines(buffer.toString("utf8"), count);
}

/** A file's text, or nothing if it can't be read. */
export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
