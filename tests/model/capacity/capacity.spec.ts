import assert from "node:assert/strict";
import * as fc from "fast-check";
import { bucketBytes, bucketByYear, bucketRequests, compactedByOne } from "../../../model/capacity/bucket";
import { costOf } from "../../../model/capacity/cost";
import { jobOf } from "../../../model/capacity/jobs";
import { firstLimit, loadProblemsOf } from "../../../model/capacity/limits";
import { times, underLoad } from "../../../model/capacity/load";
import { sumOf } from "../../../model/capacity/need";
import { needsOf } from "../../../model/capacity/needs";
import { networkOf } from "../../../model/capacity/network";
import { cutOff } from "../../../model/capacity/prometheus";
import { capacity } from "../../../model/capacity/proof";
import { amountOf, cpuFor, memoryFor, secondsInWords, short, volumeFor } from "../../../model/capacity/quantities";
import type { CapacityPlan, Load, LoadedBucket } from "../../../model/capacity/types";
import { cpuCores, durationSeconds, quantityBytes } from "../../../model/values/quantity";
import type { Overrides } from "../../harness";
import { load, needOf, planUnder, SHAPES, smaller } from "./plans";

describe("capacity: more load never needs less", () => {
  const GROWING = ["series", "samplesPerSecond", "newSeriesPerHour", "labelBytes", "tenants", "outOfOrderPercent"] as const;
  for (const [shape, plan] of Object.entries(SHAPES)) {
    for (const key of GROWING) {
      it(`${shape}: ${key}`, () => {
        fc.assert(
          fc.property(load, fc.integer({ min: 1, max: 1_000 }), (own, more) => {
            // Series bring their samples with them.
            const base = key === "series" ? { ...own, samplesPerSecond: undefined, interval: "15s" } : own;
            const grown = { ...base, [key]: key === "outOfOrderPercent" ? Math.min(100, own[key] + more) : own[key] + more };
            assert.deepEqual(smaller(plan(base), plan(grown)), []);
          }),
          { numRuns: 20 },
        );
      });
    }

    it(`${shape}: all of it, in needs, network, bucket and cost`, () => {
      fc.assert(
        fc.property(load, fc.double({ min: 1, max: 100, noNaN: true }), (own, factor) => {
          const first = plan({ ...own, prices: PRICES });
          const second = underLoad(first, factor);
          assert.deepEqual(smaller(first, second), []);
          const grows = (of: (plan: CapacityPlan) => number) => assert.ok(of(second) >= of(first) * (1 - 1e-9));
          grows((each) => networkOf(each).betweenNodes);
          grows((each) => networkOf(each).betweenZones);
          grows((each) => costOf(each)?.month ?? 0);
          grows(({ bucket, queries }) => (bucket === undefined ? 0 : bucketRequests(bucket, queries.perSecond)));
          grows(({ bucket }) => (bucket === undefined ? 0 : (bucketByYear(bucket)[0] ?? 0)));
          assert.ok((cutOff(second)?.seconds ?? 0) <= (cutOff(first)?.seconds ?? 0) + 1e-6);
        }),
        { numRuns: 30 },
      );
    });

    it(`${shape}: queries`, () => {
      const more = fc.record({
        perSecond: fc.double({ min: 0, max: 100, noNaN: true }),
        series: fc.integer({ min: 0, max: 1e5 }),
        seconds: fc.oneof(fc.integer({ min: 0, max: 3 * 86_400 }), fc.integer({ min: 0, max: 200 * 86_400 })),
      });
      fc.assert(
        fc.property(load, more, (own, { perSecond, series, seconds }) => {
          const { queries } = own;
          const grown = {
            perSecond: queries.perSecond + perSecond,
            series: queries.series + series,
            range: `${durationSeconds(queries.range) + seconds}s`,
          };
          assert.deepEqual(smaller(plan(own), plan({ ...own, queries: grown })), []);
        }),
        { numRuns: 60 },
      );
    });
  }

  it("a bucket is never smaller when it is older", () => {
    fc.assert(
      fc.property(load, fc.integer({ min: 0, max: 2e8 }), fc.integer({ min: 0, max: 2e8 }), (own, age, more) => {
        const { bucket } = planUnder("prod", own);
        assert.ok(bucket !== undefined && bucketBytes(bucket, age + more) >= bucketBytes(bucket, age) * (1 - 1e-9));
      }),
      { numRuns: 50 },
    );
  });

  it("more memory never carries less", () => {
    fc.assert(
      fc.property(load, (own) => {
        const memory = (size: string) => firstLimit(planUnder("prod", own, { receive: { resources: { memory: size } } })).times;
        assert.ok(memory("4Gi") >= memory("2Gi"));
      }),
      { numRuns: 10 },
    );
  });
});

