import type * as k8s from "@pulumi/kubernetes";
import type * as apps from "@pulumi/kubernetes/apps/v1";
import * as core from "@pulumi/kubernetes/core/v1";
import * as rbac from "@pulumi/kubernetes/rbac/v1";
import * as pulumi from "@pulumi/pulumi";
import type { Credentials } from "../model/credentials/rules";
import type { Addresses } from "../model/kubernetes/addresses";
import { API_TOKEN } from "../model/kubernetes/apiToken";
import { choicesFor } from "../model/kubernetes/choices";
import { withExtra } from "../model/kubernetes/extra";
import { PROMETHEUS_APP, PROMETHEUS_IDENTITY, SIDECAR_CONTAINER, SIDECAR_SERVICE } from "../model/kubernetes/identities";
import { commonLabels, ownPods, selectorLabels } from "../model/kubernetes/labels";
import { container, hostAntiAffinity, POD_NAME_ENV, PROMETHEUS_USER, probes, zoneSpread } from "../model/kubernetes/pod";
import { GRPC, HTTP_PORT, PROMETHEUS_PORT, SIDECAR_HTTP_PORT_NAME } from "../model/kubernetes/ports";
import { proxyEnv } from "../model/kubernetes/proxy";
import { DATA_VOLUME, emptyVolume } from "../model/kubernetes/storage";
import {
  evaluatesRules,
  PROMETHEUS_CONFIG_DIRECTORY,
  PROMETHEUS_CONFIG_FILE,
  PROMETHEUS_RULES_DIRECTORY,
  prometheusConfig,
} from "../model/prometheus/config";
import { discoveryRules } from "../model/prometheus/discovery";
import { PROMETHEUS_DATA, prometheusFlags } from "../model/prometheus/flags";
import type { PrometheusSet } from "../model/prometheus/plan";
import { sidecarFlags, sidecarProcess } from "../model/prometheus/sidecar";
import { collectorAuthorities } from "../model/prometheus/tracing";
import type { RetentionPlan } from "../model/retention/plan";
import type { Scheme } from "../model/ring/plan";
import { protectsStorage } from "../model/settings/protection";
import type { Settings } from "../model/settings/schema";
import { PROMETHEUS_TLS_DIRECTORY, TLS_DIRECTORY } from "../model/tls/flags";
import { componentType } from "../objects/componentType";
import { credentialFiles } from "../objects/credentials";
import { type Telemetry, telemetry } from "../objects/telemetry";
import {
  CLUSTER_IP,
  componentLabels,
  disruptionBudget,
  HEADLESS,
  immutableFiles,
  type Mounted,
  mountedConfigMap,
  type StatefulArgs,
  type StatefulSetArgs,
  service,
  serviceAccount,
  statefulSet,
  together,
  type Workload,
} from "../objects/workload";
import type { Certificates } from "./certificates";
import type { ObjectStorage } from "./objectStorage";

/** Arguments of {@link Prometheus}. */
export interface PrometheusArgs extends StatefulArgs {
  scheme: Scheme;
  prometheusSets: PrometheusSet[];
  retention: Pick<RetentionPlan, "prometheus" | "handover">;
  addresses: Pick<Addresses, "remoteWriteUrl">;
  /** Priority class of pods that hold samples which are nowhere else; undefined where the stack makes none. */
  dataPriority: pulumi.Input<string> | undefined;
  /** Rule files by name. */
  rules: Record<string, string>;
  /** Credentials that are files, by name. */
  credentials: Credentials;
  /** Where sidecars upload blocks; undefined without a bucket, and where receivers upload. */
  bucket: ObjectStorage | undefined;
  /** Certificates of the components; undefined where nothing is encrypted. */
  certificates: Certificates | undefined;
}

/** Port of the query API, metrics and probes. */
const WEB = { name: "http", containerPort: PROMETHEUS_PORT };

/** Headless Service that gives the pods their names. */
const POD_SERVICE = `${PROMETHEUS_APP}-pods`;

type Container = k8s.types.input.core.v1.Container;

/**
 * Prometheus servers (or agents): replicas that scrape the same, shards that divide. In the receive scheme all write to the ring; in the
 * sidecar scheme each keeps its samples, and a sidecar in its pod serves it.
 */
