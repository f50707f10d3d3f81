import { homedir } from "node:os";
import { isAbsolute, join, normalize, resolve } from "node:path";

/** The repository's root. */
export const REPOSITORY = resolve(__dirname, "..");

/** Where the sandbox keeps what. */
export interface Paths {
  /** The state of the running cluster; `down` removes it. `THANOS_STACK_HOME`, default /var/lib/thanos-stack. */
  readonly home: string;
  /** Records of the running processes. */
  readonly run: string;
  /** One log a program. */
  readonly logs: string;
  /** Keys and certificates. */
  readonly pki: string;
  /** Configuration files of the cluster's programs. */
  readonly config: string;
  /** Symbolic links to the programs, under the names people call them by. */
  readonly bin: string;
  /** The user's way in: cluster administrator, context `sandbox`. */
  readonly kubeconfig: string;
  /** `PULUMI_HOME`. */
  readonly pulumiHome: string;
  /** The directory of Pulumi's file backend. */
  readonly pulumiBackend: string;
  /** Working directories of the stacks, one an environment. */
  readonly pulumiWork: string;
  /** One directory a node. */
  readonly nodes: string;
  /** The S3 server's directory; a bucket is a directory in it. */
  readonly buckets: string;
  /** Directory that outlives `down`: built programs and images. `$XDG_CACHE_HOME/thanos-stack`, default ~/.cache/thanos-stack. */
  readonly cache: string;
  /** Node.js and Go, where the machine has none that fit (`sandbox/toolchain`); the Makefile names the same directory. */
  readonly toolchain: string;
  /** Kernel settings as they were before; they live as long as the settings do, until the next boot. */
  readonly sysctlRecord: string;
  /** Held while a command changes the cluster. */
  readonly lock: string;
}

/**
 * The sandbox's paths.
 *
 * @param env the environment that may move them
 * @throws if `THANOS_STACK_HOME` can't be the sandbox's own directory: relative, a root, or so long that socket paths in it overflow
 */
export function paths(env: NodeJS.ProcessEnv = process.env): Paths {
  const home = normalize(env.THANOS_STACK_HOME || "/var/lib/thanos-stack").replace(/\/+$/, "");
  if (!isAbsolute(home) || home.split("/").length < 3) {
    throw new Error(
      `THANOS_STACK_HOME is ${JSON.stringify(env.THANOS_STACK_HOME)}: it must be an absolute path below a top-level directory`,
    );
  }
  if (home.length > 48) throw new Error(`THANOS_STACK_HOME has ${home.length} characters; sockets in it need it to have at most 48`);
  const cacheHome = env.XDG_CACHE_HOME || join(env.HOME || homedir(), ".cache");
  return {
    home,
    run: join(home, "run"),
    logs: join(home, "logs"),
    pki: join(home, "pki"),
    config: join(home, "config"),
    bin: join(home, "bin"),
    kubeconfig: join(home, "kubeconfig"),
    pulumiHome: join(home, "pulumi", "home"),
    pulumiBackend: join(home, "pulumi", "backend"),
    pulumiWork: join(home, "pulumi", "work"),
    nodes: join(home, "nodes"),
    buckets: join(home, "buckets"),
    cache: join(cacheHome, "thanos-stack"),
    toolchain: join(cacheHome, "thanos-stack", "toolchain"),
    sysctlRecord: "/run/thanos-stack-sysctl.json",
    lock: "/run/thanos-stack.lock",
  };
}
