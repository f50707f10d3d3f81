import { z } from "zod";
import { hostPathRoot, nodeName, storageClass, volumeSize } from "./forms";

/** Where pods keep their data: its schema. */

/** Exactly one key of a map, as JSON Schema has it. */
export const ONE_KEY = { minProperties: 1, maxProperties: 1 };

const hostPath = z
  .strictObject({
    path: hostPathRoot.describe("Root on every named node. A pod's data is in `<path>/<namespace>/<pod>`."),
    nodes: z
      .array(nodeName)
      .min(1)
      .refine((nodes) => new Set(nodes).size === nodes.length, "every node once")
      .meta({ uniqueItems: true })
      .describe("Pod number N (of each shard) belongs to node N modulo their count, for good."),
  })
  .optional()
  .describe("Directories of the nodes' own disks ([how](operations.md#hostpath-storage)).");
const pvc = z
  .strictObject({
    size: volumeSize.describe("Size of each pod's volume."),
    storageClass: storageClass
      .optional()
      .describe("Left out: the cluster's default class. Empty: volumes that were made by hand and belong to no class."),
  })
  .optional()
  .describe("Persistent volumes of the cluster.");

/** Storage of whatever must keep its data. */
export const storage = z
  .strictObject({ hostPath, pvc })
  .refine((chosen) => (chosen.hostPath === undefined) !== (chosen.pvc === undefined), "exactly one of hostPath and pvc")
  .meta({ shared: "storage", ...ONE_KEY, description: "Where each pod keeps its data." });

/** Storage of Prometheus, whose samples may be elsewhere. */
export const prometheusStorage = z
  .strictObject({
    hostPath,
    pvc,
    emptyDir: z
      .strictObject({ size: volumeSize.describe("Most that it takes; above it the kubelet evicts the pod.") })
      .optional()
      .describe(
        "Space of the node that ends with the pod, where `ingestion` is `receive`: the samples are in the ring. A pod that is moved or " +
          "deleted loses what it has not sent yet: seconds, or up to 2h while the ring is away.",
      ),
  })
  .refine(
    (chosen) => [chosen.hostPath, chosen.pvc, chosen.emptyDir].filter((each) => each !== undefined).length === 1,
    "exactly one of hostPath, pvc and emptyDir",
  )
  .meta({ shared: "storage", ...ONE_KEY, description: "Where each server keeps its samples and its write-ahead log." });
