import assert from "node:assert/strict";
import fc from "fast-check";
import { compareAvailability } from "../../../model/availability/compare";
import { enumerateLosses } from "../../../model/availability/losses";
import { planProblems } from "../../../model/availability/plan";
import { availability } from "../../../model/availability/proof";
import { refuseBelow } from "../../../model/availability/requirements";
import type { Availability, AvailabilityPlan, Loss, LossCase, ReceivePlan, Scenario, Workload } from "../../../model/availability/types";
import { HASH_SPACE, ketamaRing, largestReplicationFactor, RingError, replicasAt, replicasOf } from "../../../model/ring/ketama";
import { writeQuorum } from "../../../model/ring/quorum";

const members = (count: number, zones: readonly string[] = []) =>
  Array.from({ length: count }, (_, i) => {
    const zone = zones[i % zones.length];
    return {
      pod: `receive-${i}`,
      address: `receive-${i}.receive.monitoring.svc.cluster.local:10901`,
      ...(zone === undefined ? {} : { zone }),
    };
  });

const spread = (replicas: number): Workload => ({ replicas, antiAffinity: "hard", zoneSpread: true, maxUnavailable: 1 });

/** A plan whose queriers and Prometheus never are the weakest component, so that what is found is the ring's. */
function planOf(
  count: number,
  replicationFactor: number,
  zones: readonly string[] = [],
  receive: Partial<ReceivePlan> = {},
): AvailabilityPlan {
  return {
    receive: {
      hashrings: [{ name: "default", members: members(count, zones) }],
      replicationFactor,
      antiAffinity: "hard",
      storage: "pvc",
      maxUnavailable: replicationFactor - writeQuorum(replicationFactor),
      ...receive,
    },
    prometheus: { ...spread(9), shards: 1 },
    querier: spread(9),
  };
}

function scenario(found: Availability, loss: Loss): Scenario {
  return found.scenarios.find((one) => one.loss === loss) ?? assert.fail(`no scenario ${loss}`);
}

const shares = ({ unwritable, unreadable, oneCopyLeft, mayLoseAcknowledged }: LossCase | Scenario) => ({
  unwritable,
  unreadable,
  oneCopyLeft,
  mayLoseAcknowledged,
});
const NOTHING = { unwritable: 0, unreadable: 0, oneCopyLeft: 0, mayLoseAcknowledged: 0 };

describe("the write quorum", () => {
  it("is Thanos'", () => {
    assert.deepEqual([1, 2, 3, 4, 5, 6, 7].map(writeQuorum), [1, 1, 2, 3, 3, 4, 4]);
  });
});

