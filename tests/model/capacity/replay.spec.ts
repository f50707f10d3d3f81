import assert from "node:assert/strict";
import * as fc from "fast-check";
import { loadProblemsOf } from "../../../model/capacity/limits";
import { needsOf } from "../../../model/capacity/needs";
import { replayOf } from "../../../model/capacity/receivers";
import type { CapacityPlan } from "../../../model/capacity/types";
import { load, needOf, planUnder } from "./plans";

function replayed(plan: CapacityPlan): { seconds: number; least: number } {
  const { receivers } = plan;
  const ring = receivers?.rings[0];
  assert.ok(receivers !== undefined && ring !== undefined);
  return replayOf(ring, receivers);
}

const LOAD = { series: 1_000_000, interval: "15s" };
const under = (cpu: string, own: object = LOAD, receive: object = {}): CapacityPlan =>
  planUnder("prod", own, { receive: { resources: { cpu, memory: "64Gi" }, ...receive } });

describe("capacity: replay of the log", () => {
  it("is divided by cores until one tenant's log is read in sequence, and never faster", () => {
    assert.equal(replayed(under("500m")).seconds, 2 * replayed(under("1")).seconds);
    const { seconds, least } = replayed(under("32"));
    assert.equal(seconds, least);
    assert.equal(replayed(under("64")).seconds, seconds);
    fc.assert(
      fc.property(load, fc.integer({ min: 1, max: 200 }), (own, cores) => {
        const { seconds: taken, least: inSequence } = replayed(under(String(cores), own));
        assert.ok(taken >= inSequence && taken <= replayed(under("1", own)).seconds * (1 + 1e-9));
      }),
      { numRuns: 30 },
    );
  });

  it("reads logs of several tenants at the same time: one's part bounds it", () => {
    const others = { receive: { otherSenders: "single" }, querier: { deduplication: "chain" } };
    const least = (tenants: number) => replayed(planUnder("prod", { ...LOAD, scraped: 0, tenants }, others)).least;
    // Whole segments of a log are no tenth of it.
    assert.ok(least(1) / least(10) > 5 && least(1) / least(10) < 10);
    const own = (tenants: number) => replayed(planUnder("prod", { ...LOAD, tenants })).least;
    assert.equal(own(10), own(1));
  });

  it("reads what was out of order as well, for its window, and has it in memory", () => {
    const late = (outOfOrderPercent: number, outOfOrderWindow = "2h") =>
      under("500m", { ...LOAD, outOfOrderPercent }, { outOfOrderWindow });
    assert.ok(replayed(late(0)).seconds < replayed(late(50)).seconds);
    assert.ok(replayed(late(50)).seconds < replayed(late(50, "12h")).seconds);
    const memory = (plan: CapacityPlan) => needOf(plan, "receivers memory");
    assert.equal(memory(late(50)).when, "replay");
    assert.ok(memory(late(50)).parts.some(({ what }) => what === "samples out of order"));
  });

  it("of Prometheus is divided over its shards, is refused at its CPU, and none of an agent is judged", () => {
    const plan = (prometheus: object) => planUnder("prod", LOAD, { prometheus });
    const seconds = (prometheus: object) => needOf(plan(prometheus), "Prometheus replay").worst;
    assert.equal(seconds({ resources: { cpu: "500m" } }), 2 * seconds({ resources: { cpu: "1" } }));
    assert.ok(seconds({ shards: 8 }) < seconds({ shards: 1 }) / 4);
    const { worst, least = 0 } = needOf(plan({ resources: { cpu: "64" } }), "Prometheus replay");
    assert.equal(worst, least);
    const problem = (startupSeconds: number) =>
      loadProblemsOf({ ...plan({ resources: { cpu: "2", memory: "64Gi" } }), startupSeconds }).find(
        ({ key, rule }) => key === "prometheus.resources.cpu" && /replay/.test(rule),
      );
    assert.match(problem(1.1 * least)?.remedy ?? "", /^\d+(?:m)? or more, more in prometheus\.shards \(1\), or less in load\.series$/);
    assert.match(problem(least / 2)?.remedy ?? "", /^more in prometheus\.shards \(1\), or less in load\.series$/);
    assert.ok(!needsOf(plan({ mode: "agent" })).some(({ component, resource }) => component === "Prometheus" && resource === "replay"));
  });

  it("leaves Prometheus out of what is late: it has no window for it", () => {
    const memory = (outOfOrderPercent: number) => needOf(planUnder("prod", { ...LOAD, outOfOrderPercent }), "Prometheus memory");
    assert.deepEqual(memory(100), memory(0));
  });

  it("is refused with the CPU that ends it in time, and with none where no CPU does", () => {
    const refusal = (startupSeconds: number) => {
      const plan = under("500m");
      const { receivers } = plan;
      assert.ok(receivers !== undefined);
      const problem = loadProblemsOf({ ...plan, startupSeconds }).find(({ key }) => key === "receive.resources.cpu");
      assert.ok(problem !== undefined);
      return problem;
    };
    const { least } = replayed(under("500m"));
    assert.match(refusal(2 * least).remedy, /^\d+(?:m)? or more, more replicas, or less in load\.series$/);
    const { rule, remedy } = refusal(least / 2);
    assert.match(
      rule,
      /takes .* for the replay of its log .*, and a start may take \w+; one tenant's log alone takes \w+, since it is read in sequence/,
    );
    assert.match(remedy, /^more replicas, or less in load\.series$/);
  });
});
