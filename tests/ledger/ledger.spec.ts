import assert from "node:assert/strict";
import fc from "fast-check";
import { PrometheusClient } from "../../clients/prometheus";
import { RemoteWriteClient } from "../../clients/remoteWrite";
import { directTransport } from "../../clients/transport";
import { startLoopback } from "../clients/loopback";
import { type FakeStore, type FakeStoreOptions, startFakeStore } from "./fakeStore";
import { acknowledgedSamples, type Ledger, readBack, type SenderOptions, startQueries, startSender } from "./index";
import { labelsOfSeries, seriesOfBatch, valueAt } from "./ledger";

const REPLICAS = ["r-0", "r-1", "r-2"];

describe("ledger", () => {
  const stores: FakeStore[] = [];

  afterEach(async () => {
    await Promise.all(stores.splice(0).map((each) => each.close()));
  });

  async function fakeStore(options: Partial<FakeStoreOptions> = {}): Promise<FakeStore> {
    const store = await startFakeStore({ replicas: REPLICAS, ...options });
    stores.push(store);
    return store;
  }

  function writer(target: FakeStore): RemoteWriteClient {
    return new RemoteWriteClient(directTransport(target.writeUrl), { minBackoffMs: 1, maxBackoffMs: 2, attemptTimeoutMs: 2_000 });
  }

  function reader(target: FakeStore): PrometheusClient {
    return new PrometheusClient(directTransport(target.url));
  }

  /** Sends 20 series for 6 ticks in 3 batches. */
  function send(target: FakeStore, options: Partial<SenderOptions> = {}): Promise<Ledger> {
    return startSender({ write: writer(target), series: 20, batches: 3, intervalMs: 5, ticks: 6, labels: { run: "test" }, ...options })
      .done;
  }

  it("divides the series among the batches, each into exactly one", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 200 }), (series, batches) => {
        const divided = Array.from({ length: batches }, (_, batch) => seriesOfBatch({ series, batches }, batch)).flat();
        assert.deepEqual(
          divided.sort((a, b) => a - b),
          Array.from({ length: series }, (_, index) => index),
        );
      }),
    );
  });

  it("gives every series and tick a value of its own", () => {
    const values = Array.from({ length: 50 }, (_, series) =>
      Array.from({ length: 40 }, (__, tick) => valueAt({ series: 50 }, series, tick)),
    ).flat();
    assert.equal(new Set(values).size, values.length);
  });

  it("finds everything that was acknowledged when nothing is lost", async () => {
    const target = await fakeStore();
    const ledger = await send(target);
    assert.equal(acknowledgedSamples(ledger), 120);
    assert.equal(ledger.counts.requests, 18);
    assert.deepEqual(ledger.counts.failedAttempts, {});
    const reading = await readBack(ledger, reader(target), { replicaLabels: ["receive_replica"] });
    assert.deepEqual(
      { ...reading, perReplica: undefined },
      {
        acknowledged: 120,
        answered: 120,
        lost: 0,
        hidden: 0,
        wrong: 0,
        duplicated: 0,
        warnings: [],
        lostSeries: [],
        lostExamples: [],
        hiddenExamples: [],
        perReplica: undefined,
      },
    );
    assert.deepEqual(reading.perReplica, Object.fromEntries(REPLICAS.map((replica) => [replica, { stored: 120, series: 20, gaps: 0 }])));
  });

  it("reads the same whatever the window, and never asks for more than the window", async () => {
    const target = await fakeStore();
    const ledger = await send(target);
    for (const windowMs of [1, 5, 10, 12, 1_000_000]) {
      const before = target.queries.length;
      const reading = await readBack(ledger, reader(target), { windowMs });
      assert.deepEqual([reading.answered, reading.lost, reading.duplicated], [120, 0, 0], `window of ${windowMs} ms`);
      const ticks = Math.max(Math.floor(windowMs / 5), 1);
      assert.equal(target.queries.length - before, 3 * Math.ceil(6 / ticks), `queries with a window of ${windowMs} ms`);
    }
  });

  it("counts what a store acknowledges and drops on every replica as lost", async () => {
    const target = await fakeStore({ drops: ({ series }) => series === 7 });
    const ledger = await send(target);
    const reading = await readBack(ledger, reader(target));
    assert.deepEqual([reading.answered, reading.lost, reading.hidden], [114, 6, 0]);
    assert.deepEqual(reading.lostSeries, [7]);
    assert.deepEqual(
      reading.lostExamples.map(({ series, tick }) => [series, tick]),
      [0, 1, 2, 3, 4, 5].map((tick) => [7, tick]),
    );
  });

  it("counts a single lost sample", async () => {
    const target = await fakeStore({ drops: ({ series, timestampMs }) => series === 3 && timestampMs % 30 === 0 });
    const ledger = await send(target);
    const due = ledger.acknowledged.filter(({ batch, timestampMs }) => batch === 0 && timestampMs % 30 === 0).length;
    assert.equal(due, 1);
    assert.equal((await readBack(ledger, reader(target))).lost, 1);
  });

  it("tells samples that deduplication hides from lost ones", async () => {
    const target = await fakeStore({ hides: ({ series }) => series % 5 === 0, drops: ({ series }) => series === 1 });
    const reading = await readBack(await send(target), reader(target));
    assert.deepEqual([reading.answered, reading.lost, reading.hidden], [90, 6, 24]);
    assert.ok(reading.hiddenExamples.every(({ series }) => series % 5 === 0));
  });

  it("counts the copies that one replica is missing, without calling them lost", async () => {
    const target = await fakeStore({ drops: ({ replica, series }) => replica === "r-1" && series < 4 });
    const reading = await readBack(await send(target), reader(target), { replicaLabels: ["receive_replica"] });
    assert.deepEqual([reading.answered, reading.lost, reading.hidden], [120, 0, 0]);
    assert.deepEqual(reading.perReplica?.["r-0"], { stored: 120, series: 20, gaps: 0 });
    assert.deepEqual(reading.perReplica?.["r-1"], { stored: 96, series: 16, gaps: 0 });
    const sparse = await fakeStore({ drops: ({ replica, timestampMs }) => replica === "r-2" && timestampMs % 10 === 0 });
    const gaps = (await readBack(await send(sparse), reader(sparse), { replicaLabels: ["receive_replica"] })).perReplica?.["r-2"];
    assert.deepEqual(gaps, { stored: 60, series: 20, gaps: 60 });
  });

  it("counts a value other than the one sent", async () => {
    const target = await fakeStore({ corrupts: ({ series }, value) => (series === 2 ? value + 1 : value) });
    const reading = await readBack(await send(target), reader(target));
    assert.deepEqual([reading.answered, reading.wrong, reading.lost], [114, 6, 0]);
  });

  it("counts samples that are answered twice", async () => {
    const labels = { run: "test" };
    const ledger: Ledger = await send(await fakeStore(), { series: 1, batches: 1, ticks: 1, labels });
    const value = [ledger.startMs / 1000, String(valueAt(ledger, 0, 0))];
    const metric = labelsOfSeries(ledger, 0);
    const twice = [
      { metric, values: [value] },
      { metric: { ...metric, receive_replica: "r-0" }, values: [value] },
    ];
    const target = await fakeStore({
      queryAnswer: () => ({ body: JSON.stringify({ status: "success", data: { resultType: "matrix", result: twice } }) }),
    });
    const reading = await readBack(ledger, reader(target));
    assert.deepEqual([reading.answered, reading.duplicated], [1, 1]);
  });

  it("fails rather than judging from answers that lack a store, and keeps warnings where they are accepted", async () => {
    const failing = await fakeStore({
      queryAnswer: (request) =>
        request.query.get("partial_response") === "false"
          ? { status: 422, body: JSON.stringify({ status: "error", errorType: "execution", error: "store r-1 unavailable" }) }
          : {
              body: JSON.stringify({ status: "success", data: { resultType: "matrix", result: [] }, warnings: ["store r-1 unavailable"] }),
            },
    });
    const ledger = await send(failing);
    await assert.rejects(readBack(ledger, reader(failing)), /store r-1 unavailable/);
    const reading = await readBack(ledger, reader(failing), { partialResponse: true });
    assert.deepEqual([reading.lost, reading.warnings], [120, ["store r-1 unavailable"]]);
  });

  it("retries until acknowledged and counts every failed try", async () => {
    const answers = [{ status: 503, body: "not ready" }, { reset: true }, { status: 503 }];
    const target = await fakeStore({ writeAnswer: (index) => answers[index] ?? {} });
    const ledger = await send(target, { batches: 1, ticks: 2 });
    assert.deepEqual(ledger.counts.failedAttempts, { "HTTP 503": 2, "no answer": 1 });
    assert.deepEqual([ledger.counts.requests, ledger.counts.acknowledged, ledger.counts.failed, ledger.counts.attempts], [2, 2, 0, 5]);
    assert.match(ledger.counts.errors[0] ?? "", /503 not ready/);
    assert.ok(ledger.counts.slowestAcknowledgementSeconds >= ledger.counts.slowestAttemptSeconds);
    assert.equal((await readBack(ledger, reader(target))).answered, 40);
  });

  it("doesn't claim samples that were refused or given up", async () => {
    const refusing = await fakeStore({ writeAnswer: (index) => (index === 1 ? { status: 409, body: "out of order" } : {}) });
    const refused = await send(refusing, { batches: 1, ticks: 3 });
    assert.deepEqual([refused.counts.acknowledged, refused.counts.failed, acknowledgedSamples(refused)], [2, 1, 40]);
    assert.deepEqual(refused.counts.failedAttempts, { "HTTP 409": 1 });
    const reading = await readBack(refused, reader(refusing));
    assert.deepEqual([reading.acknowledged, reading.answered, reading.lost], [40, 40, 0]);
    const down = await fakeStore({ writeAnswer: () => ({ status: 503 }) });
    const givenUp = await send(down, { batches: 1, ticks: 1, giveUpAfterMs: 20 });
    assert.deepEqual([givenUp.counts.failed, acknowledgedSamples(givenUp)], [1, 0]);
  });

  it("is stopped after the request under way", async () => {
    const target = await fakeStore();
    const sender = startSender({ write: target.writeUrl, series: 2, intervalMs: 2, ticks: 1_000_000, labels: { run: "stopped" } });
    while (sender.ledger.acknowledged.length < 3) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const ledger = await sender.stop();
    assert.equal(ledger, await sender.done);
    assert.equal(ledger.counts.acknowledged, target.requests.length);
    assert.equal((await readBack(ledger, reader(target))).answered, ledger.counts.acknowledged * 2);
  });

  it("writes as the tenant, over a connection per request, where told so", async () => {
    const target = await fakeStore();
    await startSender({
      write: target.writeUrl,
      series: 2,
      intervalMs: 2,
      ticks: 3,
      labels: { run: "tenant" },
      tenant: "team-a",
      connectionPerRequest: true,
    }).done;
    assert.deepEqual(
      target.requests.map(({ headers, connection }) => [headers["thanos-tenant"], connection]),
      [0, 1, 2].map((connection) => ["team-a", connection]),
    );
  });

  it("survives being written to a file and read again", async () => {
    const target = await fakeStore({ drops: ({ series }) => series === 0 });
    const ledger = JSON.parse(JSON.stringify(await send(target))) as Ledger;
    assert.equal((await readBack(ledger, reader(target))).lost, 6);
  });
});

