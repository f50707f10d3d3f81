import type { HttpRequest, HttpResponse, Transport } from "../clients/transport";

/** Every single try of a request, with its outcome. */

/** One try of a request. */
export interface Try {
  /** When it was started, in milliseconds since the epoch. */
  startMs: number;
  seconds: number;
  /** HTTP status, or `no answer`. */
  outcome: number | "no answer";
}

/** A transport that keeps a record of every try, so that a phase of a run can be looked at by itself. */
export class RecordingTransport implements Transport {
  readonly tries: Try[] = [];
  readonly description: string;

  constructor(private readonly inner: Transport) {
    this.description = inner.description;
  }

  async send(request: HttpRequest): Promise<HttpResponse> {
    const startMs = Date.now();
    const start = performance.now();
    let outcome: Try["outcome"] = "no answer";
    try {
      const response = await this.inner.send(request);
      outcome = response.status;
      return response;
    } finally {
      this.tries.push({ startMs, seconds: (performance.now() - start) / 1_000, outcome });
    }
  }

  /** The tries that were started in a span of time, in milliseconds since the epoch. */
  between(startMs: number, endMs: number): Try[] {
    return this.tries.filter((each) => each.startMs >= startMs && each.startMs < endMs);
  }
}

/** The tries that were not acknowledged. */
export function failedTries(tries: readonly Try[]): Try[] {
  return tries.filter(({ outcome }) => outcome === "no answer" || outcome >= 300);
}

/** How many failed, of how many and how: `3 of 400 (503: 2, no answer: 1)`. */
export function failures(tries: readonly Try[]): string {
  const failed = failedTries(tries);
  const kinds = [...new Set(failed.map(({ outcome }) => outcome))].map(
    (kind) => `${kind}: ${failed.filter(({ outcome }) => outcome === kind).length}`,
  );
  return `${failed.length} of ${tries.length}${kinds.length === 0 ? "" : ` (${kinds.join(", ")})`}`;
}

/** The value below which a share of the tries took, in seconds; 0 of none. */
export function quantile(tries: readonly Try[], share: number): number {
  const sorted = tries.map(({ seconds }) => seconds).sort((a, b) => a - b);
  return sorted[Math.min(Math.ceil(share * sorted.length), sorted.length) - 1] ?? 0;
}
