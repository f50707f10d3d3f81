import { HASH_SPACE, type KetamaRing } from "./ketama";
import { addSpace, emptySpaces, groupReplicas, type ReplicaSets, type Spaces, shareOf } from "./replicaSets";

/** Where a ring's replicas are, laid out for examining many losses. */
export interface Placed extends ReplicaSets {
  /** For each member, the indices of the sets it belongs to. */
  setsOf: number[][];
}

/** Lays out a ring's replicas. */
export function placeReplicas(ring: KetamaRing): Placed {
  const sets = groupReplicas(ring);
  const setsOf: number[][] = ring.members.map(() => []);
  for (const [at, member] of sets.members.entries()) setsOf[member]?.push(Math.floor(at / sets.replicationFactor));
  return { ...sets, setsOf };
}

/** Shares of the series, 0 to 1, by how many of their replicas are lost. */
export interface CaseShares {
  /** Series that have lost so many replicas or more; so many is at least 1. */
  atLeast(replicas: number): number;
  /** Series that have lost exactly so many replicas. */
  exactly(replicas: number): number;
}

/** @param lost for each number of replicas from 1, the hashes of the series that have lost so many; the first number is not read */
function sharesOf(lost: Spaces, replicationFactor: number): CaseShares {
  const sum = (halves: Float64Array): number => halves.subarray(1).reduce((all, half) => all + half, 0);
  lost.high[0] = Number(HASH_SPACE >> 32n) - sum(lost.high);
  lost.low[0] = -sum(lost.low);
  return {
    atLeast: (replicas) => shareOf(lost, replicas, replicationFactor + 1),
    exactly: (replicas) => shareOf(lost, replicas),
  };
}

/** Consequences of the loss of certain members: exact, by summing the hash space of every set they belong to. */
export function caseShares({ count, high, low, setsOf, replicationFactor }: Placed, lost: readonly number[]): CaseShares {
  const lostOf = new Uint8Array(count);
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
  const spaces = emptySpaces(replicationFactor + 1);
  for (const set of touched) addSpace(spaces, lostOf[set] ?? 0, high[set], low[set]);
  return sharesOf(spaces, replicationFactor);
}

/**
 * {@link caseShares} of any two of these groups of members, of which no member is in two: exact, and one pass over the sets for all pairs.
 * What two groups take of a series is what each takes by itself, but for the series that are on both: only those are counted again.
 *
 * @returns the shares of the groups of these two indices, the smaller first
 */
export function pairShares(placed: Placed, groups: readonly number[][]): (one: number, other: number) => CaseShares {
  const { replicationFactor, high, low } = placed;
  const counts = replicationFactor + 1;
  const alone = emptySpaces(groups.length * counts);
  const together = emptySpaces(groups.length ** 2 * counts);
  forEachSet(placed, groups, (set, held, replicas, kinds) => {
    for (let i = 0; i < kinds; i++) {
      const [one = 0, ofOne = 0] = [held[i], replicas[i]];
      addSpace(alone, one * counts + ofOne, high[set], low[set]);
      for (let j = i + 1; j < kinds; j++) {
        const [other = 0, ofOther = 0] = [held[j], replicas[j]];
        const pair = (Math.min(one, other) * groups.length + Math.max(one, other)) * counts;
        addSpace(together, pair + ofOne + ofOther, high[set], low[set]);
        addSpace(together, pair + ofOne, -(high[set] ?? 0), -(low[set] ?? 0));
        addSpace(together, pair + ofOther, -(high[set] ?? 0), -(low[set] ?? 0));
      }
    }
  });
  return (one, other) => {
    const lost = emptySpaces(counts);
    for (const [spaces, from] of [
      [alone, one * counts],
      [alone, other * counts],
      [together, (one * groups.length + other) * counts],
    ] as const)
      for (let replicas = 1; replicas < counts; replicas++)
        addSpace(lost, replicas, spaces.high[from + replicas], spaces.low[from + replicas]);
    return sharesOf(lost, replicationFactor);
  };
}

/** The most replicas that any series loses when any `count` of these groups of members are lost. */
export function worstReplicasLost(placed: Placed, groups: readonly number[][], count: number): number {
  let worst = 0;
  forEachSet(placed, groups, (_set, _held, replicas, kinds) => {
    // Mostly each replica is in a group of its own.
    const lost = kinds === placed.replicationFactor ? Math.min(count, kinds) : mostOf(replicas.slice(0, kinds), count);
    if (lost > worst) worst = lost;
  });
  return worst;
}

/** The sum of the `count` greatest. */
const mostOf = (numbers: Uint8Array, count: number): number =>
  numbers
    .sort()
    .subarray(Math.max(0, numbers.length - count))
    .reduce((sum, number) => sum + number, 0);

/**
 * Visits every set with the groups that its members are in.
 *
 * @param visit Gets the set, the groups, how many of its members each has, and how many groups these are: what stands in the lists after
 * so many is of no meaning, and the lists are filled anew for the next set.
 */
function forEachSet(
  { count, members, replicationFactor, setsOf }: Placed,
  groups: readonly number[][],
  visit: (set: number, held: Uint16Array, replicas: Uint8Array, kinds: number) => void,
): void {
  const NONE = groups.length;
  const groupOf = new Uint16Array(setsOf.length).fill(NONE);
  for (const [index, group] of groups.entries()) for (const member of group) groupOf[member] = index;
  const held = new Uint16Array(replicationFactor);
  const replicas = new Uint8Array(replicationFactor);
  for (let set = 0; set < count; set++) {
    let kinds = 0;
    for (let at = set * replicationFactor; at < (set + 1) * replicationFactor; at++) {
      const group = groupOf[members[at] ?? 0] ?? NONE;
      if (group === NONE) continue;
      let kind = 0;
      while (kind < kinds && held[kind] !== group) kind++;
      if (kind === kinds) {
        kinds++;
        held[kind] = group;
        replicas[kind] = 0;
      }
      replicas[kind] = (replicas[kind] ?? 0) + 1;
    }
    visit(set, held, replicas, kinds);
  }
}
