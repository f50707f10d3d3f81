import { existsSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { HOST_GROUP, killCgroup, machineHierarchies, removeCgroup } from "./cgroups";
import { readIfThere, tryRun } from "./command";
import { removeNetwork } from "./network";
import { madeDirectories } from "./node";
import type { Paths } from "./paths";
import type { Step } from "./steps";
import { NAME, NODE_PRIVATE_DIRECTORIES } from "./topology";

/** The mount points of /proc/self/mountinfo that are the sandbox's, innermost first. */
export function ownMounts(mountinfo: string, home: string): string[] {
  return mountinfo
    .split("\n")
    .flatMap((line) => line.split(" ")[4] ?? [])
    .map((point) => point.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))))
    .filter((point) => point === home || point.startsWith(`${home}/`) || point.startsWith(`/run/netns/${NAME}-`))
    .reverse();
}

/** Content of a state directory that is the sandbox's to remove. */
const CONTENTS = ["run", "logs", "pki", "config", "bin", "kubeconfig", "pulumi", "nodes", "buckets", "history", "etcd", "made-directories"];

/**
 * Removes all that the sandbox made but its cache: found by name, not by record, so that it is complete after a crash too.
 * Each step does nothing where nothing is left.
 */
export function downSteps(where: Paths): Step[] {
  return [
    { title: "Processes", run: () => killCgroup() },
    {
      title: "Mounts and network",
      run: async () => {
        for (const point of ownMounts(readFileSync("/proc/self/mountinfo", "utf8"), where.home)) {
          if (!point.startsWith("/run/netns/")) await tryRun("umount", ["-l", point]);
        }
        await removeNetwork(where);
      },
    },
    { title: "Control groups", run: () => removeCgroup() },
    {
      title: "Data",
      run: async () => {
        for (const directory of madeDirectories(where)) removeEmpty(directory);
        for (const name of CONTENTS) rmSync(join(where.home, name), { recursive: true, force: true });
        removeEmpty(where.home);
      },
    },
  ];
}

/** Removes a directory if nothing is in it. */
function removeEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Someone else put something there, or it is gone.
  }
}

/** Remains of the sandbox on this machine, in words; none after a complete `down`. */
export async function leftovers(where: Paths): Promise<string[]> {
  const found: string[] = [];
  const mounts = readIfThere("/proc/self/mountinfo") ?? "";
  for (const point of ownMounts(mounts, where.home)) found.push(`mount ${point}`);
  for (const line of ((await tryRun("ip", ["netns", "list"])) ?? "").split("\n"))
    if (line.startsWith(`${NAME}-`)) found.push(`network namespace ${line}`);
  for (const line of ((await tryRun("ip", ["-o", "link", "show"])) ?? "").split("\n")) {
    const name = /^\d+: (tstack[^:@]*)/.exec(line)?.[1];
    if (name !== undefined) found.push(`link ${name}`);
  }
  for (const table of ["filter", "nat"]) {
    for (const line of ((await tryRun("iptables", ["-w", "10", "-t", table, "-S"])) ?? "").split("\n"))
      if (line.includes(NAME)) found.push(`rule ${line}`);
  }
  for (const { mountPoint } of machineHierarchies()) {
    for (const group of [join(mountPoint, NAME), join(mountPoint, HOST_GROUP)]) if (existsSync(group)) found.push(`control group ${group}`);
  }
  for (const path of [where.home, where.sysctlRecord]) if (existsSync(path)) found.push(path);
  for (const path of NODE_PRIVATE_DIRECTORIES) if (existsSync(path) && madeDirectories(where).includes(path)) found.push(path);
  return found;
}