export class Prometheus extends pulumi.ComponentResource {
  /** The StatefulSets, for what must be updated after them. */
  readonly sets: apps.StatefulSet[] = [];

  constructor(name: string, args: PrometheusArgs, opts?: pulumi.ComponentResourceOptions) {
    super(componentType("Prometheus"), name, {}, opts);
    const { settings, scheme, namespace, bucket } = args;
    const { prometheus, images, existingNamespace } = settings;
    const sidecar = scheme.kind === "sidecar";
    const { prometheus: image } = images;
    const workload: Workload = {
      identity: PROMETHEUS_IDENTITY,
      namespace,
      existingNamespace,
      image,
      user: PROMETHEUS_USER,
      choices: choicesFor(settings, prometheus),
      accountAnnotations: { ...bucket?.serviceAccountAnnotations, ...prometheus.serviceAccountAnnotations },
      parent: this,
    };
    const account = serviceAccount(name, workload);
    this.permissions(name, settings, account, namespace);
    const rules = this.files(name, "rules", workload, PROMETHEUS_RULES_DIRECTORY, evaluatesRules(settings) ? args.rules : {}, sidecar);
    const credentials = credentialFiles(name, workload, "prometheus", settings, args.credentials);

    const selector = componentLabels(PROMETHEUS_IDENTITY);
    // One shard serves its own targets only; whoever wants all of them asks the querier.
    service(name, workload, PROMETHEUS_APP, WEB, { ...CLUSTER_IP, selector });
    service(`${name}-pods`, workload, POD_SERVICE, WEB, { ...HEADLESS, selector });
    if (sidecar) service(`${name}-sidecars`, workload, SIDECAR_SERVICE, GRPC, { ...HEADLESS, selector });

    const told = sidecar
      ? telemetry(`${name}-sidecar`, workload, settings, sidecarProcess(settings), [POD_NAME_ENV, ...(bucket?.env ?? [])])
      : together();
    for (const set of args.prometheusSets) {
      const shard = { ...workload, identity: set.identity };
      const text = prometheusConfig(settings, {
        shard: set.shard,
        remoteWriteUrl: args.addresses.remoteWriteUrl,
        retention: args.retention.prometheus,
      });
      const config = this.files(
        set.name,
        "config",
        shard,
        PROMETHEUS_CONFIG_DIRECTORY,
        { [PROMETHEUS_CONFIG_FILE]: text, ...collectorAuthorities(settings) },
        sidecar,
      );
      this.sets.push(
        statefulSet(set.name, shard, this.serverSpec(args, set, account, together(config, rules), credentials, told), {
          dependsOn: args.volumes,
          protect: protectsStorage(settings),
          hooks: args.growth(set),
          customTimeouts: { create: "1h", update: "1h", delete: "30m" },
        }),
      );
      if (prometheus.replicas > 1) disruptionBudget(set.name, shard);
    }
    this.registerOutputs({});
  }