describe("availability, computed by hand", () => {
  it("3 members, 3 copies: any one may go, of any two nothing can be written and everything read", () => {
    const found = availability(planOf(3, 3));
    assert.deepEqual(found.survives, { nodes: 1, zones: 0 });
    assert.deepEqual(shares(scenario(found, "node")), NOTHING);
    assert.deepEqual(shares(scenario(found, "twoNodes")), { unwritable: 1, unreadable: 0, oneCopyLeft: 1, mayLoseAcknowledged: 1 });
    assert.equal(scenario(found, "twoNodes").writes, "refused");
    assert.equal(scenario(found, "twoNodes").queries, "partial");
    assert.equal(scenario(found, "rollingRestart").writes, "accepted");
    assert.equal(scenario(found, "drain").queries, "complete");
  });

  it("5 members, 3 copies: two lost members share about 3 of 10 series", () => {
    const found = availability(planOf(5, 3));
    assert.deepEqual(found.survives, { nodes: 1, zones: 0 });
    const two = scenario(found, "twoNodes");
    assert.equal(two.cases, 10);
    assert.ok(two.unwritable > 0.3 && two.unwritable < 0.35, `${two.unwritable}`);
    assert.equal(two.unreadable, 0);
    assert.equal(two.worst?.lost.length, 2);
    // Each series' 3 replicas are 3 of the 10 pairs, so that the ten cases add up to three times everything.
    const sum = enumerateLosses(planOf(5, 3), "twoNodes").reduce((total, one) => total + one.unwritable, 0);
    assert.ok(Math.abs(sum - 3) < 1e-9);
  });

  it("6 members in 3 zones, 3 copies: a zone may go", () => {
    const found = availability(planOf(6, 3, ["a", "b", "c"]));
    assert.deepEqual(found.survives, { nodes: 1, zones: 1 });
    assert.deepEqual(shares(scenario(found, "zone")), NOTHING);
    assert.equal(scenario(found, "zone").cases, 3);
  });

  it("6 members in 3 zones, 3 copies: two nodes of one zone stop nothing, two of different zones about a quarter of the writes", () => {
    const cases = enumerateLosses(planOf(6, 3, ["a", "b", "c"]), "twoNodes");
    const sameZone = cases.find((one) => one.lost.join() === "receive-0,receive-3");
    const otherZones = cases.find((one) => one.lost.join() === "receive-0,receive-1");
    assert.equal(sameZone?.unwritable, 0);
    assert.ok((otherZones?.unwritable ?? 0) > 0.2);
  });

  it("4 members in 2 zones, 3 copies: a zone holds two copies of half the series", () => {
    const found = availability(planOf(4, 3, ["a", "b"]));
    assert.deepEqual(found.survives, { nodes: 1, zones: 0 });
    const cases = enumerateLosses(planOf(4, 3, ["a", "b"]), "zone");
    assert.equal(
      cases.reduce((sum, one) => sum + one.unwritable, 0),
      1,
    );
    assert.match(found.limits.zones.join(), /1 zone can take 2 of the 3 receivers/);
  });

  it("3 members, 2 copies: writes go on with one copy, and what only the lost one acknowledged is lost", () => {
    const found = availability(planOf(3, 2));
    assert.deepEqual(found.survives, { nodes: 0, zones: 0 });
    const one = scenario(found, "node");
    assert.equal(one.unwritable, 0);
    assert.equal(one.unreadable, 0);
    assert.ok(one.mayLoseAcknowledged > 0.66 && one.mayLoseAcknowledged < 0.7);
    assert.equal(one.oneCopyLeft, one.mayLoseAcknowledged);
    assert.equal(one.writes, "accepted");
    const restart = scenario(found, "rollingRestart");
    assert.equal(restart.mayLoseAcknowledged, 0);
    assert.equal(restart.queries, "partial");
  });

  it("1 member, 1 copy: everything goes with it, and its restart refuses writes", () => {
    const found = availability(planOf(1, 1));
    assert.deepEqual(shares(scenario(found, "node")), { unwritable: 1, unreadable: 1, oneCopyLeft: 0, mayLoseAcknowledged: 1 });
    assert.deepEqual(shares(scenario(found, "rollingRestart")), { unwritable: 1, unreadable: 1, oneCopyLeft: 0, mayLoseAcknowledged: 0 });
    assert.equal(scenario(found, "drain").cases, 1);
    assert.equal(scenario(found, "drain").worst, undefined);
    assert.ok(found.summary.includes("a drain never ends: the disruption budget keeps receivers that have no other node to go to"));
  });

  it("5 members, 5 copies: any two nodes", () => {
    assert.deepEqual(availability(planOf(5, 5)).survives, { nodes: 2, zones: 0 });
  });

  it("4 copies survive no more than 3", () => {
    assert.equal(availability(planOf(4, 4)).survives.nodes, 1);
  });

  it("soft anti-affinity on one node: the node takes everything, a restart nothing", () => {
    const found = availability(planOf(3, 3, [], { antiAffinity: "soft", storage: "hostPath" }));
    assert.deepEqual(found.survives, { nodes: 0, zones: 0 });
    assert.deepEqual(shares(scenario(found, "node")), { unwritable: 1, unreadable: 1, oneCopyLeft: 0, mayLoseAcknowledged: 1 });
    assert.ok(!found.scenarios.some((one) => one.loss === "twoNodes"));
    assert.equal(scenario(found, "rollingRestart").writes, "accepted");
    assert.ok(found.summary.includes("what a node's receivers hold is lost with its disk"));
    assert.ok(found.summary.some((line) => line.startsWith("anti-affinity is soft")));
  });

  it("soft anti-affinity within zones: a node takes a zone at most", () => {
    const found = availability(planOf(6, 3, ["a", "b", "c"], { antiAffinity: "soft", nodes: 3 }));
    assert.deepEqual(found.survives, { nodes: 1, zones: 1 });
    assert.equal(scenario(found, "twoNodes").cases, 3);
    assert.equal(scenario(found, "twoNodes").unwritable, 1);
  });

  it("a StatefulSet for each zone, rolled independently, takes a member of every zone at once", () => {
    const one = availability(planOf(3, 3, ["a", "b", "c"]));
    const perZone = availability(planOf(3, 3, ["a", "b", "c"], { restart: "onePerZone" }));
    assert.deepEqual(shares(scenario(one, "rollingRestart")), NOTHING);
    assert.deepEqual(shares(scenario(perZone, "rollingRestart")), { unwritable: 1, unreadable: 1, oneCopyLeft: 0, mayLoseAcknowledged: 0 });
  });

  it("a drain without a disruption budget takes what its node holds; with one, so many receivers", () => {
    const soft = { antiAffinity: "soft", maxUnavailable: undefined } as const;
    assert.equal(scenario(availability(planOf(3, 3, [], soft)), "drain").unwritable, 1);
    assert.equal(scenario(availability(planOf(3, 3, [], { ...soft, maxUnavailable: 1 })), "drain").unwritable, 0);
    assert.equal(scenario(availability(planOf(3, 3, [], { maxUnavailable: 2 })), "drain").unwritable, 1);
  });

  it("several hashrings: the weakest decides, and every one is named", () => {
    const small = { name: "team", members: members(3).map((m) => ({ pod: `team-${m.pod}`, address: `team-${m.address}` })) };
    const plan = planOf(5, 3, [], { hashrings: [small, { name: "default", members: members(5) }] });
    const found = availability(plan);
    assert.equal(scenario(found, "twoNodes").unwritable, 1);
    assert.equal(scenario(found, "twoNodes").worst?.hashring, "team");
    assert.equal(scenario(found, "twoNodes").cases, 3 + 10);
    assert.deepEqual(
      found.receive?.hashrings.map((ring) => [ring.name, ring.members]),
      [
        ["team", 3],
        ["default", 5],
      ],
    );
  });

  it("5 members in zones 2/2/1 are called uneven", () => {
    const found = availability(planOf(5, 3, ["a", "b", "c"]));
    assert.deepEqual(found.receive?.hashrings[0]?.heaviest, { pod: "receive-2", load: 1.66667 });
    assert.ok(found.summary.includes("hashring default is uneven: receive-2 holds 1.667 times the mean"));
  });
});

