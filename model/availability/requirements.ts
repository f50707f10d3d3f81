import { writeQuorum } from "../ring/quorum";
import type { Problem } from "../values/problem";
import type { Availability, Survival } from "./types";
import { counted } from "./words";

/** Survival that an environment requires, held against that of its plan. */

/**
 * The fewest zones, from those there are, over which so many replicas survive the loss of `count` zones;
 * as many zones as replicas always do.
 */
function zonesFor(count: number, copies: number, zones: number): number {
  const quorum = writeQuorum(copies);
  const bearable = Math.min(quorum - 1, copies - quorum);
  for (let tried = Math.max(zones, 2); tried < copies; tried++) {
    if (count * Math.ceil(copies / tried) <= bearable) {
      return tried;
    }
  }
  return Math.max(copies, zones);
}

/** Change by which so much would be survived. */
function remedyFor(domain: keyof Survival, count: number, found: Availability): string {
  const { receive } = found;
  const copies = 2 * count + 1;
  const lower = `survives.${domain} ${found.survives[domain]}`;
  if (receive === undefined || found.dataSurvives[domain] >= count) {
    const place = domain === "nodes" ? "with hard anti-affinity" : `spread over ${count + 1} zones or more`;
    return `${count + 1} replicas or more of each of these, ${place}; or ${lower}`;
  }
  const replicationFactor = Math.max(copies, receive.replicationFactor);
  const place =
    domain === "nodes"
      ? "hard anti-affinity"
      : `the members divided evenly over ${zonesFor(count, replicationFactor, receive.zones)} zones that the ring knows`;
  return `receive.replicationFactor ${replicationFactor} with ${place}; or ${lower}`;
}

/**
 * One problem for each declared survival that the plan falls short of; empty if it keeps all.
 *
 * @param declared what the environment requires: nodes and zones that can be lost at once. Default: nothing.
 */
export function refuseBelow(declared: Partial<Survival>, found: Availability): Problem[] {
  return (["nodes", "zones"] as const).flatMap((domain) => {
    const count = declared[domain] ?? 0;
    if (found.survives[domain] >= count) {
      return [];
    }
    return [
      {
        key: `survives.${domain}`,
        value: count,
        rule: `the plan survives the loss of ${counted(found.survives[domain], domain)}, since ${found.limits[domain].join("; ")}`,
        remedy: remedyFor(domain, count, found),
      },
    ];
  });
}
