/** An HTTP server on the loopback for tests: it records what it was asked and answers as the test says. */
import * as http from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { promisify } from "node:util";

export interface ReceivedRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
  /** Counts up with each TCP connection. */
  connection: number;
}

export interface CannedAnswer {
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  /** Closes the connection instead of answering. */
  reset?: boolean;
  /** Never answers. */
  hang?: boolean;
}

export interface Loopback {
  url: string;
  server: http.Server;
  requests: ReceivedRequest[];
  /** Connections that are open now. */
  open(): Promise<number>;
  close(): Promise<void>;
}

export async function startLoopback(
  answer: (request: ReceivedRequest, index: number) => CannedAnswer | Promise<CannedAnswer>,
): Promise<Loopback> {
  const requests: ReceivedRequest[] = [];
  const connections = new Map<unknown, number>();
  const server = http.createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", async () => {
      const url = new URL(incoming.url ?? "/", "http://loopback");
      const connection = connections.get(incoming.socket) ?? connections.size;
      connections.set(incoming.socket, connection);
      const request: ReceivedRequest = {
        method: incoming.method ?? "",
        path: url.pathname,
        query: url.searchParams,
        headers: incoming.headers,
        body: Buffer.concat(chunks),
        connection,
      };
      requests.push(request);
      const canned = await answer(request, requests.length - 1);
      if (canned.hang === true) {
        return;
      }
      if (canned.reset === true) {
        incoming.socket.resetAndDestroy();
        return;
      }
      outgoing.writeHead(canned.status ?? 200, canned.headers);
      outgoing.end(canned.body ?? "");
    });
  });
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  // A connection that isn't in use is the client's to close.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  // A failed test must not keep the whole run alive.
  server.unref();
  return {
    url: `http://127.0.0.1:${port}`,
    server,
    requests,
    open: promisify(server.getConnections.bind(server)),
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        // Those that were upgraded too.
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** A URL on which nothing listens. */
export async function refusedUrl(): Promise<string> {
  const loopback = await startLoopback(() => ({}));
  await loopback.close();
  return loopback.url;
}
