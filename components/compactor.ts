import * as pulumi from "@pulumi/pulumi";
import type { CompactorGates } from "../gates/compactorShards";
import { BUCKET_CONFIG_DIRECTORY, COMPACTOR_DATA, compactFlags, compactorFiles, compactorProcess } from "../model/bucket/flags";
import type { BucketPlan } from "../model/bucket/plan";
import { choicesFor } from "../model/kubernetes/choices";
import { ownPods, selectorLabels } from "../model/kubernetes/labels";
import { container, hostAntiAffinity, POD_INDEX_ENV, probes } from "../model/kubernetes/pod";
import { HTTP } from "../model/kubernetes/ports";
import { DATA_VOLUME } from "../model/kubernetes/storage";
import { componentType } from "../objects/componentType";
import { telemetry } from "../objects/telemetry";
import {
  HEADLESS,
  immutableFiles,
  type StatefulArgs,
  service,
  serviceAccount,
  statefulSet,
  together,
  type Workload,
} from "../objects/workload";
import type { ObjectStorage } from "./objectStorage";

/** Arguments of {@link Compactor}. */
export interface CompactorArgs extends StatefulArgs {
  bucketPlan: BucketPlan;
  bucket: ObjectStorage;
  /** Hooks of the engine that end every compactor before blocks are another one's. */
  division: CompactorGates;
}

/**
 * The compactor, or one for each shard: merges, downsamples and drops the bucket's blocks. A StatefulSet, since that never runs a second
 * pod of a number beside one that may still live; two compactors on one block would delete each other's. It has no budget for disruptions:
 * what is cut short is begun again.
 */
export class Compactor extends pulumi.ComponentResource {
  constructor(name: string, args: CompactorArgs, opts?: pulumi.ComponentResourceOptions) {
    super(componentType("Compactor"), name, {}, opts);
    const { settings, bucketPlan, bucket } = args;
    const { images, existingNamespace } = settings;
    const { storage, resources, rollout } = bucketPlan.objectStorage.compactor;
    const { identity, replicas } = bucketPlan.compactor;
    const { thanos: image } = images;
    const workload: Workload = {
      identity,
      namespace: args.namespace,
      existingNamespace,
      image,
      user: bucketPlan.user,
      choices: choicesFor(settings, bucketPlan.objectStorage.compactor),
      accountAnnotations: bucket.serviceAccountAnnotations,
      parent: this,
    };
    const serviceAccountName = serviceAccount(name, workload);
    const headless = service(name, workload, bucketPlan.compactor.name, HTTP, HEADLESS);
    // The file that says which blocks are left alone; none where none are.
    const data = compactorFiles(bucketPlan.merging, replicas);
    const files = Object.keys(data).length === 0 ? undefined : immutableFiles(name, "config", workload, BUCKET_CONFIG_DIRECTORY, data);
    const ownEnv = [...bucket.env, ...(replicas > 1 ? [POD_INDEX_ENV] : [])];
    const { env, ...telemetryFiles } = telemetry(name, workload, settings, compactorProcess(bucketPlan.objectStorage), ownEnv);
    const { volumes, mounts } = together(files, telemetryFiles, bucket);
    const { beforeUpdate = [], ...growth } = args.growth(bucketPlan.compactor);
    statefulSet(
      name,
      workload,
      {
        serviceName: headless.metadata.name,
        replicas,
        storage,
        restartedAt: rollout.restartedAt,
        pod: {
          serviceAccountName,
          // A block that is being uploaded may be finished; one that is not is removed and made again.
          terminationGracePeriodSeconds: 300,
          // Each takes what the largest compaction of its tenants takes.
          ...(replicas > 1 ? { affinity: hostAntiAffinity("soft", ownPods(settings, selectorLabels(identity))) } : {}),
          containers: [
            {
              ...container("thanos-compactor", images.thanos, resources),
              args: compactFlags(settings, bucketPlan),
              ...(env && { env }),
              ports: [HTTP],
              ...probes("http"),
              volumeMounts: [{ name: DATA_VOLUME, mountPath: COMPACTOR_DATA }, ...mounts],
            },
          ],
          volumes,
        },
      },
      {
        dependsOn: args.volumes,
        hooks: { ...growth, beforeUpdate: [...beforeUpdate, ...args.division(bucketPlan.compactor.name)] },
        customTimeouts: { create: "30m", update: "30m", delete: "30m" },
      },
    );
    this.registerOutputs({});
  }
}
