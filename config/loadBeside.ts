import { loadProblemsOf } from "../model/capacity/limits";
import { capacityPlan } from "../model/capacityPlan";
import { capacityParts } from "../model/plan";
import type { Settings } from "../model/settings/schema";
import type { Problem } from "../model/values/problem";
import { Watch } from "./watch";

/**
 * Settings that can't carry the load, where the stack file is refused for other reasons too: nobody is to fix these first to hear of it.
 * Empty where the need is computed of a key that has a problem itself, since another value there may carry the load.
 *
 * @param others Why it is refused.
 */
export function loadProblemsBeside(settings: Settings, others: readonly Problem[]): Problem[] {
  const watch = new Watch(others.map(({ key }) => key.split(/[.[\]]+/).filter((part) => part !== "")));
  const watched = watch.over(settings, []) as Settings;
  try {
    return watch.judge(() => {
      const plan = capacityPlan(watched, capacityParts(watched));
      return plan === undefined ? [] : loadProblemsOf(plan);
    });
  } catch {
    // There is no plan of settings that break a rule, and one of these may be the reason.
    return [];
  }
}
