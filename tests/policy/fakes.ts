import type { Exceptions } from "../../policy/exceptions";
import type { Container, PodSpec, PolicyResource } from "../../policy/resources";
import { violationsOf } from "../../policy/rules";

/** A small stack that keeps every rule, and what becomes of it when a part is changed. */

export const NAMESPACE = "shop";

/** Requests and limits that keep every rule. */
export const BOUNDED = {
  requests: { cpu: "100m", memory: "1Gi", "ephemeral-storage": "64Mi" },
  limits: { memory: "1Gi", "ephemeral-storage": "512Mi" },
};

/** A container that keeps every rule. */
export function container(changes: Partial<Container> & Record<string, unknown> = {}): Container {
  return {
    name: "main",
    image: "quay.io/thanos/thanos:v0.42.4",
    args: ["receive", "--receive.replication-factor=3"],
    resources: BOUNDED,
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
    ...changes,
  };
}

/** A pod that keeps every rule. */
export function podSpec(changes: Partial<PodSpec> & Record<string, unknown> = {}): PodSpec {
  return {
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, runAsUser: 1001, seccompProfile: { type: "RuntimeDefault" } },
    containers: [container()],
    ...changes,
  };
}

export function resource(kind: string, inputs: Record<string, unknown>, changes: Partial<PolicyResource> = {}): PolicyResource {
  const name = (inputs.metadata as { name?: string } | undefined)?.name ?? kind.toLowerCase();
  return { type: `kubernetes:${kind}`, name, inputs, protect: true, ...changes };
}

export function namespace(name = NAMESPACE, enforce = "restricted", changes: Partial<PolicyResource> = {}): PolicyResource {
  return resource("core/v1:Namespace", { metadata: { name, labels: { "pod-security.kubernetes.io/enforce": enforce } } }, changes);
}

export function workload(
  kind: string,
  spec: PodSpec,
  inner: Record<string, unknown> = {},
  changes: Partial<PolicyResource> = {},
  names: { component?: string } = {},
): PolicyResource {
  const { component = "receive" } = names;
  const metadata = { name: "receive", namespace: NAMESPACE };
  const labels = { "app.kubernetes.io/component": component };
  return resource(`apps/v1:${kind}`, { metadata, spec: { replicas: 3, ...inner, template: { metadata: { labels }, spec } } }, changes);
}

export function hashrings(members: string[]): PolicyResource {
  const endpoints = members.map((member) => ({ address: `${member}.peers.${NAMESPACE}.svc.cluster.local:10901` }));
  return resource("core/v1:ConfigMap", {
    metadata: { name: "hashrings", namespace: NAMESPACE },
    data: { "hashrings.json": JSON.stringify([{ hashring: "default", algorithm: "ketama", endpoints }]) },
  });
}

export function networkPolicy(spec: Record<string, unknown> = { podSelector: {}, policyTypes: ["Ingress", "Egress"] }): PolicyResource {
  return resource("networking.k8s.io/v1:NetworkPolicy", { metadata: { name: "default-deny", namespace: NAMESPACE }, spec });
}

/** The job that makes directories on a node. */
export function directories(changes: { namespace?: string; component?: string; kind?: string } = {}): PolicyResource {
  const { namespace: where = `${NAMESPACE}-volumes`, component = "volumes", kind = "batch/v1:Job" } = changes;
  const spec = podSpec({
    containers: [container({ args: [], securityContext: { runAsUser: 0 } })],
    volumes: [{ name: "root", hostPath: { path: "/data" } }],
  });
  const template = { metadata: { labels: { "app.kubernetes.io/component": component } }, spec };
  return resource(kind, { metadata: { name: "directories", namespace: where }, spec: { template } });
}

/** A pod's directory. */
export function volume(spec: Record<string, unknown> = {}): PolicyResource {
  return resource("core/v1:PersistentVolume", {
    metadata: { name: `${NAMESPACE}-receive-0` },
    spec: {
      hostPath: { path: `/data/${NAMESPACE}/receive-0` },
      claimRef: { namespace: NAMESPACE, name: "data-receive-0" },
      nodeAffinity: { required: {} },
      ...spec,
    },
  });
}

/** The stack that keeps every rule. */
export const GOOD: readonly PolicyResource[] = [
  namespace(),
  networkPolicy(),
  workload("StatefulSet", podSpec(), { volumeClaimTemplates: [{}] }),
  hashrings(["receive-0", "receive-1", "receive-2"]),
  resource("core/v1:Service", { metadata: { name: "receive", namespace: NAMESPACE }, spec: { type: "ClusterIP" } }),
];

/** The good stack with some resources in place of those of the same kind and name. */
export function withChanged(...changed: PolicyResource[]): PolicyResource[] {
  const same = (left: PolicyResource, right: PolicyResource) => left.type === right.type && left.name === right.name;
  return [...GOOD.filter((each) => !changed.some((other) => same(each, other))), ...changed];
}

/** Broken rules, each as `rule: resource: message`. */
export function broken(resources: readonly PolicyResource[], stack = "prod", exceptions: Partial<Exceptions> = {}): string[] {
  const allowed = {
    protectedStacks: ["prod"],
    refetchedComponents: ["cache"],
    hostPathStacks: ["dev"],
    exposedServices: [],
    ...exceptions,
  };
  return violationsOf(resources, stack, allowed).map(({ rule, resource: what, message }) => `${rule}: ${what}: ${message}`);
}
