import { z } from "zod";
import { isNetwork, NETWORK_FORM } from "./ipNetwork";
import { namespaceName } from "./values";

/** A place where pods ask for names. */
const nameServer = z
  .strictObject({
    /** Namespace of its pods. */
    namespace: namespaceName.optional(),
    /** Its address as a network, where it is no pod's: one in the nodes' own network, or one that a plugin judges before it is translated. */
    network: z.string().refine(isNetwork, NETWORK_FORM).optional(),
    /** Port at which it answers, by UDP and TCP: the pods' own, not their Service's. */
    port: z.int().min(1).max(65_535).default(53),
  })
  .refine((server) => (server.namespace === undefined) !== (server.network === undefined), "exactly one of namespace and network");

/**
 * What the stack needs of the cluster's network: its schema.
 *
 * Name servers that clusters have by themselves: kube-system's pods nearly everywhere; OpenShift's, whose pods answer at 5353 (openshift/cluster-dns-operator
 * assets/dns/daemonset.yaml); NodeLocal DNSCache, which is in the nodes' network and so no namespace's (kubernetes/kubernetes cluster/addons/dns/nodelocaldns/README.md).
 */
export const networkSettings = z
  .strictObject({
    /** Where every pod of the stack may ask for names. */
    dns: z
      .array(nameServer)
      .min(1)
      .default([
        { namespace: "kube-system", port: 53 },
        { namespace: "openshift-dns", port: 5353 },
        { network: "169.254.20.10/32", port: 53 },
      ]),
  })
  .prefault({});

/** A place where pods ask for names. */
export type NameServer = z.output<typeof nameServer>;
