import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { ketamaRing, partOfRing, type RingMember, replicasOf } from "../../../model/ring/ketama";
import { type ShuffleSharding, shardSizeOf, shardsIn, shardsOf } from "../../../model/ring/shards";

interface Vectors {
  tenants: string[];
  rings: {
    name: string;
    replicationFactor: number;
    members: RingMember[];
    config: {
      shard_size: number;
      zone_awareness_disabled: boolean;
      overrides?: { shard_size: number; tenants: string[] }[];
    };
    replicas: string[];
  }[];
}

const vectors: Vectors = JSON.parse(readFileSync(path.join(__dirname, "vectors", "shards.json"), "utf8"));

const shardingOf = ({ shard_size, zone_awareness_disabled, overrides = [] }: Vectors["rings"][number]["config"]): ShuffleSharding => ({
  shardSize: shard_size,
  zoneAwarenessDisabled: zone_awareness_disabled,
  overrides: overrides.map((each) => ({ tenants: each.tenants, shardSize: each.shard_size })),
});

const receivers = (...zones: string[]): RingMember[] =>
  zones.map((zone, index) => ({ address: `receiver-${index}:10901`, ...(zone === "" ? {} : { zone }) }));
const plain = (shardSize: number, change: Partial<ShuffleSharding> = {}): ShuffleSharding => ({
  shardSize,
  zoneAwarenessDisabled: false,
  overrides: [],
  ...change,
});

describe("shuffle sharding, against Thanos' own code", () => {
  for (const { name, replicationFactor, members, config, replicas } of vectors.rings) {
    it(`places every series of every tenant alike: ${name}`, () => {
      const ring = ketamaRing(members, replicationFactor);
      const shardOf = shardsIn(ring, shardingOf(config));
      for (const [index, tenant] of vectors.tenants.entries()) {
        const chosen = shardOf(tenant);
        const shard = partOfRing(ring, chosen);
        const words = Array.from({ length: 40 }, (_, n) =>
          replicasOf(shard, tenant, { n: String(n) }).map((member) => chosen[member]?.toString(36) ?? "?"),
        );
        assert.equal(words.flat().join(""), replicas[index], tenant);
      }
    });
  }
});

describe("shuffle sharding", () => {
  it("gives a tenant as many members as its shard has, from each zone as many, and the first override that names it counts", () => {
    const ring = ketamaRing(receivers("a", "b", "c", "a", "b", "c", "a", "b", "c"), 3);
    const sharding = plain(3, {
      overrides: [
        { tenants: ["big", "team-?"], shardSize: 6 },
        { tenants: ["team-*"], shardSize: 9 },
      ],
    });
    fc.assert(
      fc.property(fc.constantFrom("small", "big", "team-1", "team-12"), (tenant) => {
        const shard = shardsIn(ring, sharding)(tenant);
        assert.equal(new Set(shard).size, shardSizeOf(sharding, tenant));
        const zones = shard.map((member) => ring.members[member]?.zone);
        for (const zone of ["a", "b", "c"]) assert.equal(zones.filter((each) => each === zone).length, shard.length / 3);
      }),
    );
    assert.deepEqual(
      ["small", "big", "team-1", "team-12"].map((tenant) => shardSizeOf(sharding, tenant)),
      [3, 6, 6, 9],
    );
  });

  it("takes at most one other member of a shard where the ring grows by one", () => {
    const before = ketamaRing(receivers(...new Array<string>(8).fill("")), 3);
    const after = ketamaRing(receivers(...new Array<string>(9).fill("")), 3);
    for (let tenant = 0; tenant < 50; tenant++) {
      const [old, young] = [before, after].map((ring) => shardsIn(ring, plain(4))(`tenant-${tenant}`));
      assert.ok((young ?? []).filter((member) => !old?.includes(member)).length <= 1);
    }
  });

  it("refuses a shard for which a zone has too few members, as Thanos refuses the tenant's writes", () => {
    assert.throws(() => shardsIn(ketamaRing(receivers("a", "b", "c"), 3), plain(6))("x"), /takes 2 members of zone "a", which has fewer/);
  });

  it("knows the shards of tenants by name, each once, and for a pattern the worst that a series can have", () => {
    const ring = ketamaRing(receivers("a", "b", "c", "a", "b", "c"), 3);
    const zoned = plain(3);
    assert.deepEqual(shardsOf(ring, zoned, ["one", "one"]), [shardsIn(ring, zoned)("one")]);
    // One of each zone, whoever he is.
    const [worst] = shardsOf(ring, zoned, ["team-*"]);
    assert.deepEqual(worst?.map((member) => ring.members[member]?.zone).sort(), ["a", "b", "c"]);
    assert.deepEqual(shardsOf(ring, zoned, undefined), [worst]);
    // Of two in a zone and three in a shard, two replicas may be in one.
    const apart = plain(3, { zoneAwarenessDisabled: true });
    const [near] = shardsOf(ring, apart, ["team-*"]);
    assert.equal(near?.length, 3);
    assert.equal(new Set(near?.map((member) => ring.members[member]?.zone)).size, 2);
  });

  it("holds what it says of unknown tenants: no drawn shard has more replicas of a series in one zone", () => {
    const zonesOf = (ring: ReturnType<typeof ketamaRing>, members: readonly number[]) => {
      const counts = new Map<string, number>();
      for (const member of members) counts.set(ring.members[member]?.zone ?? "", (counts.get(ring.members[member]?.zone ?? "") ?? 0) + 1);
      return Math.max(...counts.values());
    };
    for (const [zones, size, disabled] of [
      [["a", "b", "c", "a", "b", "c"], 3, true],
      [["a", "b", "c", "a", "b", "c"], 5, true],
      [["a", "b", "c", "a", "b", "c", "a", "b", "c"], 3, true],
      [["a", "b", "c", "a", "b", "c"], 6, false],
    ] as const) {
      const ring = ketamaRing(receivers(...zones), 3);
      const sharding = plain(size, { zoneAwarenessDisabled: disabled });
      const shardOf = shardsIn(ring, sharding);
      const [worst = []] = shardsOf(ring, sharding, undefined);
      for (let tenant = 0; tenant < 60; tenant++) {
        const chosen = shardOf(`t${tenant}`);
        const part = partOfRing(ring, chosen);
        for (let n = 0; n < 20; n++) {
          const holders = replicasOf(part, `t${tenant}`, { n: String(n) }).flatMap((member) => chosen[member] ?? []);
          assert.ok(zonesOf(ring, holders) <= zonesOf(ring, worst), `${zones} ${size}`);
        }
      }
    }
  });
});
