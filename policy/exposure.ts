import { GATEWAY_IDENTITY, GATEWAY_SERVICES } from "../model/kubernetes/identities";
import { fields, kindOf, list, namespaceOf, objectName, type PolicyResource, text } from "./resources";

/** Kinds of objects that lead from outside to Services. */
const ROUTES = ["Ingress", "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"];

/** Services of the gateway, which asks everybody who he is, and encrypts. */
const GATEWAYS_SERVICES: readonly string[] = Object.values(GATEWAY_SERVICES);

/**
 * Every way in which a Service, an Ingress or a route leads into the cluster past the gateway, as sentences.
 *
 * @param allowed Services that may be reached from outside, as `<namespace>/<name>`
 */
export function exposureViolations(resource: PolicyResource, allowed: readonly string[]): string[] {
  if (ROUTES.includes(kindOf(resource))) return routeViolations(resource, allowed);
  return kindOf(resource) === "Service" ? serviceViolations(resource, allowed) : [];
}

function routeViolations(route: PolicyResource, allowed: readonly string[]): string[] {
  return backendsOf(route.inputs).flatMap((service) => {
    const name = `${namespaceOf(route)}/${service}`;
    return GATEWAYS_SERVICES.includes(service) || allowed.includes(name)
      ? []
      : [`it leads to ${service} from outside; lead to the gateway, or add ${name} to exposedServices in policy/exceptions.ts`];
  });
}

/** Services to which an Ingress or a route leads. */
function backendsOf(inputs: Record<string, unknown>): string[] {
  const spec = fields(inputs, "spec");
  const backend = (of: Record<string, unknown>) => text(fields(of, "service"), "name");
  const rules = list(spec, "rules");
  const named = [
    backend(fields(spec, "defaultBackend")),
    ...rules.flatMap((rule) => list(fields(rule, "http"), "paths").map((path) => backend(fields(path, "backend")))),
    ...rules.flatMap((rule) => list(rule, "backendRefs").map((ref) => text(ref, "name"))),
  ];
  return [...new Set(named.filter((each) => each !== ""))];
}

function serviceViolations(service: PolicyResource, allowed: readonly string[]): string[] {
  const name = `${namespaceOf(service)}/${objectName(service)}`;
  if (allowed.includes(name)) return [];
  const spec = fields(service.inputs, "spec");
  const addresses = list(spec, "externalIPs").length > 0;
  if (text(fields(spec, "selector"), "app.kubernetes.io/component") === GATEWAY_IDENTITY.component && !addresses) return [];
  const type = text(spec, "type");
  const remedy = `make it a ClusterIP, or add ${name} to exposedServices in policy/exceptions.ts`;
  return [
    ...(type === "NodePort" || type === "LoadBalancer" ? [`it is a ${type}; ${remedy}`] : []),
    ...(addresses ? [`it has externalIPs; ${remedy}`] : []),
  ];
}
