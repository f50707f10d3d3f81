import { type Accepted, isAccepted, objectName } from "./acceptance";
import type { Reading } from "./findings";

/** Verdict of one auditor on one plan. */
export interface Audit extends Reading {
  plan: string;
  /** With its version. */
  auditor: string;
}

const HEAD = ["plan", "auditor", "passed", "failed", "accepted", "not accepted"];
const TEXT_COLUMNS = 2;

/** The figures of all audits, a row for each. */
export function tableLines(audits: readonly Audit[], accepted: readonly Accepted[]): string[] {
  const rows = audits.map(({ plan, auditor, passed, findings }) => {
    const open = findings.filter((finding) => !isAccepted(finding, accepted)).length;
    return [plan, auditor, ...[passed, findings.length, findings.length - open, open].map(String)];
  });
  const all = [HEAD, ...rows];
  const widths = HEAD.map((_, column) => Math.max(...all.map((cells) => cells[column]?.length ?? 0)));
  const pad = (cell: string, column: number) =>
    column < TEXT_COLUMNS ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  return all.map((cells) => cells.map(pad).join("  ").trimEnd());
}

/** Findings that nobody accepted, each once, as one would accept them: auditor, check, object. */
export function openLines(audits: readonly Audit[], accepted: readonly Accepted[]): string[] {
  const lines = audits.flatMap(({ plan, findings }) =>
    findings
      .filter((finding) => !isAccepted(finding, accepted))
      .map((finding) => `${plan}: ${finding.auditor} ${finding.check}, at ${objectName(finding)}`),
  );
  return [...new Set(lines)];
}
