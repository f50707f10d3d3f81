import { z } from "zod";
import { antiAffinity, dnsLabel, durationOf, limitedCpu, memory, receiverCount, requestedCpu, retainedSize, zone } from "./forms";
import { pods } from "./pods";
import { shuffleSharding } from "./shuffleSharding";
import { storage } from "./storage";
import { tenantOrGlob } from "./tenancy";

/** A ring for tenants of their own: its schema. What is left out is as the default ring has it. */

/** How long receivers keep samples. */
export const receiverRetention = durationOf("2h", "Thanos takes 0 for ever, and samples are cut into blocks of two hours");

/** Schema of an entry of `receive.hashrings`. */
export const hashring = z.strictObject({
  name: dnsLabel.describe("Part of its StatefulSets' names. Not `default`, and used once."),
  tenants: z
    .array(tenantOrGlob)
    .min(1)
    .describe(
      "Its tenants, by name or by a [pattern](#tenants) such as `team-*`. A tenant belongs to one ring, so a pattern that would take one of " +
        "another ring is refused.",
    ),
  replicas: receiverCount.describe("Its receivers, over all its zones."),
  zones: z
    .array(zone)
    .refine((zones) => new Set(zones).size === zones.length, "every zone once")
    .meta({ uniqueItems: true })
    .optional()
    .describe(
      "Zones over which its receivers are divided, of those in `cluster.zones`: one, or at least `receive.replicationFactor`. `[]`: none, and " +
        "its receivers may be anywhere. With fewer than two the plan survives no lost zone. Other zones are other StatefulSets. Left out: " +
        "`cluster.zones`.",
    ),
  antiAffinity: antiAffinity.optional().describe("As `receive.antiAffinity`, for this ring."),
  storage: storage.optional().describe("Where its receivers keep their samples, in place of `receive.storage`."),
  retention: z
    .strictObject({
      time: receiverRetention.optional().describe("Left out: that of `receive.retention`."),
      size: retainedSize.optional().describe("Left out: that of `receive.retention`."),
    })
    .prefault({})
    .describe(
      "How long samples stay in its receivers. Beside a bucket the shortest of all rings decides from which age on the bucket alone answers.",
    ),
  resources: z
    .strictObject({
      cpu: requestedCpu.optional().describe("Left out: that of `receive.resources`."),
      cpuLimit: limitedCpu.optional().describe("Left out: that of `receive.resources`."),
      memory: memory
        .optional()
        .describe("Left out: that of `receive.resources`. Any receiver takes requests, so the smallest memory bounds those of all rings."),
    })
    .prefault({})
    .describe("CPU and memory of its receivers."),
  shuffleSharding: shuffleSharding.optional(),
  pods,
});
