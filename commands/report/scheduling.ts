import type {
  V1LabelSelector,
  V1Node,
  V1PodAffinityTerm,
  V1PodSpec,
  V1Taint,
  V1Toleration,
  V1TopologySpreadConstraint,
} from "@kubernetes/client-node";
import { HOST_NAME, matches, matchesTerm } from "../../model/kubernetes/nodeSelection";

/**
 * Where the scheduler could put a workload's pods (Kubernetes 1.36, `pkg/scheduler/framework/plugins`): node selector, affinity, taints,
 * spread and affinity among pods. Nothing of resources, nor of volumes, which other pods have too.
 */

/** Pods of a workload, as the scheduler sees each of them. */
export interface SchedulablePod {
  namespace: string;
  /** Labels of that namespace, as far as they are known. */
  namespaceLabels: Record<string, string>;
  labels: Record<string, string>;
  spec: Partial<V1PodSpec>;
}

/** Where pods were put. */
export interface Placement {
  /** Pods that found a node. */
  placed: number;
  /** How many of them each node has, in the order of the nodes. */
  on: number[];
  /** Why each node takes no further one, as the ends of sentences about nodes, with how many it is true of. Empty where all are placed. */
  reasons: Map<string, number>;
}

/**
 * Puts pods on nodes, each where there are fewest of them already, as long as a node takes one.
 *
 * @param others Pods of the same plan that are none of these: an affinity may ask for them.
 */
export function placement(wanted: number, pod: SchedulablePod, others: readonly SchedulablePod[], nodes: readonly V1Node[]): Placement {
  const on = nodes.map(() => 0);
  const obstacles = nodes.map((node) => obstacle(node, pod.spec));
  for (let placed = 0; placed < wanted; placed++) {
    const crowd = crowds(pod, others, nodes, on);
    const refusals = nodes.map((node, index) => obstacles[index] ?? crowd.refusal(node));
    const [best] = nodes
      .map((node, index) => ({ index, load: [...crowd.inDomains(node), on[index] ?? 0] }))
      .filter(({ index }) => refusals[index] === undefined)
      .sort((one, other) => one.load.map((each, i) => each - (other.load[i] ?? 0)).find((difference) => difference !== 0) ?? 0);
    if (best === undefined) {
      const reasons = new Map<string, number>();
      for (const refusal of refusals) if (refusal !== undefined) reasons.set(refusal, (reasons.get(refusal) ?? 0) + 1);
      return { placed, on, reasons };
    }
    on[best.index] = (on[best.index] ?? 0) + 1;
  }
  return { placed: wanted, on, reasons: new Map() };
}

/** Why a node takes no such pod, as the end of a sentence about it; undefined where it does. */
export function obstacle(node: V1Node, { nodeSelector, affinity, tolerations = [] }: Partial<V1PodSpec>): string | undefined {
  const labels = labelsOf(node);
  const lacking = lackedBy(labels, nodeSelector);
  if (lacking !== undefined) return `without the label ${lacking.join("=")}`;
  if (!isInAffinity(node, affinity)) return "outside of the affinity to nodes";
  const taint = untolerated(node, tolerations);
  return taint === undefined ? undefined : `with the taint ${taint.key}${taint.value ? `=${taint.value}` : ""}:${taint.effect}`;
}

/** A label of a node selector that a node does not have, name and value; undefined where it has all. */
const lackedBy = (labels: Readonly<Record<string, string>>, selector: V1PodSpec["nodeSelector"] = {}): [string, string] | undefined =>
  Object.entries(selector).find(([name, value]) => labels[name] !== value);

const labelsOf = (node: V1Node): Record<string, string> => node.metadata?.labels ?? {};

function isInAffinity({ metadata }: V1Node, affinity: V1PodSpec["affinity"]): boolean {
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  return terms === undefined || terms.some((term) => matchesTerm(metadata ?? {}, term));
}

const untolerated = (node: V1Node, tolerations: readonly V1Toleration[]): V1Taint | undefined =>
  (node.spec?.taints ?? []).find(
    (taint) => taint.effect !== "PreferNoSchedule" && !tolerations.some((toleration) => tolerates(toleration, taint)),
  );

/** As the scheduler compares them (Kubernetes `Toleration.ToleratesTaint`). */
function tolerates({ key, operator, value, effect }: V1Toleration, taint: V1Taint): boolean {
  return (
    (!effect || effect === taint.effect) && (!key || key === taint.key) && (operator === "Exists" || (value ?? "") === (taint.value ?? ""))
  );
}

/** Whether labels are selected; a selector that is left out selects nothing (apimachinery `LabelSelectorAsSelector`). */
function selects(selector: V1LabelSelector | undefined, labels: Readonly<Record<string, string>>): boolean {
  if (selector === undefined) return false;
  const { matchLabels = {}, matchExpressions = [] } = selector;
  return (
    Object.entries(matchLabels).every(([name, value]) => labels[name] === value) &&
    matchExpressions.every((requirement) => matches(labels[requirement.key], requirement))
  );
}

/** Labels that controllers give each revision of their pods, so that all pods of one have the same. */
const OF_THE_REVISION = ["pod-template-hash", "controller-revision-hash"];

