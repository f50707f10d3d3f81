import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { AGENT } from "./agent";
import { HTTP_PORT_NAME } from "./agentConfig";
import type { Config } from "./config";
import { GRAFANA } from "./grafana";
import { labels, selectorLabels } from "./pod";

/**
 * Who may connect to the application's pods: everybody to the service, the agent to whatever it scrapes, and to Grafana the namespaces that
 * are named; nobody else to anything. `kubectl port-forward` goes through the node and is no connection of this sort. What the pods connect
 * to is not limited here: the platform's own policies say who may write to it and read from it.
 */
export class NetworkPolicies extends pulumi.ComponentResource {
  constructor(name: string, args: { config: Config; namespace: pulumi.Input<string> }, opts?: pulumi.ComponentResourceOptions) {
    super("thanos-app:index:NetworkPolicies", name, {}, opts);
    const { app, grafana } = args.config;
    const policy = (policyName: string, podSelector: object, ingress: k8s.types.input.networking.v1.NetworkPolicyIngressRule[]) =>
      new k8s.networking.v1.NetworkPolicy(
        `${name}-${policyName}`,
        {
          metadata: { name: policyName, namespace: args.namespace, labels: labels(app, policyName) },
          spec: { podSelector, policyTypes: ["Ingress"], ingress },
        },
        { parent: this },
      );
    const ports = [{ protocol: "TCP", port: HTTP_PORT_NAME }];
    policy("default-deny", {}, []);
    policy("allow-service", { matchLabels: selectorLabels(app, app) }, [{ ports }]);
    policy("allow-metrics", { matchLabels: { "app.kubernetes.io/part-of": app } }, [
      { from: [{ podSelector: { matchLabels: selectorLabels(app, AGENT) } }], ports },
    ]);
    if (grafana.enabled && grafana.namespaces.length > 0) {
      const from = [
        { namespaceSelector: { matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "In", values: grafana.namespaces }] } },
      ];
      policy("allow-grafana", { matchLabels: selectorLabels(app, GRAFANA) }, [{ from, ports }]);
    }
    this.registerOutputs({});
  }
}
