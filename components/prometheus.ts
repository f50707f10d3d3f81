import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { VolumeGates } from "../gates/volumeGrowth";
import { discoveryRules } from "../model/discoveryRules";
import { GRPC_PORT, HTTP_PORT } from "../model/hashring";
import { commonLabels, type Identity, selectorLabels } from "../model/labels";
import { PROMETHEUS_APP, type PrometheusSet, type StackPlan } from "../model/plan";
import {
  containerResources,
  containerSecurityContext,
  hostAntiAffinity,
  POD_NAME_ENV,
  PROMETHEUS_USER,
  podSecurityContext,
  probes,
  zoneSpread,
} from "../model/pod";
import {
  evaluatesRules,
  PROMETHEUS_CONFIG_FILE,
  PROMETHEUS_CONFIG_FOLDER,
  PROMETHEUS_PORT,
  PROMETHEUS_RULES_FOLDER,
  prometheusConfig,
  SIDECAR_HTTP_PORT_NAME,
} from "../model/prometheusConfig";
import { PROMETHEUS_DATA, prometheusFlags } from "../model/prometheusFlags";
import { protectsStorage } from "../model/protection";
import { SIDECAR_CONTAINER, SIDECAR_SERVICE, sidecarFlags } from "../model/sidecar";
import { claimRetention, DATA_VOLUME, unchangedByGrowth, volumeClaimTemplate, volumeSizeMetadata } from "../model/storage";
import { imageVersion } from "../model/versions";
import type { ObjectStorage } from "./objectStorage";
import { componentType } from "./types";

/** What {@link Prometheus} needs. */
export interface PrometheusArgs {
  plan: StackPlan;
  /** Namespace, known when it exists. */
  namespace: pulumi.Input<string>;
  /** Rule files by name. */
  rules: Record<string, string>;
  /** What must exist before a pod is made: volumes of the nodes' own disks. */
  volumes: pulumi.Resource[];
  /** Hooks of the engine that let volumes grow in place. */
  growth: VolumeGates;
  /** Where sidecars upload blocks; undefined without a bucket, and where receivers upload. */
  bucket: ObjectStorage | undefined;
}

const IDENTITY: Identity = { app: PROMETHEUS_APP, component: "prometheus" };

/**
 * Prometheus servers (or agents): replicas that scrape the same, shards that divide. In the receive scheme all write to the ring; in the sidecar scheme each keeps its samples, and a
 * sidecar in its pod answers for it.
 */
export class Prometheus extends pulumi.ComponentResource {
  /** The StatefulSets, for what must be updated after them. */
  readonly sets: k8s.apps.v1.StatefulSet[] = [];

