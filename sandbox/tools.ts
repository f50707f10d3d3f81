import { createHash } from "node:crypto";
import {
  accessSync,
  constants,
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { makeCgroup } from "./cgroups";
import { run, StepFailed, tryRun } from "./command";
import { isStaticProgram } from "./elf";
import { type Paths, REPOSITORY } from "./paths";

/** A Go module of `sandbox/tools/` and how it is built. */
export interface Tool {
  /** Its directory below `sandbox/tools/`. */
  readonly name: string;
  /** The version of {@link module}, as its go.mod requires it. */
  readonly version: string;
  /** The module whose version counts. */
  readonly module: string;
  /** The packages to build, by the name of the program each gives. */
  readonly programs: Readonly<Record<string, string>>;
  /** Build tags. */
  readonly tags: readonly string[];
  /** Go variables set by the linker, by their full path. */
  readonly variables: Readonly<Record<string, string>>;
  /**
   * When a program on PATH may be used instead: the arguments that make it tell its version, and what the answer must match.
   * Without it, it is always built.
   */
  readonly onPath?: { readonly args: readonly string[]; readonly version: RegExp };
  /** Whether it goes into an image, so that one from PATH must be linked statically. */
  readonly inImage: boolean;
}

const PROMETHEUS_VERSION = "github.com/prometheus/common/version.Version";

/** Every program that is built from source, in the order of building. */
export const TOOLS = {
  etcd: {
    name: "etcd",
    module: "go.etcd.io/etcd/server/v3",
    version: "v3.6.14",
    programs: { etcd: "go.etcd.io/etcd/server/v3" },
    tags: [],
    variables: {},
    onPath: { args: ["--version"], version: /etcd Version: 3\.6\./ },
    inImage: false,
  },
  kubernetes: {
    name: "kubernetes",
    module: "k8s.io/kubernetes",
    version: "v1.36.3",
    programs: { kubernetes: "." },
    tags: ["grpcnotrace", "selinux", "notest"],
    variables: {
      "k8s.io/component-base/version.gitVersion": "v1.36.3",
      "k8s.io/component-base/version.gitMajor": "1",
      "k8s.io/component-base/version.gitMinor": "36",
      "k8s.io/client-go/pkg/version.gitVersion": "v1.36.3",
    },
    inImage: false,
  },
  kubeRouter: {
    name: "kube-router",
    module: "github.com/cloudnativelabs/kube-router/v2",
    version: "v2.1.0",
    programs: { "kube-router": "github.com/cloudnativelabs/kube-router/v2/cmd/kube-router" },
    tags: ["grpcnotrace"],
    variables: {},
    inImage: false,
  },
  pulumi: {
    name: "pulumi",
    module: "github.com/pulumi/pulumi/pkg/v3",
    version: "v3.259.0",
    programs: { pulumi: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi" },
    tags: ["osusergo", "grpcnotrace"],
    variables: { "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version": "v3.259.0" },
    onPath: { args: ["version"], version: /^v3\.(2[5-9]\d|[3-9]\d\d)\./ },
    inImage: false,
  },
  coredns: {
    name: "coredns",
    module: "github.com/coredns/coredns",
    version: "v1.14.7",
    programs: { coredns: "." },
    tags: [],
    variables: {},
    inImage: true,
  },
  thanos: {
    name: "thanos",
    module: "github.com/thanos-io/thanos",
    version: "v0.42.4",
    programs: { thanos: "github.com/thanos-io/thanos/cmd/thanos" },
    tags: ["netgo", "slicelabels"],
    variables: { [PROMETHEUS_VERSION]: "0.42.4" },
    onPath: { args: ["--version"], version: /thanos, version 0\.42\.4 / },
    inImage: true,
  },
  // The release that an upgrade begins at; for the tests only.
  thanosPrevious: {
    name: "thanos-previous",
    module: "github.com/thanos-io/thanos",
    version: "v0.41.0",
    programs: { "thanos-previous": "github.com/thanos-io/thanos/cmd/thanos" },
    tags: ["netgo", "slicelabels"],
    variables: { [PROMETHEUS_VERSION]: "0.41.0" },
    inImage: true,
  },
  prometheus: {
    name: "prometheus",
    module: "github.com/prometheus/prometheus",
    // The module of Prometheus 3.x has versions v0.3xx: Go's rule for major versions, evaded.
    version: "v0.314.0",
    programs: {
      prometheus: "github.com/prometheus/prometheus/cmd/prometheus",
      promtool: "github.com/prometheus/prometheus/cmd/promtool",
    },
    tags: ["netgo", "remove_all_sd", "enable_kubernetes_sd", "enable_dns_sd"],
    variables: { [PROMETHEUS_VERSION]: "3.14.0" },
    onPath: { args: ["--version"], version: /(prometheus|promtool), version 3\.14\.0 / },
    inImage: true,
  },
  promLabelProxy: {
    name: "prom-label-proxy",
    module: "github.com/prometheus-community/prom-label-proxy",
    version: "v0.15.0",
    programs: { "prom-label-proxy": "github.com/prometheus-community/prom-label-proxy" },
    tags: ["netgo"],
    variables: {},
    inImage: true,
  },
  versitygw: {
    name: "versitygw",
    module: "github.com/versity/versitygw",
    version: "v1.7.0",
    programs: { versitygw: "github.com/versity/versitygw/cmd/versitygw" },
    tags: [],
    variables: {},
    inImage: false,
  },
} as const satisfies Record<string, Tool>;

/** The name of a {@link TOOLS} entry. */
export type ToolName = keyof typeof TOOLS;

/** The oldest Go release that can build the tools (their go.mod files say so). */
export const GO_VERSION = { major: 1, minor: 26 };

/** Go's settings for every build: this Go release and no other, these modules and no workspace, no C library. */
export const GO_ENVIRONMENT: Readonly<Record<string, string>> = {
  GOTOOLCHAIN: "local",
  GOWORK: "off",
  CGO_ENABLED: "0",
  // Fewer garbage collections of the compiler: a third less time for some memory.
  GOGC: "400",
  // -buildvcs=false: the revision of this repository is none of the program's.
  GOFLAGS: "-mod=readonly -buildvcs=false",
};

/** The arguments of `go build` and `go list` that decide what is built. */
export function buildArguments(tool: Tool): string[] {
  const variables = Object.entries(tool.variables).map(([name, value]) => `-X ${name}=${value}`);
  return ["-trimpath", ...(tool.tags.length > 0 ? ["-tags", tool.tags.join(",")] : []), "-ldflags", ["-s", "-w", ...variables].join(" ")];
}

/** Inputs on which the built program depends. */
export interface BuildInputs {
  readonly tool: Tool;
  /** The contents of go.mod, go.sum and the Go sources, by file name. */
  readonly sources: Readonly<Record<string, string>>;
  /** The answer of `go env GOVERSION GOOS GOARCH`. */
  readonly go: string;
}

/** The key under which a build is cached: equal inputs give equal keys, in whatever order they were read. */
export function buildKey(inputs: BuildInputs): string {
  const hash = createHash("sha256");
  const part = (text: string): void => {
    hash.update(`${Buffer.byteLength(text)}:`).update(text);
  };
  for (const name of Object.keys(inputs.sources).sort()) {
    part(name);
    part(inputs.sources[name] ?? "");
  }
  for (const [program, source] of Object.entries(inputs.tool.programs).sort()) part(`${program}=${source}`);
  for (const argument of buildArguments(inputs.tool)) part(argument);
  for (const [name, value] of Object.entries(GO_ENVIRONMENT).sort()) part(`${name}=${value}`);
  part(inputs.go);
  return hash.digest("hex").slice(0, 16);
}

/** The directory of a tool's Go module. */
export function toolDirectory(tool: Tool): string {
  return join(REPOSITORY, "sandbox", "tools", tool.name);
}

function sourcesOf(tool: Tool): Record<string, string> {
  const directory = toolDirectory(tool);
  const files = readdirSync(directory).filter((file) => file === "go.mod" || file === "go.sum" || file.endsWith(".go"));
  return Object.fromEntries(files.map((file) => [file, readFileSync(join(directory, file), "utf8")]));
}

/** Where a program's file is. */
export interface Program {
  readonly path: string;
  /** A text that changes with the program's contents. */
  readonly key: string;
}

/** A program of that name on PATH, if it is the right version and fits where it is to go. */
async function fromPath(tool: Tool, program: string, where: Paths): Promise<Program | undefined> {
  if (tool.onPath === undefined) return undefined;
  for (const directory of (process.env.PATH ?? "").split(":")) {
    // The sandbox's own links, in the PATH of who uses `make env`.
    if (directory === "" || directory === where.bin) continue;
    const path = join(directory, program);
    try {
      accessSync(path, constants.X_OK);
    } catch {
      continue;
    }
    const answer = await tryRun(path, tool.onPath.args, { env: { PULUMI_SKIP_UPDATE_CHECK: "true" }, timeout: 20_000 });
    if (answer === undefined || !tool.onPath.version.test(answer) || (tool.inImage && !isStaticProgram(path))) return undefined;
    return { path, key: createHash("sha256").update(readFileSync(path)).digest("hex").slice(0, 16) };
  }
  return undefined;
}

/** Go's version, system and architecture. */
export async function goIdentity(): Promise<string> {
  return run("go", ["env", "GOVERSION", "GOOS", "GOARCH"], { env: GO_ENVIRONMENT });
}

/**
 * The files of a tool's programs, from PATH, from the cache, or built now.
 *
 * A build goes to a temporary directory and is renamed when complete, so an interrupted one leaves nothing that counts; the compiler's own
 * cache keeps what was compiled. A lock held by the build itself keeps two commands from building the same tool at once.
 *
 * @param report told what is happening, for the user
 * @throws {StepFailed} with the compiler's log
 */
export async function ensureTool(name: ToolName, where: Paths, report: (text: string) => void): Promise<Record<string, Program>> {
  const tool: Tool = TOOLS[name];
  const names = Object.keys(tool.programs);
  const found = await Promise.all(names.map((program) => fromPath(tool, program, where)));
  if (found.every((program) => program !== undefined)) {
    return Object.fromEntries(found.flatMap((program, index) => (program === undefined ? [] : [[names[index] ?? "", program]])));
  }
  const key = buildKey({ tool, sources: sourcesOf(tool), go: await goIdentity() });
  const directory = join(where.cache, "programs", `${tool.name}-${tool.version}-${key}`);
  if (!existsSync(directory)) await build(tool, directory, where, report);
  return Object.fromEntries(names.map((program) => [program, { path: join(directory, program), key }]));
}

async function build(tool: Tool, directory: string, where: Paths, report: (text: string) => void): Promise<void> {
  mkdirSync(join(where.cache, "programs"), { recursive: true });
  mkdirSync(where.logs, { recursive: true });
  const log = join(where.logs, `build-${tool.name}.log`);
  const source = toolDirectory(tool);
  const args = buildArguments(tool);
  const packages = Object.values(tool.programs);

  report(`${tool.name} ${tool.version}: counting packages`);
  const stale = await tryRun("go", ["list", "-deps", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}", ...args, ...packages], {
    cwd: source,
    env: GO_ENVIRONMENT,
    timeout: 300_000,
  });
  const total = stale?.split("\n").filter((line) => line !== "").length;

  const temporary = `${directory}.${process.pid}.tmp`;
  // One program's output is a file, several programs' a directory.
  const output = packages.length === 1 ? join(temporary, Object.keys(tool.programs)[0] ?? tool.name) : `${temporary}/`;
  // Only who has the lock builds, so other temporary directories are those of builds that were killed.
  const script =
    'test -d "$1" && exit 0; rm -rf "$1".*.tmp; mkdir -p "$2"; shift; t=$1; shift; nice go build -v "$@" && mv -T "$t" "$FINAL"';
  const child = execa("flock", [`${directory}.lock`, "sh", "-c", script, "sh", directory, temporary, ...args, "-o", output, ...packages], {
    cwd: source,
    env: { ...GO_ENVIRONMENT, FINAL: directory },
    stdin: "ignore",
    all: true,
    buffer: false,
    reject: false,
  });
  const file = createWriteStream(log);
  child.all?.pipe(file);
  let compiled = 0;
  for await (const line of child.iterable({ from: "all" })) {
    if (/^[\w.~-]+(\/[\w.~-]+)*$/.test(line)) compiled++;
    report(`${tool.name} ${tool.version}: compiled ${compiled}${total === undefined || total < compiled ? "" : ` of ${total}`} packages`);
  }
  const result = await child;
  rmSync(temporary, { recursive: true, force: true });
  if (result.exitCode !== 0 || !existsSync(directory)) throw new StepFailed(`building ${tool.name} ${tool.version} failed`, log);
  rmSync(`${directory}.lock`, { force: true });
}

/** The programs of the multi-call binary `kubernetes`. */
export const KUBERNETES_PROGRAMS = [
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubelet",
  "kube-proxy",
  "kubectl",
] as const;

/**
 * The script that stands before the engine: it and the providers it starts join the sandbox's control group, so that `down` ends them
 * even if whoever started them was killed.
 */
export function enginePrelude(program: string, groups: readonly string[]): string {
  const join = groups.map((group) => `test ! -d ${group} || echo $$ > ${group}/cgroup.procs || exit 1`).join("\n");
  return `#!/bin/sh\n${join}\nexec ${program} "$@"\n`;
}

/** Makes the programs callable by their names in {@link Paths.bin}. */
export function linkPrograms(programs: Readonly<Record<string, Program>>, where: Paths): void {
  mkdirSync(where.bin, { recursive: true });
  const put = (name: string, make: (path: string) => void): void => {
    // Renamed into place, so that nobody who calls it meanwhile finds nothing.
    const temporary = join(where.bin, `.${name}.tmp`);
    rmSync(temporary, { force: true });
    make(temporary);
    renameSync(temporary, join(where.bin, name));
  };
  for (const [name, { path: target }] of Object.entries(programs)) {
    if (name === "pulumi") put(name, (path) => writeFileSync(path, enginePrelude(target, makeCgroup("engine")), { mode: 0o755 }));
    else for (const command of name === "kubernetes" ? KUBERNETES_PROGRAMS : [name]) put(command, (path) => symlinkSync(target, path));
  }
}
