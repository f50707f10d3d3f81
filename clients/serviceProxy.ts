/**
 * HTTP to what runs inside a cluster, through the Kubernetes API server: its own API, and its proxy to Services and pods.
 * Nothing but the API server has to be reachable from here. The user needs `get` (and for POST `create`) on `services/proxy` or `pods/proxy`,
 * and the right to whatever is asked of the API itself; where a network policy is enforced, it must admit the API server.
 */
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

/**
 * Reaches a Service by its in-cluster URL, such as `http://thanos-querier.monitoring.svc.cluster.local:9090`, through the API server's proxy.
 *
 * @param api the API server, see {@link apiServerTransport}
 * @param inClusterUrl URL whose host is `<service>.<namespace>.svc[.<cluster domain>]`; its path is a prefix of every request's path
 * @throws {Error} when the URL's host is no Service
 */
export function serviceProxyTransport(api: Transport, inClusterUrl: string): Transport {
  const service = parseServiceUrl(inClusterUrl);
  const target = `${service.scheme}:${service.name}:${service.port}`;
  const prefix = `/api/v1/namespaces/${service.namespace}/services/${target}/proxy${service.path}`;
  return prefixed(api, prefix, `${inClusterUrl.replace(/\/$/, "")} through the ${api.description}`);
}

/**
 * Reaches one pod through the API server's proxy.
 *
 * @param port a container port, by number
 */
export function podProxyTransport(api: Transport, pod: { namespace: string; name: string; port: number }): Transport {
  const prefix = `/api/v1/namespaces/${pod.namespace}/pods/http:${pod.name}:${pod.port}/proxy`;
  return prefixed(api, prefix, `pod ${pod.namespace}/${pod.name}:${pod.port} through the ${api.description}`);
}

/** The parts of an in-cluster Service URL. */
export interface ServiceUrl {
  scheme: "http" | "https";
  name: string;
  namespace: string;
  port: number;
  /** Without a trailing slash; empty for the root. */
  path: string;
}

/**
 * @throws {Error} when the URL is not `http(s)://<service>.<namespace>.svc[.<cluster domain>][:port][/path]`
 */
export function parseServiceUrl(inClusterUrl: string): ServiceUrl {
  const url = new URL(inClusterUrl);
  const [name, namespace, svc] = url.hostname.split(".");
  const scheme = url.protocol === "https:" ? "https" : url.protocol === "http:" ? "http" : undefined;
  if (scheme === undefined || name === undefined || name === "" || namespace === undefined || namespace === "" || svc !== "svc") {
    throw new Error(`"${inClusterUrl}" is not the URL of a Service, http://<service>.<namespace>.svc[.<cluster domain>]:<port>`);
  }
  const defaultPort = scheme === "https" ? 443 : 80;
  return { scheme, name, namespace, port: url.port === "" ? defaultPort : Number(url.port), path: url.pathname.replace(/\/$/, "") };
}

function prefixed(api: Transport, prefix: string, description: string): Transport {
  return { description, send: (request) => api.send({ ...request, path: prefix + request.path }) };
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
