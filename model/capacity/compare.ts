import { amountOf, secondsInWords, short } from "./quantities";
import { bucketLine, costLine, cpuLine, cutOffLine, networkLine, notModelledLine } from "./summary";
import type { Capacity, ComponentCapacity } from "./types";
import { limitName, RESOURCE_NAMES, SITUATION_NAMES } from "./words";

/** Comparison of the capacity of a plan with that of the plan before. */

/** A figure of the plan, and what it was before where it was another. */
export interface Figure {
  what: string;
  now: string;
  /** Absent where it is the same, or nothing is known of it. */
  before?: string;
}

const figure = (what: string, now: string | undefined, before: string | undefined): Figure[] =>
  now === undefined ? [] : [{ what, now, ...(before === undefined || before === now ? {} : { before }) }];

const maybe = <T>(value: T | undefined, words: (value: T) => string): string | undefined =>
  value === undefined ? undefined : words(value);

const carried = ({ carries }: Capacity): string => `${short(carries.series)} series, ${limitName(carries.first)} is first`;

/** Components that are not modelled; undefined where there are none, and of outputs from before these were listed. */
const leftOut = ({ notModelled = [] }: Partial<Pick<Capacity, "notModelled">>): string[] | undefined =>
  notModelled.length === 0 ? undefined : notModelled;

/** Figures of the whole plan. */
export const figuresOf = (now: Capacity, before?: Capacity): Figure[] => [
  ...figure(
    "Load",
    `${short(now.load.series)} series`,
    maybe(before, ({ load }) => `${short(load.series)} series`),
  ),
  ...figure("Carries", carried(now), maybe(before, carried)),
  ...figure("Replay of a receiver's log", maybe(now.replaySeconds, secondsInWords), maybe(before?.replaySeconds, secondsInWords)),
  ...figure("Prometheus can be cut off for", maybe(now.cutOff, cutOffLine), maybe(before?.cutOff, cutOffLine)),
  ...figure("Network", networkLine(now.network), maybe(before?.network, networkLine)),
  ...figure("Bucket", maybe(now.bucketByYear, bucketLine), maybe(before?.bucketByYear, bucketLine)),
  ...figure("Cost", maybe(now.cost, costLine), maybe(before?.cost, costLine)),
  ...figure("Cores are those of", cpuLine(), undefined),
  ...figure("Not modelled", maybe(leftOut(now), notModelledLine), maybe(before && leftOut(before), notModelledLine)),
];

/** A row for each need of a component: what it is, what is used, at worst, and available; with what it was where that was another. */
export interface CapacityRow {
  what: string;
  used: Figure;
  worst: Figure;
  available: Figure;
  /** In words; empty for always. */
  when: string;
}

/** Rows of the components, in the plan's order; those that are gone are not there. */
export const capacityRows = (now: Capacity, before?: Capacity): CapacityRow[] =>
  now.components.map((row) => {
    const earlier = before?.components.find((each) => each.component === row.component && each.resource === row.resource);
    const cell = (key: "used" | "worst" | "available"): Figure => {
      const words = (of: ComponentCapacity) => amountOf(of.resource, of[key]);
      return figure(key, words(row), maybe(earlier, words))[0] ?? { what: key, now: words(row) };
    };
    return {
      what: `${row.component}: ${RESOURCE_NAMES[row.resource]}`,
      used: cell("used"),
      worst: cell("worst"),
      available: cell("available"),
      when: SITUATION_NAMES[row.when],
    };
  });
