import { USABLE_CPU, USABLE_DISK, USABLE_MEMORY } from "./coefficients";
import type { Budget, CapacityPlan, ComponentPlan, Need, Pods, Resource, Situation } from "./types";

/** How a need is put together. */

/** Parts by what they are. */
export type Parts = Record<string, number>;

export const sumOf = (parts: Parts): number => Object.values(parts).reduce((sum, each) => sum + each, 0);

const USABLE: Readonly<Record<Resource, number>> = { memory: USABLE_MEMORY, cpu: USABLE_CPU, disk: USABLE_DISK, replay: 1, remoteWrite: 1 };

/** Part of a budget that can be used. A time and what is sent are given as they are. */
export const usable = (resource: Resource, amount: number): number => amount * USABLE[resource];

/** Leave for the last bits of a product, as amounts that carry a need are rounded with. */
export const LAST_BITS = 1e-9;

/** Whether there is as much as is needed at worst. */
export const isMet = ({ worst, available }: Pick<Need, "worst" | "available">): boolean => worst <= available * (1 + LAST_BITS);

/** Whether no larger budget would meet it, as of a log's replay that is read in sequence. */
export const isBeyondBudget = ({ least = 0, available }: Pick<Need, "least" | "available">): boolean => !isMet({ worst: least, available });

/**
 * Most that a pod may usually use: the available amount, less what the model adds for the worst (a loss, a restart, a replay) in the same
 * proportion.
 */
export const usualLimit = ({ available, used, worst }: Pick<Need, "available" | "used" | "worst">): number =>
  worst > 0 ? (available * used) / worst : available;

/** The fewest pods that do the work, one at least, and when. */
export function fewest({ all, restart, loss }: Pods): { pods: number; when: Situation } {
  const least = Math.max(1, Math.min(restart, loss));
  if (least >= all) return { pods: all, when: "always" };
  return { pods: least, when: loss <= restart ? "loss" : "restart" };
}

/** A need of one pod. */
export function need(
  component: string,
  resource: Resource,
  budget: Budget,
  used: Parts,
  worst: Parts = used,
  when: Situation = "always",
  available = usable(resource, budget.amount),
): Need {
  const [usual, most] = [sumOf(used), sumOf(worst)];
  const isWorse = most > usual;
  return {
    component,
    resource,
    budget,
    available,
    used: usual,
    worst: Math.max(usual, most),
    when: isWorse ? when : "always",
    parts: Object.entries(isWorse ? worst : used)
      .filter(([, amount]) => amount > 0)
      .map(([what, amount]) => ({ what, amount }))
      .sort((left, right) => right.amount - left.amount),
  };
}

/**
 * Need of a log's replay, with the CPU that a pod surely has. `least`: seconds that no further core would save.
 */
export const replayNeed = (
  component: string,
  cpu: Budget,
  { seconds, least }: { seconds: number; least: number },
  { startupSeconds }: Pick<CapacityPlan, "startupSeconds">,
): Need => ({ ...need(component, "replay", cpu, { "reading the log": seconds }, undefined, "replay", startupSeconds), least });

/** CPU and memory of a component whose work is divided over its pods, by how many of these there are. */
export function divided(component: string, plan: ComponentPlan, of: (pods: number) => { cpu: Parts; memory: Parts; disk?: Parts }): Need[] {
  const { pods, when } = fewest(plan.pods);
  const [usual, worst] = [of(plan.pods.all), of(pods)];
  return [
    need(component, "memory", plan.memory, usual.memory, worst.memory, when),
    need(component, "cpu", plan.cpu, usual.cpu, worst.cpu, when),
    ...(plan.disk === undefined || usual.disk === undefined
      ? []
      : [need(component, "disk", plan.disk, usual.disk, worst.disk ?? usual.disk, when)]),
  ];
}
