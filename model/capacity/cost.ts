import { bucketBytes, bucketRequests } from "./bucket";
import { GB, GIB, YEAR } from "./coefficients";
import { networkOf } from "./network";
import type { Capacity, CapacityPlan, ComponentPlan, LoadedBucket } from "./types";

/** The plan's cost in a month, as far as the model knows it: no gateway, and no traffic to senders elsewhere. */

const HOURS = 730;

type Priced = Pick<ComponentPlan, "cpu" | "memory" | "disk">;

/** Every component with the number of its pods. */
function podsOf({ receivers, routers, querier, queryFrontend, prometheus, bucket, others }: CapacityPlan): [Priced, number][] {
  const one = (plan: ComponentPlan | undefined): [Priced, number][] => (plan === undefined ? [] : [[plan, plan.pods.all]]);
  return [
    ...(receivers?.rings ?? []).flatMap(one),
    ...one(routers),
    ...one(querier),
    ...one(queryFrontend),
    [prometheus, prometheus.shards * prometheus.replicas],
    ...(prometheus.sidecar === undefined
      ? []
      : ([[prometheus.sidecar, prometheus.shards * prometheus.replicas]] satisfies [Priced, number][])),
    ...others.map(({ plan, count }): [Priced, number] => [plan, count]),
    ...(bucket === undefined ? [] : severalOf(bucket.storeGateway)),
    ...(bucket === undefined ? [] : ([[bucket.compactor, bucket.compactor.shards]] satisfies [Priced, number][])),
  ];
}

/** Store gateways of every shard. */
const severalOf = (plan: LoadedBucket["storeGateway"]): [Priced, number][] => [[plan, plan.pods.all * plan.shards]];

/** A month's cost; undefined without prices. */
export function costOf(plan: CapacityPlan): Capacity["cost"] {
  const { prices, bucket, queries } = plan;
  if (prices === undefined) return undefined;
  const sum = (of: (component: Priced) => number) => podsOf(plan).reduce((all, [component, pods]) => all + pods * of(component), 0);
  const parts = {
    cpu: sum(({ cpu }) => cpu.amount) * HOURS * prices.cpuHour,
    memory: (sum(({ memory }) => memory.amount) / GIB) * HOURS * prices.memoryGiBHour,
    volumes: (sum(({ disk }) => disk?.amount ?? 0) / GIB) * prices.volumeGiBMonth,
    "bucket, after a year": bucket === undefined ? 0 : (bucketBytes(bucket, YEAR) / GIB) * prices.bucketGiBMonth,
    "between zones": ((networkOf(plan).betweenZones * HOURS * 3_600) / GB) * prices.betweenZonesGB,
    "requests to the bucket": bucket === undefined ? 0 : (bucketRequests(bucket, queries.perSecond) / 1_000) * prices.bucketRequests,
  };
  return { currency: prices.currency, month: Object.values(parts).reduce((all, each) => all + each, 0), parts };
}
