/// <reference path="./snappyjs.d.ts" />
/**
 * Remote write 1.0 (https://prometheus.io/docs/specs/prw/remote_write_spec/): encoder, and a sender that retries as Prometheus does.
 */
import { setTimeout as delay } from "node:timers/promises";
import { Writer } from "protobufjs/minimal";
import { compress } from "snappyjs";
import type { Labels, Sample } from "./prometheus";
import { ConnectionError, type HttpResponse, type Transport } from "./transport";

/** Samples of one series, ascending by time. */
export interface WriteSeries {
  /** `__name__` included. */
  labels: Labels;
  samples: readonly Sample[];
}

const WIRE_VARINT = 0;
const WIRE_64_BIT = 1;
const WIRE_BYTES = 2;

/** A protobuf tag: field number and wire type in one. */
function tag(field: number, wireType: number): number {
  return field * 8 + wireType;
}

/**
 * Encodes `prometheus.WriteRequest` (its message types are those of the specification), uncompressed. Labels are sorted
 * by name as the specification demands.
 *
 * @throws {RangeError} for a series without `__name__`, with an empty label value, or for a timestamp that is no integer
 */
export function encodeWriteRequest(series: readonly WriteSeries[]): Uint8Array {
  const request = Writer.create();
  for (const each of series) {
    request.uint32(tag(1, WIRE_BYTES)).fork();
    for (const [name, value] of sortedLabels(each.labels)) {
      request.uint32(tag(1, WIRE_BYTES)).fork();
      request.uint32(tag(1, WIRE_BYTES)).string(name);
      request.uint32(tag(2, WIRE_BYTES)).string(value);
      request.ldelim();
    }
    for (const sample of each.samples) {
      if (!Number.isSafeInteger(sample.timestampMs)) {
        throw new RangeError(`timestamp ${sample.timestampMs} is not a whole number of milliseconds`);
      }
      request.uint32(tag(2, WIRE_BYTES)).fork();
      request.uint32(tag(1, WIRE_64_BIT)).double(sample.value);
      request.uint32(tag(2, WIRE_VARINT)).int64(sample.timestampMs);
      request.ldelim();
    }
    request.ldelim();
  }
  return request.finish();
}

function sortedLabels(labels: Labels): [string, string][] {
  const entries = Object.entries(labels);
  if (labels.__name__ === undefined) {
    throw new RangeError(`a series without __name__: ${JSON.stringify(labels)}`);
  }
  const empty = entries.find(([, value]) => value === "");
  if (empty !== undefined) {
    throw new RangeError(`label ${empty[0]} is empty, which means absent: ${JSON.stringify(labels)}`);
  }
  return entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** One try of a send. */
export interface Attempt {
  /** HTTP status; absent when no answer came. */
  status?: number;
  /** Why it failed; absent for an acknowledged one. */
  error?: string;
  seconds: number;
}

/** A request that was acknowledged (2xx), after how many tries. */
export interface Acknowledgement {
  /** All tries, the last one being the acknowledged. */
  attempts: Attempt[];
}

/** The receiver refused the request for good: any status that Prometheus does not retry. Its samples are lost to a real sender. */
export class WriteRejectedError extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly attempts: readonly Attempt[],
  ) {
    super(message);
    this.name = "WriteRejectedError";
  }
}

/** The request was not acknowledged within the time given, or its signal ended it. Whether its samples are stored is unknown. */
export class WriteGivenUpError extends Error {
  constructor(
    message: string,
    readonly attempts: readonly Attempt[],
  ) {
    super(message);
    this.name = "WriteGivenUpError";
  }
}

/** Options of {@link RemoteWriteClient}. The defaults are those of Prometheus' `remote_write`. */
export interface RemoteWriteOptions {
  /** Tenant to write as. Default: none is sent and the receivers apply their default tenant. */
  tenant?: string;
  /** Header that names the tenant. Default: `THANOS-TENANT`. */
  tenantHeader?: string;
  /** Longest time in milliseconds for one try. Default: 30,000 (`remote_timeout`). */
  attemptTimeoutMs?: number;
  /** First pause in milliseconds before a retry; doubles with each. Default: 30 (`min_backoff`). */
  minBackoffMs?: number;
  /** Longest pause in milliseconds before a retry. Default: 5,000 (`max_backoff`). */
  maxBackoffMs?: number;
}

