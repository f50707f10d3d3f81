import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type ComponentName, commonLabels } from "../model/labels";
import { componentsOf, type Edge, nameServerPeer, networkEdges, type Peer } from "../model/networkEdges";
import type { StackPlan } from "../model/plan";
import { componentType } from "./types";

/** What {@link NetworkPolicies} needs. */
export interface NetworkPoliciesArgs {
  plan: StackPlan;
  /** Namespace, known when it exists. */
  namespace: pulumi.Input<string>;
  /** Whether the bucket's credentials are given. Without them whatever uses the bucket reaches the cloud's identity service. */
  bucketCredentials: boolean;
}

const IDENTITY = { app: "network-policies", component: "namespace" } as const;

/** Nothing in the namespace talks to anything, except along the edges of the data path and to the cluster's DNS. */
export class NetworkPolicies extends pulumi.ComponentResource {
  constructor(name: string, args: NetworkPoliciesArgs, opts?: pulumi.ComponentResourceOptions) {
    super(componentType("NetworkPolicies"), name, {}, opts);
    const policy = (policyName: string, spec: k8s.types.input.networking.v1.NetworkPolicySpec) =>
      new k8s.networking.v1.NetworkPolicy(
        `${name}-${policyName}`,
        { metadata: { name: policyName, namespace: args.namespace, labels: commonLabels(IDENTITY) }, spec },
        { parent: this },
      );
    policy("default-deny", { podSelector: {}, policyTypes: ["Ingress", "Egress"] });
    policy("allow-dns", {
      podSelector: {},
      policyTypes: ["Egress"],
      egress: args.plan.settings.network.dns.map((server) => ({
        ...peers("to", nameServerPeer(server)),
        ports: ["UDP", "TCP"].map((protocol) => ({ protocol, port: server.port })),
      })),
    });
    const edges = networkEdges(args.plan.settings, args.bucketCredentials);
    for (const component of componentsOf(args.plan.settings)) {
      policy(`allow-${component}`, {
        podSelector: selects(component),
        policyTypes: ["Ingress", "Egress"],
        ingress: edges.filter((edge) => isComponent(edge.to, component)).map((edge) => ({ ...peers("from", edge.from), ...ports(edge) })),
        egress: edges.filter((edge) => isComponent(edge.from, component)).map((edge) => ({ ...peers("to", edge.to), ...ports(edge) })),
      });
    }
    this.registerOutputs({});
  }
}

const selects = (component: ComponentName) => ({ matchLabels: { "app.kubernetes.io/component": component } });
const isComponent = (peer: Peer, component: ComponentName) => "component" in peer && peer.component === component;
const ports = (edge: Edge) => (edge.port === undefined ? {} : { ports: [{ protocol: "TCP", port: edge.port }] });

/** An edge's other end; no peer at all means everybody. */
function peers(side: "from" | "to", peer: Peer) {
  if ("anyone" in peer) return {};
  if ("component" in peer) return { [side]: [{ podSelector: selects(peer.component) }] };
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