describe("what stands around the ring", () => {
  const base = planOf(6, 3, ["a", "b", "c"]);

  it("one Prometheus of one leaves its shard unscraped", () => {
    const alone = availability({ ...base, prometheus: { ...spread(1), shards: 4 } });
    assert.equal(scenario(alone, "prometheus").unscraped, 0.25);
    assert.equal(scenario(alone, "node").unscraped, 1);
    assert.equal(scenario(availability({ ...base, prometheus: { ...spread(2), shards: 4 } }), "prometheus").unscraped, 0);
  });

  it("one querier of one leaves queries without an answer, and stored samples safe", () => {
    const found = availability({ ...base, querier: spread(1) });
    assert.equal(scenario(found, "querier").queries, "none");
    assert.deepEqual(found.survives, { nodes: 0, zones: 0 });
    assert.deepEqual(found.dataSurvives, { nodes: 1, zones: 1 });
    assert.ok(found.summary.includes("what is stored survives the loss of any 1 node or 1 zone"));
  });

  it("queriers that may share a node, or a zone, count as lost with it", () => {
    const soft = availability({ ...base, querier: { replicas: 4, antiAffinity: "soft" } });
    assert.deepEqual(soft.survives, { nodes: 0, zones: 0 });
    const nodesOnly = availability({ ...base, querier: { replicas: 4, antiAffinity: "hard" } });
    assert.deepEqual(nodesOnly.survives, { nodes: 1, zones: 0 });
    assert.deepEqual(nodesOnly.limits.zones, ["1 zone can take all queriers (4)"]);
    const zonesOnly = availability({ ...base, querier: { replicas: 4, antiAffinity: "soft", zoneSpread: true } });
    assert.deepEqual(zonesOnly.survives, { nodes: 1, zones: 1 });
  });

  it("writes are refused without a router", () => {
    const found = availability({ ...base, routers: { replicas: 2, antiAffinity: "soft", maxUnavailable: 1 } });
    assert.equal(scenario(found, "node").writes, "refused");
    assert.equal(scenario(found, "node").unwritable, 0);
    assert.equal(scenario(found, "drain").writes, "accepted");
    assert.equal(found.survives.nodes, 0);
  });

  it("one store gateway of one leaves what only the bucket holds without an answer; of parts, any one is enough", () => {
    const of = (storeGateway: Workload, parts: number) => availability({ ...base, storeGateway: { ...storeGateway, parts } });
    const single = of(spread(1), 3);
    assert.deepEqual(single.survives, { nodes: 0, zones: 0 });
    assert.deepEqual(single.dataSurvives, { nodes: 1, zones: 1 });
    assert.deepEqual(single.limits.nodes, ["1 node can take all store gateways (1) of a part of the bucket"]);
    for (const loss of ["node", "drain", "storeGateway"] as const) {
      const { history, queries, writes, unreadable } = scenario(single, loss);
      assert.deepEqual(
        { history, queries, writes, unreadable },
        { history: "partial", queries: "partial", writes: "accepted", unreadable: 0 },
      );
    }
    assert.equal(scenario(single, "querier").history, "complete");
    assert.ok(single.summary.includes("1 store gateway: what only the bucket holds is not answered in full"));
    const pair = of(spread(2), 3);
    assert.deepEqual(pair.survives, { nodes: 1, zones: 1 });
    assert.equal(scenario(pair, "storeGateway").queries, "complete");
    assert.equal(scenario(pair, "twoNodes").history, "partial");
    assert.equal(scenario(availability(base), "node").history, undefined);
  });

  it("rulers that are gone stop rules; they cost answers only where they alone hold the results", () => {
    const of = (stores: boolean, replicas: number) => availability({ ...base, ruler: { ...spread(replicas), stores } });
    const stateless = of(false, 1);
    assert.deepEqual(stateless.survives, { nodes: 1, zones: 1 });
    assert.equal(scenario(stateless, "node").rules, "paused");
    assert.equal(scenario(stateless, "node").queries, "complete");
    assert.ok(stateless.summary.includes("any 1 node: no rule is evaluated"));
    const stateful = of(true, 1);
    assert.deepEqual(stateful.limits.nodes, ["1 node can take all rulers (1), which alone hold what comes of the rules"]);
    assert.equal(scenario(stateful, "node").queries, "partial");
    assert.deepEqual(of(true, 2).survives, { nodes: 1, zones: 1 });
    assert.equal(scenario(of(true, 2), "node").rules, "evaluated");
    assert.equal(
      scenario(availability({ ...base, querier: spread(1), ruler: { ...spread(2), stores: false } }), "querier").rules,
      "paused",
    );
  });
});

