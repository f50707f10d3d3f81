import type { FieldChange } from "../protocol/changes";
import { at, Unknown, type ValueMap } from "../protocol/values";
import type { ApiError, Cause } from "./api";
import type { Kind } from "./discovery";

/** Modes of the provider in which an object's data is changed in place. */
export interface Mutability {
  configMaps: boolean;
  secrets: boolean;
}

/**
 * Fields that only a new object can have, by group and kind. It is the official provider's table
 * (pulumi-kubernetes, provider/pkg/provider/diff.go), for all versions of a group.
 */
const forcedNew: Readonly<Record<string, readonly string[]>> = {
  "apps/StatefulSet": [
    "spec.podManagementPolicy",
    "spec.revisionHistoryLimit",
    "spec.selector",
    "spec.serviceName",
    "spec.volumeClaimTemplates",
  ],
  "apps/Deployment": ["spec.selector"],
  "apps/DaemonSet": ["spec.selector"],
  "apps/ReplicaSet": ["spec.selector"],
  "batch/Job": ["spec.completions", "spec.selector", "spec.template"],
  "/PersistentVolumeClaim": ["spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName"],
  "/PersistentVolume": [
    "spec.awsElasticBlockStore",
    "spec.azureDisk",
    "spec.azureFile",
    "spec.cephfs",
    "spec.cinder",
    "spec.csi",
    "spec.fc",
    "spec.flexVolume",
    "spec.flocker",
    "spec.gcePersistentDisk",
    "spec.glusterfs",
    "spec.hostPath",
    "spec.iscsi",
    "spec.local",
    "spec.nfs",
    "spec.photonPersistentDisk",
    "spec.portworxVolume",
    "spec.quobyte",
    "spec.rbd",
    "spec.scaleIO",
    "spec.storageos",
    "spec.vsphereVolume",
  ],
  "/Service": ["spec.clusterIP"],
  "rbac.authorization.k8s.io/RoleBinding": ["roleRef"],
  "rbac.authorization.k8s.io/ClusterRoleBinding": ["roleRef"],
  "storage.k8s.io/StorageClass": ["allowedTopologies", "parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"],
};

function isUnder(path: readonly (string | number)[], prefix: readonly string[]): boolean {
  return prefix.length <= path.length && prefix.every((key, index) => String(path[index]) === key);
}

/** A change at a whole subtree touches every field in it. */
function touches(path: readonly (string | number)[], field: string): boolean {
  const keys = field.split(".");
  return isUnder(path, keys) || (path.length < keys.length && path.every((key, index) => String(key) === keys[index]));
}

function dataFields({ group, kind }: Kind, oldInputs: ValueMap, mutability: Mutability): readonly string[] {
  if (group !== "" || (kind !== "ConfigMap" && kind !== "Secret")) {
    return [];
  }
  const fields = kind === "ConfigMap" ? ["data", "binaryData"] : ["data", "stringData"];
  if (at(oldInputs, "immutable") === true) {
    return [...fields, "immutable", ...(kind === "Secret" ? ["type"] : [])];
  }
  const inPlace = kind === "ConfigMap" ? mutability.configMaps : mutability.secrets;
  return [...(inPlace ? [] : fields), ...(kind === "Secret" ? ["type"] : [])];
}

/** Whether the rules alone, without asking the API server, demand a new object for a change. */
export function isForcedNew(kind: Kind, change: FieldChange, oldInputs: ValueMap, mutability: Mutability): boolean {
  const fields = [
    "metadata.name",
    "metadata.namespace",
    "metadata.generateName",
    ...(forcedNew[`${kind.group}/${kind.kind}`] ?? []),
    ...dataFields(kind, oldInputs, mutability),
  ];
  return fields.some((field) => touches(change.path, field));
}

// The words in which kube-apiserver's validation says that a stored field cannot be changed: apimachinery's FieldImmutableErrorMsg, and the
// messages of the strategies of StatefulSet, Pod, Service, PVC, PV, RBAC, StorageClass and CEL transition rules.
const immutable =
  /immutable|may not (?:be changed|change|be updated|update)|cannot (?:be changed|change)|updates? to .* (?:are|is) forbidden|updates to .* for fields other than|fields other than .* (?:are|is) forbidden|is forbidden after|once (?:set|created)/i;

/** Those of a refusal's causes that say a stored field cannot be changed; empty when the refusal is about anything else. */
export function immutableCauses(error: ApiError): Cause[] {
  return error.code === 422 ? error.causes.filter(({ reason, message }) => reason.startsWith("FieldValue") && immutable.test(message)) : [];
}

/** Keys of a field path in the API server's notation: `spec.template.spec.containers[0].image`, `metadata.labels[a.b/c]`. */
export function fieldKeys(field: string): string[] {
  return [...field.matchAll(/\[([^\]]*)\]|([^.[\]]+)/g)].map(([, index, key]) => index ?? key ?? "").filter((key) => key !== "<nil>");
}

function startsWith(path: readonly (string | number)[], keys: readonly string[]): boolean {
  return keys.length <= path.length && keys.every((key, index) => key === "*" || key === String(path[index]));
}

/** The fields a refusal exempts: "updates to statefulset spec for fields other than 'replicas', 'template' … are forbidden". */
function exempt({ field, message }: Cause): string[][] {
  const [, listed = ""] = /fields other than (.*)$/s.exec(message) ?? [];
  const names = [...listed.matchAll(/['`]([\w.*[\]]+)['`]/g)].map(([, name = ""]) => fieldKeys(name));
  // Some messages name them from the root of the object, some from the refused field.
  return names.flatMap((name) => [name, [...fieldKeys(field), ...name]]);
}

/** Whether a refusal of the API server is about a change: it is at, below or above the field the refusal names, and not exempted by it. */
export function isRefused(change: FieldChange, causes: readonly Cause[]): boolean {
  return causes.some((cause) => {
    const keys = fieldKeys(cause.field);
    const shared = keys.slice(0, Math.min(keys.length, change.path.length));
    return startsWith(change.path, shared) && !exempt(cause).some((path) => startsWith(change.path, path));
  });
}

/** Whether an object that replaces another would need its name, so that the other has to go first. */
export function sharesName(oldInputs: ValueMap, newInputs: ValueMap): boolean {
  const same = (key: string) => {
    const old = at(oldInputs, "metadata", key);
    const now = at(newInputs, "metadata", key);
    return now instanceof Unknown || old === now;
  };
  return at(newInputs, "metadata", "name") !== undefined && same("name") && same("namespace");
}
