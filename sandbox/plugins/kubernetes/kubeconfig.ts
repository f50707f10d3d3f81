import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parse } from "yaml";
import { ProviderError } from "../protocol/provider";

/** How requests reach one API server and prove who sends them. */
export interface Access {
  /** Base URL without a trailing slash. */
  server: string;
  /** The certificate authority in PEM, or undefined for the system's. */
  ca: string | Buffer | undefined;
  cert: string | Buffer | undefined;
  key: string | Buffer | undefined;
  serverName: string | undefined;
  skipVerify: boolean;
  /** The value of the Authorization header; asked before requests, since tokens expire. */
  authorization: () => Promise<string | undefined>;
}

export interface ActiveCluster {
  contextName: string;
  /** Namespace of objects that name none. */
  namespace: string;
  server: string;
  /** The certificate authority's data or path: with the server, the nearest there is to a cluster's identity. */
  authority: string;
  access: Access;
}

interface Named<T> {
  name: string;
  value: T;
}
interface ClusterEntry {
  server?: string;
  "certificate-authority"?: string;
  "certificate-authority-data"?: string;
  "insecure-skip-tls-verify"?: boolean;
  "tls-server-name"?: string;
  "proxy-url"?: string;
}
interface UserEntry {
  "client-certificate"?: string;
  "client-certificate-data"?: string;
  "client-key"?: string;
  "client-key-data"?: string;
  token?: string;
  tokenFile?: string;
  username?: string;
  password?: string;
  exec?: unknown;
  "auth-provider"?: unknown;
}
interface ContextEntry {
  cluster?: string;
  user?: string;
  namespace?: string;
}
interface Kubeconfig {
  currentContext: string | undefined;
  clusters: Named<ClusterEntry>[];
  users: Named<UserEntry>[];
  contexts: Named<ContextEntry>[];
  /** The directory that relative paths in it start from. */
  directory: string;
  text: string;
}

export interface KubeconfigChoice {
  /** A path (or several, joined as in $KUBECONFIG) or the contents; default: $KUBECONFIG, then ~/.kube/config. */
  kubeconfig: string | undefined;
  /** Default: the current context. */
  context: string | undefined;
  /** Overrides the context's cluster. */
  cluster: string | undefined;
  /** Overrides the context's namespace. */
  namespace: string | undefined;
}

function expandHome(path: string): string {
  return path.startsWith("~/") ? join(homedir(), path.slice(2)) : path;
}

function isContents(text: string): boolean {
  return text.includes("\n") || text.trimStart().startsWith("{");
}

function named<T>(list: unknown, key: string): Named<T>[] {
  if (!Array.isArray(list)) {
    return [];
  }
  return list.flatMap((entry: Record<string, unknown>) =>
    typeof entry?.name === "string" ? [{ name: entry.name, value: (entry[key] ?? {}) as T }] : [],
  );
}

function parseKubeconfig(text: string, directory: string): Kubeconfig {
  const document: unknown = parse(text);
  if (typeof document !== "object" || document === null) {
    throw new ProviderError("the kubeconfig is not a YAML mapping");
  }
  const root = document as Record<string, unknown>;
  const current = root["current-context"];
  return {
    currentContext: typeof current === "string" && current !== "" ? current : undefined,
    clusters: named(root.clusters, "cluster"),
    users: named(root.users, "user"),
    contexts: named(root.contexts, "context"),
    directory,
    text,
  };
}

