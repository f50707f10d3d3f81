/** What a plan was to take, beside what the stack takes: a pure judgement of readings, which knows nothing of how they were taken. */
import type { Sample } from "../../clients/prometheus";
import { HEAD_SECONDS } from "../../model/capacity/coefficients";
import { usualLimit } from "../../model/capacity/need";
import type { Capacity, ComponentCapacity } from "../../model/capacity/types";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Readings of less time than this say nothing of a growth: they are a day's ups and downs. */
export const LEAST_GROWTH_MS = 2 * DAY_MS;
/** A head that begins fills for so long, whatever the load does. */
const FILLING_MS = HEAD_SECONDS * 1_000;

/** What was read of one need of the plan: of its neediest pod, an hour a sample, oldest first; empty where nothing measures it. */
export interface NeedReading {
  component: string;
  resource: ComponentCapacity["resource"];
  hours: readonly Sample[];
  /**
   * Since when its oldest samples are as old as they get, in milliseconds since the epoch: before, blocks grow because time passes, and not
   * with the load. Infinite where they are not yet; absent where nothing is known of it.
   */
  fullAtMs?: number;
}

/** Everything that was read. */
export interface CapacityReadings {
  /** Series in all heads, and samples a second that they take, replicas counted; absent where nobody answered. */
  headSeries?: number;
  headSamplesPerSecond?: number;
  needs: readonly NeedReading[];
  /** Whether a store did not answer, so that there may be more than what was read. Default: none was missing. */
  isPartial?: boolean;
}

/** A prediction beside its measurement. */
export interface Comparison {
  predicted: number;
  /** The most of the last day; absent where nothing measures it. */
  measured?: number;
  /** Part by which the measurement is above the prediction, below it where negative; absent without either. */
  difference?: number;
}

/** A need of the plan, and what is known of it. */
export interface ComparedNeed extends Comparison {
  component: string;
  resource: ComponentCapacity["resource"];
  /** What it may usually take ({@link usualLimit}). */
  limit: number;
  /** What it takes more each day, by least squares over {@link CapacityVerdict.days}; absent where there is too little of it. */
  growthPerDay?: number;
  /**
   * When it meets its limit at that growth, in milliseconds since the epoch: now where it is above it. Absent where it does not grow below its
   * limit, where there is too little of it, and of a volume that only fills until its oldest samples are as old as they get.
   */
  metAtMs?: number;
}

/** The judgement. */
export interface CapacityVerdict {
  headSeries: Comparison;
  headSamplesPerSecond: Comparison;
  needs: ComparedNeed[];
  /** Days of readings of which growth is told, of the need with most of them. */
  days: number;
  /** Whether a store did not answer, so that there may be more than what was measured. */
  isPartial: boolean;
  /** The need that meets its limit first, if any does. */
  first?: ComparedNeed;
}

function compared(predicted: number, measured: number | undefined): Comparison {
  if (measured === undefined) return { predicted };
  return { predicted, measured, ...(predicted > 0 ? { difference: measured / predicted - 1 } : {}) };
}

/** A straight line through samples, by least squares: what it is at a time, and its slope a millisecond. */
function lineThrough(samples: readonly Sample[]): { at: (timeMs: number) => number; slope: number } {
  const mean = (of: (sample: Sample) => number): number => samples.reduce((sum, each) => sum + of(each), 0) / samples.length;
  const [time, value] = [mean(({ timestampMs }) => timestampMs), mean((each) => each.value)];
  const spread = mean(({ timestampMs }) => (timestampMs - time) ** 2);
  const slope = spread === 0 ? 0 : mean((each) => (each.timestampMs - time) * (each.value - value)) / spread;
  return { at: (timeMs) => value + slope * (timeMs - time), slope };
}

/** The time of which there are readings: hours without one, as of a stack that was away, say nothing. */
const timeRead = (hours: readonly Sample[]): number => Math.max(0, hours.length - 1) * HOUR_MS;

/** Hours of which growth is told: all but the first, in which heads may have filled. */
const settled = (hours: readonly Sample[]): Sample[] =>
  hours.filter(({ timestampMs }) => timestampMs >= (hours[0]?.timestampMs ?? 0) + FILLING_MS);

/** When a line through the hours meets the limit: now where it is there, whether or not it grows; never where it falls or is level below. */
function growthOf(hours: readonly Sample[], limit: number, nowMs: number): Pick<ComparedNeed, "growthPerDay" | "metAtMs"> {
  if (timeRead(hours) < LEAST_GROWTH_MS) return {};
  const { at, slope } = lineThrough(hours);
  const growthPerDay = slope * DAY_MS;
  if (at(nowMs) >= limit) return { growthPerDay, metAtMs: nowMs };
  return slope > 0 ? { growthPerDay, metAtMs: nowMs + (limit - at(nowMs)) / slope } : { growthPerDay };
}

function comparedNeed(
  { component, resource, used, worst, available }: ComponentCapacity,
  { hours, fullAtMs = Number.NEGATIVE_INFINITY }: Pick<NeedReading, "hours" | "fullAtMs">,
  nowMs: number,
): ComparedNeed {
  const ofLastDay = hours.filter(({ timestampMs }) => timestampMs > nowMs - DAY_MS).map(({ value }) => value);
  const limit = usualLimit({ available, used, worst });
  // A replay is as long as the log was at the last start, which is no course of anything.
  const growth =
    resource === "replay"
      ? {}
      : growthOf(
          settled(hours).filter(({ timestampMs }) => timestampMs >= fullAtMs),
          limit,
          nowMs,
        );
  return {
    component,
    resource,
    ...compared(used, ofLastDay.length === 0 ? undefined : Math.max(...ofLastDay)),
    limit,
    ...growth,
  };
}

/** Judges what was read of a stack by what its plan said. */
export function judgeCapacity({ heads, components }: Capacity, readings: CapacityReadings, nowMs: number): CapacityVerdict {
  const once = (all: number | undefined): number | undefined => (all === undefined ? undefined : all / heads.replicas);
  const needs = components.map((each) => {
    const reading = readings.needs.find(({ component, resource }) => component === each.component && resource === each.resource);
    return comparedNeed(each, reading ?? { hours: [] }, nowMs);
  });
  const growing = needs.filter(({ metAtMs }) => metAtMs !== undefined);
  const [first] = growing.sort((left, right) => (left.metAtMs ?? 0) - (right.metAtMs ?? 0));
  return {
    headSeries: compared(heads.series, once(readings.headSeries)),
    headSamplesPerSecond: compared(heads.samplesPerSecond, once(readings.headSamplesPerSecond)),
    needs,
    days: Math.max(0, ...readings.needs.map(({ hours }) => timeRead(settled(hours)))) / DAY_MS,
    isPartial: readings.isPartial ?? false,
    ...(first === undefined ? {} : { first }),
  };
}
