import type {
  KubernetesObject,
  V1ConfigMap,
  V1Deployment,
  V1PersistentVolumeClaim,
  V1PersistentVolumeClaimList,
  V1Pod,
  V1PodList,
  V1Secret,
  V1StatefulSet,
  V1StorageClass,
} from "@kubernetes/client-node";
import type { ClusterAddress } from "../clients/apiServer";
import type { Cluster } from "../clients/cluster";
import { type ExposedSample, parseExposition } from "../clients/exposition";
import { podTrouble } from "../clients/podTrouble";
import { serverVersion } from "../clients/serverVersion";
import { ForbiddenError, type HttpRequest } from "../clients/transport";
import type { FoundNamespace } from "../model/kubernetes/existingNamespace";
import { OWN_LABEL } from "../model/kubernetes/labels";
import { HTTP_PORT } from "../model/kubernetes/ports";
import { DATA_VOLUME } from "../model/kubernetes/storage";
import type { IssuedCertificate } from "../model/tls/ends";

/** Readings of the running cluster by the gates of an ordered change. */
export interface ClusterView {
  /**
   * Why the pod is not Ready, as Kubernetes says it (`not scheduled: 0/3 nodes are available: …`); undefined when it is, and isn't ending.
   */
  podTrouble(pod: string): Promise<string | undefined>;
  /** Pods of a StatefulSet that have been Ready for its `minReadySeconds`. */
  availableReplicas(statefulSet: string): Promise<number>;
  /** Image of a StatefulSet's first container; empty where there is none of that name. */
  image(statefulSet: string): Promise<string>;
  /** Names of the stack's running pods with these labels. */
  pods(labels: Record<string, string>): Promise<string[]>;
  /** Text of a key of a ConfigMap. */
  configMapText(name: string, key: string): Promise<string>;
  /** Every sample of a receiver's `/metrics`, of one moment. */
  metrics(pod: string): Promise<ExposedSample[]>;
  /** Sum of a metric's samples at a receiver's `/metrics`, over the samples with these labels. */
  metric(pod: string, name: string, labels?: Record<string, string>): Promise<number>;
}

/** Readings of a namespace that somebody else made. */
export interface NamespaceView {
  /** The namespace; undefined where there is none of its name. */
  namespace(): Promise<FoundNamespace | undefined>;
}

/** A StatefulSet as it is applied, as far as the gates look into it. */
export interface AppliedStatefulSet {
  metadata: { name: string };
  spec: {
    replicas: number;
    updateStrategy?: object;
    template: { spec: { containers: readonly { name: string; image: string; args?: readonly string[] }[] } };
  };
}

/** Write to the receivers by the gate of a shrinking ring. Apart from the view, so that whatever only waits can't do it. */
export interface StatefulSetApplying {
  /**
   * Applies a whole StatefulSet on the server as a field manager that applied it before, so that whatever this
   * manager applies next takes all of it back.
   */
  applyStatefulSet(statefulSet: AppliedStatefulSet, fieldManager: string): Promise<void>;
}

/** Reading of a StatefulSet that is to have no pod. */
export interface EndingView {
  /** Its pods that there still are, those that are ending too, and whoever has not seen yet that it is to have none. */
  remains(statefulSet: string): Promise<string[]>;
}

/** A Deployment as it is applied, as far as the gates look into it. */
export interface AppliedDeployment {
  metadata: { name: string };
  spec: { replicas?: number };
}

/** The API by which the gates of an autoscaled Deployment ask the cluster and change it. */
export interface ReplicasView {
  /** Pods of a Deployment that have been Ready for its `minReadySeconds`. */
  availablePods(deployment: string): Promise<number>;
  /** Applies a Deployment, or a part of one, on the server, by force. */
  applyDeployment(deployment: AppliedDeployment, fieldManager: string): Promise<void>;
  /** Removes what scales a Deployment, if there is anything of its name. */
  removeAutoscaler(deployment: string): Promise<void>;
}

/** A claim of a StatefulSet's pod, as far as its size goes. Sizes are Kubernetes quantities. */
export interface Claim {
  name: string;
  /** `Bound` when it has its volume. */
  phase: string;
  /** Absent for a volume that was made by hand and belongs to no class. */
  storageClass?: string;
  /** Size that it asks for. */
  requested: string;
  /** Size of its volume; absent until it is bound. */
  capacity?: string;
  /** State of a resize, in Kubernetes' words; empty when none is going on. */
  resize: string[];
}

/** Terms of a storage class for growing its volumes. */
export interface VolumeClass {
  provisioner: string;
  allowsExpansion: boolean;
}

/** Readings of the gates of growing volumes. */
export interface ClaimView {
  /** Every claim that a StatefulSet has made, those of pods that are gone included, in the pods' order. */
  claims(statefulSet: string): Promise<Claim[]>;
  /** A storage class; undefined where there is none of that name. */
  volumeClass(name: string): Promise<VolumeClass | undefined>;
}