describe("ledger: startQueries", () => {
  it("counts failed, empty, incomplete and partial answers apart", async () => {
    const vector = (size: number): unknown => ({
      resultType: "vector",
      result: Array.from({ length: size }, (_, index) => ({ metric: { i: String(index) }, value: [1, "1"] })),
    });
    const answers = [
      { body: JSON.stringify({ status: "success", data: vector(3) }) },
      { status: 503, body: "down" },
      { body: JSON.stringify({ status: "success", data: vector(0) }) },
      { body: JSON.stringify({ status: "success", data: vector(2), warnings: ["store unavailable"] }) },
      { reset: true },
    ];
    const server = await startLoopback((_, index) => answers[index] ?? {});
    const client = new PrometheusClient(directTransport(server.url));
    const counts = await startQueries({ client, rate: 50, query: "up", expect: 3, count: 5 }).done.finally(() => server.close());
    const { errors, slowestSeconds, ...numbers } = counts;
    assert.deepEqual(numbers, { queries: 5, failed: 2, empty: 1, incomplete: 1, partial: 1 });
    assert.equal(errors.length, 2);
    assert.ok(slowestSeconds > 0);
  });

  it("judges with a function, and stops when told", async () => {
    const body = JSON.stringify({ status: "success", data: { resultType: "vector", result: [{ metric: { a: "b" }, value: [1, "0"] }] } });
    const server = await startLoopback(() => ({ body }));
    const client = new PrometheusClient(directTransport(server.url));
    const queries = startQueries({
      client,
      rate: 200,
      query: "up",
      expect: (vector) => vector.every(({ sample }) => sample.value === 1),
      count: 1_000_000,
    });
    while (server.requests.length < 3) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const counts = await queries.stop().finally(() => server.close());
    assert.equal(counts.incomplete, counts.queries);
    assert.equal(counts.queries, server.requests.length);
  });
});
