/** A small typed client of the Prometheus HTTP API, and of what Thanos adds to it. */
import { ConnectionError, type HttpRequest, type HttpResponse, messageOf, type Transport } from "./transport";

/** A series' labels by name, `__name__` included. */
export type Labels = Readonly<Record<string, string>>;

/** One float sample. */
export interface Sample {
  /** Milliseconds since the epoch. */
  timestampMs: number;
  value: number;
}

/** A series of an instant vector. */
export interface VectorElement {
  labels: Labels;
  sample: Sample;
}

/** A series of a matrix; samples ascend by time. */
export interface MatrixElement {
  labels: Labels;
  samples: Sample[];
}

/** Remarks of an answer beside its data. */
export interface Remarks {
  /** All warnings of the answer, verbatim. */
  warnings: string[];
  /**
   * True when a warning is about the sources of data rather than about the query: some store could not be asked, or none was there.
   * Thanos marks a partial response in no other way.
   */
  partial: boolean;
}

/** Parameters that Thanos adds to a query; a plain Prometheus ignores them. */
export interface QueryOptions {
  /** Evaluation time in milliseconds since the epoch. Default: the server's now. */
  timeMs?: number;
  /** Whether replicas are deduplicated. Default: the server's, which is true. */
  deduplicate?: boolean;
  /** Whether an answer may come without the data of a store that failed; with false the query then fails. Default: the server's. */
  partialResponse?: boolean;
  /**
   * Coarsest downsampled data that may answer, such as `5m`; `0s` asks for raw samples only. Default: the server's,
   * which is raw unless it chooses by itself.
   */
  maxSourceResolution?: string;
  /** How long a series' newest sample counts as its value, such as `1m`. Default: the server's, which is 5m. */
  lookbackDelta?: string;
  /** Longest time in milliseconds until the answer is read. Default: 30,000. */
  timeoutMs?: number;
}

/** Parameters of a range query. */
export interface RangeOptions extends Omit<QueryOptions, "timeMs"> {
  startMs: number;
  endMs: number;
  stepMs: number;
}

/** One active scrape target. */
export interface Target {
  /** The target's final labels, as they are on its series. */
  labels: Labels;
  health: "up" | "down" | "unknown";
  lastError: string;
  scrapeUrl: string;
  /** When it was last scraped, in seconds since the epoch; 0 before its first scrape. */
  lastScrape: number;
}

/** One store a querier knows. */
export interface Store {
  /** Address the querier dials: host or IP, and port. */
  name: string;
  /** Kind of component as the store tells it: `receive`, `sidecar`, `store`, `query`, `rule`. */
  component: string;
  /** Why the last check failed; absent after a successful one. */
  lastError?: string;
  labelSets: Labels[];
}

/** A request the server did not answer, or answered with an error. */
export class PrometheusError extends Error {
  /**
   * @param query the expression, selector or path asked for
   * @param status HTTP status; absent when no answer came
   * @param body the answer's body, verbatim
   * @param errorType the API's own classification, such as `bad_data` or `execution`
   */
  constructor(
    message: string,
    readonly query: string,
    readonly status?: number,
    readonly body?: string,
    readonly errorType?: string,
    cause?: unknown,
  ) {
    super(message, { cause });
    this.name = "PrometheusError";
  }
}

/** Options of {@link PrometheusClient}. */
export interface PrometheusClientOptions {
  /** Headers of every request, such as the tenant's. */
  headers?: Record<string, string>;
}

/** A query longer than this goes as a form; shorter ones stay GET, for which a user of the service proxy needs fewer rights. */
const LONGEST_QUERY_STRING = 4096;

export class PrometheusClient {
  /**
   * @param transport where the API is; the client appends `/api/v1/…`
   */
  constructor(
    readonly transport: Transport,
    private readonly options: PrometheusClientOptions = {},
  ) {}

  /**
   * An instant query that yields a vector.
   *
   * @throws {PrometheusError} when there is no answer, the answer is an error, or the result is no vector
   */
  async instant(query: string, options: QueryOptions = {}): Promise<{ vector: VectorElement[] } & Remarks> {
    const { data, remarks } = await this.query(
      "/api/v1/query",
      query,
      { ...queryParameters(options), ...timeParameter(options) },
      options.timeoutMs,
    );
    const vector = elements(data, "vector", query).map((element): VectorElement => {
      const [labels, samples] = [labelsOf(element), samplesOf([element.value], query)];
      const sample = samples[0];
      if (sample === undefined) {
        throw new PrometheusError(`query ${query}: a series without a sample: ${JSON.stringify(element)}`, query);
      }
      return { labels, sample };
    });
    return { vector, ...remarks };
  }

