import { formatProblem, type Problem } from "../values/problem";
import { xxhash64, xxhash64After } from "./xxhash64";

/** A ring, or a plan around it, that can't work; it carries every problem found, and its message names them all. */
export class RingError extends Error {
  override readonly name = "RingError";

  constructor(readonly problems: readonly Problem[]) {
    super(problems.map(formatProblem).join("\n"));
  }
}

/** A receiver in a hashring. */
export interface RingMember {
  /** The endpoint's address, byte for byte as in the hashring file: it is what is hashed. */
  address: string;
  /** The endpoint's availability zone, the `az` of the hashring file. Without it, the member is in the zone named "", as in Thanos. */
  zone?: string;
}

/** A hashring as Thanos computes it: for every range of the hash space, the members that hold its replicas. */
export interface KetamaRing {
  /** The members, in the order they were given; every index below points here. */
  members: readonly RingMember[];
  /** Replicas per series. */
  replicationFactor: number;
  /** The upper end, itself included, of each section of the hash space, ascending. A section begins after the end of the one before. */
  hashes: BigUint64Array;
  /** Each section's members, `replicationFactor` of them a section, the first replica first. */
  replicas: Uint16Array;
}

/** Sections a member has in the ring: Thanos' `SectionsPerNode`. */
export const SECTIONS_PER_MEMBER = 1000;

/** The number of different hashes, 2^64. */
export const HASH_SPACE = 1n << 64n;

const LOW_BITS = 32n;

const encoder = new TextEncoder();

/** The zone that Thanos takes a member to be in. */
export const zoneOf = (member: RingMember): string => member.zone ?? "";

function zoneSizes(members: readonly RingMember[]): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const member of members) {
    sizes.set(zoneOf(member), (sizes.get(zoneOf(member)) ?? 0) + 1);
  }
  return sizes;
}

/**
 * The most replicas for which Thanos finds members in this layout of zones.
 *
 * Thanos takes a member only from a zone that holds no more of the series' replicas than any other zone. Once the smallest zone, of size s,
 * is used up, every other zone gets one replica more than s, and then no member is ever accepted: `calculateSectionReplicas` searches for
 * ever, and the receiver neither starts nor reports anything.
 *
 * Source: `calculateSectionReplicas` in Thanos v0.42.4 `pkg/receive/hashring.go`.
 */
export function largestReplicationFactor(members: readonly RingMember[]): number {
  const sizes = [...zoneSizes(members).values()];
  if (sizes.length <= 1) {
    return members.length;
  }
  const smallest = Math.min(...sizes);
  return sizes.reduce((sum, size) => sum + Math.min(size, smallest + 1), 0);
}

/**
 * Every reason why Thanos can't work with such a ring; empty if it can.
 *
 * @param key where the ring stands in the configuration; the keys of the problems begin with it. Default `ring`.
 */
export function ringProblems(members: readonly RingMember[], replicationFactor: number, key = "ring"): Problem[] {
  const problems: Problem[] = [];
  const addresses = new Set<string>();
  for (const [index, { address }] of members.entries()) {
    if (address === "") {
      problems.push({
        key: `${key}.members[${index}].address`,
        value: address,
        rule: "a member of a hashring has an address",
        remedy: "give the receiver's stable DNS name and its gRPC port",
      });
    } else if (addresses.has(address)) {
      problems.push({
        key: `${key}.members[${index}].address`,
        value: address,
        rule: "a hashring names a member once: twice, it counts as two members and holds two of a series' replicas",
        remedy: "give each receiver its own address",
      });
    }
    addresses.add(address);
  }
  if (!Number.isInteger(replicationFactor) || replicationFactor < 1) {
    problems.push({
      key: `${key}.replicationFactor`,
      value: replicationFactor,
      rule: "the replication factor is a whole number of replicas, at least one",
      remedy: "give 3, or 1 where data may be lost",
    });
  } else if (members.length < replicationFactor) {
    problems.push({
      key: `${key}.replicationFactor`,
      value: replicationFactor,
      rule: `a hashring has at least as many members as replicas, and this one has ${members.length}: every receiver would exit at start`,
      remedy: `add members up to ${replicationFactor}${members.length > 0 ? `, or lower the replication factor to ${members.length}` : ""}`,
    });
  } else if (largestReplicationFactor(members) < replicationFactor) {
    const layout = [...zoneSizes(members)].map(([zone, size]) => `${zone === "" ? "(no zone)" : zone}: ${size}`).join(", ");
    problems.push({
      key: `${key}.replicationFactor`,
      value: replicationFactor,
      rule: `the zones (${layout}) are too uneven for ${replicationFactor} replicas: Thanos would search for a member for ever`,
      remedy: `put the same number of members in each zone, or lower the replication factor to ${largestReplicationFactor(members)}`,
    });
  }
  return problems;
}

