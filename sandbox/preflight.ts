import { existsSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { machineHierarchies, missingControllers } from "./cgroups";
import { readIfThere, tryRun } from "./command";
import { packagesToFetch } from "./debian";
import { missingPackages, THIS_MACHINE } from "./packages";
import type { Paths } from "./paths";
import { carriesOverlays, fileSystemOf, makesCgroups, makesNamespaces, usableMemory } from "./probes";
import { GO_ENVIRONMENT, GO_VERSION } from "./tools";
import { BRIDGE, NODE_NETWORK, POD_NETWORK, SERVICE_NETWORK } from "./topology";

/** Facts that decide whether the sandbox can run on a machine. */
export interface Facts {
  readonly platform: string;
  readonly uid: number;
  /** Free bytes where the state goes, and where the cache goes. */
  readonly freeState: number;
  readonly freeCache: number;
  /** Bytes of memory of the machine, or of the container's limit where that is less. */
  readonly memory: number;
  /** The answer of `go env GOVERSION`, such as go1.26.8; nothing if there is no Go. */
  readonly go: string | undefined;
  /** Packages to install, and those that images are made of and that the cache does not have. */
  readonly missingPackages: readonly string[];
  /** Whether there are apt-get and dpkg. */
  readonly hasApt: boolean;
  /** Networks of this machine's routes that aren't the sandbox's own. */
  readonly networks: readonly string[];
  readonly hasCgroups: boolean;
  /** Controllers that pods need and no hierarchy offers. */
  readonly missingControllers: readonly string[];
  /** Whether namespaces with mounts, and control groups, can be made: not in an unprivileged container. */
  readonly isPrivileged: boolean;
  /** The file system of the state, if it can't carry the nodes' images. */
  readonly unfitFileSystem: string | undefined;
}

const GIB = 2 ** 30;
/**
 * The least memory that the kernel counts: three nodes, the control plane and the smallest stack take 2 GiB, building the programs 3 GiB. A
 * machine of 6 GiB shows some 5.8 of them.
 */
export const LEAST_MEMORY = 5.5 * GIB;
/** The least free disk for three nodes with their unpacked images and volumes. */
export const LEAST_STATE = 6 * GIB;
/** The least free disk for the programs, the images and the compiler's cache. */
export const LEAST_CACHE = 8 * GIB;

const ELSEWHERE = "To deploy to a Kubernetes cluster of your own instead, run `pulumi up`.";

function gib(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`;
}

/** An IPv4 network's first and last address as numbers. */
function range(network: string): [number, number] {
  const [address = "", length = "32"] = network.split("/");
  const base = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(length));
  const first = Math.floor(base / size) * size;
  return [first, first + size - 1];
}

/** Whether two IPv4 networks in CIDR form share an address. */
export function overlaps(a: string, b: string): boolean {
  const [firstA, lastA] = range(a);
  const [firstB, lastB] = range(b);
  return firstA <= lastB && firstB <= lastA;
}

/** Whether a Go release can build the programs. */
export function goIsNewEnough(version: string): boolean {
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(major) > GO_VERSION.major || (Number(major) === GO_VERSION.major && Number(minor) >= GO_VERSION.minor);
}

/**
 * The reason why the sandbox can't run, as one sentence and what to do instead; nothing if it can.
 *
 * The order is that of what a user can do about it: another machine first, then another user, then a package.
 */
export function obstacle(facts: Facts): string | undefined {
  const stop = (sentence: string): string => `${sentence} ${ELSEWHERE}`;
  if (facts.platform !== "linux")
    return stop(`The sandbox needs Linux (its nodes are made of Linux namespaces), and this is ${facts.platform}.`);
  if (facts.uid !== 0) return stop("The sandbox needs root: it makes network namespaces, control groups and mounts.");
  if (!facts.hasCgroups) return stop("The sandbox needs control groups mounted at /sys/fs/cgroup, and there are none.");
  if (facts.missingControllers.length > 0) {
    return stop(
      `The sandbox's pods need the control group controllers cpu, cpuset, memory and pids, and this machine offers no ${facts.missingControllers.join(", ")}` +
        (facts.missingControllers.includes("memory") ? " (the kernel's parameters `cgroup_enable=memory` switch memory on)." : "."),
    );
  }
  if (!facts.isPrivileged)
    return stop(
      "The sandbox makes mounts, namespaces and control groups, and this machine lets it make none, as an unprivileged container does.",
    );
  if (facts.memory < LEAST_MEMORY)
    return stop(`The sandbox needs ${gib(LEAST_MEMORY)} of memory, and this machine has ${gib(facts.memory)}.`);
  if (facts.freeState < LEAST_STATE) {
    return stop(
      `The sandbox needs ${gib(LEAST_STATE)} of free disk for its nodes (THANOS_STACK_HOME moves them), and there are ${gib(facts.freeState)}.`,
    );
  }
  if (facts.freeCache < LEAST_CACHE) {
    return stop(
      `The sandbox needs ${gib(LEAST_CACHE)} of free disk for its programs (XDG_CACHE_HOME moves them), and there are ${gib(facts.freeCache)}.`,
    );
  }
  if (facts.unfitFileSystem !== undefined) {
    return stop(
      `The sandbox's images need a file system that can carry overlays, such as ext4 or XFS, and its state would be on ${facts.unfitFileSystem} (THANOS_STACK_HOME moves it).`,
    );
  }
  for (const own of [NODE_NETWORK, POD_NETWORK, SERVICE_NETWORK]) {
    const other = facts.networks.find((network) => overlaps(network, own));
    if (other !== undefined) return stop(`The sandbox uses the network ${own}, and this machine has a route to ${other} already.`);
  }
  if (facts.go === undefined)
    return stop(
      `The sandbox builds its programs with Go ${GO_VERSION.major}.${GO_VERSION.minor} or newer, and there is no \`go\` on PATH.`,
    );
  if (!goIsNewEnough(facts.go)) {
    return stop(`The sandbox builds its programs with Go ${GO_VERSION.major}.${GO_VERSION.minor} or newer, and \`go\` is ${facts.go}.`);
  }
  if (facts.missingPackages.length > 0 && !facts.hasApt) {
    return stop(
      `The sandbox needs Debian's packages ${facts.missingPackages.join(", ")}, to install or to make images of, and fetches them with apt-get and dpkg, which aren't here: use Debian or Ubuntu.`,
    );
  }
  return undefined;
}

