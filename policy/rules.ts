import { credentialsInValue } from "../model/values/credentials";
import { tokenViolations } from "./apiToken";
import { credentialViolations } from "./credentials";
import { EXCEPTIONS, type Exceptions } from "./exceptions";
import { exposureViolations } from "./exposure";
import { restrictedViolations } from "./podSecurity";
import {
  containersOf,
  fields,
  kindOf,
  labelsOf,
  list,
  namespaceOf,
  objectName,
  type Pod,
  type PolicyResource,
  podOf,
  text,
} from "./resources";

/**
 * The rules that every environment's resources keep. Pure: the policy pack applies them in the engine, `npm run ci:preview` to what a
 * preview planned, and tests to resources that break them.
 */

/** Where the resources belong, and what is allowed there. */
export interface PolicyContext {
  /** The stack's name, such as `prod`. */
  stack: string;
  exceptions: Exceptions;
}

/** A rule about one resource. */
export interface ResourceRule {
  name: string;
  description: string;
  /** Every way in which the resource breaks the rule, as a sentence that says what would be right. */
  check(resource: PolicyResource, context: PolicyContext): string[];
}

/** A rule about all resources together. */
export interface StackRule {
  name: string;
  description: string;
  check(resources: readonly PolicyResource[], context: PolicyContext): { resource?: PolicyResource; message: string }[];
}

/** A broken rule. */
export interface Violation {
  rule: string;
  /** Kind and name, such as `StatefulSet thanos-dev/thanos-receive`; the stack where no single resource is meant. */
  resource: string;
  message: string;
}

/** The namespace of a workload that may break `restricted`: the one that makes directories on nodes. */
const EXEMPT_NAMESPACE = /-volumes$/;
const EXEMPT_COMPONENT = "volumes";
const ENFORCE = "pod-security.kubernetes.io/enforce";

/** Whether this is the one sort of pod that is exempt from `restricted`. */
function isExempt(resource: PolicyResource, pod: Pod): boolean {
  return (
    kindOf(resource) === "Job" && EXEMPT_NAMESPACE.test(pod.namespace) && pod.labels["app.kubernetes.io/component"] === EXEMPT_COMPONENT
  );
}

const imagesArePinned: ResourceRule = {
  name: "images-are-pinned",
  description: "Every image is named by a tag that is not `latest`, or by digest.",
  check(resource) {
    const pod = podOf(resource);
    if (pod === undefined) return [];
    return containersOf(pod).flatMap(({ name, image = "" }) => {
      if (/@sha256:[0-9a-f]{64}$/.test(image)) return [];
      // The characters of a wrong digest are no tag.
      const reference = image.includes("@") ? "" : image.slice(image.lastIndexOf("/") + 1);
      const tag = /:([\w][\w.-]{0,127})$/.exec(reference)?.[1];
      if (tag !== undefined && tag !== "latest") return [];
      const now = tag === undefined ? "without tag or digest, which means `latest`" : "by the tag `latest`";
      return [`container ${name} names its image ${image || "(none)"} ${now}; name a version's tag or a digest`];
    });
  },
};

const resourcesAreBounded: ResourceRule = {
  name: "resources-are-bounded",
  description: "Every container requests CPU, memory and its node's disk, and the last two have limits, as every emptyDir has.",
  check(resource) {
    const pod = podOf(resource);
    if (pod === undefined) return [];
    const endless = list(pod.spec, "volumes").filter(
      (volume) => "emptyDir" in (volume as object) && !has(fields(volume, "emptyDir"), "sizeLimit"),
    );
    return [
      ...containersOf(pod).flatMap(({ name, resources }) => {
        const missing = [
          ...["cpu", "memory", "ephemeral-storage"].filter((each) => !has(resources?.requests, each)).map((each) => `requests.${each}`),
          ...["memory", "ephemeral-storage"].filter((each) => !has(resources?.limits, each)).map((each) => `limits.${each}`),
        ];
        return missing.length === 0 ? [] : [`container ${name} has no ${missing.join(", no ")}`];
      }),
      ...endless.map((volume) => `the emptyDir ${text(volume, "name")} has no sizeLimit`),
    ];
  },
};

