import * as pulumi from "@pulumi/pulumi";
import { capacityRules } from "../model/capacity/alerts";
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
 * @returns what it carries, undefined where the environment names no `load`; and the alerts before its limits, by name of their file
 * @throws pulumi.RunError where a request, limit or volume can't carry the load.
 */
export function provenCapacity(settings: Settings, plan: StackPlan): { capacity?: Capacity; rules: Record<string, string> } {
  const input = capacityPlan(settings, plan);
  if (input === undefined) return { rules: {} };
  const problems = loadProblemsOf(input);
  if (problems.length > 0) throw new pulumi.RunError(formatProblems(pulumi.getStack(), problems));
  const proven = capacity(input);
  for (const line of proven.summary) void pulumi.log.info(line);
  return { capacity: proven, rules: capacityRules(input, settings.namespace) };
}
