/** A prober: asks the same instant query at a fixed rate and counts the answers that are not what they should be. */
import { setTimeout as delay } from "node:timers/promises";
import type { PrometheusClient, VectorElement } from "../../clients/prometheus";
import { messageOf } from "../../clients/transport";

/** Options of {@link startQueries}. */
export interface QueriesOptions {
  client: PrometheusClient;
  /** Queries a second; each starts on schedule, whether earlier ones have been answered or not. */
  rate: number;
  /** PromQL that yields a vector. */
  query: string;
  /** A complete answer: at least so many series, or what the function accepts. */
  expect: number | ((vector: readonly VectorElement[]) => boolean);
  /** The prober stops by itself after this many queries. */
  count: number;
  /** See `QueryOptions.lookbackDelta`. */
  lookbackDelta?: string;
  /**
   * Time in milliseconds after which an unanswered query has failed. Default: 30,000, since a querier waits 10 s for a store that
   * is silent (`querier.responseTimeout`).
   */
  timeoutMs?: number;
}

/** Outcomes of the queries. */
export interface QueryCounts {
  queries: number;
  /** Queries without an answer, or answered with an error. */
  failed: number;
  /** Answers without any series. */
  empty: number;
  /** Answers with some series, but not what was expected. */
  incomplete: number;
  /** Answers with a warning that a store could not be asked; counted besides the other three. */
  partial: number;
  slowestSeconds: number;
  /** First few errors, verbatim, each once. */
  errors: string[];
}

/** A running prober. */
export interface Queries {
  /** Resolves when all queries are answered, or after {@link stop}. */
  readonly done: Promise<QueryCounts>;
  /** Starts no further query, waits for those under way and returns the counts. */
  stop(): Promise<QueryCounts>;
}

const KEPT_ERRORS = 10;

/** Starts asking at once. */
export function startQueries(options: QueriesOptions): Queries {
  const counts: QueryCounts = { queries: 0, failed: 0, empty: 0, incomplete: 0, partial: 0, slowestSeconds: 0, errors: [] };
  const stopping = new AbortController();
  const done = ask(options, counts, stopping.signal);
  return {
    done,
    stop: () => {
      stopping.abort();
      return done;
    },
  };
}

async function ask(options: QueriesOptions, counts: QueryCounts, stopping: AbortSignal): Promise<QueryCounts> {
  const start = performance.now();
  const underWay: Promise<void>[] = [];
  for (let index = 0; index < options.count && !stopping.aborted; index++) {
    underWay.push(askOnce(options, counts));
    try {
      await delay(Math.max(start + ((index + 1) * 1000) / options.rate - performance.now(), 0), undefined, { signal: stopping });
    } catch {
      // Stopped: the loop's condition ends it.
    }
  }
  await Promise.all(underWay);
  return counts;
}

async function askOnce(options: QueriesOptions, counts: QueryCounts): Promise<void> {
  counts.queries++;
  const start = performance.now();
  try {
    const { vector, partial } = await options.client.instant(options.query, {
      timeoutMs: options.timeoutMs ?? 30_000,
      lookbackDelta: options.lookbackDelta,
    });
    const complete = typeof options.expect === "number" ? vector.length >= options.expect : options.expect(vector);
    counts.partial += partial ? 1 : 0;
    if (vector.length === 0) {
      counts.empty++;
    } else if (!complete) {
      counts.incomplete++;
    }
  } catch (error) {
    counts.failed++;
    const message = messageOf(error);
    if (counts.errors.length < KEPT_ERRORS && !counts.errors.includes(message)) {
      counts.errors.push(message);
    }
  }
  counts.slowestSeconds = Math.max(counts.slowestSeconds, (performance.now() - start) / 1000);
}
