import { parseExposition } from "../clients/exposition";
import { apiServerTransport, type ClusterAddress, loadKubeConfig, podProxyTransport } from "../clients/serviceProxy";
import type { Transport } from "../clients/transport";
import { HTTP_PORT } from "../model/hashring";

/** What the gates of an ordered change read from the running cluster. They change nothing. */
export interface ClusterView {
  /** Whether the pod exists and is Ready. */
  podReady(pod: string): Promise<boolean>;
  /** Pods of a StatefulSet that have been Ready for its `minReadySeconds`. */
  availableReplicas(statefulSet: string): Promise<number>;
  /** Names of the running pods with these labels. */
  pods(labels: Record<string, string>): Promise<string[]>;
  /** Text of a key of a ConfigMap. */
  configMapText(name: string, key: string): Promise<string>;
  /** Sum of a metric's samples at a receiver's `/metrics`, over the samples with these labels. */
  metric(pod: string, name: string, labels?: Record<string, string>): Promise<number>;
}

interface PodObject {
  metadata: { name: string; deletionTimestamp?: string };
  status?: { phase?: string; conditions?: { type: string; status: string }[] };
}

/** Reads a namespace of a cluster. */
export function clusterView(address: ClusterAddress, namespace: string): ClusterView {
  let api: Transport | undefined;
  const get = async (path: string): Promise<string> => {
    api ??= apiServerTransport(loadKubeConfig(address));
    const answer = await api.send({ method: "GET", path });
    if (answer.status === 404) return "";
    if (answer.status >= 300) throw new Error(`${api.description} answered ${answer.status} to ${path}: ${answer.body.slice(0, 300)}`);
    return answer.body;
  };
  const core = `/api/v1/namespaces/${namespace}`;
  return {
    async podReady(pod) {
      const text = await get(`${core}/pods/${pod}`);
      if (text === "") return false;
      const { metadata, status } = JSON.parse(text) as PodObject;
      return (
        metadata.deletionTimestamp === undefined &&
        (status?.conditions ?? []).some(({ type, status: is }) => type === "Ready" && is === "True")
      );
    },
    async availableReplicas(statefulSet) {
      const text = await get(`/apis/apps/v1/namespaces/${namespace}/statefulsets/${statefulSet}`);
      return text === "" ? 0 : ((JSON.parse(text) as { status?: { availableReplicas?: number } }).status?.availableReplicas ?? 0);
    },
    async pods(labels) {
      const selector = Object.entries(labels)
        .map(([label, value]) => `${label}=${value}`)
        .join(",");
      const { items } = JSON.parse(await get(`${core}/pods?labelSelector=${encodeURIComponent(selector)}`)) as { items: PodObject[] };
      return items
        .filter((pod) => pod.status?.phase === "Running" && pod.metadata.deletionTimestamp === undefined)
        .map((pod) => pod.metadata.name);
    },
    async configMapText(name, key) {
      const text = await get(`${core}/configmaps/${name}`);
      return text === "" ? "" : ((JSON.parse(text) as { data?: Record<string, string> }).data?.[key] ?? "");
    },
    async metric(pod, name, labels = {}) {
      api ??= apiServerTransport(loadKubeConfig(address));
      const answer = await podProxyTransport(api, { namespace, name: pod, port: HTTP_PORT }).send({ method: "GET", path: "/metrics" });
      if (answer.status !== 200) throw new Error(`${pod} answered ${answer.status} to /metrics`);
      return parseExposition(answer.body)
        .filter((sample) => sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
        .reduce((sum, sample) => sum + sample.value, 0);
    },
  };
}
