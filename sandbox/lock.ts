import { closeSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { StepFailed } from "./command";
import { isRunning, type ProcessRecord, readRecord, recordOf } from "./processes";

/**
 * Takes the sandbox's lock for the rest of this process' life. One that was left by a process that ended is taken over.
 *
 * @param what the command, for the message to others
 * @throws {StepFailed} naming the process that holds it
 */
export function takeLock(path: string, what: string): void {
  for (let attempt = 0; attempt < 5; attempt++) {
    try {
      const file = openSync(path, "wx");
      writeSync(file, JSON.stringify({ ...recordOf(process.pid), what }));
      closeSync(file);
      process.once("exit", () => rmSync(path, { force: true }));
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const holder = readRecord(path);
    if (holder !== undefined && isRunning(holder))
      throw new StepFailed(`\`${whatOf(path)}\` is running (process ${holder.pid}): wait for it or end it`);
    rmSync(path, { force: true });
  }
  throw new StepFailed(`${path} can't be taken: other commands keep taking it`);
}

function whatOf(path: string): string {
  try {
    const value: Partial<ProcessRecord> & { what?: unknown } = JSON.parse(readFileSync(path, "utf8"));
    return typeof value.what === "string" ? value.what : "another command";
  } catch {
    return "another command";
  }
}
