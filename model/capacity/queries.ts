import { BYTES_PER_CHUNK, BYTES_PER_SERIES } from "../reads/limits";
import {
  CHUNK_SAMPLES,
  FRONTEND_QUERIES,
  GB,
  HEAD_SECONDS,
  IDLE_BYTES,
  IDLE_CORES,
  QUERIER_BYTES,
  QUERIER_CORES,
  QUERY_SECONDS,
  READ_AT_QUERIER_SECONDS,
  READ_AT_STORE_SECONDS,
  READ_CHUNK_SECONDS,
  STORE_QUERY_SECONDS,
} from "./coefficients";
import { divided } from "./need";
import type { CapacityPlan, Need } from "./types";

/** CPU and memory for queries: of queriers, query frontends, and whoever serves samples. */

/**
 * Chunks of a series over the usual range of a query, one at least.
 *
 * @param kept Seconds of samples that there are of it, where that may be less.
 */
export function chunksOfSeries({ load, queries }: Pick<CapacityPlan, "load" | "queries">, kept = Number.POSITIVE_INFINITY): number {
  const perSecond = load.series === 0 ? 0 : load.samplesPerSecond / load.series;
  return Math.max(1, (Math.min(queries.rangeSeconds, kept) * perSecond) / CHUNK_SAMPLES);
}

/**
 * Replicas of a series that a querier reads, at most: from receivers, each of which has one of every Prometheus of a shard, or from these;
 * and what the bucket has of it.
 */
export const replicasRead = ({ receivers, prometheus, bucket }: CapacityPlan): number => {
  const inBucket = bucket?.replicas.after ?? 0;
  return receivers === undefined ? prometheus.replicas + inBucket : (receivers.replicationFactor + inBucket) * prometheus.replicas;
};

/** Memory of a querier for one query. Source of both figures: reads/limits.ts, measured. */
export const queryBytes = (plan: CapacityPlan): number =>
  plan.queries.series * replicasRead(plan) * (BYTES_PER_SERIES + (chunksOfSeries(plan) - 1) * BYTES_PER_CHUNK);

/** A core's time for one query at the querier. */
export const querySeconds = (plan: CapacityPlan): number =>
  QUERY_SECONDS + plan.queries.series * replicasRead(plan) * (READ_AT_QUERIER_SECONDS + chunksOfSeries(plan) * READ_CHUNK_SECONDS);

/**
 * Queries at once: one, and twice as many as there are on average, since they come in bunches.
 *
 * @param most How many a process itself lets in; others wait. Default: all.
 */
export const atOnce = (perSecond: number, seconds: number, most = Number.POSITIVE_INFINITY): number =>
  Math.min(most, 1 + 2 * perSecond * seconds);

/**
 * CPU and memory for queries of a process that serves samples. As many are served at once as the load brings, and not as all queriers
 * together would let in: one more of these brings no query more.
 *
 * @param replicas How many replicas it has of each series that is queried, on average.
 * @param retentionSeconds How long samples stay in its blocks, beside those of its head.
 */
export function serving(plan: CapacityPlan, replicas: number, retentionSeconds: number): { cpu: number; memory: number } {
  const { queries } = plan;
  const chunks = chunksOfSeries(plan, retentionSeconds + HEAD_SECONDS);
  const series = queries.series * replicas;
  return {
    // A querier asks every store that may have something of a selector.
    cpu: queries.perSecond * (STORE_QUERY_SECONDS + series * (READ_AT_STORE_SECONDS + chunks * READ_CHUNK_SECONDS)),
    memory: atOnce(queries.perSecond, querySeconds(plan)) * series * (plan.load.labelBytes + chunks * BYTES_PER_CHUNK),
  };
}

export function querierNeeds(plan: CapacityPlan): Need[] {
  const { querier, queries } = plan;
  return divided("queriers", querier, (pods) => {
    const perSecond = queries.perSecond / pods;
    return {
      cpu: { "the process itself": QUERIER_CORES, queries: perSecond * querySeconds(plan) },
      memory: {
        "the process itself": QUERIER_BYTES,
        "queries at once": atOnce(perSecond, querySeconds(plan), querier.maxConcurrent) * queryBytes(plan),
      },
    };
  });
}

export function frontendNeeds({ queryFrontend, queries }: CapacityPlan): Need[] {
  if (queryFrontend === undefined) return [];
  return divided("query frontends", queryFrontend, (pods) => ({
    cpu: { "the process itself": IDLE_CORES, queries: queries.perSecond / pods / FRONTEND_QUERIES },
    memory: { "the process itself": IDLE_BYTES, queries: (queries.perSecond / pods / FRONTEND_QUERIES) * GB },
  }));
}
