import { z } from "zod";
import { count, receiverCount } from "./forms";
import { tenantOrGlob } from "./tenancy";

/** Shards of a ring's tenants: their schema. */

/** Schema of `shuffleSharding` of a ring. */
export const shuffleSharding = z
  .strictObject({
    shardSize: receiverCount.describe(
      "Receivers of each tenant's shard, as many from each zone of the ring: at least `receive.replicationFactor`, at most the ring's. " +
        "Another number moves tenants to other receivers; what was stored before is served from where it is.",
    ),
    zoneAwarenessDisabled: z
      .boolean()
      .default(false)
      .describe("Whether a shard is drawn from all zones together: then all replicas of a tenant's series may be in one zone."),
    cacheSize: count(1, 100_000)
      .optional()
      .describe(
        "Shards that whoever routes remembers; one that it does not is computed anew for each request. Left out: as many as the ring names " +
          "tenants, and at least 100, as in Thanos. Where patterns take more tenants than that, more.",
      ),
    overrides: z
      .array(
        z.strictObject({
          tenants: z.array(tenantOrGlob).min(1).describe("Tenants of this ring, by name or by a [pattern](#tenants)."),
          shardSize: receiverCount.describe("Receivers of their shards, as above."),
        }),
      )
      .default([])
      .describe("Other sizes for some tenants. The first entry that names a tenant counts."),
  })
  .meta({
    shared: "shuffleSharding",
    description: "[Shards](#shards-of-tenants) of this ring's tenants. Left out: its tenants have the whole ring.",
  });
