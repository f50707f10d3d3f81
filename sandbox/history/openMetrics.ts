/** A series by what it is called and what it is at any time. */
export interface Series {
  /** The metric's name; a counter's with `_total` and a histogram's parts with their suffixes, as they are queried. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /**
   * @param timestamp milliseconds since 1970
   * @returns the sample's value, or nothing for a gap
   */
  value(timestamp: number): number | undefined;
}

/** A stretch of time, and how often it is sampled. */
export interface Sampling {
  /** The first sample's time, in milliseconds since 1970; whole seconds. */
  readonly from: number;
  /** The end, in milliseconds since 1970; no sample is at it or after it. */
  readonly to: number;
  /** Whole seconds between two samples. */
  readonly resolutionSeconds: number;
}

/** Samples of a series that are put together before they are handed on. */
const CHUNK = 2_000;

/**
 * Series as OpenMetrics text, piece by piece, as promtool reads it: without types, since a block holds none.
 *
 * Timestamps are whole seconds: Prometheus' parser multiplies them by 1000 as a float and cuts off the rest (openmetricsparse.go,
 * `int64(ts * 1000)`), so that a fraction could end a millisecond early.
 *
 * @throws {RangeError} on a name that Prometheus doesn't take, two series with the same labels, times that aren't whole seconds
 */
export function* openMetrics(series: readonly Series[], { from, to, resolutionSeconds }: Sampling): Generator<string> {
  if (!Number.isInteger(from / 1_000)) throw new RangeError(`from is ${from}: it must be whole seconds, in milliseconds`);
  if (!Number.isInteger(resolutionSeconds) || resolutionSeconds < 1) {
    throw new RangeError(`resolutionSeconds is ${resolutionSeconds}: it must be a whole number of seconds, at least 1`);
  }
  const heads = series.map(selector);
  const twice = heads.find((head, index) => heads.indexOf(head) !== index);
  if (twice !== undefined) throw new RangeError(`two series are ${twice}`);
  for (const [index, each] of series.entries()) {
    let lines: string[] = [];
    for (let time = from; time < to; time += resolutionSeconds * 1_000) {
      const value = each.value(time);
      if (value === undefined) continue;
      lines.push(`${heads[index]} ${number(value)} ${time / 1_000}\n`);
      if (lines.length < CHUNK) continue;
      yield lines.join("");
      lines = [];
    }
    yield lines.join("");
  }
  yield "# EOF\n";
}

function selector({ name, labels }: Series): string {
  if (!/^[a-zA-Z_:][\w:]*$/.test(name)) throw new RangeError(`${JSON.stringify(name)} is no name of a metric`);
  const pairs = Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([label, value]) => {
      if (!/^[a-zA-Z_]\w*$/.test(label) || label === "__name__") throw new RangeError(`${JSON.stringify(label)} is no name of a label`);
      return `${label}="${value.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n")}"`;
    });
  return pairs.length === 0 ? name : `${name}{${pairs.join(",")}}`;
}

function number(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return "+Inf";
  return value === Number.NEGATIVE_INFINITY ? "-Inf" : String(value);
}
