import { bucketByYear } from "./bucket";
import { costOf } from "./cost";
import { headsOf } from "./heads";
import { firstLimit } from "./limits";
import { needsOf } from "./needs";
import { networkOf } from "./network";
import { cutOff } from "./prometheus";
import { rounded } from "./quantities";
import { receiversName, replayOf } from "./receivers";
import { summaryOf } from "./summary";
import type { Capacity, CapacityPlan, ComponentCapacity } from "./types";

/** Capacity of a plan: the load that it carries, the need that ends it, and all needs of its components. */
export function capacity(plan: CapacityPlan): Capacity {
  const { load, receivers, bucket } = plan;
  const { times, need } = firstLimit(plan);
  const { component, resource, when } = need;
  const cut = cutOff(plan);
  const network = networkOf(plan);
  const cost = costOf(plan);
  const pods = podsByComponent(plan);
  const result: Omit<Capacity, "summary"> = {
    load: { series: load.series, samplesPerSecond: rounded(load.samplesPerSecond) },
    heads: roundedHeads(headsOf(plan)),
    carries: { series: rounded(load.series * times), times: rounded(times), first: { component, resource, when } },
    components: needsOf(plan).map(
      (each): ComponentCapacity => ({
        component: each.component,
        resource: each.resource,
        pods: pods(each.component),
        used: rounded(each.used),
        worst: rounded(each.worst),
        when: each.when,
        available: rounded(each.available),
        ...(each.resource === "disk" ? retained(plan, each.component) : {}),
      }),
    ),
    ...(receivers === undefined
      ? {}
      : { replaySeconds: rounded(Math.max(...receivers.rings.map((ring) => replayOf(ring, receivers).seconds))) }),
    ...(cut === undefined
      ? {}
      : {
          cutOff: {
            seconds: rounded(cut.seconds),
            catchUpSeconds: cut.catchUpSeconds === null ? null : rounded(cut.catchUpSeconds),
          },
        }),
    network: { betweenNodes: rounded(network.betweenNodes), betweenZones: rounded(network.betweenZones) },
    ...(bucket === undefined ? {} : { bucketByYear: bucketByYear(bucket).map(rounded) }),
    ...(cost === undefined
      ? {}
      : {
          cost: {
            currency: cost.currency,
            month: rounded(cost.month),
            parts: Object.fromEntries(Object.entries(cost.parts).map(([name, amount]) => [name, rounded(amount)])),
          },
        }),
    notModelled: [...plan.notModelled],
  };
  return { summary: summaryOf(result), ...result };
}

const roundedHeads = (heads: Capacity["heads"]): Capacity["heads"] => ({
  ...heads,
  series: rounded(heads.series),
  samplesPerSecond: rounded(heads.samplesPerSecond),
});

function retained({ receivers, prometheus }: CapacityPlan, component: string): { retentionSeconds?: number } {
  if (component === "Prometheus") return { retentionSeconds: prometheus.retentionSeconds };
  const ring = receivers?.rings.find((each) => receiversName(receivers, each) === component);
  return ring === undefined ? {} : { retentionSeconds: ring.retentionSeconds };
}

/** Pods by the component's name in a need. */
function podsByComponent({ receivers, routers, querier, queryFrontend, prometheus, bucket }: CapacityPlan): (component: string) => number {
  const counts: Record<string, number> = {
    Prometheus: prometheus.shards * prometheus.replicas,
    sidecars: prometheus.shards * prometheus.replicas,
    routers: routers?.pods.all ?? 0,
    "query frontends": queryFrontend?.pods.all ?? 0,
    queriers: querier.pods.all,
    "store gateways": (bucket?.storeGateway.pods.all ?? 0) * (bucket?.storeGateway.shards ?? 0),
    compactor: bucket?.compactor.shards ?? 0,
  };
  return (component) =>
    counts[component] ?? receivers?.rings.find(({ name }) => component === "receivers" || component.endsWith(` ${name}`))?.pods.all ?? 0;
}
