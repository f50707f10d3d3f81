/** Reads what a stack takes from its own metrics, through its querier. */
import type { PrometheusClient, Sample } from "../../clients/prometheus";
import { jobOf, podsOfSets } from "../../model/capacity/jobs";
import { receiversName } from "../../model/capacity/receivers";
import type { Capacity, ComponentCapacity } from "../../model/capacity/types";
import { PROMETHEUS_APP, RECEIVE_APP } from "../../model/kubernetes/identities";
import type { StackOutputs } from "../../outputs";
import type { CapacityReadings, NeedReading } from "./judgement";
import { HISTORY_MS, HOUR_MS } from "./judgement";

/**
 * Those that keep a TSDB, and so tell what their blocks and logs take, whatever the volume is. Of the others kubelets tell, where it is a
 * claim.
 */
const WITH_TSDB: readonly string[] = [RECEIVE_APP, PROMETHEUS_APP];

/** The most that claims of a component's pods hold, those of all of its StatefulSets: `data-thanos-store-gateway-1-0`. */
function claimsQuery({ externalLabels, namespace }: StackOutputs, app: string): string {
  const own = Object.entries({ ...externalLabels, namespace }).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `max(kubelet_volume_stats_used_bytes{${[...own, `persistentvolumeclaim=~".+-${app}(-[0-9]+)+"`].join(",")}})`;
}

/** Whose metrics are a component's. */
interface Targets {
  job: string;
  /** Its StatefulSets, where other components have the same job. */
  sets?: readonly string[];
}

/** StatefulSets of a ring's receivers by its name, as its members' addresses name their pods. */
function setsByRing(outputs: StackOutputs): Map<string, Set<string>> {
  const sets = new Map<string, Set<string>>();
  for (const { address, hashring } of outputs.scheme === "receive" ? outputs.ring.members : []) {
    if (hashring === undefined) continue;
    const own = sets.get(hashring) ?? new Set();
    sets.set(hashring, own.add(address.replace(/-[0-9]+\..*$/, "")));
  }
  return sets;
}

/** The targets of a component; undefined of what is not scraped. */
function targetsOf(component: string, outputs: StackOutputs): Targets | undefined {
  const job = jobOf(component);
  if (job !== undefined) return { job };
  const rings = setsByRing(outputs);
  for (const [name, sets] of rings)
    if (receiversName({ rings: [...rings] }, { name }) === component) return { job: RECEIVE_APP, sets: [...sets] };
  return undefined;
}

/** Matchers of the stack's own targets, as text. */
function matchersOf({ externalLabels, namespace }: StackOutputs, { job, sets }: Targets): string {
  const own = Object.entries({ ...externalLabels, namespace, job }).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return [...own, ...(sets === undefined ? [] : [podsOfSets(sets)])].join(",");
}

/**
 * The most of any pod in an hour, as a query; undefined where nothing measures it. CPU is the mean of five minutes: a longer range would
 * count the time before a pod's start as time in which it did nothing.
 */
export function queryOf(
  { component, resource }: Pick<ComponentCapacity, "component" | "resource">,
  outputs: StackOutputs,
): string | undefined {
  const targets = targetsOf(component, outputs);
  if (targets === undefined) return undefined;
  const { job } = targets;
  const own = matchersOf(outputs, targets);
  switch (resource) {
    case "memory":
      return `max(max_over_time(process_resident_memory_bytes{${own}}[1h]))`;
    case "cpu":
      return `max(max_over_time(rate(process_cpu_seconds_total{${own}}[5m])[1h:5m]))`;
    case "disk":
      return WITH_TSDB.includes(job)
        ? `max(sum by (pod) ({__name__=~"prometheus_tsdb_(storage_blocks|(wal|head_chunks|out_of_order_wbl)_storage_size)_bytes",${own}}))`
        : claimsQuery(outputs, job);
    case "replay":
      return `max(prometheus_tsdb_data_replay_duration_seconds{${own}})`;
    case "remoteWrite":
      return `max(max_over_time(rate(prometheus_remote_storage_samples_total{${own},remote_name="receive"}[5m])[1h:5m]))`;
  }
}