/** Options of one send. */
export interface SendOptions {
  /** Time in milliseconds after which no further try is started. Default: 300,000. */
  giveUpAfterMs?: number;
  /** Ends the send, also between tries. */
  signal?: AbortSignal;
}

/** Sends remote write requests to one URL. */
export class RemoteWriteClient {
  private readonly headers: Record<string, string>;
  private readonly attemptTimeoutMs: number;
  private readonly minBackoffMs: number;
  private readonly maxBackoffMs: number;

  /**
   * @param transport whose base is the whole write URL, such as `http://…:19291/api/v1/receive`
   */
  constructor(
    private readonly transport: Transport,
    options: RemoteWriteOptions = {},
  ) {
    this.headers = {
      "content-type": "application/x-protobuf",
      "content-encoding": "snappy",
      "x-prometheus-remote-write-version": "0.1.0",
      "user-agent": "thanos-stack",
      ...(options.tenant === undefined ? {} : { [options.tenantHeader ?? "THANOS-TENANT"]: options.tenant }),
    };
    this.attemptTimeoutMs = options.attemptTimeoutMs ?? 30_000;
    this.minBackoffMs = options.minBackoffMs ?? 30;
    this.maxBackoffMs = options.maxBackoffMs ?? 5_000;
  }

  /**
   * Sends one request until it is acknowledged. Retried are connection errors, 5xx and 429 (Prometheus retries the last with
   * `retry_on_http_429`), after a pause that doubles, or the one that `Retry-After` asks for.
   *
   * @throws {WriteRejectedError} for an answer that is not retried
   * @throws {WriteGivenUpError} when time is up or the signal ends the send
   * @throws {RangeError} for series that cannot be encoded
   */
  async send(series: readonly WriteSeries[], options: SendOptions = {}): Promise<Acknowledgement> {
    const body = compress(encodeWriteRequest(series));
    const giveUpAt = performance.now() + (options.giveUpAfterMs ?? 300_000);
    const attempts: Attempt[] = [];
    for (let backoffMs = this.minBackoffMs; ; backoffMs = Math.min(backoffMs * 2, this.maxBackoffMs)) {
      const { attempt, response } = await this.attempt(body, options.signal);
      attempts.push(attempt);
      if (response !== undefined) {
        if (response.status >= 200 && response.status < 300) {
          return { attempts };
        }
        if (!isRetried(response.status)) {
          throw new WriteRejectedError(`${this.transport.description} refused the write: ${attempt.error}`, response.status, attempts);
        }
      }
      const pauseMs = (response === undefined ? undefined : retryAfterMs(response)) ?? backoffMs;
      if (options.signal?.aborted === true || performance.now() + pauseMs >= giveUpAt) {
        throw new WriteGivenUpError(
          `${this.transport.description}: not acknowledged after ${attempts.length} tries: ${attempt.error}`,
          attempts,
        );
      }
      await pause(pauseMs, options.signal);
    }
  }

  private async attempt(body: Uint8Array, signal: AbortSignal | undefined): Promise<{ attempt: Attempt; response?: HttpResponse }> {
    const start = performance.now();
    const seconds = (): number => (performance.now() - start) / 1000;
    try {
      const response = await this.transport.send({
        method: "POST",
        path: "",
        headers: this.headers,
        body,
        timeoutMs: this.attemptTimeoutMs,
        ...(signal === undefined ? {} : { signal }),
      });
      const acknowledged = response.status >= 200 && response.status < 300;
      const error = acknowledged ? {} : { error: `${response.status} ${response.body.trim().slice(0, 300)}` };
      return { attempt: { status: response.status, seconds: seconds(), ...error }, response };
    } catch (error) {
      if (!(error instanceof ConnectionError)) {
        throw error;
      }
      return { attempt: { error: error.message, seconds: seconds() } };
    }
  }
}

function isRetried(status: number): boolean {
  return status === 429 || Math.floor(status / 100) === 5;
}

/** `Retry-After` in milliseconds, in both of its forms; undefined where it is absent or no such value. */
function retryAfterMs(response: HttpResponse): number | undefined {
  const header = response.headers["retry-after"];
  if (header === undefined) {
    return undefined;
  }
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(ms, 0);
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(ms, undefined, signal === undefined ? {} : { signal });
  } catch {
    // Ended by the signal: the next attempt fails at once with it and gives up.
  }
}
