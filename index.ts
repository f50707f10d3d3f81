import { Provider } from "@pulumi/kubernetes/provider";
import * as pulumi from "@pulumi/pulumi";
import { Certificates } from "./components/certificates";
import { Compactor } from "./components/compactor";
import { DataPriority } from "./components/dataPriority";
import { Gateway } from "./components/gateway";
import { HostPathVolumes } from "./components/hostPathVolumes";
import { Namespace } from "./components/namespace";
import { NetworkPolicies } from "./components/networkPolicies";
import { ObjectStorage } from "./components/objectStorage";
import { Prometheus } from "./components/prometheus";
import { Querier } from "./components/querier";
import { QueryFrontend } from "./components/queryFrontend";
import { Receive } from "./components/receive";
import { Ruler } from "./components/ruler";
import { StoreGateway } from "./components/storeGateway";
import { provenCapacity } from "./config/capacity";
import { loadConfig } from "./config/load";
import { provenAvailability } from "./config/survival";
import { examineCertificates } from "./gates/certificateEnds";
import { clusterView } from "./gates/cluster";
import { compactorGates } from "./gates/compactorShards";
import { examineNamespace } from "./gates/existingNamespace";
import { newEnoughKubernetes } from "./gates/kubernetesVersion";
import { scalingGates } from "./gates/orderedScaling";
import { replicaGates } from "./gates/replicas";
import { softerFirst } from "./gates/softerFirst";
import { volumeGates } from "./gates/volumeGrowth";
import { madeResources } from "./gates/whenMade";
import type { Storage } from "./model/kubernetes/storage";
import { planOutputs } from "./model/outputs";
import { planStack } from "./model/plan";
import { droppedInRules } from "./model/prometheus/keptSeries";
import { antiAffinityKeys, ringOf } from "./model/ring/plan";
import { ruleWarnings } from "./model/ruler/rules";
import { protectsStorage } from "./model/settings/protection";
import { expiryRules } from "./model/tls/expiry";
import { visible } from "./model/values/visibleText";
import { planWarnings } from "./model/warnings";

/**
 * The program, which the engine runs.
 *
 * @param examine Looks at a namespace that somebody else made. Default: in the cluster; without an engine there may be none.
 * @param examineEnds Looks at certificates that others have made, as `examine`.
 * @returns the stack's outputs
 */
