import { MOST_PROMETHEUS_SHARDS, MOST_SENDERS } from "../settings/forms";
import { boundary } from "../values/boundary";
import { SEND_SAMPLES } from "./coefficients";
import type { Deciding } from "./deciding";
import { underLoad, withTenants } from "./load";
import { isBeyondBudget, isMet } from "./need";
import { needsOf, sameNeed } from "./needs";
import { carrying, countFor, roundedDown, short } from "./quantities";
import { EXEMPLARS, receiversName } from "./receivers";
import type { CapacityPlan, ComponentPlan, Need, ReceiversPlan, RingCapacityPlan } from "./types";

/** Remedies for a need that a plan does not meet: each is named only where the need is met by it. */

/** Components whose work is divided over however many pods there are, in part at least. */
const MORE_PODS = /^(?:receivers|routers|queriers|query frontends|store gateways)/;
/** Components of which there are as many as shards of Prometheus. */
const MORE_SHARDS = /^(?:Prometheus|sidecars)$/;

/** The same plan with more pods of a component, several times: up to as many as a stack file takes. */
export function withMorePods(plan: CapacityPlan, component: string): CapacityPlan[] {
  const grown = <Own extends ComponentPlan>(own: Own): Own[] => (own.more ?? []).map((more) => ({ ...own, ...more }));
  const { receivers, routers, querier, queryFrontend, bucket } = plan;
  if (component === "routers" && routers !== undefined) return grown(routers).map((each) => ({ ...plan, routers: each }));
  if (component === "queriers") return grown(querier).map((each) => ({ ...plan, querier: each }));
  if (component === "query frontends" && queryFrontend !== undefined)
    return grown(queryFrontend).map((each) => ({ ...plan, queryFrontend: each }));
  if (component === "store gateways" && bucket !== undefined)
    return grown(bucket.storeGateway).map((each) => ({ ...plan, bucket: { ...bucket, storeGateway: each } }));
  if (receivers === undefined) return [];
  return receivers.rings
    .filter((ring) => receiversName(receivers, ring) === component)
    .flatMap((ring) => grown(ring).map((each) => withRing(plan, receivers, ring, each)));
}

const withRing = (plan: CapacityPlan, receivers: ReceiversPlan, ring: RingCapacityPlan, other: RingCapacityPlan): CapacityPlan => ({
  ...plan,
  receivers: { ...receivers, rings: receivers.rings.map((each) => (each === ring ? other : each)) },
});

/** Whether a plan meets a need of another one, and whatever else it has of the same key. */
function meets(plan: CapacityPlan, { component, budget }: Need): boolean {
  const same = needsOf(plan).filter((each) => each.component === component && each.budget.key === budget.key);
  return same.length > 0 && same.every(isMet);
}

/** Not where one query, or what every pod has of each tenant, is too much for one of them. */
function morePods(need: Need, plan: CapacityPlan): string[] {
  const { component } = need;
  if (!MORE_PODS.test(component) || !withMorePods(plan, component).some((more) => meets(more, need))) return [];
  const scraped = component.startsWith("receivers") ? (plan.receivers?.scrapedOfOne ?? 0) : 0;
  return [`more replicas${scraped === 0 ? "" : ` (each has ${short(scraped)} series more for Prometheus to scrape)`}`];
}

/** The same plan with the whole ring as each tenant's shard, and the key of these; undefined where tenants have no shards of it. */
function withLargestShards(plan: CapacityPlan, component: string): { plan: CapacityPlan; key: string } | undefined {
  const { receivers } = plan;
  const ring = receivers?.rings.find((each) => receiversName(receivers, each) === component);
  if (receivers === undefined || ring?.shards === undefined) return undefined;
  return { plan: withRing(plan, receivers, ring, { ...ring, ...ring.shards.whole }), key: ring.shards.key };
}

/** A tenant's series are divided over its shard alone. */
function largerShards(need: Need, plan: CapacityPlan): string[] {
  const shards = withLargestShards(plan, need.component);
  return shards !== undefined && meets(shards.plan, need) ? [`larger shards in ${shards.key}`] : [];
}

const withMostShards = (plan: CapacityPlan): CapacityPlan => ({
  ...plan,
  prometheus: { ...plan.prometheus, shards: MOST_PROMETHEUS_SHARDS },
});