  constructor(name: string, args: PrometheusArgs, opts?: pulumi.ComponentResourceOptions) {
    super(componentType("Prometheus"), name, {}, opts);
    const { plan } = args;
    const { prometheus, ingestion } = plan.settings;
    const sidecar = ingestion === "sidecar";
    const metadata = (objectName: string, identity: Identity = IDENTITY) => ({
      name: objectName,
      namespace: args.namespace,
      labels: commonLabels(identity, imageVersion(plan.settings.images.prometheus)),
    });
    const account = new k8s.core.v1.ServiceAccount(
      name,
      {
        metadata: {
          ...metadata(PROMETHEUS_APP),
          ...(args.bucket === undefined ? {} : { annotations: args.bucket.serviceAccountAnnotations }),
        },
        automountServiceAccountToken: false,
      },
      { parent: this },
    );
    this.permissions(name, plan, account, args.namespace);

    // A sidecar has changed files read again without a restart, so there they are changed in place; without one a change is another file and rolls the pods.
    const file = (fileName: string, identity: Identity, data: Record<string, string>) =>
      new k8s.core.v1.ConfigMap(
        fileName,
        {
          metadata: { ...(sidecar ? { name: fileName } : {}), namespace: args.namespace, labels: commonLabels(identity) },
          ...(sidecar ? {} : { immutable: true }),
          data,
        },
        { parent: this },
      );
    const rules = file(`${name}-rules`, IDENTITY, evaluatesRules(plan.settings) ? args.rules : {});
    new k8s.core.v1.Service(
      name,
      {
        metadata: metadata(PROMETHEUS_APP),
        spec: {
          type: "ClusterIP",
          // One shard answers for its own targets only; whoever wants all of them asks the querier.
          selector: { "app.kubernetes.io/name": PROMETHEUS_APP, "app.kubernetes.io/component": "prometheus" },
          ports: [{ name: "http", port: PROMETHEUS_PORT, targetPort: "http" }],
        },
      },
      { parent: this },
    );
    const pods = `${PROMETHEUS_APP}-pods`;
    new k8s.core.v1.Service(
      `${name}-pods`,
      {
        metadata: metadata(pods),
        spec: {
          clusterIP: "None",
          selector: { "app.kubernetes.io/name": PROMETHEUS_APP, "app.kubernetes.io/component": "prometheus" },
          ports: [{ name: "http", port: PROMETHEUS_PORT, targetPort: "http" }],
        },
      },
      { parent: this },
    );
    if (sidecar) {
      new k8s.core.v1.Service(
        `${name}-sidecars`,
        {
          metadata: metadata(SIDECAR_SERVICE),
          spec: {
            clusterIP: "None",
            selector: { "app.kubernetes.io/name": PROMETHEUS_APP, "app.kubernetes.io/component": "prometheus" },
            ports: [{ name: "grpc", port: GRPC_PORT, targetPort: "grpc" }],
          },
        },
        { parent: this },
      );
    }
    for (const set of plan.prometheusSets) {
      const config = file(`${set.name}-config`, set.identity, {
        [PROMETHEUS_CONFIG_FILE]: prometheusConfig(plan.settings, set.shard, plan.addresses.remoteWriteUrl),
      });
      this.sets.push(
        new k8s.apps.v1.StatefulSet(
          set.name,
          {
            metadata: { ...metadata(set.name, set.identity), ...volumeSizeMetadata(plan.settings.prometheus.storage) },
            spec: this.serverSpec(args, set, pods, account.metadata.name, config.metadata.name, rules.metadata.name),
          },
          {
            parent: this,
            dependsOn: args.volumes,
            protect: protectsStorage(plan.settings),
            hooks: args.growth(set),
            ignoreChanges: unchangedByGrowth(plan.settings.prometheus.storage),
            customTimeouts: { create: "1h", update: "1h", delete: "30m" },
          },
        ),
      );
      if (prometheus.replicas > 1) {
        new k8s.policy.v1.PodDisruptionBudget(
          set.name,
          {
            metadata: metadata(set.name, set.identity),
            spec: { maxUnavailable: 1, selector: { matchLabels: selectorLabels(set.identity) }, unhealthyPodEvictionPolicy: "AlwaysAllow" },
          },
          { parent: this },
        );
      }
    }
    this.registerOutputs({});
  }

