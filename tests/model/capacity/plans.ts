import assert from "node:assert/strict";
import * as fc from "fast-check";
import { needsOf } from "../../../model/capacity/needs";
import type { CapacityPlan, Need } from "../../../model/capacity/types";
import { capacityPlan } from "../../../model/capacityPlan";
import { planStack } from "../../../model/plan";
import { settingsSchema } from "../../../model/settings/schema";
import { configOf, type Overrides, type Stack } from "../../harness";

const PREFIX = "thanos-stack:";

/** The plan of a stack file with changes, under a load, whether it is carried or not. */
export function planUnder(stack: Stack, load: object, overrides: Overrides = {}): CapacityPlan {
  const config = configOf(stack, { ...overrides, load });
  const own = Object.fromEntries(
    Object.entries(config).flatMap(([key, value]) => (key.startsWith(PREFIX) ? [[key.slice(PREFIX.length), value]] : [])),
  );
  const settings = settingsSchema.parse(own);
  const plan = capacityPlan(settings, planStack(settings));
  assert.ok(plan !== undefined);
  return plan;
}

/** Any load. */
export const load = fc.record({
  series: fc.integer({ min: 1, max: 1e8 }),
  samplesPerSecond: fc.integer({ min: 1, max: 1e7 }),
  newSeriesPerHour: fc.integer({ min: 0, max: 1e7 }),
  labelBytes: fc.integer({ min: 10, max: 5_000 }),
  tenants: fc.integer({ min: 1, max: 1_000 }),
  outOfOrderPercent: fc.integer({ min: 0, max: 100 }),
  queries: fc.record({
    perSecond: fc.double({ min: 0, max: 1_000, noNaN: true }),
    range: fc.integer({ min: 1, max: 10_000 }).map((minutes) => `${minutes}m`),
    series: fc.integer({ min: 1, max: 1e6 }),
  }),
});

/** Plans of every shape under one load. */
export const SHAPES: Record<string, (own: object) => CapacityPlan> = {
  "prod, with routers and a bucket": (own) => planUnder("prod", own),
  "prod, a bucket divided by a hash": (own) => planUnder("prod", own, { objectStorage: { storeGateway: { partition: { hash: 5 } } } }),
  "dev, receivers that route": (own) => planUnder("dev", own),
  "prod with sidecars": (own) => planUnder("prod", own, { ingestion: "sidecar", prometheus: { storage: { pvc: { size: "100Gi" } } } }),
};

/** Needs by component and resource: `receivers memory`. */
const by = (needs: readonly Need[]): Map<string, Need> => new Map(needs.map((each) => [`${each.component} ${each.resource}`, each]));

/** Needs of the second that are less than those of the first, with leave for the last bit of a sum. */
export function smaller(first: CapacityPlan, second: CapacityPlan): string[] {
  const later = by(needsOf(second));
  return needsOf(first).flatMap(({ component, resource, used, worst }) => {
    const other = later.get(`${component} ${resource}`);
    assert.ok(other !== undefined);
    const less = (now: number, then: number) => then < now * (1 - 1e-9);
    return less(used, other.used) || less(worst, other.worst) ? [`${component} ${resource}`] : [];
  });
}

/** A need by component and resource, such as `receivers memory`. */
export function needOf(plan: CapacityPlan, name: string): Need {
  const found = by(needsOf(plan)).get(name);
  assert.ok(found !== undefined, name);
  return found;
}
