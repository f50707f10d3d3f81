import { isDeepStrictEqual } from "node:util";
import type { PodSettings } from "../settings/pods";
import { ringsOf } from "../settings/rings";
import type { Settings } from "../settings/schema";
import { receiveOf } from "../settings/scheme";
import type { Problem } from "../values/problem";
import { type ChosenPods, choicesFor } from "./choices";
import { type ComponentSettings, runningComponents } from "./components";
import { canBeOn, HOST_NAME, namedNodes, namedZones, ZONE, zonesFor } from "./nodeSelection";

/** Which nodes pods ask for, against where the plan puts them; all of it is known without a cluster. */

/** Pods of one kind, and where they must be. */
interface Placed {
  /** Who they are, as the middle of a sentence. */
  who: string;
  /** Keys that decide about their nodes, the nearest first, with their values. */
  deciding: readonly { key: string; pods: PodSettings | undefined }[];
  chosen: ChosenPods;
  /** Pods of which no two share a node, and otherwise 1. */
  apart: number;
  /** Zones in each of which some of them are. */
  eachOf: readonly string[];
  /** Nodes on which they have their directories. */
  directories: readonly string[];
}

/** Every problem of the nodes that pods ask for; empty where there can be such nodes. Each key is named once. */
export function placementProblems(settings: Settings): Problem[] {
  const found = placedPods(settings).flatMap((placed) => problemOf(placed, settings));
  return found.filter(({ key }, index) => found.findIndex((other) => other.key === key) === index);
}

function placedPods(settings: Settings): Placed[] {
  const { pods: common } = settings;
  const placed = (key: string, who: string, own: ComponentSettings): Placed => {
    const { pods, storage, replicas = 1, antiAffinity = "soft" } = own;
    return {
      who,
      deciding: [
        { key: `${key}.pods`, pods },
        { key: "pods", pods: common },
      ],
      chosen: choicesFor(settings, { pods }).pods,
      apart: antiAffinity === "hard" ? replicas : 1,
      eachOf: [],
      directories: storage?.hostPath?.nodes.slice(0, replicas) ?? [],
    };
  };
  const receive = receiveOf(settings);
  const rings = (receive === undefined ? [] : ringsOf(receive, settings)).map((ring) => ({
    ...placed(ring.key, `receivers of ring ${ring.name}`, ring),
    deciding: [
      ...(ring.key === "receive" ? [] : [{ key: `${ring.key}.pods`, pods: ringPods(ring.key, receive) }]),
      { key: "receive.pods", pods: receive?.pods },
      { key: "pods", pods: common },
    ],
    eachOf: ring.zones,
  }));
  return runningComponents(settings).flatMap(({ name, key, who, own }) => (name === "receive" ? rings : [placed(key, who, own)]));
}

const ringPods = (key: string, receive: Settings["receive"]): PodSettings | undefined =>
  receive?.hashrings.find((_, index) => key === `receive.hashrings[${index}]`)?.pods;

/** The first thing that is wrong with where pods ask to be. */
function problemOf(placed: Placed, { cluster }: Settings): Problem[] {
  const { who, chosen, apart, eachOf, directories } = placed;
  const wrong = (labels: Readonly<Record<string, string>>, rule: string, remedy: string): Problem[] => [
    { ...culprit(placed, labels), rule, remedy },
  ];
  if (!canBeOn(chosen, {}, "any"))
    return wrong({}, `no node can be all of this at once, so that ${who} would stay Pending`, "requirements that one node can satisfy");
  if (!canBeOn(chosen)) return wrong({}, `images of ${who} are for Linux`, "nodes with kubernetes.io/os=linux, or any");
  const unknown = cluster.zones.length === 0 ? [] : namedZones(chosen).filter((zone) => !cluster.zones.includes(zone));
  if (unknown.length > 0)
    return wrong(
      { [ZONE]: "" },
      `${unknown.join(", ")} is none of cluster.zones, for which it is proven what survives a loss`,
      `some of ${cluster.zones.join(", ")}`,
    );
  const shut = eachOf.filter((zone) => !canBeOn(chosen, { [ZONE]: zone }));
  if (shut.length > 0)
    return wrong(
      { [ZONE]: shut[0] ?? "" },
      `${who} are set into each of the zones ${eachOf.join(", ")}, and this keeps them out of ${shut.join(", ")}: they would stay Pending`,
      `nothing that keeps them out of a zone of their ring, or another receive.hashrings[].zones or cluster.zones`,
    );
  if (cluster.zones.length > 0 && zonesFor(chosen, cluster.zones).length === 0)
    return wrong(
      { [ZONE]: cluster.zones[0] ?? "" },
      `this keeps ${who} out of every zone of cluster.zones`,
      `some of ${cluster.zones.join(", ")}`,
    );
  const away = directories.filter((node) => !canBeOn(chosen, { [HOST_NAME]: node }));
  if (away.length > 0)
    return wrong(
      { [HOST_NAME]: away[0] ?? "" },
      `${who} have their directories on ${away.join(", ")} (storage.hostPath.nodes), and this keeps them away from there: they would stay Pending`,
      "nothing that keeps them from the nodes of their directories",
    );
  const nodes = namedNodes(chosen);
  const needed = Math.max(apart, eachOf.length);
  if (nodes !== undefined && nodes.length < needed)
    return wrong(
      { [HOST_NAME]: "" },
      `${who} need ${needed} nodes (${apart >= eachOf.length ? "antiAffinity is hard" : "one in each zone"}), and this names ${nodes.length}: the others would stay Pending`,
      `${needed} nodes or more${apart > 1 && eachOf.length <= 1 ? ', or antiAffinity "soft"' : ""}`,
    );
  return [];
}

/**
 * The key that keeps pods from nodes with these labels: the selector where that alone does, otherwise the affinity.
 */
function culprit({ deciding, chosen }: Placed, labels: Readonly<Record<string, string>>): { key: string; value: unknown } {
  const from = (name: "nodeSelector" | "affinity") => deciding.find(({ pods }) => pods?.[name] !== undefined)?.key ?? "pods";
  const { nodeSelector, affinity } = chosen;
  const [asked] = Object.keys(labels);
  if (asked !== undefined && nodeSelector?.[asked] !== undefined && !canBeOn({ nodeSelector }, labels))
    return { key: `${from("nodeSelector")}.nodeSelector.${asked}`, value: nodeSelector[asked] };
  const alone = !canBeOn({ nodeSelector }, labels) && canBeOn({ affinity }, labels);
  if (alone || affinity?.nodeAffinity === undefined || isDeepStrictEqual(affinity.nodeAffinity, {}))
    return { key: `${from("nodeSelector")}.nodeSelector`, value: nodeSelector };
  return {
    key: `${from("affinity")}.affinity.nodeAffinity`,
    value: affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution,
  };
}
