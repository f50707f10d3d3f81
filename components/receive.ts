import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { stringify } from "yaml";
import { GRPC_PORT, HTTP_PORT, RECEIVE_APP, REMOTE_WRITE_PORT } from "../model/hashring";
import { commonLabels, type Identity, selectorLabels } from "../model/labels";
import {
  HASHRINGS_CONFIG_MAP,
  LIMITS_CONFIG_MAP,
  PEER_SERVICE,
  RECEIVE_SERVICE,
  type ReceivePlan,
  type ReceiverSet,
  ROUTER_APP,
  STORE_SERVICE,
  type StackPlan,
} from "../model/plan";
import {
  containerResources,
  containerSecurityContext,
  drainPause,
  hostAntiAffinity,
  inZone,
  POD_NAME_ENV,
  podSecurityContext,
  probes,
  rollingUpdate,
  THANOS_USER,
  zoneSpread,
} from "../model/pod";
import { protectsStorage } from "../model/protection";
import { tolerableReceivers } from "../model/quorum";
import { receiveLimitsFile } from "../model/receiveLimits";
import type { ReceiveSettings } from "../model/settings";
import { claimRetention, DATA_VOLUME, unchangedByGrowth, volumeClaimTemplate, volumeSizeMetadata } from "../model/storage";
import {
  HASHRINGS_FILE,
  HASHRINGS_FOLDER,
  LIMITS_FILE,
  LIMITS_FOLDER,
  RECEIVE_DATA,
  RELABEL_FILE,
  RELABEL_FOLDER,
  type ReceiverRole,
  receiveFlags,
} from "../model/thanosFlags";
import { imageVersion } from "../model/versions";
import type { ObjectStorage } from "./objectStorage";
import { componentType } from "./types";

/** What {@link Receive} needs. */
export interface ReceiveArgs {
  plan: StackPlan;
  receive: ReceivePlan;
  /** Namespace, known when it exists. */
  namespace: pulumi.Input<string>;
  /** What must exist before a receiver's pod is made: volumes of the nodes' own disks. */
  volumes: pulumi.Resource[];
  /** What the ring and the receivers wait for before they change. */
  gates: ReceiveGates;
  /** Where blocks are uploaded; undefined without a bucket. */
  bucket: ObjectStorage | undefined;
}

/** The order of changes, as hooks of the engine. */
export interface ReceiveGates {
  /** For the ConfigMap with the hashrings. */
  hashrings: pulumi.ResourceHookBinding;
  /** For each StatefulSet of receivers. */
  receivers: (set: ReceiverSet) => pulumi.ResourceHookBinding;
}

const IDENTITY: Identity = { app: RECEIVE_APP, component: "receive" };
const ROUTER_IDENTITY: Identity = { app: ROUTER_APP, component: "receive-router" };

/** Longest rolling restart that is waited for: every receiver may take its whole grace period and a replay. */
const ROLLOUT_TIMEOUT = "4h";

/** Ports as every Service and NetworkPolicy names them. */
const PORTS = {
  grpc: { name: "grpc", containerPort: GRPC_PORT },
  http: { name: "http", containerPort: HTTP_PORT },
  remoteWrite: { name: "remote-write", containerPort: REMOTE_WRITE_PORT },
};

/** Volumes of the files that a routing receiver reads again when they change, and where they are mounted. */
interface MountedFiles {
  volumes: k8s.types.input.core.v1.Volume[];
  mounts: k8s.types.input.core.v1.VolumeMount[];
}

/**
 * The ring of receivers: StatefulSets (one, or one a zone), the hashring file, the Services for peers, queriers and senders, and a budget for disruptions;
 * in `split` mode also the routers that senders reach instead.
 */
export class Receive extends pulumi.ComponentResource {
  /** The StatefulSets, for what must be updated after them. */
  readonly sets: k8s.apps.v1.StatefulSet[];

