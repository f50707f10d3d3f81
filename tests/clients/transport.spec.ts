import assert from "node:assert/strict";
import http from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { directTransport } from "../../clients/transport";

describe("a connection that is kept", () => {
  const closers: (() => void)[] = [];
  afterEach(() => {
    for (const close of closers.splice(0)) close();
  });

  /** A server that answers the first request of a connection, and closes it at the second without an answer. */
  async function endingServer(): Promise<{ url: string; requests: () => number }> {
    const seen = new Map<Socket, number>();
    const server = http.createServer((request, response) => {
      const count = (seen.get(request.socket) ?? 0) + 1;
      seen.set(request.socket, count);
      if (count > 1) request.socket.resetAndDestroy();
      else response.end(`connection ${seen.size}`);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closers.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      requests: () => [...seen.values()].reduce((sum, count) => sum + count, 0),
    };
  }

  it("and was closed by then does not cost what only reads its answer", async () => {
    const { url, requests } = await endingServer();
    const transport = directTransport(url);
    assert.equal((await transport.send({ method: "GET", path: "/" })).body, "connection 1");
    assert.equal((await transport.send({ method: "GET", path: "/" })).body, "connection 2");
    assert.equal(requests(), 3);
  });

  it("is not tried again for what writes", async () => {
    const { url, requests } = await endingServer();
    const transport = directTransport(url);
    await transport.send({ method: "GET", path: "/" });
    await assert.rejects(transport.send({ method: "POST", path: "/", body: "x" }), /ECONNRESET|socket hang up/);
    assert.equal(requests(), 2);
  });

  it("that is new and closed without an answer is a fault", async () => {
    const server = http.createServer((request) => request.socket.resetAndDestroy());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closers.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    await assert.rejects(directTransport(`http://127.0.0.1:${port}`).send({ method: "GET", path: "/" }), /ECONNRESET|socket hang up/);
  });
});
