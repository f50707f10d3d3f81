/** HTTP to the Kubernetes API server, with the rights of a kubeconfig's user. */
import * as https from "node:https";
import { homedir } from "node:os";
import { KubeConfig } from "@kubernetes/client-node";
import { type HttpRequest, type HttpResponse, sendRequest, type Transport } from "./transport";

/** Which cluster is meant; nothing here ever falls back to a kubeconfig's current context. */
export interface ClusterAddress {
  /** Name of the context in the kubeconfig. */
  context: string;
  /**
   * Path of the kubeconfig file (`~` is the home directory), or its contents, as the Pulumi Kubernetes provider takes it.
   * Default: `$KUBECONFIG`, else `~/.kube/config`, as kubectl has it.
   */
  kubeconfig?: string;
}

/**
 * Loads a kubeconfig and selects a context by name.
 *
 * @throws {Error} when the kubeconfig has no such context (the message lists those it has) or the context names no cluster
 */
export function loadKubeConfig(address: ClusterAddress): KubeConfig {
  const config = new KubeConfig();
  if (address.kubeconfig === undefined) {
    config.loadFromDefault();
  } else if (isContents(address.kubeconfig)) {
    config.loadFromString(address.kubeconfig);
  } else {
    config.loadFromFile(address.kubeconfig.replace(/^~(?=$|\/)/, homedir()));
  }
  const source = sourceOf(address.kubeconfig);
  if (config.getContextObject(address.context) === null) {
    const names = config.getContexts().map((context) => context.name);
    throw new Error(`${source} has no context "${address.context}"; it has ${names.length === 0 ? "none" : names.join(", ")}`);
  }
  config.setCurrentContext(address.context);
  if (config.getCurrentCluster() === null) {
    throw new Error(`context "${address.context}" of ${source} names a cluster that is not in it`);
  }
  return config;
}

function isContents(kubeconfig: string): boolean {
  return kubeconfig.includes("\n") || kubeconfig.trimStart().startsWith("{");
}

/** Never the contents themselves: they hold credentials. */
function sourceOf(kubeconfig: string | undefined): string {
  if (kubeconfig === undefined) {
    return "the default kubeconfig";
  }
  return isContents(kubeconfig) ? "the given kubeconfig" : kubeconfig;
}

/**
 * Reaches the Kubernetes API server itself, with whatever authentication the kubeconfig's user has.
 *
 * @param config a kubeconfig whose current context is the one meant, as {@link loadKubeConfig} returns it
 */
export function apiServerTransport(config: KubeConfig): Transport {
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    throw new Error(`context "${config.getCurrentContext()}" names no cluster`);
  }
  const base = new URL(cluster.server);
  const prefix = base.pathname.replace(/\/$/, "");
  const agents = new AgentCache();
  return {
    description: `API server ${base.href.replace(/\/$/, "")}`,
    async send(request: HttpRequest): Promise<HttpResponse> {
      const options: https.RequestOptions = {};
      // Each time anew: tokens of exec plugins and files are renewed in here.
      await config.applyToHTTPSOptions(options);
      if (cluster.proxyUrl === undefined && base.protocol === "https:") {
        options.agent = agents.for(options);
      }
      return sendRequest(new URL(prefix + request.path, base), request, options);
    },
  };
}

/** Keeps connections open between requests for as long as the TLS material stays the same. */
class AgentCache {
  private agent: https.Agent | undefined;
  private material = "";

  for(options: https.RequestOptions): https.Agent {
    const tls = {
      ca: options.ca,
      cert: options.cert,
      key: options.key,
      pfx: options.pfx,
      passphrase: options.passphrase,
      servername: options.servername,
      rejectUnauthorized: options.rejectUnauthorized,
    };
    const material = JSON.stringify(tls);
    if (this.agent === undefined || material !== this.material) {
      this.agent?.destroy();
      this.agent = new https.Agent({
        ...Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined)),
        keepAlive: true,
      });
      this.material = material;
    }
    return this.agent;
  }
}