describe("availability in the sidecar scheme, computed by hand", () => {
  const sidecar = (replicas: number, shards: number, change: Partial<AvailabilityPlan> = {}): AvailabilityPlan => ({
    prometheus: { ...spread(replicas), shards, storage: "hostPath" },
    querier: spread(9),
    ...change,
  });

  it("a pair: either has every sample of its series", () => {
    const found = availability(sidecar(2, 3, { zones: 3 }));
    assert.deepEqual(found.survives, { nodes: 1, zones: 1 });
    assert.equal(found.receive, undefined);
    assert.deepEqual(shares(scenario(found, "node")), { ...NOTHING, oneCopyLeft: 1 });
    assert.equal(scenario(found, "node").queries, "complete");
    assert.equal(scenario(found, "node").writes, undefined);
    assert.equal(scenario(found, "prometheus").oneCopyLeft, 0.333333);
    assert.equal(scenario(found, "rollingRestart").queries, "complete");
    assert.deepEqual(shares(scenario(found, "twoNodes")), { ...NOTHING, unreadable: 1, mayLoseAcknowledged: 1 });
    assert.equal(
      found.summary[0],
      "survives the loss of any 1 node or any 1 zone: every target scraped, no answer incomplete, no sample lost",
    );
  });

  it("a single one: its node takes its scrapes, its recent samples, and with the disk what is not uploaded", () => {
    const found = availability(sidecar(1, 2));
    assert.deepEqual(found.survives, { nodes: 0, zones: 0 });
    assert.deepEqual(found.limits.nodes, [
      "1 node can take the only Prometheus of a shard, so that nothing is scraped there and its recent samples are unreadable",
    ]);
    assert.deepEqual(shares(scenario(found, "node")), { ...NOTHING, unreadable: 1, mayLoseAcknowledged: 1 });
    assert.equal(scenario(found, "node").unscraped, 1);
    assert.ok(found.summary.includes("what a node's Prometheus hold is lost with its disk"));
    const one = scenario(found, "prometheus");
    assert.deepEqual([one.queries, one.unscraped, shares(one)], ["partial", 0.5, { ...NOTHING, unreadable: 0.5 }]);
    // Every shard is rolled at the same time, and every volume stays.
    const restart = scenario(found, "rollingRestart");
    assert.deepEqual([restart.queries, restart.unscraped, shares(restart)], ["partial", 1, { ...NOTHING, unreadable: 1 }]);
    assert.equal(scenario(found, "drain").mayLoseAcknowledged, 0);
    assert.ok(!found.scenarios.some(({ loss }) => loss === "twoNodes"), "there is one node only that a single one can be on");
  });

  it("with a bucket, what is uploaded stays answered and is not lost", () => {
    const found = availability(sidecar(1, 1, { storeGateway: { ...spread(2), parts: 1 } }));
    assert.deepEqual([scenario(found, "node").history, scenario(found, "node").queries], ["complete", "partial"]);
    assert.ok(found.summary.includes("what a node's Prometheus have not yet uploaded is lost with its disk"));
    assert.ok(
      found.summary.some((line) => line.startsWith("any 1 node: 100 % of series unreadable where the bucket does not answer yet")),
      found.summary.join("\n"),
    );
  });

  it("volumes of the cluster outlive a node, and soft anti-affinity puts a pair on one", () => {
    const found = availability({ prometheus: { replicas: 2, antiAffinity: "soft", shards: 1, storage: "pvc" }, querier: spread(2) });
    assert.equal(scenario(found, "node").unreadable, 1);
    assert.match(found.limits.nodes.join(), /1 node can take all 2 Prometheus, so/);
    assert.ok(found.summary.some((line) => line.startsWith("a volume outlives its node")));
    assert.ok(found.summary.includes("anti-affinity is soft: all Prometheus of a shard may share a node, and are counted so"));
  });

  it("a declared survival is refused by what is missing, and kept by its remedy", () => {
    const [problem] = refuseBelow({ nodes: 1 }, availability(sidecar(1, 2)));
    assert.match(problem?.rule ?? "", /the only Prometheus of a shard/);
    assert.match(problem?.remedy ?? "", /^2 replicas or more of each of these, with hard anti-affinity/);
    assert.deepEqual(refuseBelow({ nodes: 1 }, availability(sidecar(2, 2))), []);
  });

  it("a change of scheme or of the bucket says what gets worse, and nothing of what is no more", () => {
    const bucket = { storeGateway: { ...spread(2), parts: 1 } };
    assert.deepEqual(compareAvailability(availability(sidecar(2, 1, bucket)), availability(sidecar(2, 1))), []);
    assert.ok(
      compareAvailability(availability(sidecar(2, 1)), availability(sidecar(1, 1))).includes(
        "1 Prometheus: unreadable series 100 %, before 0 %",
      ),
    );
    const ruled = (replicas: number) => availability(sidecar(2, 1, { ruler: { ...spread(replicas), stores: false } }));
    assert.ok(compareAvailability(ruled(2), ruled(1)).includes("any 1 node: rules are not evaluated, before evaluated"));
  });
});