  /** Rights for discovery and the kubelets' metrics, and nothing that can read a secret or change anything. */
  private permissions(name: string, settings: Settings, account: pulumi.Input<string>, namespace: pulumi.Input<string>): void {
    const labels = commonLabels(PROMETHEUS_IDENTITY);
    const subjects = [{ kind: "ServiceAccount", name: account, namespace }];
    const clusterName = `${settings.namespace}-${PROMETHEUS_APP}`;
    const { cluster, namespaced } = discoveryRules(settings);
    const role = new rbac.ClusterRole(name, { metadata: { name: clusterName, labels }, rules: cluster }, { parent: this });
    new rbac.ClusterRoleBinding(
      name,
      {
        metadata: { name: clusterName, labels },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role.metadata.name },
        subjects,
      },
      { parent: this },
    );
    for (const [target, rules] of Object.entries(namespaced)) {
      const roleMetadata = { name: clusterName, namespace: target === settings.namespace ? namespace : target, labels };
      const own = new rbac.Role(`${name}-${target}`, { metadata: roleMetadata, rules }, { parent: this });
      new rbac.RoleBinding(
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

  /**
   * A sidecar has changed files read again without a restart, so there they are changed in place; without one a
   * change is another file and rolls the pods.
   */
  private files(
    name: string,
    volume: string,
    workload: Workload,
    directory: string,
    data: Record<string, string>,
    inPlace: boolean,
  ): Mounted {
    if (!inPlace) return immutableFiles(name, volume, workload, directory, data);
    const fileName = `${name}-${volume}`;
    const labels = commonLabels(workload.identity);
    const file = new core.ConfigMap(
      fileName,
      { metadata: { name: fileName, namespace: workload.namespace, labels }, data },
      { parent: this },
    );
    return mountedConfigMap(volume, file.metadata.name, directory);
  }

  private serverSpec(
    { settings, scheme, retention, bucket, dataPriority, certificates }: PrometheusArgs,
    set: PrometheusSet,
    serviceAccountName: pulumi.Input<string>,
    files: Mounted,
    credentials: Mounted,
    ofSidecar: Telemetry,
  ): StatefulSetArgs {
    const { prometheus, cluster, images } = settings;
    const pods = ownPods(settings, selectorLabels(set.identity));
    const data = { name: DATA_VOLUME, mountPath: PROMETHEUS_DATA };
    // Prometheus writes where there is a ring; else its sidecar serves.
    const certificate = certificates?.mounted("prometheus", scheme.kind === "ring" ? PROMETHEUS_TLS_DIRECTORY : TLS_DIRECTORY);
    const mountsOf = (kind: Scheme["kind"]) => (scheme.kind === kind ? (certificate?.mounts ?? []) : []);
    const server: Container = {
      ...container("prometheus", images.prometheus, prometheus.resources, prometheus.storage.emptyDir?.size),
      args: prometheusFlags(settings, scheme.kind === "sidecar" && bucket !== undefined),
      env: [POD_NAME_ENV, ...proxyEnv(settings)],
      ports: [WEB],
      ...probes("http"),
      // Discovery, the kubelets' metrics and other targets: nobody else in the pod shows who it is.
      volumeMounts: [data, ...files.mounts, ...credentials.mounts, ...mountsOf("ring"), API_TOKEN.mount],
    };
    const ownSidecar: Container = {
      ...container(SIDECAR_CONTAINER, images.thanos, prometheus.sidecar.resources),
      args: sidecarFlags(settings, retention.handover),
      ...(ofSidecar.env && { env: ofSidecar.env }),
      ports: [GRPC, { name: SIDECAR_HTTP_PORT_NAME, containerPort: HTTP_PORT }],
      // Ready only while it reaches its Prometheus.
      ...probes(SIDECAR_HTTP_PORT_NAME),
      volumeMounts: [data, ...files.mounts, ...ofSidecar.mounts, ...(bucket?.mounts ?? []), ...mountsOf("sidecar")],
    };
    const sidecar = withExtra(ownSidecar, prometheus.sidecar.extra);
    return {
      serviceName: POD_SERVICE,
      replicas: set.replicas,
      podManagementPolicy: "Parallel",
      // One of a pair has scraped everything again before the other one goes.
      minReadySeconds: set.replicas > 1 ? 30 : 0,
      restartedAt: prometheus.rollout.restartedAt,
      ...(prometheus.storage.emptyDir === undefined ? { storage: prometheus.storage } : {}),
      pod: {
        serviceAccountName,
        priorityClassName: dataPriority,
        // Above the time that remote write may take to empty its queue (one minute).
        terminationGracePeriodSeconds: 300,
        affinity: hostAntiAffinity(prometheus.antiAffinity, pods),
        ...zoneSpread(cluster.zones, pods, "overall"),
        // The sidecar tells its Prometheus by signal that a file has changed.
        ...(scheme.kind === "sidecar" ? { shareProcessNamespace: true, containers: [server, sidecar] } : { containers: [server] }),
        volumes: [
          ...emptyVolume(prometheus.storage),
          ...files.volumes,
          ...credentials.volumes,
          ...ofSidecar.volumes,
          ...(bucket?.volumes ?? []),
          ...(certificate?.volumes ?? []),
          API_TOKEN.volume,
        ],
      },
    };
  }
}
