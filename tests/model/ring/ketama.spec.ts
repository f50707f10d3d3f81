import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import {
  HASH_SPACE,
  ketamaRing,
  largestReplicationFactor,
  RingError,
  type RingMember,
  replicasAt,
  replicasOf,
  ringProblems,
  seriesHash,
} from "../../../model/ring/ketama";
import { replicaSets, zoneBalance } from "../../../model/ring/replicaSets";
import { xxhash64, xxhash64After } from "../../../model/ring/xxhash64";

interface Vectors {
  series: { tenant: string; labels: [string, string][]; hash: string }[];
  rings: { name: string; replicationFactor: number; members: RingMember[]; replicas: string }[];
}

const vectors: Vectors = JSON.parse(readFileSync(path.join(__dirname, "vectors", "ketama.json"), "utf8"));

const receivers = (...zones: string[]): RingMember[] =>
  zones.map((zone, i) => ({ address: `thanos-receive-${i}.thanos-receive.monitoring.svc.cluster.local:10901`, zone }));

/** Members of random zones with a replication factor that the layout allows. */
const ringInput = fc
  .array(fc.constantFrom("a", "b", "c", "d"), { minLength: 1, maxLength: 8 })
  .map((zones) => receivers(...zones))
  .chain((members) =>
    fc.record({ members: fc.constant(members), replicationFactor: fc.integer({ min: 1, max: largestReplicationFactor(members) }) }),
  );

describe("xxhash64", () => {
  const published: [string, bigint][] = [
    ["", 0xef46db3751d8e999n],
    ["a", 0xd24ec4f1a98c6e5bn],
    ["as", 0x1c330fb2d66be179n],
    ["asd", 0x631c37ce72a97393n],
    ["asdf", 0x415872f599cea71en],
    ["Call me Ishmael. Some years ago--never mind how long precisely-", 0x02a2e85470d6fd96n],
  ];
  for (const [text, hash] of published) {
    it(`agrees with cespare/xxhash on ${JSON.stringify(text)}`, () => {
      assert.equal(xxhash64(Buffer.from(text)), hash);
    });
  }

  it("reads a view that begins inside its buffer", () => {
    const buffer = Buffer.from("....Call me Ishmael. Some years ago--never mind how long precisely-");
    assert.equal(xxhash64(buffer.subarray(4)), 0x02a2e85470d6fd96n);
  });
});

describe("a ring that was computed before", () => {
  it("is taken again for the same members alone, and has those that are asked for", () => {
    const members = receivers("a", "a", "b", "b");
    const first = ketamaRing(members, 2);
    const named = members.map((member, index) => ({ ...member, pod: `receiver-${index}` }));
    const again = ketamaRing(named, 2);
    assert.equal(again.hashes, first.hashes);
    assert.equal(again.members, named);
    const elsewhere = ketamaRing(receivers("a", "b", "a", "b"), 2);
    assert.deepEqual(elsewhere.hashes, first.hashes);
    assert.notDeepEqual(elsewhere.replicas, first.replicas);
    assert.notEqual(ketamaRing(members, 1).replicas.length, first.replicas.length);
    assert.equal(ketamaRing(members, 2, 10).hashes.length, 40);
  });

  it("is forgotten for newer ones, and then the same", () => {
    const members = receivers("a", "b");
    const first = ketamaRing(members, 2);
    for (let count = 3; count < 20; count++) ketamaRing(receivers(...Array.from({ length: count }, () => "a")), 1, 10);
    const again = ketamaRing(members, 2);
    assert.notEqual(again.hashes, first.hashes);
    assert.deepEqual(again, first);
  });
});

describe("xxhash64After", () => {
  it("is the hash of both parts, wherever they are parted", () => {
    // Two blocks of 32 bytes and more are common, begun, or still to come.
    for (let length = 0; length <= 100; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 37) % 251);
      for (let at = 0; at <= length; at++) assert.equal(xxhash64After(bytes.subarray(0, at))(bytes.subarray(at)), xxhash64(bytes));
    }
  });
});

