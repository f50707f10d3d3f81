import type * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { ownPods, selectorLabels } from "../model/labels";
import { scratchVolume } from "../model/localDisk";
import { container, GRPC, HTTP, hostAntiAffinity, POD_NAME_ENV, probes, THANOS_USER, zoneSpread } from "../model/pod";
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
import { DATA_VOLUME } from "../model/storage";
import type { ObjectStorage } from "./objectStorage";
import { componentType } from "./types";
import {
  disruptionBudget,
  HEADLESS,
  immutableFiles,
  type Mounted,
  type StatefulArgs,
  type StatefulSetArgs,
  service,
  serviceAccount,
  statefulSet,
  together,
  type Workload,
} from "./workload";

/** What {@link Ruler} needs. */
export interface RulerArgs extends StatefulArgs {
  /** Priority class of pods that hold samples which are nowhere else; undefined where the stack makes none. */
  dataPriority: pulumi.Input<string> | undefined;
  ruler: RulerPlan;
  /** Rule files by name. */
  rules: Record<string, string>;
  /** Where a stateful ruler uploads blocks; undefined without a bucket. */
  bucket: ObjectStorage | undefined;
}

/**
 * Most of a stateless ruler's log, which holds what the ring has not taken, four hours at most (prometheus tsdb/agent `MaxWALTime`): some 25,000 results every 15 s, at 10 bytes each with
 * room for the part that is being cut.
 */
const LOG_SIZE = "1Gi";

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
    const { plan, ruler, namespace } = args;
    const { identity } = ruler;
    const { images, existingNamespace } = plan.settings;
    // A stateless one uploads nothing.
    const bucket = ruler.stores ? args.bucket : undefined;
    const { thanos: image } = images;
    const podLabels = bucket?.podLabels;
    const workload: Workload = { identity, namespace, existingNamespace, image, user: THANOS_USER, podLabels, parent: this };
    const serviceAccountName = serviceAccount(name, workload, bucket?.serviceAccountAnnotations);
    service(name, workload, RULER_SERVICE, GRPC, HEADLESS);
    const files = together(this.files(name, workload, args), bucket);
    this.set = statefulSet(name, workload, this.rulerSpec(args, serviceAccountName, files), {
      dependsOn: args.volumes,
      hooks: args.growth(ruler),
      // Only what keeps samples is worth the protection.
      protect: ruler.stores && protectsStorage(plan.settings),
      customTimeouts: { create: ROLLOUT_TIMEOUT, update: ROLLOUT_TIMEOUT, delete: "30m" },
    });
    if (ruler.replicas > 1) disruptionBudget(name, workload);
    this.registerOutputs({});
  }

  /** What a ruler reads at its start. */
  private files(name: string, workload: Workload, { plan, ruler, rules }: RulerArgs): Mounted {
    const ruleFiles = immutableFiles(name, "rules", workload, RULER_RULES_FOLDER, rules);
    if (ruler.settings.mode !== "stateless") return ruleFiles;
    const { remoteWriteUrl } = plan.addresses;
    if (remoteWriteUrl === undefined) throw new pulumi.ResourceError("a stateless ruler has no ring to write into", this);
    const remoteWrite = { [RULER_REMOTE_WRITE_FILE]: rulerRemoteWriteConfig(plan.settings, remoteWriteUrl) };
    return together(ruleFiles, immutableFiles(name, "remote-write", workload, RULER_REMOTE_WRITE_FOLDER, remoteWrite));
  }

  private rulerSpec({ plan, ruler, dataPriority }: RulerArgs, serviceAccountName: pulumi.Input<string>, files: Mounted): StatefulSetArgs {
    const { settings, storage, identity } = ruler;
    const { cluster, images } = plan.settings;
    const pods = ownPods(plan.settings, selectorLabels(identity));
    return {
      serviceName: RULER_SERVICE,
      replicas: ruler.replicas,
      podManagementPolicy: "Parallel",
      // One of several has evaluated again before the next goes.
      minReadySeconds: ruler.replicas > 1 ? Math.ceil(durationSeconds(settings.evaluationInterval)) : 0,
      storage,
      restartedAt: settings.rollout.restartedAt,
      pod: {
        serviceAccountName,
        // A stateless one holds nothing.
        priorityClassName: ruler.stores ? dataPriority : undefined,
        // Above the two minutes that requests in flight have (--http-grace-period).
        terminationGracePeriodSeconds: 150,
        affinity: hostAntiAffinity(settings.antiAffinity, pods),
        // Directories of nodes say where the pods are.
        ...(storage?.hostPath === undefined ? zoneSpread(cluster.zones, pods, "overall") : {}),
        containers: [
          {
            ...container(RULER_APP, images.thanos, settings.resources, storage === undefined ? LOG_SIZE : undefined),
            args: rulerFlags(plan.settings, settings, plan.addresses),
            env: [POD_NAME_ENV],
            ports: [GRPC, HTTP],
            // A stateful ruler replays its log before it opens a port (thanos #4280): liveness begins when the start has ended.
            ...probes("http"),
            volumeMounts: [{ name: DATA_VOLUME, mountPath: RULER_DATA }, ...files.mounts],
          },
        ],
        // What was not sent before a restart is not sent after it either (prometheus tsdb/wlog `Watcher.SetStartTime`), so a stateless ruler's log needs no volume.
        volumes: [...(storage === undefined ? [scratchVolume(DATA_VOLUME, LOG_SIZE)] : []), ...files.volumes],
      },
    };
  }
}
