import { HASH_SPACE, type KetamaRing, zoneOf } from "./ketama";

/** The part of the hash space, thus of the series, whose replicas are on the same members. */
export interface ReplicaSet {
  /** The indices of the members, ascending. */
  members: number[];
  /** How many of the 2^64 hashes fall to these members: exact. */
  space: bigint;
  /** `space` as a fraction of all hashes, 0 to 1. */
  share: number;
}

const LOW_BITS = 32n;
const LOW_MASK = (1n << LOW_BITS) - 1n;
const HALF = 2 ** 32;

/**
 * Numbers of hashes, each in two halves that are summed as doubles: as exact as bigints for fewer than 2^21 summands of 64 bits, and a
 * ring has a thousand sections a member.
 */
export interface Spaces {
  /** Each number's upper 32 bits. */
  high: Float64Array;
  /** Each number's lower 32 bits. A sum of them may have more, or be negative: the number is `high * 2^32 + low`. */
  low: Float64Array;
}

/** So many numbers of no hashes. */
export const emptySpaces = (count: number): Spaces => ({ high: new Float64Array(count), low: new Float64Array(count) });

/** Adds hashes to a number. */
export function addSpace({ high, low }: Spaces, at: number, addedHigh = 0, addedLow = 0): void {
  high[at] = (high[at] ?? 0) + addedHigh;
  low[at] = (low[at] ?? 0) + addedLow;
}

/**
 * The sum of consecutive numbers as a fraction of all hashes, 0 to 1; it is 0 only for none and 1 only for all, or so near that no number
 * lies between. Rounded once, at the end: each half is a whole number that a double holds.
 *
 * @param to The end, itself not included. Default: one number.
 */
export function shareOf({ high, low }: Spaces, from: number, to = from + 1): number {
  let sumHigh = 0;
  let sumLow = 0;
  for (let at = from; at < to; at++) {
    sumHigh += high[at] ?? 0;
    sumLow += low[at] ?? 0;
  }
  return (sumHigh * HALF + sumLow) / Number(HASH_SPACE);
}

/** How many hashes each section of a ring has. */
function sectionWidths({ hashes }: KetamaRing): Spaces {
  const widths = emptySpaces(hashes.length);
  const last = hashes[hashes.length - 1] ?? 0n;
  // The first section begins after the last, around the end of the hash space.
  let highBefore = Number(last >> LOW_BITS) - HALF;
  let lowBefore = Number(last & LOW_MASK);
  for (const [section, hash] of hashes.entries()) {
    const high = Number(hash >> LOW_BITS);
    const low = Number(hash & LOW_MASK);
    addSpace(widths, section, high - highBefore, low - lowBefore);
    highBefore = high;
    lowBefore = low;
  }
  return widths;
}

/** Every set of members that holds all replicas of some series, laid out for hundreds of thousands of them. */
export interface ReplicaSets extends Spaces {
  /** Members of a set. */
  replicationFactor: number;
  /** How many sets. */
  count: number;
  /** Each set's members, `replicationFactor` a set, ascending. */
  members: Uint16Array;
}

/** The sets of members that hold all replicas of some series, and how much of the hash space each has; in no order. */
export function groupReplicas(ring: KetamaRing): ReplicaSets {
  const { replicationFactor, hashes } = ring;
  const widths = sectionWidths(ring);
  // A set is found by its members one after the other: what was found of the first ones, and the next one, is a key.
  const found = new Map<number, number>();
  const sets = emptySpaces(hashes.length);
  const members = new Uint16Array(ring.replicas.length);
  let beginnings = 0;
  let count = 0;
  for (let section = 0; section < hashes.length; section++) {
    const width = [widths.high[section] ?? 0, widths.low[section] ?? 0] as const;
    if (width[0] === 0 && width[1] === 0) continue;
    const own = ring.replicas.slice(section * replicationFactor, (section + 1) * replicationFactor).sort();
    let key = 0;
    for (const [position, member] of own.entries()) {
      const next = key * ring.members.length + member;
      const last = position === replicationFactor - 1;
      const known = found.get(next);
      if (known !== undefined) key = known;
      else {
        key = last ? count++ : ++beginnings;
        found.set(next, key);
        if (last) members.set(own, key * replicationFactor);
      }
    }
    addSpace(sets, key, ...width);
  }
  return {
    replicationFactor,
    count,
    members: members.subarray(0, count * replicationFactor),
    high: sets.high.subarray(0, count),
    low: sets.low.subarray(0, count),
  };
}

/** The exact share of the hash space of each set of members that holds all replicas of some series, ordered by its members. */
export function replicaSets(ring: KetamaRing): ReplicaSet[] {
  const sets = groupReplicas(ring);
  const { replicationFactor, high, low } = sets;
  return Array.from({ length: sets.count }, (_, set) => ({
    members: [...sets.members.subarray(set * replicationFactor, (set + 1) * replicationFactor)],
    space: (BigInt(high[set] ?? 0) << LOW_BITS) + BigInt(low[set] ?? 0),
    share: shareOf(sets, set),
  })).sort((a, b) => a.members.map((member, i) => member - (b.members[i] ?? 0)).find((difference) => difference !== 0) ?? 0);
}

/** Load of one member of a ring. */
export interface MemberLoad {
  address: string;
  zone: string;
  /** The share of all series of which this member holds a replica, 0 to 1: exact. */
  share: number;
  /** `share` relative to the mean over the members: 1 is even, 1.667 holds two thirds more than the mean. */
  load: number;
}

/** How evenly a ring loads its members. */
export interface ZoneBalance {
  /** Every member's load, in the order of the members. */
  members: MemberLoad[];
  /** The member that holds most: its disk and memory fill first. */
  heaviest: MemberLoad;
}

/**
 * Every member's part of the replicas: exact, for the ring as given.
 *
 * With {@link SECTIONS_PER_MEMBER} sections, an even layout stays within a few percent of 1. With replicas spread over the zones, a zone's
 * replicas fall to its members alone, so that a zone with fewer members loads each of them more.
 */
export function zoneBalance(ring: KetamaRing): ZoneBalance {
  const { replicationFactor, replicas } = ring;
  const { high, low } = sectionWidths(ring);
  const spaces = emptySpaces(ring.members.length);
  for (const [at, member] of replicas.entries()) {
    const section = Math.floor(at / replicationFactor);
    addSpace(spaces, member, high[section], low[section]);
  }
  const members = ring.members.map((member, index) => {
    const share = shareOf(spaces, index);
    return { address: member.address, zone: zoneOf(member), share, load: (share * ring.members.length) / replicationFactor };
  });
  return { members, heaviest: members.reduce((heaviest, member) => (member.load > heaviest.load ? member : heaviest)) };
}
