import { headSeries } from "./head";
import type { Capacity, CapacityPlan, Load } from "./types";

/** Series, and samples a second, in the heads of receivers, or of Prometheus where there are none; replicas not counted. */
export function headsOf({ receivers, prometheus }: CapacityPlan): Capacity["heads"] {
  const loads = receivers === undefined ? [prometheus.load] : receivers.rings.map(({ load }) => load);
  const sum = (of: (load: Load) => number): number => loads.reduce((all, load) => all + of(load), 0);
  return {
    component: receivers === undefined ? "Prometheus" : "receivers",
    replicas: receivers?.replicationFactor ?? prometheus.replicas,
    series: sum(headSeries),
    samplesPerSecond: sum(({ samplesPerSecond }) => samplesPerSecond),
  };
}
