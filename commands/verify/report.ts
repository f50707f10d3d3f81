/** Verify's findings as text for people. What targets, pods and the API server said stays in its line and acts on no terminal. */
import { oneLine } from "../../model/values/visibleText";
import type { Address } from "./addresses";
import type { CheckResult } from "./run";

/** Culprits shown for one check; `--json` has all. */
const SHOWN_DETAILS = 10;

/** The line of one check, and below it a line for each culprit. */
export function resultLines(result: CheckResult, names: readonly string[]): string[] {
  const width = Math.max(...names.map((name) => name.length));
  const seconds = `${result.seconds.toFixed(1)} s`.padStart(7);
  const shown = result.details.slice(0, SHOWN_DETAILS);
  const more = result.details.length - shown.length;
  return [
    `${result.ok ? "✔" : "✘"} ${result.name.padEnd(width)} ${seconds}  ${oneLine(result.seen)}`,
    ...[...shown, ...(more > 0 ? [`and ${more} more`] : [])].map((detail) => `${" ".repeat(width + 12)}${oneLine(detail)}`),
  ];
}

/** `make up` of the sandbox prints one address more below those of verify, in the same columns. */
const LONGEST_NAME = "remote write";

/** Addresses to open, in columns that are the same whichever there are. */
export function addressLines(addresses: readonly Address[]): string[] {
  return addresses.map(({ name, open }) => `${name.padEnd(LONGEST_NAME.length)}  ${oneLine(open)}`);
}

/** The last line. */
export function summary(results: readonly CheckResult[]): string {
  const failed = results.filter(({ ok }) => !ok);
  const seconds = Math.max(0, ...results.map((result) => result.seconds)).toFixed(1);
  return failed.length === 0
    ? `all ${results.length} checks hold, after ${seconds} s`
    : `${failed.length} of ${results.length} checks fail: ${failed.map(({ name }) => name).join(", ")}`;
}
