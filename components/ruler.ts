import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { VolumeGates } from "../gates/volumeGrowth";
import { GRPC_PORT, HTTP_PORT } from "../model/hashring";
import { commonLabels, selectorLabels } from "../model/labels";
import type { StackPlan } from "../model/plan";
import {
  containerResources,
  containerSecurityContext,
  hostAntiAffinity,
  POD_NAME_ENV,
  podSecurityContext,
  probes,
  THANOS_USER,
  zoneSpread,
} from "../model/pod";
import { protectsStorage } from "../model/protection";
import { durationSeconds } from "../model/quantity";
import {
  RULER_APP,
  RULER_DATA,
  RULER_REMOTE_WRITE_FILE,
  RULER_REMOTE_WRITE_FOLDER,
  RULER_RULES_FOLDER,
  RULER_SERVICE,
  type RulerPlan,
  rulerFlags,
  rulerRemoteWriteConfig,
} from "../model/ruler";
import { claimRetention, DATA_VOLUME, unchangedByGrowth, volumeClaimTemplate, volumeSizeMetadata } from "../model/storage";
import { imageVersion } from "../model/versions";
import type { ObjectStorage } from "./objectStorage";
import { componentType } from "./types";

/** What {@link Ruler} needs. */
export interface RulerArgs {
  plan: StackPlan;
  ruler: RulerPlan;
  /** Namespace, known when it exists. */
  namespace: pulumi.Input<string>;
  /** Rule files by name. */
  rules: Record<string, string>;
  /** What must exist before a pod is made: volumes of the nodes' own disks. */
  volumes: pulumi.Resource[];
  /** Where a stateful ruler uploads blocks; undefined without a bucket. */
  bucket: ObjectStorage | undefined;
  /** Hooks of the engine that let volumes grow in place. */
  growth: VolumeGates;
}

/** A file that the ruler reads at its start, and where. */
interface MountedFile {
  volume: string;
  configMap: pulumi.Input<string>;
  folder: string;
}

/** Longest wait for a rolling update: each ruler may replay its log. */
const ROLLOUT_TIMEOUT = "1h";

/**
 * The rulers: a StatefulSet, since a ruler's name is the label that tells its results from the others', with the rule files, the headless Service that names the pods, and a budget for
 * disruptions. Rule files and remote-write configuration are immutable and named by content: a change rolls the rulers one by one, and what does not load stops the first.
 */
export class Ruler extends pulumi.ComponentResource {
  /** The StatefulSet, for what must be updated after it. */
  readonly set: k8s.apps.v1.StatefulSet;

  constructor(name: string, args: RulerArgs, opts?: pulumi.ComponentResourceOptions) {
    super(componentType("Ruler"), name, {}, opts);
    const { plan, ruler } = args;
    // A stateless one uploads nothing.
    const bucket = ruler.stores ? args.bucket : undefined;
    const storage = ruler.storage ?? {};
    const metadata = (objectName: string) => ({
      name: objectName,
      namespace: args.namespace,
      labels: commonLabels(ruler.identity, imageVersion(plan.settings.images.thanos)),
    });
    const selector = selectorLabels(ruler.identity);

    const account = new k8s.core.v1.ServiceAccount(
      name,
      {
        metadata: { ...metadata(ruler.name), ...(bucket === undefined ? {} : { annotations: bucket.serviceAccountAnnotations }) },
        automountServiceAccountToken: false,
      },
      { parent: this },
    );
    new k8s.core.v1.Service(
      name,
      {
        metadata: metadata(RULER_SERVICE),
        spec: { clusterIP: "None", selector, ports: [{ name: "grpc", port: GRPC_PORT, targetPort: "grpc" }] },
      },
      { parent: this },
    );
    const files = this.files(name, args);
    this.set = new k8s.apps.v1.StatefulSet(
      name,
      {
        metadata: { ...metadata(ruler.name), ...volumeSizeMetadata(storage) },
        spec: this.rulerSpec(plan, ruler, account.metadata.name, files, bucket),
      },
      {
        parent: this,
        dependsOn: args.volumes,
        hooks: args.growth(ruler),
        ignoreChanges: unchangedByGrowth(storage),
        // Only what keeps samples is worth the protection.
        protect: ruler.stores && protectsStorage(plan.settings),
        customTimeouts: { create: ROLLOUT_TIMEOUT, update: ROLLOUT_TIMEOUT, delete: "30m" },
      },
    );
    if (ruler.replicas > 1) {
      new k8s.policy.v1.PodDisruptionBudget(
        name,
        {
          metadata: metadata(ruler.name),
          spec: { maxUnavailable: 1, selector: { matchLabels: selector }, unhealthyPodEvictionPolicy: "AlwaysAllow" },
        },
        { parent: this },
      );
    }
    this.registerOutputs({});
  }

