import type { StorageSettings } from "../settings/schema";
import type { Problem } from "../values/problem";
import { quantityBytes } from "../values/quantity";

/** A workload with storage of its own, as far as the nodes of hostPath storage must fit it. */
export interface StoredWorkload {
  /** Its key in the configuration, such as `receive`. */
  key: string;
  /** The key of its anti-affinity, where that is elsewhere. */
  antiAffinityKey?: string;
  storage: StorageSettings;
  antiAffinity: "hard" | "soft";
  /** Pods of its largest StatefulSet. */
  pods: number;
}

/** Whether hostPath storage names nodes that hold every pod, and hold it for good. Nothing for other storage. */
export function hostPathProblems({ key, antiAffinityKey, storage: { hostPath }, antiAffinity, pods }: StoredWorkload): Problem[] {
  if (hostPath === undefined || hostPath.nodes.length >= pods) return [];
  const problem = { key: `${key}.storage.hostPath.nodes`, value: hostPath.nodes };
  if (antiAffinity === "hard") {
    return [
      {
        ...problem,
        rule: `${pods} pods are pinned to their data and never share a node (${antiAffinityKey ?? `${key}.antiAffinity`} is "hard")`,
        remedy: `at least ${pods} nodes, or antiAffinity "soft"`,
      },
    ];
  }
  if (hostPath.nodes.length === 1) return [];
  return [
    {
      ...problem,
      rule: `${pods} pods in turn over fewer nodes: another node in the list would move pods away from their data`,
      remedy: `one node, or at least ${pods}`,
    },
  ];
}

/**
 * How much of a volume blocks may fill: the log, the head's chunks and a block that is being compacted need the rest (prometheus
 * docs/storage.md, "Right-Sizing Retention Size").
 */
const LARGEST_PART = 0.85;

/**
 * Whether retention by size cuts before the volume is full. Nothing for directories of nodes, whose size nobody knows.
 *
 * @param key Of the component, such as `receive`.
 */
export function retentionFitsVolume(
  key: string,
  {
    storage,
    retention,
  }: { storage: { pvc?: { size: string } | undefined; emptyDir?: { size: string } | undefined }; retention: { size?: string | undefined } },
): Problem[] {
  const volume = storage.pvc?.size ?? storage.emptyDir?.size;
  if (volume === undefined || retention.size === undefined) return [];
  if (quantityBytes(retention.size) <= LARGEST_PART * quantityBytes(volume)) return [];
  const most = Math.floor((LARGEST_PART * quantityBytes(volume)) / 2 ** 20);
  const least = Math.ceil(quantityBytes(retention.size) / LARGEST_PART / 2 ** 30);
  return [
    {
      key: `${key}.retention.size`,
      value: retention.size,
      rule: `of a volume of ${volume} blocks may fill ${100 * LARGEST_PART} %, since the log and compaction need the rest: this size would not cut before the volume is full`,
      remedy: `${most}Mi or less, a volume of ${least}Gi or more, or no size (retention.time then decides alone)`,
    },
  ];
}
