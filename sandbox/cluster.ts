import { mkdirSync } from "node:fs";
import { join } from "node:path";
import {
  AppsV1Api,
  CoordinationV1Api,
  CoreV1Api,
  KubeConfig,
  KubernetesObjectApi,
  PatchStrategy,
  type V1Node,
} from "@kubernetes/client-node";
import { addons, type Manifest, volume, volumesToMake } from "./addons";
import { StepFailed, until } from "./command";
import { controlPlaneEnded } from "./controlPlane";
import { nodeDirectory } from "./node";
import { type Paths, paths } from "./paths";
import { CLUSTER_DOMAIN, CONTEXT, NODES } from "./topology";

/** The sandbox's kubeconfig, loaded. */
export function kubeConfig(where: Paths = paths()): KubeConfig {
  const config = new KubeConfig();
  config.loadFromFile(where.kubeconfig);
  config.setCurrentContext(CONTEXT);
  return config;
}

/** Applies objects as the sandbox's, over whatever others made of its fields. */
export async function applyManifests(manifests: readonly Manifest[], where: Paths = paths()): Promise<void> {
  const client = KubernetesObjectApi.makeApiClient(kubeConfig(where));
  for (const manifest of manifests) {
    await client.patch(manifest, undefined, undefined, "thanos-stack-sandbox", true, PatchStrategy.ServerSideApply);
  }
}

/** Whether a node says it is Ready. */
export function isReady(node: V1Node): boolean {
  return node.status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") ?? false;
}

/** The names of the nodes that are Ready. */
export async function readyNodes(where: Paths = paths()): Promise<string[]> {
  const { items } = await kubeConfig(where).makeApiClient(CoreV1Api).listNode();
  return items.filter(isReady).flatMap((node) => node.metadata?.name ?? []);
}

/**
 * Waits until nodes are Ready, and by their own word: a node that is down counts as Ready until its lease runs out.
 *
 * @param names the nodes
 * @param since the moment after which their leases must have been renewed; without it, any valid lease will do
 */
export async function awaitNodes(
  names: readonly string[],
  since: Date | undefined,
  where: Paths = paths(),
  report: (text: string) => void = () => {},
): Promise<void> {
  const leases = kubeConfig(where).makeApiClient(CoordinationV1Api);
  const renewed = async (name: string): Promise<boolean> => {
    if (since === undefined) return true;
    const { spec } = await leases.readNamespacedLease({ namespace: "kube-node-lease", name });
    return spec?.renewTime !== undefined && new Date(spec.renewTime) > since;
  };
  await until(
    `${names.join(", ")} did not become Ready`,
    async () => {
      const ready = await readyNodes(where);
      const back: string[] = [];
      for (const name of names) if (ready.includes(name) && (await renewed(name))) back.push(name);
      report(`${back.length} of ${names.length} Ready`);
      return back.length === names.length;
    },
    { timeout: 180_000, interval: 300, log: join(where.logs, `${names[0]}-kubelet.log`), hopeless: () => controlPlaneEnded(where) },
  );
}

/** Keeps enough unclaimed volumes on each node; those that exist are left as they are. */
export async function ensureVolumes(where: Paths = paths()): Promise<void> {
  const { items } = await kubeConfig(where).makeApiClient(CoreV1Api).listPersistentVolume();
  for (const node of NODES) {
    const existing = items.flatMap((item) => {
      const [, name, index] = /^(\w+)-disk(\d+)$/.exec(item.metadata?.name ?? "") ?? [];
      return name === node.name ? [{ index: Number(index), phase: item.status?.phase ?? "Pending" }] : [];
    });
    for (const index of volumesToMake(existing)) {
      const directory = join(nodeDirectory(where, node), "disks", `disk${index}`);
      mkdirSync(directory, { recursive: true });
      await applyManifests([volume(node, index, directory)], where);
    }
  }
}

/** Applies what a cluster needs, and waits until its DNS answers. */
export async function ensureAddons(where: Paths, report: (text: string) => void): Promise<void> {
  report("applying");
  await applyManifests(addons(), where);
  await ensureVolumes(where);
  report("waiting for DNS");
  const apps = kubeConfig(where).makeApiClient(AppsV1Api);
  await until(
    "CoreDNS did not become ready",
    async () => {
      const { status, metadata } = await apps.readNamespacedDeployment({ namespace: "kube-system", name: "coredns" });
      const ready = status?.readyReplicas ?? 0;
      report(`waiting for DNS: ${ready} of 2 ready`);
      return status?.observedGeneration === metadata?.generation && ready >= 2;
    },
    { timeout: 120_000, interval: 300, log: join(where.logs, "node1-kubelet.log"), hopeless: () => controlPlaneEnded(where) },
  );
}

/** The Service and namespace that a URL of the cluster's DNS names; nothing for any other URL. */
export function serviceOf(url: string): { name: string; namespace: string } | undefined {
  const [, name, namespace] =
    new RegExp(`^([^.]+)\\.([^.]+)\\.svc\\.${CLUSTER_DOMAIN.replace(".", "\\.")}$`).exec(new URL(url).hostname) ?? [];
  return name === undefined || namespace === undefined ? undefined : { name, namespace };
}

/** A URL of the cluster's DNS as this host can open it: with the Service's cluster address. Any other URL stays. */
export async function hostUrl(url: string, where: Paths = paths()): Promise<string> {
  const service = serviceOf(url);
  if (service === undefined) return url;
  const { spec } = await kubeConfig(where).makeApiClient(CoreV1Api).readNamespacedService(service);
  const address = spec?.clusterIP;
  if (address === undefined || address === "None") return url;
  return url.replace(new URL(url).hostname, address);
}

/** Fails unless a cluster of the sandbox can be reached. */
export async function requireCluster(where: Paths = paths()): Promise<void> {
  try {
    await readyNodes(where);
  } catch (error) {
    throw new StepFailed(`the sandbox's cluster isn't running (${error instanceof Error ? error.message : error}); \`make up\` starts it`);
  }
}
