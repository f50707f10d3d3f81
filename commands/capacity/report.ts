/** The judgement of what a stack takes as text for people. */
import { amountOf, short } from "../../model/capacity/quantities";
import { cpuLine } from "../../model/capacity/summary";
import { limitName, RESOURCE_NAMES } from "../../model/capacity/words";
import { type CapacityVerdict, type ComparedNeed, type Comparison, FILLING_MS, HOUR_MS, LEAST_READINGS, type Window } from "./judgement";

const DAY_MS = 24 * HOUR_MS;
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

/** `2026-11-20 15:00`, in UTC. */
const timeInWords = (timeMs: number): string => new Date(timeMs).toISOString().slice(0, 16).replace("T", " ");

const counted = (readings: number): string => `${readings} hourly ${readings === 1 ? "reading" : "readings"}`;

const windowInWords = ({ fromMs, toMs, readings }: Window): string =>
  `${counted(readings)} from ${timeInWords(fromMs)} to ${timeInWords(toMs)} UTC`;

/** The longest of their windows; undefined where none has one. */
const longest = (needs: readonly ComparedNeed[]): Window | undefined =>
  needs
    .flatMap(({ window = [] }) => window)
    .reduce<Window | undefined>((most, each) => (most === undefined || each.readings > most.readings ? each : most), undefined);

/** The line of the first limit: the day on which it is met and the readings that tell it, or why nothing is said of one. */
export function firstLimitLine({ first, needs }: CapacityVerdict, nowMs: number): string {
  if (first?.metAtMs !== undefined && first.window !== undefined) {
    const [name, by] = [limitName(first), windowInWords(first.window)];
    if (first.metAtMs <= nowMs) return `first limit: ${name} is at its usual limit, by ${by}`;
    if (first.metAtMs > nowMs + FORESEEN_YEARS * 365 * DAY_MS)
      return `first limit: none within ${FORESEEN_YEARS} years, at the growth in ${by}`;
    return `first limit: ${name} on ${new Date(first.metAtMs).toISOString().slice(0, 10)}, at its growth in ${by}`;
  }
  const told = longest(needs.filter(({ growthPerDay }) => growthPerDay !== undefined));
  if (told !== undefined) return `first limit: none, since nothing grows in ${windowInWords(told)}`;
  const short = longest(needs);
  const least = `${LEAST_READINGS} are the least for a date, which are two days; those of the first ${FILLING_MS / HOUR_MS} hours don't count, in which heads fill`;
  return `first limit: not known yet: there ${short?.readings === 1 ? "is" : "are"} ${short === undefined ? counted(0) : windowInWords(short)}, and ${least}`;
}

/** The line of what is measured, and has too few readings for a date beside others that have enough; none where there is nothing. */
function notToldLine(needs: readonly ComparedNeed[]): string[] {
  if (needs.every(({ growthPerDay }) => growthPerDay === undefined)) return [];
  const names = needs
    .filter(({ resource, measured, growthPerDay }) => resource !== "replay" && measured !== undefined && growthPerDay === undefined)
    .map((need) => `${limitName(need)} (${need.window?.readings ?? 0})`);
  return names.length === 0 ? [] : [`too few readings for a date, less than ${LEAST_READINGS}: ${names.join(", ")}`];
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
    ...notToldLine(verdict.needs),
  ];
}
