/** An API server's port-forwards: the kubelet's side of the protocol, with TCP connections on the loopback in place of the pods' own. */
import type * as http from "node:http";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type WebSocket from "ws";
import { WebSocketServer } from "ws";
import type { PodPort } from "../../clients/forwardedStream";

/** Fate of one port-forward. */
export type Forwarding =
  /** It leads to this URL's port. */
  | { to: string }
  /** It leads there, and breaks after so many bytes of the answer, with or without a word. */
  | { to: string; breaksAfter: number; saying?: string }
  /** The kubelet agrees and then can't connect. */
  | { refused: string }
  /** The API server answers instead. */
  | { status: number; body: string }
  /** Nobody answers. */
  | { hang: true };

export interface Forwardings {
  /** Every port that was asked for, in order, as `namespace/pod:port`. */
  readonly asked: string[];
  /** The headers with which they were asked for. */
  readonly headers: http.IncomingHttpHeaders[];
  /** Port-forwards that are open now. */
  open(): number;
  /** Ends those that are open, as when their pod goes. */
  end(): void;
}

const DATA = 0;
const FAILURE = 1;

/** Lets a server forward ports. */
export function forwardPorts(server: http.Server, forwarding: (pod: PodPort) => Forwarding): Forwardings {
  const asked: string[] = [];
  const headers: http.IncomingHttpHeaders[] = [];
  const open = new Set<WebSocket>();
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => (offered.has("v4.channel.k8s.io") ? "v4.channel.k8s.io" : false),
  });
  server.on("upgrade", (request: http.IncomingMessage, connection: Socket, head: Buffer) => {
    const url = new URL(request.url ?? "/", "http://server");
    const [, namespace = "", name = ""] = /^.*\/api\/v1\/namespaces\/([^/]+)\/pods\/([^/]+)\/portforward$/.exec(url.pathname) ?? [];
    const pod = { namespace, name, port: Number(url.searchParams.get("ports")) };
    asked.push(`${namespace}/${name}:${pod.port}`);
    headers.push(request.headers);
    connection.on("error", () => undefined);
    const what = forwarding(pod);
    if ("hang" in what) return;
    if ("status" in what) {
      const length = Buffer.byteLength(what.body);
      connection.end(`HTTP/1.1 ${what.status} No\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n${what.body}`);
      return;
    }
    sockets.handleUpgrade(request, connection, head, (socket) => {
      open.add(socket);
      socket.on("close", () => open.delete(socket));
      socket.on("error", () => undefined);
      void serve(socket, pod, what);
    });
  });
  return {
    asked,
    headers,
    open: () => open.size,
    end: () => {
      for (const socket of open) socket.close();
    },
  };
}

async function serve(socket: WebSocket, { port }: PodPort, what: Exclude<Forwarding, { status: number } | { hang: true }>): Promise<void> {
  const send = (channel: number, bytes: Uint8Array): void => socket.send(Buffer.concat([Buffer.of(channel), bytes]));
  for (const channel of [DATA, FAILURE]) send(channel, Buffer.of(port % 256, port >> 8));
  const fail = (text: string): void => {
    if (text !== "") send(FAILURE, Buffer.from(text));
    socket.close();
  };
  if ("refused" in what) {
    // As a kubelet does, which finds out after it has agreed.
    await delay(1);
    return fail(what.refused);
  }
  const target = connect(Number(new URL(what.to).port), "127.0.0.1");
  let left = "breaksAfter" in what ? what.breaksAfter : Number.POSITIVE_INFINITY;
  target.on("data", (bytes) => {
    send(DATA, bytes.subarray(0, left));
    left -= bytes.length;
    if (left > 0) return;
    target.destroy();
    fail("saying" in what ? (what.saying ?? "") : "");
  });
  target.on("error", (error) => fail(error.message));
  target.on("end", () => socket.close());
  socket.on("message", (message) => {
    if (message[0] === DATA) target.write(message.subarray(1));
  });
  socket.on("close", () => target.destroy());
}
