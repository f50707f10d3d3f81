import type { Availability, Scenario } from "../../model/availability/types";
import { LOSS_NAMES, percent } from "../../model/availability/words";

/** The survival table, row by row, for any form of text. */

export const SURVIVAL_COLUMNS = [
  "When this is lost",
  "can't be written",
  "can't be read",
  "one replica left",
  "may lose acknowledged samples",
  "writes",
  "queries",
  "targets not scraped",
] as const;

/** A cell, and whether it tells of harm. */
export interface Cell {
  text: string;
  /** A remark on the side. */
  note?: string;
  bad: boolean;
}

/** One row a scenario; shares are those of the worst case. */
export function survivalRows({ scenarios }: Availability): Cell[][] {
  return scenarios.map((scenario) => [
    { text: LOSS_NAMES[scenario.loss], bad: false, ...worstOf(scenario) },
    share(scenario.unwritable),
    share(scenario.unreadable),
    { ...share(scenario.oneCopyLeft), bad: false },
    share(scenario.mayLoseAcknowledged),
    { text: scenario.writes ?? "–", bad: scenario.writes === "refused" },
    { text: scenario.queries, bad: scenario.queries !== "complete" },
    share(scenario.unscraped),
  ]);
}

/** Receivers named one by one. */
const MOST_RECEIVERS = 3;

/** The receivers of the worst case, where there is a choice. */
function worstOf({ worst, cases, unwritable, mayLoseAcknowledged }: Scenario): Pick<Cell, "note"> {
  return worst !== undefined && cases > 1 && (unwritable > 0 || mayLoseAcknowledged > 0) && worst.lost.length <= MOST_RECEIVERS
    ? { note: `worst: ${worst.lost.join(", ")}` }
    : {};
}

function share(value: number): Cell {
  return { text: percent(value), bad: value > 0 };
}
