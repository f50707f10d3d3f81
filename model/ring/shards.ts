import { createHash } from "node:crypto";
import { isGlob, takesTenant } from "../values/glob";
import { goRandom } from "./goRandom";
import { type KetamaRing, type RingMember, sectionsOf } from "./ketama";

/**
 * Shuffle sharding: each tenant of a ring has a shard of it, some of its members, and its series are on these alone.
 * Source: thanos pkg/receive/hashring.go v0.42.4 `shuffleShardHashring`, the same in v0.41.
 */

/** Which part of its ring a tenant gets. */
export interface ShuffleSharding {
  /** Members of a tenant's shard. */
  shardSize: number;
  /** Whether a shard's members are drawn from all zones together, and not as many from each. */
  zoneAwarenessDisabled: boolean;
  /** Sizes of some tenants' shards; the first that names a tenant counts. */
  overrides: readonly { tenants: readonly string[]; shardSize: number }[];
}

/** Members of a tenant's shard, as the stack file says. */
export const shardSizeOf = ({ shardSize, overrides }: ShuffleSharding, tenant: string): number =>
  overrides.find(({ tenants }) => tenants.some((pattern) => takesTenant(pattern, tenant)))?.shardSize ?? shardSize;

/** Every size that a shard of the ring may have. */
export const shardSizes = ({ shardSize, overrides }: ShuffleSharding): number[] => [shardSize, ...overrides.map((each) => each.shardSize)];

/** The seed of the numbers by which a zone's members are drawn for a tenant (`ShuffleShardSeed`). */
function seedOf(tenant: string, zone: string): bigint {
  const hash = createHash("md5").update(tenant);
  if (zone !== "") hash.update("\0").update(zone);
  return hash.digest().readBigInt64BE();
}

/**
 * Draws shards of a ring, each as indices of its members, ascending (`getTenantShard`). From each zone as many are drawn: whoever has the
 * section behind a number that follows from the tenant's name and the zone, and is not drawn already.
 *
 * @returns the shard of a tenant; it throws where a zone has fewer members than are drawn, and Thanos refuses every write of that tenant
 */
export function shardsIn(ring: KetamaRing, sharding: ShuffleSharding): (tenant: string) => number[] {
  const zoneOf = (member: RingMember | undefined): string => (sharding.zoneAwarenessDisabled ? "" : (member?.zone ?? ""));
  const zones = [...new Set(ring.members.map(zoneOf))].map((zone) => ({
    zone,
    sections: sectionsOf(ring, (member) => zoneOf(ring.members[member]) === zone),
  }));
  return (tenant) => {
    const size = shardSizeOf(sharding, tenant);
    const take = Math.ceil(size / zones.length);
    const chosen = zones.flatMap(({ zone, sections }) => {
      const random = goRandom(seedOf(tenant, zone));
      const drawn = new Set<number>();
      for (let draw = 0; draw < take; draw++) {
        const position = random();
        const from = sections.findIndex(({ hash }) => hash >= position);
        const start = from === -1 ? 0 : from;
        const next = [...sections.slice(start), ...sections.slice(0, start)].find(({ member }) => !drawn.has(member));
        if (next === undefined)
          throw new Error(`a shard of ${size} takes ${take} members of zone ${JSON.stringify(zone)}, which has fewer`);
        drawn.add(next.member);
      }
      return [...drawn];
    });
    return chosen.sort(ascending);
  };
}

/**
 * Members that can hold all replicas of a series of a tenant whose name nobody knows yet: as near to each other as the draw allows, and,
 * where zones are disregarded, also as far. Whatever a draw can give is some tenant's, so that no placement of a series is worse than
 * these.
 *
 * @param first members that are taken before others, such as those that are to be lost
 */
function possibleHolders({ members, replicationFactor }: KetamaRing, sharding: ShuffleSharding, first: readonly number[]): number[][] {
  const byZone = new Map<string, number[]>();
  const indices = members.map((_, index) => index);
  for (const index of [...first, ...indices.filter((each) => !first.includes(each))]) {
    const { zone = "" } = members[index] ?? {};
    byZone.set(zone, [...(byZone.get(zone) ?? []), index]);
  }
  const zones = [...byZone.values()];
  // Within a shard replicas are spread evenly over the zones that it has; drawn without regard to zones, it may have the fewest that hold
  // it.
  const fewest = Math.ceil(Math.min(...shardSizes(sharding)) / Math.max(...zones.map((zone) => zone.length)));
  return (sharding.zoneAwarenessDisabled ? [fewest, zones.length] : [zones.length]).map((used) =>
    Array.from({ length: replicationFactor }, (_, turn) => zones[turn % used]?.[Math.floor(turn / used)] ?? 0).sort(ascending),
  );
}

const ascending = (left: number, right: number): number => left - right;

/**
 * Every shard of a ring that is known, as indices of its members, each once: of its tenants by name, and for those that only a pattern
 * names the members of the worst series that one of them can have.
 *
 * @param tenants Undefined: any.
 * @param first Of unknown tenants: members that their worst series have before others. Default: none.
 */
export function shardsOf(
  ring: KetamaRing,
  sharding: ShuffleSharding,
  tenants: readonly string[] | undefined,
  first: readonly number[] = [],
): number[][] {
  const unknown = tenants === undefined || tenants.some(isGlob);
  const shardOf = shardsIn(ring, sharding);
  const shards = [
    ...(tenants ?? []).filter((tenant) => !isGlob(tenant)).map(shardOf),
    ...(unknown ? possibleHolders(ring, sharding, first) : []),
  ];
  return [...new Map(shards.map((shard) => [shard.join(), shard])).values()];
}
