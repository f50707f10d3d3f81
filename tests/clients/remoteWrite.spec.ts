import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { encodeWriteRequest, RemoteWriteClient, WriteGivenUpError, WriteRejectedError, type WriteSeries } from "../../clients/remoteWrite";
import { directTransport } from "../../clients/transport";
import { type CannedAnswer, type Loopback, refusedUrl, startLoopback } from "./loopback";
import { decodeWriteBody, decodeWriteRequest } from "./writeRequest";

const ONE: WriteSeries[] = [{ labels: { job: "test", __name__: "up" }, samples: [{ timestampMs: 1_700_000_000_123, value: 1.5 }] }];

describe("clients: encodeWriteRequest", () => {
  it("encodes what the specification's messages decode", () => {
    const labelName = fc.stringMatching(/^[a-zA-Z_]\w{0,20}$/).filter((name) => name !== "__proto__");
    const series = fc.record({
      labels: fc.dictionary(labelName, fc.string({ minLength: 1, unit: "grapheme" }), { noNullPrototype: true }),
      name: fc.constantFrom("up", "x:y"),
      samples: fc.array(fc.record({ timestampMs: fc.maxSafeInteger(), value: fc.double() })),
    });
    fc.assert(
      fc.property(fc.array(series), (list) => {
        const given = list.map((each): WriteSeries => ({ labels: { ...each.labels, __name__: each.name }, samples: each.samples }));
        const decoded = decodeWriteRequest(encodeWriteRequest(given));
        assert.deepEqual(
          decoded.map((each) => Object.fromEntries(each.labels.map(({ name, value }) => [name, value]))),
          given.map((each) => each.labels),
        );
        assert.deepEqual(
          decoded.map((each) => each.samples),
          given.map((each) => each.samples.map(({ timestampMs, value }) => ({ value, timestamp: timestampMs }))),
        );
        for (const each of decoded) {
          const names = each.labels.map(({ name }) => name);
          assert.deepEqual(names, [...names].sort());
        }
      }),
    );
  });

  it("keeps NaN and the infinities", () => {
    const samples = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map((value, index) => ({ timestampMs: index, value }));
    const decoded = decodeWriteRequest(encodeWriteRequest([{ labels: { __name__: "x" }, samples }]));
    assert.deepEqual(
      decoded[0]?.samples.map(({ value }) => value),
      [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
    );
  });

  it("refuses what a receiver would refuse or misread", () => {
    assert.throws(() => encodeWriteRequest([{ labels: { job: "x" }, samples: [] }]), /without __name__/);
    assert.throws(() => encodeWriteRequest([{ labels: { __name__: "x", job: "" }, samples: [] }]), /label job is empty/);
    assert.throws(
      () => encodeWriteRequest([{ labels: { __name__: "x" }, samples: [{ timestampMs: 1.5, value: 0 }] }]),
      /whole number of milliseconds/,
    );
  });
});

describe("clients: RemoteWriteClient", () => {
  let server: Loopback;
  afterEach(() => server.close());

  async function serverAnswering(...answers: CannedAnswer[]): Promise<void> {
    server = await startLoopback((_, index) => answers[index] ?? {});
  }

  function client(options: ConstructorParameters<typeof RemoteWriteClient>[1] = {}): RemoteWriteClient {
    return new RemoteWriteClient(directTransport(`${server.url}/api/v1/receive`), { minBackoffMs: 1, maxBackoffMs: 4, ...options });
  }

  it("sends a request that decodes to the samples, with the headers of remote write 1.0", async () => {
    await serverAnswering();
    const { attempts } = await client({ tenant: "team-a" }).send(ONE);
    assert.deepEqual(
      attempts.map(({ status, error }) => ({ status, error })),
      [{ status: 200, error: undefined }],
    );
    const [request] = server.requests;
    assert.ok(request);
    assert.equal(`${request.method} ${request.path}`, "POST /api/v1/receive");
    assert.equal(request.headers["content-type"], "application/x-protobuf");
    assert.equal(request.headers["content-encoding"], "snappy");
    assert.equal(request.headers["x-prometheus-remote-write-version"], "0.1.0");
    assert.equal(request.headers["thanos-tenant"], "team-a");
    assert.deepEqual(decodeWriteBody(request.body), [
      {
        labels: [
          { name: "__name__", value: "up" },
          { name: "job", value: "test" },
        ],
        samples: [{ value: 1.5, timestamp: 1_700_000_000_123 }],
      },
    ]);
  });

  it("sends no tenant unless one is given, and uses another header when told", async () => {
    await serverAnswering();
    await client().send(ONE);
    await client({ tenant: "team-a", tenantHeader: "X-Scope-OrgID" }).send(ONE);
    assert.equal(server.requests[0]?.headers["thanos-tenant"], undefined);
    assert.equal(server.requests[1]?.headers["thanos-tenant"], undefined);
    assert.equal(server.requests[1]?.headers["x-scope-orgid"], "team-a");
  });

  it("retries 5xx, 429 and a reset connection with the same body until acknowledged", async () => {
    await serverAnswering({ status: 503, body: "not ready" }, { status: 500 }, { status: 429 }, { reset: true }, { status: 204 });
    const { attempts } = await client().send(ONE);
    assert.deepEqual(
      attempts.map(({ status }) => status),
      [503, 500, 429, undefined, 204],
    );
    assert.equal(attempts[0]?.error, "503 not ready");
    assert.match(attempts[3]?.error ?? "", /ECONNRESET|hang up/);
    assert.equal(new Set(server.requests.map(({ body }) => body.toString("hex"))).size, 1);
  });

  for (const status of [400, 404, 409, 413, 302]) {
    it(`takes ${status} as final`, async () => {
      await serverAnswering({ status, body: "out of bounds" });
      await assert.rejects(client().send(ONE), (error) => {
        assert.ok(error instanceof WriteRejectedError);
        assert.equal(error.status, status);
        assert.equal(error.attempts.length, 1);
        assert.match(error.message, /out of bounds/);
        return true;
      });
      assert.equal(server.requests.length, 1);
    });
  }

  it("gives up when the time is over, saying what the last try met", async () => {
    server = await startLoopback(() => ({ status: 503, body: "quorum not reached" }));
    await assert.rejects(client().send(ONE, { giveUpAfterMs: 1_000 }), (error) => {
      assert.ok(error instanceof WriteGivenUpError);
      assert.ok(error.attempts.length > 1);
      assert.match(error.message, /503 quorum not reached/);
      return true;
    });
  });

  it("gives up on a server that refuses connections", async () => {
    await serverAnswering();
    const nobody = new RemoteWriteClient(directTransport(await refusedUrl()), { minBackoffMs: 1 });
    await assert.rejects(nobody.send(ONE, { giveUpAfterMs: 20 }), /ECONNREFUSED/);
  });

  it("counts a try that is not answered in time as failed and goes on", async () => {
    await serverAnswering({ hang: true }, {});
    const { attempts } = await client({ attemptTimeoutMs: 50 }).send(ONE);
    assert.match(attempts[0]?.error ?? "", /no whole answer within 50 ms/);
    assert.equal(attempts.length, 2);
  });

  it("waits as Retry-After says rather than its own pause", async () => {
    await serverAnswering({ status: 503, headers: { "retry-after": "0" } }, {});
    const { attempts } = await client({ minBackoffMs: 3_600_000, maxBackoffMs: 3_600_000 }).send(ONE);
    assert.equal(attempts.length, 2);
  });

  it("is ended by its signal between tries", async () => {
    const controller = new AbortController();
    server = await startLoopback(() => {
      setImmediate(() => controller.abort());
      return { status: 503 };
    });
    await assert.rejects(client({ minBackoffMs: 60_000 }).send(ONE, { signal: controller.signal }), WriteGivenUpError);
  });

  it("keeps one connection, or opens one for each request when told", async () => {
    await serverAnswering();
    const kept = new RemoteWriteClient(directTransport(server.url));
    const fresh = new RemoteWriteClient(directTransport(server.url, { connectionPerRequest: true }));
    for (const each of [kept, kept, fresh, fresh]) {
      await each.send(ONE);
    }
    assert.deepEqual(
      server.requests.map(({ connection }) => connection),
      [0, 0, 1, 2],
    );
  });

  it("does not keep a connection that nobody uses, and waits for an answer longer than it would keep one", async () => {
    server = await startLoopback(async () => {
      await delay(50);
      return {};
    });
    const kept = new RemoteWriteClient(directTransport(server.url, { keepIdleMs: 10 }));
    await kept.send(ONE);
    while ((await server.open()) > 0) await delay(5);
    await kept.send(ONE);
    assert.deepEqual(
      server.requests.map(({ connection }) => connection),
      [0, 1],
    );
  });
});
