import type { Report } from "./build";
import { OPERATIONS, type Operation } from "./changes";

const PAST: Record<Operation, string> = {
  delete: "deleted",
  replace: "replaced",
  update: "updated",
  create: "created",
  import: "imported",
};

/** `1 replaced, 2 updated`; the gravest first. */
export function counts(changes: readonly { operation: Operation }[]): string {
  return OPERATIONS.map((operation) => [changes.filter((change) => change.operation === operation).length, PAST[operation]] as const)
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${count} ${word}`)
    .join(", ");
}

/** How grave a report is. */
export type Verdict = "refused" | "violation" | "worse" | "destructive" | "changes" | "unchanged" | "planned";

/** The gravest that the report says. */
export function verdictOf(report: Report): Verdict {
  if (report.problems.length > 0) return "refused";
  if (report.violations.length > 0) return "violation";
  if ((report.worse ?? []).length > 0) return "worse";
  if (report.changes === undefined) return "planned";
  if (report.changes.some(({ operation }) => operation === "delete" || operation === "replace")) return "destructive";
  return report.changes.length === 0 ? "unchanged" : "changes";
}

/** The line that decides whether one reads on. */
export function headline(report: Report): string {
  const { changes } = report;
  const what = changes === undefined ? "plan only, no preview was made" : changes.length === 0 ? "nothing changes" : counts(changes);
  const rules = report.violations.length === 1 ? "1 rule is broken" : `${report.violations.length} rules are broken`;
  switch (verdictOf(report)) {
    case "refused":
      return "refused, nothing would be deployed";
    case "violation":
      return `${rules}; ${changes === undefined && report.previewed ? "the engine stopped at it" : what}`;
    case "worse":
      return `survives less than before; ${what}`;
    default:
      return what;
  }
}
