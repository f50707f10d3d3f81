import { createHash } from "node:crypto";
import type { Settings } from "../settings/schema";
import { defaultRingTenants, receiveOf } from "../settings/scheme";
import { isGlob } from "../values/glob";

/** Which of several compactors has a tenant's blocks. */

/**
 * The shard of blocks with these values of the labels by which blocks are divided; a label that they lack is an empty text.
 * Source: prometheus model/relabel `HashMod`, separator `;`.
 */
export function shardOf(values: readonly string[], shards: number): number {
  const sum = createHash("md5").update(values.join(";"), "utf8").digest();
  return Number(sum.readBigUInt64BE(8) % BigInt(shards));
}

/**
 * Shards of compactors to which no tenant's blocks fall, as sentences with the key; none where each has some, or nobody knows. Blocks of
 * receivers have the tenant's label and no cluster's.
 */
export function idleCompactors(settings: Settings): string[] {
  const shards = settings.objectStorage?.compactor.shards ?? 1;
  if (shards === 1) return [];
  const key = `objectStorage.compactor.shards is ${shards}`;
  const receive = receiveOf(settings);
  if (receive === undefined) {
    return [`${key}: with sidecars the blocks of the stack's own Prometheus are one tenant's, so that one compactor has all of them`];
  }
  const own = defaultRingTenants(settings);
  if (own === undefined) return [];
  const tenants = [...own, ...receive.hashrings.flatMap((ring) => ring.tenants)];
  if (tenants.some(isGlob)) return [];
  const busy = new Set(tenants.map((tenant) => shardOf([tenant, ""], shards)));
  const idle = Array.from({ length: shards }, (_, shard) => shard).filter((shard) => !busy.has(shard));
  return idle.length === 0 ? [] : [`${key}: no tenant that is named falls to shard ${idle.join(", ")}, whose compactor has nothing to do`];
}