const PRICES = {
  cpuHour: 0.03,
  memoryGiBHour: 0.004,
  volumeGiBMonth: 0.1,
  bucketGiBMonth: 0.02,
  betweenZonesGB: 0.02,
  bucketRequests: 0.005,
};

describe("capacity: the first limit", () => {
  it("carries what it says and not more, of whatever load", () => {
    fc.assert(
      fc.property(load, (own) => {
        const plan = planUnder("prod", own);
        const { times: most } = firstLimit(plan);
        if (most === 0) return;
        const isCarried = (factor: number) => needsOf(underLoad(plan, factor)).every(({ worst, available }) => worst <= available);
        assert.ok(isCarried(most));
        assert.ok(!isCarried(most * 1.01));
      }),
      { numRuns: 30 },
    );
  });

  it("is refused exactly where the load is not carried, and what is accepted carries it", () => {
    const plan = planUnder("prod", { series: 300_000, interval: "15s" });
    const problems = loadProblemsOf(plan);
    assert.ok(firstLimit(plan).times < 1);
    assert.ok(problems.length > 3);
    for (const { key, remedy } of problems) {
      const [amount = ""] = remedy.split(" ");
      const need = needsOf(plan).find((each) => each.budget.key === key && each.worst > each.available);
      assert.ok(need !== undefined, key);
      const size = need.resource === "cpu" ? cpuCores(amount) : quantityBytes(amount) * (need.resource === "memory" ? 0.9 : 0.85);
      assert.ok(size >= need.worst, `${key}: ${amount} is less than ${need.worst}`);
      assert.ok(size <= need.worst * 1.6 + 2 ** 30, `${key}: ${amount} is far more than ${need.worst}`);
    }
  });

  it("more replicas are accepted only where some number of them carries it", () => {
    const remedies = (given: object, overrides = {}) =>
      new Map(loadProblemsOf(planUnder("prod", { interval: "30s", ...given }, overrides)).map(({ key, remedy }) => [key, remedy]));
    const tenants = remedies({ series: 100_000, tenants: 1_000 });
    assert.match(tenants.get("receive.resources.memory") ?? "", /^18Gi or more, or less in load\.tenants$/);
    const query = remedies({ series: 100_000, queries: { range: "30d", series: 10_000 } });
    assert.match(query.get("querier.resources.memory") ?? "", /^\d+Gi or more, or less in load\.queries$/);
    assert.match(
      remedies({ series: 100_000, queries: { perSecond: 0.05, range: "30d", series: 10_000 } }).get("querier.resources.cpu") ?? "",
      /, more replicas, /,
    );
    const series = remedies({ series: 5_000_000 });
    for (const key of ["receive.resources.memory", "receive.resources.cpu", "receive.routers.resources.memory"])
      assert.match(series.get(key) ?? "", /, more replicas, /, key);
    const sharded = { receive: { replicas: 6, shuffleSharding: { shardSize: 3 } } };
    assert.match(
      remedies({ series: 100_000, scraped: 1_000, tenants: 1_000 }, sharded).get("receive.resources.memory") ?? "",
      /, more replicas, /,
    );
  });

  it("is refused with a need that does not read as what there is, however near they are", () => {
    for (const [key, load, overrides] of [
      ["prometheus.resources.memory", { series: 127_500, interval: "30s" }, {}],
      ["prometheus.remoteWrite.maxShards", { series: 100, samplesPerSecond: 80_646 }, { prometheus: { remoteWrite: { maxShards: 10 } } }],
    ] as const) {
      const rule = loadProblemsOf(planUnder("prod", load, overrides)).find((each) => each.key === key)?.rule ?? "";
      const amounts = rule.match(/[\d.]+ (?:MiB|k samples)/g) ?? [];
      assert.ok(amounts.length > 1 && amounts[0] !== amounts.at(-1), rule);
    }
  });

  it("is named with the component, and the series that are then carried", () => {
    const { summary, carries, load: given } = capacity(planUnder("prod", { series: 10_000, interval: "15s", queries: { perSecond: 0.1 } }));
    assert.equal(given.series, 10_000);
    assert.match(summary[0] ?? "", /^carries [\d.]+ k series, the load is 10 k; \S+ of (?:the )?\w[\w ]* is first/);
    assert.ok(carries.times > 1);
  });
});

