import type { CapacityPlan, Load, RingCapacityPlan } from "./types";

/** Parts and multiples of a load. */

/** Churn of a load as the stack file has it. Default: a twentieth of its series. */
export const newSeriesPerHour = ({ series, newSeriesPerHour: given }: { series: number; newSeriesPerHour?: number | undefined }): number =>
  given ?? series / 20;

/** The same kind of load, so many times as much of it. Tenants stay as many: each has a part of it. */
export const times = (load: Load, factor: number): Load => ({
  ...load,
  series: load.series * factor,
  samplesPerSecond: load.samplesPerSecond * factor,
  newSeriesPerHour: load.newSeriesPerHour * factor,
});

/** The same plan with each of its rings changed, and each of what these would be with more receivers. */
function withRings(plan: CapacityPlan, change: (ring: RingCapacityPlan) => RingCapacityPlan): CapacityPlan {
  const { receivers } = plan;
  if (receivers === undefined) return plan;
  const rings = receivers.rings.map((ring) => ({
    ...change(ring),
    more: ring.more.map((more) => change({ ...ring, ...more })),
  }));
  return { ...plan, receivers: { ...receivers, rings } };
}

/** The same plan with each of its loads changed: the whole, what Prometheus scrapes, each ring's and the bucket's. */
export function withLoads(plan: CapacityPlan, change: (load: Load) => Load): CapacityPlan {
  const { bucket } = plan;
  return {
    ...withRings(plan, (ring) => ({ ...ring, load: change(ring.load) })),
    load: change(plan.load),
    prometheus: { ...plan.prometheus, load: change(plan.prometheus.load) },
    ...(bucket === undefined ? {} : { bucket: { ...bucket, load: change(bucket.load) } }),
  };
}

/** The same plan, with the same load of so many times as many tenants. */
export function withTenants(plan: CapacityPlan, factor: number): CapacityPlan {
  const ofAll = (load: Load): Load => ({ ...load, tenants: load.tenants * factor });
  const grown = withLoads(plan, ofAll);
  return withRings({ ...grown, prometheus: plan.prometheus }, ({ shards, ...ring }) => ({
    ...ring,
    tenants: ring.tenants * factor,
    ...(shards === undefined ? {} : { shards: { ...shards, whole: { ...shards.whole, tenants: shards.whole.tenants * factor } } }),
  }));
}

/** The same plan under so many times its load: series, samples, churn and queries alike. */
export const underLoad = (plan: CapacityPlan, factor: number): CapacityPlan => ({
  ...withLoads(plan, (load) => times(load, factor)),
  queries: { ...plan.queries, perSecond: plan.queries.perSecond * factor },
});

/** Samples a second that come into all rings. */
export const writtenSamples = ({ receivers }: Pick<CapacityPlan, "receivers">): number =>
  (receivers?.rings ?? []).reduce((sum, { load }) => sum + load.samplesPerSecond, 0);

/**
 * How many of so many draws one of equal places gets at most: the mean, and three standard deviations of a draw. A hash divides tenants,
 * and which there are is not known.
 *
 * @param share Probability with which each of them is there, 0 to 1.
 */
export const mostDrawn = (draws: number, share: number): number =>
  share >= 1 ? draws : Math.min(draws, draws * share + 3 * Math.sqrt(draws * share * (1 - share)));