describe("availability in the sidecar scheme, against brute force over every placement", () => {
  /** Enough that a zone, or a cluster without zones, has a node for every pod of a group: a plan doesn't know fewer. */
  const nodesFor = (zones: number) => 3 * Math.max(zones, 1);
  const zoneOf = (node: number, zones: number) => (zones === 0 ? 0 : node % zones);

  /** Every placement of one group's pods on the nodes that the scheduler may choose. */
  function placements({ replicas, antiAffinity, zoneSpread }: Workload, zones: number): number[][] {
    const count = nodesFor(zones);
    const all = Array.from({ length: count ** replicas }, (_, n) =>
      Array.from({ length: replicas }, (__, pod) => Math.floor(n / count ** pod) % count),
    );
    return all.filter((nodes) => {
      if (antiAffinity === "hard" && new Set(nodes).size < nodes.length) return false;
      if (zoneSpread !== true || zones === 0) return true;
      const counts = Array.from({ length: zones }, (_, zone) => nodes.filter((node) => zoneOf(node, zones) === zone).length);
      return Math.max(...counts) - Math.min(...counts) <= 1;
    });
  }

  /** The sets of nodes that a loss takes. */
  function lostNodes(loss: "node" | "twoNodes" | "zone", zones: number): number[][] {
    const nodes = Array.from({ length: nodesFor(zones) }, (_, node) => node);
    if (loss === "node") return nodes.map((node) => [node]);
    if (loss === "twoNodes") return nodes.flatMap((a) => nodes.filter((b) => b > a).map((b) => [a, b]));
    return Array.from({ length: zones }, (_, zone) => nodes.filter((node) => zoneOf(node, zones) === zone));
  }

  const workload = (most: number): fc.Arbitrary<Workload> =>
    fc.record({
      replicas: fc.integer({ min: 1, max: most }),
      antiAffinity: fc.constantFrom("hard" as const, "soft" as const),
      zoneSpread: fc.boolean(),
    });
  const input = fc.record({
    prometheus: workload(3),
    querier: workload(3),
    storeGateway: fc.option(workload(3), { nil: undefined }),
    ruler: fc.option(fc.tuple(workload(2), fc.boolean()), { nil: undefined }),
    zones: fc.constantFrom(0, 2, 3),
  });

  it("what is unreadable, unanswered and survived is what the worst placement makes of it", () => {
    fc.assert(
      fc.property(input, ({ prometheus, querier, storeGateway, ruler, zones }) => {
        const found = availability({
          prometheus: { ...prometheus, shards: 2, nodes: nodesFor(zones) },
          querier,
          ...(storeGateway === undefined ? {} : { storeGateway: { ...storeGateway, parts: 2 } }),
          ...(ruler === undefined ? {} : { ruler: { ...ruler[0], stores: ruler[1] } }),
          zones,
        });
        for (const loss of ["node", "twoNodes", ...(zones === 0 ? [] : (["zone"] as const))] as const) {
          // Groups are placed independently of one another, so what can happen to one of them can happen to all of its kind.
          const takesAll = (group: Workload | undefined) =>
            group !== undefined &&
            placements(group, zones).some((nodes) => lostNodes(loss, zones).some((lost) => nodes.every((node) => lost.includes(node))));
          const gone = takesAll(prometheus);
          const historyGone = takesAll(storeGateway);
          const resultsGone = ruler?.[1] === true && takesAll(ruler[0]);
          const unanswered = takesAll(querier);
          const one = scenario(found, loss);
          assert.equal(one.unreadable, gone ? 1 : 0, `${loss}: unreadable`);
          assert.equal(one.mayLoseAcknowledged, gone ? 1 : 0);
          assert.equal(one.unscraped, gone ? 1 : 0);
          assert.equal(one.history, storeGateway === undefined ? undefined : historyGone ? "partial" : "complete", `${loss}: history`);
          assert.equal(one.queries, unanswered ? "none" : gone || historyGone || resultsGone ? "partial" : "complete", `${loss}: queries`);
          assert.equal(one.rules, ruler === undefined ? undefined : unanswered || takesAll(ruler[0]) ? "paused" : "evaluated");
          const survived = loss === "zone" ? found.survives.zones >= 1 : found.survives.nodes >= (loss === "node" ? 1 : 2);
          assert.equal(survived, !(gone || historyGone || resultsGone || unanswered), `${loss}: survived ${survived}`);
        }
      }),
      { numRuns: 200 },
    );
  }).timeout(60_000);
});

describe("availability as an output", () => {
  const plan = planOf(6, 3, ["a", "b", "c"]);

  it("is plain data, the same for the same plan, and short", () => {
    const found = availability(plan);
    assert.deepEqual(JSON.parse(JSON.stringify(found)), found);
    assert.deepEqual(availability(structuredClone(plan)), found);
    assert.ok(JSON.stringify(found).length < 4000);
  });

  it("says in its first line what is survived", () => {
    assert.equal(
      availability(plan).summary[0],
      "survives the loss of any 1 node or any 1 zone: no write refused, no answer incomplete, no acknowledged sample lost",
    );
    assert.match(
      availability(planOf(3, 2)).summary[0] ?? "",
      /^does not survive the loss of any 1 node: 1 node can take 1 of the 2 receivers/,
    );
  });

  it("says that practically every request fails when some series refuse writes", () => {
    const line = availability(plan).summary.find((text) => text.startsWith("any 2 nodes: "));
    assert.match(
      line ?? "",
      /^any 2 nodes: up to 2\d(\.\d)? % of series refuse writes, so practically every request fails and is retried, 0 % unreadable/,
    );
  });
});