const has = (of: Record<string, unknown> | undefined, name: string): boolean => of?.[name] !== undefined && of[name] !== "";

const apiTokensAreChosen: ResourceRule = {
  name: "api-tokens-are-chosen",
  description: "No pod mounts a token of the API server into all of its containers, and one container has it at most.",
  check(resource) {
    const pod = podOf(resource);
    return pod === undefined ? [] : tokenViolations(pod);
  },
};

const podsAreRestricted: ResourceRule = {
  name: "pods-are-restricted",
  description:
    "Every pod satisfies Pod Security's profile `restricted`, except the job that makes directories on nodes, in its own namespace.",
  check(resource) {
    const pod = podOf(resource);
    return pod === undefined || isExempt(resource, pod) ? [] : restrictedViolations(pod);
  },
};

const namespacesEnforceRestricted: ResourceRule = {
  name: "namespaces-enforce-restricted",
  description: "Every namespace enforces `restricted`, except `<namespace>-volumes`.",
  check(resource, { stack, exceptions }) {
    if (kindOf(resource) !== "Namespace") return [];
    const enforced = labelsOf(fields(resource.inputs, "metadata"))[ENFORCE];
    const exempt = EXEMPT_NAMESPACE.test(objectName(resource)) && exceptions.hostPathStacks.includes(stack);
    return enforced === "restricted" || exempt
      ? []
      : [`its label ${ENFORCE} is ${enforced ?? "missing"}; the API server refuses other pods only with \`restricted\``];
  },
};

const servicesStayInside: ResourceRule = {
  name: "services-stay-inside",
  description: "No Service but the gateway's is reachable from outside of the cluster, unless policy/exceptions.ts allows it by name.",
  check: (resource, { exceptions }) => exposureViolations(resource, exceptions.exposedServices),
};

const hostPathIsDeclared: ResourceRule = {
  name: "hostpath-is-declared",
  description: "Data is on nodes' own disks only in the environments that policy/exceptions.ts names, a directory for each pod.",
  check(resource, { stack, exceptions }) {
    const remedy = exceptions.hostPathStacks.includes(stack)
      ? []
      : [`${stack} is none of hostPathStacks in policy/exceptions.ts; use storage.pvc`];
    if (kindOf(resource) === "PersistentVolume") {
      const spec = fields(resource.inputs, "spec");
      if (spec.hostPath === undefined && spec.local === undefined) return [];
      const path = text(fields(spec, "hostPath"), "path") || text(fields(spec, "local"), "path");
      const claim = fields(spec, "claimRef");
      const [namespace, pod] = path.split("/").slice(-2);
      const own = namespace === text(claim, "namespace") && text(claim, "name").endsWith(`-${pod}`) && pod !== "";
      return [
        ...remedy.map((line) => `its data is in ${path} of a node: ${line}`),
        ...(own
          ? []
          : [`${path} is not the directory \`<root>/<namespace>/<pod>\` of the one claim in claimRef; others could reach its data`]),
        ...(spec.nodeAffinity === undefined ? ["it names no node (nodeAffinity), so that its pod could start away from its data"] : []),
      ];
    }
    const pod = podOf(resource);
    const mounted = (pod?.spec.volumes ?? []).filter((volume) => volume.hostPath !== undefined);
    if (pod === undefined || mounted.length === 0) return [];
    const lines =
      remedy.length > 0 ? remedy : isExempt(resource, pod) ? [] : ["only the job in `<namespace>-volumes` may; use a PersistentVolume"];
    return lines.map(
      (line) => `it mounts ${mounted.map((volume) => text(fields(volume, "hostPath"), "path")).join(", ")} of its node: ${line}`,
    );
  },
};

const dataIsProtected: ResourceRule = {
  name: "data-is-protected",
  description:
    "In production the namespace, volumes, and StatefulSets whose volumes hold more than what is fetched again can't be deleted or replaced by an update.",
  check(resource, { stack, exceptions }) {
    if (!exceptions.protectedStacks.includes(stack) || resource.protect) return [];
    const kind = kindOf(resource);
    const holdsData =
      kind === "Namespace" ||
      kind === "PersistentVolume" ||
      kind === "PersistentVolumeClaim" ||
      (kind === "StatefulSet" &&
        list(fields(resource.inputs, "spec"), "volumeClaimTemplates").length > 0 &&
        !exceptions.refetchedComponents.includes(podOf(resource)?.labels["app.kubernetes.io/component"] ?? ""));
    return holdsData ? [`it is not protected; \`thanos-stack:protect\` must be true in ${stack}`] : [];
  },
};

