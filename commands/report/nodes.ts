import type { V1Node, V1NodeSelectorRequirement, V1NodeSelectorTerm, V1PodSpec, V1Toleration } from "@kubernetes/client-node";
import { messageOf, type Transport } from "../../clients/transport";
import { fields, kindOf, list, type PolicyResource, podOf, text } from "../../policy/resources";

/**
 * Whether the cluster has the nodes that a plan counts on: those with the labels that its pods ask for and without a taint that they don't bear.
 * What survives a loss is proven for such nodes, and no preview of the engine looks at them.
 */

/** Finding on the cluster's nodes. */
export interface NodeFinding {
  /** Pods that would stay Pending. */
  warnings: string[];
  /** Why that is not known. */
  notes: string[];
}

/** Asks the API server for the nodes, and sets what the plan's pods ask for against them. */
export async function nodeFinding(resources: readonly PolicyResource[], api: () => Transport | Promise<Transport>): Promise<NodeFinding> {
  try {
    return { warnings: pendingPods(resources, await nodesOf(await api())), notes: [] };
  } catch (error) {
    return { warnings: [], notes: [`Whether there are nodes for all pods is not known: ${messageOf(error)}`] };
  }
}

async function nodesOf(api: Transport): Promise<V1Node[]> {
  const path = "/api/v1/nodes";
  const { status, body } = await api.send({ method: "GET", path });
  if (status >= 300) throw new Error(`${api.description} answered ${status} to ${path}`);
  return (JSON.parse(body) as { items: V1Node[] }).items;
}

/** What would stay Pending for want of a node, a line for each reason; nothing of resources, which other pods take too. */
export function pendingPods(resources: readonly PolicyResource[], nodes: readonly V1Node[]): string[] {
  const byReason = new Map<string, string[]>();
  for (const resource of resources) {
    for (const { pods, reason } of [...unplaced(resource, nodes), ...misplaced(resource, resources, nodes)]) {
      byReason.set(reason, [...(byReason.get(reason) ?? []), pods]);
    }
  }
  return [...byReason].map(([reason, pods]) => `Would stay Pending: ${pods.join(", ")}: ${reason}`);
}

interface Unplaced {
  /** `1 of 3 pods of thanos-receive`. */
  pods: string;
  reason: string;
}

const LASTING = new Set(["Deployment", "StatefulSet"]);

/** Pods of a workload for which no node is left, where the scheduler may choose the node. */
function unplaced(resource: PolicyResource, nodes: readonly V1Node[]): Unplaced[] {
  const pod = podOf(resource);
  if (pod === undefined || !LASTING.has(kindOf(resource)) || hasDirectories(resource)) return [];
  const spec = pod.spec as Partial<V1PodSpec>;
  const wanted = replicasOf(resource);
  const fitting = nodes.filter((node) => obstacle(node, spec) === undefined);
  const missing = wanted - Math.min(wanted, places(fitting, spec, pod.labels));
  if (missing === 0) return [];
  const obstacles = new Map<string, number>();
  for (const node of nodes) {
    const found = obstacle(node, spec);
    if (found !== undefined) obstacles.set(found, (obstacles.get(found) ?? 0) + 1);
  }
  const others = [...obstacles].map(([why, count]) => `${count} ${why}`);
  return [
    {
      pods: `${missing} of ${wanted} pods of ${nameOf(resource)}`,
      reason: `${fitting.length} of the cluster's ${nodes.length} nodes can take ${fitting.length === 1 ? "one" : "them"}${others.length === 0 ? "" : ` (${others.join("; ")})`}`,
    },
  ];
}

/** Pods whose directory is on a node that isn't there or doesn't take them. */
function misplaced(resource: PolicyResource, resources: readonly PolicyResource[], nodes: readonly V1Node[]): Unplaced[] {
  const pod = podOf(resource);
  if (pod === undefined || !hasDirectories(resource)) return [];
  const spec = pod.spec as Partial<V1PodSpec>;
  return Array.from({ length: replicasOf(resource) }, (_, ordinal) => `${nameOf(resource)}-${ordinal}`).flatMap((name) => {
    const volume = resources.find(
      (other) => kindOf(other) === "PersistentVolume" && text(fields(fields(other.inputs, "spec"), "claimRef"), "name") === `data-${name}`,
    );
    const required = fields(fields(fields(volume?.inputs, "spec"), "nodeAffinity"), "required") as {
      nodeSelectorTerms?: V1NodeSelectorTerm[];
    };
    if (required.nodeSelectorTerms === undefined) return [];
    const holders = nodes.filter((node) => required.nodeSelectorTerms?.some((term) => matchesTerm(node, term)));
    if (holders.some((node) => obstacle(node, spec) === undefined)) return [];
    const [holder] = holders;
    return [
      {
        pods: name,
        reason:
          holder === undefined
            ? `no node of the cluster is the one of its directory (${required.nodeSelectorTerms.flatMap(({ matchExpressions = [] }) => matchExpressions.flatMap(({ values = [] }) => values)).join(", ")})`
            : `the node of its directory, ${holder.metadata?.name ?? ""}, ${obstacle(holder, spec) ?? ""}`,
      },
    ];
  });
}

