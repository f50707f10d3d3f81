import type * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Credentials } from "../model/credentials/rules";
import type { Addresses } from "../model/kubernetes/addresses";
import { choicesFor } from "../model/kubernetes/choices";
import { RULER_APP, RULER_SERVICE } from "../model/kubernetes/identities";
import { ownPods, selectorLabels } from "../model/kubernetes/labels";
import { scratchVolume } from "../model/kubernetes/localDisk";
import { container, hostAntiAffinity, POD_NAME_ENV, probes, THANOS_USER, zoneSpread } from "../model/kubernetes/pod";
import { GRPC, HTTP } from "../model/kubernetes/ports";
import { DATA_VOLUME } from "../model/kubernetes/storage";
import {
  hasAlertingFile,
  RULER_ALERTING_DIRECTORY,
  RULER_ALERTING_FILE,
  RULER_DATA,
  RULER_REMOTE_WRITE_DIRECTORY,
  RULER_REMOTE_WRITE_FILE,
  RULER_RULES_DIRECTORY,
  rulerAlertingConfig,
  rulerFlags,
  rulerProcess,
  rulerRemoteWriteConfig,
} from "../model/ruler/flags";
import type { RulerPlan } from "../model/ruler/plan";
import { protectsStorage } from "../model/settings/protection";
import { durationSeconds } from "../model/values/quantity";
import { componentType } from "../objects/componentType";
import { credentialFiles } from "../objects/credentials";
import { type Telemetry, telemetry } from "../objects/telemetry";
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
} from "../objects/workload";
import type { Certificates } from "./certificates";
import type { ObjectStorage } from "./objectStorage";

/** Arguments of {@link Ruler}. */
export interface RulerArgs extends StatefulArgs {
  /** Priority class of pods that hold samples which are nowhere else; undefined where the stack makes none. */
  dataPriority: pulumi.Input<string> | undefined;
  ruler: RulerPlan;
  addresses: Pick<Addresses, "remoteWriteUrl" | "queryGrpcAddress" | "queryUrl">;
  /** Rule files by name. */
  rules: Record<string, string>;
  /** Credentials that are files, by name. */
  credentials: Credentials;
  /** Where a stateful ruler uploads blocks; undefined without a bucket. */
  bucket: ObjectStorage | undefined;
  /** Certificates of the components; undefined where nothing is encrypted. */
  certificates: Certificates | undefined;
}

/**
 * Most of a stateless ruler's log, which holds what the ring has not taken, four hours at most (prometheus tsdb/agent `MaxWALTime`): some
 * 25,000 results every 15 s, at 10 bytes each with room for the part that is being cut.
 */
const LOG_SIZE = "1Gi";

/** Longest wait for a rolling update: each ruler may replay its log. */
const ROLLOUT_TIMEOUT = "1h";

/**
 * The rulers: a StatefulSet, since a ruler's name is the label that tells its results from the others', with the rule files, the headless
 * Service that names the pods, and a budget for disruptions. Rule files and remote-write configuration are immutable and named by content:
 * a change rolls the rulers one by one, and what does not load stops the first.
 */
export class Ruler extends pulumi.ComponentResource {
  /** The StatefulSet, for what must be updated after it. */
  readonly set: k8s.apps.v1.StatefulSet;

