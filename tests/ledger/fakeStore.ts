/** A store on the loopback for tests of the loss counter: takes remote write, answers range selectors, and misbehaves as the test says. */
import { type CannedAnswer, type Loopback, type ReceivedRequest, startLoopback } from "../clients/loopback";
import { decodeWriteBody } from "../clients/writeRequest";

export interface StoredSample {
  replica: string;
  series: number;
  timestampMs: number;
}

export interface FakeStoreOptions {
  /** Values of `receive_replica`; every sample is stored on each. */
  replicas: string[];
  /** Samples that are acknowledged but not stored. */
  drops?: (sample: StoredSample) => boolean;
  /** Samples that are stored but left out of deduplicated answers. */
  hides?: (sample: Omit<StoredSample, "replica">) => boolean;
  /** Changes a value on its way to the disk. */
  corrupts?: (sample: StoredSample, value: number) => number;
  /** Answers to writes, by index of the request; default 200. A status of 300 and above, or a reset, stores nothing. */
  writeAnswer?: (index: number) => CannedAnswer;
  /** Answers a query in place of the store. */
  queryAnswer?: (request: ReceivedRequest, index: number) => CannedAnswer | undefined;
}

interface StoredSeries {
  replica: string;
  labels: Record<string, string>;
  samples: Map<number, number>;
}

export interface FakeStore extends Loopback {
  writeUrl: string;
  queries: URLSearchParams[];
}

export async function startFakeStore(options: FakeStoreOptions): Promise<FakeStore> {
  const stored = new Map<string, StoredSeries>();
  const queries: URLSearchParams[] = [];
  let writes = 0;

  function write(request: ReceivedRequest): CannedAnswer {
    const answer = options.writeAnswer?.(writes++) ?? {};
    if (answer.reset === true || (answer.status ?? 200) >= 300) {
      return answer;
    }
    for (const { labels: pairs, samples } of decodeWriteBody(request.body)) {
      const labels = Object.fromEntries(pairs.map(({ name, value }) => [name, value]));
      const series = Number(labels.series);
      for (const replica of options.replicas) {
        const key = JSON.stringify([replica, pairs]);
        const each = stored.get(key) ?? { replica, labels, samples: new Map() };
        stored.set(key, each);
        for (const { timestamp, value } of samples) {
          const sample = { replica, series, timestampMs: timestamp };
          if (options.drops?.(sample) !== true) {
            each.samples.set(timestamp, options.corrupts?.(sample, value) ?? value);
          }
        }
      }
    }
    return answer;
  }

  function query(request: ReceivedRequest): CannedAnswer {
    queries.push(request.query);
    const canned = options.queryAnswer?.(request, queries.length - 1);
    if (canned !== undefined) {
      return canned;
    }
    const [, name, matchers, milliseconds] = /^(\w+)\{(.*)\}\[(\d+)ms\]$/.exec(request.query.get("query") ?? "") ?? [];
    if (name === undefined || matchers === undefined) {
      return {
        status: 400,
        body: JSON.stringify({ status: "error", errorType: "bad_data", error: "the fake store knows only range selectors" }),
      };
    }
    const wanted = [...matchers.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, value]) => [label ?? "", value ?? ""] as const);
    const endMs = Number(request.query.get("time")) * 1000;
    const startMs = endMs - Number(milliseconds);
    const matching = [...stored.values()].filter(
      ({ labels }) => labels.__name__ === name && wanted.every(([label, value]) => labels[label] === value),
    );
    const within = (samples: ReadonlyMap<number, number>): [number, number][] =>
      [...samples].filter(([timestampMs]) => timestampMs > startMs && timestampMs <= endMs).sort(([a], [b]) => a - b);
    const deduplicate = request.query.get("dedup") !== "false";
    const result = deduplicate
      ? [...new Set(matching.map(({ labels }) => JSON.stringify(labels)))].map((identity) => {
          const copies = matching.filter((each) => JSON.stringify(each.labels) === identity);
          const labels = copies[0]?.labels ?? {};
          const merged = new Map(copies.flatMap(({ samples }) => within(samples)));
          const visible = [...merged].filter(([timestampMs]) => options.hides?.({ series: Number(labels.series), timestampMs }) !== true);
          return { metric: labels, values: visible };
        })
      : matching.map(({ replica, labels, samples }) => ({ metric: { ...labels, receive_replica: replica }, values: within(samples) }));
    const answered = result
      .filter(({ values }) => values.length > 0)
      .map(({ metric, values }) => ({ metric, values: values.map(([timestampMs, value]) => [timestampMs / 1000, String(value)]) }));
    return { body: JSON.stringify({ status: "success", data: { resultType: "matrix", result: answered } }) };
  }

  const loopback = await startLoopback((request) =>
    request.method === "POST" && request.path === "/api/v1/receive" ? write(request) : query(request),
  );
  return { ...loopback, writeUrl: `${loopback.url}/api/v1/receive`, queries };
}
