import { quantityBytes } from "../values/quantity";

/**
 * Use of a node's own disk by pods (Kubernetes' `ephemeral-storage`): logs, and directories that end with their pod. Root file systems are
 * read-only, so there is nothing else. A pod above its limit is evicted before the node's disk is full, which would evict its neighbours.
 */

/** Reserved for each container: its log as a kubelet with its defaults keeps it, five files of 10Mi, and one that is being rotated. */
const RESERVED = "64Mi";
/**
 * Most that a container's log may take. Kubelets that keep more than their default (AKS and OpenShift: five
 * files of 50Mi) must evict nobody for it.
 */
const LOG_LIMIT = "512Mi";

/**
 * A container's share of the node's disk.
 *
 * @param scratch Most that it keeps in directories that end with the pod, as a quantity. Default: no such directory.
 */
export function localDisk(scratch?: string) {
  const limit = quantityBytes(LOG_LIMIT) + (scratch === undefined ? 0 : quantityBytes(scratch));
  return { request: RESERVED, limit: `${Math.ceil(limit / 2 ** 20)}Mi` };
}

/** A directory that ends with its pod. A pod that keeps more in it is evicted. */
export function scratchVolume(name: string, size: string) {
  return { name, emptyDir: { sizeLimit: size } };
}
