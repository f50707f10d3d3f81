/**
 * A TCP connection to a port of a pod, through the API server and the pod's kubelet: what `kubectl port-forward` opens. The kubelet
 * connects to the pod's own loopback from inside the pod's network namespace, so no network policy is asked, and none has to admit
 * anything. What the pod serves has to listen on its loopback or on all addresses.
 *
 * Speaks the WebSocket protocol `v4.channel.k8s.io` (Kubernetes, k8s.io/cri-streaming `pkg/streaming/portforward/websocket.go`): each
 * message begins with the number of its channel, 0 for data and 1 for what went wrong, and the first two bytes that the kubelet sends on
 * either are the port. It can't be half closed.
 */
import type { RequestOptions } from "node:https";
import { type Socket, Socket as TcpSocket } from "node:net";
import { Duplex } from "node:stream";
import type { KubeConfig } from "@kubernetes/client-node";
import WebSocket from "ws";
import { ForbiddenError, messageOf, UnreachableError } from "./transport";

/** A port of a pod. */
export interface PodPort {
  namespace: string;
  name: string;
  port: number;
}

const PROTOCOL = "v4.channel.k8s.io";
const DATA = 0;
const FAILURE = 1;
/** Bytes of a port's number, which come first on each channel. */
const PORT_BYTES = 2;
/** Longest message sent: kubelets read one whole before they pass it on. */
const LONGEST_MESSAGE = 64 * 1024;
/** Longest time in milliseconds until the API server and the kubelet have agreed to forward; a node that is gone takes all of it. */
const HANDSHAKE_MS = 5_000;
/** Bytes that are read of an answer that refuses. */
const LONGEST_REFUSAL = 4_096;

/**
 * Opens a connection to a pod's port. That the kubelet agrees says nothing of the port: whether something listens
 * there shows when the stream is used.
 *
 * @param config a kubeconfig whose current context is the one meant
 * @throws {ForbiddenError} when the account may not forward ports there
 * @throws {UnreachableError} when there is no such pod, or its node does not answer
 */
export async function forwardedStream(config: KubeConfig, pod: PodPort): Promise<ForwardedStream> {
  const server = config.getCurrentCluster()?.server.replace(/\/$/, "") ?? "";
  const path = `/api/v1/namespaces/${pod.namespace}/pods/${pod.name}/portforward?ports=${pod.port}`;
  const options: RequestOptions = {};
  // Each time anew: tokens of exec plugins and files are renewed in here.
  await config.applyToHTTPSOptions(options);
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(server.replace(/^http/, "ws") + path, [PROTOCOL], {
      ...options,
      handshakeTimeout: HANDSHAKE_MS,
      perMessageDeflate: false,
    });
    let underlying: Socket | undefined;
    socket.on("upgrade", (response) => {
      underlying = response.socket instanceof TcpSocket ? response.socket : undefined;
    });
    socket.on("open", () => resolve(new ForwardedStream(socket, underlying, pod)));
    socket.on("unexpected-response", (_, response) => {
      let text = "";
      const refuse = () => {
        reject(refusal(response.statusCode ?? 0, text, pod));
        socket.terminate();
      };
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
        if (text.length > LONGEST_REFUSAL) refuse();
      });
      response.on("end", refuse);
      response.on("error", refuse);
    });
    // Stays for good, since closing a socket whose handshake is refused is an error too.
    socket.on("error", (error) => reject(new UnreachableError(`no port-forward to ${textOf(pod)}: ${messageOf(error)}`)));
  });
}

/** Bytes to and from a pod's port. */
export class ForwardedStream extends Duplex {
  private readonly portBytesLeft = [PORT_BYTES, PORT_BYTES];
  /** The kubelet's error; empty without one. */
  private failure = "";
  private answered = false;
  private isClosed = false;
  /** Why something could not be sent. */
  private unsent: Error | undefined;
  private idle: NodeJS.Timeout | undefined;

  constructor(
    private readonly socket: WebSocket,
    private readonly underlying: Socket | undefined,
    private readonly pod: PodPort,
  ) {
    super({ allowHalfOpen: false });
    socket.on("message", (message) => this.receive(message));
    socket.on("close", () => this.ended());
    // The socket's own errors are followed by its end; whoever reads is told by that.
    socket.on("error", (error) => this.destroy(error));
    // An error of a connection that nobody uses is nobody's.
    this.on("error", () => undefined);
  }

  /** Keeps the connection for a time without keeping the process. */
  keepIdle(milliseconds: number): void {
    this.underlying?.unref();
    this.idle = setTimeout(() => this.destroy(), milliseconds).unref();
  }

  /** Keeps the process, as a socket's does: Node's HTTP client calls it when it uses the connection again. */
  ref(): void {
    clearTimeout(this.idle);
    this.idle = undefined;
    this.underlying?.ref();
  }

  /** Bytes are passed on as they come: whoever asks reads the whole answer. */
  override _read(): void {}

  override _write(chunk: Buffer, encoding: BufferEncoding, written: (error?: Error | null) => void): void {
    // Also what Node's HTTP client ends the body of a request with.
    if (chunk.length === 0) {
      written();
      return;
    }
    this.socket.send(Buffer.concat([Buffer.of(DATA), chunk.subarray(0, LONGEST_MESSAGE)]), (error) => {
      // Where the other end is closing the connection, it says why before it has.
      if (error && !this.isClosed) this.unsent = error;
      else if (error) written(error);
      else this._write(chunk.subarray(LONGEST_MESSAGE), encoding, written);
    });
  }

  override _final(finished: (error?: Error | null) => void): void {
    finished();
    this.destroy();
  }

  override _destroy(error: Error | null, destroyed: (error?: Error | null) => void): void {
    clearTimeout(this.idle);
    this.socket.terminate();
    destroyed(error);
  }

  private receive(message: Buffer): void {
    const channel = message[0] ?? DATA;
    const skipped = Math.min(this.portBytesLeft[channel] ?? 0, message.length - 1);
    this.portBytesLeft[channel] = (this.portBytesLeft[channel] ?? 0) - skipped;
    const bytes = message.subarray(1 + skipped);
    if (bytes.length === 0) return;
    if (channel === FAILURE) {
      this.failure += bytes.toString("utf8");
    } else if (channel === DATA) {
      this.answered = true;
      this.push(bytes);
    }
  }

  private ended(): void {
    this.isClosed = true;
    if (this.failure !== "") {
      const text = `${textOf(this.pod)}: ${this.failure.trim()}`;
      this.destroy(this.answered ? new Error(text) : new UnreachableError(text));
    } else if (this.unsent !== undefined) {
      this.destroy(this.unsent);
    } else {
      this.push(null);
    }
  }
}

const textOf = ({ namespace, name, port }: PodPort): string => `pod ${namespace}/${name}:${port}`;

/** The error for an answer of the API server that was no port-forward. */
function refusal(status: number, body: string, pod: PodPort): Error {
  const said = messageInStatus(body);
  return status === 403
    ? new ForbiddenError(
        `the account may not create pods/portforward in namespace ${pod.namespace}, through which pods are reached; ` +
          `it needs the verbs create and get of it (deploy/ci/deploy-role.yaml): ${said}`,
      )
    : new UnreachableError(`no port-forward to ${textOf(pod)}: the API server answered ${status}: ${said}`);
}

/** The message of a Kubernetes Status, or else the text itself. */
export function messageInStatus(body: string): string {
  try {
    const { message } = JSON.parse(body) as { message?: unknown };
    if (typeof message === "string") return message;
  } catch {
    // No Status: the answer of something in between.
  }
  return body.slice(0, 300);
}
