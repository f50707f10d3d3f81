import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readIfThere, StepFailed, until } from "./command";
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

/** The controllers without which pods get neither their shares nor their limits. */
export const REQUIRED_CONTROLLERS = ["cpu", "cpuset", "memory", "pids"] as const;

/**
 * Those of {@link REQUIRED_CONTROLLERS} that no hierarchy offers: kernels can be started without some
 * (`cgroup_enable=memory` brings memory back).
 */
export function missingControllers(all: readonly Hierarchy[] = machineHierarchies()): string[] {
  const offered = new Set(all.flatMap(({ version, mountPoint, controllers }) => (version === 1 ? controllers : controllersOf(mountPoint))));
  return REQUIRED_CONTROLLERS.filter((controller) => !offered.has(controller));
}

/** The controllers that a version 2 group may hand to its children. */
function controllersOf(group: string): string[] {
  return (readIfThere(join(group, "cgroup.controllers")) ?? "").split(/\s+/).filter((name) => name !== "");
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
      if (hierarchy.version === 2) {
        if (parent === hierarchy.mountPoint) vacate(parent);
        delegate(parent);
      }
    }
    return directory;
  });
}

/**
 * Hands a version 2 group's controllers down to its children; the kubelet needs them in its root.
 *
 * @throws {StepFailed} if one of {@link REQUIRED_CONTROLLERS} can't be handed down
 */
function delegate(group: string): void {
  for (const controller of controllersOf(group)) {
    try {
      writeFileSync(join(group, "cgroup.subtree_control"), `+${controller}`);
    } catch (error) {
      // One that some other program holds in threaded or real-time use; pods can do without it unless it is required.
      if (REQUIRED_CONTROLLERS.some((required) => required === controller))
        throw new StepFailed(
          `the control group ${group} can't hand the controller ${controller} to the nodes: ${(error as Error).message}`,
        );
    }
  }
}

/** The group beside the sandbox's own that takes what a container's root group holds. */
export const HOST_GROUP = `${NAME}-host`;

/**
 * Moves the processes of a version 2 root into a group of their own. In a container with a control group namespace the root is an ordinary
 * group, which hands no controllers down while it holds processes ("no internal processes" of the kernel's cgroup-v2 document). The
 * machine's own root, which has no `cgroup.type`, may hold them.
 */
function vacate(root: string): void {
  if (!existsSync(join(root, "cgroup.type"))) return;
  // A process that forks meanwhile leaves its child behind.
  for (let pass = 0; pass < 10 && move(root, join(root, HOST_GROUP)) > 0; pass++);
}

/** Puts back what {@link vacate} moved. */
function reoccupy(root: string): void {
  const group = join(root, HOST_GROUP);
  if (!existsSync(group)) return;
  for (const controller of (readIfThere(join(root, "cgroup.subtree_control")) ?? "").split(/\s+/)) {
    try {
      if (controller !== "") writeFileSync(join(root, "cgroup.subtree_control"), `-${controller}`);
    } catch {
      // Somebody else's group has it.
    }
  }
  for (let pass = 0; pass < 10 && move(group, root) > 0; pass++);
  try {
    rmdirSync(group);
  } catch {
    // Somebody else's group below the root keeps its controllers: then the processes stay where they are, which harms nobody.
  }
}

/** Moves every process of a group to another; how many there were. */
function move(from: string, to: string): number {
  const ids = (readIfThere(join(from, "cgroup.procs")) ?? "").split("\n").filter((id) => Number(id) > 0);
  if (ids.length > 0) mkdirSync(to, { recursive: true });
  for (const id of ids) {
    try {
      writeFileSync(join(to, "cgroup.procs"), id);
    } catch {
      // It ended by itself.
    }
  }
  return ids.length;
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
export async function killCgroup(path = "", all: readonly Hierarchy[] = machineHierarchies()): Promise<void> {
  await until(
    `ending the processes of ${NAME}${path ? `/${path}` : ""}`,
    () => {
      const ids = processesInCgroup(path, all).filter((id) => id !== process.pid);
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
  const all = machineHierarchies();
  const directories = all.map((hierarchy) => join(hierarchy.mountPoint, NAME, path));
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
  if (path === "") for (const { version, mountPoint } of all) if (version === 2) reoccupy(mountPoint);
}
