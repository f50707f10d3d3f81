/** In-cluster URLs of Services, and the pods behind them. */
import type { PodPort } from "./forwardedStream";
import { ConnectionError, DEFAULT_TIMEOUT_MS, ForbiddenError, type Transport, UnreachableError } from "./transport";

/** The parts of an in-cluster Service URL. */
export interface ServiceUrl {
  scheme: "http" | "https";
  name: string;
  namespace: string;
  port: number;
  /** Without a trailing slash; empty for the root. */
  path: string;
}

/**
 * @throws {Error} when the URL is not `http(s)://<service>.<namespace>.svc[.<cluster domain>][:port][/path]`
 */
export function parseServiceUrl(inClusterUrl: string): ServiceUrl {
  const url = new URL(inClusterUrl);
  const [name, namespace, svc] = url.hostname.split(".");
  const scheme = url.protocol === "https:" ? "https" : url.protocol === "http:" ? "http" : undefined;
  if (scheme === undefined || name === undefined || name === "" || namespace === undefined || namespace === "" || svc !== "svc") {
    throw new Error(`"${inClusterUrl}" is not the URL of a Service, http://<service>.<namespace>.svc[.<cluster domain>]:<port>`);
  }
  const defaultPort = scheme === "https" ? 443 : 80;
  return { scheme, name, namespace, port: url.port === "" ? defaultPort : Number(url.port), path: url.pathname.replace(/\/$/, "") };
}

/** A Service, as far as its ports go. */
export interface KubernetesService {
  spec?: { ports?: { name?: string; port: number }[] };
}

/** Addresses of a Service, with its target ports resolved. */
export interface KubernetesEndpointSlice {
  endpoints?: { conditions?: { ready?: boolean }; targetRef?: { kind?: string; name?: string } }[] | null;
  ports?: { name?: string; port?: number }[] | null;
}

/**
 * The Ready pods behind a port of a Service, each with the port that it leads to there.
 *
 * @returns none where the Service has no such port
 */
export function podsBehind(
  { namespace, port }: ServiceUrl,
  service: KubernetesService,
  slices: readonly KubernetesEndpointSlice[],
): PodPort[] {
  const servicePort = service.spec?.ports?.find((each) => each.port === port);
  if (servicePort === undefined) return [];
  const found = new Map<string, PodPort>();
  for (const { endpoints, ports } of slices) {
    const target = ports?.find(({ name }) => (name ?? "") === (servicePort.name ?? ""))?.port;
    if (target === undefined) continue;
    for (const { conditions, targetRef } of endpoints ?? []) {
      // Where nothing is said of it an endpoint is ready (discovery.k8s.io/v1, EndpointConditions).
      if (conditions?.ready === false || targetRef?.kind !== "Pod" || targetRef.name === undefined) continue;
      found.set(targetRef.name, { namespace, name: targetRef.name, port: target });
    }
  }
  return [...found.values()];
}

/** For so long in milliseconds the pods behind a Service are taken for the same. */
const LOOK_UP_EVERY_MS = 5_000;

/**
 * Reaches a Service as its clients do, by one of the Ready pods behind it: the same one as long as it answers, so that connections are used
 * again, and another one after a request has failed. A request that has reached no pod is tried on all of them.
 *
 * @param pods the Ready pods behind the Service
 * @param pod reaches one of them
 * @param url the Service's in-cluster URL; its path is a prefix of every request's path
 */
export function serviceTransport(pods: () => Promise<PodPort[]>, pod: (pod: PodPort) => Transport, url: string): Transport {
  const { path } = parseServiceUrl(url);
  const description = `${url.replace(/\/$/, "")}, by port-forward to a pod of it`;
  const failures = new Map<string, number>();
  let failed = 0;
  let known: { at: number; pods: Promise<PodPort[]> } | undefined;
  const inOrder = async (): Promise<PodPort[]> => {
    if (known === undefined || performance.now() - known.at > LOOK_UP_EVERY_MS) known = { at: performance.now(), pods: pods() };
    const found = await known.pods;
    // Whose failure is longest ago comes first.
    return [...found].sort((a, b) => (failures.get(a.name) ?? 0) - (failures.get(b.name) ?? 0));
  };
  return {
    description,
    async send(request) {
      const end = performance.now() + (request.timeoutMs ?? DEFAULT_TIMEOUT_MS);
      let last: unknown = new ConnectionError(description, new Error("no Ready pod is behind it"));
      try {
        for (const each of await inOrder()) {
          const timeoutMs = Math.ceil(end - performance.now());
          if (timeoutMs <= 0) break;
          try {
            return await pod(each).send({ ...request, path: path + request.path, timeoutMs });
          } catch (error) {
            failures.set(each.name, ++failed);
            last = error;
            if (!(error instanceof ConnectionError && error.cause instanceof UnreachableError)) throw error;
          }
        }
        throw last;
      } catch (error) {
        known = undefined;
        throw error instanceof ConnectionError || error instanceof ForbiddenError ? error : new ConnectionError(description, error);
      }
    },
  };
}
