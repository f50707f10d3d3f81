import type { Resources } from "./config";

/** Common to every workload of this program. Pure. */

/** Images, pinned. */
export const IMAGES = {
  service: "docker.io/library/busybox:1.35.0",
  prometheus: "quay.io/prometheus/prometheus:v3.14.0",
  grafana: "docker.io/grafana/grafana:13.0.1@sha256:0f86bada30d65ef9d0183b90c1e2682ac92d53d95da8bed322b984ea78a4a73a",
} as const;

/** Labels that identify a workload's pods; the name is also the scrape job's. */
export function selectorLabels(app: string, name: string): Record<string, string> {
  return { "app.kubernetes.io/name": name, "app.kubernetes.io/instance": app };
}

/** Labels of objects. `part-of` is how the agent finds the pods. */
export function labels(app: string, name: string): Record<string, string> {
  return { ...selectorLabels(app, name), "app.kubernetes.io/part-of": app };
}

/** Security context that Pod Security `restricted` asks of a pod, and ownership of its volumes. */
export function podSecurityContext(user: number) {
  return {
    runAsNonRoot: true,
    runAsUser: user,
    runAsGroup: user,
    fsGroup: user,
    seccompProfile: { type: "RuntimeDefault" },
  };
}

/** Security context that Pod Security `restricted` asks of a container, and a root file system that nobody writes. */
export function containerSecurityContext() {
  return { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } };
}

/** Memory is request and limit, CPU a request. */
export function containerResources(resources: Resources) {
  return { requests: { cpu: resources.cpu, memory: resources.memory }, limits: { memory: resources.memory } };
}
