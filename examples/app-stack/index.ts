import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Agent } from "./agent";
import { kubeconfigPath, loadConfig } from "./config";
import { GRAFANA, GRAFANA_PORT, Grafana } from "./grafana";
import { NetworkPolicies } from "./networkPolicies";
import { peerSenders, readPlatform } from "./platform";
import { labels } from "./pod";
import { refuseClash, senderOf } from "./sender";
import { AppService, SERVICE_PORT } from "./service";

/** An application on the platform. Everything is read and checked before the first resource is registered. */
export = async () => {
  const config = loadConfig();
  const { agent, app, grafana, tenant } = config;
  const reader = grafana.enabled ? (grafana.reader ?? tenant) : undefined;
  const {
    outputs: platform,
    writes,
    queries,
  } = await refusable(() => readPlatform(config.platform, { tenant, client: agent.client ?? app, reader }));
  const sender = await refusable(() => senderOf(config, platform));
  const peers = await peerSenders(config.peers);
  await refusable(() => refuseClash(sender, peers));

  const provider = new k8s.Provider("cluster", {
    kubeconfig: kubeconfigPath(config.cluster.kubeconfig),
    context: config.cluster.context,
    // A kubeconfig that moves or is renewed is still the same cluster.
    clusterIdentifier: sender.externalLabels[platform.clusterLabel],
  });
  const options = { provider };
  const { metadata } = new k8s.core.v1.Namespace(
    "namespace",
    {
      metadata: {
        name: config.namespace,
        labels: { ...labels(config.app, config.app), "pod-security.kubernetes.io/enforce": "restricted" },
      },
    },
    options,
  );
  const common = { config, namespace: metadata.name };
  new NetworkPolicies("network", common, options);
  new AppService("service", common, options);
  new Agent("agent", { ...common, sender, writes, tenantHeader: platform.tenantHeader }, options);
  const outputs = { sender, serviceUrl: `http://${config.app}.${config.namespace}.svc:${SERVICE_PORT}` };
  if (queries === undefined) return outputs;
  const { adminPassword } = new Grafana(
    "grafana",
    {
      ...common,
      clusterLabel: platform.clusterLabel,
      queries,
      tenantHeader: platform.tenantHeader,
    },
    options,
  );
  return { ...outputs, grafanaUrl: `http://${GRAFANA}.${config.namespace}.svc:${GRAFANA_PORT}`, grafanaAdminPassword: adminPassword };
};

/** A refusal is the user's to act on, without a stack trace. */
async function refusable<T>(check: () => T | Promise<T>): Promise<T> {
  try {
    return await check();
  } catch (error) {
    throw new pulumi.RunError(error instanceof Error ? error.message : String(error));
  }
}
