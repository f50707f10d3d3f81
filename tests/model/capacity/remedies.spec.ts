import assert from "node:assert/strict";
import * as fc from "fast-check";
import { loadProblemsOf } from "../../../model/capacity/limits";
import { needsOf } from "../../../model/capacity/needs";
import { capacity } from "../../../model/capacity/proof";
import { roundedDown } from "../../../model/capacity/quantities";
import type { CapacityPlan } from "../../../model/capacity/types";
import type { Problem } from "../../../model/values/problem";
import type { Overrides } from "../../harness";
import { load, needOf, planUnder } from "./plans";

function problemOf(plan: CapacityPlan, key: string): Problem {
  const found = loadProblemsOf(plan).find((each) => each.key === key);
  assert.ok(found !== undefined, key);
  return found;
}

const OTHERS = { receive: { otherSenders: "single" }, querier: { deduplication: "chain" } };

/** An amount that a remedy names of a key. */
const named = (remedy: string, pattern: RegExp): number => Number(pattern.exec(remedy)?.[1]);

describe("capacity: remedies", () => {
  const LOAD = { series: 1_000_000, interval: "30s" };

  it("of Prometheus are shards, where these are enough", () => {
    for (const key of ["prometheus.resources.memory", "prometheus.storage.pvc.size"])
      assert.match(
        problemOf(planUnder("prod", { series: 5_000_000, interval: "30s" }), key).remedy,
        /^\d+Gi or more, more in prometheus\.shards \(1\), or less in load\.series$/,
        key,
      );
    const sharded = planUnder("prod", LOAD, { prometheus: { shards: 16 } });
    assert.ok(needOf(sharded, "Prometheus memory").worst <= needOf(sharded, "Prometheus memory").available);
    assert.doesNotMatch(problemOf(planUnder("prod", { series: 1e9, interval: "30s" }), "prometheus.resources.memory").remedy, /shards/);
  });

  it("of sidecars are shards as well", () => {
    const sidecars = { ingestion: "sidecar", prometheus: { storage: { pvc: { size: "900Gi" } }, resources: { memory: "64Gi", cpu: "8" } } };
    const { remedy } = problemOf(
      planUnder("prod", { ...LOAD, queries: { series: 100_000, range: "12h" } }, sidecars as Overrides),
      "prometheus.sidecar.resources.memory",
    );
    assert.match(remedy, /, more in prometheus\.shards \(1\), or less in load\.queries$/);
  });

  it("of store gateways are replicas where queries make the need, and no replicas where headers do", () => {
    const busy = planUnder("prod", { series: 10_000, interval: "30s", queries: { perSecond: 20 } });
    assert.match(problemOf(busy, "objectStorage.storeGateway.resources.cpu").remedy, /, more replicas, or less in load\.queries$/);
    const large = planUnder("prod", { series: 50_000_000, interval: "30s", queries: { perSecond: 0.1 } });
    assert.doesNotMatch(problemOf(large, "objectStorage.storeGateway.resources.memory").remedy, /replicas/);
  });

  it("of memory that exemplars fill is the number of these, which is then carried", () => {
    const under = (maxExemplars: number) =>
      planUnder("prod", { series: 20_000, interval: "30s", tenants: 20 }, { receive: { maxExemplars } });
    const { remedy, rule } = problemOf(under(2_000_000), "receive.resources.memory");
    assert.match(rule, /for exemplars/);
    const most = named(remedy, /at most (\d+) in receive\.maxExemplars \(2000000\)/);
    const memory = (maxExemplars: number) => needOf(under(maxExemplars), "receivers memory");
    assert.ok(memory(most).worst <= memory(most).available);
    assert.ok(memory(1.2 * most).worst > memory(most).available);
    // No load is small enough for these databases.
    assert.doesNotMatch(remedy, /less in load\.series/);
    assert.doesNotMatch(problemOf(planUnder("prod", LOAD), "receive.resources.memory").remedy, /maxExemplars/);
  });

  it("that have more receivers say what these add to what Prometheus scrapes, where that is so", () => {
    const others = { receive: { otherSenders: "single" }, querier: { deduplication: "chain" } };
    const remedy = (load: object) => problemOf(planUnder("prod", { ...LOAD, ...load }, others), "receive.resources.memory").remedy;
    assert.match(remedy({ tenants: 11 }), /more replicas \(each has 2\.33 k series more for Prometheus to scrape\), /);
    assert.match(remedy({ tenants: 11, scraped: 100_000 }), /more replicas, /);
    assert.match(remedy({}), /more replicas, /);
  });

  it("of receivers that a tenant's small shard fills are larger shards, where these carry it, of the ring that has them", () => {
    const sharded = (shuffleSharding: object): Overrides => ({ receive: { replicas: 12, shuffleSharding } });
    const remedy = (series: number, shuffleSharding: object) =>
      problemOf(planUnder("prod", { ...LOAD, series }, sharded(shuffleSharding)), "receive.resources.memory").remedy;
    assert.match(remedy(500_000, { shardSize: 3 }), /^\w+ or more, larger shards in receive\.shuffleSharding, or less in load\.series$/);
    assert.doesNotMatch(remedy(50_000_000, { shardSize: 3 }), /larger shards/);
    // The smallest shard of all is the one that some tenant may have.
    const smaller = { shardSize: 12, overrides: [{ tenants: ["small-*"], shardSize: 3 }] };
    assert.match(remedy(500_000, smaller), /, larger shards in receive\.shuffleSharding, /);
    const memory = (shuffleSharding: object) =>
      needOf(planUnder("prod", { ...LOAD, series: 500_000 }, sharded(shuffleSharding)), "receivers memory").worst;
    assert.equal(memory(smaller), memory({ shardSize: 3 }));
    assert.ok(memory({ shardSize: 12 }) < memory(smaller));
  });

  it("count a receiver's tenants by the largest shard, in which it is drawn most, and its series by the smallest", () => {
    const tenants = { ...LOAD, series: 100_000, scraped: 0, tenants: 300 };
    const ring = (shuffleSharding: object) =>
      planUnder("prod", tenants, { ...OTHERS, receive: { ...OTHERS.receive, replicas: 12, shuffleSharding } }).receivers?.rings[0];
    const small = [{ tenants: ["t-0"], shardSize: 3 }];
    for (const shardSize of [6, 12]) {
      assert.equal(ring({ shardSize, overrides: small })?.tenants, ring({ shardSize })?.tenants);
      assert.ok((ring({ shardSize, overrides: small })?.heaviest ?? 0) >= (ring({ shardSize })?.heaviest ?? 1));
    }
    assert.equal(ring({ shardSize: 12 })?.tenants, 300);
  });

  it("of receivers that each add to what Prometheus scrapes are replicas only where these series fit too", () => {
    const many = { series: 6_269_401, interval: "5s", tenants: 100, newSeriesPerHour: 478_313, queries: { perSecond: 5, range: "6h" } };
    const receive = { replicas: 3, otherSenders: "pairs", shuffleSharding: { shardSize: 3 }, resources: { cpu: "2" } };
    const plan = planUnder("prod", many, { ...OTHERS, receive });
    assert.doesNotMatch(problemOf(plan, "receive.resources.cpu").remedy, /more replicas/);
  });

  it("name no amount of a key of which another need is met by none", () => {
    const plan = planUnder("prod", { series: 91_029_427, interval: "5s" }, { prometheus: { resources: { cpu: "2", memory: "64Gi" } } });
    const { rule, remedy } = problemOf(plan, "prometheus.resources.cpu");
    assert.match(rule, /however many cores there are/);
    assert.doesNotMatch(remedy, /or more,/);
    fc.assert(
      fc.property(load, fc.constantFrom("prometheus", "receive"), (own, part) => {
        const key = `${part}.resources.cpu`;
        const withCpu = (cpu: string) => planUnder("prod", own, { [part]: { resources: { cpu } } });
        const [, amount] = /^(\d+m?) or more/.exec(loadProblemsOf(withCpu("500m")).find((each) => each.key === key)?.remedy ?? "") ?? [];
        if (amount !== undefined) assert.ok(!loadProblemsOf(withCpu(amount)).some((each) => each.key === key), amount);
      }),
      { numRuns: 40 },
    );
  });

  it("are more replicas exactly where as many as a stack file takes carry it", () => {
    const COUNTED: Record<string, (replicas: number) => Overrides> = {
      "receive.resources.memory": (replicas) => ({ receive: { replicas } }),
      "receive.routers.resources.cpu": (replicas) => ({ receive: { routers: { replicas } } }),
      "querier.resources.cpu": (replicas) => ({ querier: { replicas } }),
      "queryFrontend.resources.cpu": (replicas) => ({ queryFrontend: { replicas } }),
      "objectStorage.storeGateway.resources.cpu": (replicas) => ({ objectStorage: { storeGateway: { replicas } } }),
    };
    const MOST: Record<string, number> = { receive: 300, routers: 99, querier: 50, queryFrontend: 20, storeGateway: 20 };
    for (const [key, with_] of Object.entries(COUNTED)) {
      const most = with_(MOST[key.split(".").at(-3) ?? ""] ?? 0);
      const told = [4, 32, 4_096].map((factor) => {
        const own = { series: 100_000 * factor, interval: "5s", queries: { perSecond: factor } };
        const refused = loadProblemsOf(planUnder("prod", own)).find((each) => each.key === key);
        const isTold = refused?.remedy.includes(", more replicas");
        if (refused !== undefined)
          assert.equal(isTold, !loadProblemsOf(planUnder("prod", own, most)).some((each) => each.key === key), `${key} ${factor}`);
        return isTold;
      });
      assert.ok(told.includes(true) && told.includes(false), `${key}: ${told}`);
    }
  });

  it("are no more replicas where a tenant's shard stays as small", () => {
    const { remedy } = problemOf(
      planUnder("prod", { series: 1_000_000, interval: "30s" }, { receive: { replicas: 9, shuffleSharding: { shardSize: 3 } } }),
      "receive.resources.memory",
    );
    assert.match(remedy, /^\d+Gi or more, or less in load\.series$/);
  });

  it("are less in the key of the samples where the environment names these: fewer series leave as many", () => {
    const under = (series: number, samplesPerSecond: number, maxShards = 20) =>
      planUnder("prod", { series, samplesPerSecond, queries: { perSecond: 0 } }, { prometheus: { remoteWrite: { maxShards } } });
    const { rule, remedy } = problemOf(under(1_000, 100_000_000), "prometheus.remoteWrite.maxShards");
    assert.match(rule, /^under the load \(load\.samplesPerSecond, 100 M\)/);
    assert.equal(remedy, "less in load.samplesPerSecond");
    assert.match(problemOf(under(10, 100_000_000), "prometheus.remoteWrite.maxShards").remedy, /samplesPerSecond/);
    // What makes the head are series, however many samples there are of them.
    assert.match(problemOf(under(5_000_000, 1_000), "receive.resources.memory").remedy, /, or less in load\.series$/);
    // Without them samples follow from series.
    assert.match(
      problemOf(planUnder("prod", { series: 100_000_000, interval: "1s" }), "prometheus.remoteWrite.maxShards").remedy,
      /less in load\.series$/,
    );
  });

  it("round down what is carried", () => {
    assert.deepEqual([0, 7, 99, 128, 46_999].map(roundedDown), [0, 7, 99, 120, 46_000]);
  });
});

