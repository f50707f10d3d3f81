import { once } from "../values/once";
import type { Problem } from "../values/problem";
import { compactorNeeds } from "./bucket";
import { decidingKey } from "./deciding";
import { underLoad } from "./load";
import { prometheusNeeds, sidecarNeeds } from "./prometheus";
import { amountOf, carrying } from "./quantities";
import { frontendNeeds, querierNeeds } from "./queries";
import { receiverNeeds, receiversName, routerNeeds } from "./receivers";
import { storeGatewayNeeds } from "./storeGateways";
import type { CapacityPlan, ComponentPlan, Need } from "./types";
import { RESOURCE_NAMES, SITUATION_NAMES } from "./words";

/** Everything that is needed, and where it is more than there is. */

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

const fullness = ({ worst, available }: Need): number => worst / available;

/** The need that is nearest to its limit, or farthest above it. */
const fullest = (needs: readonly Need[]): Need => needs.reduce((most, each) => (fullness(each) > fullness(most) ? each : most));

/** Loads that are tried, as multiples: nobody plans for more. */
const MOST = 1e6;
/** How exact the multiple is. */
const EXACT = 1e-3;

/** How many times the load is carried, 0 where not even the smallest is, and the need that is then at its limit. */
export const firstLimit = once(searched);

function searched(plan: CapacityPlan): { times: number; need: Need } {
  const at = (factor: number): Need => fullest(needsOf(underLoad(plan, factor)));
  const isCarried = (factor: number): boolean => fullness(at(factor)) <= 1;
  if (!isCarried(EXACT)) return { times: 0, need: at(0) };
  let [carried, not] = [EXACT, 2 * EXACT];
  while (not < MOST && isCarried(not)) [carried, not] = [not, 2 * not];
  while (not - carried > EXACT * carried) {
    const middle = (carried + not) / 2;
    if (isCarried(middle)) carried = middle;
    else not = middle;
  }
  return { times: carried, need: at(not) };
}

/** Parts of a need that are named. */
const MOST_PARTS = 3;

/** What a need consists of: `8.2 GiB for series and samples of the head, …`. */
export function partsInWords({ parts, resource }: Pick<Need, "parts" | "resource">): string {
  const named = parts.slice(0, MOST_PARTS).map(({ what, amount }) => `${amountOf(resource, amount)} for ${what}`);
  return [...named, ...(parts.length > MOST_PARTS ? ["…"] : [])].join(", ");
}

/** Why a need is no less than it is: `needs 9 GiB of memory while … (8.2 GiB for …)`. */
export function reasonOf(need: Need): string {
  const when = SITUATION_NAMES[need.when];
  const what =
    need.resource === "replay"
      ? `takes ${amountOf("replay", need.worst)} for the replay of its log with the CPU that it surely has`
      : need.resource === "cpu"
        ? `needs ${amountOf("cpu", need.worst)}`
        : `needs ${amountOf(need.resource, need.worst)} of its ${RESOURCE_NAMES[need.resource]}`;
  return `${what}${when === "" ? "" : ` ${when}`}${need.resource === "replay" ? "" : ` (${partsInWords(need)})`}`;
}

/** What there is of it, in words. */
function availableOf({ resource, available }: Need): string {
  const amount = amountOf(resource, available);
  switch (resource) {
    case "memory":
      return `it may use ${amount}, which is 90 % (GOMEMLIMIT)`;
    case "disk":
      return `it may fill ${amount}, which is 85 %`;
    case "cpu":
      return `it is to take ${amount}, which is 70 % of what is reserved`;
    case "replay":
      return `a start may take ${amount}`;
  }
}

/** One pod of a component, in words. */
export const onePod = (component: string): string =>
  component === "Prometheus" ? component : component === "compactor" ? "the compactor" : `one of the ${component}`;

function problemOf(need: Need, plan: CapacityPlan): Problem {
  const deciding = decidingKey(need, plan, needsOf);
  return {
    key: need.budget.key,
    value: need.budget.text,
    isPublic: true,
    rule: `under the load (${deciding.text}) ${onePod(need.component)} ${reasonOf(need)}, and ${availableOf(need)}`,
    remedy: `${carrying(need)} or more${morePodsCarry(need, plan) ? ", more replicas" : ""}, or less in ${deciding.key}`,
  };
}

/** As many times the pods as nobody has, under whom all that is left is what each of them needs. */
const MANY = 1_000;

/** The same plan with many more pods of a component. */
function withManyPods(plan: CapacityPlan, component: string): CapacityPlan {
  const grown = <Own extends ComponentPlan>(own: Own): Own => ({
    ...own,
    pods: { all: own.pods.all * MANY, restart: own.pods.restart * MANY, loss: own.pods.loss * MANY },
  });
  const { receivers, routers, querier, queryFrontend } = plan;
  if (component === "routers" && routers !== undefined) return { ...plan, routers: grown(routers) };
  if (component === "queriers") return { ...plan, querier: grown(querier) };
  if (component === "query frontends" && queryFrontend !== undefined) return { ...plan, queryFrontend: grown(queryFrontend) };
  if (receivers === undefined) return plan;
  const rings = receivers.rings.map((ring) =>
    receiversName(receivers, ring) === component
      ? // Tenants are divided where each has a shard of its own.
        { ...grown(ring), heaviest: ring.heaviest / MANY, tenants: ring.tenants < plan.load.tenants ? 1 : ring.tenants }
      : ring,
  );
  return { ...plan, receivers: { ...receivers, rings } };
}

/** Whether any number of pods would meet a need: not where one query, or what every pod has of each tenant, is too much for one of them. */
function morePodsCarry({ component, resource, available }: Need, plan: CapacityPlan): boolean {
  if (!MORE_PODS.test(component)) return false;
  const left = needsOf(withManyPods(plan, component)).find((each) => each.component === component && each.resource === resource);
  return left !== undefined && left.worst <= available;
}

/** Components whose work is divided over however many pods there are. */
export const MORE_PODS = /^(?:receivers|routers|queriers|query frontends)/;

/** Of each key the need that asks for most, as a problem: everything that can't carry the load; empty where all of it can. */
export function loadProblemsOf(plan: CapacityPlan): Problem[] {
  const byKey = new Map<string, Need>();
  for (const need of needsOf(plan)) {
    if (need.worst <= need.available) continue;
    const { key } = need.budget;
    const before = byKey.get(key);
    if (before === undefined || fullness(need) > fullness(before)) byKey.set(key, need);
  }
  return [...byKey.values()].map((need) => problemOf(need, plan));
}
