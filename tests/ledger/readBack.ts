/** Compares what a sender's ledger says was acknowledged with what the querier answers. */
import type { MatrixElement, PrometheusClient } from "../../clients/prometheus";
import { acknowledgedSamples, type Ledger, seriesOfBatch, valueAt } from "./ledger";

/** Options of {@link readBack}. */
export interface ReadBackOptions {
  /** Length in milliseconds of the window one query asks for. Default: 60,000. */
  windowMs?: number;
  /** Labels that tell replicas apart; with them the samples of each replica are counted. Default: none, and they are not counted. */
  replicaLabels?: readonly string[];
  /** Whether an answer without some store's data is accepted. Default: false, a store that fails then fails the reading. */
  partialResponse?: boolean;
}

/** One sample, for messages. */
export interface SampleReference {
  series: number;
  tick: number;
  timestampMs: number;
}

/** Samples that one replica holds. */
export interface ReplicaCount {
  /** Acknowledged samples this replica has. */
  stored: number;
  /** Series of which it has at least one sample. */
  series: number;
  /** Acknowledged samples, of the series it has, that it does not have. */
  gaps: number;
}

/** Fate of the acknowledged samples. */
export interface Reading {
  acknowledged: number;
  /** Acknowledged samples that a deduplicated query answers, with the right value. */
  answered: number;
  /** Acknowledged samples that no query answers: they are not stored, on no replica. */
  lost: number;
  /** Acknowledged samples that are stored, but left out of the deduplicated answer. */
  hidden: number;
  /** Acknowledged samples answered with another value than was sent. */
  wrong: number;
  /** Further samples at a timestamp of a series that was already answered, by deduplicated queries. */
  duplicated: number;
  /** Warnings of the answers, each once. */
  warnings: string[];
  /** Series of which a sample is lost, each once, ascending. */
  lostSeries: number[];
  /** First few samples that are lost. */
  lostExamples: SampleReference[];
  /** First few samples that are hidden. */
  hiddenExamples: SampleReference[];
  /** By replica label values, joined by `/`; present when `replicaLabels` were given. */
  perReplica?: Record<string, ReplicaCount>;
}

const EXAMPLES = 10;
const DEFAULT_WINDOW_MS = 60_000;

/**
 * Reads every acknowledged sample back as raw samples, batch by batch and window by window, so that no answer is cut by a limit.
 * Without deduplication it is asked again wherever something is missing, which tells lost samples from hidden ones (and
 * everywhere, when replicas are counted).
 *
 * @param client a querier itself, not a query frontend: a cached answer is none
 * @throws {PrometheusError} when a query fails; nothing is judged from a part of the answers
 */
export async function readBack(ledger: Ledger, client: PrometheusClient, options: ReadBackOptions = {}): Promise<Reading> {
  const reading: Reading = {
    acknowledged: acknowledgedSamples(ledger),
    answered: 0,
    lost: 0,
    hidden: 0,
    wrong: 0,
    duplicated: 0,
    warnings: [],
    lostSeries: [],
    lostExamples: [],
    hiddenExamples: [],
  };
  const warnings = new Set<string>();
  const lostSeries = new Set<number>();
  const copies = new Copies(ledger, options.replicaLabels ?? []);
  const ask = async (batch: number, window: Window, deduplicate: boolean): Promise<MatrixElement[]> => {
    const answer = await client.raw(selector(ledger, batch, window), {
      timeMs: window.endMs,
      deduplicate,
      partialResponse: options.partialResponse ?? false,
      timeoutMs: 120_000,
    });
    for (const warning of answer.warnings) {
      warnings.add(warning);
    }
    return answer.matrix;
  };
  for (const { batch, window, ticks } of parts(ledger, options.windowMs ?? DEFAULT_WINDOW_MS)) {
    const answered = new Answers(ledger, await ask(batch, window, true));
    reading.duplicated += answered.duplicated;
    const expected = seriesOfBatch(ledger, batch).flatMap((series) =>
      ticks.map((tick): SampleReference => ({ series, tick, timestampMs: timestampOf(ledger, tick) })),
    );
    const missing: SampleReference[] = [];
    for (const sample of expected) {
      const value = answered.value(sample);
      if (value === undefined) {
        missing.push(sample);
      } else if (value !== valueAt(ledger, sample.series, sample.tick)) {
        reading.wrong++;
      } else {
        reading.answered++;
      }
    }
    if (missing.length > 0 || copies.wanted) {
      const stored = await ask(batch, window, false);
      copies.add(stored, ticks);
      const copied = new Answers(ledger, stored);
      for (const sample of missing) {
        const isStored = copied.value(sample) !== undefined;
        const examples = isStored ? reading.hiddenExamples : reading.lostExamples;
        reading[isStored ? "hidden" : "lost"]++;
        if (!isStored) lostSeries.add(sample.series);
        if (examples.length < EXAMPLES) {
          examples.push(sample);
        }
      }
    }
  }
  reading.lostSeries = [...lostSeries].sort((a, b) => a - b);
  return { ...reading, warnings: [...warnings], ...(copies.wanted ? { perReplica: copies.counts() } : {}) };
}

