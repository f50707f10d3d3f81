import assert from "node:assert/strict";
import { createServer } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { HOST_ADDRESS } from "../../sandbox/topology";

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
  const tunnels: string[] = [];
  const requests: OutsideProxy["requests"] = [];
  const clients = new Set<Duplex>();
  const server = createServer((request, answer) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      requests.push({ url: request.url ?? "", body: Buffer.concat(chunks).toString("utf8") });
      answer.end();
    });
  });
  server.on("connect", ({ url = "" }, client, head) => {
    tunnels.push(url);
    clients.add(client);
    const { hostname, port: to } = new URL(`http://${url}`);
    const upstream = connect({ host: hostname, port: Number(to) }, () => {
      client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      upstream.write(head);
      upstream.pipe(client);
      client.pipe(upstream);
    });
    upstream.on("error", () => client.destroy());
    client.on("error", () => upstream.destroy());
    client.once("close", () => {
      clients.delete(client);
      upstream.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, HOST_ADDRESS, () => resolve());
  });
  assert.ok(server.listening);
  return {
    url: `http://${HOST_ADDRESS}:${port}`,
    port,
    tunnels,
    requests,
    close: () => {
      server.close();
      server.closeAllConnections();
      // A tunnel is the server's no more.
      for (const client of clients) client.destroy();
    },
  };
}