  /** What discovery and the kubelets' metrics need, and nothing that can read a secret or change anything. */
  private permissions(name: string, plan: StackPlan, account: k8s.core.v1.ServiceAccount, namespace: pulumi.Input<string>): void {
    const labels = commonLabels(IDENTITY);
    const subjects = [{ kind: "ServiceAccount", name: account.metadata.name, namespace }];
    const clusterName = `${plan.settings.namespace}-${PROMETHEUS_APP}`;
    const { cluster, namespaced } = discoveryRules(plan.settings);
    const role = new k8s.rbac.v1.ClusterRole(name, { metadata: { name: clusterName, labels }, rules: cluster }, { parent: this });
    new k8s.rbac.v1.ClusterRoleBinding(
      name,
      {
        metadata: { name: clusterName, labels },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role.metadata.name },
        subjects,
      },
      { parent: this },
    );
    for (const [target, rules] of Object.entries(namespaced)) {
      const roleMetadata = { name: clusterName, namespace: target === plan.settings.namespace ? namespace : target, labels };
      const own = new k8s.rbac.v1.Role(`${name}-${target}`, { metadata: roleMetadata, rules }, { parent: this });
      new k8s.rbac.v1.RoleBinding(
        `${name}-${target}`,
        {
          metadata: roleMetadata,
          roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: own.metadata.name },
          subjects,
        },
        { parent: this },
      );
    }
  }

  private serverSpec(
    { plan, bucket }: PrometheusArgs,
    set: PrometheusSet,
    serviceName: string,
    account: pulumi.Input<string>,
    config: pulumi.Input<string>,
    rules: pulumi.Input<string>,
  ): k8s.types.input.apps.v1.StatefulSetSpec {
    const { prometheus, cluster, ingestion } = plan.settings;
    const sidecar = ingestion === "sidecar";
    const files = [
      { name: "config", mountPath: PROMETHEUS_CONFIG_FOLDER, readOnly: true },
      { name: "rules", mountPath: PROMETHEUS_RULES_FOLDER, readOnly: true },
    ];
    return {
      serviceName,
      replicas: set.replicas,
      podManagementPolicy: "Parallel",
      // One of a pair has scraped everything again before the other one goes.
      minReadySeconds: set.replicas > 1 ? 30 : 0,
      persistentVolumeClaimRetentionPolicy: claimRetention(prometheus.storage),
      selector: { matchLabels: selectorLabels(set.identity) },
      volumeClaimTemplates: [volumeClaimTemplate(prometheus.storage, set.identity)],
      template: {
        metadata: { labels: commonLabels(set.identity, imageVersion(plan.settings.images.prometheus)) },
        spec: {
          serviceAccountName: account,
          // Discovery asks the API server.
          automountServiceAccountToken: true,
          enableServiceLinks: false,
          // The sidecar tells its Prometheus by signal that a file has changed.
          ...(sidecar ? { shareProcessNamespace: true } : {}),
          securityContext: podSecurityContext(PROMETHEUS_USER),
          // Above the time that remote write may take to empty its queue (one minute).
          terminationGracePeriodSeconds: 300,
          affinity: hostAntiAffinity(prometheus.antiAffinity, selectorLabels(set.identity)),
          ...zoneSpread(cluster.zones, set.identity, "overall"),
          containers: [
            {
              name: "prometheus",
              image: plan.settings.images.prometheus,
              imagePullPolicy: "IfNotPresent",
              args: prometheusFlags(plan.settings),
              env: [POD_NAME_ENV],
              ports: [{ name: "http", containerPort: PROMETHEUS_PORT }],
              resources: containerResources(prometheus.resources),
              securityContext: containerSecurityContext(),
              ...probes("http"),
              volumeMounts: [{ name: DATA_VOLUME, mountPath: PROMETHEUS_DATA }, ...files],
            },
            ...(sidecar
              ? [
                  {
                    name: SIDECAR_CONTAINER,
                    image: plan.settings.images.thanos,
                    imagePullPolicy: "IfNotPresent",
                    args: sidecarFlags(plan.settings),
                    env: [POD_NAME_ENV],
                    ports: [
                      { name: "grpc", containerPort: GRPC_PORT },
                      { name: SIDECAR_HTTP_PORT_NAME, containerPort: HTTP_PORT },
                    ],
                    resources: containerResources(prometheus.sidecar.resources),
                    securityContext: containerSecurityContext(),
                    // Ready only while it reaches its Prometheus.
                    ...probes(SIDECAR_HTTP_PORT_NAME),
                    volumeMounts: [{ name: DATA_VOLUME, mountPath: PROMETHEUS_DATA }, ...files, ...(bucket?.mounts ?? [])],
                  },
                ]
              : []),
          ],
          volumes: [
            { name: "config", configMap: { name: config } },
            { name: "rules", configMap: { name: rules } },
            ...(bucket?.volumes ?? []),
          ],
        },
      },
    };
  }
}