describe("a plan that can't be deployed", () => {
  it("is refused with every problem", () => {
    const plan = planOf(3, 3, [], {
      nodes: 2,
      hashrings: [
        { name: "default", members: members(3) },
        { name: "small", members: members(2) },
        { name: "mixed", members: [...members(2, ["a", "b"]), { pod: "receive-9", address: "receive-9:10901" }] },
      ],
    });
    const keys = ["receive.hashrings[1].replicationFactor", "receive.hashrings[2].members", "receive.nodes"];
    assert.deepEqual(
      planProblems(plan).map((problem) => problem.key),
      keys,
    );
    assert.throws(() => availability(plan), RingError);
    assert.throws(() => enumerateLosses(plan, "node"), RingError);
  });

  it("is refused without a hashring", () => {
    assert.deepEqual(
      planProblems(planOf(3, 3, [], { hashrings: [] })).map((problem) => problem.key),
      ["receive.hashrings"],
    );
  });
});

describe("a declared survival", () => {
  it("is kept or refused with key, value, reason and remedy", () => {
    const found = availability(planOf(3, 3));
    assert.deepEqual(refuseBelow({ nodes: 1 }, found), []);
    assert.deepEqual(refuseBelow({}, found), []);
    const problems = refuseBelow({ nodes: 2, zones: 1 }, found);
    assert.deepEqual(
      problems.map(({ key, value }) => [key, value]),
      [
        ["survives.nodes", 2],
        ["survives.zones", 1],
      ],
    );
    assert.match(problems[0]?.rule ?? "", /survives the loss of 1 node, since 2 nodes can take 2 of the 3 receivers/);
    assert.equal(problems[0]?.remedy, "receive.replicationFactor 5 with hard anti-affinity; or survives.nodes 1");
  });

  it("names the queriers when they are what fails", () => {
    const [problem] = refuseBelow({ nodes: 1 }, availability({ ...planOf(3, 3), querier: spread(1) }));
    assert.match(problem?.rule ?? "", /1 node can take all queriers \(1\)/);
    assert.match(problem?.remedy ?? "", /^2 replicas or more of each of these, with hard anti-affinity/);
  });

  it("is kept by the plan that the remedy names", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom("nodes" as const, "zones" as const),
        fc.integer({ min: 1, max: 2 }),
        (rf, of, count) => {
          const zoneNames = ["a", "b", "c", "d", "e"];
          const [problem] = refuseBelow({ [of]: count }, availability(planOf(4, rf, ["a", "b"])));
          if (problem === undefined) {
            return;
          }
          const remedy = /replicationFactor (\d+) with (?:hard|the members divided evenly over (\d+) zones)/.exec(problem.remedy);
          const zones = zoneNames.slice(0, Number(remedy?.[2] ?? 0));
          const remedied = availability(planOf(Math.max(1, zones.length) * 5, Number(remedy?.[1]), zones));
          assert.deepEqual(refuseBelow({ [of]: count }, remedied), [], problem.remedy);
        },
      ),
      { numRuns: 20 },
    );
  });
});

describe("a change of plan", () => {
  const three = availability(planOf(6, 3, ["a", "b", "c"]));

  it("is silent about what stays or gets better", () => {
    assert.deepEqual(compareAvailability(three, three), []);
    assert.deepEqual(compareAvailability(availability(planOf(3, 3)), availability(planOf(5, 3))), []);
    assert.deepEqual(compareAvailability(availability(planOf(5, 2)), availability(planOf(5, 5))), []);
  });

  it("is silent about the same ring under other names", () => {
    const renamed = members(5).map((member) => ({ ...member, address: member.address.replace("monitoring", "observability") }));
    const after = availability(planOf(5, 3, [], { hashrings: [{ name: "default", members: renamed }] }));
    assert.deepEqual(compareAvailability(availability(planOf(5, 3)), after), []);
  });

  it("names what gets worse", () => {
    const worse = compareAvailability(three, availability(planOf(6, 2, ["a", "b", "c"])));
    assert.ok(
      worse.some((line) => /^survives the loss of 0 nodes, before 1: 1 node can take 1 of the 2 receivers/.test(line)),
      worse.join("\n"),
    );
    assert.ok(worse.some((line) => /^any 1 node: series that may lose acknowledged samples \d.* %, before 0 %$/.test(line)));
    assert.ok(worse.some((line) => line === "a drain: queries partial, before complete"));
  });

  it("is silent about a share that grows as other names alone may make it, and about no other", () => {
    const withShare = (unwritable: number) => ({
      ...three,
      scenarios: three.scenarios.map((scenario) => (scenario.loss === "twoNodes" ? { ...scenario, unwritable } : scenario)),
    });
    assert.deepEqual(compareAvailability(withShare(0.305), withShare(0.327)), [], "fifteen namespaces lay as far apart");
    assert.deepEqual(compareAvailability(withShare(0.25), withShare(0.2745)), []);
    assert.deepEqual(compareAvailability(withShare(0.25), withShare(0.2755)), [
      "any 2 nodes: series that refuse writes 27.6 %, before 25 %",
    ]);
    assert.equal(compareAvailability(withShare(0), withShare(0.0004)).length, 1, "from none to any is never little");
  });

  it("names a shrinking ring, lost zones and a lost peer", () => {
    assert.ok(
      compareAvailability(availability(planOf(5, 3)), availability(planOf(3, 3))).some((line) =>
        /^any 2 nodes: series that refuse writes 100 %, before 3\d/.test(line),
      ),
    );
    const zoneless = compareAvailability(three, availability(planOf(6, 3)));
    assert.ok(zoneless.includes("any 1 zone: can no longer be told apart from losing everything"));
    const single = compareAvailability(three, availability({ ...planOf(6, 3, ["a", "b", "c"]), prometheus: { ...spread(1), shards: 1 } }));
    assert.ok(single.includes("1 Prometheus: targets not scraped 100 %, before 0 %"));
  });
});

