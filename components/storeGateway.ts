import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { VolumeGates } from "../gates/volumeGrowth";
import { GRPC_PORT, HTTP_PORT } from "../model/hashring";
import {
  CHUNK_CACHE_APP,
  type HistoryPlan,
  INDEX_CACHE_APP,
  STORE_GATEWAY_APP,
  STORE_GATEWAY_SERVICE,
  type StoreGatewaySet,
} from "../model/history";
import { HISTORY_CONFIG_FOLDER, STORE_GATEWAY_DATA, storeFlags, storeGatewayFiles } from "../model/historyFlags";
import { commonLabels, type Identity, selectorLabels } from "../model/labels";
import type { StackPlan } from "../model/plan";
import {
  containerResources,
  containerSecurityContext,
  drainPause,
  hostAntiAffinity,
  podSecurityContext,
  probes,
  zoneSpread,
} from "../model/pod";
import { claimRetention, DATA_VOLUME, unchangedByGrowth, volumeClaimTemplate, volumeSizeMetadata } from "../model/storage";
import { imageVersion } from "../model/versions";
import { memcached } from "./memcached";
import type { ObjectStorage } from "./objectStorage";
import { componentType } from "./types";

/** What {@link StoreGateway} needs. */
export interface StoreGatewayArgs {
  plan: StackPlan;
  history: HistoryPlan;
  /** Namespace, known when it exists. */
  namespace: pulumi.Input<string>;
  /** What must exist before a pod is made: volumes of the nodes' own disks. */
  volumes: pulumi.Resource[];
  bucket: ObjectStorage;
  /** Hooks of the engine that let volumes grow in place. */
  growth: VolumeGates;
}

const IDENTITY: Identity = { app: STORE_GATEWAY_APP, component: "store-gateway" };

/** Seconds between leaving the Service and the end of the process. */
const DRAIN_SECONDS = 5;
/** Seconds that Thanos gives queries in flight (`--grpc-grace-period`), and some to close. */
const GRACE_SECONDS = DRAIN_SECONDS + 120 + 25;

/**
 * Store gateways: a StatefulSet for each part of the bucket, the Service under which queriers find all of them, and their caches. What they hold is fetched again when it is lost, so
 * nothing here is protected. Queriers ask every replica of a part and drop what is equal: in a group of endpoints one that dies would take the queries in flight along.
 */
export class StoreGateway extends pulumi.ComponentResource {
  constructor(name: string, args: StoreGatewayArgs, opts?: pulumi.ComponentResourceOptions) {
    super(componentType("StoreGateway"), name, {}, opts);
    const { plan, history, bucket } = args;
    const { images } = plan.settings;
    const { storage } = history.objectStorage.storeGateway;
    const metadata = (objectName: string, identity: Identity = IDENTITY) => ({
      name: objectName,
      namespace: args.namespace,
      labels: commonLabels(identity, imageVersion(images.thanos)),
    });
    for (const cache of history.caches) {
      const { identity, replicas, memory } = cache;
      memcached(`${name}-${identity.component}`, { namespace: args.namespace, identity, image: images.memcached, replicas, memory }, this);
    }
    const account = new k8s.core.v1.ServiceAccount(
      name,
      {
        metadata: { ...metadata(STORE_GATEWAY_APP), annotations: bucket.serviceAccountAnnotations },
        automountServiceAccountToken: false,
      },
      { parent: this },
    );
    new k8s.core.v1.Service(
      name,
      {
        metadata: metadata(STORE_GATEWAY_SERVICE),
        spec: {
          clusterIP: "None",
          selector: { "app.kubernetes.io/name": IDENTITY.app, "app.kubernetes.io/component": IDENTITY.component },
          ports: [{ name: "grpc", port: GRPC_PORT, targetPort: "grpc" }],
        },
      },
      { parent: this },
    );
    const host = (app: string) => `dnssrv+_memcached._tcp.${app}.${plan.settings.namespace}.svc.${plan.settings.cluster.domain}`;
    for (const set of history.storeGatewaySets) {
      const files = new k8s.core.v1.ConfigMap(
        `${set.name}-config`,
        {
          metadata: { namespace: args.namespace, labels: commonLabels(set.identity) },
          immutable: true,
          data: storeGatewayFiles(history.objectStorage, set.blocks, {
            indexCache: host(INDEX_CACHE_APP),
            chunkCache: host(CHUNK_CACHE_APP),
          }),
        },
        { parent: this },
      );
      new k8s.apps.v1.StatefulSet(
        set.name,
        {
          metadata: { ...metadata(set.name, set.identity), ...volumeSizeMetadata(storage) },
          spec: this.setSpec(args, set, account.metadata.name, files.metadata.name),
        },
        {
          parent: this,
          dependsOn: args.volumes,
          hooks: args.growth(set),
          ignoreChanges: unchangedByGrowth(storage),
          customTimeouts: { create: "1h", update: "1h", delete: "30m" },
        },
      );
      if (set.replicas > 1) {
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

  private setSpec(
    { plan, history, bucket }: StoreGatewayArgs,
    set: StoreGatewaySet,
    account: pulumi.Input<string>,
    files: pulumi.Input<string>,
  ): k8s.types.input.apps.v1.StatefulSetSpec {
    const { storeGateway } = history.objectStorage;
    const selector = selectorLabels(set.identity);
    return {
      serviceName: STORE_GATEWAY_SERVICE,
      replicas: set.replicas,
      podManagementPolicy: "Parallel",
      // Queriers look for new ones in turn; until then the other one answers alone.
      minReadySeconds: set.replicas > 1 ? 10 : 0,
      persistentVolumeClaimRetentionPolicy: claimRetention(storeGateway.storage),
      selector: { matchLabels: selector },
      volumeClaimTemplates: [volumeClaimTemplate(storeGateway.storage, set.identity)],
      template: {
        metadata: { labels: commonLabels(set.identity, imageVersion(plan.settings.images.thanos)) },
        spec: {
          serviceAccountName: account,
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          securityContext: podSecurityContext(history.user),
          terminationGracePeriodSeconds: GRACE_SECONDS,
          affinity: hostAntiAffinity(storeGateway.antiAffinity, selector),
          // Directories of nodes say where the pods are.
          ...(storeGateway.storage.hostPath === undefined ? zoneSpread(plan.settings.cluster.zones, set.identity, "overall") : {}),
          containers: [
            {
              name: "thanos-store-gateway",
              image: plan.settings.images.thanos,
              imagePullPolicy: "IfNotPresent",
              args: storeFlags(history.objectStorage, set.blocks),
              ports: [
                { name: "grpc", containerPort: GRPC_PORT },
                { name: "http", containerPort: HTTP_PORT },
              ],
              resources: containerResources(storeGateway.resources),
              securityContext: containerSecurityContext(),
              ...probes("http"),
              ...drainPause(DRAIN_SECONDS),
              volumeMounts: [
                { name: DATA_VOLUME, mountPath: STORE_GATEWAY_DATA },
                { name: "config", mountPath: HISTORY_CONFIG_FOLDER, readOnly: true },
                ...bucket.mounts,
              ],
            },
          ],
          volumes: [{ name: "config", configMap: { name: files } }, ...bucket.volumes],
        },
      },
    };
  }
}