/** Writes to the cluster by the gates of growing volumes. */
export interface ClaimGrowth {
  /** Lets a claim ask for another size. */
  requestSize(claim: string, size: string): Promise<void>;
}

/** Reading of a cluster before anything in it is changed. */
export interface VersionView {
  /** Version of its API server, such as `v1.36.3`. */
  kubernetesVersion(): Promise<string>;
}

/** Readings of certificates that others have made. */
export interface CertificateView {
  /** A Secret; undefined where there is none of that name. */
  secret(name: string): Promise<V1Secret | undefined>;
  /** A `Certificate` of cert-manager; undefined where there is none of that name, or no cert-manager. */
  certificate(name: string): Promise<IssuedCertificate | undefined>;
}

/** Everything that is asked of a cluster, and done to it. */
export type WholeView = NamespaceView &
  CertificateView &
  ClusterView &
  StatefulSetApplying &
  EndingView &
  ReplicasView &
  ClaimView &
  ClaimGrowth &
  VersionView;

/** A namespace of a cluster, as the gates see it and act on it. */
export function clusterView(address: ClusterAddress, namespace: string): WholeView {
  return clusterBehind(() => {
    // Half of what a preview would load, and a preview asks for none of it.
    const { connectCluster } = require("../clients/cluster") as typeof import("../clients/cluster");
    return connectCluster(address);
  }, namespace);
}

