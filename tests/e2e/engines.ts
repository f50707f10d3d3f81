import { readdirSync } from "node:fs";
import { readIfThere } from "../../sandbox/command";

interface Process {
  pid: number;
  name: string;
  parent: number;
}

function processes(): Process[] {
  return readdirSync("/proc").flatMap((pid) => {
    const [, name, parent] = /^\d+ \((.*)\) \S (\d+)/.exec(/^\d+$/.test(pid) ? (readIfThere(`/proc/${pid}/stat`) ?? "") : "") ?? [];
    return name === undefined || parent === undefined ? [] : [{ pid: Number(pid), name, parent: Number(parent) }];
  });
}

/** Kills the engines that this process has started, and the plugins that they have, so that none of them ends anything it has begun. */
export function killEngines(): void {
  const all = processes();
  const goes = all.filter(({ name, parent }) => name === "pulumi" && parent === process.pid);
  for (const { pid } of goes) goes.push(...all.filter(({ parent }) => parent === pid));
  for (const { pid } of goes) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}
