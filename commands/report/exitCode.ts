import type { Report } from "./build";
import type { Preview } from "./preview";

/** Exit codes of `npm run ci:preview` and `npm run report`. */
export const EXIT = {
  /** The plan can be deployed. */
  fine: 0,
  /** There is no plan: the program refused the configuration, or engine, backend or cluster failed. */
  refused: 1,
  /** The plan breaks a rule of policy/. */
  violation: 2,
  /** With `--expect-no-changes`: the plan changes something. */
  changes: 3,
} as const;

/**
 * Exit code for a report.
 *
 * @param preview what the engine said; undefined where it was not asked
 */
export function exitCodeOf(report: Report, preview?: Pick<Preview, "complete">, expectNoChanges = false): number {
  if (report.problems.length > 0) return EXIT.refused;
  if (report.violations.length > 0) return EXIT.violation;
  if (preview?.complete === false) return EXIT.refused;
  return expectNoChanges && (report.changes ?? []).length > 0 ? EXIT.changes : EXIT.fine;
}
