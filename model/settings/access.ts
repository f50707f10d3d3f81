import { z } from "zod";
import { type IpNetwork, NETWORK_FORM, networkMeant, networkOf } from "../values/ipNetwork";

/** Who reaches an endpoint of the stack: namespaces of the cluster, and networks by address. Both become peers of a NetworkPolicy. */

/** A namespace by Kubernetes' own rule (RFC 1123): it may begin with a digit. */
const NAMESPACE = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/;

const ENTRY_FORM = `a namespace, or ${NETWORK_FORM}`;

const accessEntry = z.string().superRefine((entry, context) => {
  if (NAMESPACE.test(entry)) return;
  const meant = networkMeant(entry, ENTRY_FORM);
  if (meant !== undefined) context.addIssue({ code: "custom", message: meant });
});

/** A list of namespaces and networks. */
export const accessList = z
  .array(accessEntry.meta({ form: ENTRY_FORM }))
  .refine((entries) => new Set(entries).size === entries.length, "every namespace and network once")
  .meta({ uniqueItems: true });

/** Schema of `access`. */
export const accessSchema = z.strictObject({
  senders: accessList
    .optional()
    .describe(
      "Who may remote-write, beside the stack's own Prometheus and rulers, who always may. `[]`: nobody. Left out: whatever reaches the " +
        "cluster's network, which is the risk `open-doors`. With `gateway.tenants` it says who reaches the gateway, and left out is no risk.",
    ),
  readers: accessList
    .optional()
    .describe(
      "Who may query, beside the stack's own components. `[]`: nobody. Left out: whatever reaches the cluster's network, which is the risk " +
        "`open-doors`. With `gateway.readers` it says who reaches the gateway, and left out is no risk.",
    ),
  federation: accessList.default([]).describe("Whose queriers may ask this stack's by gRPC."),
});

/** The entries of a list in `access`, apart by their kind. */
export function accessListOf(entries: readonly string[]): { namespaces: string[]; networks: string[] } {
  const isNamespace = (entry: string) => NAMESPACE.test(entry);
  return { namespaces: entries.filter(isNamespace), networks: entries.filter((entry) => !isNamespace(entry)) };
}

/** Prefix lengths of the largest private networks: 10.0.0.0/8 and fc00::/7 (RFC 1918, RFC 4193). */
const LARGEST_PRIVATE: Record<IpNetwork["version"], number> = { 4: 8, 6: 7 };

/** Whether an entry is a network so large that no cluster's own network is: it stands for everybody. */
export function isEverybody(entry: string): boolean {
  const network = networkOf(entry);
  return network !== undefined && network.prefix < LARGEST_PRIVATE[network.version];
}
