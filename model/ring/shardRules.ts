import { type RingSettings, ringsOf } from "../settings/rings";
import type { ReceiveSettings, Settings } from "../settings/schema";
import { globsOverlap, isGlob, takesTenant } from "../values/glob";
import type { Problem } from "../values/problem";

/**
 * The rules of shuffle sharding: shards that Thanos can't make, or not as they are written. Source: thanos pkg/receive/hashring.go v0.42.4.
 */

/** Largest replication factor for which members are found in any draw over zones. */
const SURE_WITHOUT_ZONES = 3;

/** Every problem of the rings' shards; empty where all can be made. */
export function shardingProblems(receive: ReceiveSettings, settings: Settings): Problem[] {
  return ringsOf(receive, settings).flatMap((ring) => (ring.shuffleSharding === undefined ? [] : problemsOf(ring, receive)));
}

function problemsOf(ring: RingSettings, { replicationFactor }: ReceiveSettings): Problem[] {
  const { shardSize, overrides = [], zoneAwarenessDisabled = false } = ring.shuffleSharding ?? {};
  const key = `${ring.key}.shuffleSharding`;
  const sizes = [
    { key: `${key}.shardSize`, size: shardSize ?? 0 },
    ...overrides.map((each, index) => ({ key: `${key}.overrides[${index}].shardSize`, size: each.shardSize })),
  ];
  const zones = zoneAwarenessDisabled ? 1 : Math.max(ring.zones.length, 1);
  return [
    ...sizes.flatMap((each) => sizeProblems(each, ring.replicas, replicationFactor, zones)),
    ...(zoneAwarenessDisabled && ring.zones.length > 1 && replicationFactor > SURE_WITHOUT_ZONES
      ? [
          {
            key: `${key}.zoneAwarenessDisabled`,
            value: true,
            rule: `a draw may have one receiver of a zone and four of another, among which Thanos searches for ${replicationFactor} replicas for ever`,
            remedy: `false, or a receive.replicationFactor of ${SURE_WITHOUT_ZONES}`,
          },
        ]
      : []),
    ...overrides.flatMap(({ tenants }, index) =>
      tenants.flatMap((tenant) =>
        overrideProblems({ key: `${key}.overrides[${index}].tenants`, value: tenant }, ring.tenants, overrides.slice(0, index)),
      ),
    ),
  ];
}

function sizeProblems({ key, size }: { key: string; size: number }, replicas: number, replicationFactor: number, zones: number): Problem[] {
  const problem = { key, value: size };
  const least = Math.ceil(replicationFactor / zones) * zones;
  const between = `${least} to ${replicas}${zones > 1 ? `, a multiple of ${zones}` : ""}`;
  if (size < replicationFactor) {
    return [
      {
        ...problem,
        rule: `a shard has a receiver for each of the ${replicationFactor} replicas (receive.replicationFactor), or every write of its tenant fails`,
        remedy: between,
      },
    ];
  }
  if (size > replicas) {
    return [{ ...problem, rule: `the ring has ${replicas} receivers, and every receiver exits over a larger shard`, remedy: between }];
  }
  return size % zones === 0
    ? []
    : [
        {
          ...problem,
          rule: `as many receivers are drawn from each of the ring's ${zones} zones, so that this shard would have ${Math.ceil(size / zones) * zones}`,
          remedy: between,
        },
      ];
}

/** An override of nobody, or one that an earlier one hides. */
function overrideProblems(
  problem: Pick<Problem, "key" | "value"> & { value: string },
  tenants: readonly string[] | undefined,
  earlier: readonly { tenants: readonly string[] }[],
): Problem[] {
  const tenant = problem.value;
  if (tenants !== undefined && !tenants.some((each) => globsOverlap(each, tenant))) {
    return [{ ...problem, rule: "this ring does not take this tenant", remedy: `tenants of this ring: ${tenants.join(", ")}` }];
  }
  const hiding = earlier.flatMap((each) => each.tenants).find((each) => each === tenant || (!isGlob(tenant) && takesTenant(each, tenant)));
  return hiding === undefined
    ? []
    : [
        {
          ...problem,
          rule: `the first override that names a tenant counts, and an earlier one has ${hiding}`,
          remedy: "the narrower one first",
        },
      ];
}
