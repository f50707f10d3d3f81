import type { Settings } from "./settings";

/** One rule of a Role, as Kubernetes writes it. */
export interface PolicyRule {
  apiGroups?: string[];
  resources?: string[];
  nonResourceURLs?: string[];
  verbs: string[];
}

const READ = ["get", "list", "watch"];
const TARGETS: PolicyRule[] = [
  { apiGroups: [""], resources: ["pods", "services"], verbs: READ },
  { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: READ },
];

/**
 * What Prometheus may read: nodes and their metrics everywhere, pods, services and endpoint slices where targets are looked for. No secret, no ConfigMap,
 * no `nodes/proxy`, no verb that changes anything.
 */
export function discoveryRules(settings: Settings): { cluster: PolicyRule[]; namespaced: Record<string, PolicyRule[]> } {
  const everywhere = settings.prometheus.namespaces === undefined;
  const namespaces = everywhere ? [] : [...new Set(["default", settings.namespace, ...(settings.prometheus.namespaces ?? [])])].sort();
  return {
    cluster: [
      { apiGroups: [""], resources: ["nodes"], verbs: READ },
      { apiGroups: [""], resources: ["nodes/metrics"], verbs: ["get"] },
      { nonResourceURLs: ["/metrics"], verbs: ["get"] },
      ...(everywhere ? TARGETS : []),
    ],
    namespaced: Object.fromEntries(namespaces.map((namespace) => [namespace, TARGETS])),
  };
}