/** Each shard scrapes, keeps and sends its part of the targets. */
const moreShards = (need: Need, plan: CapacityPlan): string[] =>
  MORE_SHARDS.test(need.component) && meets(withMostShards(plan), need) ? [`more in prometheus.shards (${plan.prometheus.shards})`] : [];

/** The same plan with places for so many exemplars of a tenant. */
const withExemplars = (plan: CapacityPlan, maxExemplars: number): CapacityPlan =>
  plan.receivers === undefined ? plan : { ...plan, receivers: { ...plan.receivers, maxExemplars } };

/** The most exemplars of a tenant with which a need is met, where there are any in it. */
function fewerExemplars(need: Need, plan: CapacityPlan): string[] {
  const { receivers } = plan;
  if (receivers === undefined || !need.parts.some(({ what }) => what === EXEMPLARS)) return [];
  const met = (maxExemplars: number): boolean => meets(withExemplars(plan, maxExemplars), need);
  if (!met(0)) return [];
  let [most, tooMany] = [0, receivers.maxExemplars];
  while (tooMany - most > 1) {
    const middle = Math.floor((most + tooMany) / 2);
    if (met(middle)) most = middle;
    else tooMany = middle;
  }
  return [`at most ${roundedDown(most)} in receive.maxExemplars (${receivers.maxExemplars})`];
}

/** Larger requests, where the senders that there are then send enough: the time of one was measured up to {@link SEND_SAMPLES}. */
function largerRequests(need: Need, { prometheus: { queue } }: CapacityPlan): string[] {
  if (need.resource !== "remoteWrite" || queue === undefined) return [];
  const amount = countFor(queue.perRequest, need);
  return amount > SEND_SAMPLES ? [] : [`${amount} or more in prometheus.remoteWrite.maxSamplesPerSend (${queue.perRequest})`];
}

/** More of what its key gives, where that helps and the stack file takes as much. */
function moreOfIt(need: Need): string[] {
  if (isBeyondBudget(need)) return [];
  const amount = carrying(need);
  return need.resource === "remoteWrite" && Number(amount) > MOST_SENDERS ? [] : [`${amount} or more`];
}

/** Remedy for a need that is not met: values of its own key and of others, or less of the load's key from which it follows. */
export function remedyOf(need: Need, plan: CapacityPlan, { key, carries }: Deciding): string {
  const own = [
    ...moreOfIt(need),
    ...morePods(need, plan),
    ...largerShards(need, plan),
    ...largerRequests(need, plan),
    ...moreShards(need, plan),
    ...fewerExemplars(need, plan),
  ];
  return [...own, ...(carries || own.length === 0 ? [`${own.length === 0 ? "" : "or "}less in ${key}`] : [])].join(", ");
}

/** How far beyond the load that meets a limit a remedy of its alert carries. */
const FURTHER = 1.5;
/** Loads that are tried, as multiples. */
const MOST = 1e6;
/** How exact the multiple is. */
const EXACT = 1e-2;

/** The same plan under so many times its load, by so many times its tenants. */
const grownBy = (plan: CapacityPlan, factor: number): CapacityPlan => withTenants(underLoad(plan, factor), factor);

/** The plan under half as much load again as that with which a need meets its limit. */
function beyondLimit(need: Need, plan: CapacityPlan): CapacityPlan {
  const isMetAt = (factor: number): boolean => {
    const own = sameNeed(grownBy(plan, factor), need);
    return own !== undefined && isMet(own);
  };
  const { beyond } = boundary(isMetAt, { start: 1, most: MOST, exact: EXACT });
  return grownBy(plan, FURTHER * beyond);
}

/**
 * Remedies for an alert beside a larger value of its key, as clauses; empty where there are none: each carries half as much load again, of
 * half as many tenants again, as meets the limit.
 */
export function otherRemedies(need: Need, plan: CapacityPlan): string {
  const { component } = need;
  const grown = beyondLimit(need, plan);
  const shards = withLargestShards(grown, component);
  return [
    ...(MORE_PODS.test(component) && withMorePods(grown, component).some((more) => meets(more, need))
      ? [", or there are to be more replicas"]
      : []),
    ...(shards !== undefined && meets(shards.plan, need) ? [`, or larger shards in ${shards.key}`] : []),
    ...(MORE_SHARDS.test(component) && meets(withMostShards(grown), need) ? [", or prometheus.shards"] : []),
    ...(component.startsWith("receivers") && meets(withExemplars(grown, 0), need) ? [", or receive.maxExemplars smaller"] : []),
  ].join("");
}
