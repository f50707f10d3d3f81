/** A sender with a memory: writes deterministic series, retries like Prometheus, and keeps a ledger of what was acknowledged. */
import { setMaxListeners } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { type Attempt, RemoteWriteClient, WriteGivenUpError, WriteRejectedError, type WriteSeries } from "../../clients/remoteWrite";
import { directTransport } from "../../clients/transport";
import { type Ledger, labelsOfSeries, seriesOfBatch, valueAt } from "./ledger";

/** Options of {@link startSender}. */
export interface SenderOptions {
  /** Where to write: a client, or the whole write URL (reached directly). */
  write: RemoteWriteClient | string;
  /** Series in all. */
  series: number;
  /** Requests each interval is divided into, evenly spread over it and each sent in order, as Prometheus' shards are. Default: 1. */
  batches?: number;
  /** Time between two samples of a series, in milliseconds. Default: 1,000. */
  intervalMs?: number;
  /** How far its timestamps are behind the clock, in milliseconds: what is late where others write the same series. Default: 0. */
  behindMs?: number;
  /** The sender stops by itself after this many samples of each series. */
  ticks: number;
  /** Metric name. Default: `thanos_stack_ledger`. */
  metric?: string;
  /** Labels of every series; one of them should tell runs apart. */
  labels: Record<string, string>;
  /** Tenant, where `write` is a URL. */
  tenant?: string;
  /** Opens a new connection for every request, where `write` is a URL. Default: false. */
  connectionPerRequest?: boolean;
  /** Time in milliseconds after which a request is not tried again. Default: 120,000. */
  giveUpAfterMs?: number;
}

/** A running sender. */
export interface Sender {
  /**
   * Resolves when all ticks are sent, or after {@link stop}. Never rejects because of refused or lost requests: those are in the ledger.
   */
  readonly done: Promise<Ledger>;
  /** Sends no further tick, waits for the requests under way (until they are acknowledged or given up) and returns the ledger. */
  stop(): Promise<Ledger>;
  /** The ledger so far; it grows while the sender runs. */
  readonly ledger: Ledger;
}

const KEPT_ERRORS = 10;

/** Starts writing at once. The first timestamp is the start of the current interval. */
export function startSender(options: SenderOptions): Sender {
  const client =
    options.write instanceof RemoteWriteClient
      ? options.write
      : new RemoteWriteClient(directTransport(options.write, { connectionPerRequest: options.connectionPerRequest ?? false }), {
          ...(options.tenant === undefined ? {} : { tenant: options.tenant }),
        });
  const intervalMs = options.intervalMs ?? 1_000;
  const startMs = Math.floor((Date.now() - (options.behindMs ?? 0)) / intervalMs) * intervalMs;
  const ledger: Ledger = {
    metric: options.metric ?? "thanos_stack_ledger",
    labels: options.labels,
    series: options.series,
    batches: Math.min(options.batches ?? 1, options.series),
    intervalMs,
    startMs,
    acknowledged: [],
    counts: {
      requests: 0,
      acknowledged: 0,
      failed: 0,
      attempts: 0,
      failedAttempts: {},
      slowestAttemptSeconds: 0,
      slowestAcknowledgementSeconds: 0,
      errors: [],
    },
  };
  const stopping = new AbortController();
  // Every batch waits with it.
  setMaxListeners(0, stopping.signal);
  const run = new Run(client, ledger, options.giveUpAfterMs ?? 120_000);
  const batches = Array.from({ length: ledger.batches }, (_, batch) => run.batch(batch, options.ticks, stopping.signal));
  const done = Promise.all(batches).then(() => ledger);
  return {
    done,
    ledger,
    stop: () => {
      stopping.abort();
      return done;
    },
  };
}

class Run {
  /** Wall-clock steps must not let ticks bunch up, so the schedule runs on the monotonic clock. */
  private readonly start = performance.now();

  constructor(
    private readonly client: RemoteWriteClient,
    private readonly ledger: Ledger,
    private readonly giveUpAfterMs: number,
  ) {}

  async batch(batch: number, ticks: number, stopping: AbortSignal): Promise<void> {
    const { intervalMs, batches, startMs } = this.ledger;
    const offsetMs = (batch * intervalMs) / batches;
    for (let tick = 0; tick < ticks; tick++) {
      await until(this.start + tick * intervalMs + offsetMs, stopping);
      if (stopping.aborted) {
        return;
      }
      await this.send(batch, tick, startMs + tick * intervalMs);
    }
  }

  private async send(batch: number, tick: number, timestampMs: number): Promise<void> {
    const { counts } = this.ledger;
    counts.requests++;
    const start = performance.now();
    try {
      const { attempts } = await this.client.send(this.seriesOf(batch, tick, timestampMs), { giveUpAfterMs: this.giveUpAfterMs });
      this.count(attempts);
      counts.acknowledged++;
      counts.slowestAcknowledgementSeconds = Math.max(counts.slowestAcknowledgementSeconds, (performance.now() - start) / 1000);
      this.ledger.acknowledged.push({ batch, tick, timestampMs });
    } catch (error) {
      if (!(error instanceof WriteRejectedError || error instanceof WriteGivenUpError)) {
        throw error;
      }
      this.count(error.attempts);
      counts.failed++;
      this.keep(error.message);
    }
  }

  private seriesOf(batch: number, tick: number, timestampMs: number): WriteSeries[] {
    return seriesOfBatch(this.ledger, batch).map((series) => ({
      labels: labelsOfSeries(this.ledger, series),
      samples: [{ timestampMs, value: valueAt(this.ledger, series, tick) }],
    }));
  }

  private count(attempts: readonly Attempt[]): void {
    const { counts } = this.ledger;
    for (const attempt of attempts) {
      counts.attempts++;
      counts.slowestAttemptSeconds = Math.max(counts.slowestAttemptSeconds, attempt.seconds);
      if (attempt.error !== undefined) {
        const kind = attempt.status === undefined ? "no answer" : `HTTP ${attempt.status}`;
        counts.failedAttempts[kind] = (counts.failedAttempts[kind] ?? 0) + 1;
        this.keep(attempt.error);
      }
    }
  }

  private keep(error: string): void {
    const { errors } = this.ledger.counts;
    if (errors.length < KEPT_ERRORS && !errors.includes(error)) {
      errors.push(error);
    }
  }
}

/** Waits for a moment of the monotonic clock, or for the signal. */
async function until(moment: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(Math.max(moment - performance.now(), 0), undefined, { signal });
  } catch {
    // Stopped: the caller looks at the signal.
  }
}