  constructor(name: string, args: ReceiveArgs, opts?: pulumi.ComponentResourceOptions) {
    super(componentType("Receive"), name, {}, opts);
    const { plan, receive } = args;
    const { settings } = plan;
    const metadata = (objectName: string, identity: Identity = IDENTITY) => ({
      name: objectName,
      namespace: args.namespace,
      labels: commonLabels(identity, imageVersion(plan.settings.images.thanos)),
    });
    const split = receive.settings.mode === "split";

    const account = new k8s.core.v1.ServiceAccount(
      name,
      {
        metadata: {
          ...metadata(RECEIVE_APP),
          ...(args.bucket === undefined ? {} : { annotations: args.bucket.serviceAccountAnnotations }),
        },
        automountServiceAccountToken: false,
      },
      { parent: this },
    );
    this.services(name, receive.settings, metadata);
    const files = this.files(name, args, metadata);

    this.sets = [];
    for (const set of receive.sets) {
      // One zone after the other: the next is touched when every receiver of the one before is Ready again (and has been for a while, by its gate).
      const previous = this.sets.filter((_, index) => receive.sets[index]?.ring === set.ring).slice(-1);
      this.sets.push(
        new k8s.apps.v1.StatefulSet(
          set.name,
          {
            metadata: { ...metadata(set.name, set.identity), ...volumeSizeMetadata(receive.settings.storage) },
            spec: this.receiverSpec(args, set, account.metadata.name, split ? undefined : files),
          },
          {
            parent: this,
            dependsOn: [...args.volumes, ...previous],
            protect: protectsStorage(settings),
            hooks: args.gates.receivers(set),
            ignoreChanges: unchangedByGrowth(receive.settings.storage),
            customTimeouts: { create: ROLLOUT_TIMEOUT, update: ROLLOUT_TIMEOUT, delete: "1h" },
          },
        ),
      );
    }
    if (receive.settings.replicationFactor > 1) {
      new k8s.policy.v1.PodDisruptionBudget(
        name,
        {
          metadata: metadata(RECEIVE_APP),
          spec: {
            maxUnavailable: tolerableReceivers(receive.settings.replicationFactor),
            selector: { matchLabels: { "app.kubernetes.io/name": RECEIVE_APP } },
            // A pod that is not Ready anyway must not keep a node from being drained.
            unhealthyPodEvictionPolicy: "AlwaysAllow",
          },
        },
        { parent: this },
      );
    }
    if (split) this.routers(name, args, metadata, account.metadata.name, files);
    this.registerOutputs({});
  }

  private services(
    name: string,
    settings: ReceiveSettings,
    metadata: (objectName: string, identity?: Identity) => k8s.types.input.meta.v1.ObjectMeta,
  ): void {
    const receivers = { "app.kubernetes.io/name": RECEIVE_APP, "app.kubernetes.io/component": "receive" };
    const headless = { clusterIP: "None", selector: receivers };
    const port = (each: { name: string; containerPort: number }) => ({ name: each.name, port: each.containerPort, targetPort: each.name });
    new k8s.core.v1.Service(
      `${name}-peers`,
      {
        metadata: metadata(PEER_SERVICE),
        spec: { ...headless, ports: [port(PORTS.grpc)], publishNotReadyAddresses: settings.publishNotReadyPeers },
      },
      { parent: this },
    );
    new k8s.core.v1.Service(
      `${name}-stores`,
      { metadata: metadata(STORE_SERVICE), spec: { ...headless, ports: [port(PORTS.grpc)] } },
      { parent: this },
    );
    new k8s.core.v1.Service(
      name,
      {
        metadata: metadata(RECEIVE_SERVICE),
        spec: {
          type: "ClusterIP",
          selector: settings.mode === "split" ? selectorLabels(ROUTER_IDENTITY) : receivers,
          ports: [port(PORTS.remoteWrite)],
        },
      },
      { parent: this },
    );
  }

  private files(
    name: string,
    args: ReceiveArgs,
    metadata: (objectName: string, identity?: Identity) => k8s.types.input.meta.v1.ObjectMeta,
  ): MountedFiles {
    const { plan, receive } = args;
    new k8s.core.v1.ConfigMap(
      `${name}-hashrings`,
      { metadata: metadata(HASHRINGS_CONFIG_MAP), data: { [HASHRINGS_FILE]: receive.hashringsFile } },
      { parent: this, hooks: args.gates.hashrings },
    );
    new k8s.core.v1.ConfigMap(
      `${name}-limits`,
      {
        metadata: metadata(LIMITS_CONFIG_MAP),
        data: { [LIMITS_FILE]: receiveLimitsFile(receive.settings, plan.addresses.querierUrl) },
      },
      { parent: this },
    );
    // Named by their text, not by the objects: receivers must not depend on the ring, or no update could wait for the receivers first.
    const files: { volume: string; configMap: pulumi.Input<string>; folder: string }[] = [
      { volume: "hashrings", configMap: HASHRINGS_CONFIG_MAP, folder: HASHRINGS_FOLDER },
      { volume: "limits", configMap: LIMITS_CONFIG_MAP, folder: LIMITS_FOLDER },
    ];
    if (receive.settings.relabel.length > 0) {
      const relabel = new k8s.core.v1.ConfigMap(
        `${name}-relabel`,
        {
          metadata: { namespace: args.namespace, labels: commonLabels(IDENTITY) },
          immutable: true,
          data: { [RELABEL_FILE]: stringify(receive.settings.relabel) },
        },
        { parent: this },
      );
      files.push({ volume: "relabel", configMap: relabel.metadata.name, folder: RELABEL_FOLDER });
    }
    return {
      volumes: files.map((file) => ({ name: file.volume, configMap: { name: file.configMap } })),
      mounts: files.map((file) => ({ name: file.volume, mountPath: file.folder, readOnly: true })),
    };
  }

