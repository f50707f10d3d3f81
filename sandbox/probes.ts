import { existsSync, mkdirSync, mkdtempSync, rmdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { totalmem } from "node:os";
import { dirname, join } from "node:path";
import { type Hierarchy, machineHierarchies } from "./cgroups";
import { readIfThere, tryRun } from "./command";
import { BRIDGE, HOST_ADDRESS, NAME, type NodePlan } from "./topology";

/**
 * Trials of what the nodes will do, since only trying tells: a container may show all the files of a machine and still be let do
 * none of it. Each undoes what it did.
 */

/** Whether this process may make namespaces with mounts of their own: an unprivileged container may not. */
export async function makesNamespaces(): Promise<boolean> {
  const script = "mount --make-rprivate / && mount -t tmpfs tmpfs /mnt";
  return (await tryRun("unshare", ["--mount", "--uts", "--ipc", "--net", "--pid", "--fork", "sh", "-c", script])) !== undefined;
}

/** Whether this process may make control groups, in every hierarchy. */
export function makesCgroups(all: readonly Hierarchy[] = machineHierarchies()): boolean {
  return all.every(({ mountPoint }) => {
    const group = join(mountPoint, `${NAME}-probe`);
    try {
      mkdirSync(group, { recursive: true });
      rmdirSync(group);
      return true;
    } catch {
      return false;
    }
  });
}

/** The type of the file system that would hold a directory, as the kernel's list of mounts names it. */
export function fileSystemOf(path: string, mounts: string): string {
  const points = mounts
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, point]) => point !== undefined && (path === point || path.startsWith(point === "/" ? "/" : `${point}/`)));
  // The longest mount point; of several on the same one the last, which hides the others.
  return (
    points.reduce((best, line) => ((line[1]?.length ?? 0) >= (best[1]?.length ?? 0) ? line : best), ["", "", "unknown"])[2] ?? "unknown"
  );
}

/**
 * Whether a directory can hold the upper layer of an overlay, as the nodes' images need: another overlay (a container's own
 * file system), NFS and some ZFS can't.
 */
export async function carriesOverlays(directory: string): Promise<boolean> {
  let existing = directory;
  while (!existsSync(existing)) existing = dirname(existing);
  let probe: string;
  try {
    probe = mkdtempSync(join(existing, `.${NAME}-probe-`));
  } catch {
    return false;
  }
  try {
    const layers = ["lower", "upper", "work", "merged"].map((name) => join(probe, name));
    for (const layer of layers) mkdirSync(layer);
    const [lower = "", upper = "", work = "", merged = ""] = layers;
    const script = 'mount -t overlay overlay -o "lowerdir=$1,upperdir=$2,workdir=$3" "$4" && touch "$4/written"';
    return (await tryRun("unshare", ["--mount", "sh", "-c", script, "sh", lower, upper, work, merged])) !== undefined;
  } finally {
    rmSync(probe, { recursive: true, force: true });
  }
}

/**
 * The least of the memory limits that a container's control group sets.
 *
 * @returns bytes; nothing where there is none
 */
export function memoryLimit(all: readonly Hierarchy[] = machineHierarchies()): number | undefined {
  const limits = all
    .flatMap(({ mountPoint }) => ["memory.max", "memory.limit_in_bytes"].map((name) => readIfThere(join(mountPoint, name))?.trim()))
    .map(Number)
    .filter((limit) => limit > 0);
  return limits.length === 0 ? undefined : Math.min(...limits);
}

/** The bytes of memory that the sandbox may use: the machine's, or the container's limit where that is less. */
export function usableMemory(all: readonly Hierarchy[] = machineHierarchies()): number {
  return Math.min(totalmem(), memoryLimit(all) ?? Number.POSITIVE_INFINITY);
}

/**
 * Whether a node reaches this host over the bridge: a firewall with tables of its own may drop what the sandbox's rules let in.
 *
 * @param node one whose network namespace exists
 */
export async function hostAnswers(node: NodePlan): Promise<boolean> {
  const server = createServer((socket) => socket.end());
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, HOST_ADDRESS, resolve));
  try {
    const { port } = server.address() as { port: number };
    const connect = `require("net").connect(${port}, "${HOST_ADDRESS}", () => process.exit(0)).on("error", () => process.exit(1))`;
    const asked = ["-e", `setTimeout(() => process.exit(1), 10000); ${connect}`];
    return (await tryRun("nsenter", [`--net=/run/netns/${node.netns}`, process.execPath, ...asked])) !== undefined;
  } finally {
    server.close();
  }
}

/** Remedy where {@link hostAnswers} says no. */
export const FIREWALLED = `This machine's firewall drops what comes from the sandbox's bridge ${BRIDGE}, so that no node would reach the API server: let it in (firewalld: \`firewall-cmd --zone=trusted --add-interface=${BRIDGE}\`; nftables: accept \`iifname "${BRIDGE}"\` in the input chain), and run this again.`;
