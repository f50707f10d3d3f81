import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Access } from "../../../../sandbox/plugins/kubernetes/kubeconfig";
import type { Json, JsonObject } from "../../../../sandbox/plugins/protocol/values";

export interface Received {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingMessage["headers"];
  body: Json;
}

export interface Answer {
  code?: number;
  body?: unknown;
  headers?: Record<string, string>;
  /** Events of a watch; the answer stays open after them unless `end` is set. */
  events?: JsonObject[];
  end?: boolean;
  /** Cuts the connection instead of answering. */
  cut?: boolean;
}

/** A server that answers as told, and remembers what it was asked. */
export class FakeApi {
  readonly received: Received[] = [];
  private constructor(
    readonly access: Access,
    private readonly close: () => Promise<void>,
    public answer: (request: Received) => Answer,
  ) {}

  static async start(
    answer: (request: Received) => Answer = () => ({ code: 404, body: status(404, "NotFound", "not found") }),
  ): Promise<FakeApi> {
    const server = createServer((request, response) => void handle(request, response));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const access: Access = {
      server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      ca: undefined,
      cert: undefined,
      key: undefined,
      serverName: undefined,
      skipVerify: false,
      authorization: async () => "Bearer token",
    };
    const close = () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    const fake = new FakeApi(access, close, answer);

    async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
      let text = "";
      for await (const chunk of request) {
        text += String(chunk);
      }
      const url = new URL(request.url ?? "/", access.server);
      const received: Received = {
        method: request.method ?? "",
        path: url.pathname,
        query: url.searchParams,
        headers: request.headers,
        body: text === "" ? null : (JSON.parse(text) as Json),
      };
      fake.received.push(received);
      const { code = 200, body = {}, headers = {}, events, end, cut } = fake.answer(received);
      if (cut) {
        request.socket.destroy();
        return;
      }
      response.writeHead(code, headers);
      if (events !== undefined) {
        response.flushHeaders();
        for (const event of events) {
          response.write(`${JSON.stringify(event)}\n`);
        }
        if (end) {
          response.end();
        }
        return;
      }
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    }
    return fake;
  }

  stop(): Promise<void> {
    return this.close();
  }
}

export function status(code: number, reason: string, message: string, causes: JsonObject[] = []): JsonObject {
  return { kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message, details: { causes } };
}
