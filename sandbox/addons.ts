import type { KubernetesObject } from "@kubernetes/client-node";
import { COREDNS_IMAGE } from "./images";
import { CLUSTER_DOMAIN, DNS_SERVICE, type NodePlan } from "./topology";

/** The cluster's default storage class: volumes are made beforehand, and chosen when a pod's node is known. */
export const STORAGE_CLASS = "local";
/** Nominal capacity of each volume. Nothing enforces it: all volumes share the machine's disk. */
export const VOLUME_CAPACITY = "1Ti";
/** Volumes that nobody has claimed, kept ready on each node. */
export const SPARE_VOLUMES = 8;

/** A Kubernetes object as it is applied. */
export type Manifest = KubernetesObject & Record<string, unknown>;

const labels = { "app.kubernetes.io/part-of": "thanos-stack-sandbox" };

/** The name of a node's volume. */
export function volumeName(node: NodePlan, index: number): string {
  return `${node.name}-disk${index}`;
}

/** A volume: a directory of one node. Its contents outlive its claim. */
export function volume(node: NodePlan, index: number, path: string): Manifest {
  return {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: volumeName(node, index), labels },
    spec: {
      capacity: { storage: VOLUME_CAPACITY },
      accessModes: ["ReadWriteOnce"],
      persistentVolumeReclaimPolicy: "Retain",
      storageClassName: STORAGE_CLASS,
      volumeMode: "Filesystem",
      local: { path },
      nodeAffinity: {
        required: { nodeSelectorTerms: [{ matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [node.name] }] }] },
      },
    },
  };
}

/** State of a node's volume. */
export interface VolumeState {
  readonly index: number;
  readonly phase: string;
}

/**
 * The numbers of the volumes to be made so that enough are unclaimed. A released volume holds someone's data and doesn't count.
 *
 * @param existing the node's volumes
 */
export function volumesToMake(existing: readonly VolumeState[], spare: number = SPARE_VOLUMES): number[] {
  const available = existing.filter(({ phase }) => phase === "Available" || phase === "Pending").length;
  const next = Math.max(0, ...existing.map(({ index }) => index)) + 1;
  return Array.from({ length: Math.max(0, spare - available) }, (_, offset) => next + offset);
}

/** Everything that a cluster needs first: DNS, a storage class, and the API server's right to use the kubelets. */
export function addons(): Manifest[] {
  const system = { namespace: "kube-system", labels };
  const dns = { ...labels, "k8s-app": "kube-dns" };
  // kubeadm's own configuration, but for what leads out of the cluster: the sandbox has no names outside.
  const corefile = `.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes ${CLUSTER_DOMAIN} in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    cache 30 {
       disable success ${CLUSTER_DOMAIN}
       disable denial ${CLUSTER_DOMAIN}
    }
    reload
    loadbalance
}
`;
  return [
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: "kube-apiserver-kubelet-access", labels },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "system:kubelet-api-admin" },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "kube-apiserver-kubelet-client" }],
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: "kube-proxy", labels },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "system:node-proxier" },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "system:kube-proxy" }],
    },
    {
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: { name: STORAGE_CLASS, labels, annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
      provisioner: "kubernetes.io/no-provisioner",
      volumeBindingMode: "WaitForFirstConsumer",
      reclaimPolicy: "Retain",
      // The API server lets claims ask for more then. Nothing resizes a directory, but each says that it holds more than anyone asks for.
      allowVolumeExpansion: true,
    },
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "coredns", ...system } },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name: "system:coredns", labels },
      rules: [
        { apiGroups: [""], resources: ["endpoints", "services", "pods", "namespaces"], verbs: ["list", "watch"] },
        { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
      ],
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: "system:coredns", labels },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "system:coredns" },
      subjects: [{ kind: "ServiceAccount", name: "coredns", namespace: "kube-system" }],
    },
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "coredns", ...system }, data: { Corefile: corefile } },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "kube-dns", namespace: "kube-system", labels: dns },
      spec: {
        clusterIP: DNS_SERVICE,
        selector: { "k8s-app": "kube-dns" },
        ports: [
          { name: "dns", port: 53, protocol: "UDP", targetPort: "dns" },
          { name: "dns-tcp", port: 53, protocol: "TCP", targetPort: "dns-tcp" },
          { name: "metrics", port: 9153, protocol: "TCP", targetPort: "metrics" },
        ],
      },
    },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "coredns", namespace: "kube-system", labels: dns },
      spec: {
        replicas: 2,
        strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1 } },
        selector: { matchLabels: { "k8s-app": "kube-dns" } },
        template: {
          metadata: { labels: dns },
          spec: {
            serviceAccountName: "coredns",
            priorityClassName: "system-cluster-critical",
            dnsPolicy: "Default",
            // Names go on being answered when a node is lost.
            topologySpreadConstraints: [
              {
                maxSkew: 1,
                topologyKey: "kubernetes.io/hostname",
                whenUnsatisfiable: "DoNotSchedule",
                labelSelector: { matchLabels: { "k8s-app": "kube-dns" } },
              },
            ],
            containers: [
              {
                name: "coredns",
                image: COREDNS_IMAGE,
                imagePullPolicy: "IfNotPresent",
                args: ["-conf", "/etc/coredns/Corefile"],
                ports: [
                  { name: "dns", containerPort: 53, protocol: "UDP" },
                  { name: "dns-tcp", containerPort: 53, protocol: "TCP" },
                  { name: "metrics", containerPort: 9153, protocol: "TCP" },
                ],
                resources: { requests: { cpu: "20m", memory: "32Mi" }, limits: { memory: "128Mi" } },
                volumeMounts: [{ name: "config", mountPath: "/etc/coredns", readOnly: true }],
                readinessProbe: { httpGet: { path: "/ready", port: 8181 }, periodSeconds: 2 },
                livenessProbe: { httpGet: { path: "/health", port: 8080 }, initialDelaySeconds: 10 },
                securityContext: {
                  runAsUser: 0,
                  allowPrivilegeEscalation: false,
                  readOnlyRootFilesystem: true,
                  capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] },
                },
              },
            ],
            volumes: [{ name: "config", configMap: { name: "coredns" } }],
          },
        },
      },
    },
  ];
}