/**
 * The ring that Thanos v0.42.4 builds with `--receive.hashrings-algorithm=ketama` from these members.
 *
 * It is a port of `newKetamaHashring` and `calculateSectionReplicas` in `pkg/receive/hashring.go`: a member has a section at the hash of
 * `address:i` for each i from 1; a section's replicas are on the next members around the ring, each once, spread evenly over the zones.
 *
 * @param replicationFactor replicas per series.
 * @param sectionsPerMember default {@link SECTIONS_PER_MEMBER}; another value gives a ring that Thanos
 * doesn't have, which is of use to tests.
 * @throws {RingError} if Thanos would exit or hang; see {@link ringProblems}.
 */
export function ketamaRing(
  members: readonly RingMember[],
  replicationFactor: number,
  sectionsPerMember: number = SECTIONS_PER_MEMBER,
): KetamaRing {
  const problems = ringProblems(members, replicationFactor);
  if (problems.length > 0) {
    throw new RingError(problems);
  }
  const key = JSON.stringify([replicationFactor, sectionsPerMember, members.map(({ address, zone }) => [address, zone])]);
  const sections = recent.get(key) ?? sectionsFor(members, replicationFactor, sectionsPerMember);
  recent.delete(key);
  recent.set(key, sections);
  for (const oldest of [...recent.keys()].slice(0, -MOST_RECENT)) recent.delete(oldest);
  return { members, replicationFactor, ...sections };
}

/** The rings that were asked for last, the newest at the end: survival, capacity and shards of a plan are computed of the same ones. */
const recent = new Map<string, Pick<KetamaRing, "hashes" | "replicas">>();
/** As many as plans have hashrings; one of 300 members takes 4 MB. */
const MOST_RECENT = 8;

function sectionsFor(
  members: readonly RingMember[],
  replicationFactor: number,
  sectionsPerMember: number,
): Pick<KetamaRing, "hashes" | "replicas"> {
  const hashes = new BigUint64Array(members.length * sectionsPerMember);
  const suffixes = Array.from({ length: sectionsPerMember }, (_, i) => encoder.encode(`${i + 1}`));
  for (const [member, { address }] of members.entries()) {
    const hashOf = xxhash64After(encoder.encode(`${address}:`));
    for (const [i, suffix] of suffixes.entries()) hashes[member * sectionsPerMember + i] = hashOf(suffix);
  }
  const order = ascending(hashes);
  return {
    hashes: BigUint64Array.from(order, (section) => hashes[section] ?? 0n),
    replicas: sectionReplicas(
      Uint16Array.from(order, (section) => Math.floor(section / sectionsPerMember)),
      members,
      replicationFactor,
    ),
  };
}

/** The places of some hashes in ascending order; of equal ones the first first. */
function ascending(hashes: BigUint64Array): Uint32Array {
  const high = Float64Array.from(hashes, (hash) => Number(hash >> LOW_BITS));
  return Uint32Array.from(hashes.keys()).sort((a, b) => {
    const difference = (high[a] ?? 0) - (high[b] ?? 0);
    if (difference !== 0) return difference;
    const [one = 0n, other = 0n] = [hashes[a], hashes[b]];
    return one < other ? -1 : one > other ? 1 : a - b;
  });
}

/** The member that each section belongs to: the first that holds its series. */
const ownersOf = ({ replicas, replicationFactor, hashes }: KetamaRing): number[] =>
  Array.from(hashes, (_, section) => replicas[section * replicationFactor] ?? 0);