function load(kubeconfig: string | undefined): Kubeconfig {
  if (kubeconfig !== undefined && kubeconfig !== "" && isContents(kubeconfig)) {
    return parseKubeconfig(kubeconfig, process.cwd());
  }
  const named = kubeconfig || process.env.KUBECONFIG || join(homedir(), ".kube", "config");
  const paths = named
    .split(":")
    .filter((path) => path !== "")
    .map((path) => resolve(expandHome(path)));
  const path = paths.find((candidate) => existsSync(candidate));
  if (path === undefined) {
    throw new ProviderError(`the kubeconfig ${named} does not exist`);
  }
  try {
    return parseKubeconfig(readFileSync(path, "utf8"), dirname(path));
  } catch (error) {
    throw new ProviderError(`the kubeconfig ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function fileOrData(data: string | undefined, path: string | undefined, directory: string): Buffer | undefined {
  if (data !== undefined && data !== "") {
    return Buffer.from(data, "base64");
  }
  return path === undefined || path === "" ? undefined : readFileSync(resolve(directory, path));
}

/**
 * Credentials that come from running a program: left to the Kubernetes client, which is loaded only for them, as that takes half a second.
 */
function externalAuthorization(config: Kubeconfig, contextName: string): () => Promise<string | undefined> {
  const client = import("@kubernetes/client-node").then(({ KubeConfig }) => {
    const loaded = new KubeConfig();
    loaded.loadFromString(config.text);
    loaded.setCurrentContext(contextName);
    return loaded;
  });
  return async () => {
    const options: { headers: Record<string, string> } = { headers: {} };
    await (await client).applyToHTTPSOptions(options);
    return options.headers.Authorization;
  };
}

function authorization(config: Kubeconfig, user: UserEntry, contextName: string): () => Promise<string | undefined> {
  if (user.exec !== undefined || user["auth-provider"] !== undefined) {
    return externalAuthorization(config, contextName);
  }
  const { tokenFile } = user;
  if (tokenFile !== undefined) {
    return async () => `Bearer ${readFileSync(resolve(config.directory, tokenFile), "utf8").trim()}`;
  }
  if (user.token !== undefined) {
    return async () => `Bearer ${user.token}`;
  }
  if (user.username !== undefined) {
    return async () => `Basic ${Buffer.from(`${user.username}:${user.password ?? ""}`).toString("base64")}`;
  }
  return async () => undefined;
}

/**
 * Finds the cluster that a choice of kubeconfig, context and cluster means.
 *
 * @throws ProviderError naming what does not exist, and what does.
 */
export function activeCluster(choice: KubeconfigChoice): ActiveCluster {
  const config = load(choice.kubeconfig);
  const contextName = choice.context || config.currentContext;
  if (contextName === undefined) {
    throw new ProviderError("the kubeconfig has no current context; set `kubernetes:context`");
  }
  const context = config.contexts.find(({ name }) => name === contextName)?.value;
  if (context === undefined) {
    const known = config.contexts.map(({ name }) => name).join(", ") || "none";
    throw new ProviderError(`the kubeconfig has no context "${contextName}"; its contexts are: ${known}`);
  }
  const clusterName = choice.cluster || context.cluster || "";
  const cluster = config.clusters.find(({ name }) => name === clusterName)?.value;
  if (cluster?.server === undefined) {
    const known = config.clusters.map(({ name }) => name).join(", ") || "none";
    throw new ProviderError(`the kubeconfig has no cluster "${clusterName}"; its clusters are: ${known}`);
  }
  if (cluster["proxy-url"] !== undefined) {
    throw new ProviderError(`the cluster "${clusterName}" is behind a proxy, which this stand-in provider does not speak to`);
  }
  const user = config.users.find(({ name }) => name === context.user)?.value ?? {};
  const { directory } = config;
  return {
    contextName,
    namespace: choice.namespace || context.namespace || "default",
    server: cluster.server,
    authority: cluster["certificate-authority-data"] ?? cluster["certificate-authority"] ?? "",
    access: {
      server: cluster.server.replace(/\/+$/, ""),
      ca: fileOrData(cluster["certificate-authority-data"], cluster["certificate-authority"], directory),
      cert: fileOrData(user["client-certificate-data"], user["client-certificate"], directory),
      key: fileOrData(user["client-key-data"], user["client-key"], directory),
      serverName: cluster["tls-server-name"],
      skipVerify: cluster["insecure-skip-tls-verify"] === true,
      authorization: authorization(config, user, contextName),
    },
  };
}
