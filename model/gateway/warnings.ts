import { choicesFor } from "../kubernetes/choices";
import { accessListOf } from "../settings/access";
import type { Exposed } from "../settings/expose";
import { type Endpoint, gatewayEndpoints, gatewayTenants } from "../settings/gatewayEndpoints";
import type { Settings } from "../settings/schema";
import { portOfUrl } from "../values/hosts";
import { overlap } from "../values/ipNetwork";
import { quantityBytes } from "../values/quantity";
import { oneLine } from "../values/visibleText";
import { wayOf } from "./exposeRules";
import { COUNTED_TENANTS } from "./haproxy";
import { BODY_SIZE, isOutside, plainBackend, smallBodies } from "./ingressControllers";
import { ringLimit } from "./limits";

/**
 * Warnings of settings of the gateway that would surprise their author, and may be meant: what is between it and the others is not this
 * stack's.
 */

const LISTS = { write: "senders", query: "readers" } as const;

/** Kubernetes' default (`--service-node-port-range` of the API server). */
const NODE_PORTS = { first: 30_000, last: 32_767 };

/** Sentences, each with the key that it is about. */
export function gatewayWarnings(settings: Settings): string[] {
  const tenants = gatewayTenants(settings).length;
  return [
    ...gatewayEndpoints(settings).flatMap((endpoint) => {
      const exposed = settings.expose[endpoint];
      return exposed === undefined
        ? []
        : [nobodyComesIn, proxyStaysOut, portDiffers, nodePortOutOfRange, speaksPlain].flatMap((look) => look(endpoint, exposed, settings));
    }),
    ...gatewayTenants(settings).flatMap(([tenant]) => moreThanTheRing(tenant, settings)),
    ...(tenants <= COUNTED_TENANTS
      ? []
      : [
          `gateway.tenants has ${tenants}: above ${COUNTED_TENANTS} the gateway counts what it refuses by reason alone, so that its alerts name no ` +
            "tenant; its log does, of each request that is refused with 413 or 429",
        ]),
  ];
}

/** Requests that the gateway lets through, and that receivers refuse when they have unpacked them. */
function moreThanTheRing(tenant: string, settings: Settings): string[] {
  const given = settings.gateway?.tenants[tenant]?.maxDecoded;
  const ring = ringLimit(settings, tenant);
  return given === undefined || ring === 0 || quantityBytes(given) <= ring
    ? []
    : [
        `gateway.tenants.${tenant}.maxDecoded is ${given}, and receive.limits lets ${tenant} send ${ring} bytes at once: what is larger is unpacked ` +
          "behind the gateway, and then answered 413",
      ];
}

type Look = (endpoint: Endpoint, exposed: Exposed, settings: Settings) => string[];

/** The network policy lets in whom `access` names, and sees whatever the way makes of their addresses. */
const nobodyComesIn: Look = (endpoint, exposed, { access }) => {
  const way = wayOf(exposed);
  const list = LISTS[endpoint];
  const entries = access[list];
  if (entries === undefined || (way !== "loadBalancer" && way !== "nodePort")) return [];
  const { networks } = accessListOf(entries);
  if (networks.length === 0)
    return [
      `access.${list} names no network: whoever comes through expose.${endpoint}.${way} has an address and no namespace, so that the network policy ` +
        "lets nobody in, unless pods of these namespaces pass it on",
    ];
  const { sourceRanges = [], trafficPolicy } = exposed.loadBalancer ?? {};
  if (trafficPolicy !== "Local") return [];
  return sourceRanges
    .filter((range) => !networks.some((network) => overlap(range, network)))
    .map(
      (range) =>
        `expose.${endpoint}.loadBalancer.sourceRanges has ${range}, of which access.${list} has no address: the network policy lets none of it in, ` +
        "unless the load balancer connects with an address of its own",
    );
};

/**
 * Behind a Gateway or an ingress controller it is their pods that the network policy sees. Where they run is told by nothing in the stack
 * file: beside the Gateway (Istio, NGINX Gateway Fabric, Contour's provisioner), in the implementation's namespace (Envoy Gateway,
 * Traefik), or outside the cluster.
 */
const proxyStaysOut: Look = (endpoint, { gatewayApi, ingress }, { access }) => {
  const list = LISTS[endpoint];
  const entries = access[list];
  if (entries === undefined) return [];
  const { namespaces } = accessListOf(entries);
  if (gatewayApi !== undefined && !namespaces.includes(gatewayApi.namespace))
    return [
      `access.${list} does not name ${gatewayApi.namespace}, which expose.${endpoint}.gatewayApi.namespace is: if the Gateway's proxies run there, the ` +
        `network policy lets none of them reach the gateway; where they run elsewhere, access.${list} names that namespace or network`,
    ];
  return ingress === undefined || namespaces.length > 0 || isOutside(ingress.class)
    ? []
    : [
        `access.${list} names no namespace, and expose.${endpoint}.ingress is served by its controller's pods: the network policy lets them in by ` +
          "their namespace, unless they run in the network of their nodes",
      ];
};

/** The port of the public URL is the one at which the Service is reached, unless something in front of it translates. */
const portDiffers: Look = (endpoint, { url, loadBalancer, nodePort }) => {
  if (url === undefined || (loadBalancer === undefined && nodePort === undefined)) return [];
  const served = loadBalancer === undefined ? nodePort?.port : 443;
  if (served === undefined)
    return [
      `expose.${endpoint}.url is ${url}, of port ${portOfUrl(url)}, and expose.${endpoint}.nodePort.port is left out, so that the cluster chooses one: ` +
        "nobody finds it there, unless something in front translates ports",
    ];
  return portOfUrl(url) === served
    ? []
    : [
        `expose.${endpoint}.url is ${url}, and expose.${endpoint}.${loadBalancer === undefined ? "nodePort" : "loadBalancer"} is reached at port ` +
          `${served}: nobody finds it there, unless something in front translates ports`,
      ];
};

const nodePortOutOfRange: Look = (endpoint, { nodePort }) => {
  const port = nodePort?.port;
  return port === undefined || (port >= NODE_PORTS.first && port <= NODE_PORTS.last)
    ? []
    : [
        `expose.${endpoint}.nodePort.port is ${port}: API servers refuse ports out of ${NODE_PORTS.first} to ${NODE_PORTS.last} in the middle of an ` +
          "update, unless this cluster's has another --service-node-port-range",
      ];
};

/** Controllers speak plain HTTP to what is behind them until they are told otherwise. */
const speaksPlain: Look = (endpoint, { ingress }, settings) => {
  if (ingress === undefined || settings.gateway === undefined) return [];
  const annotated = {
    class: ingress.class,
    ingress: ingress.annotations,
    service: choicesFor(settings, settings.gateway).services.annotations,
  };
  const plain = plainBackend(annotated, endpoint);
  const small = endpoint === "write" ? smallBodies(annotated) : undefined;
  const where = `expose.${endpoint}.ingress${ingress.class === undefined ? "" : ` of the class ${ingress.class}`}`;
  return [
    ...(plain === undefined
      ? []
      : [
          plain.said.length === 0
            ? `${where} says nothing of TLS behind it, which is all that the gateway takes: ${plain.wanted}`
            : `${where} has ${oneLine(plain.said.join(", "))}, by which nobody speaks TLS to the gateway, which takes nothing else: ${plain.wanted}`,
        ]),
    ...(small === undefined
      ? []
      : [
          `${where} ${oneLine(small)}, and answers larger ones 413, which senders drop: ${BODY_SIZE} in ingress.annotations, such as 32m; ` +
            "0 for any size, which the gateway limits",
        ]),
  ];
};
