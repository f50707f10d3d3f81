import * as pulumi from "@pulumi/pulumi";
import { loadProblemsOf } from "../model/capacity/limits";
import { capacity } from "../model/capacity/proof";
import type { Capacity } from "../model/capacity/types";
import { capacityPlan } from "../model/capacityPlan";
import type { StackPlan } from "../model/plan";
import type { Settings } from "../model/settings/schema";
import { formatProblems } from "../model/values/problem";

/**
 * Computes what the plan carries and says it in the preview, before the first resource is registered.
 *
 * @returns undefined where the environment names no `load`
 * @throws pulumi.RunError where a request, limit or volume can't carry the load.
 */
export function provenCapacity(settings: Settings, plan: StackPlan): Capacity | undefined {
  const input = capacityPlan(settings, plan);
  if (input === undefined) return undefined;
  const problems = loadProblemsOf(input);
  if (problems.length > 0) throw new pulumi.RunError(formatProblems(pulumi.getStack(), problems));
  const proven = capacity(input);
  for (const line of proven.summary) void pulumi.log.info(line);
  return proven;
}
