import * as pulumi from "@pulumi/pulumi";
import { BUCKET_CONFIG_DIRECTORY, STORE_GATEWAY_DATA, storeFlags, storeGatewayFiles, storeGatewayProcess } from "../model/bucket/flags";
import type { BucketPlan, StoreGatewaySet } from "../model/bucket/plan";
import { choicesFor } from "../model/kubernetes/choices";
import { CHUNK_CACHE_APP, INDEX_CACHE_APP, STORE_GATEWAY_IDENTITY, STORE_GATEWAY_SERVICE } from "../model/kubernetes/identities";
import { ownPods, selectorLabels } from "../model/kubernetes/labels";
import { container, drainPause, hostAntiAffinity, probes, zoneSpread } from "../model/kubernetes/pod";
import { GRPC, HTTP } from "../model/kubernetes/ports";
import { DATA_VOLUME } from "../model/kubernetes/storage";
import { componentType } from "../objects/componentType";
import { memcached, memcachedAddress } from "../objects/memcached";
import { telemetry } from "../objects/telemetry";
import {
  componentLabels,
  disruptionBudget,
  HEADLESS,
  immutableFiles,
  type StatefulArgs,
  service,
  serviceAccount,
  statefulSet,
  together,
  type Workload,
} from "../objects/workload";
import type { Certificates } from "./certificates";
import type { ObjectStorage } from "./objectStorage";

/** Arguments of {@link StoreGateway}. */
export interface StoreGatewayArgs extends StatefulArgs {
  bucketPlan: BucketPlan;
  bucket: ObjectStorage;
  /** Certificates of the components; undefined where nothing is encrypted. */
  certificates: Certificates | undefined;
}

/** Seconds between leaving the Service and the end of the process. */
const DRAIN_SECONDS = 5;
/** Seconds that Thanos gives queries in flight (`--grpc-grace-period`), and some to close. */
const GRACE_SECONDS = DRAIN_SECONDS + 120 + 25;

/**
 * Store gateways: a StatefulSet for each shard of the bucket, the Service under which queriers find all of them, and their caches. What
 * they hold is fetched again when it is lost, so nothing here is protected. Queriers ask every replica of a shard and drop what is equal:
 * in a group of endpoints one that dies would take the queries in flight along.
 */
export class StoreGateway extends pulumi.ComponentResource {
  constructor(name: string, args: StoreGatewayArgs, opts?: pulumi.ComponentResourceOptions) {
    super(componentType("StoreGateway"), name, {}, opts);
    const { settings, bucketPlan, bucket, namespace } = args;
    const { images, existingNamespace } = settings;
    const { thanos: image } = images;
    const workload: Workload = {
      identity: STORE_GATEWAY_IDENTITY,
      namespace,
      existingNamespace,
      image,
      user: bucketPlan.user,
      choices: choicesFor(settings, bucketPlan.objectStorage.storeGateway),
      accountAnnotations: bucket.serviceAccountAnnotations,
      parent: this,
    };
    const caches = bucketPlan.caches.map((cache) =>
      memcached(`${name}-${cache.identity.component}`, { settings, namespace, ...cache }, this),
    );
    const account = serviceAccount(name, workload);
    service(name, workload, STORE_GATEWAY_SERVICE, GRPC, { ...HEADLESS, selector: componentLabels(STORE_GATEWAY_IDENTITY) });
    for (const set of bucketPlan.storeGatewaySets) {
      const part = { ...workload, identity: set.identity };
      this.part(part, args, set, account, caches);
      if (set.replicas > 1) disruptionBudget(set.name, part);
    }
    this.registerOutputs({});
  }

  private part(
    part: Workload,
    args: StoreGatewayArgs,
    set: StoreGatewaySet,
    serviceAccountName: pulumi.Input<string>,
    cacheServers: readonly pulumi.Resource[],
  ): void {
    const { settings, bucketPlan, bucket, certificates } = args;
    const { storeGateway } = bucketPlan.objectStorage;
    const { cluster, images } = settings;
    const caches = {
      indexCache: memcachedAddress(INDEX_CACHE_APP, settings),
      chunkCache: memcachedAddress(CHUNK_CACHE_APP, settings),
    };
    const files = storeGatewayFiles(bucketPlan.objectStorage, set.blocks, caches);
    const pods = ownPods(settings, selectorLabels(set.identity));
    const { env, ...telemetryFiles } = telemetry(set.name, part, settings, storeGatewayProcess(bucketPlan.objectStorage), bucket.env);
    const { volumes, mounts } = together(
      immutableFiles(set.name, "config", part, BUCKET_CONFIG_DIRECTORY, files),
      telemetryFiles,
      bucket,
      certificates?.mounted("store-gateway"),
    );
    statefulSet(
      set.name,
      part,
      {
        serviceName: STORE_GATEWAY_SERVICE,
        replicas: set.replicas,
        podManagementPolicy: "Parallel",
        // Queriers poll for new ones in turn; until then the other one serves alone.
        minReadySeconds: set.replicas > 1 ? 10 : 0,
        storage: storeGateway.storage,
        restartedAt: storeGateway.rollout.restartedAt,
        pod: {
          serviceAccountName,
          terminationGracePeriodSeconds: GRACE_SECONDS,
          affinity: hostAntiAffinity(storeGateway.antiAffinity, pods),
          // Directories of nodes say where the pods are.
          ...(storeGateway.storage.hostPath === undefined ? zoneSpread(cluster.zones, pods, "overall") : {}),
          containers: [
            {
              ...container("thanos-store-gateway", images.thanos, storeGateway.resources),
              args: storeFlags(settings, bucketPlan.objectStorage, set.blocks),
              ...(env && { env }),
              ports: [GRPC, HTTP],
              ...probes("http"),
              ...drainPause(DRAIN_SECONDS),
              volumeMounts: [{ name: DATA_VOLUME, mountPath: STORE_GATEWAY_DATA }, ...mounts],
            },
          ],
          volumes,
        },
      },
      // A store gateway ends at its start where the name of its cache has no address (Thanos pkg/cacheutil NewMemcachedClientWithConfig).
      {
        dependsOn: [...args.volumes, ...cacheServers],
        hooks: args.growth(set),
        customTimeouts: { create: "1h", update: "1h", delete: "30m" },
      },
    );
  }
}
