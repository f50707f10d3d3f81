import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { VolumeGates } from "../gates/volumeGrowth";
import { HTTP_PORT } from "../model/hashring";
import type { HistoryPlan } from "../model/history";
import { COMPACTOR_DATA, compactFlags, compactorFiles, HISTORY_CONFIG_FOLDER } from "../model/historyFlags";
import { commonLabels, selectorLabels } from "../model/labels";
import type { StackPlan } from "../model/plan";
import { containerResources, containerSecurityContext, podSecurityContext, probes } from "../model/pod";
import { claimRetention, DATA_VOLUME, unchangedByGrowth, volumeClaimTemplate, volumeSizeMetadata } from "../model/storage";
import { imageVersion } from "../model/versions";
import type { ObjectStorage } from "./objectStorage";
import { componentType } from "./types";

/** What {@link Compactor} needs. */
export interface CompactorArgs {
  plan: StackPlan;
  history: HistoryPlan;
  /** Namespace, known when it exists. */
  namespace: pulumi.Input<string>;
  /** What must exist before the pod is made: the volume of a node's own disk. */
  volumes: pulumi.Resource[];
  bucket: ObjectStorage;
  /** Hooks of the engine that let volumes grow in place. */
  growth: VolumeGates;
}

/**
 * The compactor: merges, downsamples and drops the bucket's blocks. A StatefulSet, since that never runs a second pod beside one that may still live; two compactors on one bucket
 * would delete each other's blocks. It has no budget for disruptions: what is cut short is begun again.
 */
export class Compactor extends pulumi.ComponentResource {
  constructor(name: string, args: CompactorArgs, opts?: pulumi.ComponentResourceOptions) {
    super(componentType("Compactor"), name, {}, opts);
    const { plan, history, bucket } = args;
    const { compactor } = history.objectStorage;
    const { identity } = history.compactor;
    const version = imageVersion(plan.settings.images.thanos);
    const metadata = { name: history.compactor.name, namespace: args.namespace, labels: commonLabels(identity, version) };
    const account = new k8s.core.v1.ServiceAccount(
      name,
      { metadata: { ...metadata, annotations: bucket.serviceAccountAnnotations }, automountServiceAccountToken: false },
      { parent: this },
    );
    const service = new k8s.core.v1.Service(
      name,
      {
        metadata,
        spec: { clusterIP: "None", selector: selectorLabels(identity), ports: [{ name: "http", port: HTTP_PORT, targetPort: "http" }] },
      },
      { parent: this },
    );
    const files = this.files(name, args);
    new k8s.apps.v1.StatefulSet(
      name,
      {
        metadata: { ...metadata, ...volumeSizeMetadata(compactor.storage) },
        spec: {
          serviceName: service.metadata.name,
          replicas: 1,
          persistentVolumeClaimRetentionPolicy: claimRetention(compactor.storage),
          selector: { matchLabels: selectorLabels(identity) },
          volumeClaimTemplates: [volumeClaimTemplate(compactor.storage, identity)],
          template: {
            metadata: { labels: commonLabels(identity, version) },
            spec: {
              serviceAccountName: account.metadata.name,
              automountServiceAccountToken: false,
              enableServiceLinks: false,
              securityContext: podSecurityContext(history.user),
              // A block that is being uploaded may be finished; one that is not is removed and made again.
              terminationGracePeriodSeconds: 300,
              containers: [
                {
                  name: "thanos-compactor",
                  image: plan.settings.images.thanos,
                  imagePullPolicy: "IfNotPresent",
                  args: compactFlags(history),
                  ports: [{ name: "http", containerPort: HTTP_PORT }],
                  resources: containerResources(compactor.resources),
                  securityContext: containerSecurityContext(),
                  ...probes("http"),
                  volumeMounts: [{ name: DATA_VOLUME, mountPath: COMPACTOR_DATA }, ...files.mounts, ...bucket.mounts],
                },
              ],
              volumes: [...files.volumes, ...bucket.volumes],
            },
          },
        },
      },
      {
        parent: this,
        dependsOn: args.volumes,
        hooks: args.growth(history.compactor),
        ignoreChanges: unchangedByGrowth(compactor.storage),
        customTimeouts: { create: "30m", update: "30m", delete: "30m" },
      },
    );
    this.registerOutputs({});
  }

  /** What says which blocks are left alone; nothing where none are. */
  private files(
    name: string,
    { history, namespace }: CompactorArgs,
  ): { volumes: k8s.types.input.core.v1.Volume[]; mounts: k8s.types.input.core.v1.VolumeMount[] } {
    const data = compactorFiles(history.merging);
    if (Object.keys(data).length === 0) return { volumes: [], mounts: [] };
    const config = new k8s.core.v1.ConfigMap(
      `${name}-config`,
      { metadata: { namespace, labels: commonLabels(history.compactor.identity) }, immutable: true, data },
      { parent: this },
    );
    return {
      volumes: [{ name: "config", configMap: { name: config.metadata.name } }],
      mounts: [{ name: "config", mountPath: HISTORY_CONFIG_FOLDER, readOnly: true }],
    };
  }
}