describe("capacity: remote write", () => {
  const LOAD = { series: 50_000, interval: "1s" };
  const queue = (remoteWrite: object): Overrides => ({ prometheus: { remoteWrite, resources: { cpu: "8", memory: "64Gi" } } });

  it("is refused where all senders together do not send what is scraped, with senders that do, or shards", () => {
    const under = (maxShards: number) => planUnder("prod", LOAD, queue({ maxShards }));
    const { value, rule, remedy } = problemOf(under(5), "prometheus.remoteWrite.maxShards");
    assert.equal(value, 5);
    assert.match(
      rule,
      /^under the load \(load\.series, 50 k\) Prometheus has 50 k samples\/s to send, and all senders together surely send 40\.3 k samples\/s$/,
    );
    assert.match(remedy, /^7 or more, more in prometheus\.shards \(1\), or less in load\.series$/);
    assert.ok(needOf(under(7), "Prometheus remoteWrite").worst <= needOf(under(7), "Prometheus remoteWrite").available);
    assert.ok(!loadProblemsOf(under(7)).some(({ key }) => key === "prometheus.remoteWrite.maxShards"));
  });

  it("names larger requests too, where those that were measured are large enough", () => {
    const under = (maxSamplesPerSend: number) => planUnder("prod", LOAD, queue({ maxShards: 20, maxSamplesPerSend }));
    const { remedy } = problemOf(under(500), "prometheus.remoteWrite.maxShards");
    assert.match(remedy, /^62 or more, 1550 or more in prometheus\.remoteWrite\.maxSamplesPerSend \(500\), more in prometheus\.shards/);
    const refused = (size: number) => loadProblemsOf(under(size)).some(({ key }) => key === "prometheus.remoteWrite.maxShards");
    assert.deepEqual([1_549, 1_550].map(refused), [true, false]);
  });

  it("names no more senders than a stack file takes", () => {
    const many = planUnder("prod", { series: 50_000_000, interval: "1s" }, queue({ maxShards: 200 }));
    assert.match(problemOf(many, "prometheus.remoteWrite.maxShards").remedy, /^more in prometheus\.shards \(1\), or less in load\.series$/);
  });

  it("is the first limit where nothing else is nearer", () => {
    const { carries, summary } = capacity(
      planUnder(
        "prod",
        { series: 1_000, interval: "30s", queries: { perSecond: 0 } },
        queue({ maxShards: 1, maxSamplesPerSend: 100, capacity: 500 }),
      ),
    );
    assert.deepEqual(carries.first, { component: "Prometheus", resource: "remoteWrite", when: "always" });
    assert.match(summary[0] ?? "", /remote write of Prometheus is first/);
  });

  it("takes memory of the senders that the load keeps at work, and of all of them after a restart", () => {
    const memory = (maxShards: number) =>
      needOf(planUnder("prod", { series: 50_000, interval: "30s" }, queue({ maxShards })), "Prometheus memory");
    assert.equal(memory(20).used, memory(40).used);
    const [few, many] = [memory(20).worst, memory(40).worst];
    // 25,000 waiting samples and a request of 5,000 with 300 bytes of labels.
    assert.ok(Math.abs(many - few - 20 * (25_000 * 100 + 5_000 * (460 + 4.7 * 300))) < 1);
  });

  it("has a queue of its own for each target, and beside sidecars only those of others, whose speed nobody knows", () => {
    const under = (ingestion: string, targets: number) =>
      planUnder("prod", LOAD, {
        ingestion,
        prometheus: {
          storage: { pvc: { size: "100Gi" } },
          remoteWrite: { otherTargets: Array.from({ length: targets }, () => ({ url: "https://example.com/api/v1/write" })) },
        },
      } as Overrides);
    const memory = (ingestion: string, targets: number) => needOf(under(ingestion, targets), "Prometheus memory").worst;
    const one = memory("receive", 1) - memory("receive", 0);
    assert.ok(one > 0);
    assert.ok(Math.abs(memory("receive", 3) - memory("receive", 0) - 3 * one) < 1);
    assert.ok(Math.abs(memory("sidecar", 1) - memory("sidecar", 0) - one) < 1);
    const sends = (plan: CapacityPlan) => needsOf(plan).some(({ resource }) => resource === "remoteWrite");
    assert.ok(sends(under("receive", 0)));
    assert.ok(!sends(under("sidecar", 1)) && capacity(under("sidecar", 1)).cutOff === undefined);
  });
});
