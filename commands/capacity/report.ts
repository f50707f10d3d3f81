/** The judgement of what a stack takes as text for people. */
import { amountOf, short } from "../../model/capacity/quantities";
import { cpuLine } from "../../model/capacity/summary";
import { limitName, RESOURCE_NAMES } from "../../model/capacity/words";
import type { CapacityVerdict, ComparedNeed, Comparison } from "./judgement";
import { LEAST_GROWTH_MS } from "./judgement";

const DAY_MS = 24 * 3_600_000;
const NOT_MEASURED = "not measured";
/** Later than this a straight line says nothing. */
const FORESEEN_YEARS = 10;

const HEAD = ["", "predicted", "measured", "difference", "usual limit"];

/** `+12 %`, `-3 %`. */
const differenceInWords = (difference: number | undefined): string =>
  difference === undefined ? "" : `${difference < 0 ? "-" : "+"}${Math.abs(Math.round(difference * 100))} %`;

const row = (what: string, { predicted, measured, difference }: Comparison, words: (amount: number) => string, limit = ""): string[] => [
  what,
  words(predicted),
  measured === undefined ? NOT_MEASURED : words(measured),
  differenceInWords(difference),
  limit,
];

function needRow(need: ComparedNeed): string[] {
  const words = (amount: number) => amountOf(need.resource, amount);
  return row(`${need.component}: ${RESOURCE_NAMES[need.resource]}`, need, words, words(need.limit));
}

/** Columns of text. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = HEAD.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  return rows.map((cells) =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}

/** The line of the first limit: the day on which it is met, or why nothing is said of one. */
export function firstLimitLine({ first, days }: CapacityVerdict, nowMs: number): string {
  const since = `of the last ${days.toFixed(1)} days`;
  if (days * DAY_MS < LEAST_GROWTH_MS) return `growth: not told of ${days.toFixed(1)} days; ${LEAST_GROWTH_MS / DAY_MS} are the least`;
  if (first?.metAtMs === undefined) return `growth: none in the last ${days.toFixed(1)} days`;
  const name = limitName(first);
  if (first.metAtMs <= nowMs) return `first limit: ${name} is at its usual limit`;
  if (first.metAtMs > nowMs + FORESEEN_YEARS * 365 * DAY_MS)
    return `first limit: none within ${FORESEEN_YEARS} years, at the growth ${since}`;
  return `first limit: ${name} on ${new Date(first.metAtMs).toISOString().slice(0, 10)}, at the growth ${since}`;
}

/** All lines. */
export function capacityLines(verdict: CapacityVerdict, nowMs: number): string[] {
  return [
    ...columns([
      HEAD,
      row("series in heads, each once", verdict.headSeries, short),
      row("samples a second, each once", verdict.headSamplesPerSecond, short),
      ...verdict.needs.map(needRow),
    ]),
    "",
    "measured: the neediest pod's most of the last day; a replay is the last start's",
    ...(verdict.isPartial
      ? ["measured is incomplete: a store did not answer, so that there may be more (`npm run verify` says which)"]
      : []),
    "a difference is the model's error only as far as the first two rows agree",
    `predicted cores are those of ${cpuLine()}`,
    firstLimitLine(verdict, nowMs),
  ];
}
