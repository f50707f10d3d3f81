import * as http from "node:http";
import * as https from "node:https";
import { setTimeout as delay } from "node:timers/promises";
import { isJsonObject, type Json, type JsonObject } from "../protocol/values";
import type { Access } from "./kubeconfig";

/** Fault of one field of a refused object. */
export interface Cause {
  reason: string;
  message: string;
  field: string;
}

/** A request the API server refused, with the parts of its Status object that decisions are made from. */
export class ApiError extends Error {
  constructor(
    readonly code: number,
    readonly reason: string,
    message: string,
    readonly causes: readonly Cause[],
    /** Whether an earlier attempt of the same request was cut off, so that this answer may be about its effect. */
    readonly afterLostAnswer: boolean,
  ) {
    super(message);
  }
}

/** The API server could not be talked to. */
export class Unreachable extends Error {}

export interface ApiRequest {
  method: "GET" | "POST" | "PATCH" | "DELETE";
  path: string;
  query?: Record<string, string | undefined>;
  body?: Json;
  /** Default: application/json. */
  contentType?: string;
  /** Cuts the request off: for reading and rehearsing. */
  signal?: AbortSignal | undefined;
  /** Ends the retries, but lets a request that is on its way be answered: for writing, whose effect has to be known. */
  patience?: AbortSignal | undefined;
  /** When to stop retrying what is transient, as a time of `Date.now()`. Default: 30 s from now. */
  deadline?: number;
}

export interface ApiResponse {
  code: number;
  object: JsonObject;
  /** The texts of the server's Warning headers: deprecations, Pod Security violations. */
  warnings: string[];
}

export interface WatchEvent {
  type: "ADDED" | "MODIFIED" | "DELETED";
  object: JsonObject;
}

function text(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

/** Reads a Status object; anything else (a proxy's error page) becomes the message as it is. */
export function errorOf(code: number, body: string, afterLostAnswer: boolean): ApiError {
  let parsed: Json = null;
  try {
    parsed = JSON.parse(body) as Json;
  } catch {
    // Not JSON: the text itself is the best message there is.
  }
  if (!isJsonObject(parsed)) {
    return new ApiError(code, "", `HTTP ${code}: ${body.slice(0, 500).trim()}`, [], afterLostAnswer);
  }
  const details = isJsonObject(parsed.details) ? parsed.details : {};
  const causes = Array.isArray(details.causes) ? details.causes : [];
  return new ApiError(
    code,
    text(parsed.reason),
    text(parsed.message) || `HTTP ${code}`,
    causes.filter(isJsonObject).map((cause) => ({ reason: text(cause.reason), message: text(cause.message), field: text(cause.field) })),
    afterLostAnswer,
  );
}

/** The texts of `Warning: 299 - "text"` headers (RFC 9110, section 5.5; kube-apiserver joins several with commas). */
export function warningTexts(header: string | undefined): string[] {
  if (header === undefined) {
    return [];
  }
  return [...header.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, quoted = ""]) => quoted.replace(/\\(.)/g, "$1"));
}

function isTransient(code: number, reason: string): boolean {
  return (
    code === 429 || code === 502 || code === 503 || code === 504 || (code === 500 && (reason === "ServerTimeout" || reason === "Timeout"))
  );
}

const firstBackoff = 100;
const longestBackoff = 5_000;
// Longer than any webhook may take (30 s), so that a hung connection is given up for another one.
const longestAnswer = 60_000;

/** Speaks to one API server over kept-alive connections. */
export class Api {
  private readonly agent: https.Agent | http.Agent;
  private readonly secure: boolean;

