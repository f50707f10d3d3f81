import { BUCKET_CLAIM, BUCKET_IDENTITY } from "../kubernetes/identities";
import { commonLabels } from "../kubernetes/labels";
import { PROMETHEUS_USER, THANOS_USER } from "../kubernetes/pod";
import { type HostPathVolume, volumeClaimTemplate } from "../kubernetes/storage";
import type { Settings } from "../settings/schema";

/** A bucket that is a directory of a node: a volume that every pod there shares. */

/** Where a bucket that is a directory of a node is mounted. */
export const BUCKET_DIRECTORY = "/var/thanos/bucket";

/**
 * The user as which store gateways and the compactor run. Beside a directory of a node it is the uploader's, since whoever deletes a file
 * must own the directory that it is in: the sidecar shares Prometheus' user and volume.
 */
export function bucketUser({ ingestion, objectStorage }: Pick<Settings, "ingestion" | "objectStorage">): number {
  return objectStorage?.filesystem !== undefined && ingestion === "sidecar" ? PROMETHEUS_USER : THANOS_USER;
}

/** The directory on a node that is the bucket, as a volume that every pod there shares; none for other kinds. */
export function bucketVolumes(settings: Pick<Settings, "ingestion" | "objectStorage" | "namespace">): HostPathVolume[] {
  const filesystem = settings.objectStorage?.filesystem;
  if (filesystem === undefined) return [];
  return [
    {
      name: `${settings.namespace}-${BUCKET_CLAIM}`,
      claim: BUCKET_CLAIM,
      node: filesystem.node,
      directory: `${filesystem.path}/${settings.namespace}/bucket`,
      owner: bucketUser(settings),
      labels: commonLabels(BUCKET_IDENTITY),
    },
  ];
}

/** The claim to that directory: to this very volume, by pods of one node. */
export function bucketClaim(volume: HostPathVolume) {
  const { spec } = volumeClaimTemplate({ hostPath: { path: volume.directory, nodes: [volume.node] } }, BUCKET_IDENTITY);
  return { ...spec, volumeName: volume.name };
}
