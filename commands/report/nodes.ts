import type { V1Node, V1NodeSelectorTerm, V1PodSpec } from "@kubernetes/client-node";
import { messageOf, type Transport } from "../../clients/transport";
import { mostInZone } from "../../model/availability/left";
import { matchesTerm, ZONE, zonesFor } from "../../model/kubernetes/nodeSelection";
import {
  fields,
  isForDirectory,
  isLasting,
  kindOf,
  labelsOf,
  list,
  objectName,
  type PolicyResource,
  podOf,
  text,
} from "../../policy/resources";
import { mapIn } from "../engineConfig";
import { podCount } from "./podCount";
import { obstacle, type Placement, placement, type SchedulablePod } from "./scheduling";

/**
 * Whether the cluster has the nodes that a plan counts on: those with the labels that its pods ask for and without a taint that they don't
 * bear. What survives a loss is proven for such nodes, and no preview of the engine looks at them.
 */

/** Finding on the cluster's nodes. */
export interface NodeFinding {
  /** Pods that would stay Pending, and those of which one zone would have more than was planned with. */
  warnings: string[];
  /** Why that is not known. */
  notes: string[];
}

/**
 * Asks the API server for the nodes, and sets what the plan's pods ask for against them.
 *
 * @param zones Those that the plan counts on ({@link plannedZones}).
 */
export async function nodeFinding(
  resources: readonly PolicyResource[],
  zones: readonly string[],
  api: () => Transport | Promise<Transport>,
): Promise<NodeFinding> {
  try {
    const nodes = await nodesOf(await api());
    return { warnings: [...pendingPods(resources, nodes), ...crowdedZones(resources, zones, nodes)], notes: [] };
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

/** `cluster.zones` of a configuration as a preview has it, in which maps are JSON; none where it says nothing of them. */
export function plannedZones(config: Readonly<Record<string, string>>): string[] {
  const { zones } = mapIn(config, "cluster");
  return Array.isArray(zones) ? zones.map(String) : [];
}

/** Pods that would stay Pending for want of a node, a line for each reason; nothing of resources, which other pods take too. */
export function pendingPods(resources: readonly PolicyResource[], nodes: readonly V1Node[]): string[] {
  const byReason = new Map<string, string[]>();
  for (const resource of resources) {
    for (const { pods, reason } of [...unplaced(resource, resources, nodes), ...misplaced(resource, resources, nodes)]) {
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

/** Where a workload's pods find nodes, where the scheduler may choose these; undefined for others. */
function placementOf(
  resource: PolicyResource,
  resources: readonly PolicyResource[],
  nodes: readonly V1Node[],
): (Placement & { wanted: number; pod: SchedulablePod }) | undefined {
  if (!isLasting(resource) || hasDirectories(resource)) return undefined;
  const pod = schedulable(resource, resources);
  if (pod === undefined) return undefined;
  const others = resources.flatMap((other) => (other === resource ? [] : (schedulable(other, resources) ?? [])));
  const wanted = podCount(resource, resources).least;
  return { ...placement(wanted, pod, others, nodes), wanted, pod };
}

function schedulable(resource: PolicyResource, resources: readonly PolicyResource[]): SchedulablePod | undefined {
  const pod = podOf(resource);
  if (pod === undefined) return undefined;
  const { namespace, labels } = pod;
  const made = resources.find((other) => kindOf(other) === "Namespace" && objectName(other) === namespace);
  const namespaceLabels = { ...(made && labelsOf(fields(made.inputs, "metadata"))), "kubernetes.io/metadata.name": namespace };
  return { namespace, namespaceLabels, labels, spec: pod.spec as Partial<V1PodSpec> };
}

/** Pods of a workload for which no node is left. */
function unplaced(resource: PolicyResource, resources: readonly PolicyResource[], nodes: readonly V1Node[]): Unplaced[] {
  const found = placementOf(resource, resources, nodes);
  if (found === undefined || found.placed === found.wanted) return [];
  const { placed, wanted, reasons } = found;
  const why = [...reasons].map(([reason, count]) => `${count} ${reason}`).join("; ");
  const taken =
    placed === 0 ? `0 of the cluster's ${nodes.length} nodes can take them` : `none of the cluster's ${nodes.length} nodes takes one more`;
  return [{ pods: `${wanted - placed} of ${wanted} pods of ${objectName(resource)}`, reason: `${taken}${why === "" ? "" : ` (${why})`}` }];
}

/**
 * Workloads of which one zone would have more pods than the plan counts with, a line each: they run, and with that zone more is lost than
 * is promised.
 *
 * @param zones Those that the plan counts on.
 */
export function crowdedZones(resources: readonly PolicyResource[], zones: readonly string[], nodes: readonly V1Node[]): string[] {
  return resources.flatMap((resource) => {
    const found = placementOf(resource, resources, nodes);
    if (found === undefined || found.placed < found.wanted) return [];
    const { pod, on, wanted } = found;
    const isSpread = pod.spec.topologySpreadConstraints?.some(
      ({ topologyKey, whenUnsatisfiable }) => topologyKey === ZONE && whenUnsatisfiable === "DoNotSchedule",
    );
    const planned = zonesFor(pod.spec as Parameters<typeof zonesFor>[0], zones);
    if (isSpread !== true || planned.length === 0) return [];
    const perZone = new Map<string, number>();
    for (const [index, { metadata }] of nodes.entries()) {
      const zone = metadata?.labels?.[ZONE];
      if (zone !== undefined) perZone.set(zone, (perZone.get(zone) ?? 0) + (on[index] ?? 0));
    }
    const [fullest, most] = [...perZone].reduce((worst, each) => (each[1] > worst[1] ? each : worst), ["", 0]);
    if (most <= mostInZone(wanted, planned.length)) return [];
    const able = [
      ...new Set(nodes.flatMap((node) => (obstacle(node, pod.spec) === undefined ? (node.metadata?.labels?.[ZONE] ?? []) : []))),
    ];
    return [
      `Less is survived than planned: ${most} of ${wanted} pods of ${objectName(resource)} would be in zone ${fullest}: of the zones ` +
        `${planned.join(", ")} only ${able.sort().join(", ")} ${able.length === 1 ? "has" : "have"} nodes that can take them`,
    ];
  });
}

/** Pods whose directory is on a node that isn't there or doesn't take them. */
function misplaced(resource: PolicyResource, resources: readonly PolicyResource[], nodes: readonly V1Node[]): Unplaced[] {
  const pod = podOf(resource);
  if (pod === undefined || !hasDirectories(resource)) return [];
  const spec = pod.spec as Partial<V1PodSpec>;
  return Array.from({ length: podCount(resource, resources).least }, (_, ordinal) => `${objectName(resource)}-${ordinal}`).flatMap(
    (name) => {
      const volume = resources.find(
        (other) =>
          kindOf(other) === "PersistentVolume" && text(fields(fields(other.inputs, "spec"), "claimRef"), "name") === `data-${name}`,
      );
      const required = fields(fields(fields(volume?.inputs, "spec"), "nodeAffinity"), "required") as {
        nodeSelectorTerms?: V1NodeSelectorTerm[];
      };
      if (required.nodeSelectorTerms === undefined) return [];
      const holders = nodes.filter((node) => required.nodeSelectorTerms?.some((term) => matchesTerm(node.metadata ?? {}, term)));
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
    },
  );
}

const hasDirectories = ({ inputs }: PolicyResource): boolean => list(fields(inputs, "spec"), "volumeClaimTemplates").some(isForDirectory);