const credentialsAreSecret: ResourceRule = {
  name: "credentials-are-secret",
  description: "No credential is in a ConfigMap, an environment variable's value, or a container's command line.",
  check(resource) {
    if (kindOf(resource) === "ConfigMap") {
      const data = { ...fields(resource.inputs, "data"), ...fields(resource.inputs, "binaryData") };
      return Object.entries(data).flatMap(([key, value]) =>
        (typeof value === "string" ? credentialsInValue(key, value) : []).map((what) => `${key} holds ${what}; move it to a Secret`),
      );
    }
    const pod = podOf(resource);
    return pod === undefined ? [] : credentialViolations(pod);
  },
};

/** Rules that look at one resource at a time. */
export const RESOURCE_RULES: readonly ResourceRule[] = [
  imagesArePinned,
  resourcesAreBounded,
  apiTokensAreChosen,
  podsAreRestricted,
  namespacesEnforceRestricted,
  servicesStayInside,
  hostPathIsDeclared,
  dataIsProtected,
  credentialsAreSecret,
];

const REPLICATION_FACTOR = /^--receive\.replication-factor=(\d+)$/;

const ringHoldsEveryCopy: StackRule = {
  name: "ring-holds-every-copy",
  description: "Every hashring has at least as many receivers as replicas, and every member of it is a pod of some StatefulSet.",
  check(resources) {
    const factors = resources.flatMap((resource) => {
      const pod = podOf(resource);
      const flags = pod === undefined ? [] : containersOf(pod).flatMap((container) => container.args ?? []);
      return flags.flatMap((flag) => REPLICATION_FACTOR.exec(flag)?.[1] ?? []).map(Number);
    });
    const factor = Math.max(1, ...factors);
    const pods = new Set(resources.filter((resource) => kindOf(resource) === "StatefulSet").flatMap(podNames));
    return resources.flatMap((resource) => {
      if (kindOf(resource) !== "ConfigMap") return [];
      return ringsIn(resource).flatMap(({ name, members }) => {
        const strangers = members.filter((member) => !pods.has(member));
        return [
          ...(members.length < factor
            ? [{ resource, message: `hashring ${name} has ${members.length} receivers for ${factor} replicas, and every receiver exits` }]
            : []),
          ...(strangers.length > 0
            ? [{ resource, message: `hashring ${name} names ${strangers.join(", ")}, which no StatefulSet makes: writes to them fail` }]
            : []),
        ];
      });
    });
  },
};

function podNames(resource: PolicyResource): string[] {
  const replicas = fields(resource.inputs, "spec").replicas;
  return Array.from({ length: typeof replicas === "number" ? replicas : 1 }, (_, ordinal) => `${objectName(resource)}-${ordinal}`);
}

/** The hashrings of a ConfigMap, with their members' pods; empty where it holds none. */
function ringsIn(resource: PolicyResource): { name: string; members: string[] }[] {
  const file = text(fields(resource.inputs, "data"), "hashrings.json");
  if (file === "") return [];
  let rings: unknown;
  try {
    rings = JSON.parse(file);
  } catch {
    return [{ name: "(unreadable)", members: [] }];
  }
  return (Array.isArray(rings) ? rings : []).map((ring: unknown) => ({
    name: text(ring, "hashring") || "default",
    members: list(ring, "endpoints").map(
      (endpoint) => (typeof endpoint === "string" ? endpoint : text(endpoint, "address")).split(".")[0] ?? "",
    ),
  }));
}

