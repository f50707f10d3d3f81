import { createHash } from "node:crypto";
import { RECEIVE_APP } from "../kubernetes/identities";
import { GRPC_PORT } from "../kubernetes/ports";
import { DEFAULT_RING } from "../settings/rings";
import { isGlob } from "../values/glob";
import { zoneNames } from "../values/kubernetesNames";
import type { ShuffleSharding } from "./shards";

export { DEFAULT_RING };

/**
 * The hashring: which receivers there are, under which names. Thanos hashes the address as text (`endpoint.Address`), so a name that
 * changes its shape moves series; every address is the pod's stable name with the full cluster domain.
 * Source: thanos docs/components/receive.md "Hashring management", pkg/receive/hashring.go v0.42.
 */

/** One receiver of a hashring. */
export interface RingMember {
  /** The pod. */
  pod: string;
  /** The address that is hashed and dialled, equal to that receiver's `--receive.local-endpoint` byte for byte. */
  address: string;
  /** Availability zone, where the ring is zone aware. */
  zone?: string;
}

/** One hashring: the receivers that hold the series of some tenants. */
export interface Hashring {
  /** Name of the ring. */
  name: string;
  /** Its name in the file and in receivers' metrics; another one after each change of the file where the ring is shuffle sharded. */
  loadedAs: string;
  /** Tenants, by name or by pattern; undefined for a ring that takes any tenant that no other ring names. */
  tenants?: string[];
  members: RingMember[];
  /** Absent where each of its tenants has the whole ring. */
  shuffleSharding?: PlannedSharding;
}

/** Shuffle sharding, and how many shards are remembered; undefined for Thanos' own number, 100. */
export type PlannedSharding = ShuffleSharding & { cacheSize?: number | undefined };

/** The plan of a ring's members. */
export interface HashringPlan {
  name: string;
  /** Tenants, at least one; undefined for any. */
  tenants?: string[] | undefined;
  replicas: number;
  /** Zones over which the members are divided; empty where the ring is not zone aware. */
  zones: string[];
  shuffleSharding?: PlannedSharding | undefined;
}

/** Where the receivers live. */
export interface RingPlace {
  namespace: string;
  /** Headless Service that gives the pods their names. */
  peerService: string;
  /** Cluster domain, such as `cluster.local`. */
  clusterDomain: string;
}

/** One StatefulSet of a ring. */
export interface RingSet {
  name: string;
  /** Its zone, as nodes are labelled; absent where there are no zones. */
  zone?: string;
}

/** The StatefulSets of a ring: one a zone, in the order of the zones, or the only one. */
export function ringSets(ring: string, zones: readonly string[]): RingSet[] {
  const stem = [RECEIVE_APP, ...(ring === DEFAULT_RING ? [] : [ring])];
  if (zones.length === 0) return [{ name: stem.join("-") }];
  const names = zoneNames(zones);
  return zones.map((zone, index) => ({ name: [...stem, names[index] ?? zone].join("-"), zone }));
}

/** The address of a pod: stable name, peer Service, namespace and cluster domain in full. */
export function memberAddress(place: RingPlace, pod: string): string {
  return `${pod}.${place.peerService}.${place.namespace}.svc.${place.clusterDomain}:${GRPC_PORT}`;
}

/** The rings with their members, in the order in which Thanos reads them: the default ring last, since the first match wins. */
export function hashrings(plans: readonly HashringPlan[], place: RingPlace): Hashring[] {
  const unordered = plans.map(({ name, tenants, zones, replicas, shuffleSharding }) => {
    const sets = ringSets(name, zones);
    const members = sets.flatMap(({ name: set, zone }) =>
      Array.from({ length: replicas / sets.length }, (_, ordinal) => {
        const pod = `${set}-${ordinal}`;
        return { pod, address: memberAddress(place, pod), ...(zone === undefined ? {} : { zone }) };
      }),
    );
    return {
      name,
      loadedAs: name,
      ...(tenants === undefined ? {} : { tenants: [...tenants] }),
      members,
      ...(shuffleSharding === undefined ? {} : { shuffleSharding }),
    };
  });
  const rings = [...unordered.filter((ring) => ring.name !== DEFAULT_RING), ...unordered.filter((ring) => ring.name === DEFAULT_RING)];
  // Thanos registers the metrics of a ring's shards under the ring's name before it takes those of the ring before back, and ends of a
  // second registration under one name (cmd/thanos/receive.go `setupHashring` v0.42.4, pkg/receive/hashring.go
  // `newShuffleShardCacheMetrics`): so another file has another name.
  const version = hashringsHash(hashringsFile(rings)).slice(0, 8);
  return rings.map((ring) => (ring.shuffleSharding === undefined ? ring : { ...ring, loadedAs: `${ring.name}@${version}` }));
}

/**
 * Any tenant but those that begin with a dot: `.` and `..` would be the receivers' data directory and the one above it.
 * Without a list Thanos matches them too.
 * Source: Go's path/filepath `Match`, with which `tenant_matcher_type: glob` compares.
 */
const ANY_TENANT = { tenants: ["[^.]*"], tenant_matcher_type: "glob" } as const;

/** Tenants as the file has them, and how Thanos compares them: a name is a pattern for itself, so one comparison does for a whole ring. */
const matched = (tenants: readonly string[]) => ({ tenants, ...(tenants.some(isGlob) ? { tenant_matcher_type: "glob" } : {}) });

/** Shards that Thanos remembers where nothing is said. */
const REMEMBERED = 100;

function shuffleShardingConfig(
  { shardSize, zoneAwarenessDisabled, cacheSize, overrides }: PlannedSharding,
  tenants: readonly string[] | undefined,
) {
  const remembered = cacheSize ?? Math.max(tenants?.length ?? 0, REMEMBERED);
  return {
    shard_size: shardSize,
    ...(remembered === REMEMBERED ? {} : { cache_size: remembered }),
    ...(zoneAwarenessDisabled ? { zone_awareness_disabled: true } : {}),
    // Thanos takes no override that does not say how it compares, although it compares names where a ring says nothing (`getShardSize`).
    ...(overrides.length === 0
      ? {}
      : { overrides: overrides.map((each) => ({ shard_size: each.shardSize, tenant_matcher_type: "exact", ...matched(each.tenants) })) }),
  };
}

/** Text of the file that `--receive.hashrings-file` names. The same members give the same bytes. */
export function hashringsFile(rings: readonly Hashring[]): string {
  const file = rings.map((ring) => ({
    hashring: ring.loadedAs,
    ...(ring.tenants === undefined ? ANY_TENANT : matched(ring.tenants)),
    algorithm: "ketama",
    ...(ring.shuffleSharding === undefined ? {} : { shuffle_sharding_config: shuffleShardingConfig(ring.shuffleSharding, ring.tenants) }),
    endpoints: ring.members.map((member) => ({ address: member.address, ...(member.zone === undefined ? {} : { az: member.zone }) })),
  }));
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

/** Identity of a ring file, for people and machines to compare: SHA-256 of its text, in hexadecimal, cut to 16 digits. */
export function hashringsHash(file: string): string {
  return createHash("sha256").update(file).digest("hex").slice(0, 16);
}
