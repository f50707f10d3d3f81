import { underLoad } from "./load";
import { secondsInWords, short } from "./quantities";
import type { CapacityPlan, Need } from "./types";

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
    without: (plan) => ({ ...underLoad(plan, NEXT_TO_NOTHING), queries: plan.queries }),
    inWords: ({ load }) => short(load.series),
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

/**
 * The key of a load without which a need would be least, and what stands there: `load.queries, 20 a second, …`.
 *
 * @param needs Every need of a plan.
 */
export function decidingKey(need: Need, plan: CapacityPlan, needs: (plan: CapacityPlan) => Need[]): { key: string; text: string } {
  const left = ({ without }: LoadKey): number =>
    needs(without(plan)).find(({ component, resource }) => component === need.component && resource === need.resource)?.worst ?? 0;
  const [first, ...others] = KEYS;
  const { key } = others.reduce(
    (best, each) => {
      const own = left(each);
      return own < best.left ? { key: each, left: own } : best;
    },
    { key: first, left: left(first) },
  );
  return { key: key.key, text: `${key.key}, ${key.inWords(plan)}` };
}