export = async (examine = examineNamespace, examineEnds = examineCertificates): Promise<Record<string, unknown>> => {
  // The choices of the environment, checked; the plan that they come to; the losses that it survives and the load that it carries.
  const { settings, kubeconfig, rules: given, ruleCount, bucketCredentials, credentials, warnings, day } = loadConfig();
  const plan = planStack(settings);
  const ring = ringOf(plan.scheme);
  const survival = provenAvailability(settings, plan);
  const { capacity: carried, rules: ofLimits } = provenCapacity(settings, plan);
  const rules = { ...given, ...expiryRules(plan.tls, settings.namespace, day), ...ofLimits };
  const dropped = settings.prometheus.keepAll ? [] : droppedInRules(given);
  for (const warning of [...warnings, ...planWarnings(settings), ...ruleWarnings(settings, ruleCount), ...dropped])
    void pulumi.log.warn(visible(warning));

  // The API by which the program asks the running cluster: most of it at an update only, when hooks of the engine look and act.
  const cluster = clusterView({ kubeconfig, context: settings.cluster.context }, settings.namespace);
  if (settings.existingNamespace) await examine(settings.namespace, cluster);
  await examineEnds(settings, cluster, day);

  const made = madeResources();
  const newEnough = newEnoughKubernetes(settings.cluster.context, cluster);
  const provider = new Provider(
    "cluster",
    {
      kubeconfig,
      context: settings.cluster.context,
      // A kubeconfig that moves or is renewed is still the same cluster.
      clusterIdentifier: settings.cluster.name,
      // The hashrings are changed in place under their fixed name; every other ConfigMap is immutable by itself.
      enableConfigMapMutable: true,
    },
    { transformations: [newEnough] },
  );
  const options: pulumi.ComponentResourceOptions = {
    provider,
    transformations: [newEnough, softerFirst(ring && antiAffinityKeys(ring)), made.transformation],
  };

  const { namespace, existingNamespace: exists, dataPriority: value } = settings;
  // The slowest resources come first: directories are made while the engine works through everything else.
  const directories =
    plan.hostPathVolumes.length === 0
      ? undefined
      : new HostPathVolumes("hostpath", { settings, volumes: plan.hostPathVolumes }, { ...options, protect: protectsStorage(settings) });
  const volumes = directories?.ready ?? [];
  const ownNamespace = new Namespace(
    "namespace",
    { name: namespace, exists, marks: settings.namespaceMetadata, after: directories?.jobsAreNext },
    { ...options, protect: settings.protect && !exists },
  );
  const dataPriority = value === undefined ? undefined : new DataPriority("data-priority", { namespace, value }, options).className;
  // Whoever connects inside the stack shows who it is.
  const certificates =
    plan.tls === undefined
      ? undefined
      : new Certificates("certificates", { settings, tls: plan.tls, day, namespace: ownNamespace.name }, options);
  const common = { settings, addresses: plan.addresses, namespace: ownNamespace.name, dataPriority, certificates };
  // Samples and blocks are kept in volumes that grow in place.
  const growth = (key: string, storage: Storage = {}) => volumeGates(cluster, key, storage);
  // Pods that keep nothing may be as many as their load asks for.
  const scaling = replicaGates(cluster);

  new NetworkPolicies("network", { ...common, plan, bucketCredentials: bucketCredentials !== undefined }, options);

  // Blocks go into the bucket from whoever keeps samples, and come out of it through store gateways;
  // the compactor compacts what lies there.
  const bucketPlan = plan.bucket;
  const bucket =
    bucketPlan === undefined
      ? undefined
      : new ObjectStorage(
          "object-storage",
          { ...common, objectStorage: bucketPlan.objectStorage, credentials: bucketCredentials, directory: bucketPlan.directory, volumes },
          options,
        );

  // Samples: scraped by Prometheus, and written into the receivers or served by a sidecar.
  const receive =
    ring === undefined
      ? undefined
      : new Receive("receive", { ...common, ring, volumes, gates: scalingGates(settings, ring, cluster), scaling, bucket }, options);
  const prometheusServers = new Prometheus(
    "prometheus",
    {
      ...common,
      scheme: plan.scheme,
      prometheusSets: plan.prometheusSets,
      retention: plan.retention,
      rules,
      credentials,
      volumes,
      bucket: receive === undefined ? bucket : undefined,
      growth: growth("prometheus", settings.prometheus.storage),
    },
    options,
  );

  if (bucket !== undefined && bucketPlan !== undefined) {
    const { storeGateway, compactor } = bucketPlan.objectStorage;
    new StoreGateway(
      "store-gateway",
      { ...common, bucketPlan, volumes, bucket, growth: growth("objectStorage.storeGateway", storeGateway.storage) },
      options,
    );
    new Compactor(
      "compactor",
      {
        ...common,
        bucketPlan,
        volumes,
        bucket,
        growth: growth("objectStorage.compactor", compactor.storage),
        division: compactorGates(cluster),
      },
      options,
    );
  }

  // Answers: one PromQL entry over all of it.
  const querier = new Querier("querier", { ...common, scaling, stores: receive?.sets ?? prometheusServers.sets }, options);
  if (settings.queryFrontend !== undefined)
    new QueryFrontend("query-frontend", { ...common, scaling, frontend: settings.queryFrontend }, options);
  if (plan.ruler !== undefined)
    new Ruler(
      "ruler",
      { ...common, ruler: plan.ruler, rules, credentials, volumes, bucket, growth: growth("ruler", plan.ruler.storage) },
      options,
    );

  // Others, each as who it is.
  const gateway = plan.gateway === undefined ? undefined : new Gateway("gateway", { ...common, gateway: plan.gateway }, options);

  certificates?.signForOthers([receive, querier, gateway].filter((each) => each !== undefined));

  const outputs = {
    namespace: ownNamespace.name,
    ...planOutputs(settings, plan),
    availability: pulumi.output(survival),
    capacity: carried === undefined ? undefined : pulumi.output(carried),
    ...certificates?.outputs,
    credentials: gateway?.credentials,
  };
  // Outputs that a scheme does not have are left out: the engine warns of an output that is undefined.
  return made.whenMade(Object.fromEntries(Object.entries(outputs).filter(([, value]) => value !== undefined)));
};
