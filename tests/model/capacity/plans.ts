import assert from "node:assert/strict";
import type { CapacityPlan } from "../../../model/capacity/types";
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
