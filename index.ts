import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { loadConfig } from "./components/config";
import { HostPathVolumes } from "./components/hostPathVolumes";
import { Namespace } from "./components/namespace";
import { NetworkPolicies } from "./components/networkPolicies";
import { Prometheus } from "./components/prometheus";
import { Querier } from "./components/querier";
import { QueryFrontend } from "./components/queryFrontend";
import { Receive } from "./components/receive";
import { provenAvailability } from "./components/survival";
import { clusterView } from "./gates/cluster";
import { scalingGates } from "./gates/orderedScaling";
import { planOutputs } from "./model/outputs";
import { planStack } from "./model/plan";
import { protectsStorage } from "./model/protection";

// What the environment chose, checked; what it comes to; what that survives.
const { settings, kubeconfig, rules } = loadConfig();
const plan = planStack(settings);
const survival = provenAvailability(plan);

const provider = new k8s.Provider("cluster", {
  kubeconfig,
  context: settings.cluster.context,
  // A kubeconfig that moves or is renewed is still the same cluster.
  clusterIdentifier: settings.cluster.name,
  // The hashrings are changed in place under their fixed name; every other ConfigMap is immutable by itself.
  enableConfigMapMutable: true,
});
const options: pulumi.ComponentResourceOptions = { provider };

const ownNamespace = new Namespace("namespace", { name: settings.namespace }, { ...options, protect: settings.protect });
const common = { plan, namespace: ownNamespace.name };
const volumes =
  plan.hostPathVolumes.length === 0
    ? []
    : new HostPathVolumes(
        "hostpath",
        { namespace: settings.namespace, volumes: plan.hostPathVolumes, image: settings.images.thanos },
        { ...options, protect: protectsStorage(settings) },
      ).ready;

new NetworkPolicies("network", common, options);

// Samples flow from Prometheus into the receivers, and out of them through the queriers.
const gates = scalingGates(plan, clusterView({ kubeconfig, context: settings.cluster.context }, settings.namespace));
const receive = new Receive("receive", { ...common, volumes, gates }, options);
new Querier("querier", { ...common, receivers: receive.sets }, options);
if (settings.queryFrontend !== undefined) new QueryFrontend("query-frontend", { ...common, frontend: settings.queryFrontend }, options);
new Prometheus("prometheus", { ...common, rules, volumes }, options);

const outputs = planOutputs(plan);
export const namespace = ownNamespace.name;
export const scheme = outputs.scheme;
export const remoteWriteUrl = outputs.remoteWriteUrl;
export const queryUrl = outputs.queryUrl;
export const querierUrl = outputs.querierUrl;
export const queryGrpcAddress = outputs.queryGrpcAddress;
export const tenantHeader = outputs.tenantHeader;
export const defaultTenant = outputs.defaultTenant;
export const replicaLabels = outputs.replicaLabels;
export const externalLabels = outputs.externalLabels;
export const ring = outputs.ring;
export const prometheus = outputs.prometheus;
export const availability = pulumi.output(survival);