  /**
   * An instant query that yields a matrix, that is a range selector such as `up[5m]`: the raw samples as they are stored.
   *
   * @throws {PrometheusError} when there is no answer, the answer is an error, or the result is no matrix
   */
  async raw(query: string, options: QueryOptions = {}): Promise<{ matrix: MatrixElement[] } & Remarks> {
    const { data, remarks } = await this.query(
      "/api/v1/query",
      query,
      { ...queryParameters(options), ...timeParameter(options) },
      options.timeoutMs,
    );
    return { matrix: matrixOf(data, query), ...remarks };
  }

  /**
   * A range query.
   *
   * @throws {PrometheusError} when there is no answer, or the answer is an error
   */
  async range(query: string, options: RangeOptions): Promise<{ matrix: MatrixElement[] } & Remarks> {
    const parameters = {
      ...queryParameters(options),
      start: String(options.startMs / 1000),
      end: String(options.endMs / 1000),
      step: String(options.stepMs / 1000),
    };
    const { data, remarks } = await this.query("/api/v1/query_range", query, parameters, options.timeoutMs);
    return { matrix: matrixOf(data, query), ...remarks };
  }

  /**
   * The label sets of the series that match any of the selectors.
   *
   * @throws {PrometheusError} when there is no answer, or the answer is an error
   */
  async series(
    selectors: readonly string[],
    options: { startMs: number; endMs: number } & Omit<QueryOptions, "timeMs">,
  ): Promise<{ series: Labels[] } & Remarks> {
    const parameters = new URLSearchParams({
      ...queryParameters(options),
      start: String(options.startMs / 1000),
      end: String(options.endMs / 1000),
    });
    for (const selector of selectors) {
      parameters.append("match[]", selector);
    }
    const { data, remarks } = await this.call("/api/v1/series", selectors.join(", "), parameters, options.timeoutMs);
    return { series: asArray(data).map(asLabels), ...remarks };
  }

  /**
   * The active targets of a Prometheus.
   *
   * @throws {PrometheusError} when there is no answer, or the answer is an error
   */
  async targets(options: { timeoutMs?: number } = {}): Promise<Target[]> {
    const { data } = await this.call("/api/v1/targets", "targets", new URLSearchParams({ state: "active" }), options.timeoutMs);
    return asArray(asObject(data).activeTargets).map((each): Target => {
      const target = asObject(each);
      const health = target.health === "up" || target.health === "down" ? target.health : "unknown";
      return {
        labels: asLabels(target.labels),
        health,
        lastError: asText(target.lastError),
        scrapeUrl: asText(target.scrapeUrl),
        // Before the first scrape it is Go's zero time, in the year 1.
        lastScrape: Math.max(Date.parse(asText(target.lastScrape)) / 1000, 0),
      };
    });
  }

  /**
   * The stores of a Thanos querier (`/api/v1/stores`).
   *
   * @throws {PrometheusError} when there is no answer, or the answer is an error
   */
  async stores(options: { timeoutMs?: number } = {}): Promise<Store[]> {
    const { data } = await this.call("/api/v1/stores", "stores", new URLSearchParams(), options.timeoutMs);
    return Object.entries(asObject(data)).flatMap(([component, stores]) =>
      asArray(stores).map((each): Store => {
        const store = asObject(each);
        const lastError = store.lastError === null || store.lastError === undefined ? {} : { lastError: asText(store.lastError) };
        return { name: asText(store.name), component, labelSets: asArray(store.labelSets).map(asLabels), ...lastError };
      }),
    );
  }

  private query(path: string, query: string, parameters: Record<string, string>, timeoutMs: number | undefined): Promise<Answer> {
    return this.call(path, query, new URLSearchParams({ query, ...parameters }), timeoutMs);
  }

  private async call(path: string, query: string, parameters: URLSearchParams, timeoutMs: number | undefined): Promise<Answer> {
    const encoded = parameters.toString();
    const limits = timeoutMs === undefined ? {} : { timeoutMs };
    const request: HttpRequest =
      encoded.length > LONGEST_QUERY_STRING
        ? {
            method: "POST",
            path,
            headers: { ...this.options.headers, "content-type": "application/x-www-form-urlencoded" },
            body: encoded,
            ...limits,
          }
        : { method: "GET", path: encoded === "" ? path : `${path}?${encoded}`, headers: { ...this.options.headers }, ...limits };
    const response = await this.send(query, request);
    return this.parse(query, response);
  }

