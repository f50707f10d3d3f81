import { compactorNeeds } from "./bucket";
import { prometheusNeeds, sidecarNeeds } from "./prometheus";
import { frontendNeeds, querierNeeds } from "./queries";
import { receiverNeeds, routerNeeds } from "./receivers";
import { storeGatewayNeeds } from "./storeGateways";
import type { CapacityPlan, Need } from "./types";

/** Every need of the plan, in the order in which samples go. */
export const needsOf = (plan: CapacityPlan): Need[] => [
  ...prometheusNeeds(plan),
  ...sidecarNeeds(plan),
  ...routerNeeds(plan),
  ...receiverNeeds(plan),
  ...frontendNeeds(plan),
  ...querierNeeds(plan),
  ...storeGatewayNeeds(plan),
  ...compactorNeeds(plan),
];

/** The same need in another plan; undefined where that has no such component, or nothing of it is needed. */
export const sameNeed = (plan: CapacityPlan, { component, resource }: Need): Need | undefined =>
  needsOf(plan).find((each) => each.component === component && each.resource === resource);
