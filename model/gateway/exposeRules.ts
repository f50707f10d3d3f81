import { type Exposed, WAYS } from "../settings/expose";
import { gatewayEndpoints, gatewayTenants } from "../settings/gatewayEndpoints";
import type { Settings } from "../settings/schema";
import { receiveOf } from "../settings/scheme";
import { isDnsName } from "../values/kubernetesNames";
import type { Problem } from "../values/problem";
import { hostOfUrl } from "./routes";

/** The rules of what leads to the gateway from outside. Each names the key to change, why, and what would be accepted. */

/** The way that leads to an endpoint; undefined where none does. */
export const wayOf = (exposed: Exposed | undefined) => WAYS.find((way) => exposed?.[way] !== undefined);

const WHO_PASSES = { write: "tenants", query: "readers" } as const;

/** Endpoints that would be reached from outside, and where the gateway has none. */
function unguarded(settings: Settings): Problem[] {
  const endpoints = gatewayEndpoints(settings);
  return (["write", "query"] as const)
    .filter((endpoint) => settings.expose[endpoint] !== undefined && !endpoints.includes(endpoint))
    .map((endpoint) => {
      const nobodyWrites = endpoint === "write" && receiveOf(settings) === undefined;
      return {
        key: `expose.${endpoint}`,
        value: wayOf(settings.expose[endpoint]),
        rule: nobodyWrites
          ? "in the sidecar scheme nobody writes"
          : settings.gateway === undefined
            ? "without the gateway nothing asks who somebody is, and nothing is encrypted"
            : `the gateway has no such endpoint while nobody is in gateway.${WHO_PASSES[endpoint]}`,
        remedy: nobodyWrites ? "the key left out" : `somebody in gateway.${WHO_PASSES[endpoint]}, or the key left out`,
      };
    });
}

/** A port of the nodes is one Service's. */
function portsDiffer({ expose: { write, query } }: Settings): Problem[] {
  const port = query?.nodePort?.port;
  return port === undefined || port !== write?.nodePort?.port
    ? []
    : [
        {
          key: "expose.query.nodePort.port",
          value: port,
          rule: "expose.write has this port of the nodes already",
          remedy: "another port, or none: the cluster chooses one",
        },
      ];
}

/** Whether the host of a URL is a name: the last label of an address is a number. */
const hasName = (url: string): boolean => isDnsName(hostOfUrl(url)) && !/^\d+$/.test(hostOfUrl(url).split(".").at(-1) ?? "");

/** An Ingress and a route are found by a host's name. */
function routesHaveAHost({ expose }: Settings): Problem[] {
  return (["write", "query"] as const).flatMap((endpoint): Problem[] => {
    const { url, ingress, gatewayApi } = expose[endpoint] ?? {};
    if (ingress === undefined && gatewayApi === undefined) return [];
    return url !== undefined && hasName(url)
      ? []
      : [
          {
            key: `expose.${endpoint}.url`,
            value: url,
            rule: `${ingress === undefined ? "an HTTPRoute" : "an Ingress"} is found by the name of a host`,
            remedy: "an https URL with a name, such as https://metrics.example",
          },
        ];
  });
}

/** Whoever ends TLS before the gateway keeps the sender's certificate, and the tenant of a certificate alone is nobody. */
function certificatesComeThrough(settings: Settings): Problem[] {
  const way = wayOf(settings.expose.write);
  if (way !== "ingress" && way !== "gatewayApi") return [];
  return gatewayTenants(settings)
    .filter(([, { token, certificates }]) => !token && certificates.length > 0)
    .map(([tenant, { token }]) => ({
      key: `gateway.tenants.${tenant}.token`,
      value: token,
      rule: `expose.write.${way} ends TLS, so that no client certificate comes through, and this tenant has nothing else to show`,
      remedy: "true, or expose.write by loadBalancer or nodePort",
    }));
}

/**
 * Whether one address may lead to both endpoints: an ingress controller's or a Gateway's, which ends TLS and tells them apart by the path.
 */
function sharesAnAddress({ write, query }: Settings["expose"]): boolean {
  if (write?.ingress !== undefined && query?.ingress !== undefined) return write.ingress.class === query.ingress.class;
  const [one, other] = [write?.gatewayApi, query?.gatewayApi];
  if (one === undefined || other === undefined) return false;
  return one.gateway === other.gateway && one.namespace === other.namespace && one.listener === other.listener;
}

/** A name and a port lead to one Service, which has one of the two endpoints behind it. */
function addressesDiffer({ expose }: Settings): Problem[] {
  const { write, query } = expose;
  if (write?.url === undefined || query?.url === undefined || sharesAnAddress(expose)) return [];
  // The dot at the end of a name is the root of all names, which they have without it too.
  const address = (url: string): string => new URL(url).host.replace(/\.(?=:|$)/, "");
  return address(write.url) !== address(query.url)
    ? []
    : [
        {
          key: "expose.query.url",
          value: query.url,
          rule: "expose.write.url is this address too, and the two endpoints are different Services: one of them would get the requests of both",
          remedy: "another host or port, or both endpoints by an ingress of one class, or by one listener of a Gateway",
        },
      ];
}

/** A controller shows one certificate for a host, and which of two that is nobody says. */
function hostsHaveOneCertificate({ expose: { write, query }, gateway }: Settings): Problem[] {
  if (write?.ingress === undefined || query?.ingress === undefined || write.ingress.class !== query.ingress.class) return [];
  if (write.url === undefined || query.url === undefined || hostOfUrl(write.url) !== hostOfUrl(query.url)) return [];
  const shown = ({ certificate }: NonNullable<Exposed["ingress"]>) => certificate?.secret ?? gateway?.certificate.secret;
  return shown(write.ingress) === shown(query.ingress)
    ? []
    : [
        {
          key: "expose.query.ingress.certificate.secret",
          value: shown(query.ingress),
          isPublic: true,
          rule: `expose.write.ingress shows ${shown(write.ingress)} for the same host by the same controller, which takes either of the two for both`,
          remedy: `${shown(write.ingress)}, in expose.write.ingress the one of here, or another host`,
        },
      ];
}

/** Every problem of what leads to the gateway from outside. */
export const exposeProblems = (settings: Settings): Problem[] =>
  [unguarded, portsDiffer, routesHaveAHost, addressesDiffer, hostsHaveOneCertificate, certificatesComeThrough].flatMap((rule) =>
    rule(settings),
  );
