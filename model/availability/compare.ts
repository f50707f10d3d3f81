import type { Availability } from "./types";
import { counted, LOSS_NAMES, percent } from "./words";

/** Comparison of what two plans survive. */

const QUERY_ORDER = ["complete", "partial", "none"] as const;

/**
 * The growth of a share that is worth a line. Other names alone move a share: that of the worst two of five members at replication factor
 * 3, over fifteen namespaces, lay between 0.305 and 0.327.
 */
const WORTH_A_LINE = 0.025;

/**
 * Losses that a change of plan makes worse, a line each; empty if none.
 *
 * @param before what the stack's output said before the change.
 */
export function compareAvailability(before: Availability, after: Availability): string[] {
  const worse: string[] = [];
  for (const domain of ["nodes", "zones"] as const) {
    if (after.survives[domain] < before.survives[domain]) {
      worse.push(
        `survives the loss of ${counted(after.survives[domain], domain)}, before ${before.survives[domain]}: ${after.limits[domain].join("; ")}`,
      );
    }
    if (after.dataSurvives[domain] < before.dataSurvives[domain]) {
      worse.push(
        `stored samples survive the loss of ${counted(after.dataSurvives[domain], domain)}, before ${before.dataSurvives[domain]}`,
      );
    }
  }
  for (const earlier of before.scenarios) {
    const later = after.scenarios.find((scenario) => scenario.loss === earlier.loss);
    if (later === undefined) {
      // Without a bucket there are no old samples left to be served, which its removal says elsewhere.
      if (earlier.loss === "storeGateway") continue;
      worse.push(`${LOSS_NAMES[earlier.loss]}: can no longer be told apart from losing everything`);
      continue;
    }
    const shares = [
      ["unwritable", "series that refuse writes"],
      ["unreadable", "unreadable series"],
      ["mayLoseAcknowledged", "series that may lose acknowledged samples"],
      ["unscraped", "targets not scraped"],
    ] as const;
    for (const [key, name] of shares) {
      if (later[key] > earlier[key] && (earlier[key] === 0 || later[key] - earlier[key] >= WORTH_A_LINE)) {
        worse.push(`${LOSS_NAMES[earlier.loss]}: ${name} ${percent(later[key])}, before ${percent(earlier[key])}`);
      }
    }
    if (later.writes === "refused" && earlier.writes === "accepted") {
      worse.push(`${LOSS_NAMES[earlier.loss]}: writes are refused, before accepted`);
    }
    if (QUERY_ORDER.indexOf(later.queries) > QUERY_ORDER.indexOf(earlier.queries)) {
      worse.push(`${LOSS_NAMES[earlier.loss]}: queries ${later.queries}, before ${earlier.queries}`);
    }
    if (later.rules === "paused" && earlier.rules === "evaluated") {
      worse.push(`${LOSS_NAMES[earlier.loss]}: rules are not evaluated, before evaluated`);
    }
  }
  return worse;
}
