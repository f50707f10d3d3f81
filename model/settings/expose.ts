import { z } from "zod";
import { isHost, isPort, splitHost } from "../values/hosts";
import { isNetwork, NETWORK_FORM } from "../values/ipNetwork";
import { isQualifiedName } from "../values/kubernetesNames";
import { annotations, count, form, namespaceName, objectName } from "./forms";

/** How the gateway is reached from outside the cluster: its schema. */

const trafficPolicy = (chosen: "Local" | "Cluster", why: string) =>
  z
    .enum(["Local", "Cluster"])
    .default(chosen)
    .describe(
      `Kubernetes' \`externalTrafficPolicy\`. \`Local\`: only nodes with a gateway take connections, and \`access\` sees who connects. \`Cluster\`: every node ` +
        `does, and \`access\` sees a node's address. ${why}`,
    );

const network = form(isNetwork, NETWORK_FORM);

const loadBalancer = z
  .strictObject({
    class: form(isQualifiedName, "a load balancer class, such as service.k8s.aws/nlb")
      .optional()
      .describe("Who makes the load balancer. Left out: the cluster's default."),
    annotations: annotations
      .default({})
      .describe("Annotations of the Service, by which clouds configure theirs: it passes TCP on, and ends no TLS."),
    sourceRanges: z
      .array(network)
      .default([])
      .describe("Networks that may connect, where the load balancer heeds it. Empty: all, as far as `access` lets them."),
    trafficPolicy: trafficPolicy("Local", "Load balancers check which nodes have one."),
  })
  .optional()
  .describe("A Service of the type LoadBalancer, at port 443.");

const nodePort = z
  .strictObject({
    port: count(1, 65_535)
      .optional()
      .describe(
        "Port of every node, of the cluster's range: 30000 to 32767 unless its API server is told another. Left out: one that the cluster chooses.",
      ),
    trafficPolicy: trafficPolicy("Cluster", "Whoever is given the address of a node need not know where gateways are."),
  })
  .optional()
  .describe("A Service of the type NodePort.");

const ingress = z
  .strictObject({
    class: objectName.optional().describe("Ingress class. Left out: the cluster's default."),
    annotations: annotations
      .default({})
      .describe(
        "Annotations of the Ingress. By one of them the controller is told that the gateway speaks TLS (ingress-nginx: " +
          "`nginx.ingress.kubernetes.io/backend-protocol: HTTPS`), and how large a request may be.",
      ),
    certificate: z
      .strictObject({ secret: objectName.describe("Secret of the type `kubernetes.io/tls` in the stack's namespace.") })
      .optional()
      .describe("The certificate that the controller shows, valid for the URL's host. Left out: the gateway's."),
  })
  .optional()
  .describe(
    "An Ingress for the URL's host, over TLS alone. Its controller ends TLS, so that no client certificate comes through, and encrypts again " +
      "towards the gateway.",
  );

const gatewayApi = z
  .strictObject({
    gateway: objectName.describe("Name of the Gateway."),
    namespace: namespaceName.describe("Its namespace. Its listener takes routes of the stack's (`allowedRoutes`)."),
    listener: objectName.describe(
      "Its listener with TLS (`sectionName`). The route is at no other: one of plain HTTP would show tokens to everybody.",
    ),
    annotations: annotations.default({}).describe("Annotations of the route."),
  })
  .optional()
  .describe(
    "An HTTPRoute for the URL's host at a Gateway that somebody else made, and a BackendTLSPolicy, by which the Gateway encrypts again towards the " +
      "stack's. No client certificate comes through. The cluster has the Gateway API of version 1.4 or later.",
  );

/** The ways that lead to an endpoint. */
export const WAYS = ["loadBalancer", "nodePort", "ingress", "gatewayApi"] as const;

/** Host, and port where it is another than 443, of an https URL. */
const serverOf = (url: string): string => url.slice("https://".length);

const publicUrl = form((text) => {
  if (!/^https:\/\/[^/?#@\s]+$/.test(text) || !URL.canParse(text)) return false;
  const { host, port } = splitHost(serverOf(text));
  return isHost(host) && (port === undefined || isPort(port));
}, "an https URL of host, and port where it is not 443, such as https://metrics.example");

const endpoint = (output: string) =>
  z
    .strictObject({
      url: publicUrl
        .optional()
        .describe(
          `By which others reach it, for the output \`${output}\`. The gateway's certificate is valid for its host. Left out: there is none.`,
        ),
      loadBalancer,
      nodePort,
      ingress,
      gatewayApi,
    })
    .refine((chosen) => WAYS.filter((way) => chosen[way] !== undefined).length === 1, `exactly one of ${WAYS.join(", ")}`)
    .meta({ minProperties: 1, maxProperties: 2 })
    .optional();

/** Schema of `expose`. */
export const exposeSettings = z
  .strictObject({
    write: endpoint("publicRemoteWriteUrl").describe("Remote write of others: tenants of `gateway.tenants`."),
    query: endpoint("publicQueryUrl").describe("Queries of others: readers of `gateway.readers`."),
  })
  .prefault({})
  .describe(
    "Which endpoints of the gateway are reached from outside the cluster, and how. Left out: none is. There is no way past the gateway: nothing else asks " +
      "who somebody is, or is encrypted.",
  );

/** How one endpoint is reached from outside. */
export type Exposed = NonNullable<z.output<typeof exposeSettings>["write"]>;
