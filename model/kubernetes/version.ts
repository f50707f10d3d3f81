import type { Problem } from "../values/problem";

/**
 * Demands of a stack's objects on Kubernetes: fields that not every release in use knows, and since which release each is on by default
 * (Kubernetes `pkg/features/kube_features.go`). A release before leaves the field out, at most with a warning. docs/operations.md,
 * "Versions that it needs", says the same.
 */
export const FIELDS_SINCE = {
  "preStop.sleep": "1.30",
  unhealthyPodEvictionPolicy: "1.27",
  persistentVolumeClaimRetentionPolicy: "1.27",
  "metrics[].containerResource": "1.27",
  "topologySpreadConstraints[].matchLabelKeys": "1.27",
  "topologySpreadConstraints[].nodeTaintsPolicy": "1.26",
} as const;

/** The oldest Kubernetes, of API server and kubelets, on which all that a stack promises is true: the newest of {@link FIELDS_SINCE}. */
export const KUBERNETES_MINIMUM = "1.30";

/** Loss on an older one, as a clause. */
export const LOST_BEFORE = "which ignores the pause before a pod ends (preStop.sleep): each restart of a receiver would fail sends";

/**
 * Whether a Kubernetes is older than a stack needs.
 *
 * @param version as an API server or a kubelet says it: `v1.30.4`, `v1.30.4-gke.1348000`, `v1.30.4+k3s1`
 * @returns undefined for what is no version
 */
export function isTooOld(version: string): boolean | undefined {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
  if (major === undefined || minor === undefined) return undefined;
  const [leastMajor = 0, leastMinor = 0] = KUBERNETES_MINIMUM.split(".").map(Number);
  return Number(major) === leastMajor ? Number(minor) < leastMinor : Number(major) < leastMajor;
}

/** Why a cluster is refused; undefined where its Kubernetes is new enough. */
export function versionProblem(context: string, version: string): Problem | undefined {
  if (isTooOld(version) !== true) return undefined;
  return {
    key: "cluster.context",
    value: context,
    rule: `its API server is Kubernetes ${version}, ${LOST_BEFORE}`,
    remedy: `a cluster of Kubernetes ${KUBERNETES_MINIMUM} or later`,
  };
}
