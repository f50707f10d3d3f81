import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readIfThere, until } from "./command";
import { NAME } from "./topology";

/** One mounted control group hierarchy. */
export interface Hierarchy {
  readonly mountPoint: string;
  readonly version: 1 | 2;
  /** The controllers of a version 1 hierarchy; none for version 2. */
  readonly controllers: readonly string[];
}

const CONTROLLERS = new Set([
  "cpu",
  "cpuacct",
  "cpuset",
  "memory",
  "devices",
  "freezer",
  "blkio",
  "pids",
  "hugetlb",
  "net_cls",
  "net_prio",
  "perf_event",
  "rdma",
  "misc",
]);

/**
 * The control group hierarchies of a machine.
 *
 * @param mounts the text of /proc/mounts
 */
export function hierarchies(mounts: string): Hierarchy[] {
  const found: Hierarchy[] = [];
  for (const line of mounts.split("\n")) {
    const [, mountPoint, type, options] = line.split(" ");
    if (mountPoint === undefined || options === undefined) continue;
    if (type === "cgroup2") found.push({ mountPoint, version: 2, controllers: [] });
    if (type === "cgroup") {
      found.push({ mountPoint, version: 1, controllers: options.split(",").filter((option) => CONTROLLERS.has(option)) });
    }
  }
  return found;
}

/** The hierarchies of this machine. */
export function machineHierarchies(): Hierarchy[] {
  return hierarchies(readFileSync("/proc/mounts", "utf8"));
}

/**
 * Makes a control group below the sandbox's own in every hierarchy.
 *
 * @param path below `thanos-stack`, such as `node1/system`
 * @returns its directories, one a hierarchy; a process joins by its id in `cgroup.procs` of each
 */
export function makeCgroup(path: string, all: readonly Hierarchy[] = machineHierarchies()): string[] {
  const parts = [NAME, ...path.split("/")];
  return all.map((hierarchy) => {
    let directory = hierarchy.mountPoint;
    for (const part of parts) {
      const parent = directory;
      directory = join(parent, part);
      mkdirSync(directory, { recursive: true });
      if (hierarchy.version === 1 && hierarchy.controllers.includes("cpuset")) {
        // A new cpuset is empty, and nothing can join an empty one.
        for (const file of ["cpuset.cpus", "cpuset.mems"]) {
          if (readFileSync(join(directory, file), "utf8").trim() === "")
            writeFileSync(join(directory, file), readFileSync(join(parent, file), "utf8"));
        }
      }
      if (hierarchy.version === 2) delegate(parent);
    }
    return directory;
  });
}

/** Hands a version 2 group's controllers down to its children; the kubelet needs them in its root. */
function delegate(group: string): void {
  for (const controller of readFileSync(join(group, "cgroup.controllers"), "utf8").trim().split(" ")) {
    if (controller === "") continue;
    try {
      writeFileSync(join(group, "cgroup.subtree_control"), `+${controller}`);
    } catch {
      // A controller that some other program holds in threaded or real-time use can't be delegated; those the kubelet needs can.
    }
  }
}

/** The groups below (and with) a directory, deepest first. */
function groupsUnder(directory: string): string[] {
  if (!existsSync(directory)) return [];
  let children: string[];
  try {
    children = readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(directory, entry.name));
  } catch {
    return [];
  }
  return [...children.flatMap(groupsUnder), directory];
}

/** The ids of all processes in the sandbox's control groups (or one below them), whoever started them. */
export function processesInCgroup(path = "", all: readonly Hierarchy[] = machineHierarchies()): number[] {
  const ids = new Set<number>();
  for (const hierarchy of all) {
    for (const group of groupsUnder(join(hierarchy.mountPoint, NAME, path))) {
      for (const line of (readIfThere(join(group, "cgroup.procs")) ?? "").split("\n")) {
        const id = Number(line);
        // Other pid namespaces' processes read as 0.
        if (Number.isInteger(id) && id > 1) ids.add(id);
      }
    }
  }
  return [...ids];
}

/**
 * Kills every process in the sandbox's control groups (or one below them), and waits until they are gone.
 *
 * @throws {StepFailed} if some are still there after 30 s
 */
export async function killCgroup(path = ""): Promise<void> {
  await until(
    `ending the processes of ${NAME}${path ? `/${path}` : ""}`,
    () => {
      const ids = processesInCgroup(path).filter((id) => id !== process.pid);
      for (const id of ids) {
        try {
          process.kill(id, "SIGKILL");
        } catch {
          // It ended by itself.
        }
      }
      return ids.length === 0;
    },
    { timeout: 30_000, interval: 100 },
  );
}

/** Removes the sandbox's control groups (or one below them); they must hold no process. */
export async function removeCgroup(path = ""): Promise<void> {
  const directories = machineHierarchies().map((hierarchy) => join(hierarchy.mountPoint, NAME, path));
  await until(
    `removing the control groups of ${NAME}`,
    () => {
      for (const group of directories.flatMap(groupsUnder)) {
        try {
          rmdirSync(group);
        } catch {
          // Busy for a moment after its last process ended.
        }
      }
      return directories.every((directory) => !existsSync(directory));
    },
    { timeout: 20_000, interval: 100 },
  );
}
