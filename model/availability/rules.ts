import type { Settings } from "../settings/schema";
import type { Problem } from "../values/problem";

/** Lost nodes that five replicas survive, the most that a ring makes: a quorum is three of them. */
export const MOST_NODES_OF_A_RING = 2;

/** Survival that an environment wants and no plan of its scheme has; that a plan could and this one does not is for the proof to say. */
export function survivalProblems({ survives, ingestion }: Pick<Settings, "survives" | "ingestion">): Problem[] {
  if (ingestion !== "receive" || survives.nodes <= MOST_NODES_OF_A_RING) return [];
  return [
    {
      key: "survives.nodes",
      value: survives.nodes,
      rule: "a ring stores at most 5 replicas (receive.replicationFactor), and a write needs 3 of them",
      remedy: `at most ${MOST_NODES_OF_A_RING}, or ingestion "sidecar"`,
    },
  ];
}