/** An empty class is bound only to a volume that was made for it: a directory. */
const hasDirectories = ({ inputs }: PolicyResource): boolean =>
  list(fields(inputs, "spec"), "volumeClaimTemplates").some((claim) => fields(claim, "spec").storageClassName === "");

const nameOf = ({ name, inputs }: PolicyResource): string => text(fields(inputs, "metadata"), "name") || name;

function replicasOf({ inputs }: PolicyResource): number {
  const { replicas } = fields(inputs, "spec");
  return typeof replicas === "number" ? replicas : 1;
}

/** How many pods of a workload these nodes take at once, as far as the pods themselves keep each other off. */
function places(nodes: readonly V1Node[], spec: Partial<V1PodSpec>, labels: Record<string, string>): number {
  const alone = (spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).some(
    ({ topologyKey, labelSelector }) =>
      topologyKey === HOST_NAME && Object.entries(labelSelector?.matchLabels ?? {}).every(([name, value]) => labels[name] === value),
  );
  const most = (some: number) => (alone ? some : some === 0 ? 0 : Number.POSITIVE_INFINITY);
  const forced = (spec.topologySpreadConstraints ?? []).filter(({ whenUnsatisfiable }) => whenUnsatisfiable === "DoNotSchedule");
  return Math.min(
    most(nodes.length),
    ...forced.map(({ topologyKey, maxSkew, minDomains = 1 }) => {
      const domains = new Map<string, number>();
      for (const node of nodes) {
        const domain = node.metadata?.labels?.[topologyKey];
        if (domain !== undefined) domains.set(domain, (domains.get(domain) ?? 0) + 1);
      }
      const sizes = [...domains.values()].map(most);
      // With fewer domains than are asked for, the emptiest one counts as empty.
      const least = sizes.length < minDomains ? 0 : Math.min(...sizes);
      return sizes.reduce((sum, size) => sum + Math.min(size, least + maxSkew), 0);
    }),
  );
}

const HOST_NAME = "kubernetes.io/hostname";

/** Why a node takes no such pod, as the end of a sentence about it; undefined where it does. */
function obstacle(node: V1Node, { nodeSelector = {}, affinity, tolerations = [] }: Partial<V1PodSpec>): string | undefined {
  const labels = node.metadata?.labels ?? {};
  const lacking = Object.entries(nodeSelector).find(([name, value]) => labels[name] !== value);
  if (lacking !== undefined) return `without the label ${lacking.join("=")}`;
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (terms !== undefined && !terms.some((term) => matchesTerm(node, term))) return "outside of the affinity to nodes";
  const taint = (node.spec?.taints ?? []).find(
    ({ effect, ...other }) =>
      effect !== "PreferNoSchedule" && !tolerations.some((toleration) => tolerates(toleration, { effect, ...other })),
  );
  return taint === undefined ? undefined : `with the taint ${taint.key}${taint.value ? `=${taint.value}` : ""}:${taint.effect}`;
}

/** As the scheduler compares them (Kubernetes `Toleration.ToleratesTaint`). */
function tolerates({ key, operator, value, effect }: V1Toleration, taint: { key: string; value?: string; effect: string }): boolean {
  return (
    (!effect || effect === taint.effect) && (!key || key === taint.key) && (operator === "Exists" || (value ?? "") === (taint.value ?? ""))
  );
}

/** A term's requirements hold together; one without any matches no node (Kubernetes `nodeaffinity.NewNodeSelector`). */
function matchesTerm(node: V1Node, { matchExpressions = [], matchFields = [] }: V1NodeSelectorTerm): boolean {
  return (
    matchExpressions.length + matchFields.length > 0 &&
    matchExpressions.every((requirement) => matches(node.metadata?.labels?.[requirement.key], requirement)) &&
    matchFields.every((requirement) => matches(requirement.key === "metadata.name" ? node.metadata?.name : undefined, requirement))
  );
}

function matches(value: string | undefined, { operator, values = [] }: V1NodeSelectorRequirement): boolean {
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
      return Number.parseInt(value ?? "", 10) > Number(values[0]);
    case "Lt":
      return Number.parseInt(value ?? "", 10) < Number(values[0]);
    default:
      return false;
  }
}