  constructor(private readonly access: Access) {
    this.secure = access.server.startsWith("https:");
    const shared = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, scheduling: "lifo" as const };
    const { ca, cert, key, serverName, skipVerify } = access;
    this.agent = this.secure
      ? new https.Agent({
          ...shared,
          ...(ca === undefined ? {} : { ca }),
          ...(cert === undefined ? {} : { cert }),
          ...(key === undefined ? {} : { key }),
          ...(serverName === undefined ? {} : { servername: serverName }),
          rejectUnauthorized: !skipVerify,
        })
      : new http.Agent(shared);
  }

  /**
   * Sends a request and reads the answer. Throttling, timeouts of the server and lost connections are retried with back-off.
   *
   * @throws ApiError when the server refuses; Unreachable when it cannot be talked to before the deadline.
   */
  async request(request: ApiRequest): Promise<ApiResponse> {
    const deadline = request.deadline ?? Date.now() + 30_000;
    let answerLost = false;
    for (let backoff = firstBackoff; ; backoff = Math.min(backoff * 2, longestBackoff)) {
      let wait = backoff;
      let failure: Error;
      try {
        const { code, headers, body } = await this.exchange(request, deadline);
        if (code < 400) {
          const object = JSON.parse(body) as Json;
          return { code, object: isJsonObject(object) ? object : {}, warnings: warningTexts(headers.warning) };
        }
        const error = errorOf(code, body, answerLost);
        if (!isTransient(code, error.reason)) {
          throw error;
        }
        wait = Math.max(backoff, Number(headers["retry-after"] ?? 0) * 1000);
        failure = error;
      } catch (error) {
        if (error instanceof ApiError || request.signal?.aborted) {
          throw error;
        }
        answerLost = true;
        failure = new Unreachable(`${this.access.server}: ${error instanceof Error ? error.message : String(error)}`);
      }
      if (Date.now() + wait >= deadline || request.patience?.aborted) {
        throw failure;
      }
      await delay(wait, undefined, { signal: request.signal ?? request.patience }).catch(() => {
        throw failure;
      });
    }
  }

  async get(path: string, signal?: AbortSignal): Promise<JsonObject> {
    return (await this.request({ method: "GET", path, signal })).object;
  }

  /** The items of a list. */
  async list(path: string, query: Record<string, string>, signal?: AbortSignal): Promise<{ items: JsonObject[]; resourceVersion: string }> {
    const { object } = await this.request({ method: "GET", path, query, signal });
    const items = Array.isArray(object.items) ? object.items.filter(isJsonObject) : [];
    const metadata = isJsonObject(object.metadata) ? object.metadata : {};
    return { items, resourceVersion: text(metadata.resourceVersion) };
  }

  /**
   * Follows what a list query selects: first all that is there, as ADDED events, then every change, through lost connections
   * and expired resource versions. Ends only by the signal.
   *
   * @param synced called each time the events have caught up with the list.
   */
  async watch(
    path: string,
    query: Record<string, string>,
    signal: AbortSignal,
    changed: (event: WatchEvent) => void,
    synced: () => void = () => undefined,
  ): Promise<void> {
    let known = new Map<string, JsonObject>();
    let backoff = firstBackoff;
    while (!signal.aborted) {
      try {
        const { items, resourceVersion } = await this.list(path, query, signal);
        const now = new Map(items.map((item) => [uidOf(item), item]));
        for (const [uid, object] of known) {
          if (!now.has(uid)) {
            changed({ type: "DELETED", object });
          }
        }
        for (const object of now.values()) {
          changed({ type: "ADDED", object });
        }
        known = now;
        synced();
        backoff = firstBackoff;
        await this.follow(path, { ...query, resourceVersion }, signal, (event) => {
          if (event.type === "DELETED") {
            known.delete(uidOf(event.object));
          } else {
            known.set(uidOf(event.object), event.object);
          }
          changed(event);
        });
      } catch (error) {
        if (signal.aborted) {
          return;
        }
        if (error instanceof ApiError && error.code !== 410 && error.code < 500 && error.code !== 429) {
          throw error;
        }
        await delay(backoff, undefined, { signal }).catch(() => undefined);
        backoff = Math.min(backoff * 2, longestBackoff);
      }
    }
  }

  private async follow(
    path: string,
    query: Record<string, string>,
    signal: AbortSignal,
    changed: (event: WatchEvent) => void,
  ): Promise<void> {
    let resourceVersion = query.resourceVersion ?? "";
    while (!signal.aborted) {
      const response = await this.open(
        {
          method: "GET",
          path,
          query: { ...query, resourceVersion, watch: "true", allowWatchBookmarks: "true", timeoutSeconds: "300" },
          signal,
        },
        0,
      );
      if (response.statusCode !== 200) {
        throw errorOf(response.statusCode ?? 0, await readAll(response), false);
      }
      let rest = "";
      response.setEncoding("utf8");
      for await (const chunk of response) {
        const lines = (rest + String(chunk)).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) {
          const event = JSON.parse(line) as { type: string; object: JsonObject };
          if (event.type === "ERROR") {
            throw errorOf(Number(event.object.code ?? 500), JSON.stringify(event.object), false);
          }
          const metadata = isJsonObject(event.object.metadata) ? event.object.metadata : {};
          resourceVersion = text(metadata.resourceVersion) || resourceVersion;
          if (event.type === "ADDED" || event.type === "MODIFIED" || event.type === "DELETED") {
            changed({ type: event.type, object: event.object });
          }
        }
      }
    }
  }

  private async exchange(
    request: ApiRequest,
    deadline: number,
  ): Promise<{ code: number; headers: http.IncomingHttpHeaders & { warning?: string }; body: string }> {
    const response = await this.open(request, Math.min(longestAnswer, Math.max(1_000, deadline - Date.now())));
    return { code: response.statusCode ?? 0, headers: response.headers, body: await readAll(response) };
  }

  private async open(request: ApiRequest, timeout: number): Promise<http.IncomingMessage> {
    const url = new URL(this.access.server + request.path);
    for (const [key, value] of Object.entries(request.query ?? {})) {
      if (value !== undefined) {
        url.searchParams.set(key, value);
      }
    }
    const body = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body));
    const headers: Record<string, string | number> = { Accept: "application/json", "User-Agent": "thanos-stack-sandbox-provider" };
    const authorization = await this.access.authorization();
    if (authorization !== undefined) {
      headers.Authorization = authorization;
    }
    if (body !== undefined) {
      headers["Content-Type"] = request.contentType ?? "application/json";
      headers["Content-Length"] = body.length;
    }
    return new Promise((resolve, reject) => {
      const options = { method: request.method, headers, agent: this.agent, ...(request.signal ? { signal: request.signal } : {}) };
      const sent = (this.secure ? https : http).request(url, options, resolve);
      sent.on("error", reject);
      if (timeout > 0) {
        sent.setTimeout(timeout, () => sent.destroy(new Error(`no answer within ${Math.round(timeout / 1000)} s`)));
      }
      sent.end(body);
    });
  }
}

function uidOf(object: JsonObject): string {
  return isJsonObject(object.metadata) ? text(object.metadata.uid) : "";
}

async function readAll(response: http.IncomingMessage): Promise<string> {
  response.setEncoding("utf8");
  let body = "";
  for await (const chunk of response) {
    body += String(chunk);
  }
  return body;
}