describe("availability, against brute force over random rings", () => {
  const input = fc
    .record({
      count: fc.integer({ min: 1, max: 7 }),
      zones: fc.constantFrom([], ["a", "b"], ["a", "b", "c"]),
      salt: fc.integer({ min: 0, max: 999 }),
    })
    .map(({ count, zones, salt }) => members(count, zones).map((member) => ({ ...member, address: `${salt}-${member.address}` })))
    .chain((ring) =>
      fc.record({ ring: fc.constant(ring), replicationFactor: fc.integer({ min: 1, max: largestReplicationFactor(ring) }) }),
    );

  const verdict = (replicas: readonly string[], lost: readonly string[]) => {
    const alive = replicas.filter((pod) => !lost.includes(pod)).length;
    const quorum = writeQuorum(replicas.length);
    return {
      unwritable: alive < quorum,
      unreadable: alive === 0,
      oneCopyLeft: alive === 1,
      mayLoseAcknowledged: replicas.length - alive >= quorum,
    };
  };

  it("every section, judged by itself, adds up to the shares; sampled series agree; and survival is exactly what no case breaks", () => {
    fc.assert(
      fc.property(input, ({ ring, replicationFactor }) => {
        const plan = planOf(1, replicationFactor, [], { hashrings: [{ name: "default", members: ring }] });
        const ketama = ketamaRing(ring, replicationFactor);
        const pods = (replicas: readonly number[]) => replicas.map((member) => ring[member]?.pod ?? "");
        const sections = [...ketama.hashes].map((hash, i, all) => {
          const before = i === 0 ? (all[all.length - 1] ?? 0n) - HASH_SPACE : (all[i - 1] ?? 0n);
          return { width: Number(hash - before) / Number(HASH_SPACE), replicas: pods(replicasAt(ketama, hash)) };
        });
        const sampled = Array.from({ length: 2000 }, (_, i) => pods(replicasOf(ketama, "tenant", { __name__: "up", instance: `${i}` })));
        const found = availability(plan);
        const losses: Loss[] = [
          "node",
          ...(ring.length > 1 ? (["twoNodes"] as const) : []),
          ...(new Set(ring.map((member) => member.zone)).size >= 2 ? (["zone"] as const) : []),
        ];
        for (const loss of losses) {
          const cases = enumerateLosses(plan, loss);
          for (const one of cases) {
            const exact = { ...NOTHING };
            const counted = { ...NOTHING };
            for (const key of Object.keys(NOTHING) as (keyof typeof NOTHING)[]) {
              exact[key] = sections.reduce((sum, { width, replicas }) => sum + (verdict(replicas, one.lost)[key] ? width : 0), 0);
              counted[key] = sampled.filter((replicas) => verdict(replicas, one.lost)[key]).length / sampled.length;
              assert.ok(Math.abs(one[key] - exact[key]) < 1e-9, `${loss} ${one.lost}: ${key} ${one[key]}, by sections ${exact[key]}`);
              // Seven standard deviations of the sampled share, at least; and never a series where there is none.
              assert.ok(Math.abs(one[key] - counted[key]) < 0.08, `${loss} ${one.lost}: ${key} ${one[key]}, sampled ${counted[key]}`);
              assert.ok(one[key] > 0 || counted[key] === 0);
              assert.ok(one[key] < 1 || counted[key] === 1);
            }
          }
          const broken = cases.some((one) => one.unwritable > 0 || one.unreadable > 0 || one.mayLoseAcknowledged > 0);
          const survived = loss === "zone" ? found.survives.zones >= 1 : found.survives.nodes >= (loss === "node" ? 1 : 2);
          assert.equal(survived, !broken, `${loss}: survived ${survived}, broken ${broken}`);
        }
      }),
      { numRuns: 15 },
    );
  }).timeout(120_000);
});