describe("ketama, against Thanos' own code", () => {
  it("hashes every series alike", () => {
    assert.equal(vectors.series.length, 300);
    for (const { tenant, labels, hash } of vectors.series) {
      assert.equal(seriesHash(tenant, Object.fromEntries(labels)), BigInt(hash));
    }
  });

  it("doesn't depend on the order in which labels are given", () => {
    for (const { tenant, labels, hash } of vectors.series) {
      assert.equal(seriesHash(tenant, Object.fromEntries([...labels].reverse())), BigInt(hash));
    }
  });

  it("covers rings with and without zones", () => {
    assert.ok(vectors.rings.some((ring) => ring.members.some((member) => member.zone)));
    assert.ok(vectors.rings.some((ring) => ring.members.every((member) => !member.zone)));
  });

  for (const { name, replicationFactor, members, replicas } of vectors.rings) {
    it(`puts every copy of every series on the same member: ${name}, replication factor ${replicationFactor}`, () => {
      const ring = ketamaRing(members, replicationFactor);
      const found = vectors.series.map(({ tenant, labels }) => replicasOf(ring, tenant, Object.fromEntries(labels)).join(""));
      assert.deepEqual(found, replicas.split(" "));
    });
  }

  it("gives a hash beyond the last section to the first", () => {
    const ring = ketamaRing(receivers("", "", "", "", ""), 2);
    assert.deepEqual(replicasAt(ring, HASH_SPACE - 1n), replicasAt(ring, 0n));
    assert.deepEqual(replicasAt(ring, ring.hashes[0] ?? 0n), replicasAt(ring, 0n));
  });
});

describe("a ring that Thanos can't work with", () => {
  const refused = (members: RingMember[], replicationFactor: number): RingError => {
    try {
      ketamaRing(members, replicationFactor);
    } catch (error) {
      assert.ok(error instanceof RingError);
      return error;
    }
    return assert.fail("the ring was accepted");
  };

  // That v0.42.4 hangs on exactly these layouts was seen by running it with a deadline.
  for (const [layout, replicationFactor, accepted] of [
    ["abbb", 4, 3],
    ["abccc", 5, 4],
    ["aabbbb", 6, 5],
  ] as const) {
    it(`is refused before Thanos' endless search: ${layout}, replication factor ${replicationFactor}`, () => {
      const [problem] = refused(receivers(...layout), replicationFactor).problems;
      assert.equal(problem?.key, "ring.replicationFactor");
      assert.match(problem.rule, /too uneven for \d replicas/);
      assert.match(problem.remedy, new RegExp(`lower the replication factor to ${accepted}$`));
      assert.deepEqual(ringProblems(receivers(...layout), accepted), []);
    });
  }

  it("is refused with fewer members than copies, at the key it was given", () => {
    const [problem, ...rest] = ringProblems(receivers("", ""), 3, "receive.hashrings[1]");
    assert.equal(problem?.key, "receive.hashrings[1].replicationFactor");
    assert.match(problem.rule, /at least as many members as replicas, and this one has 2/);
    assert.match(problem.remedy, /add members up to 3, or lower the replication factor to 2/);
    assert.deepEqual(rest, []);
  });

  it("is refused with all its problems at once", () => {
    const { problems, message } = refused([{ address: "a:1" }, { address: "a:1" }, { address: "" }], 0);
    assert.deepEqual(
      problems.map((problem) => problem.key),
      ["ring.members[1].address", "ring.members[2].address", "ring.replicationFactor"],
    );
    for (const problem of problems) {
      assert.ok(message.includes(problem.rule) && message.includes(problem.remedy));
    }
  });

  it("is refused exactly when the search of a section's copies goes once around without finding the next", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("a", "b", "c", "d"), { minLength: 1, maxLength: 9 }),
        fc.integer({ min: 1, max: 9 }),
        (zones, replicationFactor) => {
          const spread = new Map<string, number>(zones.map((zone) => [zone, 0]));
          const chosen = new Set<number>();
          const next = () =>
            zones.findIndex((zone, i) => {
              const held = spread.get(zone) ?? 0;
              return !chosen.has(i) && !(spread.size > 1 && held > 0 && held > Math.min(...spread.values()));
            });
          for (let member = next(); member >= 0; member = next()) {
            chosen.add(member);
            const zone = zones[member] ?? "";
            spread.set(zone, (spread.get(zone) ?? 0) + 1);
          }
          assert.equal(ringProblems(receivers(...zones), replicationFactor).length === 0, replicationFactor <= chosen.size);
        },
      ),
    );
  });
});