/** The same of a cluster that is reached in a given way, when it is first asked. */
export function clusterBehind(connect: () => Pick<Cluster, "api" | "pod">, namespace: string): WholeView {
  let connected: ReturnType<typeof connect> | undefined;
  const reached = (): ReturnType<typeof connect> => {
    connected ??= connect();
    return connected;
  };
  const ask = async (request: HttpRequest): Promise<string> => {
    const { api } = reached();
    const answer = await api.send(request);
    if (answer.status === 404) return "";
    if (answer.status >= 300) {
      const what = request.method === "GET" ? request.path : `${request.method} ${request.path}`;
      const text = `${api.description} answered ${answer.status} to ${what}: ${answer.body.slice(0, 300)}`;
      throw answer.status === 403 ? new ForbiddenError(text) : new Error(text);
    }
    return answer.body;
  };
  const get = (path: string): Promise<string> => ask({ method: "GET", path });
  const core = `/api/v1/namespaces/${namespace}`;
  const metrics = async (pod: string): Promise<ExposedSample[]> => {
    const answer = await reached().pod({ namespace, name: pod, port: HTTP_PORT }).send({ method: "GET", path: "/metrics" });
    if (answer.status !== 200) throw new Error(`${pod} answered ${answer.status} to /metrics`);
    return parseExposition(answer.body);
  };
  /** Applies a workload of the namespace, whole or in part, as a field manager, by force. */
  const apply = async (plural: string, kind: string, object: { metadata: { name: string } }, fieldManager: string): Promise<void> => {
    const query = new URLSearchParams({ fieldManager, force: "true", fieldValidation: "Strict" });
    const path = `/apis/apps/v1/namespaces/${namespace}/${plural}/${object.metadata.name}?${query}`;
    // JSON is YAML.
    const headers = { "content-type": "application/apply-patch+yaml" };
    await ask({ method: "PATCH", path, headers, body: JSON.stringify({ apiVersion: "apps/v1", kind, ...object }) });
  };
  const statefulSet = async (name: string): Promise<V1StatefulSet | undefined> => {
    const text = await get(`/apis/apps/v1/namespaces/${namespace}/statefulsets/${name}`);
    return text === "" ? undefined : (JSON.parse(text) as V1StatefulSet);
  };
  return {
    async namespace() {
      const text = await get(core);
      return text === "" ? undefined : (JSON.parse(text) as { metadata: FoundNamespace }).metadata;
    },
    async podTrouble(pod) {
      const text = await get(`${core}/pods/${pod}`);
      return text === "" ? "there is no such pod" : podTrouble(JSON.parse(text) as V1Pod);
    },
    async availableReplicas(name) {
      return (await statefulSet(name))?.status?.availableReplicas ?? 0;
    },
    async image(name) {
      return (await statefulSet(name))?.spec?.template.spec?.containers[0]?.image ?? "";
    },
    async pods(labels) {
      const selector = Object.entries({ ...labels, ...OWN_LABEL })
        .map(([label, value]) => `${label}=${value}`)
        .join(",");
      const { items } = JSON.parse(await get(`${core}/pods?labelSelector=${encodeURIComponent(selector)}`)) as V1PodList;
      return items.filter((pod) => pod.status?.phase === "Running" && pod.metadata?.deletionTimestamp === undefined).map(nameOf);
    },
    async configMapText(name, key) {
      const text = await get(`${core}/configmaps/${name}`);
      return text === "" ? "" : ((JSON.parse(text) as V1ConfigMap).data?.[key] ?? "");
    },
    metrics,
    async metric(pod, name, labels = {}) {
      return (await metrics(pod))
        .filter((sample) => sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
        .reduce((sum, sample) => sum + sample.value, 0);
    },
    async applyStatefulSet(statefulSet, fieldManager) {
      await apply("statefulsets", "StatefulSet", statefulSet, fieldManager);
    },
    async remains(name) {
      const set = await statefulSet(name);
      if (set === undefined) return [];
      const { items } = JSON.parse(await get(`${core}/pods`)) as V1PodList;
      const pods = items.filter(({ metadata }) => metadata?.ownerReferences?.some(({ uid }) => uid === set.metadata?.uid));
      const seen = set.status?.observedGeneration === set.metadata?.generation && (set.status?.replicas ?? 0) === 0;
      return [...pods.map(nameOf), ...(seen ? [] : [`word from the controller of ${name}`])];
    },
    async availablePods(name) {
      const text = await get(`/apis/apps/v1/namespaces/${namespace}/deployments/${name}`);
      return text === "" ? 0 : ((JSON.parse(text) as V1Deployment).status?.availableReplicas ?? 0);
    },
    async applyDeployment(deployment, fieldManager) {
      await apply("deployments", "Deployment", deployment, fieldManager);
    },
    async removeAutoscaler(name) {
      await ask({ method: "DELETE", path: `/apis/autoscaling/v2/namespaces/${namespace}/horizontalpodautoscalers/${name}` });
    },
    async claims(statefulSet) {
      const { items } = JSON.parse(await get(`${core}/persistentvolumeclaims`)) as V1PersistentVolumeClaimList;
      const prefix = `${DATA_VOLUME}-${statefulSet}-`;
      return items
        .filter((claim) => nameOf(claim).startsWith(prefix) && /^\d+$/.test(nameOf(claim).slice(prefix.length)))
        .sort((a, b) => Number(nameOf(a).slice(prefix.length)) - Number(nameOf(b).slice(prefix.length)))
        .map(claimOf);
    },
    async volumeClass(name) {
      const text = await get(`/apis/storage.k8s.io/v1/storageclasses/${name}`);
      if (text === "") return undefined;
      const { provisioner, allowVolumeExpansion } = JSON.parse(text) as V1StorageClass;
      return { provisioner, allowsExpansion: allowVolumeExpansion === true };
    },
    async requestSize(claim, size) {
      const path = `${core}/persistentvolumeclaims/${claim}`;
      const body = JSON.stringify({ spec: { resources: { requests: { storage: size } } } });
      const answer = await ask({ method: "PATCH", path, headers: { "content-type": "application/merge-patch+json" }, body });
      if (answer === "") throw new Error(`there is no claim ${claim}`);
    },
    async secret(name) {
      const text = await get(`${core}/secrets/${name}`);
      return text === "" ? undefined : (JSON.parse(text) as V1Secret);
    },
    async certificate(name) {
      const text = await get(`/apis/cert-manager.io/v1/namespaces/${namespace}/certificates/${name}`);
      if (text === "") return undefined;
      const { spec, status } = JSON.parse(text) as { spec?: { issuerRef?: unknown }; status?: { notAfter?: string } };
      return { issuer: spec?.issuerRef, notAfter: status?.notAfter };
    },
    async kubernetesVersion() {
      return serverVersion(reached().api);
    },
  };
}

/** Those of the pods that are not Ready, each with the reason. */
export async function troubled(cluster: ClusterView, pods: readonly string[]): Promise<string[]> {
  const troubles = await Promise.all(pods.map(async (pod) => ({ pod, trouble: await cluster.podTrouble(pod) })));
  return troubles.flatMap(({ pod, trouble }) => (trouble === undefined ? [] : [`${pod} (${trouble})`]));
}

/** Whatever the API server answers with has a name. */
const nameOf = ({ metadata }: KubernetesObject): string => metadata?.name ?? "";

function claimOf(claim: V1PersistentVolumeClaim): Claim {
  const { spec, status } = claim;
  const conditions = (status?.conditions ?? []).filter((condition) => condition.status === "True");
  return {
    name: nameOf(claim),
    phase: status?.phase ?? "Pending",
    ...(spec?.storageClassName ? { storageClass: spec.storageClassName } : {}),
    requested: spec?.resources?.requests?.storage ?? "0",
    ...(status?.capacity?.storage === undefined ? {} : { capacity: status.capacity.storage }),
    resize: [
      ...(status?.allocatedResourceStatuses?.storage === undefined ? [] : [status.allocatedResourceStatuses.storage]),
      ...conditions.map(({ type, message }) => (message === undefined || message === "" ? type : `${type}: ${message}`)),
    ],
  };
}
