import { createHash } from "node:crypto";
import { RECEIVE_APP } from "../kubernetes/identities";
import { GRPC_PORT } from "../kubernetes/ports";
import { zoneNames } from "../values/kubernetesNames";

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
  /** Tenants; undefined for a ring that takes any tenant that no other ring names. */
  tenants?: string[];
  members: RingMember[];
}

/** The plan of a ring's members. */
export interface HashringPlan {
  name: string;
  /** Tenants, at least one; undefined for any. */
  tenants?: string[];
  replicas: number;
  /** Zones over which the members are divided; empty where the ring is not zone aware. */
  zones: string[];
}

/** Where the receivers live. */
export interface RingPlace {
  namespace: string;
  /** Headless Service that gives the pods their names. */
  peerService: string;
  /** Cluster domain, such as `cluster.local`. */
  clusterDomain: string;
}

/** Name of the ring of the stack's own tenant, which comes after those that are for others alone. */
export const DEFAULT_RING = "default";

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
  const rings = plans.map((plan) => {
    const sets = ringSets(plan.name, plan.zones);
    const members = sets.flatMap(({ name, zone }) =>
      Array.from({ length: plan.replicas / sets.length }, (_, ordinal) => {
        const pod = `${name}-${ordinal}`;
        return { pod, address: memberAddress(place, pod), ...(zone === undefined ? {} : { zone }) };
      }),
    );
    return {
      name: plan.name,
      ...(plan.tenants === undefined ? {} : { tenants: [...plan.tenants] }),
      members,
    };
  });
  return [...rings.filter((ring) => ring.name !== DEFAULT_RING), ...rings.filter((ring) => ring.name === DEFAULT_RING)];
}

/**
 * Any tenant but those that begin with a dot: `.` and `..` would be the receivers' data directory and the one above it.
 * Without a list Thanos matches them too.
 * Source: Go's path/filepath `Match`, with which `tenant_matcher_type: glob` compares.
 */
const ANY_TENANT = { tenants: ["[^.]*"], tenant_matcher_type: "glob" } as const;

/** Text of the file that `--receive.hashrings-file` names. The same members give the same bytes. */
export function hashringsFile(rings: readonly Hashring[]): string {
  const file = rings.map((ring) => ({
    hashring: ring.name,
    ...(ring.tenants === undefined ? ANY_TENANT : { tenants: ring.tenants }),
    algorithm: "ketama",
    endpoints: ring.members.map((member) => ({ address: member.address, ...(member.zone === undefined ? {} : { az: member.zone }) })),
  }));
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

/** Identity of a ring file, for people and machines to compare: SHA-256 of its text, in hexadecimal, cut to 16 digits. */
export function hashringsHash(file: string): string {
  return createHash("sha256").update(file).digest("hex").slice(0, 16);
}
