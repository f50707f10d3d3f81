/** Kubernetes objects as the rules see them: plain data, from the engine, from a preview's JSON, or from a run without either. */

/** A resource of the program. */
export interface PolicyResource {
  /** Type token, such as `kubernetes:apps/v1:StatefulSet`. */
  type: string;
  /** Logical name. */
  name: string;
  inputs: Record<string, unknown>;
  /** Whether the engine refuses to delete or replace it. */
  protect: boolean;
}

/** A container, as far as rules look. Every field may be absent or, before it is created, unknown. */
export interface Container {
  name?: string;
  image?: string;
  command?: string[];
  args?: string[];
  env?: { name?: string; value?: string }[];
  ports?: { hostPort?: number }[];
  resources?: { requests?: Record<string, unknown>; limits?: Record<string, unknown> };
  securityContext?: SecurityContext;
  volumeMounts?: { name?: string; mountPath?: string }[];
  /** Of an init container: `Always` where it goes on beside the others. */
  restartPolicy?: string;
  lifecycle?: Record<string, Handler | undefined>;
  startupProbe?: Handler;
  readinessProbe?: Handler;
  livenessProbe?: Handler;
}

/** A probe or a hook. */
export interface Handler {
  exec?: { command?: string[] };
  httpGet?: { host?: string; httpHeaders?: { name?: string; value?: string }[] };
  tcpSocket?: { host?: string };
}

/** A pod's or a container's security context. */
export interface SecurityContext {
  allowPrivilegeEscalation?: boolean;
  appArmorProfile?: { type?: string };
  capabilities?: { add?: string[]; drop?: string[] };
  privileged?: boolean;
  procMount?: string;
  runAsNonRoot?: boolean;
  runAsUser?: number;
  seccompProfile?: { type?: string };
  seLinuxOptions?: { type?: string; user?: string; role?: string };
  sysctls?: { name?: string }[];
  windowsOptions?: { hostProcess?: boolean };
}

/** A pod's spec. */
export interface PodSpec {
  containers?: Container[];
  initContainers?: Container[];
  ephemeralContainers?: Container[];
  automountServiceAccountToken?: boolean;
  hostIPC?: boolean;
  hostNetwork?: boolean;
  hostPID?: boolean;
  securityContext?: SecurityContext;
  volumes?: Record<string, unknown>[];
}

/** A pod that a resource is or makes. */
export interface Pod {
  namespace: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  spec: PodSpec;
}

type Fields = Record<string, unknown>;

/** A field that holds an object; an empty one where there is none. */
export function fields(of: unknown, name: string): Fields {
  const value = (of as Fields | undefined)?.[name];
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/** A field that holds a text; empty where there is none. */
export function text(of: unknown, name: string): string {
  const value = (of as Fields | undefined)?.[name];
  return typeof value === "string" ? value : "";
}

/** A field that holds a list; empty where there is none. */
export function list(of: unknown, name: string): unknown[] {
  const value = (of as Fields | undefined)?.[name];
  return Array.isArray(value) ? value : [];
}

/** `StatefulSet` of `kubernetes:apps/v1:StatefulSet`; empty for what is no Kubernetes object. */
export function kindOf({ type }: PolicyResource): string {
  return type.startsWith("kubernetes:") ? type.slice(type.lastIndexOf(":") + 1) : "";
}

/** The namespace that an object is in; `default` where it names none. */
export function namespaceOf({ inputs }: PolicyResource): string {
  return text(fields(inputs, "metadata"), "namespace") || "default";
}

/** The object's own name, or its logical one where the provider makes it up. */
export function objectName(resource: PolicyResource): string {
  return text(fields(resource.inputs, "metadata"), "name") || resource.name;
}

export function labelsOf(metadata: Fields): Record<string, string> {
  return fields(metadata, "labels") as Record<string, string>;
}

const WORKLOADS = new Set(["DaemonSet", "Deployment", "Job", "ReplicaSet", "ReplicationController", "StatefulSet"]);

/** The pod that a resource is or makes; nothing for other kinds. */
export function podOf(resource: PolicyResource): Pod | undefined {
  const kind = kindOf(resource);
  const spec = fields(resource.inputs, "spec");
  const made =
    kind === "Pod"
      ? { metadata: fields(resource.inputs, "metadata"), spec }
      : kind === "CronJob"
        ? fields(fields(fields(spec, "jobTemplate"), "spec"), "template")
        : WORKLOADS.has(kind)
          ? fields(spec, "template")
          : kind === "PodTemplate"
            ? fields(resource.inputs, "template")
            : undefined;
  if (made === undefined) return undefined;
  const metadata = fields(made, "metadata");
  return {
    namespace: namespaceOf(resource),
    labels: labelsOf(metadata),
    annotations: fields(metadata, "annotations") as Record<string, string>,
    spec: fields(made, "spec") as PodSpec,
  };
}

const LASTING = new Set(["Deployment", "StatefulSet"]);

/** Whether a resource keeps pods running; those of jobs end. */
export const isLasting = (resource: PolicyResource): boolean => LASTING.has(kindOf(resource));

/** Whether a claim is of a node's directory: an empty class is bound only to a volume that was made for it. */
export const isForDirectory = (claim: unknown): boolean => fields(claim, "spec").storageClassName === "";

/** Every container of a pod, of whichever sort. */
export function containersOf({ spec }: Pod): Container[] {
  return [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])];
}
