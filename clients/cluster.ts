/**
 * HTTP to what runs inside a cluster. Nothing but the API server has to be reachable from here, and no network policy has to admit anyone:
 * pods are reached by port-forward. The account needs `create` and `get` of `pods/portforward` in the pods' namespace, and for a Service's
 * URL `get` of `services` and `list` of `endpointslices`.
 */
import * as http from "node:http";
import type { Duplex } from "node:stream";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
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
   * The end of the certificate that a pod's port serves, whoever signed it, as text of a date.
   *
   * @param serverName the name that is asked for
   * @throws {Error} where the port serves no TLS
   */
  certificateEnd(pod: PodPort, serverName: string): Promise<string>;
  /**
   * A Service by its in-cluster URL, such as `http://thanos-querier.monitoring.svc.cluster.local:9090`; the URL's path
   * is a prefix of every request's path.
   *
   * @param identity who asks, for a URL of https; read for each connection
   * @throws {Error} when the URL's host is no Service, or its scheme is https and nobody says who asks
   */
  service(inClusterUrl: string, identity?: () => Promise<TlsIdentity>): Transport;
}

/** Who asks, and whom, where both sides show certificates; all as PEM. */
export interface TlsIdentity {
  ca: string;
  cert: string;
  key: string;
  /** Name that the server's certificate is for, whatever leads to it. */
  servername: string;
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
    certificateEnd: (target, serverName) => certificateEnd(config, target, serverName, timeoutMs),
    service(inClusterUrl, identity) {
      const url = parseServiceUrl(inClusterUrl);
      if (url.scheme === "https" && identity === undefined)
        throw new Error(`${inClusterUrl}: by https nobody is reached without a certificate`);
      const reached = url.scheme === "http" ? pod : (target: PodPort) => limited(podTransport(config, target, keepIdleMs, identity));
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
      return limited(serviceTransport(behind, reached, inClusterUrl));
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

/** Longest time in milliseconds for a handshake where nothing is said of it. */
const HANDSHAKE_MS = 10_000;

async function certificateEnd(config: KubeConfig, pod: PodPort, servername: string, timeoutMs = HANDSHAKE_MS): Promise<string> {
  const stream = await forwardedStream(config, pod);
  try {
    // Its end is asked for, and by whom it is signed is judged by those who use it.
    const socket = await handshake(stream, { servername, rejectUnauthorized: false }, timeoutMs);
    const { valid_to } = socket.getPeerCertificate();
    socket.destroy();
    return valid_to;
  } catch (error) {
    throw new ConnectionError(`pod ${pod.namespace}/${pod.name}:${pod.port}`, error as Error);
  } finally {
    stream.destroy();
  }
}

/** Reaches one pod's port. */
function podTransport(config: KubeConfig, pod: PodPort, keepIdleMs: number, identity?: () => Promise<TlsIdentity>): Transport {
  const plain = () => forwardedStream(config, pod);
  const open = identity === undefined ? plain : async () => handshake(await plain(), await identity());
  const agent = new ForwardingAgent(open, keepIdleMs);
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

/**
 * A stream within another one, once both ends have shown who they are as far as each wants it.
 *
 * @param timeoutMs longest time for that in milliseconds; undefined: whoever waits has a limit
 */
function handshake(stream: Duplex, options: ConnectionOptions, timeoutMs?: number): Promise<TLSSocket> {
  const socket = connectTls({ ...options, socket: stream });
  const late =
    timeoutMs === undefined ? undefined : setTimeout(() => socket.destroy(new Error(`no handshake within ${timeoutMs} ms`)), timeoutMs);
  return new Promise<TLSSocket>((resolve, reject) => {
    socket.once("secureConnect", () => resolve(socket));
    socket.once("error", reject);
    socket.once("close", () => {
      stream.destroy();
      reject(new Error("the connection was closed during the handshake"));
    });
  }).finally(() => clearTimeout(late));
}

type Connected = (error: Error | null, stream: Duplex) => void;

/** Lends Node's HTTP client forwarded streams in place of sockets. */
class ForwardingAgent extends http.Agent {
  constructor(
    private readonly open: () => Promise<Duplex>,
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
    // One with another inside would keep the process: each request of those has its own.
    if (!(stream instanceof ForwardedStream)) return false;
    stream.keepIdle(this.keepIdleMs);
    return true;
  }
}
