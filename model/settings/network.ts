import { z } from "zod";
import { isName } from "../values/hosts";
import { alone, isNetwork, NETWORK_FORM, networkMeant } from "../values/ipNetwork";
import { accessList, isEverybody } from "./access";
import { proxyUrl } from "./addressForms";
import { COMPONENTS } from "./components";
import { count, form, namespaceName } from "./forms";

/** A place where pods ask for names. */
const nameServer = z
  .strictObject({
    namespace: namespaceName.optional().describe("Namespace of the name server's pods."),
    network: z
      .string()
      .meta({ form: NETWORK_FORM })
      .refine(isNetwork, { error: ({ input }) => networkMeant(String(input), NETWORK_FORM), abort: true })
      .refine((network) => !isEverybody(network), {
        error: "the address of the name server, such as 10.96.0.10/32",
        params: { rule: "port 53 of a network this large is a way out of the cluster for whatever is in these pods" },
      })
      .optional()
      .describe(
        "Its address, where it is no pod's: one in the nodes' own network. NodeLocal DNSCache that takes over the address of the cluster's DNS " +
          "Service (its mode with iptables) needs that one here, since a plugin judges it before it is translated.",
      ),
    port: z
      .int()
      .min(1)
      .max(65_535)
      .default(53)
      .describe("Port at which the name server itself answers, by UDP and TCP: its pods' own, not their Service's."),
  })
  .refine((server) => (server.namespace === undefined) !== (server.network === undefined), "exactly one of namespace and network");

const peers = accessList.min(1).optional();

/** A connection that the program knows nothing of. */
const furtherEdge = z
  .strictObject({
    component: z
      .enum(COMPONENTS)
      .describe(
        "Whose pods, by their label `app.kubernetes.io/component`: as in the policy `allow-<component>`. One that this environment has.",
      ),
    from: peers.describe(
      "Who may connect to it: namespaces and networks, as in `access`. One that stands for everybody is the risk `open-doors`.",
    ),
    to: peers.describe("Where it may connect to: namespaces and networks, as in `access`."),
    ports: z
      .array(count(1, 65_535))
      .min(1)
      .refine((ports) => new Set(ports).size === ports.length, "every port once")
      .meta({ uniqueItems: true })
      .describe(
        "TCP ports. With `from` those on which a container of the component listens, one of `extra` among them; 10901 of a receiver takes writes " +
          "for every tenant unchecked. With `to` the port of the pods there, not of their Service.",
      ),
  })
  .refine(({ from, to }) => (from === undefined) !== (to === undefined), "exactly one of from and to");

/** A place that is reached without the proxy, as Go reads it (golang.org/x/net http/httpproxy `config.init`). */
const spared = form(
  (text) => isNetwork(text) || alone(text) !== undefined || isName(text.replace(/^\./, "")),
  `a domain with what is below it, or .domain without itself; an address; ${NETWORK_FORM}`,
);

const proxy = z
  .strictObject({
    url: proxyUrl.describe("The proxy itself, such as `http://proxy.example:3128`. Without a login: it would stand in every pod's spec."),
    noProxy: z
      .array(spared)
      .default([])
      .describe(
        "What is reached without it, beside what always is: `cluster.domain`, names that end in `.svc`, the API server, and the identity services of " +
          "clouds (169.254.0.0/16, fd00:ec2::/32, `metadata.google.internal`). A name is not looked up: a network holds for URLs with an address.",
      ),
    to: peers.describe(
      "Where the proxy is, for the network policies: namespaces and networks, as in `access`. Left out: anywhere, at the URL's port.",
    ),
  })
  .optional()
  .describe(
    "A proxy for what goes outside by HTTP: the bucket, identity services of its cloud, other targets of remote write, Alertmanagers by URL; jobs of " +
      "`prometheus.scrapeConfigs` where they ask for it (`proxy_from_environment: true`). What the stack's components say to each other " +
      "never goes there ([how](operations.md#behind-a-proxy)). Left out: none.",
  );

/**
 * Schema of the stack's demands on the cluster's network.
 *
 * Name servers that clusters have by themselves: kube-system's pods nearly everywhere; OpenShift's, whose pods answer at 5353
 * (openshift/cluster-dns-operator assets/dns/daemonset.yaml); NodeLocal DNSCache, which is in the nodes' network and so no namespace's
 * (kubernetes/kubernetes cluster/addons/dns/nodelocaldns/README.md); Cloud DNS for GKE, which Autopilot has, at the instance's metadata
 * server (cloud.google.com/kubernetes-engine/docs/how-to/cloud-dns).
 */
export const networkSettings = z
  .strictObject({
    dns: z
      .array(nameServer)
      .min(1)
      .default([
        { namespace: "kube-system", port: 53 },
        { namespace: "openshift-dns", port: 5353 },
        { network: "169.254.20.10/32", port: 53 },
        { network: "169.254.169.254/32", port: 53 },
      ])
      .describe(
        "Name servers that every pod of the stack may ask; all else is closed to it. The default fits the DNS of nearly every cluster, " +
          "OpenShift's, NodeLocal DNSCache at its usual address, and Google's Cloud DNS for GKE, which Autopilot has.",
      ),
    edges: z
      .array(furtherEdge)
      .default([])
      .describe(
        "Connections beyond those that the data path needs, all in one place for whoever reviews them: of a container or a flag of `extra`, or of " +
          "somebody who asks one component alone. They are policies of their own, `further-<component>`, and in the report.",
      ),
    proxy,
  })
  .prefault({});

/** A connection that the program knows nothing of. */
export type FurtherEdge = z.output<typeof furtherEdge>;
/** A place where pods ask for names. */
export type NameServer = z.output<typeof nameServer>;
