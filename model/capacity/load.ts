import type { CapacityPlan, Load } from "./types";

/** Parts and multiples of a load. */

/** The same kind of load, so many times as much of it. Tenants stay as many: each has a part of it. */
export const times = (load: Load, factor: number): Load => ({
  ...load,
  series: load.series * factor,
  samplesPerSecond: load.samplesPerSecond * factor,
  newSeriesPerHour: load.newSeriesPerHour * factor,
});

/** The same plan under so many times its load: series, samples, churn and queries alike. */
export function underLoad(plan: CapacityPlan, factor: number): CapacityPlan {
  const { receivers, bucket } = plan;
  return {
    ...plan,
    load: times(plan.load, factor),
    queries: { ...plan.queries, perSecond: plan.queries.perSecond * factor },
    prometheus: { ...plan.prometheus, load: times(plan.prometheus.load, factor) },
    ...(receivers === undefined
      ? {}
      : { receivers: { ...receivers, rings: receivers.rings.map((ring) => ({ ...ring, load: times(ring.load, factor) })) } }),
    ...(bucket === undefined ? {} : { bucket: { ...bucket, load: times(bucket.load, factor) } }),
  };
}

/** Samples a second that come into all rings. */
export const writtenSamples = ({ receivers }: Pick<CapacityPlan, "receivers">): number =>
  (receivers?.rings ?? []).reduce((sum, { load }) => sum + load.samplesPerSecond, 0);
