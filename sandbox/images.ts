import { createHash } from "node:crypto";
import { existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, realpathSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { run, StepFailed } from "./command";
import { busyboxIn, type ImagePackage, loadingFrom, unpackPackage } from "./debian";
import { type Paths, REPOSITORY } from "./paths";
import { SANDBOX_STACK_IMAGES } from "./stackImages";
import { type TarEntry, writeTar } from "./tar";
import { type Program, TOOLS, type ToolName } from "./tools";

/** A user of an image. */
interface User {
  readonly name: string;
  readonly id: number;
}

/** An image of one layer, made from what is on this machine, under the name that manifests use. */
export interface Image {
  /** The full reference. */
  readonly name: string;
  /** The tools whose programs it holds, in /bin. */
  readonly tools: readonly ToolName[];
  /** Further files: its path in the image → the file on this machine. */
  readonly files?: Readonly<Record<string, string>>;
  /** A Debian package whose program it holds, with the libraries that it needs; not installed on this machine. */
  readonly debian?: { readonly package: ImagePackage; readonly program: string };
  /** Whether it has a shell and the usual commands (busybox), as the original has. */
  readonly shell: boolean;
  readonly user: User;
  /** Directories that belong to its user. */
  readonly directories?: readonly string[];
  readonly entrypoint: readonly string[];
  readonly command?: readonly string[];
  readonly workingDirectory?: string;
  readonly ports?: readonly number[];
  /** The signal that ends it. Default: SIGTERM. */
  readonly stopSignal?: string;
}

const ROOT: User = { name: "root", id: 0 };
const NOBODY: User = { name: "nobody", id: 65534 };
const TINI = "/usr/bin/tini-static";
const CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";

/** The image that holds each pod's namespaces; named nowhere but in containerd's configuration. */
export const PAUSE_IMAGE = "localhost/thanos-stack/pause:1";
/** For tests and tools in the cluster: Debian 12's busybox. */
export const BUSYBOX_IMAGE = "docker.io/library/busybox:1.35.0";
/** The cluster's DNS server. */
export const COREDNS_IMAGE = `registry.k8s.io/coredns/coredns:${TOOLS.coredns.version}`;

/** Every image of the sandbox. */
export const IMAGES: readonly Image[] = [
  {
    name: PAUSE_IMAGE,
    tools: [],
    files: { tini: TINI },
    shell: true,
    user: NOBODY,
    // tini reaps what a shared pid namespace leaves and ends on SIGTERM, as the original does.
    entrypoint: ["/tini", "-s", "--", "/bin/sleep", "2147483647"],
  },
  { name: COREDNS_IMAGE, tools: ["coredns"], shell: false, user: NOBODY, entrypoint: ["/bin/coredns"], ports: [53] },
  { name: BUSYBOX_IMAGE, tools: [], shell: true, user: ROOT, entrypoint: [], command: ["sh"] },
  {
    name: SANDBOX_STACK_IMAGES.thanos,
    tools: ["thanos"],
    shell: true,
    user: { name: "thanos", id: 1001 },
    entrypoint: ["/bin/thanos"],
  },
  {
    name: SANDBOX_STACK_IMAGES.prometheus,
    tools: ["prometheus"],
    shell: true,
    user: NOBODY,
    directories: ["etc/prometheus", "prometheus"],
    entrypoint: ["/bin/prometheus"],
    command: ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"],
    workingDirectory: "/prometheus",
    ports: [9090],
  },
  {
    name: SANDBOX_STACK_IMAGES.memcached,
    tools: [],
    debian: { package: "memcached", program: "usr/bin/memcached" },
    shell: true,
    user: { name: "memcache", id: 11211 },
    entrypoint: ["/bin/memcached"],
    ports: [11211],
  },
  {
    name: SANDBOX_STACK_IMAGES.haproxy,
    tools: [],
    debian: { package: "haproxy", program: "usr/sbin/haproxy" },
    shell: true,
    // User and signal of the original: SIGUSR1 lets requests end, SIGTERM cuts them off.
    user: { name: "haproxy", id: 99 },
    entrypoint: ["/bin/haproxy"],
    stopSignal: "SIGUSR1",
  },
  {
    name: SANDBOX_STACK_IMAGES.promLabelProxy,
    tools: ["promLabelProxy"],
    shell: false,
    user: NOBODY,
    entrypoint: ["/bin/prom-label-proxy"],
  },
];

/** Further images that only tests need: the release of Thanos before the stack's own. */
export const TEST_IMAGES: readonly Image[] = [
  {
    name: `quay.io/thanos/thanos:${TOOLS.thanosPrevious.version}`,
    tools: ["thanosPrevious"],
    shell: true,
    user: { name: "thanos", id: 1001 },
    entrypoint: ["/bin/thanos-previous"],
  },
];

/** The architecture of this machine, as images name it. */
export function architecture(machine: string = process.arch): string {
  return { x64: "amd64", arm64: "arm64" }[machine] ?? machine;
}

/** Files that {@link layerEntries} puts into the layer beside the image's own description. */
export interface LayerSources {
  /** Program files by the name they get in /bin. */
  readonly programs: Readonly<Record<string, string>>;
  /** The file of busybox, for images with a shell. */
  readonly busybox: string;
  /** The names of busybox's commands, if the image has a shell. */
  readonly commands: readonly string[];
  /** Libraries and loader: path in the image → file on this machine. */
  readonly libraries: Readonly<Record<string, string>>;
}

/** The entries of an image's only layer, sorted, each directory before what is in it. */
export function layerEntries(image: Image, sources: LayerSources): TarEntry[] {
  const entries = new Map<string, TarEntry>();
  const directory = (path: string, more: Partial<TarEntry> = {}): void => {
    if (path === "." || path === "") return;
    directory(dirname(path));
    if (!entries.has(path) || Object.keys(more).length > 0) entries.set(path, { path, kind: "directory", ...more });
  };
  const add = (entry: TarEntry): void => {
    directory(dirname(entry.path));
    entries.set(entry.path, entry);
  };
  const text = (path: string, content: string): void => add({ path, kind: "file", content: Buffer.from(content) });

  const users = image.user.id === 0 || image.user.id === NOBODY.id ? [ROOT, NOBODY] : [ROOT, image.user, NOBODY];
  text(
    "etc/passwd",
    users.map(({ name, id }) => `${name}:x:${id}:${id}:${name}:/:${id === 0 && image.shell ? "/bin/sh" : "/bin/false"}\n`).join(""),
  );
  text("etc/group", users.map(({ name, id }) => `${name}:x:${id}:\n`).join(""));
  // Without it, some resolvers ask DNS before /etc/hosts.
  text("etc/nsswitch.conf", "hosts: files dns\n");
  add({ path: "etc/ssl/certs/ca-certificates.crt", kind: "file", content: { from: CERTIFICATES } });
  directory("tmp", { mode: 0o1777 });
  for (const path of image.directories ?? []) directory(path, { uid: image.user.id, gid: image.user.id });
  if (image.shell) {
    add({ path: "bin/busybox", kind: "file", mode: 0o755, content: { from: sources.busybox } });
    for (const command of sources.commands) if (command !== "busybox") add({ path: `bin/${command}`, kind: "symlink", target: "busybox" });
  }
  for (const [path, from] of Object.entries(sources.libraries)) add({ path, kind: "file", mode: 0o755, content: { from } });
  for (const [path, from] of Object.entries(image.files ?? {})) add({ path, kind: "file", mode: 0o755, content: { from } });
  for (const [name, from] of Object.entries(sources.programs)) add({ path: `bin/${name}`, kind: "file", mode: 0o755, content: { from } });
  return [...entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The image's configuration, in the form of the OCI and Docker specifications. */
export function imageConfig(image: Image, layerDigest: string): object {
  return {
    architecture: architecture(),
    os: "linux",
    created: "1970-01-01T00:00:00Z",
    config: {
      User: String(image.user.id),
      Env: ["PATH=/bin"],
      Entrypoint: image.entrypoint,
      Cmd: image.command ?? [],
      WorkingDir: image.workingDirectory ?? "/",
      ...(image.stopSignal === undefined ? {} : { StopSignal: image.stopSignal }),
      ExposedPorts: Object.fromEntries((image.ports ?? []).map((port) => [`${port}/tcp`, {}])),
    },
    rootfs: { type: "layers", diff_ids: [`sha256:${layerDigest}`] },
    history: [{ created: "1970-01-01T00:00:00Z", created_by: "thanos-stack sandbox" }],
  };
}

/**
 * Writes an image as a docker-archive: its layer, its configuration under its digest, and the manifest that names both.
 *
 * @param temporary a path for the layer; removed
 */
export function writeImage(path: string, temporary: string, image: Image, entries: readonly TarEntry[]): void {
  const digest = writeTar(temporary, entries);
  const config = Buffer.from(JSON.stringify(imageConfig(image, digest)));
  const configName = `${createHash("sha256").update(config).digest("hex")}.json`;
  const manifest = [{ Config: configName, RepoTags: [image.name], Layers: [`${digest}.tar`] }];
  writeTar(path, [
    { path: "manifest.json", kind: "file", content: Buffer.from(JSON.stringify(manifest)) },
    { path: configName, kind: "file", content: config },
    { path: `${digest}.tar`, kind: "file", content: { from: temporary } },
  ]);
  rmSync(temporary);
}

/** The libraries that `ldd` found a program to need: path in the image → file on this machine. The loader keeps its absolute path. */
export function parseLdd(output: string): Record<string, string> {
  const libraries: Record<string, string> = {};
  for (const line of output.split("\n")) {
    const [, name, target] = /^\s*(?:(\S+) => )?(\/\S+) \(0x[0-9a-f]+\)$/.exec(line) ?? [];
    if (target === undefined) continue;
    libraries[name === undefined || name.startsWith("/") ? (name ?? target).slice(1) : `lib/${name}`] = target;
  }
  return libraries;
}

async function librariesOf(program: string, root: string): Promise<Record<string, string>> {
  const output = await run("ldd", [program], { env: loadingFrom(root) });
  if (/not found/.test(output)) throw new StepFailed(`${basename(program)} needs a library that its packages don't bring:\n${output}`);
  return Object.fromEntries(Object.entries(parseLdd(output)).map(([path, file]) => [path, realpathSync(file)]));
}

/** An image's archive in the cache. */
export interface ImageArchive {
  readonly name: string;
  readonly path: string;
  /** Changes with the image's contents. */
  readonly key: string;
}

function contentOf(path: string): string {
  return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : createHash("sha256").update(readFileSync(path)).digest("hex");
}

/**
 * The archives of all images, from the cache or made now.
 *
 * @param programs every built program, by its name
 */
export async function ensureImages(
  programs: Readonly<Record<string, Program>>,
  where: Paths,
  report: (text: string) => void,
  images: readonly Image[] = IMAGES,
): Promise<ImageArchive[]> {
  const directory = join(where.cache, "images");
  mkdirSync(directory, { recursive: true });
  const busybox = busyboxIn(await unpackPackage("busybox-static", where));
  const commands = (await run(busybox, ["--list"])).split("\n").filter((command) => command !== "");
  const maker = createHash("sha256");
  for (const file of ["images.ts", "tar.ts"]) maker.update(readFileSync(join(REPOSITORY, "sandbox", file)));
  const made = maker.digest("hex");

  const archives: ImageArchive[] = [];
  for (const image of images) {
    const wanted = image.tools.flatMap((tool) => Object.keys(TOOLS[tool].programs));
    const own: Record<string, string> = {};
    const hash = createHash("sha256").update(made).update(JSON.stringify(image)).update(contentOf(CERTIFICATES)).update(architecture());
    for (const name of wanted) {
      const program = programs[name];
      if (program === undefined) throw new StepFailed(`image ${image.name}: ${name} was not built`);
      own[name] = program.path;
      hash.update(`${name}=${program.key}`);
    }
    for (const file of Object.values(image.files ?? {})) hash.update(contentOf(file));
    if (image.shell) hash.update(contentOf(busybox)).update(commands.join(" "));
    let libraries: Record<string, string> = {};
    if (image.debian !== undefined) {
      const root = await unpackPackage(image.debian.package, where);
      const program = join(root, image.debian.program);
      own[basename(program)] = program;
      libraries = await librariesOf(program, root);
      for (const file of [program, ...Object.values(libraries)]) hash.update(contentOf(file));
    }
    const key = hash.digest("hex").slice(0, 16);
    const path = join(directory, `${image.name.replace(/[/:]/g, "_")}-${key}.tar`);
    if (!existsSync(path)) {
      report(image.name);
      const temporary = `${path}.${process.pid}.tmp`;
      writeImage(temporary, `${temporary}.layer`, image, layerEntries(image, { programs: own, busybox, commands, libraries }));
      renameSync(temporary, path);
    }
    archives.push({ name: image.name, path, key });
  }
  return archives;
}
