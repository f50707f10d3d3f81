import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { run, StepFailed } from "./command";
import type { Paths } from "./paths";

/**
 * Debian packages that images are made of: fetched into the cache and unpacked there, never installed, so that they
 * conflict with nothing on the machine.
 */

/** The packages of {@link unpackPackage} that images need. */
export const IMAGE_PACKAGES = ["busybox-static", "memcached", "haproxy"] as const;
export type ImagePackage = (typeof IMAGE_PACKAGES)[number];

/**
 * The shared libraries that a package's `Depends` names, without the C library, which is the machine's own.
 *
 * @param depends the field as in the package, such as
 * `libc6 (>= 2.34), libevent-2.1-7t64 (>= 2.1.8), adduser`; of alternatives the first counts
 */
export function libraryPackages(depends: string): string[] {
  return depends
    .split(",")
    .map(
      (dependency) =>
        dependency
          .split("|")[0]
          ?.trim()
          .split(/[\s(:]/)[0] ?? "",
    )
    .filter((name) => name.startsWith("lib") && !/^libc\d/.test(name));
}

/** The distribution and its release, such as `debian-13`: libraries of one are not another's. */
export function releaseOf(osRelease: string): string {
  const field = (name: string): string => new RegExp(`^${name}="?([\\w.-]*)"?$`, "m").exec(osRelease)?.[1] ?? "unknown";
  return `${field("ID")}-${field("VERSION_ID")}`;
}

/** Where {@link unpackPackage} puts a package of this machine's release. */
function directoryOf(name: ImagePackage, where: Paths): string {
  return join(where.cache, "debian", releaseOf(readFileSync("/etc/os-release", "utf8")), name);
}

/** Those of {@link IMAGE_PACKAGES} that are not in the cache yet. */
export function packagesToFetch(where: Paths): ImagePackage[] {
  return IMAGE_PACKAGES.filter((name) => !existsSync(directoryOf(name, where)));
}

/**
 * Fetches a package and the libraries that it depends on, and those that they depend on, into the cache, and unpacks them beside each
 * other, unless they are there.
 *
 * @returns the directory that stands for `/`
 * @throws {StepFailed} if apt does not have it
 */
export async function unpackPackage(name: ImagePackage, where: Paths): Promise<string> {
  const directory = directoryOf(name, where);
  if (existsSync(directory)) return directory;
  const temporary = `${directory}.tmp`;
  const root = join(temporary, "root");
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  const fetched = new Set<string>();
  for (let wanted: string[] = [name]; wanted.length > 0; ) {
    await download(wanted, temporary);
    for (const each of wanted) fetched.add(each);
    wanted = [];
    for (const file of archivesIn(temporary)) {
      const depends = await run("dpkg-deb", ["-f", join(temporary, file), "Depends"]);
      wanted.push(...libraryPackages(depends).filter((library) => !fetched.has(library) && !wanted.includes(library)));
    }
  }
  for (const file of archivesIn(temporary)) await run("dpkg", ["-x", join(temporary, file), root]);
  rmSync(directory, { recursive: true, force: true });
  renameSync(root, directory);
  rmSync(temporary, { recursive: true, force: true });
  return directory;
}

const archivesIn = (directory: string): string[] => readdirSync(directory).filter((file) => file.endsWith(".deb"));

async function download(packages: readonly string[], directory: string): Promise<void> {
  // Without that option apt changes to a user who may not write here.
  const fetch = () => run("apt-get", ["-o", "APT::Sandbox::User=root", "download", ...packages], { cwd: directory, timeout: 300_000 });
  try {
    await fetch();
  } catch {
    await run("apt-get", ["update"], { timeout: 300_000 });
    try {
      await fetch();
    } catch (error) {
      throw new StepFailed(
        `apt could not fetch ${packages.join(", ")}, which images are made of (on Ubuntu they are in the component universe)\n${(error as Error).message}`,
      );
    }
  }
}

/** busybox, linked statically, of an unpacked `busybox-static`: releases differ in where they put it. */
export function busyboxIn(root: string): string {
  const path = ["usr/bin/busybox", "bin/busybox"].map((each) => join(root, each)).find((each) => existsSync(each));
  if (path === undefined) throw new StepFailed(`busybox-static brought no busybox into ${root}`);
  return path;
}

/** Environment of a program of an unpacked package: the directories of the libraries that it needs. */
export function loadingFrom(root: string): { LD_LIBRARY_PATH: string } {
  const directories = [join(root, "usr", "lib"), join(root, "lib")].flatMap((parent) =>
    existsSync(parent)
      ? readdirSync(parent, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [join(parent, entry.name)] : []))
      : [],
  );
  return { LD_LIBRARY_PATH: directories.join(":") };
}
