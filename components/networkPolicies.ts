import type * as k8s from "@pulumi/kubernetes";
import * as networking from "@pulumi/kubernetes/networking/v1";
import * as pulumi from "@pulumi/pulumi";
import { runningComponents } from "../model/kubernetes/components";
import { type ComponentName, NETWORK_POLICIES_IDENTITY } from "../model/kubernetes/identities";
import { commonLabels, OWN_LABEL, ownPods, PART_OF } from "../model/kubernetes/labels";
import {
  type ConnectedPlan,
  type Edge,
  FURTHER_POLICY,
  furtherEdges,
  nameServerPeer,
  networkEdges,
  type Peer,
} from "../model/network/edges";
import type { Settings } from "../model/settings/schema";
import { componentType } from "../objects/componentType";

/** Arguments of {@link NetworkPolicies}. */
export interface NetworkPoliciesArgs {
  settings: Settings;
  plan: ConnectedPlan;
  /** Namespace, known when it exists. */
  namespace: pulumi.Input<string>;
  /** Whether the bucket's credentials are given. Without them whatever uses the bucket reaches the cloud's identity service. */
  bucketCredentials: boolean;
}

/**
 * Nothing in the namespace talks to anything, except along the edges of the data path and to the cluster's DNS. Where the
 * namespace is somebody else's that holds for this stack's pods: a policy that selects a pod closes whatever it does not open, so
 * none of them selects a pod of others.
 */
export class NetworkPolicies extends pulumi.ComponentResource {
  constructor(name: string, args: NetworkPoliciesArgs, opts?: pulumi.ComponentResourceOptions) {
    super(componentType("NetworkPolicies"), name, {}, opts);
    const { settings, plan } = args;
    const policy = (policyName: string, spec: k8s.types.input.networking.v1.NetworkPolicySpec) =>
      new networking.NetworkPolicy(
        `${name}-${policyName}`,
        {
          // Others may have policies of these names.
          metadata: {
            name: settings.existingNamespace ? `${PART_OF}-${policyName}` : policyName,
            namespace: args.namespace,
            labels: commonLabels(NETWORK_POLICIES_IDENTITY),
          },
          spec,
        },
        { parent: this },
      );
    const everyPod = settings.existingNamespace ? { matchLabels: OWN_LABEL } : {};
    policy("default-deny", { podSelector: everyPod, policyTypes: ["Ingress", "Egress"] });
    policy("allow-dns", {
      podSelector: everyPod,
      policyTypes: ["Egress"],
      egress: settings.network.dns.map((server) => ({
        ...peers("to", nameServerPeer(server), settings),
        ports: ["UDP", "TCP"].map((protocol) => ({ protocol, port: server.port })),
      })),
    });
    const edges = networkEdges(settings, plan, args.bucketCredentials);
    const from = (edge: Edge) => ({ ...peers("from", edge.from, settings), ...ports(edge) });
    const to = (edge: Edge) => ({ ...peers("to", edge.to, settings), ...ports(edge) });
    for (const { name: component } of runningComponents(settings)) {
      policy(`allow-${component}`, {
        podSelector: selects(component, settings),
        policyTypes: ["Ingress", "Egress"],
        ingress: edges.filter((edge) => isComponent(edge.to, component)).map(from),
        egress: edges.filter((edge) => isComponent(edge.from, component)).map(to),
      });
      const further = furtherEdges(settings, component);
      if (further.length === 0) continue;
      const ingress = further.filter((edge) => isComponent(edge.to, component)).map(from);
      const egress = further.filter((edge) => isComponent(edge.from, component)).map(to);
      policy(`${FURTHER_POLICY}${component}`, {
        podSelector: selects(component, settings),
        policyTypes: [...(ingress.length > 0 ? ["Ingress"] : []), ...(egress.length > 0 ? ["Egress"] : [])],
        ...(ingress.length > 0 ? { ingress } : {}),
        ...(egress.length > 0 ? { egress } : {}),
      });
    }
    this.registerOutputs({});
  }
}

const selects = (component: ComponentName, settings: Settings) => ({
  matchLabels: ownPods(settings, { "app.kubernetes.io/component": component }),
});
const isComponent = (peer: Peer, component: ComponentName) => "component" in peer && peer.component === component;
const ports = (edge: Edge) => (edge.port === undefined ? {} : { ports: [{ protocol: "TCP", port: edge.port }] });

/** An edge's other end; no peer at all means everybody. */
function peers(side: "from" | "to", peer: Peer, settings: Settings) {
  if ("anyone" in peer) return {};
  if ("component" in peer) return { [side]: [{ podSelector: selects(peer.component, settings) }] };
  const { namespaces = [], networks = [] } = peer;
  return {
    [side]: [
      ...(namespaces.length === 0
        ? []
        : [{ namespaceSelector: { matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "In", values: namespaces }] } }]),
      ...networks.map((cidr) => ({ ipBlock: { cidr } })),
    ],
  };
}
