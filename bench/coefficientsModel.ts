import { CONFIG_NAMESPACE } from "../config/namespace";
import { stackConfig } from "../config/stackFiles";
import { HOUR } from "../model/capacity/coefficients";
import { needsOf } from "../model/capacity/needs";
import { receiverNeeds } from "../model/capacity/receivers";
import type { CapacityPlan, Need } from "../model/capacity/types";
import { capacityPlan } from "../model/capacityPlan";
import { planStack } from "../model/plan";
import { settingsSchema } from "../model/settings/schema";
import { type ConfigOverlay, type ConfigValue, mergeConfig, withoutLoad } from "../sandbox/overlay";
import { type Measured, overridesOf, type Point, type Result } from "./coefficientsFit";

/** Prediction of the model for a load that `bench/coefficients.ts` measures, and the churn, lateness and queries of such a load. */

/** Part of the series that ends, and is replaced by as many, in each of {@link GENERATION_MS}. */
export const CHURN = 0.1;
export const GENERATION_MS = 30_000;
/** Part of the series that have samples out of order, and how far these are behind. */
export const LATE = 0.2;
export const LATE_MS = 60_000;
export const QUERIES_PER_SECOND = 2;
/** Series of which a query counts: those with three digits. */
export const QUERIED_SERIES = 900;

const PREFIX = `${CONFIG_NAMESPACE}:`;

/** Keys of prod that a point changes, as a stack file names them. */
export const overlayOf = (point: Pick<Point, "replicationFactor">): ConfigOverlay =>
  Object.fromEntries(Object.entries(overridesOf(point)).map(([key, value]) => [`${PREFIX}${key}`, value]));

interface Written {
  series: number;
  samplesPerSecond: number;
  labelBytes: number;
  newSeriesPerHour: number;
}

/** The plan of a point, whose load is what came into the ring. */
export function planOf(point: Point, written: Written): CapacityPlan {
  const config = mergeConfig(withoutLoad(stackConfig("prod") as Record<string, ConfigValue>), overlayOf(point), {
    [`${PREFIX}load`]: {
      series: Math.max(1, Math.round(written.series)),
      samplesPerSecond: Math.max(1, Math.round(written.samplesPerSecond)),
      labelBytes: Math.round(written.labelBytes),
      newSeriesPerHour: Math.round(written.newSeriesPerHour),
      outOfOrderPercent: point.kind === "late" ? 100 * LATE : 0,
      queries: { perSecond: point.kind === "queries" ? QUERIES_PER_SECOND : 0, range: "1m", series: QUERIED_SERIES },
    },
  });
  const own = Object.entries(config).flatMap(([key, value]) => (key.startsWith(PREFIX) ? [[key.slice(PREFIX.length), value]] : []));
  const settings = settingsSchema.parse(Object.fromEntries(own));
  const plan = capacityPlan(settings, planStack(settings));
  if (plan === undefined) throw new Error("a point has a load");
  return plan;
}

/** Series of a point that have ended when it has been sent for so long. */
const endedSeries = (point: Point, seconds: number): number => CHURN * point.series * Math.floor((seconds * 1_000) / GENERATION_MS);

const isJudged = (resource: Need["resource"]): resource is Measured["resource"] => resource !== "replay";

/** Prediction of the model for a load that came into a ring, by component and resource. */
export function predictedOf({ point, headSeries, samplesPerSecond, labelBytes, age, heaviest }: Result): Measured[] {
  const ended = point.kind === "churn" ? endedSeries(point, age) : 0;
  const plan = planOf(point, {
    series: headSeries / heaviest - ended,
    samplesPerSecond: samplesPerSecond / heaviest,
    labelBytes,
    newSeriesPerHour: (ended * HOUR) / age,
  });
  return [
    ...needsOf(plan).filter(({ component }) => component === "routers" || component === "queriers"),
    ...receiverNeeds(plan, age),
  ].flatMap(({ component, resource, used }) => (isJudged(resource) ? [{ component, resource, amount: used }] : []));
}
