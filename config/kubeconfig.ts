import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { parse } from "yaml";

/** Which kubeconfig is used, and what is odd about it. */
export interface Kubeconfig {
  /** One file, or a kubeconfig's text: Pulumi's provider reads no list of files. */
  kubeconfig: string;
  /** A sentence, where the choice is not what kubectl makes of the same files. */
  warning?: string;
}

/**
 * The kubeconfig of a context: the configured one, else of KUBECONFIG's files the first that has the context, as kubectl finds it, else
 * `~/.kube/config`. `~` is the home directory. A single file is not opened: a plan can be made where there is none.
 *
 * @param configured path or text
 * @param environment Default: the process's.
 */
export function kubeconfigOf(configured: string | undefined, context: string, environment: NodeJS.ProcessEnv = process.env): Kubeconfig {
  if (configured !== undefined) return { kubeconfig: inHome(configured) };
  const files = kubeconfigFiles(environment);
  const [first] = files;
  if (first === undefined) return { kubeconfig: join(homedir(), ".kube", "config") };
  if (files.length === 1) return { kubeconfig: first };
  const read = files.map((file) => ({ file, ...namesIn(file) }));
  const found = read.find(({ contexts }) => contexts.has(context));
  if (found === undefined)
    return { kubeconfig: first, warning: `none of the files of KUBECONFIG has the context "${context}": ${files.join(", ")}` };
  const { cluster = "", user = "" } = found.contexts.get(context) ?? {};
  const elsewhere = [
    ...(cluster === "" ? [] : [["cluster", cluster, read.find(({ clusters }) => clusters.has(cluster))?.file] as const]),
    ...(user === "" ? [] : [["user", user, read.find(({ users }) => users.has(user))?.file] as const]),
  ].filter(([, , file]) => file !== found.file);
  if (elsewhere.length === 0) return { kubeconfig: found.file };
  const where = elsewhere.map(
    ([what, name, file]) => `its ${what} "${name}" ${file === undefined ? "in none of them" : `first in ${file}`}`,
  );
  return {
    kubeconfig: found.file,
    warning:
      `of KUBECONFIG's files ${found.file} has the context "${context}", and ${where.join(" and ")}; only ${found.file} is read. ` +
      `One file of all: kubectl config view --flatten --minify --context "${context}", to be named in cluster.kubeconfig`,
  };
}

/** The files that KUBECONFIG names. */
export function kubeconfigFiles(environment: NodeJS.ProcessEnv): string[] {
  return (environment.KUBECONFIG ?? "")
    .split(delimiter)
    .filter((path) => path !== "")
    .map(inHome);
}

const inHome = (path: string): string => (/^~[/\\]/.test(path) ? join(homedir(), path.slice(2)) : path);

interface Names {
  contexts: Map<string, { cluster?: string; user?: string }>;
  clusters: Set<string>;
  users: Set<string>;
}

/** Names in a kubeconfig; none where it can't be read, as kubectl takes a file that is not there. */
function namesIn(file: string): Names {
  let content: unknown;
  try {
    content = parse(readFileSync(file, "utf8"));
  } catch {
    content = undefined;
  }
  const list = (key: string) => (isMap(content) && Array.isArray(content[key]) ? content[key].filter(isMap) : []);
  const names = (key: string) => new Set(list(key).map(({ name }) => String(name)));
  return {
    contexts: new Map(list("contexts").map(({ name, context }) => [String(name), isMap(context) ? context : {}])),
    clusters: names("clusters"),
    users: names("users"),
  };
}

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