describe("hashrings of their own shape", () => {
  const ring = (name: string, count: number, zones: readonly string[] = []) => ({
    name,
    members: members(count, zones).map(({ pod, address, ...zone }) => ({ pod: `${name}-${pod}`, address: `${name}-${address}`, ...zone })),
  });
  const THREE = ["a", "b", "c"];
  const shaped = (...hashrings: ReceivePlan["hashrings"]) => planOf(3, 3, THREE, { hashrings });

  it("survive together what the weakest of them does, and the limits name it", () => {
    const strong = ring("strong", 6, THREE);
    assert.deepEqual(availability(shaped(strong)).survives, { nodes: 1, zones: 1 });
    for (const [weak, limits] of [
      [ring("weak", 3), { nodes: /2 of the 3 receivers/, zones: /all receivers of a series in hashring weak may be in one zone/ }],
      [ring("weak", 3, ["a"]), { nodes: /2 of the 3 receivers/, zones: /all receivers of a series in hashring weak may be in one zone/ }],
      [
        { ...ring("weak", 3), antiAffinity: "soft" as const },
        { nodes: /1 node can take all 3 receivers.* hashring weak/, zones: /weak/ },
      ],
    ] as const) {
      const found = availability(shaped(strong, weak));
      assert.equal(found.survives.zones, 0);
      assert.match(found.limits.zones.join(), limits.zones);
      assert.match(found.limits.nodes.join(), limits.nodes);
      assert.equal(
        found.scenarios.some(({ loss }) => loss === "zone"),
        false,
      );
    }
  });

  it("say of each whether its members may share a node, and of which the summary speaks", () => {
    const { receive, summary, survives } = availability(shaped(ring("one", 3, THREE), { ...ring("two", 3, THREE), antiAffinity: "soft" }));
    assert.deepEqual(
      receive?.hashrings.map(({ antiAffinity }) => antiAffinity),
      ["hard", "soft"],
    );
    assert.equal(receive?.antiAffinity, "soft");
    assert.ok(summary.some((line) => line.startsWith("anti-affinity of hashring two is soft: ")));
    // In a zone each, they are on three nodes anyway.
    assert.deepEqual(survives, { nodes: 1, zones: 1 });
  });

  it("lose with a node's disk what is on disks, and with a volume its last seconds, where rings differ", () => {
    const both = availability(
      shaped({ ...ring("one", 3), antiAffinity: "soft", storage: "hostPath" }, { ...ring("two", 3), antiAffinity: "soft" }),
    );
    assert.ok(both.summary.some((line) => line.startsWith("what a node's receivers hold is lost with its disk")));
    assert.ok(both.summary.some((line) => line.startsWith("a volume outlives its node")));
  });

  it("end no drain where one of them has a single node for all of its members", () => {
    const never = ({ summary }: Availability) => summary.some((line) => line.startsWith("a drain never ends"));
    assert.ok(!never(availability(shaped(ring("one", 3)))));
    assert.ok(never(availability(shaped(ring("one", 3), { ...ring("two", 3), antiAffinity: "soft" }))));
  });

  it("that are shuffle sharded are counted for the tenant that a loss is worst for", () => {
    const whole = ring("big", 9, THREE);
    const sharded = { ...whole, shards: [[0, 1, 2]] };
    const [before, after] = [availability(shaped(whole)), availability(shaped(sharded))];
    // In each zone one: nothing else is survived, but whoever has both lost receivers has all of his series on them.
    assert.deepEqual(after.survives, before.survives);
    assert.equal(scenario(after, "twoNodes").unwritable, 1);
    assert.ok(scenario(before, "twoNodes").unwritable < 0.2);
    assert.ok(after.summary.some((line) => line.startsWith("hashring big is shuffle sharded")));
    assert.deepEqual(
      after.receive?.hashrings.map(({ members: count, sharded: is }) => [count, is]),
      [[9, true]],
    );
    // Two shards, of which one is in a single zone.
    const near = availability(
      shaped({
        ...whole,
        shards: [
          [0, 1, 2],
          [0, 3, 6],
        ],
      }),
    );
    assert.deepEqual(near.survives, { nodes: 1, zones: 0 });
  });

  it("say what a loss takes once, with the hashrings and shards of which it is so", () => {
    const SAID = "the quorum of 2 is not reached, and acknowledged samples can be on these alone";
    const big = ring("big", 15, THREE);
    const limits = (...hashrings: ReceivePlan["hashrings"]) => availability(shaped(...hashrings)).limits;
    const podsOf = (shard: readonly number[]) => shard.map((member) => big.members[member]?.pod).join(", ");
    const uneven = [
      [0, 3, 1],
      [0, 3, 2],
      [0, 6, 1],
      [0, 6, 2],
    ];
    assert.deepEqual(limits({ ...big, shards: [[0, 1, 2], ...uneven.slice(0, 2)] }).zones, [
      `1 zone can take 2 of the 3 receivers of a series in hashring big (2 of its 3 shards: ${uneven.slice(0, 2).map(podsOf).join(" or ")}): ${SAID}`,
    ]);
    assert.deepEqual(limits({ ...big, shards: [[0, 1, 2], ...uneven] }).zones, [
      `1 zone can take 2 of the 3 receivers of a series in hashring big (4 of its 5 shards: ${uneven.slice(0, 3).map(podsOf).join(" or ")} or …): ${SAID}`,
    ]);
    assert.deepEqual(limits(ring("one", 3), { ...big, shards: uneven.slice(0, 2) }).nodes, [
      `2 nodes can take 2 of the 3 receivers of a series in hashrings one, big (each of its 2 shards): ${SAID}`,
    ]);
    assert.deepEqual(
      limits({
        ...big,
        shards: [
          [0, 1, 2],
          [0, 3, 6],
        ],
      }).zones,
      [`all receivers of a series in hashring big (1 of its 2 shards: ${podsOf([0, 3, 6])}) may be in one zone`],
    );
    assert.deepEqual(limits(ring("strong", 6, THREE), ring("one", 3), ring("two", 3)).zones, [
      "all receivers of a series in hashrings one, two may be in one zone",
    ]);
  });
});
