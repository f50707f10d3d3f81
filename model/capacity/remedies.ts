import { MOST_PROMETHEUS_SHARDS, MOST_SENDERS } from "../settings/forms";
import { SEND_SAMPLES } from "./coefficients";
import type { Deciding } from "./deciding";
import { underLoad } from "./load";
import { sameNeed } from "./needs";
import { carrying, countFor, roundedDown, short } from "./quantities";
import { EXEMPLARS, receiversName } from "./receivers";
import type { CapacityPlan, ComponentPlan, Need, RingCapacityPlan } from "./types";

/** Remedies for a need that a plan does not meet: each is named only where the need is met by it. */

/** Components whose work is divided over however many pods there are, in part at least. */
const MORE_PODS = /^(?:receivers|routers|queriers|query frontends|store gateways)/;
/** Components of which there are as many as shards of Prometheus. */
const MORE_SHARDS = /^(?:Prometheus|sidecars)$/;

/** The same plan with as many pods of a component as a stack file takes. */
export function withMostPods(plan: CapacityPlan, component: string): CapacityPlan {
  const grown = <Own extends ComponentPlan>(own: Own): Own => ({ ...own, ...own.most });
  const { receivers, routers, querier, queryFrontend, bucket } = plan;
  if (component === "routers" && routers !== undefined) return { ...plan, routers: grown(routers) };
  if (component === "queriers") return { ...plan, querier: grown(querier) };
  if (component === "query frontends" && queryFrontend !== undefined) return { ...plan, queryFrontend: grown(queryFrontend) };
  if (component === "store gateways" && bucket !== undefined)
    return { ...plan, bucket: { ...bucket, storeGateway: grown(bucket.storeGateway) } };
  if (receivers === undefined) return plan;
  const rings = receivers.rings.map((ring) => (receiversName(receivers, ring) === component ? grown(ring) : ring));
  return { ...plan, receivers: { ...receivers, rings } };
}

/** Whether a plan meets a need of another one. */
function meets(plan: CapacityPlan, need: Need): boolean {
  const left = sameNeed(plan, need);
  return left !== undefined && left.worst <= left.available;
}

/** Not where one query, or what every pod has of each tenant, is too much for one of them. */
function morePods(need: Need, plan: CapacityPlan): string[] {
  const { component } = need;
  if (!MORE_PODS.test(component) || !meets(withMostPods(plan, component), need)) return [];
  const scraped = component.startsWith("receivers") ? (plan.receivers?.scrapedOfOne ?? 0) : 0;
  return [`more replicas${scraped === 0 ? "" : ` (each has ${short(scraped)} series more for Prometheus to scrape)`}`];
}

/** The same plan with the whole ring as each tenant's shard, and the key of these; undefined where tenants have no shards of it. */
function withLargestShards(plan: CapacityPlan, component: string): { plan: CapacityPlan; key: string } | undefined {
  const { receivers } = plan;
  if (receivers === undefined) return undefined;
  const isOf = (ring: RingCapacityPlan): boolean => receiversName(receivers, ring) === component;
  const shards = receivers.rings.find(isOf)?.shards;
  if (shards === undefined) return undefined;
  const rings = receivers.rings.map((ring) => (isOf(ring) ? { ...ring, ...shards.whole } : ring));
  return { plan: { ...plan, receivers: { ...receivers, rings } }, key: shards.key };
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

/** The most exemplars of a tenant with which a need is met, where there are any in it. */
function fewerExemplars(need: Need, plan: CapacityPlan): string[] {
  const { receivers } = plan;
  if (receivers === undefined || !need.parts.some(({ what }) => what === EXEMPLARS)) return [];
  const met = (maxExemplars: number): boolean => meets({ ...plan, receivers: { ...receivers, maxExemplars } }, need);
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
  if ((need.least ?? 0) > need.available) return [];
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

/**
 * Remedies for an alert beside a larger value of its key, as clauses; empty where there are none: each carries half as much load again as
 * meets the limit.
 */
export function otherRemedies(need: Need, plan: CapacityPlan): string {
  const { component, parts, worst, available } = need;
  const [largest] = parts;
  const grown = underLoad(plan, FURTHER * Math.max(1, available / worst));
  const shards = withLargestShards(grown, component);
  return [
    ...(MORE_PODS.test(component) && meets(withMostPods(grown, component), need) ? [", or there are to be more replicas"] : []),
    ...(shards !== undefined && meets(shards.plan, need) ? [`, or larger shards in ${shards.key}`] : []),
    ...(MORE_SHARDS.test(component) && meets(withMostShards(grown), need) ? [", or prometheus.shards"] : []),
    ...(largest?.what === EXEMPLARS ? [", or receive.maxExemplars smaller"] : []),
  ].join("");
}
