import { type Container, containersOf, type Handler, type Pod, type SecurityContext } from "./resources";

/**
 * Violations by a pod of Pod Security's profile `restricted`, which contains `baseline`; empty where the API server admits it.
 * Source: Kubernetes documentation, "Pod Security Standards", v1.36.
 */
export function restrictedViolations(pod: Pod): string[] {
  const { spec } = pod;
  const context = spec.securityContext ?? {};
  return [
    ...when(spec.hostNetwork === true, "shares its node's network (hostNetwork)"),
    ...when(spec.hostPID === true, "sees its node's processes (hostPID)"),
    ...when(spec.hostIPC === true, "shares its node's memory segments (hostIPC)"),
    ...(context.sysctls ?? []).flatMap(({ name = "" }) => when(!SAFE_SYSCTLS.has(name), `sets the kernel's ${name}`)),
    ...Object.entries(pod.annotations).flatMap(([name, value]) =>
      when(name.startsWith(APPARMOR_ANNOTATION) && value !== "runtime/default" && !value.startsWith("localhost/"), `${name} is ${value}`),
    ),
    ...(spec.volumes ?? []).flatMap((volume) => {
      const kind = Object.keys(volume).find((key) => key !== "name" && volume[key] !== undefined && volume[key] !== null);
      return when(kind !== undefined && !VOLUMES.has(kind), `volume ${String(volume.name)} is a ${kind}`);
    }),
    ...contextViolations(context),
    ...containersOf(pod).flatMap((container) =>
      containerViolations(container, context).map((line) => `container ${container.name}: ${line}`),
    ),
  ];
}

const APPARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/";
const SAFE_SYSCTLS = new Set([
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.ping_group_range",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_rmem",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.tcp_wmem",
]);
const VOLUMES = new Set([
  ...["configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim", "projected", "secret"],
]);
const SELINUX_TYPES = new Set(["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"]);
const PROFILES = new Set(["RuntimeDefault", "Localhost"]);

/** Violations that a security context of a pod and of a container can have alike. */
function contextViolations(context: SecurityContext): string[] {
  const { seLinuxOptions = {}, appArmorProfile, windowsOptions } = context;
  return [
    ...when(windowsOptions?.hostProcess === true, "is a Windows host process"),
    ...when(context.runAsUser === 0, "runs as root (runAsUser 0)"),
    ...when(!SELINUX_TYPES.has(seLinuxOptions.type ?? ""), `SELinux type ${seLinuxOptions.type}`),
    ...when((seLinuxOptions.user ?? "") !== "" || (seLinuxOptions.role ?? "") !== "", "sets an SELinux user or role"),
    ...when(appArmorProfile !== undefined && !PROFILES.has(appArmorProfile.type ?? ""), `AppArmor profile ${appArmorProfile?.type}`),
    ...when(context.seccompProfile !== undefined && !PROFILES.has(context.seccompProfile.type ?? ""), "has an unconfined seccomp profile"),
  ];
}

function containerViolations(container: Container, pod: SecurityContext): string[] {
  const context = container.securityContext ?? {};
  const handlers: [string, Handler | undefined][] = [
    ["startupProbe", container.startupProbe],
    ["readinessProbe", container.readinessProbe],
    ["livenessProbe", container.livenessProbe],
    ...Object.entries(container.lifecycle ?? {}),
  ];
  return [
    ...contextViolations(context),
    ...when(context.privileged === true, "is privileged"),
    ...when(context.allowPrivilegeEscalation !== false, "allowPrivilegeEscalation is not false"),
    ...when(!(context.capabilities?.drop ?? []).includes("ALL"), "does not drop all capabilities"),
    ...(context.capabilities?.add ?? []).flatMap((name) => when(name !== "NET_BIND_SERVICE", `adds the capability ${name}`)),
    ...when((context.runAsNonRoot ?? pod.runAsNonRoot) !== true, "runAsNonRoot is not true"),
    ...when((context.seccompProfile ?? pod.seccompProfile) === undefined, "has no seccomp profile"),
    ...when(context.procMount !== undefined && context.procMount !== "Default", `procMount ${context.procMount}`),
    ...(container.ports ?? []).flatMap(({ hostPort }) => when((hostPort ?? 0) !== 0, `takes its node's port ${hostPort}`)),
    ...handlers.flatMap(([name, handler]) =>
      when((handler?.httpGet?.host ?? "") !== "" || (handler?.tcpSocket?.host ?? "") !== "", `${name} asks another host`),
    ),
  ];
}

const when = (violated: boolean, line: string): string[] => (violated ? [line] : []);