/** Whether a term of one pod is about another. */
function concerns(term: V1PodAffinityTerm, owner: SchedulablePod, other: SchedulablePod): boolean {
  const { labelSelector, namespaces = [], namespaceSelector, matchLabelKeys = [], mismatchLabelKeys = [] } = term;
  const own = namespaces.length === 0 && namespaceSelector === undefined;
  const inNamespace = own
    ? owner.namespace === other.namespace
    : namespaces.includes(other.namespace) || selects(namespaceSelector, other.namespaceLabels);
  // Keys that the pod itself lacks are left out of the selector (Kubernetes `applyMatchLabelKeysAndMismatchLabelKeys`).
  const ofOwner = (key: string) => owner.labels[key];
  return (
    inNamespace &&
    selects(labelSelector, other.labels) &&
    matchLabelKeys.every((key) => ofOwner(key) === undefined || other.labels[key] === ofOwner(key)) &&
    mismatchLabelKeys.every((key) =>
      OF_THE_REVISION.includes(key) ? owner !== other : ofOwner(key) === undefined || other.labels[key] !== ofOwner(key),
    )
  );
}

const REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution";

/** Effect of pods that are placed already on one more: topology spread, affinity and anti-affinity between pods. */
interface Crowds {
  refusal(node: V1Node): string | undefined;
  /** Pods in each domain of a node over which they are spread. */
  inDomains(node: V1Node): number[];
}

function crowds(pod: SchedulablePod, others: readonly SchedulablePod[], nodes: readonly V1Node[], on: readonly number[]): Crowds {
  const spreads = (pod.spec.topologySpreadConstraints ?? [])
    .filter(({ whenUnsatisfiable }) => whenUnsatisfiable === "DoNotSchedule")
    .map((constraint, _, all) => ({ constraint, domains: domainsOf(constraint, all, pod, nodes, on) }));
  const apart = pod.spec.affinity?.podAntiAffinity?.[REQUIRED] ?? [];
  const together = pod.spec.affinity?.podAffinity?.[REQUIRED] ?? [];
  const beside = (key: string, node: V1Node): number =>
    nodes.reduce((sum, other, index) => sum + (sameDomain(key, node, other) ? (on[index] ?? 0) : 0), 0);
  const concernsOwn = (terms: readonly V1PodAffinityTerm[]) => terms.every((term) => concerns(term, pod, pod));
  // Where others satisfy the affinity too, or only they do, it is not known where they are.
  const onlyOwn = concernsOwn(together) && !others.some((other) => together.every((term) => concerns(term, pod, other)));
  const first = on.every((count) => count === 0);
  return {
    refusal: (node) => {
      const labels = labelsOf(node);
      for (const { constraint, domains } of spreads) {
        const { topologyKey, maxSkew, minDomains = 1, labelSelector } = constraint;
        const domain = labels[topologyKey];
        if (domain === undefined) return `without the label ${topologyKey}, over which pods are spread`;
        const least = domains.size < minDomains ? 0 : Math.min(...domains.values());
        const one = selects(labelSelector, pod.labels) ? 1 : 0;
        if ((domains.get(domain) ?? 0) + one - least > maxSkew)
          return domains.size < minDomains
            ? `whose ${topologyKey} is one of ${domains.size} where minDomains asks for ${minDomains}`
            : `whose ${topologyKey} would be more than maxSkew ${maxSkew} above another`;
      }
      const lacking = together.find(({ topologyKey }) => labels[topologyKey] === undefined);
      if (lacking !== undefined) return `without the label ${lacking.topologyKey}, which the affinity to pods needs`;
      const away = onlyOwn && !first ? together.find(({ topologyKey }) => beside(topologyKey, node) === 0) : undefined;
      if (away !== undefined) return `with another ${away.topologyKey} than the pods of the affinity`;
      const near = apart.find((term) => concerns(term, pod, pod) && beside(term.topologyKey, node) > 0);
      if (near === undefined) return undefined;
      return near.topologyKey === HOST_NAME ? "with one of them already" : `with one of them in the same ${near.topologyKey} already`;
    },
    inDomains: (node) => spreads.map(({ constraint, domains }) => domains.get(labelsOf(node)[constraint.topologyKey] ?? "") ?? 0),
  };
}

const sameDomain = (key: string, one: V1Node, other: V1Node): boolean => {
  const value = labelsOf(one)[key];
  return value !== undefined && labelsOf(other)[key] === value;
};

/**
 * Pods that a constraint counts, by the domains that it knows: those of nodes with every constraint's label, and, unless it says otherwise,
 * within the pod's selection of nodes, whatever they are tainted with (`podtopologyspread` `calPreFilterState`).
 */
function domainsOf(
  { topologyKey, labelSelector, nodeAffinityPolicy = "Honor", nodeTaintsPolicy = "Ignore" }: V1TopologySpreadConstraint,
  all: readonly V1TopologySpreadConstraint[],
  { spec, labels }: SchedulablePod,
  nodes: readonly V1Node[],
  on: readonly number[],
): Map<string, number> {
  const domains = new Map<string, number>();
  const own = selects(labelSelector, labels);
  for (const [index, node] of nodes.entries()) {
    const found = labelsOf(node);
    const domain = found[topologyKey];
    if (domain === undefined || all.some((constraint) => found[constraint.topologyKey] === undefined)) continue;
    const selected = lackedBy(found, spec.nodeSelector) === undefined && isInAffinity(node, spec.affinity);
    if (nodeAffinityPolicy === "Honor" && !selected) continue;
    if (nodeTaintsPolicy === "Honor" && untolerated(node, spec.tolerations ?? []) !== undefined) continue;
    domains.set(domain, (domains.get(domain) ?? 0) + (own ? (on[index] ?? 0) : 0));
  }
  return domains;
}
