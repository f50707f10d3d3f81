/**
 * The record of one sender's run: which samples were acknowledged, and what it took. Plain JSON, so
 * that a run can be kept and judged later.
 */

/** One acknowledged request: the samples of every series of one batch at one timestamp. */
export interface AcknowledgedBatch {
  batch: number;
  /** Counts the seconds (intervals) of the run from 0. */
  tick: number;
  /** Milliseconds since the epoch, the same for every series of the batch. */
  timestampMs: number;
}

/** Outcomes of the requests of a run. */
export interface SendCounts {
  /** Requests handed to the client, acknowledged or not. */
  requests: number;
  /** Requests acknowledged at last. */
  acknowledged: number;
  /** Requests that were refused for good, or given up. */
  failed: number;
  /** Single tries, retries included. */
  attempts: number;
  /** Tries that were not acknowledged, by `HTTP <status>` or `no answer`. */
  failedAttempts: Record<string, number>;
  /** Longest single try, in seconds. */
  slowestAttemptSeconds: number;
  /** Longest time from the first try of a request to its acknowledgement, in seconds. */
  slowestAcknowledgementSeconds: number;
  /** First few errors, verbatim, each once. */
  errors: string[];
}

/** A run of the sender. */
export interface Ledger {
  metric: string;
  /** Labels of every series beside `series` and `batch`. */
  labels: Record<string, string>;
  /** Series in all; series `i` is in batch `i % batches`. */
  series: number;
  batches: number;
  /** Time between two samples of a series, in milliseconds. */
  intervalMs: number;
  /** Timestamp of tick 0, in milliseconds since the epoch. */
  startMs: number;
  acknowledged: AcknowledgedBatch[];
  counts: SendCounts;
}

/** The value of a series at a tick: another for each pair, and exact in a float. */
export function valueAt(ledger: Pick<Ledger, "series">, series: number, tick: number): number {
  return tick * ledger.series + series;
}

/** The series of one batch, by index. */
export function seriesOfBatch(ledger: Pick<Ledger, "series" | "batches">, batch: number): number[] {
  const count = Math.ceil((ledger.series - batch) / ledger.batches);
  return Array.from({ length: Math.max(count, 0) }, (_, index) => batch + index * ledger.batches);
}

/** Labels of one series, `__name__` included. */
export function labelsOfSeries(ledger: Pick<Ledger, "metric" | "labels" | "batches">, series: number): Record<string, string> {
  return { ...ledger.labels, __name__: ledger.metric, series: String(series), batch: String(series % ledger.batches) };
}

/** Acknowledged samples in all. */
export function acknowledgedSamples(ledger: Ledger): number {
  return ledger.acknowledged.reduce((sum, { batch }) => sum + seriesOfBatch(ledger, batch).length, 0);
}
