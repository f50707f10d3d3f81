import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { StepFailed, tryRun } from "./command";
import { packagesToFetch, unpackPackage } from "./debian";
import { isStaticProgram } from "./elf";
import type { Paths } from "./paths";

/** Something the cluster needs from the operating system. */
export interface Requirement {
  /** Debian's package that has it. */
  readonly package: string;
  /** Commands looked for on PATH; all must be there. */
  readonly commands?: readonly string[];
  /** Files of which one must be there. */
  readonly files?: readonly string[];
  /** The files must be statically linked programs, because they go into images. */
  readonly static?: boolean;
}

/** Directories in which distributions put the network plugins. */
export const CNI_DIRECTORIES = ["/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"];

/** All the cluster needs. What a machine has in another package than Debian's is left alone. */
export const REQUIREMENTS: readonly Requirement[] = [
  { package: "containerd", commands: ["containerd", "ctr", "containerd-shim-runc-v2"] },
  { package: "runc", commands: ["runc"] },
  { package: "containernetworking-plugins", files: CNI_DIRECTORIES.map((directory) => `${directory}/ptp`) },
  { package: "iptables", commands: ["iptables", "iptables-restore"] },
  { package: "ipset", commands: ["ipset"] },
  { package: "conntrack", commands: ["conntrack"] },
  { package: "iproute2", commands: ["ip"] },
  { package: "util-linux", commands: ["unshare", "nsenter", "flock"] },
  { package: "mount", commands: ["mount", "umount"] },
  { package: "openssl", commands: ["openssl"] },
  { package: "tini", files: ["/usr/bin/tini-static"], static: true },
  { package: "ca-certificates", files: ["/etc/ssl/certs/ca-certificates.crt"] },
];

/** How a machine answers {@link missingPackages}. */
export interface MachineFiles {
  /** Whether PATH has the command. */
  hasCommand(command: string): boolean;
  hasFile(path: string): boolean;
  isStatic(path: string): boolean;
}

/** The packages that have to be installed, in {@link REQUIREMENTS}' order. */
export function missingPackages(machine: MachineFiles, requirements: readonly Requirement[] = REQUIREMENTS): string[] {
  return requirements
    .filter((requirement) => {
      const commands = requirement.commands?.every((command) => machine.hasCommand(command)) ?? true;
      const fits = (file: string): boolean => machine.hasFile(file) && (!requirement.static || machine.isStatic(file));
      return !(commands && (requirement.files?.some(fits) ?? true));
    })
    .map((requirement) => requirement.package);
}

/** This machine. */
export const THIS_MACHINE: MachineFiles = {
  hasCommand: (command) =>
    [...(process.env.PATH ?? "").split(":"), "/usr/sbin", "/sbin"].some((directory) => existsSync(join(directory, command))),
  hasFile: existsSync,
  isStatic: isStaticProgram,
};

/**
 * Installs what is missing, and only that: apt is told to remove nothing and to add no recommendations. Fetches what images are made of
 * too, so that a package which this machine can't have is known before anything is compiled.
 *
 * @throws {StepFailed} with apt's log
 */
export async function ensurePackages(where: Paths, report: (text: string) => void): Promise<void> {
  const missing = missingPackages(THIS_MACHINE);
  if (missing.length > 0) await install(missing, where, report);
  for (const name of packagesToFetch(where)) {
    report(`fetching ${name} for the images`);
    await unpackPackage(name, where);
  }
}

async function install(missing: readonly string[], where: Paths, report: (text: string) => void): Promise<void> {
  mkdirSync(where.logs, { recursive: true });
  const log = join(where.logs, "apt.log");
  const apt = (...args: string[]) =>
    execa("apt-get", ["-o", "DPkg::Lock::Timeout=300", ...args], {
      env: { DEBIAN_FRONTEND: "noninteractive" },
      stdin: "ignore",
      stdout: { file: log, append: true },
      stderr: { file: log, append: true },
      reject: false,
      timeout: 900_000,
    });
  const installAll = () => apt("install", "--yes", "--no-install-recommends", "--no-remove", ...missing);
  report(`installing ${missing.join(", ")}`);
  if ((await installAll()).exitCode !== 0) {
    report("the package lists are missing or old: fetching them");
    // An installation that was interrupted has to be ended first.
    await tryRun("dpkg", ["--configure", "-a"], { timeout: 600_000, env: { DEBIAN_FRONTEND: "noninteractive" } });
    await apt("update");
    report(`installing ${missing.join(", ")}`);
    if ((await installAll()).exitCode !== 0) throw new StepFailed(`apt could not install ${missing.join(", ")}`, log);
  }
  // Debian starts and enables a containerd of the machine's own, which nobody asked for; each node runs its own one.
  if (missing.includes("containerd")) await tryRun("systemctl", ["disable", "--now", "containerd.service"]);
  const still = missingPackages(THIS_MACHINE);
  if (still.length > 0) throw new StepFailed(`apt installed ${still.join(", ")}, and what they should bring is still not there`, log);
}
