/** Compares the needs of a plan with what the stack takes: a pure judgement of readings, which knows nothing of how they were taken. */
import type { Sample } from "../../clients/prometheus";
import { HEAD_SECONDS } from "../../model/capacity/coefficients";
import { usualLimit } from "../../model/capacity/need";
import type { Capacity, ComponentCapacity } from "../../model/capacity/types";

export const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const WEEK_MS = 7 * DAY_MS;
/** How far back growth is read: two weeks and a day, so that each hour of a week is compared with the same one of another week. */
export const HISTORY_MS = 2 * WEEK_MS + DAY_MS;
/** Readings of less time than this say nothing of a growth: they are a day's ups and downs. */
const LEAST_GROWTH_MS = 2 * DAY_MS;
/** Hourly readings of that time. */
export const LEAST_READINGS = 1 + LEAST_GROWTH_MS / HOUR_MS;
/** A head that begins fills for so long, whatever the load does. */
export const FILLING_MS = HEAD_SECONDS * 1_000;
/** Part of its readings that what a need usually takes is not below. A restart or a merge of blocks takes more for an hour or two. */
const USUAL = 0.95;

/** Readings of one need of the plan: of its neediest pod, an hour a sample, oldest first; empty where nothing measures it. */
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

/** Hourly readings of which a growth is told, or would be if they were enough ({@link LEAST_READINGS}). */
export interface Window {
  /** Of the oldest and the newest, in milliseconds since the epoch. */
  fromMs: number;
  toMs: number;
  /** How many there are: hours without one, as of a stack that was away, are none. */
  readings: number;
}

/** A need of the plan, and what is known of it. */
export interface ComparedNeed extends Comparison {
  component: string;
  resource: ComponentCapacity["resource"];
  /** Limit of what it usually takes ({@link usualLimit}). */
  limit: number;
  /** Readings without those in which it fills, whatever the load does; absent where there are none, and of a replay. */
  window?: Window;
  /** Growth per day, over {@link window}; absent where that has too few readings. */
  growthPerDay?: number;
  /**
   * When it meets its limit at that growth, in milliseconds since the epoch: now where it is above it. Absent where it does not grow below
   * its limit, where there are too few readings, and of a volume that only fills until its oldest samples are as old as they get.
   */
  metAtMs?: number;
}

/** The judgement. */
export interface CapacityVerdict {
  headSeries: Comparison;
  headSamplesPerSecond: Comparison;
  needs: ComparedNeed[];
  /** Whether a store did not answer, so that there may be more than what was measured. */
  isPartial: boolean;
  /** The need that meets its limit first, if any does. */
  first?: ComparedNeed;
}

function compared(predicted: number, measured: number | undefined): Comparison {
  if (measured === undefined) return { predicted };
  return { predicted, measured, ...(predicted > 0 ? { difference: measured / predicted - 1 } : {}) };
}

/** The value that such a part of all, 0 to 1, is not above. Undefined of none. */
function quantile(values: readonly number[], part: number): number | undefined {
  const sorted = [...values].sort((left, right) => left - right);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)];
}

/**
 * Growth of a need per millisecond: the median of its growth between any two readings of the same hour of two weeks, or of two days where
 * fewer such pairs are known than readings are needed for a date (Sen's slope by season: Hirsch, Slack and Smith, 1982). A straight line
 * through all of them takes an evening's load for growth where a window ends with one, and a single restart moves it.
 */
function slopeOf(hours: readonly Sample[]): number | undefined {
  const slopes = (season: number) =>
    hours.flatMap((early, index) =>
      hours
        .slice(index + 1)
        .filter(({ timestampMs }) => (timestampMs - early.timestampMs) % season === 0)
        .map((late) => (late.value - early.value) / (late.timestampMs - early.timestampMs)),
    );
  const weekly = slopes(WEEK_MS);
  return quantile(weekly.length < LEAST_READINGS ? slopes(DAY_MS) : weekly, 0.5);
}

/** Hours of which growth is told: all but the first, in which heads may have filled. */
const settled = (hours: readonly Sample[]): Sample[] =>
  hours.filter(({ timestampMs }) => timestampMs >= (hours[0]?.timestampMs ?? 0) + FILLING_MS);

/** When what it usually takes meets the limit: now where it is there, whether or not it grows; never where it falls or is level below. */
function growthOf(hours: readonly Sample[], limit: number, nowMs: number): Pick<ComparedNeed, "growthPerDay" | "metAtMs"> {
  const slope = hours.length < LEAST_READINGS ? undefined : slopeOf(hours);
  if (slope === undefined) return {};
  const today = hours.map(({ timestampMs, value }) => value + slope * (nowMs - timestampMs));
  const level = quantile(today, USUAL) ?? 0;
  const growthPerDay = slope * DAY_MS;
  if (level >= limit) return { growthPerDay, metAtMs: nowMs };
  return slope > 0 ? { growthPerDay, metAtMs: nowMs + (limit - level) / slope } : { growthPerDay };
}

/** The readings of which a growth is told. */
function windowOf(hours: readonly Sample[]): { window?: Window } {
  const [first, last] = [hours[0], hours.at(-1)];
  return first === undefined || last === undefined
    ? {}
    : { window: { fromMs: first.timestampMs, toMs: last.timestampMs, readings: hours.length } };
}

function comparedNeed(
  { component, resource, used, worst, available }: ComponentCapacity,
  { hours, fullAtMs = Number.NEGATIVE_INFINITY }: Pick<NeedReading, "hours" | "fullAtMs">,
  nowMs: number,
): ComparedNeed {
  const ofLastDay = hours.filter(({ timestampMs }) => timestampMs > nowMs - DAY_MS).map(({ value }) => value);
  const limit = usualLimit({ available, used, worst });
  // A replay is as long as the log was at the last start, which is no course of anything.
  const told = resource === "replay" ? [] : settled(hours).filter(({ timestampMs }) => timestampMs >= fullAtMs);
  return {
    component,
    resource,
    ...compared(used, ofLastDay.length === 0 ? undefined : Math.max(...ofLastDay)),
    limit,
    ...windowOf(told),
    ...growthOf(told, limit, nowMs),
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
    isPartial: readings.isPartial ?? false,
    ...(first === undefined ? {} : { first }),
  };
}
