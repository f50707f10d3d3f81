/**
 * HTTP to what runs inside a cluster. Nothing but the API server has to be reachable from here, and no network policy has to admit anyone:
 * pods are reached by port-forward. The account needs `create` and `get` of `pods/portforward` in the pods' namespace, and for a Service's
 * URL `get` of `services` and `list` of `endpointslices`.
 */
import * as http from "node:http";
import type { Duplex } from "node:stream";
import type { KubeConfig } from "@kubernetes/client-node";
import { apiServerTransport, type ClusterAddress, loadKubeConfig } from "./apiServer";
import { ForwardedStream, forwardedStream, messageInStatus, type PodPort } from "./forwardedStream";
import { type KubernetesEndpointSlice, type KubernetesService, parseServiceUrl, podsBehind, serviceTransport } from "./services";
import { ConnectionError, ForbiddenError, type HttpRequest, sendRequest, type Transport } from "./transport";

/** Ways into a cluster. */
export interface Cluster {
  /** The API server itself. */
  readonly api: Transport;
  /** One pod, by the number of a port that something listens on there. */
  pod(pod: PodPort): Transport;
  /**
   * A Service by its in-cluster URL, such as `http://thanos-querier.monitoring.svc.cluster.local:9090`; the URL's path
   * is a prefix of every request's path.
   *
   * @throws {Error} when the URL's host is no Service, or it is not plain HTTP
   */
  service(inClusterUrl: string): Transport;
}

/** How a cluster is reached; what is left out is the default. */
export interface ClusterOptions {
  /** Longest time in milliseconds for a request that says nothing of it. Default: 30,000. */
  timeoutMs?: number;
  /**
   * Milliseconds for which a pod's connection that isn't in use is kept for the next request; it does not keep the process. Default: 4,000.
   */
  keepIdleMs?: number;
}

/**
 * @throws {Error} when the kubeconfig has no such context, or the context names no cluster
 */
export function connectCluster(address: ClusterAddress, options: ClusterOptions = {}): Cluster {
  const config = loadKubeConfig(address);
  const { timeoutMs, keepIdleMs = 4_000 } = options;
  const limited = ({ description, send }: Transport): Transport =>
    timeoutMs === undefined ? { description, send } : { description, send: (request) => send({ timeoutMs, ...request }) };
  const api = limited(apiServerTransport(config));
  const pods = new Map<string, Transport>();
  const pod = (target: PodPort): Transport => {
    const key = `${target.namespace}/${target.name}:${target.port}`;
    const known = pods.get(key) ?? limited(podTransport(config, target, keepIdleMs));
    pods.set(key, known);
    return known;
  };
  return {
    api,
    pod,
    service(inClusterUrl) {
      const url = parseServiceUrl(inClusterUrl);
      if (url.scheme !== "http") throw new Error(`${inClusterUrl}: a Service is reached by plain HTTP only`);
      const core = `/api/v1/namespaces/${url.namespace}/services/${url.name}`;
      const label = encodeURIComponent(`kubernetes.io/service-name=${url.name}`);
      const slices = `/apis/discovery.k8s.io/v1/namespaces/${url.namespace}/endpointslices?labelSelector=${label}`;
      const behind = async () => {
        const [service, { items }] = await Promise.all([
          getObject<KubernetesService>(api, core),
          getObject<{ items: KubernetesEndpointSlice[] }>(api, slices),
        ]);
        return podsBehind(url, service, items);
      };
      return limited(serviceTransport(behind, pod, inClusterUrl));
    },
  };
}

/**
 * Reads an object or a list of the API.
 *
 * @throws {ForbiddenError} when the account may not
 * @throws {Error} when the answer is another than 200
 */
export async function getObject<T>(api: Transport, path: string): Promise<T> {
  const { status, body } = await api.send({ method: "GET", path });
  if (status !== 200) {
    const text = `${api.description} answered ${status} for ${path}: ${messageInStatus(body)}`;
    throw status === 403 ? new ForbiddenError(text) : new Error(text);
  }
  return JSON.parse(body) as T;
}

/** Reaches one pod's port. */
function podTransport(config: KubeConfig, pod: PodPort, keepIdleMs: number): Transport {
  const agent = new ForwardingAgent(() => forwardedStream(config, pod), keepIdleMs);
  const base = `http://${pod.name}.${pod.namespace}.pod:${pod.port}`;
  return {
    description: `pod ${pod.namespace}/${pod.name}:${pod.port} by port-forward`,
    async send(request: HttpRequest) {
      try {
        return await sendRequest(new URL(request.path, base), request, { agent });
      } catch (error) {
        if (error instanceof ConnectionError && error.cause instanceof ForbiddenError) throw error.cause;
        throw error;
      }
    },
  };
}

type Connected = (error: Error | null, stream: Duplex) => void;

/** Lends Node's HTTP client forwarded streams in place of sockets. */
class ForwardingAgent extends http.Agent {
  constructor(
    private readonly open: () => Promise<ForwardedStream>,
    private readonly keepIdleMs: number,
  ) {
    super({ keepAlive: true });
  }

  override createConnection(_options: object, connected?: Connected): undefined {
    this.open().then(
      (stream) => connected?.(null, stream),
      // Node's own type wants a stream here too.
      (connected as ((error: Error) => void) | undefined) ?? (() => undefined),
    );
  }

  override keepSocketAlive(stream: Duplex): boolean {
    if (stream instanceof ForwardedStream) stream.keepIdle(this.keepIdleMs);
    return true;
  }
}
