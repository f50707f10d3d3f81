import type { StorageSettings } from "../settings/schema";
import type { Problem } from "../values/problem";

/** A workload with storage of its own, as far as the nodes of hostPath storage must fit it. */
export interface StoredWorkload {
  /** Its key in the configuration, such as `receive`. */
  key: string;
  storage: StorageSettings;
  antiAffinity: "hard" | "soft";
  /** Pods of its largest StatefulSet. */
  pods: number;
}

/** Whether hostPath storage names nodes that hold every pod, and hold it for good. Nothing for other storage. */
export function hostPathProblems({ key, storage: { hostPath }, antiAffinity, pods }: StoredWorkload): Problem[] {
  if (hostPath === undefined || hostPath.nodes.length >= pods) return [];
  const problem = { key: `${key}.storage.hostPath.nodes`, value: hostPath.nodes };
  if (antiAffinity === "hard") {
    return [
      {
        ...problem,
        rule: `${pods} pods are pinned to their data and never share a node (${key}.antiAffinity is "hard")`,
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
