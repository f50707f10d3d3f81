import * as pulumi from "@pulumi/pulumi";
import { planProblems } from "../model/availability/plan";
import { availability } from "../model/availability/proof";
import { refuseBelow } from "../model/availability/requirements";
import type { Availability } from "../model/availability/types";
import { availabilityPlan } from "../model/availabilityPlan";
import { loadProblemsOf } from "../model/capacity/limits";
import { capacityPlan } from "../model/capacityPlan";
import type { StackPlan } from "../model/plan";
import type { Settings } from "../model/settings/schema";
import { formatProblems } from "../model/values/problem";

/**
 * Proves what the plan survives and says it in the preview, before the first resource is registered.
 *
 * @throws pulumi.RunError where the plan survives less than the environment's `survives`.
 */
export function provenAvailability(settings: Settings, plan: StackPlan): Availability {
  const input = availabilityPlan(settings, plan);
  const impossible = planProblems(input);
  if (impossible.length > 0) throw new pulumi.RunError(formatProblems(pulumi.getStack(), impossible));
  const proven = availability(input);
  const problems = refuseBelow(settings.survives, proven);
  if (problems.length > 0) {
    // A plan that is too small for the load before any loss is too small whatever it survives.
    const carried = capacityPlan({ ...settings, survives: { nodes: 0, zones: 0 } }, plan);
    if (carried !== undefined) problems.push(...loadProblemsOf(carried));
    throw new pulumi.RunError(formatProblems(pulumi.getStack(), problems));
  }
  for (const line of proven.summary) void pulumi.log.info(line);
  return proven;
}
