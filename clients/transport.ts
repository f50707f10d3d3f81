/** HTTP as the clients of this directory use it: a base address that is reached somehow, and requests relative to it. */
import * as http from "node:http";
import * as https from "node:https";

/** One HTTP request, relative to the base of a {@link Transport}. */
export interface HttpRequest {
  method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Path and query string; begins with `/` and is appended to the base. */
  path: string;
  headers?: Record<string, string>;
  body?: Uint8Array | string;
  /** Longest time in milliseconds until the whole answer is read. Default: 30,000. */
  timeoutMs?: number;
  /** Ends the request early; it then fails with {@link ConnectionError}. */
  signal?: AbortSignal;
}

/** One whole HTTP answer, whatever its status. */
export interface HttpResponse {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

/** A way to reach one HTTP server. */
export interface Transport {
  /** Address and way to it, for messages. */
  readonly description: string;
  /**
   * @throws {ConnectionError} when no whole answer came; an answer of any status is returned, not thrown
   */
  send(request: HttpRequest): Promise<HttpResponse>;
}

/** No whole answer came: refused, reset, timed out, name not found, or ended by the caller's signal. */
export class ConnectionError extends Error {
  constructor(target: string, cause: unknown) {
    super(`${target}: ${messageOf(cause)}`, { cause });
    this.name = "ConnectionError";
  }
}

/** Who asks is known, and may not; asking again changes nothing. */
export class ForbiddenError extends Error {
  override readonly name = "ForbiddenError";
}

/** There was no connection, so nothing of the request has reached the server. */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";
}

/** Options of {@link directTransport}. */
export interface DirectTransportOptions {
  /** Opens a new connection for every request, as a sender behind a load balancer that closes idle connections would. Default: false. */
  connectionPerRequest?: boolean;
  /**
   * Milliseconds for which a connection that isn't in use is kept for the next request. Default: 4,000. Whom it leads to may
   * be gone by then without a word, as a pod of a lost node is: a request on it would wait until its timeout, although the
   * Service has long led new ones elsewhere.
   */
  keepIdleMs?: number;
  /** Certificates, where the server wants one, and whom it is asked to be; as PEM. Default: none, and those that this machine trusts. */
  tls?: Pick<https.RequestOptions, "ca" | "cert" | "key" | "servername">;
}

/**
 * Reaches an HTTP server at its URL.
 *
 * @param baseUrl `http://` or `https://` URL; its path is a prefix of every request's path
 */
export function directTransport(baseUrl: string, options: DirectTransportOptions = {}): Transport {
  const base = new URL(baseUrl);
  const { Agent } = base.protocol === "https:" ? https : http;
  // An agent's timeout closes what is idle, and leaves requests under way alone.
  const pooled = new Agent({ keepAlive: true, timeout: options.keepIdleMs ?? 4_000 });
  const agent = options.connectionPerRequest === true ? false : pooled;
  const prefix = base.pathname.replace(/\/$/, "");
  return {
    description: base.href.replace(/\/$/, ""),
    send: (request) => sendRequest(new URL(prefix + request.path, base), request, { agent, ...options.tls }),
  };
}

/** Longest time in milliseconds for a request that says nothing of it. */
export const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * Sends one request with the connection options given (TLS material, agent, authentication). One that only reads is sent again where its
 * connection had been kept from an earlier one and was closed without an answer: reading twice does no harm.
 */
export function sendRequest(url: URL, request: HttpRequest, options: https.RequestOptions): Promise<HttpResponse> {
  const timeoutMs = request.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const target = `${request.method} ${url.origin}${url.pathname}`;
  const deadline = AbortSignal.timeout(timeoutMs);
  const signal = request.signal === undefined ? deadline : AbortSignal.any([deadline, request.signal]);
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => {
      reject(new ConnectionError(target, deadline.aborted ? new Error(`no whole answer within ${timeoutMs} ms`) : cause));
    };
    // A request that has no connection yet says nothing of its end before it has one.
    signal.addEventListener("abort", () => fail(signal.reason), { once: true });
    const module = url.protocol === "https:" ? https : http;
    const length = request.body === undefined ? {} : { "content-length": String(Buffer.byteLength(request.body)) };
    const send = (): void => {
      let answered = false;
      const outgoing = module.request(
        url,
        { ...options, method: request.method, headers: { ...options.headers, ...length, ...request.headers }, signal },
        (incoming) => {
          answered = true;
          const chunks: Buffer[] = [];
          incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
          incoming.on("error", fail);
          incoming.on("end", () => {
            resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(chunks).toString("utf8") });
          });
        },
      );
      outgoing.on("error", (error: NodeJS.ErrnoException) => {
        // A server that ends closes what it keeps idle, and may do so just when the next request is sent on
        // it (Node.js `request.reusedSocket`).
        const wasClosed = outgoing.reusedSocket && !answered && error.code === "ECONNRESET";
        if (wasClosed && request.method === "GET") send();
        else fail(error);
      });
      outgoing.end(request.body);
    };
    send();
  });
}

/** An error in one line; connection errors of several addresses are joined. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) {
    return error.errors.map(messageOf).join("; ");
  }
  return error instanceof Error ? error.message : String(error);
}
