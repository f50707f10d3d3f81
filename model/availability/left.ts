import type { AvailabilityPlan, Loss, Workload } from "./types";

/** Least number of interchangeable pods that are left after a loss. */

/** Most pods that the scheduler puts into one zone where it must spread them evenly over so many. */
export const mostInZone = (replicas: number, zones: number): number => Math.ceil(replicas / Math.max(1, zones));

/** Fewest zones over which no more pods are in one than over so many. */
export function fewestZones(replicas: number, zones: number): number {
  const most = mostInZone(replicas, zones);
  return Math.ceil(replicas / most);
}

/** Pods of a workload that are sure to be left. */
export function left(workload: Workload, lost: { nodes: number } | { zones: number } | { drained: true }, zones: number): number {
  const perZone = workload.zoneSpread && zones > 0 ? mostInZone(workload.replicas, workload.zones ?? zones) : workload.replicas;
  if ("zones" in lost) {
    return Math.max(0, workload.replicas - lost.zones * perZone);
  }
  const nodes = "nodes" in lost ? lost.nodes : 1;
  const taken = nodes * (workload.antiAffinity === "hard" ? 1 : perZone);
  const bounded = "drained" in lost ? Math.min(taken, workload.maxUnavailable ?? taken) : taken;
  return Math.max(0, workload.replicas - bounded);
}

/** How many pods of each kind are sure to be left after a loss; only whether it is none matters. */
export interface Left {
  routers: number;
  /** Of gateways through which others write, and query. */
  gatewayWrites: number;
  gatewayReads: number;
  queries: number;
  prometheus: number;
  /** Of each part. */
  storeGateway: number;
  ruler: number;
}

/** Pods of each kind that are sure to be left after the loss of so many nodes or zones, or of what a drain evicts. */
export function leftAfter(plan: AvailabilityPlan, lost: { nodes: number } | { zones: number } | { drained: true }, zones: number): Left {
  const sure = (workload: Workload | undefined) => (workload === undefined ? Number.POSITIVE_INFINITY : left(workload, lost, zones));
  return {
    routers: sure(plan.routers),
    gatewayWrites: sure(plan.gateway?.writes ? plan.gateway : undefined),
    gatewayReads: sure(plan.gateway?.reads ? plan.gateway : undefined),
    queries: Math.min(sure(plan.querier), sure(plan.queryFrontend)),
    prometheus: sure(plan.prometheus),
    storeGateway: sure(plan.storeGateway),
    ruler: sure(plan.ruler),
  };
}

/** Pods of each kind that are sure to be left after a loss that is examined. */
export function leftAfterLoss(plan: AvailabilityPlan, loss: Loss, zones: number): Left {
  const untouched = leftAfter(plan, { nodes: 0 }, zones);
  switch (loss) {
    case "node":
      return leftAfter(plan, { nodes: 1 }, zones);
    case "twoNodes":
      return leftAfter(plan, { nodes: 2 }, zones);
    case "zone":
      return leftAfter(plan, { zones: 1 }, zones);
    case "drain":
      return leftAfter(plan, { drained: true }, zones);
    case "rollingRestart":
      // Every shard is a StatefulSet, and all of them are rolled at once.
      return plan.receive === undefined ? { ...untouched, prometheus: plan.prometheus.replicas - 1 } : untouched;
    case "prometheus":
      return { ...untouched, prometheus: plan.prometheus.replicas - 1 };
    case "querier":
      return { ...untouched, queries: Math.min(untouched.queries, plan.querier.replicas - 1) };
    case "storeGateway":
      return { ...untouched, storeGateway: untouched.storeGateway - 1 };
  }
}
