import type { Exposed } from "../settings/expose";

/** How a Service of the gateway is reached from outside the cluster, as Kubernetes has it. */

/** Differences of an exposed Service. */
export interface ExposedService {
  type: "ClusterIP" | "LoadBalancer" | "NodePort";
  annotations?: Record<string, string>;
  nodePort?: number;
  externalTrafficPolicy?: "Local" | "Cluster";
  loadBalancerClass?: string;
  loadBalancerSourceRanges?: string[];
}

/** The Service of an endpoint; inside the cluster alone where it is not exposed. */
export function exposedService(exposed: Exposed | undefined): ExposedService {
  const { loadBalancer, nodePort } = exposed ?? {};
  if (loadBalancer !== undefined) {
    const { class: chosen, annotations, sourceRanges, trafficPolicy } = loadBalancer;
    return {
      type: "LoadBalancer",
      annotations,
      externalTrafficPolicy: trafficPolicy,
      ...(chosen === undefined ? {} : { loadBalancerClass: chosen }),
      ...(sourceRanges.length === 0 ? {} : { loadBalancerSourceRanges: sourceRanges }),
    };
  }
  if (nodePort !== undefined) {
    const { port, trafficPolicy } = nodePort;
    return { type: "NodePort", externalTrafficPolicy: trafficPolicy, ...(port === undefined ? {} : { nodePort: port }) };
  }
  return { type: "ClusterIP" };
}
