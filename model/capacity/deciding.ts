import { USUAL_LABEL_BYTES } from "../settings/load";
import { newSeriesPerHour, times, withLoads } from "./load";
import { isMet } from "./need";
import { sameNeed } from "./needs";
import { secondsInWords, short } from "./quantities";
import type { CapacityPlan, Load, Need } from "./types";

/** Which key of a load a need follows from. */

/** A key of the stack file with next to nothing of what it adds, and what stands there in words. */
interface LoadKey {
  key: string;
  without: (plan: CapacityPlan) => CapacityPlan;
  inWords: (plan: CapacityPlan) => string;
}

/** Small enough to need nothing, and a load that still has samples for each of its series. */
const NEXT_TO_NOTHING = 1e-9;

const KEYS: readonly [LoadKey, ...LoadKey[]] = [
  {
    key: "load.series",
    without: (plan) => {
      const { queries, samplesAreNamed } = plan;
      if (!samplesAreNamed) return withLoads(plan, (load) => times(load, NEXT_TO_NOTHING));
      // As many samples are then of fewer series, and a query reads no more of these than there are.
      const fewer = withLoads(plan, (load) => ({ ...times(load, NEXT_TO_NOTHING), samplesPerSecond: load.samplesPerSecond }));
      return { ...fewer, queries: { ...queries, series: queries.series * NEXT_TO_NOTHING } };
    },
    inWords: ({ load }) => short(load.series),
  },
  {
    key: "load.samplesPerSecond",
    without: (plan) =>
      plan.samplesAreNamed ? withLoads(plan, (load) => ({ ...load, samplesPerSecond: load.samplesPerSecond * NEXT_TO_NOTHING })) : plan,
    inWords: ({ load }) => short(load.samplesPerSecond),
  },
  {
    key: "load.queries",
    without: (plan) => ({ ...plan, queries: { ...plan.queries, perSecond: 0, series: 0 } }),
    inWords: ({ queries: { perSecond, series, rangeSeconds } }) =>
      `${short(perSecond)} a second, each of ${short(series)} series over ${secondsInWords(rangeSeconds)}`,
  },
  {
    key: "load.tenants",
    without: ({ load, receivers, ...plan }) => ({
      ...plan,
      load: { ...load, tenants: 1 },
      ...(receivers === undefined ? {} : { receivers: { ...receivers, rings: receivers.rings.map((ring) => ({ ...ring, tenants: 1 })) } }),
    }),
    inWords: ({ load }) => short(load.tenants),
  },
];

/** Keys that say of what kind series are, each with what it is where nobody names it. */
const KINDS: readonly { key: string; usual: (load: Load) => Load; inWords: (load: Load) => string }[] = [
  {
    key: "load.newSeriesPerHour",
    usual: (load) => ({ ...load, newSeriesPerHour: Math.min(load.newSeriesPerHour, newSeriesPerHour({ series: load.series })) }),
    inWords: ({ newSeriesPerHour: churn }) => short(churn),
  },
  {
    key: "load.labelBytes",
    usual: (load) => ({ ...load, labelBytes: Math.min(load.labelBytes, USUAL_LABEL_BYTES) }),
    inWords: ({ labelBytes }) => short(labelBytes),
  },
];

/** A key of the load, and what stands there; `carries`: whether less of it would be enough by itself. */
export interface Deciding {
  key: string;
  text: string;
  carries: boolean;
}

/**
 * The key of a load without which a need would be least, and what stands there: `load.queries, 20 a second, …`. Of series that would be
 * carried if they were of the usual kind, it is the key by which they are not.
 */
export function decidingKey(need: Need, plan: CapacityPlan): Deciding {
  const worst = (of: CapacityPlan): number => sameNeed(of, need)?.worst ?? 0;
  const left = ({ without }: LoadKey): number => worst(without(plan));
  const [first, ...others] = KEYS;
  const { key } = others.reduce(
    (best, each) => {
      const own = left(each);
      return own < best.left ? { key: each, left: own } : best;
    },
    { key: first, left: left(first) },
  );
  const kind =
    key === first ? KINDS.find(({ usual }) => isMet({ worst: worst(withLoads(plan, usual)), available: need.available })) : undefined;
  if (kind !== undefined) return { key: kind.key, text: `${kind.key}, ${kind.inWords(plan.load)}`, carries: true };
  return { key: key.key, text: `${key.key}, ${key.inWords(plan)}`, carries: isMet({ worst: left(key), available: need.available }) };
}