const networkIsClosed: StackRule = {
  name: "network-is-closed",
  description:
    "Every namespace with pods has a NetworkPolicy that denies everything which no other one allows: to all pods, or in a namespace that the stack does not make to all of the stack's.",
  check(resources) {
    const denials = resources.filter(isDefaultDeny);
    const made = namespacesIn(resources);
    const open = new Map<string, PolicyResource>();
    for (const resource of resources) {
      const pod = podOf(resource);
      if (pod === undefined || isExempt(resource, pod) || open.has(pod.namespace)) continue;
      const closed = denials.some(
        (denial) => namespaceOf(denial) === pod.namespace && selects(denial, made.has(pod.namespace) ? {} : pod.labels),
      );
      if (!closed) open.set(pod.namespace, resource);
    }
    return [...open].map(([namespace, resource]) => ({
      resource,
      message: `namespace ${namespace} has no NetworkPolicy with ${made.has(namespace) ? "an empty podSelector" : "a podSelector of this stack's pods"}, both policyTypes and no rule: whatever isn't allowed stays open`,
    }));
  },
};

/** The namespaces that the stack makes. */
const namespacesIn = (resources: readonly PolicyResource[]): Set<string> =>
  new Set(resources.filter((resource) => kindOf(resource) === "Namespace").map(objectName));

function isDefaultDeny(resource: PolicyResource): boolean {
  if (kindOf(resource) !== "NetworkPolicy") return false;
  const spec = fields(resource.inputs, "spec");
  const types = list(spec, "policyTypes");
  return types.includes("Ingress") && types.includes("Egress") && list(spec, "ingress").length === 0 && list(spec, "egress").length === 0;
}

/** Whether a policy selects every pod that has these labels. */
function selects(policy: PolicyResource, labels: Record<string, string>): boolean {
  const spec = fields(policy.inputs, "spec");
  if (spec.podSelector === undefined) return false;
  const { matchLabels = {}, ...others } = fields(spec, "podSelector");
  const wanted = Object.entries(matchLabels as Record<string, unknown>);
  return Object.keys(others).length === 0 && wanted.every(([label, value]) => labels[label] === value);
}

const exemptionIsOne: StackRule = {
  name: "exemption-is-one",
  description:
    "The namespace that is exempt from `restricted` belongs to another namespace of this stack and holds the jobs that make directories, nothing else.",
  check(resources) {
    const pods = resources.flatMap((resource) => podOf(resource) ?? []);
    const namespaces = new Set([...namespacesIn(resources), ...pods.map(({ namespace }) => namespace)]);
    const orphans = resources.filter(
      (resource) =>
        kindOf(resource) === "Namespace" &&
        labelsOf(fields(resource.inputs, "metadata"))[ENFORCE] !== "restricted" &&
        !namespaces.has(objectName(resource).replace(EXEMPT_NAMESPACE, "")),
    );
    const others = resources.filter((resource) => {
      const pod = podOf(resource);
      return pod !== undefined && EXEMPT_NAMESPACE.test(pod.namespace) && !isExempt(resource, pod);
    });
    return [
      ...orphans.map((resource) => ({ resource, message: "it is exempt and belongs to no namespace of this stack" })),
      ...others.map((resource) => ({ resource, message: "only the jobs that make directories may run in the exempt namespace" })),
    ];
  },
};

/** Rules that need all resources. */
export const STACK_RULES: readonly StackRule[] = [ringHoldsEveryCopy, networkIsClosed, exemptionIsOne];

/** Kind and name of a resource for people. */
export function describeResource(resource: PolicyResource): string {
  const namespace = text(fields(resource.inputs, "metadata"), "namespace");
  return `${kindOf(resource) || resource.type} ${namespace === "" ? "" : `${namespace}/`}${objectName(resource)}`;
}

/** Every broken rule of a stack's resources; empty if all are kept. */
export function violationsOf(resources: readonly PolicyResource[], stack: string, exceptions: Exceptions = EXCEPTIONS): Violation[] {
  const context = { stack, exceptions };
  return [
    ...RESOURCE_RULES.flatMap((rule) =>
      resources.flatMap((resource) =>
        rule.check(resource, context).map((message) => ({ rule: rule.name, resource: describeResource(resource), message })),
      ),
    ),
    ...STACK_RULES.flatMap((rule) =>
      rule.check(resources, context).map(({ resource, message }) => ({
        rule: rule.name,
        resource: resource === undefined ? `stack ${stack}` : describeResource(resource),
        message,
      })),
    ),
  ];
}