/** When the oldest sample of a component's youngest pod is of, in milliseconds, as a query; of an empty TSDB that is far ahead. */
export function oldestQuery(component: string, outputs: StackOutputs): string | undefined {
  const targets = targetsOf(component, outputs);
  return targets === undefined ? undefined : `max(min by (pod) (prometheus_tsdb_lowest_timestamp{${matchersOf(outputs, targets)}}))`;
}

/** Queries of series in all heads, and of samples a second that they take. */
export function headQueries({ heads }: Capacity, outputs: StackOutputs): { series: string; samplesPerSecond: string } {
  const own = matchersOf(outputs, { job: heads.component === "Prometheus" ? PROMETHEUS_APP : RECEIVE_APP });
  return {
    series: `sum(prometheus_tsdb_head_series{${own}})`,
    samplesPerSecond: `sum(rate(prometheus_tsdb_head_samples_appended_total{${own}}[5m]))`,
  };
}

/**
 * Since when the samples of a component's youngest pod are as old as they get, in milliseconds since the epoch; undefined where nobody
 * knows, infinite where they are not yet.
 *
 * @param oldest When its oldest sample was of, in milliseconds, an hour a sample.
 */
export function fullSince(oldest: readonly Sample[], retentionSeconds: number): number | undefined {
  if (oldest.length === 0) return undefined;
  const young = oldest.filter(({ timestampMs, value }) => timestampMs - value < retentionSeconds * 1_000).at(-1);
  if (young === undefined) return Number.NEGATIVE_INFINITY;
  return young === oldest.at(-1) ? Number.POSITIVE_INFINITY : young.timestampMs + 1;
}

/** Reads everything that is measured of a plan. */
export async function readCapacity(
  client: Pick<PrometheusClient, "instant" | "range">,
  capacity: Capacity,
  outputs: StackOutputs,
  nowMs: number,
): Promise<CapacityReadings> {
  let isPartial = false;
  const numberOf = async (query: string): Promise<number | undefined> => {
    const { vector, partial } = await client.instant(query, { timeMs: nowMs });
    isPartial ||= partial;
    return vector[0]?.sample.value;
  };
  const hoursOf = async (query: string): Promise<Sample[]> => {
    // An hour's step would be answered from samples of every five minutes, of which five minutes have no rate.
    const options = { startMs: nowMs - HISTORY_MS, endMs: nowMs, stepMs: HOUR_MS, maxSourceResolution: "0s" };
    const { matrix, partial } = await client.range(query, options);
    isPartial ||= partial;
    return (matrix[0]?.samples ?? []).filter(({ value }) => Number.isFinite(value));
  };
  const heads = headQueries(capacity, outputs);
  const [headSeries, headSamplesPerSecond] = [await numberOf(heads.series), await numberOf(heads.samplesPerSecond)];
  const needs: NeedReading[] = [];
  // One after the other: a querier of a small stack answers few queries at once, and others wait for theirs.
  for (const { component, resource, retentionSeconds } of capacity.components) {
    const query = queryOf({ component, resource }, outputs);
    const oldest = retentionSeconds === undefined ? undefined : oldestQuery(component, outputs);
    const fullAtMs =
      oldest === undefined || retentionSeconds === undefined ? undefined : fullSince(await hoursOf(oldest), retentionSeconds);
    needs.push({
      component,
      resource,
      hours: query === undefined ? [] : await hoursOf(query),
      ...(fullAtMs === undefined ? {} : { fullAtMs }),
    });
  }
  return {
    ...(headSeries === undefined ? {} : { headSeries }),
    ...(headSamplesPerSecond === undefined ? {} : { headSamplesPerSecond }),
    needs,
    isPartial,
  };
}