  private async send(query: string, request: HttpRequest): Promise<HttpResponse> {
    try {
      return await this.transport.send(request);
    } catch (error) {
      if (!(error instanceof ConnectionError)) {
        throw error;
      }
      throw new PrometheusError(
        `query ${query}: no answer from ${this.transport.description}: ${messageOf(error)}`,
        query,
        undefined,
        undefined,
        undefined,
        error,
      );
    }
  }

  private parse(query: string, response: HttpResponse): Answer {
    const { status, body } = response;
    const envelope = parseJson(body);
    if (status < 200 || status > 299 || envelope?.status !== "success") {
      const errorType = typeof envelope?.errorType === "string" ? envelope.errorType : undefined;
      const said = typeof envelope?.error === "string" ? `${errorType ?? "error"}: ${envelope.error}` : excerpt(body);
      throw new PrometheusError(
        `query ${query}: ${this.transport.description} answered ${status}: ${said}`,
        query,
        status,
        body,
        errorType,
      );
    }
    const warnings = asArray(envelope.warnings ?? []).map(asText);
    return { data: envelope.data, remarks: { warnings, partial: warnings.some(isAboutSources) } };
  }
}

interface Answer {
  data: unknown;
  remarks: Remarks;
}

/** Warnings of the query engine begin so; the rest come from the stores behind it. */
function isAboutSources(warning: string): boolean {
  return !/^PromQL (info|warning):/.test(warning);
}

function queryParameters(options: Omit<QueryOptions, "timeMs">): Record<string, string> {
  return {
    ...(options.deduplicate === undefined ? {} : { dedup: String(options.deduplicate) }),
    ...(options.partialResponse === undefined ? {} : { partial_response: String(options.partialResponse) }),
    ...(options.maxSourceResolution === undefined ? {} : { max_source_resolution: options.maxSourceResolution }),
    ...(options.lookbackDelta === undefined ? {} : { lookback_delta: options.lookbackDelta }),
  };
}

function timeParameter(options: QueryOptions): Record<string, string> {
  return options.timeMs === undefined ? {} : { time: String(options.timeMs / 1000) };
}

function elements(data: unknown, expected: string, query: string): Record<string, unknown>[] {
  const { resultType, result } = asObject(data);
  if (resultType !== expected) {
    throw new PrometheusError(`query ${query}: the result is a ${asText(resultType)}, not a ${expected}`, query);
  }
  return asArray(result).map(asObject);
}

function matrixOf(data: unknown, query: string): MatrixElement[] {
  return elements(data, "matrix", query).map((element) => ({
    labels: labelsOf(element),
    samples: samplesOf(asArray(element.values), query),
  }));
}

function labelsOf(element: Record<string, unknown>): Labels {
  return asLabels(element.metric);
}

function samplesOf(pairs: readonly unknown[], query: string): Sample[] {
  return pairs.map((pair) => {
    const [seconds, value] = asArray(pair);
    if (typeof seconds !== "number" || typeof value !== "string") {
      throw new PrometheusError(`query ${query}: not a float sample: ${JSON.stringify(pair)}`, query);
    }
    return { timestampMs: Math.round(seconds * 1000), value: parseSampleValue(value) };
  });
}

/** Parses a float as Prometheus writes it: `NaN`, `+Inf` and `-Inf` besides numbers. */
export function parseSampleValue(text: string): number {
  const infinity = /^([+-]?)Inf$/i.exec(text);
  if (infinity !== null) {
    return infinity[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  return Number(text);
}

function parseJson(body: string): Record<string, unknown> | undefined {
  try {
    return asObject(JSON.parse(body));
  } catch {
    return undefined;
  }
}

function excerpt(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 300 ? `${line.slice(0, 300)}…` : line === "" ? "an empty body" : line;
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.fromEntries(Object.entries(value)) : {};
}

function asArray(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : value === undefined || value === null ? "" : JSON.stringify(value);
}

function asLabels(value: unknown): Labels {
  return Object.fromEntries(Object.entries(asObject(value)).map(([name, text]) => [name, asText(text)]));
}
