import { GATEWAY_SERVICES } from "../kubernetes/identities";
import { GATEWAY_SERVICE_PORT } from "../kubernetes/ports";
import type { Exposed } from "../settings/expose";
import type { Endpoint } from "../settings/gatewayEndpoints";

/**
 * How others who end TLS lead to the gateway: an Ingress, or a route of the Gateway API. Behind either the gateway speaks TLS. Sources:
 * kubernetes networking/v1, Gateway API v1.4 (its first version whose `BackendTLSPolicy` is v1).
 */

/** Version of the Gateway API's objects. */
export const GATEWAY_API = "gateway.networking.k8s.io/v1";

/** Path that leads to an endpoint: that of remote write alone, or any that a reader asks for, which the gateway judges. */
const PATHS = {
  write: { path: "/api/v1/receive", pathType: "Exact" },
  query: { path: "/", pathType: "Prefix" },
} as const;

/** Host of a public URL, without its port, which is not the controller's. */
export const hostOfUrl = (url: string): string => new URL(url).hostname;

/**
 * Spec of an Ingress.
 *
 * @param host Host of the public URL.
 * @param certificate Secret with the gateway's own certificate.
 */
export function ingressSpec(endpoint: Endpoint, { class: chosen, certificate: own }: Ingress, host: string, certificate: string) {
  const { path, pathType } = PATHS[endpoint];
  const service = { name: GATEWAY_SERVICES[endpoint], port: { number: GATEWAY_SERVICE_PORT } };
  return {
    ...(chosen === undefined ? {} : { ingressClassName: chosen }),
    tls: [{ hosts: [host], secretName: own?.secret ?? certificate }],
    rules: [{ host, http: { paths: [{ path, pathType, backend: { service } }] } }],
  };
}

/** Spec of an HTTPRoute: at one listener of a Gateway, and so at no other, which might be one of plain HTTP. */
export function httpRouteSpec(endpoint: Endpoint, { gateway, namespace, listener }: Route, host: string) {
  const { path, pathType } = PATHS[endpoint];
  return {
    parentRefs: [{ group: "gateway.networking.k8s.io", kind: "Gateway", namespace, name: gateway, sectionName: listener }],
    hostnames: [host],
    rules: [
      {
        matches: [{ path: { type: pathType === "Exact" ? "Exact" : "PathPrefix", value: path } }],
        backendRefs: [{ group: "", kind: "Service", name: GATEWAY_SERVICES[endpoint], port: GATEWAY_SERVICE_PORT, weight: 1 }],
      },
    ],
  };
}

/**
 * Spec of a BackendTLSPolicy: a Gateway speaks TLS to the endpoint, and knows whom it speaks to.
 *
 * @param name For which the gateway's certificate is valid.
 * @param authority ConfigMap with certificates of who signed it, in `ca.crt`; undefined where everybody trusts them.
 */
export function backendTlsSpec<Name>(endpoint: Endpoint, name: string, authority: Name | undefined) {
  return {
    targetRefs: [{ group: "", kind: "Service", name: GATEWAY_SERVICES[endpoint] }],
    validation: {
      hostname: name,
      ...(authority === undefined
        ? { wellKnownCACertificates: "System" as const }
        : { caCertificateRefs: [{ group: "", kind: "ConfigMap", name: authority }] }),
    },
  };
}

type Ingress = NonNullable<Exposed["ingress"]>;
type Route = NonNullable<Exposed["gatewayApi"]>;
