import assert from "node:assert/strict";
import { createServer } from "node:http";
import { HOST_ADDRESS } from "../../sandbox/topology";
import { listen, Tunnels } from "./tunnels";

/** A proxy of this machine, as it stands between a cluster and what is outside: tunnels lead where they say, plain requests end here. */
export interface OutsideProxy {
  /** Its URL, for pods. */
  url: string;
  port: number;
  /** Where tunnels were asked for, as host:port, each time. */
  tunnels: string[];
  /** Plain requests, whose server is whoever a test wants it to be. */
  requests: { url: string; body: string }[];
  close(): void;
}

/** Starts the proxy. Plain requests are answered with an empty 200, as an Alertmanager would. */
export async function startProxy(port: number): Promise<OutsideProxy> {
  const asked: string[] = [];
  const requests: OutsideProxy["requests"] = [];
  // Once it is one, a connection is the server's no more.
  const tunnels = new Tunnels();
  const server = createServer((request, answer) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      requests.push({ url: request.url ?? "", body: Buffer.concat(chunks).toString("utf8") });
      answer.end();
    });
  });
  server.on("connect", ({ url = "" }, client, head) => {
    asked.push(url);
    tunnels.lead(client, url, { head, connected: () => client.write("HTTP/1.1 200 Connection Established\r\n\r\n") });
  });
  await listen(server, port);
  assert.ok(server.listening);
  return {
    url: `http://${HOST_ADDRESS}:${port}`,
    port,
    tunnels: asked,
    requests,
    close: () => {
      server.close();
      server.closeAllConnections();
      tunnels.close();
    },
  };
}