describe("shares of the hash space", () => {
  it("add up to the whole, and every copy of a set is on another member", () => {
    fc.assert(
      fc.property(ringInput, ({ members, replicationFactor }) => {
        const sets = replicaSets(ketamaRing(members, replicationFactor, 20));
        assert.equal(
          sets.reduce((sum, set) => sum + set.space, 0n),
          HASH_SPACE,
        );
        for (const set of sets) {
          assert.equal(new Set(set.members).size, replicationFactor);
        }
      }),
    );
  });

  it("agree with the members found for evenly spaced hashes", () => {
    fc.assert(
      fc.property(ringInput, ({ members, replicationFactor }) => {
        const ring = ketamaRing(members, replicationFactor, 20);
        const samples = 4000n;
        const counted = new Map<string, number>();
        for (let i = 0n; i < samples; i++) {
          const key = replicasAt(ring, (i * HASH_SPACE) / samples)
            .sort((a, b) => a - b)
            .join();
          counted.set(key, (counted.get(key) ?? 0) + 1);
        }
        const sets = new Map(replicaSets(ring).map((set) => [set.members.join(), set.share]));
        for (const key of counted.keys()) {
          assert.ok(sets.has(key), `${key} was found by sampling but has no share`);
        }
        for (const [key, share] of sets) {
          // Each range of a set is counted to within one sample; a set has at most as many ranges as the ring has sections.
          assert.ok(Math.abs(share - (counted.get(key) ?? 0) / Number(samples)) <= ring.hashes.length / Number(samples));
        }
      }),
      { numRuns: 30 },
    );
  });

  it("are whole for the only set of three members with three copies", () => {
    assert.deepEqual(replicaSets(ketamaRing(receivers("", "", ""), 3)), [{ members: [0, 1, 2], space: HASH_SPACE, share: 1 }]);
  });

  it("never hold two copies in one zone when there are as many zones as copies", () => {
    const members = receivers("a", "b", "c", "a", "b", "c");
    for (const set of replicaSets(ketamaRing(members, 3))) {
      assert.deepEqual(set.members.map((member) => members[member]?.zone).sort(), ["a", "b", "c"]);
    }
  });
});

describe("the balance of a ring", () => {
  it("shows the lone member of a zone, in 2/2/1 at replication factor 3, with two thirds more than the mean", () => {
    const { heaviest, members } = zoneBalance(ketamaRing(receivers("a", "b", "c", "a", "b"), 3));
    assert.equal(heaviest.zone, "c");
    assert.equal(heaviest.share, 1);
    assert.ok(Math.abs(heaviest.load - 5 / 3) < 1e-12);
    assert.ok(members.filter((member) => member.zone !== "c").every((member) => member.load < 0.9));
  });

  it("is even when every member holds everything", () => {
    assert.deepEqual(
      zoneBalance(ketamaRing(receivers("", "", ""), 3)).members.map((member) => member.load),
      [1, 1, 1],
    );
  });

  it("has a mean of 1", () => {
    fc.assert(
      fc.property(ringInput, ({ members, replicationFactor }) => {
        const loads = zoneBalance(ketamaRing(members, replicationFactor, 20)).members.map((member) => member.load);
        assert.ok(Math.abs(loads.reduce((sum, load) => sum + load, 0) / loads.length - 1) < 1e-9);
      }),
    );
  });
});
