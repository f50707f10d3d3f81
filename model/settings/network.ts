import { z } from "zod";
import { isNetwork, NETWORK_FORM } from "../values/ipNetwork";
import { isEverybody } from "./access";
import { namespaceName } from "./forms";

/** A place where pods ask for names. */
const nameServer = z
  .strictObject({
    namespace: namespaceName.optional().describe("Namespace of the name server's pods."),
    network: z
      .string()
      .refine(isNetwork, { error: NETWORK_FORM, abort: true })
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
  })
  .prefault({});

/** A place where pods ask for names. */
export type NameServer = z.output<typeof nameServer>;
