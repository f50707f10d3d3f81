import type { ResourceSettings } from "../settings/schema";
import { localDisk } from "./localDisk";

/** Parts of pod specs that every workload shares: least privilege, probes, spread, resources. */

/** User and group of the Thanos image (thanos #6107). */
export const THANOS_USER = 1001;
/** User and group of the Prometheus image. */
export const PROMETHEUS_USER = 65534;
/** User and group of the memcached image. */
export const MEMCACHED_USER = 11211;
/** User and group of the HAProxy image. */
export const HAPROXY_USER = 99;

/**
 * A pod's spec unless its workload says otherwise: what Pod Security `restricted` asks, ownership of its
 * volumes, and no token of the API server.
 *
 * @param user `cluster`: whoever runs the cluster assigns one to each namespace, and refuses any other (OpenShift's
 * SecurityContextConstraints).
 */
export function restrictedPod(user: number | "cluster") {
  return {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: {
      runAsNonRoot: true,
      ...(user === "cluster" ? {} : { runAsUser: user, runAsGroup: user, fsGroup: user }),
      // A large volume is not walked through at every start.
      fsGroupChangePolicy: "OnRootMismatch",
      seccompProfile: { type: "RuntimeDefault" },
    },
  };
}

/**
 * Spec of every container, before its arguments, ports, probes and mounts.
 *
 * @param scratch Most that it keeps in directories that end with the pod, as a quantity. Default: it has none.
 */
export function container(name: string, image: string, resources: ResourceSettings, scratch?: string) {
  return {
    name,
    image,
    imagePullPolicy: "IfNotPresent",
    resources: containerResources(resources, scratch),
    securityContext: containerSecurityContext(),
  };
}

/** Security context that Pod Security `restricted` asks of a container, and a root file system that nobody writes. */
export function containerSecurityContext() {
  return { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } };
}

/** Requests and limits: memory is both, CPU is a request unless a limit is asked for, of the node's disk is what {@link localDisk} says. */
export function containerResources(settings: ResourceSettings, scratch?: string) {
  const disk = localDisk(scratch);
  return {
    requests: { cpu: settings.cpu, memory: settings.memory, "ephemeral-storage": disk.request },
    limits: {
      memory: settings.memory,
      ...(settings.cpuLimit === undefined ? {} : { cpu: settings.cpuLimit }),
      "ephemeral-storage": disk.limit,
    },
  };
}

/** Seconds that a start may take, above any replay of a write-ahead log that was reported (10 minutes, thanos #5569). */
export const STARTUP_BUDGET_SECONDS = 1_800;

/** Startup and readiness on `/-/ready`, liveness on `/-/healthy`: only a start may take long, and a replay is never killed. */
export function probes(port: string) {
  const ready = { httpGet: { path: "/-/ready", port }, timeoutSeconds: 3 };
  return {
    startupProbe: { ...ready, periodSeconds: 1, failureThreshold: STARTUP_BUDGET_SECONDS },
    readinessProbe: { ...ready, periodSeconds: 2, failureThreshold: 3 },
    livenessProbe: { httpGet: { path: "/-/healthy", port }, timeoutSeconds: 10, periodSeconds: 15, failureThreshold: 6 },
  };
}

/** Never (`hard`) or rather not (`soft`) two pods of one kind on one node. Empty where there is one pod only. */
export function hostAntiAffinity(mode: "hard" | "soft", labels: Record<string, string>) {
  const term = { labelSelector: { matchLabels: labels }, topologyKey: "kubernetes.io/hostname" };
  return mode === "hard"
    ? { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } }
    : { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm: term }] } };
}

/**
 * Spread evenly over zones, by force, so that what is promised of a lost zone is true; empty without zones.
 *
 * @param labels Of the pods that are counted.
 * @param perRevision For Deployments: pods of an update count for themselves.
 */
export function zoneSpread(
  zones: readonly string[],
  labels: Record<string, string>,
  perRevision: "perRevision" | "overall" = "perRevision",
) {
  if (zones.length === 0) return {};
  return {
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: "topology.kubernetes.io/zone",
        whenUnsatisfiable: "DoNotSchedule",
        // A zone that is lost is no place to wait for.
        nodeTaintsPolicy: "Honor",
        labelSelector: { matchLabels: labels },
        ...(perRevision === "perRevision" ? { matchLabelKeys: ["pod-template-hash"] } : {}),
      },
    ],
  };
}

/** Node affinity that keeps pods in one zone. */
export function inZone(zone: string | undefined) {
  if (zone === undefined) return {};
  return {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: "topology.kubernetes.io/zone", operator: "In", values: [zone] }] }],
      },
    },
  };
}

/** Pod name as an environment variable, for flags that differ by pod. */
export const POD_NAME_ENV = { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } };

/** Label with a pod's number in its StatefulSet, which Kubernetes sets since 1.28. */
export const POD_INDEX_LABEL = "apps.kubernetes.io/pod-index";

/** That number as an environment variable. */
export const POD_INDEX_ENV = { name: "POD_INDEX", valueFrom: { fieldRef: { fieldPath: `metadata.labels['${POD_INDEX_LABEL}']` } } };

/** A pause before SIGTERM, in which Services forget the pod: Thanos closes its remote-write listener abruptly. */
export function drainPause(seconds: number) {
  return seconds === 0 ? {} : { lifecycle: { preStop: { sleep: { seconds } } } };
}

/**
 * How a Deployment is updated. Hard anti-affinity leaves a surge pod without a node where there are as many pods as nodes, so one goes
 * first; otherwise a new one comes first.
 */
export function rollingUpdate(antiAffinity: "hard" | "soft", replicas: number) {
  const spare = antiAffinity === "hard" && replicas > 1;
  return { type: "RollingUpdate", rollingUpdate: spare ? { maxUnavailable: 1, maxSurge: 0 } : { maxUnavailable: 0, maxSurge: 1 } };
}
