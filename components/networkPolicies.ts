import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type ComponentName, commonLabels, ownPods, PART_OF } from "../model/labels";
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

/** Nothing of this stack talks to anything, except along the edges of the data path and to the cluster's DNS; in a namespace of its own nothing at all does. */
export class NetworkPolicies extends pulumi.ComponentResource {
  constructor(name: string, args: NetworkPoliciesArgs, opts?: pulumi.ComponentResourceOptions) {
    super(componentType("NetworkPolicies"), name, {}, opts);
    const { network, existingNamespace: shared } = args.plan.settings;
    const { everyPod, selects, peers } = selection(shared);
    const policy = (policyName: string, spec: k8s.types.input.networking.v1.NetworkPolicySpec) =>
      new k8s.networking.v1.NetworkPolicy(
        `${name}-${policyName}`,
        // Others in the namespace may have policies of these names.
        {
          metadata: { name: shared ? `${PART_OF}-${policyName}` : policyName, namespace: args.namespace, labels: commonLabels(IDENTITY) },
          spec,
        },
        { parent: this },
      );
    policy("default-deny", { podSelector: everyPod, policyTypes: ["Ingress", "Egress"] });
    policy("allow-dns", {
      podSelector: everyPod,
      policyTypes: ["Egress"],
      egress: network.dns.map((server) => ({
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

const isComponent = (peer: Peer, component: ComponentName) => "component" in peer && peer.component === component;
const ports = (edge: Edge) => (edge.port === undefined ? {} : { ports: [{ protocol: "TCP", port: edge.port }] });

/**
 * Whom policies are about.
 *
 * @param shared Whether others have pods in the namespace, which no policy of this stack is about: one that selects a pod closes whatever it does not open.
 */
function selection(shared: boolean) {
  const labelled = (labels: Record<string, string>) => ({ matchLabels: shared ? ownPods(labels) : labels });
  const selects = (component: ComponentName) => labelled({ "app.kubernetes.io/component": component });
  return {
    everyPod: shared ? labelled({}) : {},
    selects,
    /** An edge's other end; no peer at all means everybody. */
    peers(side: "from" | "to", peer: Peer) {
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
    },
  };
}