/**
 * The sections of a ring that belong to some of its members, in order: their hashes and whose they are.
 *
 * @param of Whether a member counts.
 */
export function sectionsOf(ring: KetamaRing, of: (member: number) => boolean): { hash: bigint; member: number }[] {
  return ownersOf(ring).flatMap((member, section) => (of(member) ? [{ hash: ring.hashes[section] ?? 0n, member }] : []));
}

/**
 * The ring of some members of another one, as Thanos builds it of these alone: a section's place depends on its own member only.
 *
 * @param chosen indices of the members, at least as many as replicas
 * @throws {RingError} as {@link ketamaRing}
 */
export function partOfRing(ring: KetamaRing, chosen: readonly number[]): KetamaRing {
  const members = chosen.flatMap((member) => ring.members[member] ?? []);
  const problems = ringProblems(members, ring.replicationFactor);
  if (problems.length > 0) throw new RingError(problems);
  const sections = sectionsOf(ring, (member) => chosen.includes(member));
  return {
    members,
    replicationFactor: ring.replicationFactor,
    hashes: BigUint64Array.from(sections, ({ hash }) => hash),
    replicas: sectionReplicas(
      sections.map(({ member }) => chosen.indexOf(member)),
      members,
      ring.replicationFactor,
    ),
  };
}

function sectionReplicas(owners: ArrayLike<number>, members: readonly RingMember[], replicationFactor: number): Uint16Array {
  const zoneNames = [...zoneSizes(members).keys()];
  const zones = Uint16Array.from(members, (member) => zoneNames.indexOf(zoneOf(member)));
  const replicas = new Uint16Array(owners.length * replicationFactor);
  // The last section, counted from 1, for which a member was chosen: no set is made for each of hundreds of thousands.
  const chosenFor = new Uint32Array(members.length);
  const spread = new Uint16Array(zoneNames.length);
  for (let section = 0; section < owners.length; section++) {
    spread.fill(0);
    let chosen = 0;
    for (let at = section; chosen < replicationFactor; at = at + 1 === owners.length ? 0 : at + 1) {
      const member = owners[at] ?? 0;
      const zone = zones[member] ?? 0;
      const inZone = spread[zone] ?? 0;
      if (chosenFor[member] === section + 1 || (spread.length > 1 && inZone > 0 && inZone > leastOf(spread))) {
        continue;
      }
      replicas[section * replicationFactor + chosen] = member;
      chosen++;
      chosenFor[member] = section + 1;
      spread[zone] = inZone + 1;
    }
  }
  return replicas;
}

function leastOf(counts: Uint16Array): number {
  let least = Number.POSITIVE_INFINITY;
  for (const count of counts) if (count < least) least = count;
  return least;
}

/**
 * The hash by which Thanos places a series: that of the tenant and the series' labels.
 *
 * Source: `labelpb.HashWithPrefix` in Thanos v0.42.4; a sender gives the labels ordered by the bytes of their names.
 */
export function seriesHash(tenant: string, labels: Readonly<Record<string, string>>): bigint {
  const separator = Buffer.from([0xff]);
  const parts: Buffer[] = [Buffer.from(tenant), separator];
  const sorted = Object.entries(labels)
    .map(([name, value]) => ({ name: Buffer.from(name), value: Buffer.from(value) }))
    .sort((a, b) => Buffer.compare(a.name, b.name));
  for (const { name, value } of sorted) {
    parts.push(name, separator, value, separator);
  }
  return xxhash64(Buffer.concat(parts));
}

/** The indices of the members that hold the replicas of whatever hashes to `hash`, the first replica first: Thanos' `GetN` for each n. */
export function replicasAt(ring: KetamaRing, hash: bigint): number[] {
  let low = 0;
  let high = ring.hashes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ring.hashes[middle] ?? 0n) >= hash) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  const section = low === ring.hashes.length ? 0 : low;
  return [...ring.replicas.subarray(section * ring.replicationFactor, (section + 1) * ring.replicationFactor)];
}

/** The indices of the members that hold the replicas of a series, the first replica first. */
export function replicasOf(ring: KetamaRing, tenant: string, labels: Readonly<Record<string, string>>): number[] {
  return replicasAt(ring, seriesHash(tenant, labels));
}
