import type * as k8s from "@pulumi/kubernetes";
import * as core from "@pulumi/kubernetes/core/v1";
import * as pulumi from "@pulumi/pulumi";
import { type BucketCredentials, objectStorageConfig, objectStorageFiles } from "../model/bucket/config";
import { BUCKET_DIRECTORY, bucketClaim } from "../model/bucket/directory";
import { OBJECT_STORE_DIRECTORY, OBJECT_STORE_FILE } from "../model/bucket/mount";
import { BUCKET_IDENTITY } from "../model/kubernetes/identities";
import { commonLabels } from "../model/kubernetes/labels";
import { bucketProxyEnv } from "../model/kubernetes/proxy";
import type { HostPathVolume } from "../model/kubernetes/storage";
import { protectsStorage } from "../model/settings/protection";
import type { ObjectStorageSettings, Settings } from "../model/settings/schema";
import { componentType } from "../objects/componentType";

/** Arguments of {@link ObjectStorage}. */
export interface ObjectStorageArgs {
  settings: Settings;
  objectStorage: ObjectStorageSettings;
  /** The bucket's credentials. Default: the pods' own identity. */
  credentials: pulumi.Input<BucketCredentials | undefined>;
  /** Namespace, known when it exists. */
  namespace: pulumi.Input<string>;
  /** The directory of a node that is the bucket; empty for other kinds of buckets. */
  directory: HostPathVolume[];
  /** Resources that must exist before a claim is made: the volume of a node's directory. */
  volumes: pulumi.Resource[];
}

/** Names of the volumes in pods. */
const CONFIG_VOLUME = "objectstore";
const DIRECTORY_VOLUME = "bucket";

/**
 * How pods reach the bucket: its configuration with the credentials in one Secret, and, where the bucket is a directory of a node, the
 * claim that they share. A changed configuration or credential is another Secret, with which every pod that mounts it is restarted.
 */
export class ObjectStorage extends pulumi.ComponentResource {
  /** Name of the Secret with the bucket's configuration. */
  readonly secretName: pulumi.Output<string>;
  /** Volumes of every pod that uses the bucket. */
  readonly volumes: k8s.types.input.core.v1.Volume[];
  /** Their mounts in the container. */
  readonly mounts: k8s.types.input.core.v1.VolumeMount[];
  /** Variables by which the container finds the way to it; empty without a proxy. */
  readonly env: { name: string; value: string }[];
  /** Annotations that give the service account of such a pod an identity of the cloud. */
  readonly serviceAccountAnnotations: Record<string, string>;

  constructor(name: string, args: ObjectStorageArgs, opts?: pulumi.ComponentResourceOptions) {
    super(componentType("ObjectStorage"), name, {}, opts);
    const { settings, objectStorage } = args;
    const given = objectStorage.secret;
    this.secretName = given === undefined ? this.ownSecret(name, args) : pulumi.output(given.name);
    this.env = bucketProxyEnv(settings);
    this.serviceAccountAnnotations = objectStorage.serviceAccountAnnotations;
    const items =
      given === undefined
        ? {}
        : { items: [{ key: given.key, path: OBJECT_STORE_FILE }, ...given.files.map((key) => ({ key, path: key }))] };
    this.volumes = [{ name: CONFIG_VOLUME, secret: { secretName: this.secretName, ...items } }];
    this.mounts = [{ name: CONFIG_VOLUME, mountPath: OBJECT_STORE_DIRECTORY, readOnly: true }];
    for (const volume of args.directory) {
      const claim = new core.PersistentVolumeClaim(
        `${name}-${DIRECTORY_VOLUME}`,
        { metadata: { name: volume.claim, namespace: args.namespace, labels: volume.labels }, spec: bucketClaim(volume) },
        { parent: this, dependsOn: args.volumes, protect: protectsStorage(settings) },
      );
      this.volumes.push({ name: DIRECTORY_VOLUME, persistentVolumeClaim: { claimName: claim.metadata.name } });
      this.mounts.push({ name: DIRECTORY_VOLUME, mountPath: BUCKET_DIRECTORY });
    }
    this.registerOutputs({});
  }

  /** Secrets hold texts and bytes apart; what is empty is left out. */
  private ownSecret(name: string, { namespace, objectStorage, credentials }: ObjectStorageArgs): pulumi.Output<string> {
    const content = pulumi.output(credentials).apply((given) => {
      const { texts, bytes } = objectStorageFiles(objectStorage, given);
      return { stringData: { [OBJECT_STORE_FILE]: objectStorageConfig(objectStorage, given), ...texts }, data: bytes };
    });
    const withKey = objectStorage.s3?.encryption?.method === "SSE-C";
    return new core.Secret(
      name,
      {
        metadata: { namespace, labels: commonLabels(BUCKET_IDENTITY) },
        immutable: true,
        stringData: pulumi.secret(content.apply(({ stringData }) => stringData)),
        ...(withKey ? { data: pulumi.secret(content.apply(({ data }) => data)) } : {}),
      },
      { parent: this },
    ).metadata.name;
  }
}
