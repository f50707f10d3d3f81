import assert from "node:assert/strict";
import fc from "fast-check";
import { addressesOf, joining, podOf, seriesLost } from "../../../model/ring/change";
import {
  DEFAULT_RING,
  type HashringPlan,
  hashrings,
  hashringsFile,
  hashringsHash,
  memberAddress,
  ringSets,
} from "../../../model/ring/hashring";
import { ketamaRing } from "../../../model/ring/ketama";
import { shardsIn } from "../../../model/ring/shards";

const PLACE = { namespace: "thanos", peerService: "peers", clusterDomain: "cluster.local" };
const plan = (change: Partial<HashringPlan> = {}): HashringPlan => ({ name: DEFAULT_RING, replicas: 3, zones: [], ...change });
const addresses = (plans: HashringPlan[]) => hashrings(plans, PLACE).map((ring) => ring.members.map((member) => member.address));

describe("hashring: addresses", () => {
  it("are stable names with the full cluster domain", () => {
    assert.equal(memberAddress(PLACE, "thanos-receive-0"), "thanos-receive-0.peers.thanos.svc.cluster.local:10901");
  });

  it("are those of the pods of one StatefulSet, in their order", () => {
    assert.deepEqual(addresses([plan()]), [[0, 1, 2].map((n) => `thanos-receive-${n}.peers.thanos.svc.cluster.local:10901`)]);
  });

  it("are those of a StatefulSet a zone, each with its zone", () => {
    const [ring] = hashrings([plan({ replicas: 4, zones: ["a", "b"] })], PLACE);
    assert.deepEqual(
      ring?.members.map(({ pod, zone }) => [pod, zone]),
      [
        ["thanos-receive-a-0", "a"],
        ["thanos-receive-a-1", "a"],
        ["thanos-receive-b-0", "b"],
        ["thanos-receive-b-1", "b"],
      ],
    );
  });

  for (const [ring, zone, expected] of [
    [DEFAULT_RING, undefined, "thanos-receive"],
    [DEFAULT_RING, "z1", "thanos-receive-z1"],
    ["payments", undefined, "thanos-receive-payments"],
    ["payments", "z1", "thanos-receive-payments-z1"],
  ] as const) {
    it(`StatefulSet of ring ${ring}${zone === undefined ? "" : ` in ${zone}`}: ${expected}`, () =>
      assert.deepEqual(
        ringSets(ring, zone === undefined ? [] : [zone]).map(({ name }) => name),
        [expected],
      ));
  }

  it("never change for those who stay when a ring grows: the text is what is hashed", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 30 }),
        fc.constantFrom<string[]>([], ["a"], ["a", "b", "c"]),
        (few, more, zones) => {
          const per = Math.max(zones.length, 1);
          const [[before = []], [after = []]] = [
            addresses([plan({ replicas: few * per, zones })]),
            addresses([plan({ replicas: (few + more) * per, zones })]),
          ];
          assert.equal(new Set(after).size, (few + more) * per);
          for (const address of before) assert.ok(after.includes(address));
        },
      ),
    );
  });
});

describe("hashring: order", () => {
  it("has rings of tenants of their own first, in their order, and the default ring last, whether it is closed or not", () => {
    for (const tenants of [{}, { tenants: ["t3"] }]) {
      const rings = hashrings([plan(tenants), plan({ name: "b", tenants: ["t2"] }), plan({ name: "a", tenants: ["t1"] })], PLACE);
      assert.deepEqual(
        rings.map((ring) => ring.name),
        ["b", "a", DEFAULT_RING],
      );
    }
  });
});

