import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Hierarchy, killCgroup, machineHierarchies, makeCgroup } from "./cgroups";
import { readIfThere, until } from "./command";

/** A process by its id and the moment it started, so that an id that was given to another process is never mistaken for it. */
export interface ProcessRecord {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks after boot. */
  readonly startTime: string;
  /** The boot it was started in: ids and ticks begin anew with each. */
  readonly boot: string;
}

/**
 * The start time in the text of /proc/PID/stat. The program's name (field 2) may hold spaces and parentheses.
 *
 * @returns nothing for a zombie, which holds an id but runs no more
 */
export function startTime(stat: string): string | undefined {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
}

function boot(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

/** The record of a running process, or nothing if it doesn't run. */
export function recordOf(pid: number): ProcessRecord | undefined {
  const stat = readIfThere(`/proc/${pid}/stat`);
  const time = stat === undefined ? undefined : startTime(stat);
  return time === undefined ? undefined : { pid, startTime: time, boot: boot() };
}

/** Whether the very process of the record still runs. */
export function isRunning(record: ProcessRecord): boolean {
  const now = recordOf(record.pid);
  return now !== undefined && now.startTime === record.startTime && now.boot === record.boot;
}

/** Reads a record written by {@link writeRecord}; nothing if there is none or it is damaged. */
export function readRecord(path: string): ProcessRecord | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof value !== "object" || value === null) return undefined;
    const { pid, startTime: time, boot: bootId } = value as Record<string, unknown>;
    return typeof pid === "number" && typeof time === "string" && typeof bootId === "string"
      ? { pid, startTime: time, boot: bootId }
      : undefined;
  } catch {
    return undefined;
  }
}

/** Writes a record of a process. */
export function writeRecord(path: string, record: ProcessRecord): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(record)}\n`);
}

/** A program that goes on running when the command that started it has ended. */
export interface Daemon {
  /** Its name in the records and logs. */
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** Where its standard output and error go. */
  readonly log: string;
  /** The control group (below the sandbox's) that it and all its children are in, and nothing else. */
  readonly cgroup: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The record of a daemon that runs, or nothing. */
export function runningDaemon(runDirectory: string, name: string): ProcessRecord | undefined {
  const record = readRecord(join(runDirectory, `${name}.json`));
  return record !== undefined && isRunning(record) ? record : undefined;
}

/** The names of all daemons that have a record. */
export function recordedDaemons(runDirectory: string): string[] {
  try {
    return readdirSync(runDirectory)
      .filter((file) => file.endsWith(".json"))
      .map((file) => basename(file, ".json"))
      .sort();
  } catch {
    return [];
  }
}

/**
 * Starts a daemon unless it runs already.
 *
 * @returns its record
 * @throws if the program can't be started at all
 */
export async function startDaemon(
  runDirectory: string,
  daemon: Daemon,
  hierarchies: readonly Hierarchy[] = machineHierarchies(),
): Promise<ProcessRecord> {
  const running = runningDaemon(runDirectory, daemon.name);
  if (running !== undefined) return running;
  const groups = makeCgroup(daemon.cgroup, hierarchies);
  // One whose starter was killed before it wrote the record, or children that outlived theirs.
  await killCgroup(daemon.cgroup, hierarchies);
  mkdirSync(dirname(daemon.log), { recursive: true });
  const log = openSync(daemon.log, "a");
  try {
    // The shell joins the groups before it becomes the program, so that no child of the program is ever outside them.
    const join = [...groups.map((group) => `echo $$ > ${group}/cgroup.procs`), 'exec "$@"'].join(" && ");
    const child = spawn("/bin/sh", ["-c", join, "sh", ...daemon.command], {
      detached: true,
      cwd: "/",
      stdio: ["ignore", log, log],
      env: { ...process.env, ...daemon.env },
    });
    const pid = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("spawn", () => (child.pid === undefined ? reject(new Error(`${daemon.name} has no process id`)) : resolve(child.pid)));
    });
    child.unref();
    const record = recordOf(pid) ?? { pid, startTime: "", boot: boot() };
    writeRecord(pathOf(runDirectory, daemon.name), record);
    return record;
  } finally {
    closeSync(log);
  }
}

function pathOf(runDirectory: string, name: string): string {
  return join(runDirectory, `${name}.json`);
}

/** Kills one daemon (SIGKILL: what a crash is) and waits until it is gone. Does nothing if it doesn't run. */
export async function killDaemon(runDirectory: string, name: string): Promise<void> {
  const record = runningDaemon(runDirectory, name);
  if (record !== undefined) {
    process.kill(record.pid, "SIGKILL");
    await until(`ending ${name}`, () => !isRunning(record), { timeout: 15_000, interval: 20 });
  }
  rmSync(pathOf(runDirectory, name), { force: true });
}