  private receiverSpec(
    { plan, receive: { settings: receive }, bucket }: ReceiveArgs,
    set: ReceiverSet,
    account: pulumi.Input<string>,
    files: MountedFiles | undefined,
  ): k8s.types.input.apps.v1.StatefulSetSpec {
    const { cluster, namespace } = plan.settings;
    const role: ReceiverRole = files === undefined ? "ingester" : "router-ingester";
    const localEndpoint = `$(POD_NAME).${PEER_SERVICE}.${namespace}.svc.${cluster.domain}:${GRPC_PORT}`;
    return {
      serviceName: PEER_SERVICE,
      replicas: set.replicas,
      // Readiness depends on no peer, so all start at once; a rolling update still goes one by one.
      podManagementPolicy: "Parallel",
      minReadySeconds: receive.rollout.minReadySeconds,
      persistentVolumeClaimRetentionPolicy: claimRetention(receive.storage),
      selector: { matchLabels: selectorLabels(set.identity) },
      volumeClaimTemplates: [volumeClaimTemplate(receive.storage, set.identity)],
      template: {
        metadata: { labels: commonLabels(set.identity, imageVersion(plan.settings.images.thanos)) },
        spec: {
          serviceAccountName: account,
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          securityContext: podSecurityContext(THANOS_USER),
          terminationGracePeriodSeconds: receive.rollout.gracePeriodSeconds,
          affinity: {
            // Within the set: another zone's receivers are on other nodes anyway, another ring's hold no copy of these series.
            ...hostAntiAffinity(receive.antiAffinity, selectorLabels(set.identity)),
            ...inZone(set.zone),
          },
          containers: [
            {
              name: "thanos-receive",
              image: plan.settings.images.thanos,
              imagePullPolicy: "IfNotPresent",
              args: receiveFlags(receive, plan.settings, role, localEndpoint),
              env: [POD_NAME_ENV],
              ports: files === undefined ? [PORTS.grpc, PORTS.http] : [PORTS.grpc, PORTS.http, PORTS.remoteWrite],
              resources: containerResources(receive.resources),
              securityContext: containerSecurityContext(),
              ...probes("http"),
              ...drainPause(receive.rollout.preStopSeconds),
              volumeMounts: [{ name: DATA_VOLUME, mountPath: RECEIVE_DATA }, ...(files?.mounts ?? []), ...(bucket?.mounts ?? [])],
            },
          ],
          ...(files === undefined && bucket === undefined ? {} : { volumes: [...(files?.volumes ?? []), ...(bucket?.volumes ?? [])] }),
        },
      },
    };
  }

  private routers(
    name: string,
    { plan, receive: { settings: receive } }: ReceiveArgs,
    metadata: (objectName: string, identity?: Identity) => k8s.types.input.meta.v1.ObjectMeta,
    account: pulumi.Input<string>,
    files: MountedFiles,
  ): void {
    const { cluster } = plan.settings;
    new k8s.apps.v1.Deployment(
      `${name}-router`,
      {
        metadata: metadata(ROUTER_APP, ROUTER_IDENTITY),
        spec: {
          replicas: receive.routers.replicas,
          minReadySeconds: 5,
          strategy: rollingUpdate(receive.routers.antiAffinity, receive.routers.replicas),
          selector: { matchLabels: selectorLabels(ROUTER_IDENTITY) },
          template: {
            metadata: { labels: commonLabels(ROUTER_IDENTITY, imageVersion(plan.settings.images.thanos)) },
            spec: {
              serviceAccountName: account,
              automountServiceAccountToken: false,
              enableServiceLinks: false,
              securityContext: podSecurityContext(THANOS_USER),
              terminationGracePeriodSeconds: 150 + receive.rollout.preStopSeconds,
              affinity: hostAntiAffinity(receive.routers.antiAffinity, selectorLabels(ROUTER_IDENTITY)),
              ...zoneSpread(cluster.zones, ROUTER_IDENTITY),
              containers: [
                {
                  name: "thanos-receive-router",
                  image: plan.settings.images.thanos,
                  imagePullPolicy: "IfNotPresent",
                  args: receiveFlags(receive, plan.settings, "router", ""),
                  env: [POD_NAME_ENV],
                  ports: [PORTS.grpc, PORTS.http, PORTS.remoteWrite],
                  resources: containerResources(receive.routers.resources),
                  securityContext: containerSecurityContext(),
                  ...probes("http"),
                  ...drainPause(receive.rollout.preStopSeconds),
                  // A router stores nothing, but opens the folder of its data.
                  volumeMounts: [{ name: DATA_VOLUME, mountPath: RECEIVE_DATA }, ...files.mounts],
                },
              ],
              volumes: [{ name: DATA_VOLUME, emptyDir: {} }, ...files.volumes],
            },
          },
        },
      },
      // Ingesters before routers: a newer router may send what an older ingester does not understand (thanos #8882).
      { parent: this, dependsOn: this.sets },
    );
    if (receive.routers.replicas > 1) {
      new k8s.policy.v1.PodDisruptionBudget(
        `${name}-router`,
        {
          metadata: metadata(ROUTER_APP, ROUTER_IDENTITY),
          spec: {
            maxUnavailable: 1,
            selector: { matchLabels: selectorLabels(ROUTER_IDENTITY) },
            unhealthyPodEvictionPolicy: "AlwaysAllow",
          },
        },
        { parent: this },
      );
    }
  }
}