describe("hashring: file", () => {
  const parsed = (plans: HashringPlan[]) => JSON.parse(hashringsFile(hashrings(plans, PLACE))) as Record<string, unknown>[];

  it("is what Thanos reads: name, tenants, algorithm, endpoints with their zone", () => {
    assert.deepEqual(
      parsed([plan({ tenants: ["t3"], replicas: 2, zones: ["a", "b"] }), plan({ name: "x", tenants: ["t1", "t2"], replicas: 1 })]),
      [
        {
          hashring: "x",
          tenants: ["t1", "t2"],
          algorithm: "ketama",
          endpoints: [{ address: "thanos-receive-x-0.peers.thanos.svc.cluster.local:10901" }],
        },
        {
          hashring: "default",
          tenants: ["t3"],
          algorithm: "ketama",
          endpoints: [
            { address: "thanos-receive-a-0.peers.thanos.svc.cluster.local:10901", az: "a" },
            { address: "thanos-receive-b-0.peers.thanos.svc.cluster.local:10901", az: "b" },
          ],
        },
      ],
    );
  });

  it("matches by pattern for a ring that takes any tenant: without a list Thanos would match `.` and `..` too", () => {
    const [ring] = parsed([plan()]);
    assert.deepEqual([ring?.tenants, ring?.tenant_matcher_type], [["[^.]*"], "glob"]);
  });

  it("has the same bytes for the same ring, and the same hash exactly for the same bytes", () => {
    const anyPlan = fc.record({ replicas: fc.integer({ min: 1, max: 9 }), zones: fc.constantFrom<string[]>([], ["a"]) });
    fc.assert(
      fc.property(anyPlan, anyPlan, (first, second) => {
        const [left, right] = [hashringsFile(hashrings([plan(first)], PLACE)), hashringsFile(hashrings([plan(second)], PLACE))];
        assert.equal(left, hashringsFile(hashrings([plan(first)], PLACE)));
        assert.equal(hashringsHash(left) === hashringsHash(right), left === right);
      }),
    );
  });
});

describe("hashring: change", () => {
  const file = (replicas: number) =>
    hashringsFile(hashrings([plan({ replicas }), plan({ name: "x", tenants: ["t"], replicas: 3 })], PLACE));

  it("says who joins", () => {
    assert.deepEqual(joining(file(3), file(5)).map(podOf), ["thanos-receive-3", "thanos-receive-4"]);
    assert.deepEqual(joining(file(5), file(3)), []);
    assert.equal(addressesOf(file(3)).length, 6);
  });

  it("reads endpoints as text too, as other tools write them", () => {
    const text = JSON.stringify([{ endpoints: ["a-0.svc:10901"] }]);
    assert.deepEqual(addressesOf(text), ["a-0.svc:10901"]);
    assert.deepEqual(joining(text, file(1)).length, 4);
  });

  it("needs a pod's name in an address", () => assert.throws(() => podOf(".svc:10901"), /no pod's name/));
});

describe("hashring: what leaves with receivers of a ring that is shuffle sharded", () => {
  const sharded = (tenants: string[]) =>
    hashrings(
      [plan({ name: "big", tenants, replicas: 9, shuffleSharding: { shardSize: 3, zoneAwarenessDisabled: false, overrides: [] } })],
      PLACE,
    )[0];
  const last = (count: number) => Array.from({ length: count }, (_, index) => `thanos-receive-big-${8 - index}`);

  it("is that of the tenant that loses most, exact for one that is named", () => {
    const ring = sharded(["one"]);
    assert.ok(ring !== undefined);
    const members = ring.members.map(({ pod }) => pod);
    const shard = shardsIn(ketamaRing(ring.members, 3), { shardSize: 3, zoneAwarenessDisabled: false, overrides: [] })("one");
    const own = shard.flatMap((member) => members[member] ?? []);
    assert.deepEqual(seriesLost(ring, 3, own), { wholly: 1, possibly: 1 });
    assert.deepEqual(seriesLost(ring, 3, own.slice(0, 2)), { wholly: 0, possibly: 1 });
    assert.deepEqual(
      seriesLost(
        ring,
        3,
        members.filter((pod) => !own.includes(pod)),
      ),
      { wholly: 0, possibly: 0 },
    );
  });

  it("may be all of somebody's where only a pattern names tenants", () => {
    const ring = sharded(["team-*"]);
    assert.ok(ring !== undefined);
    assert.deepEqual(seriesLost(ring, 3, last(3)), { wholly: 1, possibly: 1 });
    assert.deepEqual(seriesLost(ring, 3, last(2)), { wholly: 0, possibly: 1 });
    assert.deepEqual(seriesLost(ring, 3, last(1)), { wholly: 0, possibly: 0 });
  });
});