/** The networks that `ip -4 route` lists, without the default route and what goes through the sandbox's bridge. */
export function routedNetworks(routes: string): string[] {
  return routes
    .split("\n")
    .filter((line) => line !== "" && !line.includes(` dev ${BRIDGE} `) && !line.endsWith(` dev ${BRIDGE}`))
    .map((line) => line.trim().split(" "))
    .map((words) => (["unicast", "blackhole", "unreachable", "prohibit", "throw"].includes(words[0] ?? "") ? words[1] : words[0]) ?? "")
    .filter((network) => /^\d+\.\d+\.\d+\.\d+(\/\d+)?$/.test(network));
}

function freeBytes(path: string): number {
  let existing = path;
  while (!existsSync(existing)) existing = dirname(existing);
  const { bavail, bsize } = statfsSync(existing);
  return bavail * bsize;
}

/** Looks at this machine; changes nothing. */
export async function machineFacts(where: Paths): Promise<Facts> {
  const linux = process.platform === "linux";
  // `ip route` is asked for only if `ip` is there: a machine without it has the kernel's own list.
  const routes = linux ? ((await tryRun("ip", ["-4", "route"])) ?? "") : "";
  const hierarchies = linux ? machineHierarchies() : [];
  const isPrivileged = linux && makesCgroups(hierarchies) && (await makesNamespaces());
  return {
    platform: process.platform,
    uid: process.getuid?.() ?? -1,
    freeState: freeBytes(where.home),
    freeCache: freeBytes(where.cache),
    memory: usableMemory(hierarchies),
    go: (await tryRun("go", ["env", "GOVERSION"], { env: GO_ENVIRONMENT }))?.trim(),
    missingPackages: linux ? [...missingPackages(THIS_MACHINE), ...packagesToFetch(where)] : [],
    hasApt: ["apt-get", "dpkg"].every((command) => THIS_MACHINE.hasCommand(command)),
    networks: routedNetworks(routes),
    hasCgroups: hierarchies.length > 0,
    missingControllers: missingControllers(hierarchies),
    isPrivileged,
    // Where nothing can be mounted, that is said first.
    unfitFileSystem:
      isPrivileged && !(await carriesOverlays(where.home)) ? fileSystemOf(where.home, readIfThere("/proc/mounts") ?? "") : undefined,
  };
}
