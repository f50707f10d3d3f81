import type { Hashring } from "./hashring";
import { ketamaRing, partOfRing } from "./ketama";
import { caseShares, placeReplicas } from "./placement";
import { writeQuorum } from "./quorum";
import { shardsOf } from "./shards";

/** Consequences of a change of the ring for stored samples. */

interface HashringsFileRing {
  hashring?: string;
  endpoints: (string | { address: string })[];
}

/** Every address in a hashring file. */
export function addressesOf(file: string): string[] {
  const rings = JSON.parse(file) as HashringsFileRing[];
  return rings.flatMap((ring) => ring.endpoints.map((endpoint) => (typeof endpoint === "string" ? endpoint : endpoint.address)));
}

/** Addresses that are in the new file and not in the old one. */
export function joining(before: string, after: string): string[] {
  const known = new Set(addressesOf(before));
  return addressesOf(after).filter((address) => !known.has(address));
}

/** The pod that an address names. */
export function podOf(address: string): string {
  const [pod] = address.split(".");
  if (pod === undefined || pod === "") throw new Error(`no pod's name in ${JSON.stringify(address)}`);
  return pod;
}

/** Samples that leave with some receivers of a ring for good, as shares of its series, 0 to 1. */
export interface SeriesLost {
  /** Series of which every replica was on the leaving ones: their old samples are no longer served at all. */
  wholly: number;
  /** Series of which a quorum was: a sample that only they acknowledged is no longer answered. */
  possibly: number;
}

/**
 * Old samples that are lost when some receivers leave a ring and there is no bucket. Exact over the ring as Thanos computes it; of a ring
 * that is shuffle sharded, the shares of the tenant that loses most, and where only a pattern names tenants, the most that one of these
 * could lose.
 */
export function seriesLost(ring: Hashring, replicationFactor: number, leavingPods: readonly string[]): SeriesLost {
  const whole = ketamaRing(ring.members, replicationFactor);
  const everyMember = ring.members.map((_, index) => index);
  const leaving = everyMember.filter((index) => leavingPods.includes(ring.members[index]?.pod ?? ""));
  const shards = ring.shuffleSharding === undefined ? [everyMember] : shardsOf(whole, ring.shuffleSharding, ring.tenants, leaving);
  const losses = shards.map((shard) => {
    const lost = leaving.flatMap((member) => (shard.includes(member) ? [shard.indexOf(member)] : []));
    return caseShares(placeReplicas(partOfRing(whole, shard)), lost);
  });
  const most = (copies: number) => Math.max(...losses.map((shares) => shares.atLeast(copies)));
  return { wholly: most(replicationFactor), possibly: most(writeQuorum(replicationFactor)) };
}
