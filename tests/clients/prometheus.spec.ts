import assert from "node:assert/strict";
import { PrometheusClient, PrometheusError } from "../../clients/prometheus";
import { directTransport } from "../../clients/transport";
import { type CannedAnswer, type Loopback, refusedUrl, startLoopback } from "./loopback";

describe("clients: PrometheusClient", () => {
  let server: Loopback;
  afterEach(() => server.close());

  async function clientOf(answer: CannedAnswer): Promise<PrometheusClient> {
    server = await startLoopback(() => answer);
    return new PrometheusClient(directTransport(server.url), { headers: { "THANOS-TENANT": "team-a" } });
  }

  function success(data: unknown, more: Record<string, unknown> = {}): CannedAnswer {
    return { body: JSON.stringify({ status: "success", data, ...more }) };
  }

  it("reads an instant vector and passes every option on", async () => {
    const client = await clientOf(
      success({ resultType: "vector", result: [{ metric: { __name__: "up", job: "a" }, value: [1_700_000_000.123, "1"] }] }),
    );
    const result = await client.instant("up", {
      timeMs: 1_700_000_000_500,
      deduplicate: false,
      partialResponse: false,
      maxSourceResolution: "5m",
      lookbackDelta: "2m",
    });
    assert.deepEqual(result, {
      vector: [{ labels: { __name__: "up", job: "a" }, sample: { timestampMs: 1_700_000_000_123, value: 1 } }],
      warnings: [],
      partial: false,
    });
    const [request] = server.requests;
    assert.equal(`${request?.method} ${request?.path}`, "GET /api/v1/query");
    assert.deepEqual(Object.fromEntries(request?.query ?? []), {
      query: "up",
      time: "1700000000.5",
      dedup: "false",
      partial_response: "false",
      max_source_resolution: "5m",
      lookback_delta: "2m",
    });
    assert.equal(request?.headers["thanos-tenant"], "team-a");
  });

  it("leaves out parameters that were not given", async () => {
    const client = await clientOf(success({ resultType: "vector", result: [] }));
    assert.deepEqual((await client.instant("up")).vector, []);
    assert.deepEqual(Object.fromEntries(server.requests[0]?.query ?? []), { query: "up" });
  });

  it("reads raw samples, with NaN and infinities", async () => {
    const values = [
      [1, "NaN"],
      [2, "+Inf"],
      [3, "-Inf"],
      [4, "1e-3"],
    ];
    const client = await clientOf(success({ resultType: "matrix", result: [{ metric: { a: "b" }, values }] }));
    const { matrix } = await client.raw("x[5s]");
    assert.deepEqual(matrix, [
      {
        labels: { a: "b" },
        samples: [
          { timestampMs: 1000, value: Number.NaN },
          { timestampMs: 2000, value: Number.POSITIVE_INFINITY },
          { timestampMs: 3000, value: Number.NEGATIVE_INFINITY },
          { timestampMs: 4000, value: 0.001 },
        ],
      },
    ]);
  });

  it("asks for a range in seconds", async () => {
    const client = await clientOf(success({ resultType: "matrix", result: [] }));
    await client.range("up", { startMs: 1000, endMs: 61_500, stepMs: 15_000 });
    assert.equal(server.requests[0]?.path, "/api/v1/query_range");
    assert.deepEqual(Object.fromEntries(server.requests[0]?.query ?? []), { query: "up", start: "1", end: "61.5", step: "15" });
  });

  it("reads series by several selectors", async () => {
    const client = await clientOf(success([{ __name__: "up", job: "a" }]));
    const { series } = await client.series(["up", 'x{a="b"}'], { startMs: 0, endMs: 1000 });
    assert.deepEqual(series, [{ __name__: "up", job: "a" }]);
    assert.deepEqual(server.requests[0]?.query.getAll("match[]"), ["up", 'x{a="b"}']);
  });

  it("reads active targets", async () => {
    const target = {
      labels: { job: "a", instance: "i" },
      health: "down",
      lastError: "connection refused",
      scrapeUrl: "http://i/metrics",
      lastScrape: "2026-11-27T06:12:24.5Z",
      discoveredLabels: {},
    };
    const client = await clientOf(
      success({
        activeTargets: [target, { ...target, health: "unknown", lastError: "", lastScrape: "0001-01-01T00:00:00Z" }],
        droppedTargets: [],
      }),
    );
    assert.deepEqual(await client.targets(), [
      {
        labels: { job: "a", instance: "i" },
        health: "down",
        lastError: "connection refused",
        scrapeUrl: "http://i/metrics",
        lastScrape: 1795759944.5,
      },
      { labels: { job: "a", instance: "i" }, health: "unknown", lastError: "", scrapeUrl: "http://i/metrics", lastScrape: 0 },
    ]);
  });

  it("reads stores of every component", async () => {
    const store = {
      name: "10.0.0.1:10901",
      lastCheck: "2026-01-01T00:00:00Z",
      lastError: null,
      labelSets: [{ receive_replica: "0" }],
      minTime: 0,
      maxTime: 1,
    };
    const client = await clientOf(
      success({ receive: [store, { ...store, name: "10.0.0.2:10901", lastError: "refused" }], sidecar: [{ ...store, labelSets: null }] }),
    );
    assert.deepEqual(await client.stores(), [
      { name: "10.0.0.1:10901", component: "receive", labelSets: [{ receive_replica: "0" }] },
      { name: "10.0.0.2:10901", component: "receive", labelSets: [{ receive_replica: "0" }], lastError: "refused" },
      { name: "10.0.0.1:10901", component: "sidecar", labelSets: [] },
    ]);
  });

  it("surfaces warnings and tells those about stores from those about the query", async () => {
    const about = (warnings: string[]): CannedAnswer => success({ resultType: "vector", result: [] }, { warnings });
    const ofQuery = ["PromQL info: metric might not be a counter", "PromQL warning: bucket label missing"];
    const ofStore = "receive series from Addr: 10.0.0.1:10901: rpc error: code = Unavailable";
    const whole = await (await clientOf(about(ofQuery))).instant("up");
    assert.deepEqual([whole.warnings, whole.partial], [ofQuery, false]);
    await server.close();
    const partial = await (await clientOf(about([...ofQuery, ofStore]))).instant("up");
    assert.deepEqual([partial.warnings, partial.partial], [[...ofQuery, ofStore], true]);
  });

  it("carries query, status and body in the error of an answered failure", async () => {
    const body = JSON.stringify({ status: "error", errorType: "bad_data", error: "parse error: unexpected end of input" });
    const client = await clientOf({ status: 400, body });
    await assert.rejects(client.instant("sum("), (error) => {
      assert.ok(error instanceof PrometheusError);
      assert.deepEqual([error.query, error.status, error.body, error.errorType], ["sum(", 400, body, "bad_data"]);
      assert.match(error.message, /query sum\(:.*answered 400: bad_data: parse error/);
      return true;
    });
  });

  for (const [what, answer] of Object.entries<CannedAnswer>({
    "a status of 200 with an error inside": { body: JSON.stringify({ status: "error", errorType: "execution", error: "store failed" }) },
    "a body that is not JSON": { body: "<html>proxy</html>" },
    "an empty body": { body: "" },
    "JSON of the API server itself": {
      status: 503,
      body: JSON.stringify({ kind: "Status", message: "no endpoints available for service" }),
    },
  })) {
    it(`takes ${what} as a failure`, async () => {
      const client = await clientOf(answer);
      await assert.rejects(client.instant("up"), (error) => {
        assert.ok(error instanceof PrometheusError);
        assert.equal(error.body, answer.body);
        return true;
      });
    });
  }

  it("names the type of a result it did not ask for", async () => {
    const client = await clientOf(success({ resultType: "scalar", result: [1, "2"] }));
    await assert.rejects(client.instant("2"), /the result is a scalar, not a vector/);
  });

  it("refuses a native histogram where floats are asked for", async () => {
    const client = await clientOf(success({ resultType: "vector", result: [{ metric: {}, histogram: [1, {}] }] }));
    await assert.rejects(client.instant("h"), /not a float sample/);
  });

  it("reports a server that is not there, and names the query", async () => {
    server = await startLoopback(() => ({}));
    const client = new PrometheusClient(directTransport(await refusedUrl()));
    await assert.rejects(client.instant("up"), (error) => {
      assert.ok(error instanceof PrometheusError);
      assert.deepEqual([error.query, error.status], ["up", undefined]);
      assert.match(error.message, /query up: no answer from http:.*ECONNREFUSED/);
      return true;
    });
  });

  it("reports a server that does not answer in time", async () => {
    const client = await clientOf({ hang: true });
    await assert.rejects(client.instant("up", { timeoutMs: 50 }), /no whole answer within 50 ms/);
  });

  it("sends a long query as a form", async () => {
    const client = await clientOf(success({ resultType: "vector", result: [] }));
    const long = `up{job=~"${"a|".repeat(4000)}b"}`;
    await client.instant(long);
    const [request] = server.requests;
    assert.equal(request?.method, "POST");
    assert.equal(request?.headers["content-type"], "application/x-www-form-urlencoded");
    assert.equal(new URLSearchParams(request?.body.toString()).get("query"), long);
  });
});
