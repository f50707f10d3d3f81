import assert from "node:assert/strict";
import { readFromBucket } from "../../../model/capacity/storeGateways";
import type { CapacityPlan } from "../../../model/capacity/types";
import type { Overrides } from "../../harness";
import { needOf, planUnder } from "./plans";

const NAMES = ["store gateways memory", "store gateways cpu"];

/** prod under queries of a range, each of so many series. */
const under = (range: string, series = 1_000, overrides: Overrides = {}): CapacityPlan =>
  planUnder("prod", { series: 100_000, interval: "30s", queries: { range, series, perSecond: 0.5 } }, overrides);

function readOf(plan: CapacityPlan): { series: number; chunks: number } {
  assert.ok(plan.bucket !== undefined);
  return readFromBucket(plan, plan.bucket);
}

describe("capacity: what queries read from the bucket", () => {
  it("is nothing of a range that ends before any block is cut, however many series", () => {
    assert.deepEqual(readOf(under("1h", 100_000)), { series: 0, chunks: 0 });
    for (const name of NAMES) assert.equal(needOf(under("1h"), name).worst, needOf(under("1h", 100_000), name).worst, name);
  });

  it("is more of a longer range and of more series, in memory and CPU", () => {
    for (const name of NAMES) {
      const at = (range: string, series?: number) => needOf(under(range, series), name).worst;
      assert.ok(at("1h") < at("6h") && at("6h") < at("7d") && at("7d") < at("30d"), name);
      assert.ok(at("30d") < at("30d", 2_000), name);
    }
  });

  it("is every chunk of the range, of both of a pair, with all replicas only while blocks are not merged", () => {
    // A chunk of 120 samples is an hour: eleven hours in three replicas, the rest of ten days in one, and one more in each block.
    const { series, chunks } = readOf(under("10d", 100));
    const blocks = 3 * (11 / 2) + 9.5 / 2;
    assert.equal(series, 2 * 100 * blocks);
    assert.ok(Math.abs(chunks - 2 * 100 * (3 * 11 + 9.5 * 24 + blocks)) < 1e-6);
  });

  it("begins at the age from which on the environment has it read", () => {
    const overrides = { receive: { retention: { time: "10d" } }, objectStorage: { handover: "9d" } };
    assert.deepEqual(readOf(under("9d", 1_000, overrides)), { series: 0, chunks: 0 });
    const { chunks } = readOf(under("10d", 1_000, overrides));
    assert.ok(chunks > 0 && chunks < readOf(under("10d")).chunks / 5);
  });

  it("ends with the retention of raw samples", () => {
    const kept = { objectStorage: { compactor: { retention: { raw: "20d" } } } };
    assert.deepEqual(readOf(under("20d", 1_000, kept)), readOf(under("200d", 1_000, kept)));
    assert.ok(readOf(under("200d")).chunks > readOf(under("20d")).chunks);
  });

  it("is divided by a hash of blocks, not evenly of few, and by no ages", () => {
    const sharded = (partition: object) => ({ objectStorage: { storeGateway: { partition } } });
    const all = readOf(under("30d")).chunks;
    const part = readOf(under("30d", 1_000, sharded({ hash: 4 }))).chunks;
    assert.ok(part > all / 4 && part < all);
    assert.equal(readOf(under("30d", 1_000, sharded({ time: ["20d"] }))).chunks, all);
  });

  it("is no more than one answer may hold where the environment bounds it, and follows from no memory", () => {
    const limited = (storeLimits: object, memory = "1Gi") =>
      under("30d", 1_000, { objectStorage: { storeGateway: { storeLimits, resources: { memory } } } });
    assert.equal(readOf(limited({ series: 500 })).series, 500);
    assert.equal(readOf(limited({ samples: 120_000 })).chunks, 1_000);
    assert.deepEqual(readOf(limited({ series: 0, samples: 0 })), readOf(under("30d")));
    assert.deepEqual(readOf(limited({}, "16Gi")), readOf(limited({}, "512Mi")));
  });

  it("is in memory for no more selectors than a store gateway reads at once", () => {
    const memory = (maxConcurrent: number, perSecond: number) =>
      needOf(
        planUnder(
          "prod",
          { series: 100_000, interval: "30s", queries: { range: "30d", perSecond } },
          { objectStorage: { storeGateway: { maxConcurrent } } },
        ),
        "store gateways memory",
      );
    const read = (plan: ReturnType<typeof memory>) => plan.parts.find(({ what }) => what === "samples that they read")?.amount ?? 0;
    assert.equal(read(memory(2, 50)), read(memory(2, 500)));
    assert.ok(read(memory(2, 50)) < read(memory(20, 50)));
  });

  it("is what receivers serve of it as well, as many at once as the load brings, whoever lets them in", () => {
    const memory = (querier: object) => needOf(under("7d", 10_000, { querier }), "receivers memory").worst;
    assert.equal(memory({ maxConcurrent: 1 }), memory({ maxConcurrent: 100, replicas: 10 }));
  });
});