/** A half-open window: after `startMs`, up to and including `endMs`, as range selectors are. */
interface Window {
  startMs: number;
  endMs: number;
}

/** The acknowledged ticks of every batch, cut into windows. */
function* parts(ledger: Ledger, windowMs: number): Generator<{ batch: number; window: Window; ticks: number[] }> {
  for (let batch = 0; batch < ledger.batches; batch++) {
    const ticks = ledger.acknowledged
      .filter((each) => each.batch === batch)
      .map(({ tick }) => tick)
      .sort((a, b) => a - b);
    const perWindow = Math.max(Math.floor(windowMs / ledger.intervalMs), 1);
    const windows = new Map<number, number[]>();
    for (const tick of ticks) {
      const index = Math.floor(tick / perWindow);
      windows.set(index, [...(windows.get(index) ?? []), tick]);
    }
    for (const [index, ofWindow] of windows) {
      const startMs = timestampOf(ledger, index * perWindow) - 1;
      yield { batch, window: { startMs, endMs: startMs + perWindow * ledger.intervalMs }, ticks: ofWindow };
    }
  }
}

function timestampOf(ledger: Ledger, tick: number): number {
  return ledger.startMs + tick * ledger.intervalMs;
}

function selector(ledger: Ledger, batch: number, window: Window): string {
  const labels = Object.entries({ ...ledger.labels, batch: String(batch) }).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `${ledger.metric}{${labels.join(",")}}[${window.endMs - window.startMs}ms]`;
}

function key(series: number | string, timestampMs: number): string {
  return `${series} ${timestampMs}`;
}

/** Samples of an answer by series and timestamp, whatever other labels the series have. */
class Answers {
  private readonly values = new Map<string, number>();
  duplicated = 0;

  constructor(ledger: Ledger, matrix: readonly MatrixElement[]) {
    for (const { labels, samples } of matrix) {
      const series = Number(labels.series);
      for (const { timestampMs, value } of samples) {
        const at = key(series, timestampMs);
        const known = this.values.get(at);
        if (known !== undefined) {
          this.duplicated++;
        }
        // Of several values the wrong one is kept: a right replica must not excuse it.
        if (known === undefined || known === expectedAt(ledger, series, timestampMs)) {
          this.values.set(at, value);
        }
      }
    }
  }

  value(sample: SampleReference): number | undefined {
    return this.values.get(key(sample.series, sample.timestampMs));
  }
}

function expectedAt(ledger: Ledger, series: number, timestampMs: number): number {
  return valueAt(ledger, series, (timestampMs - ledger.startMs) / ledger.intervalMs);
}

/** Counts samples by replica over all windows. */
class Copies {
  private readonly stored = new Map<string, Map<number, number>>();
  private readonly acknowledged: number[];

  constructor(
    private readonly ledger: Ledger,
    private readonly replicaLabels: readonly string[],
  ) {
    this.acknowledged = Array.from(
      { length: ledger.batches },
      (_, batch) => ledger.acknowledged.filter((each) => each.batch === batch).length,
    );
  }

  get wanted(): boolean {
    return this.replicaLabels.length > 0;
  }

  add(matrix: readonly MatrixElement[], ticks: readonly number[]): void {
    const acknowledged = new Set(ticks.map((tick) => timestampOf(this.ledger, tick)));
    for (const { labels, samples } of matrix) {
      const replica = this.replicaLabels.map((name) => labels[name] ?? "").join("/");
      const bySeries = this.stored.get(replica) ?? new Map<number, number>();
      const series = Number(labels.series);
      const count = new Set(samples.map(({ timestampMs }) => timestampMs).filter((timestampMs) => acknowledged.has(timestampMs))).size;
      bySeries.set(series, (bySeries.get(series) ?? 0) + count);
      this.stored.set(replica, bySeries);
    }
  }

  counts(): Record<string, ReplicaCount> {
    const entries = [...this.stored].sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(
      entries.map(([replica, bySeries]) => {
        const stored = [...bySeries.values()].reduce((sum, count) => sum + count, 0);
        const due = [...bySeries.keys()].reduce((sum, series) => sum + (this.acknowledged[series % this.ledger.batches] ?? 0), 0);
        return [replica, { stored, series: bySeries.size, gaps: due - stored }];
      }),
    );
  }
}
