import { HASH_SPACE, type KetamaRing, replicaSets } from "./ketama";

const LOW_BITS = 32n;
const LOW_MASK = (1n << LOW_BITS) - 1n;

/** Where a ring's replicas are, laid out for examining many losses. */
export interface Placed {
  replicationFactor: number;
  /** Every set of members that holds the replicas of some series. */
  sets: number[][];
  /** For each set, the upper 32 bits of the number of its hashes. */
  high: Float64Array;
  /** For each set, the lower 32 bits of the number of its hashes. */
  low: Float64Array;
  /** For each member, the indices of the sets it belongs to. */
  setsOf: number[][];
}

/** Lays out a ring's replicas. */
export function placeReplicas(ring: KetamaRing): Placed {
  // Each half of a hash count is summed as a double: as exact as a bigint (fewer than 2^21 sets), and thousands of losses take no time.
  const sets = replicaSets(ring);
  const setsOf: number[][] = ring.members.map(() => []);
  for (const [index, { members }] of sets.entries()) {
    for (const member of members) {
      setsOf[member]?.push(index);
    }
  }
  return {
    replicationFactor: ring.replicationFactor,
    sets: sets.map((set) => set.members),
    high: Float64Array.from(sets, ({ space }) => Number(space >> LOW_BITS)),
    low: Float64Array.from(sets, ({ space }) => Number(space & LOW_MASK)),
    setsOf,
  };
}

/** Shares of the series, 0 to 1, by how many of their replicas are lost. */
export interface CaseShares {
  /** Series that have lost so many replicas or more; so many is at least 1. */
  atLeast(replicas: number): number;
  /** Series that have lost exactly so many replicas. */
  exactly(replicas: number): number;
}

/** Consequences of the loss of certain members: exact, by summing the hash space of every set they belong to. */
export function caseShares({ sets, high, low, setsOf, replicationFactor }: Placed, lost: readonly number[]): CaseShares {
  const lostOf = new Uint8Array(sets.length);
  const touched: number[] = [];
  for (const member of lost) {
    for (const set of setsOf[member] ?? []) {
      const before = lostOf[set] ?? 0;
      lostOf[set] = before + 1;
      if (before === 0) {
        touched.push(set);
      }
    }
  }
  const highs = new Float64Array(replicationFactor + 1);
  const lows = new Float64Array(replicationFactor + 1);
  for (const set of touched) {
    const replicas = lostOf[set] ?? 0;
    highs[replicas] = (highs[replicas] ?? 0) + (high[set] ?? 0);
    lows[replicas] = (lows[replicas] ?? 0) + (low[set] ?? 0);
  }
  const spaces = Array.from(highs, (part, replicas) => (BigInt(part) << LOW_BITS) + BigInt(lows[replicas] ?? 0));
  spaces[0] = spaces.slice(1).reduce((rest, space) => rest - space, HASH_SPACE);
  const share = (from: number, to: number) => Number(spaces.slice(from, to).reduce((sum, space) => sum + space, 0n)) / Number(HASH_SPACE);
  return {
    atLeast: (replicas) => share(replicas, replicationFactor + 1),
    exactly: (replicas) => share(replicas, replicas + 1),
  };
}

/** The most replicas that any series loses when any `count` of these groups of members are lost. */
export function worstReplicasLost({ sets, setsOf }: Placed, groups: readonly number[][], count: number): number {
  const groupOf = new Array<number>(setsOf.length).fill(0);
  for (const [index, group] of groups.entries()) {
    for (const member of group) {
      groupOf[member] = index;
    }
  }
  let worst = 0;
  for (const members of sets) {
    const held = new Map<number, number>();
    for (const member of members) {
      const group = groupOf[member] ?? 0;
      held.set(group, (held.get(group) ?? 0) + 1);
    }
    const lost = [...held.values()]
      .sort((a, b) => b - a)
      .slice(0, count)
      .reduce((sum, replicas) => sum + replicas, 0);
    worst = Math.max(worst, lost);
  }
  return worst;
}
