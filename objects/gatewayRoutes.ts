import * as apiextensions from "@pulumi/kubernetes/apiextensions";
import * as networking from "@pulumi/kubernetes/networking/v1";
import type * as pulumi from "@pulumi/pulumi";
import { backendTlsSpec, GATEWAY_API, hostOfUrl, httpRouteSpec, ingressSpec } from "../model/gateway/routes";
import { GATEWAY_SERVICES } from "../model/kubernetes/identities";
import { commonLabels, NOT_AWAITED } from "../model/kubernetes/labels";
import type { Exposed } from "../model/settings/expose";
import type { Endpoint } from "../model/settings/gatewayEndpoints";
import type { Workload } from "./workload";

/** An endpoint of the gateway, and how it is exposed. */
export interface Led {
  endpoint: Endpoint;
  exposed: Exposed | undefined;
  /** Secret with the certificate that the gateway shows. */
  certificate: string;
  /** Its name inside the cluster. */
  name: string;
  /** ConfigMap with certificates of who signed that certificate; undefined where everybody trusts them. */
  authority: () => pulumi.Output<string> | undefined;
}

/**
 * The Ingress, or the route and its policy, that lead to an endpoint; none where it is exposed otherwise. That they are taken up is the
 * work of a controller that is not this stack's, and isn't awaited.
 */
export function gatewayRoutes(name: string, workload: Workload, { endpoint, exposed, certificate, name: inside, authority }: Led): void {
  const { ingress, gatewayApi, url } = exposed ?? {};
  if (url === undefined) return;
  const host = hostOfUrl(url);
  const metadata = (annotations: Record<string, string> = {}) => ({
    name: GATEWAY_SERVICES[endpoint],
    namespace: workload.namespace,
    labels: commonLabels(workload.identity),
    annotations: { ...annotations, ...NOT_AWAITED },
  });
  const parent = { parent: workload.parent };
  if (ingress !== undefined)
    new networking.Ingress(
      `${name}-${endpoint}`,
      { metadata: metadata(ingress.annotations), spec: ingressSpec(endpoint, ingress, host, certificate) },
      parent,
    );
  if (gatewayApi === undefined) return;
  const made = (kind: string, suffix: string, annotations: Record<string, string>, spec: Record<string, unknown>) =>
    new apiextensions.CustomResource(
      `${name}-${endpoint}-${suffix}`,
      { apiVersion: GATEWAY_API, kind, metadata: metadata(annotations), spec },
      parent,
    );
  const signed = authority();
  made("HTTPRoute", "route", gatewayApi.annotations, httpRouteSpec(endpoint, gatewayApi, host));
  made("BackendTLSPolicy", "tls", {}, backendTlsSpec(endpoint, signed === undefined ? host : inside, signed));
}
