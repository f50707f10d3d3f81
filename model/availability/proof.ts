import { writeQuorum } from "../ring/quorum";
import { antiAffinityOf, heaviestOf, ketamaOf, nodesOf, nodesOfPrometheus, placeHashring, refuseProblems } from "./plan";
import { scenarioOf } from "./scenarios";
import { summaryOf } from "./summary";
import { survivalOf } from "./survival";
import type { Availability, AvailabilityPlan, Loss } from "./types";

/**
 * Proof of what a plan survives, before anything is deployed: every loss is enumerated, and for each the exact share of the hash space,
 * thus of the series, that can't be written, can't be read, or can lose what was acknowledged.
 *
 * The proof rests on this (Thanos v0.42.4):
 * - A write is acknowledged once a quorum of the series' receivers has it: 1 of 1, 1 of 2, otherwise more than half (`writeQuorum`).
 * - A request is refused, and retried by Prometheus, as soon as one of its series has no quorum. A request holds series from everywhere in
 *   the hash space, so that any share that can't be written means that practically every request is refused.
 * - A read needs one of the series' receivers; the querier merges what each has. Nothing repairs a receiver that has missed samples, so
 *   losses that follow one another within the retention add up.
 * - An acknowledged sample is sure to be on a quorum of receivers, no more, and its write-ahead log isn't synced to disk with it: losing
 *   that many receivers can lose it, wholly with a disk, by its last seconds with a node whose disk comes back.
 * - In the sidecar scheme each Prometheus of a shard scrapes and keeps every series of it by itself: one that is left has
 *   all samples, and without any nothing is scraped, nothing recent answered, and what is not in the bucket may be lost.
 *   Nobody writes, so nothing is refused.
 * - What is older than the handover is served by store gateways alone: for each shard of the bucket one of its replicas is enough.
 */

/**
 * Survival of a plan.
 *
 * The figures are those of the worst placement that the plan allows, not of a likely one: with soft anti-affinity all pods may be on one
 * node. Shares are exact for the ring; with several hashrings, that of the worst. Where a hashring is shuffle sharded they are those of the
 * worst tenant: exact for one whose name is known, and for those that only a pattern names of one whose series all lie where it is worst.
 *
 * @throws {RingError} with every problem of the plan; see {@link planProblems}.
 */
export function availability(plan: AvailabilityPlan): Availability {
  refuseProblems(plan);
  const { receive } = plan;
  const rings = receive === undefined ? [] : receive.hashrings.map((ring) => ({ ring, ketama: ketamaOf(ring, receive) }));
  const placed = receive === undefined ? [] : rings.flatMap(({ ring, ketama }) => placeHashring(ring, receive, ketama));
  const named = new Set(
    receive?.hashrings.flatMap((ring) => ring.members.flatMap((member) => (member.zone === undefined ? [] : [member.zone]))),
  );
  const modes = new Set(receive?.hashrings.map((ring) => antiAffinityOf(ring, receive)));
  const zones = plan.zones ?? named.size;
  const nodes = receive === undefined ? nodesOfPrometheus(plan.prometheus) : nodesOf(receive);
  const losses: Loss[] = [
    "node",
    ...(nodes >= 2 ? (["twoNodes"] as const) : []),
    ...(zones >= 2 && placed.every((hashring) => hashring.zones.length >= 2) ? (["zone"] as const) : []),
    "rollingRestart",
    "drain",
    "prometheus",
    "querier",
    ...(plan.storeGateway === undefined ? [] : (["storeGateway"] as const)),
  ];
  const result = {
    ...survivalOf(plan, placed, zones),
    ...(receive === undefined
      ? {}
      : {
          receive: {
            replicationFactor: receive.replicationFactor,
            quorum: writeQuorum(receive.replicationFactor),
            antiAffinity: modes.has("soft") ? ("soft" as const) : ("hard" as const),
            zones: named.size,
            hashrings: rings.map(({ ring, ketama }) => ({
              name: ring.name,
              members: ring.members.length,
              ...(modes.size > 1 ? { antiAffinity: antiAffinityOf(ring, receive) } : {}),
              ...(ring.shards === undefined ? {} : { sharded: true as const }),
              heaviest: heaviestOf(ring, ketama),
            })),
          },
        }),
    scenarios: losses.map((loss) => scenarioOf(loss, plan, placed, zones)),
    ...(plan.nodes === undefined ? {} : { nodes: plan.nodes }),
  };
  return { summary: summaryOf(result, plan, zones), ...result };
}
