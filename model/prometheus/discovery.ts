import type { Settings } from "../settings/schema";
import { type KubernetesDiscovery, kubernetesDiscoveries } from "./freeForm/kubernetesDiscovery";

/** One rule of a Role, as Kubernetes writes it. */
export interface PolicyRule {
  apiGroups?: string[];
  resources?: string[];
  nonResourceURLs?: string[];
  verbs: string[];
}

const READ = ["get", "list", "watch"];
/** Objects that the stack's own jobs look at: pods, and Services by their endpoint slices. */
const TARGETS: PolicyRule[] = [
  { apiGroups: [""], resources: ["pods", "services"], verbs: READ },
  { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: READ },
];

const ENDPOINTS: PolicyRule = { apiGroups: [""], resources: ["endpoints"], verbs: READ };
const INGRESSES: PolicyRule = { apiGroups: ["networking.k8s.io"], resources: ["ingresses"], verbs: READ };
const REPLICA_SETS: PolicyRule = { apiGroups: ["apps"], resources: ["replicasets"], verbs: READ };
const JOBS: PolicyRule = { apiGroups: ["batch"], resources: ["jobs"], verbs: READ };
const NAMESPACES: PolicyRule = { apiGroups: [""], resources: ["namespaces"], verbs: READ };

/**
 * Objects that a discovery lists and watches beside {@link TARGETS} where it looks (prometheus v0.314.0
 * discovery/kubernetes/kubernetes.go `Discovery.Run`).
 */
function furtherTargets({ role, attach }: KubernetesDiscovery): PolicyRule[] {
  return [
    ...(role === "endpoints" ? [ENDPOINTS] : []),
    ...(role === "ingress" ? [INGRESSES] : []),
    ...(attach.deployment ? [REPLICA_SETS] : []),
    ...(attach.jobs ? [JOBS] : []),
  ];
}

/**
 * Rights of Prometheus to read: nodes and their metrics everywhere; pods, services and endpoint slices where targets are looked
 * for; and what the environment's own jobs find targets by, where they look for them. No secret, no ConfigMap, no
 * `nodes/proxy`, no verb that changes anything.
 */
export function discoveryRules(settings: Settings): { cluster: PolicyRule[]; namespaced: Record<string, PolicyRule[]> } {
  const { namespace: own, prometheus } = settings;
  const everywhere = prometheus.namespaces === undefined;
  const namespaces = everywhere ? [] : [...new Set(["default", own, ...(prometheus.namespaces ?? [])])].sort();
  const discoveries = prometheus.scrapeConfigs.flatMap((job) => kubernetesDiscoveries(job).map(([, discovery]) => discovery));
  const looksIn = (discovery: KubernetesDiscovery, namespace: string) =>
    discovery.namespaces?.includes(namespace) === true || (discovery.ownNamespace && namespace === own);
  return {
    cluster: [
      { apiGroups: [""], resources: ["nodes"], verbs: READ },
      { apiGroups: [""], resources: ["nodes/metrics"], verbs: ["get"] },
      { nonResourceURLs: ["/metrics"], verbs: ["get"] },
      ...(discoveries.some(({ attach }) => attach.namespace) ? [NAMESPACES] : []),
      ...(everywhere ? [...TARGETS, ...unique(discoveries.flatMap(furtherTargets))] : []),
    ],
    namespaced: Object.fromEntries(
      namespaces.map((namespace) => [
        namespace,
        [...TARGETS, ...unique(discoveries.filter((discovery) => looksIn(discovery, namespace)).flatMap(furtherTargets))],
      ]),
    ),
  };
}

const unique = (rules: PolicyRule[]): PolicyRule[] => [...new Set(rules)];
