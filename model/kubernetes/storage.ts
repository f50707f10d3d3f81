import type { Identity } from "./identities";
import { commonLabels, selectorLabels } from "./labels";

/** Data in a directory of a node's own disk, one directory for each namespace and pod. */
export interface HostPathStorage {
  /** Root directory on every named node, such as `/data/thanos`. The pod's data is in `<path>/<namespace>/<pod>`. */
  path: string;
  /** Nodes that hold the data; pod number N belongs to node N modulo their count, for good. */
  nodes: string[];
}

/** Data in a persistent volume that the cluster provides. */
export interface PersistentVolumeClaimStorage {
  /** Requested size, such as `50Gi`. */
  size: string;
  /** Storage class. Default: the cluster's default class. */
  storageClass?: string;
}

/** Exactly one of them; the configuration's schema holds it. */
export interface Storage {
  hostPath?: HostPathStorage;
  pvc?: PersistentVolumeClaimStorage;
}

/** The data volume of a pod whose data end with it, no larger than the given size; none for other storage. */
export function emptyVolume({ emptyDir }: { emptyDir?: { size: string } | undefined }) {
  return emptyDir === undefined ? [] : [{ name: DATA_VOLUME, emptyDir: { sizeLimit: emptyDir.size } }];
}

/** One pod's directory on one node, served to it as a persistent volume, so that the scheduler brings the pod to its data. */
export interface HostPathVolume {
  /** Name of the PersistentVolume, unique in the cluster since it holds namespace and pod. */
  name: string;
  /** The claim of the StatefulSet that this volume is for and no other. */
  claim: string;
  node: string;
  /** The pod's own directory on that node. */
  directory: string;
  /** User and group that own it: the pod's. */
  owner: number;
  labels: Record<string, string>;
}

/** The namespace, exempt from Pod Security `restricted`, in which the directories of nodes are made. */
export const exemptNamespace = (namespace: string): string => `${namespace}-volumes`;

/** Name of the volume in every StatefulSet; with the pod's name it makes the claim's name. */
export const DATA_VOLUME = "data";

/**
 * Size that is written into volumes of a node's directory. Kubernetes wants one and enforces none there:
 * the disk is what bounds them, so the claim says only that it asks for something.
 */
const HOST_PATH_CAPACITY = "1Gi";

/** Annotation of a StatefulSet with the size that its volumes are meant to have, as in the configuration. */
export const VOLUME_SIZE_ANNOTATION = "thanos-stack/volume-size";

/**
 * Metadata of a StatefulSet itself with the size of its volumes. Its pods' metadata say nothing of it: they would restart. None for
 * directories of nodes, which have no size.
 */
export function volumeSizeMetadata(storage: Storage): { annotations?: Record<string, string> } {
  return storage.pvc === undefined ? {} : { annotations: { [VOLUME_SIZE_ANNOTATION]: storage.pvc.size } };
}

/**
 * Properties of a StatefulSet that keep their value when volumes grow, for `ignoreChanges`: the size in its claim template,
 * which Kubernetes never changes. Another class, another kind of storage or other labels still replace the StatefulSet, and the
 * new one gets the size that is meant then.
 */
export function unchangedByGrowth(storage: Storage): string[] {
  return storage.pvc === undefined ? [] : ["spec.volumeClaimTemplates[0].spec.resources.requests.storage"];
}

/** Name of the claim that a StatefulSet makes for one of its pods. */
export const claimOf = (pod: string): string => `${DATA_VOLUME}-${pod}`;

/** Name of the claim that a StatefulSet makes for its pod number `ordinal`. */
export const claimName = (statefulSet: string, ordinal: number): string => claimOf(`${statefulSet}-${ordinal}`);

/** Every directory that a StatefulSet with hostPath storage needs, and the node that holds it. */
export function hostPathVolumes(
  storage: HostPathStorage,
  namespace: string,
  statefulSet: string,
  replicas: number,
  identity: Identity,
  owner: number,
): HostPathVolume[] {
  return Array.from({ length: replicas }, (_, ordinal) => ({
    name: `${namespace}-${statefulSet}-${ordinal}`,
    claim: claimName(statefulSet, ordinal),
    node: nodeOf(storage, ordinal),
    directory: `${storage.path.replace(/\/+$/, "")}/${namespace}/${statefulSet}-${ordinal}`,
    owner,
    labels: commonLabels(identity),
  }));
}

/** The directories of a StatefulSet's pods; none where its storage is not hostPath, or it has none. */
export function directoriesOf(
  set: { name: string; replicas: number; identity: Identity },
  storage: Storage | undefined,
  namespace: string,
  owner: number,
): HostPathVolume[] {
  return storage?.hostPath === undefined ? [] : hostPathVolumes(storage.hostPath, namespace, set.name, set.replicas, set.identity, owner);
}

/** The node that holds the data of pod number `ordinal`. */
export function nodeOf(storage: HostPathStorage, ordinal: number): string {
  const node = storage.nodes[ordinal % storage.nodes.length];
  if (node === undefined) throw new Error("hostPath storage names no node");
  return node;
}

/**
 * The StatefulSet's claim template. Its labels never carry a version: the template is immutable and any change replaces the StatefulSet
 * (pulumi-kubernetes #4328).
 */
export function volumeClaimTemplate(storage: Storage, identity: Identity) {
  return {
    metadata: { name: DATA_VOLUME, labels: selectorLabels(identity) },
    spec: {
      accessModes: ["ReadWriteOnce"],
      // A class that nothing serves: only the volume that was made for this very claim can be bound to it.
      ...(storage.hostPath ? { storageClassName: "" } : {}),
      ...(storage.pvc?.storageClass === undefined ? {} : { storageClassName: storage.pvc.storageClass }),
      resources: { requests: { storage: storage.pvc?.size ?? HOST_PATH_CAPACITY } },
    },
  };
}

/** Spec of the PersistentVolume of one directory: bound beforehand to one claim, kept when the claim goes, found on one node only. */
export function hostPathPersistentVolume(volume: HostPathVolume, namespace: string) {
  return {
    capacity: { storage: HOST_PATH_CAPACITY },
    accessModes: ["ReadWriteOnce"],
    persistentVolumeReclaimPolicy: "Retain",
    storageClassName: "",
    volumeMode: "Filesystem",
    claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name: volume.claim },
    // `Directory`, not `DirectoryOrCreate`: a disk that is not mounted stops the pod instead of giving it an empty, root-owned directory.
    hostPath: { path: volume.directory, type: "Directory" },
    nodeAffinity: {
      required: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [volume.node] }] }],
      },
    },
  };
}

/**
 * Retention of claims when their pods go. A volume of the cluster is kept. For a node's own disk the claim is only a pointer
 * and goes with the pod or the StatefulSet, since its volume could not be removed otherwise; the directory with the data
 * stays, and a pod that comes back finds it.
 */
export function claimRetention(storage: Storage) {
  const kept = storage.hostPath === undefined ? "Retain" : "Delete";
  return { whenDeleted: kept, whenScaled: kept };
}