  constructor(name: string, args: RulerArgs, opts?: pulumi.ComponentResourceOptions) {
    super(componentType("Ruler"), name, {}, opts);
    const { settings, ruler, namespace } = args;
    const { identity } = ruler;
    const { images, existingNamespace } = settings;
    // A stateless one uploads nothing.
    const bucket = ruler.stores ? args.bucket : undefined;
    const { thanos: image } = images;
    const workload: Workload = {
      identity,
      namespace,
      existingNamespace,
      image,
      user: THANOS_USER,
      choices: choicesFor(settings, ruler.settings),
      accountAnnotations: bucket?.serviceAccountAnnotations,
      parent: this,
    };
    const serviceAccountName = serviceAccount(name, workload);
    service(name, workload, RULER_SERVICE, GRPC, HEADLESS);
    const credentials = credentialFiles(name, workload, "ruler", settings, args.credentials);
    const told = telemetry(name, workload, settings, rulerProcess(ruler.settings), [POD_NAME_ENV, ...(bucket?.env ?? [])]);
    const files = {
      ...told,
      ...together(this.files(name, workload, args), credentials, told, bucket, args.certificates?.mounted("ruler")),
    };
    this.set = statefulSet(name, workload, this.rulerSpec(args, serviceAccountName, files), {
      dependsOn: args.volumes,
      hooks: args.growth(ruler),
      // Only what keeps samples is worth the protection.
      protect: ruler.stores && protectsStorage(settings),
      customTimeouts: { create: ROLLOUT_TIMEOUT, update: ROLLOUT_TIMEOUT, delete: "30m" },
    });
    if (ruler.replicas > 1) disruptionBudget(name, workload);
    this.registerOutputs({});
  }

  /** Files that a ruler reads at its start. */
  private files(name: string, workload: Workload, { settings, addresses, ruler, rules }: RulerArgs): Mounted {
    const alertmanagers = { [RULER_ALERTING_FILE]: rulerAlertingConfig(settings) };
    const ruleFiles = together(
      immutableFiles(name, "rules", workload, RULER_RULES_DIRECTORY, rules),
      hasAlertingFile(settings) ? immutableFiles(name, "alertmanagers", workload, RULER_ALERTING_DIRECTORY, alertmanagers) : undefined,
    );
    if (ruler.settings.mode !== "stateless") return ruleFiles;
    const { remoteWriteUrl } = addresses;
    if (remoteWriteUrl === undefined) throw new pulumi.ResourceError("a stateless ruler has no ring to write into", this);
    const remoteWrite = { [RULER_REMOTE_WRITE_FILE]: rulerRemoteWriteConfig(settings, remoteWriteUrl) };
    return together(ruleFiles, immutableFiles(name, "remote-write", workload, RULER_REMOTE_WRITE_DIRECTORY, remoteWrite));
  }

  private rulerSpec(
    { settings, addresses, ruler, dataPriority }: RulerArgs,
    serviceAccountName: pulumi.Input<string>,
    files: Telemetry,
  ): StatefulSetArgs {
    const { settings: own, storage, identity } = ruler;
    const { cluster, images } = settings;
    const pods = ownPods(settings, selectorLabels(identity));
    return {
      serviceName: RULER_SERVICE,
      replicas: ruler.replicas,
      podManagementPolicy: "Parallel",
      // One of several has evaluated again before the next goes.
      minReadySeconds: ruler.replicas > 1 ? Math.ceil(durationSeconds(own.evaluationInterval)) : 0,
      storage,
      restartedAt: own.rollout.restartedAt,
      pod: {
        serviceAccountName,
        // A stateless one holds nothing.
        priorityClassName: ruler.stores ? dataPriority : undefined,
        // Above the two minutes that requests in flight have (--http-grace-period).
        terminationGracePeriodSeconds: 150,
        affinity: hostAntiAffinity(own.antiAffinity, pods),
        // Directories of nodes say where the pods are.
        ...(storage?.hostPath === undefined ? zoneSpread(cluster.zones, pods, "overall") : {}),
        containers: [
          {
            ...container(RULER_APP, images.thanos, own.resources, storage === undefined ? LOG_SIZE : undefined),
            args: rulerFlags(settings, own, addresses),
            ...(files.env && { env: files.env }),
            ports: [GRPC, HTTP],
            // A stateful ruler replays its log before it opens a port (thanos #4280): liveness begins when the start has ended.
            ...probes("http"),
            volumeMounts: [{ name: DATA_VOLUME, mountPath: RULER_DATA }, ...files.mounts],
          },
        ],
        // Samples not sent before a restart are not sent after it either (prometheus tsdb/wlog `Watcher.SetStartTime`), so a
        // stateless ruler's log needs no volume.
        volumes: [...(storage === undefined ? [scratchVolume(DATA_VOLUME, LOG_SIZE)] : []), ...files.volumes],
      },
    };
  }
}
