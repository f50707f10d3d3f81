import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { throughGateway } from "../../commands/verify/gateway";

interface Asked {
  path: string;
  authorization: string | undefined;
}

describe("verify: the gateway from outside", () => {
  let server: Server;
  let url = "";
  let asked: Asked[] = [];
  let open = false;
  let written: string | undefined;
  /** Whose answer has the sample. */
  let seenBy = "Bearer sre-token";
  const CREDENTIALS = { tenants: { payments: "payments-token" }, readers: { grafana: "grafana-token", sre: "sre-token" } };

  before(async () => {
    server = createServer((request, answer) => {
      const { authorization } = request.headers;
      asked.push({ path: request.url ?? "", authorization });
      const body: Buffer[] = [];
      request.on("data", (chunk: Buffer) => body.push(chunk));
      request.on("end", () => {
        if (authorization === undefined) answer.statusCode = open ? 200 : 401;
        const query = new URLSearchParams(
          request.method === "POST" ? Buffer.concat(body).toString() : (request.url ?? "").split("?")[1],
        ).get("query");
        const run = /run="([^"]+)"/.exec(query ?? "")?.[1];
        const result =
          authorization === seenBy && run !== undefined
            ? [{ metric: { __name__: "thanos_stack_verify_gateway", run }, value: [Date.now() / 1_000, written ?? "0"] }]
            : [];
        answer.setHeader("content-type", "application/json");
        answer.end(JSON.stringify({ status: "success", data: { resultType: "vector", result } }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  beforeEach(() => {
    asked = [];
    open = false;
    written = undefined;
    seenBy = "Bearer sre-token";
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const urls = () => ({ publicRemoteWriteUrl: `${url}/api/v1/receive`, publicQueryUrl: url });

  it("is written to once, with a tenant's token, and asked with each reader's until one has the sample", async () => {
    let writes = 0;
    seenBy = "nobody";
    const look = throughGateway(urls(), { credentials: CREDENTIALS, onWrite: () => writes++ });
    const { ok, seen } = await look();
    assert.deepEqual([ok, seen], [false, "the written sample is not answered yet"]);
    seenBy = "Bearer sre-token";
    written = "7";
    assert.match((await look()).seen, /^wrote \d+, read 7$/);
    assert.equal(writes, 1);
    const by = (path: string) => [...new Set(asked.filter((each) => each.path.startsWith(path)).map((each) => each.authorization))];
    assert.deepEqual(by("/api/v1/receive"), [undefined, "Bearer payments-token"]);
    assert.deepEqual(by("/api/v1/query").sort(), ["Bearer grafana-token", "Bearer sre-token", undefined]);
  });

  it("fails where it is open to whoever shows nothing", async () => {
    open = true;
    const { ok, details } = await throughGateway(urls(), { credentials: CREDENTIALS, onWrite: () => assert.fail("nothing is written") })();
    assert.equal(ok, false);
    assert.equal(details.length, 2);
    assert.match(details.join(), /answered 200 without a credential/);
  });

  it("holds with a warning where no token is at hand, and with one side alone", async () => {
    const none = await throughGateway(urls(), { credentials: undefined, onWrite: () => assert.fail("nothing is written") })();
    assert.deepEqual([none.ok, none.seen], [true, "it asks for credentials"]);
    assert.match(none.details.join(), /^warning: no token was at hand/);
    const queries = await throughGateway(
      { publicQueryUrl: url },
      { credentials: CREDENTIALS, onWrite: () => assert.fail("nothing is written") },
    )();
    assert.deepEqual([queries.ok, queries.seen], [true, "2 readers are answered"]);
    const writing = await throughGateway(
      { publicRemoteWriteUrl: `${url}/api/v1/receive` },
      { credentials: CREDENTIALS, onWrite: () => undefined },
    )();
    assert.deepEqual([writing.ok, writing.seen], [true, "a sample is acknowledged"]);
  });
});
