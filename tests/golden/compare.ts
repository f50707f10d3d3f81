import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The command that accepts what the program makes now. */
export const UPDATE_COMMAND = "npm run golden";

/** Lines shown before and after the first one that differs. */
const CONTEXT = 3;
const LONGEST_EXCERPT = 12;

/**
 * Compares a text with a committed file. With `UPDATE_GOLDEN=1` the file is written instead; never in CI, where a golden file that nobody
 * reviewed would be accepted by the run that made it.
 *
 * @param name File name, as people find it.
 * @throws AssertionError with the first lines that differ and the command that accepts them.
 */
export function assertGolden(
  name: string,
  actual: string,
  directory: string = __dirname,
  environment: Record<string, string | undefined> = process.env,
): void {
  const path = join(directory, name);
  const inCi = environment.CI === "true" || environment.CI === "1";
  if (environment.UPDATE_GOLDEN === "1" && !inCi) {
    writeFileSync(path, actual);
    return;
  }
  let expected: string;
  try {
    expected = readFileSync(path, "utf8");
  } catch {
    assert.fail(`tests/golden/${name} is missing. Write it, look at it, commit it: ${UPDATE_COMMAND}`);
  }
  const difference = firstDifference(expected, actual);
  if (difference === undefined) return;
  assert.fail(`tests/golden/${name} is not what the program makes.\n${difference}\nIf that is meant, look at the difference after: ${UPDATE_COMMAND}`);
}

/** The first place where two texts differ, as lines; undefined where they are equal. */
export function firstDifference(expected: string, actual: string): string | undefined {
  if (expected === actual) return undefined;
  const [before, after] = [expected.split("\n"), actual.split("\n")];
  const at = before.findIndex((line, index) => line !== after[index]);
  const start = at === -1 ? before.length : at;
  const [beforeEnd, afterEnd] = commonEnd(before, after, start);
  const removed = before.slice(start, beforeEnd);
  const added = after.slice(start, afterEnd);
  const excerpt = (sign: string, lines: readonly string[]) => [
    ...lines.slice(0, LONGEST_EXCERPT).map((line) => `${sign} ${line}`),
    ...(lines.length > LONGEST_EXCERPT ? [`${sign} … and ${lines.length - LONGEST_EXCERPT} lines more, up to the last difference`] : []),
  ];
  return [
    `First difference at line ${start + 1} (- committed, + made now):`,
    ...before.slice(Math.max(0, start - CONTEXT), start).map((line) => `  ${line}`),
    ...excerpt("-", removed),
    ...excerpt("+", added),
    ...before.slice(beforeEnd, beforeEnd + CONTEXT).map((line) => `  ${line}`),
  ].join("\n");
}

/** Where the equal lines at the end begin, in either text. */
function commonEnd(before: readonly string[], after: readonly string[], start: number): [number, number] {
  let [left, right] = [before.length, after.length];
  while (left > start && right > start && before[left - 1] === after[right - 1]) {
    left--;
    right--;
  }
  return [left, right];
}