describe("capacity: each component", () => {
  it("Prometheus has one database and one log, whoever else writes into the ring", () => {
    const disk = (tenants: number) => needOf(planUnder("prod", { series: 1_000_000, interval: "15s", tenants }), "Prometheus disk").worst;
    assert.equal(disk(100), disk(1));
  });

  it("compactors divide tenants, of which one may have more than the others", () => {
    const part = (shards: number, tenants: number) =>
      compactedByOne({ compactor: { shards } as LoadedBucket["compactor"], load: { tenants } as Load, ofOneTenant: 0 });
    assert.equal(part(1, 50), 1);
    assert.equal(part(4, 1), 1);
    assert.ok(part(4, 400) > 1 / 4 && part(4, 400) < 1 / 3);
  });

  it("what the stack's own Prometheus scrapes is one tenant's, however many there are: one group, and one shard's", () => {
    const load = { series: 1_000_000, interval: "30s" };
    const many = { ...load, tenants: 50 };
    for (const resource of ["memory", "disk", "cpu"]) {
      const name = `compactor ${resource}`;
      assert.equal(needOf(planUnder("prod", many), name).worst, needOf(planUnder("prod", load), name).worst, name);
      const others = { ...many, scraped: 100_000 };
      assert.ok(needOf(planUnder("prod", others), name).worst <= needOf(planUnder("prod", load), name).worst, name);
    }
    const sharded = { receive: { replicas: 30, shuffleSharding: { shardSize: 3 } } };
    const heaviest = (given: object) => planUnder("prod", given, sharded).receivers?.rings[0]?.heaviest ?? 0;
    assert.equal(heaviest(many), heaviest(load));
    assert.ok(heaviest({ ...many, scraped: 10_000 }) < heaviest(load) / 2);
  });

  it("who keeps samples for a day serves no more of a longer range than of a day, and three hours of the head", () => {
    const at = (range: string, name: string) =>
      needOf(planUnder("prod", { series: 100_000, interval: "30s", queries: { range } }, { receive: { retention: { time: "1d" } } }), name)
        .worst;
    assert.equal(at("27h", "receivers cpu"), at("90d", "receivers cpu"));
    assert.ok(at("20h", "receivers cpu") < at("27h", "receivers cpu"));
    assert.ok(at("27h", "queriers cpu") < at("90d", "queriers cpu"));
  });

  it("each has a job of metrics, by which alerts and npm run capacity find it", () => {
    const names = Object.values(SHAPES).flatMap((plan) =>
      needsOf(plan({ series: 1_000, interval: "15s" })).map(({ component }) => component),
    );
    assert.deepEqual(Object.fromEntries(names.map((name) => [name, jobOf(name)])), {
      Prometheus: "prometheus",
      sidecars: "thanos-sidecar",
      routers: "thanos-receive-router",
      receivers: "thanos-receive",
      "query frontends": "thanos-query-frontend",
      queriers: "thanos-querier",
      "store gateways": "thanos-store-gateway",
      compactor: "thanos-compactor",
    });
    assert.equal(jobOf("receivers of ring bulk"), undefined);
  });

  it("what is not modelled is named, and nothing where everything is", () => {
    const load = { series: 1_000, interval: "15s", queries: { perSecond: 0.1 } };
    const told = (plan: CapacityPlan) => capacity(plan).summary.find((line) => line.startsWith("not modelled: "));
    assert.match(told(planUnder("prod", load)) ?? "", /^not modelled: memcached servers \(their memory is bounded by its own setting/);
    assert.match(told(planUnder("prod", load, { ruler: {} })) ?? "", /^not modelled: rulers \(.*\), memcached servers \(/);
    assert.equal(told(planUnder("dev", load)), undefined);
  });

  it("CPU is said to be one machine's", () => {
    const { summary } = capacity(planUnder("dev", { series: 1_000, interval: "15s" }));
    const line =
      "cores are those of a machine of two processors for all nodes and the senders, on which storing a sample takes 2.2 µs a replica, and 0.34 µs for each 100 bytes of its labels";
    assert.ok(summary.includes(line));
  });

  it("a pair of Prometheus doubles what receivers hold, and leaves what each of the two holds", () => {
    const under = (replicas: number) =>
      planUnder("prod", { series: 50_000, interval: "15s" }, { prometheus: { replicas }, survives: undefined });
    const loadOf = (plan: CapacityPlan) => plan.receivers?.rings[0]?.load.series;
    assert.equal(loadOf(under(1)), 50_000);
    assert.equal(loadOf(under(2)), 100_000);
    assert.equal(needOf(under(1), "Prometheus memory").worst, needOf(under(2), "Prometheus memory").worst);
  });

  it("other senders' pairs count twice, the stack's own series are those that are named", () => {
    const plan = planUnder(
      "prod",
      { series: 500_000, interval: "15s", scraped: 100_000 },
      { receive: { otherSenders: "pairs" }, tenancy: { tenants: ["a"] } },
    );
    assert.equal(plan.receivers?.rings[0]?.load.series, 2 * 100_000 + 2 * 400_000);
    assert.equal(plan.prometheus.load.series, 100_000);
  });

  it("rings of tenants have the series that are named, and the default ring the rest", () => {
    const plan = planUnder(
      "prod",
      { series: 500_000, interval: "15s", scraped: 100_000, hashrings: { bulk: { series: 300_000 } } },
      {
        receive: { hashrings: [{ name: "bulk", tenants: ["logs"], replicas: 3 }], otherSenders: "single" },
        querier: { deduplication: "chain" },
      },
    );
    assert.deepEqual(
      plan.receivers?.rings.map(({ name, load: { series } }) => [name, series]),
      [
        ["default", 2 * 100_000 + 100_000],
        ["bulk", 300_000],
      ],
    );
  });

  it("after the loss of a zone routers and queriers have more to do, receivers of a split ring have not", () => {
    const plan = planUnder("prod", { series: 100_000, interval: "15s" });
    for (const name of ["routers cpu", "routers memory", "queriers cpu", "store gateways memory"]) {
      const { when, used, worst } = needOf(plan, name);
      assert.equal(when, "loss", name);
      assert.ok(worst > used, name);
    }
    assert.equal(needOf(plan, "receivers cpu").when, "always");
  });

  it("receivers that route take over requests, without a demand while they restart", () => {
    const plan = planUnder("dev", { series: 100_000, interval: "1s" });
    assert.equal(needOf(plan, "receivers cpu").when, "restart");
  });

  it("a replay that takes longer than a start may is refused at the key of the CPU", () => {
    const plan = planUnder("dev", { series: 300_000, interval: "15s" });
    const { receivers } = plan;
    assert.ok(receivers !== undefined);
    const problems = loadProblemsOf({ ...plan, startupSeconds: 60 });
    const problem = problems.find(({ key }) => key === "receive.resources.cpu");
    assert.match(problem?.rule ?? "", /takes .* for the replay of its log.*a start may take 60s/);
  });

  it("a volume of unknown size is not judged", () => {
    assert.ok(!needsOf(planUnder("dev", { series: 1e8, interval: "15s" })).some(({ resource }) => resource === "disk"));
  });

  it("Prometheus is cut off for no longer than the ring takes what is late, and never catches up where its queue is too small", () => {
    const cut = (own: object, more: Overrides = {}) => cutOff(planUnder("prod", { series: 50_000, interval: "15s", ...own }, more));
    assert.equal(cut({})?.seconds, 7_200);
    const small = { prometheus: { remoteWrite: { maxShards: 1, maxSamplesPerSend: 100, capacity: 500 } } };
    assert.equal(cut({}, small)?.catchUpSeconds, null);
    assert.ok((cut({ series: 5_000_000 })?.seconds ?? 0) < 7_200);
  });

  it("downsampling adds no more than twice the raw samples", () => {
    const retention = { raw: "forever", fiveMinutes: "forever", oneHour: "forever" };
    const size = (downsampling: boolean) => {
      const { bucket } = planUnder("prod", { series: 1e5, interval: "60s" }, { objectStorage: { compactor: { downsampling, retention } } });
      return bucket === undefined ? 0 : bucketBytes(bucket, 2e8);
    };
    assert.ok(size(true) > size(false));
    assert.ok(size(true) < 3 * size(false));
  });

  it("costs what its parts cost, and nothing without prices", () => {
    const plan = planUnder("prod", { series: 1e5, interval: "15s", prices: { ...PRICES, currency: "EUR" } });
    const cost = costOf(plan);
    assert.equal(cost?.currency, "EUR");
    assert.equal(cost.month, sumOf(cost.parts));
    // 50Gi, 20Gi and 20Gi for each of 3, 2 and 2 pods, and 100Gi.
    assert.equal(cost.parts.volumes, (150 + 40 + 40 + 100) * 0.1);
    assert.equal(costOf(planUnder("prod", { series: 1e5, interval: "15s" })), undefined);
  });
});

describe("capacity: quantities", () => {
  it("memory, CPU and volumes that are told carry what was asked", () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 1e13, noNaN: true }), (bytes) => {
        assert.ok(quantityBytes(memoryFor(bytes)) * 0.9 >= bytes * (1 - 1e-12));
        assert.ok(quantityBytes(volumeFor(bytes)) * 0.85 >= bytes * (1 - 1e-12));
        assert.ok(cpuCores(cpuFor(bytes / 1e9)) >= (bytes / 1e9) * (1 - 1e-9));
      }),
    );
  });

  it("are short, and round down what is carried", () => {
    assert.deepEqual(
      [590, 1_000, 13_549, 999_999, 1_400_000].map((amount) => short(amount)),
      ["590", "1 k", "13.5 k", "999 k", "1.4 M"],
    );
    assert.deepEqual(
      [1, 1.04, 0.996, 1.1, 2].map((cores) => amountOf("cpu", cores)),
      ["1 core", "1 core", "1 core", "1.1 cores", "2 cores"],
    );
    assert.deepEqual([30.2, 120, 121, 7_200, 7_201].map(secondsInWords), ["31s", "120s", "3m", "2h", "2.1h"]);
  });

  it("of a load are multiplied, but for the tenants", () => {
    const own: Load = { series: 10, samplesPerSecond: 1, newSeriesPerHour: 4, labelBytes: 300, tenants: 2, late: 0.1 };
    assert.deepEqual(times(own, 3), { ...own, series: 30, samplesPerSecond: 3, newSeriesPerHour: 12 });
  });
});
