import assert from "node:assert/strict";
import fc from "fast-check";
import { HASH_SPACE, ketamaRing, largestReplicationFactor, replicasAt } from "../../../model/ring/ketama";
import { caseShares, pairShares, placeReplicas, worstReplicasLost } from "../../../model/ring/placement";

/** A ring whose members are in groups, some perhaps in none, and every section with its width and its replicas, one by one. */
const input = fc
  .array(fc.record({ zone: fc.constantFrom("a", "b", "c"), group: fc.integer({ min: 0, max: 4 }) }), { minLength: 2, maxLength: 8 })
  .map((drawn) => ({
    members: drawn.map(({ zone }, i) => ({ address: `receiver-${i}:10901`, zone })),
    groups: [0, 1, 2, 3].map((group) => drawn.flatMap((each, i) => (each.group === group ? [i] : []))),
  }))
  .chain(({ members, groups }) =>
    fc
      .record({ replicationFactor: fc.integer({ min: 1, max: Math.min(5, largestReplicationFactor(members)) }) })
      .map(({ replicationFactor }) => {
        const ring = ketamaRing(members, replicationFactor, 20);
        const sections = [...ring.hashes].map((hash, i, all) => ({
          width: hash - (i === 0 ? (all[all.length - 1] ?? 0n) - HASH_SPACE : (all[i - 1] ?? 0n)),
          replicas: replicasAt(ring, hash),
        }));
        return { ring, groups, replicationFactor, sections };
      }),
  );

describe("the shares of a loss, against every section by itself", () => {
  const lostOf = (replicas: readonly number[], lost: readonly number[]) => replicas.filter((member) => lost.includes(member)).length;

  it("of two groups and of their members one by one are the same doubles, each the exact share rounded once", () => {
    fc.assert(
      fc.property(input, ({ ring, groups, replicationFactor, sections }) => {
        const placed = placeReplicas(ring);
        const pairs = pairShares(placed, groups);
        for (let one = 0; one < groups.length; one++)
          for (let other = one + 1; other < groups.length; other++) {
            const lost = [...(groups[one] ?? []), ...(groups[other] ?? [])];
            for (const shares of [pairs(one, other), caseShares(placed, lost)])
              for (let replicas = 0; replicas <= replicationFactor; replicas++) {
                const sum = (counts: (replicas: number) => boolean) =>
                  Number(sections.reduce((all, each) => (counts(lostOf(each.replicas, lost)) ? all + each.width : all), 0n)) /
                  Number(HASH_SPACE);
                assert.equal(
                  shares.exactly(replicas),
                  sum((count) => count === replicas),
                );
                if (replicas > 0)
                  assert.equal(
                    shares.atLeast(replicas),
                    sum((count) => count >= replicas),
                  );
              }
          }
      }),
      { numRuns: 60 },
    );
  });

  it("include the worst, for any number of groups", () => {
    fc.assert(
      fc.property(input, fc.integer({ min: 1, max: 4 }), ({ ring, groups, sections }, count) => {
        const choices = groups.reduce<number[][][]>((all, group) => all.concat(all.map((chosen) => [...chosen, group])), [[]]);
        const worst = choices
          .filter((chosen) => chosen.length === count)
          .flatMap((chosen) => sections.map(({ replicas }) => lostOf(replicas, chosen.flat())));
        assert.equal(worstReplicasLost(placeReplicas(ring), groups, count), Math.max(...worst));
      }),
      { numRuns: 60 },
    );
  });
});