  private files(name: string, args: RulerArgs): MountedFile[] {
    const { plan, ruler } = args;
    const immutable = (role: string, data: Record<string, string>) =>
      new k8s.core.v1.ConfigMap(
        `${name}-${role}`,
        { metadata: { namespace: args.namespace, labels: commonLabels(ruler.identity) }, immutable: true, data },
        { parent: this },
      ).metadata.name;
    const files: MountedFile[] = [{ volume: "rules", configMap: immutable("rules", args.rules), folder: RULER_RULES_FOLDER }];
    if (ruler.settings.mode === "stateless") {
      const { remoteWriteUrl } = plan.addresses;
      if (remoteWriteUrl === undefined) throw new pulumi.ResourceError("a stateless ruler has no ring to write into", this);
      const text = rulerRemoteWriteConfig(plan.settings, remoteWriteUrl);
      files.push({
        volume: "remote-write",
        configMap: immutable("remote-write", { [RULER_REMOTE_WRITE_FILE]: text }),
        folder: RULER_REMOTE_WRITE_FOLDER,
      });
    }
    return files;
  }

  private rulerSpec(
    plan: StackPlan,
    ruler: RulerPlan,
    account: pulumi.Input<string>,
    files: MountedFile[],
    bucket: ObjectStorage | undefined,
  ): k8s.types.input.apps.v1.StatefulSetSpec {
    const { settings, storage, identity } = ruler;
    const { cluster, images } = plan.settings;
    const selector = selectorLabels(identity);
    return {
      serviceName: RULER_SERVICE,
      replicas: ruler.replicas,
      podManagementPolicy: "Parallel",
      // One of several has evaluated again before the next goes.
      minReadySeconds: ruler.replicas > 1 ? Math.ceil(durationSeconds(settings.evaluationInterval)) : 0,
      selector: { matchLabels: selector },
      ...(storage === undefined
        ? {}
        : {
            persistentVolumeClaimRetentionPolicy: claimRetention(storage),
            volumeClaimTemplates: [volumeClaimTemplate(storage, identity)],
          }),
      template: {
        metadata: { labels: commonLabels(identity, imageVersion(images.thanos)) },
        spec: {
          serviceAccountName: account,
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          securityContext: podSecurityContext(THANOS_USER),
          // Above the two minutes that requests in flight have (--http-grace-period).
          terminationGracePeriodSeconds: 150,
          affinity: hostAntiAffinity(settings.antiAffinity, selector),
          // Directories of nodes say where the pods are.
          ...(storage?.hostPath === undefined ? zoneSpread(cluster.zones, identity, "overall") : {}),
          containers: [
            {
              name: RULER_APP,
              image: images.thanos,
              imagePullPolicy: "IfNotPresent",
              args: rulerFlags(plan.settings, settings, plan.addresses),
              env: [POD_NAME_ENV],
              ports: [
                { name: "grpc", containerPort: GRPC_PORT },
                { name: "http", containerPort: HTTP_PORT },
              ],
              resources: containerResources(settings.resources),
              securityContext: containerSecurityContext(),
              // A stateful ruler replays its log before it opens a port (thanos #4280): liveness begins when the start has ended.
              ...probes("http"),
              volumeMounts: [
                { name: DATA_VOLUME, mountPath: RULER_DATA },
                ...files.map((file) => ({ name: file.volume, mountPath: file.folder, readOnly: true })),
                ...(bucket?.mounts ?? []),
              ],
            },
          ],
          volumes: [
            // What was not sent before a restart is not sent after it either (prometheus tsdb/wlog `Watcher.SetStartTime`), so a stateless ruler's log needs no volume.
            ...(storage === undefined ? [{ name: DATA_VOLUME, emptyDir: {} }] : []),
            ...files.map((file) => ({ name: file.volume, configMap: { name: file.configMap } })),
            ...(bucket?.volumes ?? []),
          ],
        },
      },
    };
  }
}
