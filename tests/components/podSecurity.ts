import type { Container, PodSpec } from "../harness";

/**
 * Violations by a pod of Pod Security's profile `restricted`, in a few words each; empty where the API server would admit it.
 * Source: Kubernetes docs, "Pod Security Standards", profiles baseline and restricted, v1.36.
 */
export function violationsOfRestricted(pod: PodSpec): string[] {
  const own = (violated: boolean, text: string) => (violated ? [text] : []);
  return [
    ...own(pod.hostNetwork === true, "hostNetwork"),
    ...own(pod.hostPID === true, "hostPID"),
    ...own(pod.hostIPC === true, "hostIPC"),
    ...own((pod.securityContext?.sysctls ?? []).length > 0, "sysctls"),
    ...own(pod.securityContext?.runAsUser === 0, "runAsUser 0"),
    ...(pod.volumes ?? []).flatMap((volume) => {
      const kind = Object.keys(volume).find((key) => key !== "name") ?? "none";
      return own(!ALLOWED_VOLUMES.has(kind), `volume ${volume.name} is a ${kind}`);
    }),
    ...[...(pod.initContainers ?? []), ...pod.containers].flatMap((container) =>
      violationsOf(container, pod).map((text) => `${container.name}: ${text}`),
    ),
  ];
}

const ALLOWED_VOLUMES = new Set([
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "persistentVolumeClaim",
  "projected",
  "secret",
]);

function violationsOf(container: Container, pod: PodSpec): string[] {
  const context = container.securityContext ?? {};
  const seccomp = context.seccompProfile ?? pod.securityContext?.seccompProfile;
  const runAsNonRoot = context.runAsNonRoot ?? pod.securityContext?.runAsNonRoot;
  const added = (context.capabilities?.add ?? []).filter((capability) => capability !== "NET_BIND_SERVICE");
  return [
    ...(context.privileged === true ? ["privileged"] : []),
    ...(context.allowPrivilegeEscalation === false ? [] : ["allowPrivilegeEscalation is not false"]),
    ...(context.capabilities?.drop?.includes("ALL") ? [] : ["capabilities: ALL is not dropped"]),
    ...added.map((capability) => `capability ${capability} is added`),
    ...(runAsNonRoot === true ? [] : ["runAsNonRoot is not true"]),
    ...(context.runAsUser === 0 ? ["runAsUser 0"] : []),
    ...(["RuntimeDefault", "Localhost"].includes(seccomp?.type ?? "") ? [] : ["no seccomp profile"]),
    ...(context.procMount === undefined || context.procMount === "Default" ? [] : ["procMount"]),
    ...(container.ports ?? []).filter((port) => port.hostPort !== undefined).map((port) => `hostPort ${port.hostPort}`),
  ];
}
