import { chownSync, cpSync, existsSync, lstatSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { CoreV1Api, type V1PersistentVolume, type V1Pod } from "@kubernetes/client-node";
import { kubeConfig } from "../cluster";
import { StepFailed } from "../command";
import { nodeDirectory } from "../node";
import { type Paths, paths } from "../paths";
import { NODE_PRIVATE_DIRECTORIES, NODES } from "../topology";
import { blockNames } from "./remote";

/** A pod's data directory, as this host sees it. */
export interface DataDirectory {
  readonly directory: string;
  readonly node: string;
  /** The user and group that its files belong to. */
  readonly owner: { readonly uid: number; readonly gid: number };
}

/**
 * The suffix of a block that is still being copied: no TSDB takes it for a block, and Prometheus and Thanos remove what an interrupted copy
 * left when they start (tsdb/db.go, `isTmpDir`).
 */
const INCOMPLETE = ".tmp-for-creation";

/** Which pod's directory is asked for. */
export interface PodData {
  readonly namespace: string;
  readonly pod: string;
  /** The name of the pod's volume. Default: `data`. */
  readonly volume?: string;
}

/**
 * The directory of a pod's persistent volume: hostPath on a node's own disk, or one of the sandbox's
 * local volumes. The pod must be scheduled.
 */
export async function dataDirectory({ namespace, pod, volume = "data" }: PodData, where: Paths = paths()): Promise<DataDirectory> {
  const core = kubeConfig(where).makeApiClient(CoreV1Api);
  const found = await core.readNamespacedPod({ namespace, name: pod });
  const claim = found.spec?.volumes?.find(({ name }) => name === volume)?.persistentVolumeClaim?.claimName;
  if (claim === undefined) throw new StepFailed(`the pod ${namespace}/${pod} has no persistent volume ${volume}`);
  const { spec } = await core.readNamespacedPersistentVolumeClaim({ namespace, name: claim });
  if (spec?.volumeName === undefined) throw new StepFailed(`the claim ${namespace}/${claim} has no volume yet`);
  return directoryOf(found, await core.readPersistentVolume({ name: spec.volumeName }), where);
}

/** Where a pod's volume is on this host, and whose its files are. */
export function directoryOf(pod: V1Pod, volume: V1PersistentVolume, where: Paths): DataDirectory {
  const name = `${pod.metadata?.namespace}/${pod.metadata?.name}`;
  const node = NODES.find((each) => each.name === pod.spec?.nodeName);
  if (node === undefined) throw new StepFailed(`the pod ${name} is on no node of the sandbox`);
  const path = volume.spec?.hostPath?.path ?? volume.spec?.local?.path;
  if (path === undefined) throw new StepFailed(`the volume ${volume.metadata?.name} of ${name} is no directory of a node`);
  const hidden = NODE_PRIVATE_DIRECTORIES.some((directory) => path === directory || path.startsWith(`${directory}/`));
  const security = pod.spec?.securityContext;
  const uid = security?.runAsUser ?? 0;
  return {
    directory: hidden ? join(nodeDirectory(where, node), "private", path) : path,
    node: node.name,
    owner: { uid, gid: security?.fsGroup ?? security?.runAsGroup ?? uid },
  };
}

/** The blocks that {@link placeBlocks} brings, and where to. */
export interface PlacedIn extends Pick<DataDirectory, "directory" | "owner"> {
  /** The made blocks' directory. */
  readonly folder: string;
  /** The tenant whose TSDB it is, in a receiver's directory. Default: the directory itself, as in Prometheus. */
  readonly tenant?: string;
}

/**
 * Brings blocks into the data directory of a Prometheus or receiver, running or not, each of them as a whole: copied under a name that a
 * TSDB passes over, then renamed. Those that are there already are left.
 *
 * A running Prometheus polls for new blocks every minute (tsdb/db.go of 3.14, `run` with `BlockReloadInterval`), a receiver every second:
 * Thanos 0.42 leaves that option unset, and its TSDB takes the shortest (tsdb/db.go of v0.309.1, `validateOpts`). Neither needs a restart.
 * A receiver opens the directory of a tenant that it doesn't know only when it starts or when that tenant writes.
 *
 * A block older than the newest one by more than the retention is deleted at that same poll (`BeyondTimeRetention`), so the retention must
 * reach back to the oldest placed block; a receiver with a bucket keeps it until it is uploaded. A sidecar and a receiver with a bucket
 * upload placed blocks as their own (shipper.go: every block of level 1).
 *
 * @returns how many were brought
 * @throws {StepFailed} if the directory isn't there: whoever it belongs to has never run
 */
export function placeBlocks({ folder, directory, owner, tenant }: PlacedIn): number {
  const target = tenant === undefined ? directory : join(directory, tenant);
  if (!existsSync(target)) throw new StepFailed(`${target} isn't there: what keeps its data in it has to run first`);
  let placed = 0;
  for (const name of blockNames(folder)) {
    const place = join(target, name);
    if (existsSync(place)) continue;
    const incomplete = `${place}${INCOMPLETE}`;
    rmSync(incomplete, { recursive: true, force: true });
    cpSync(join(folder, name), incomplete, { recursive: true });
    own(incomplete, owner);
    renameSync(incomplete, place);
    placed++;
  }
  return placed;
}

function own(path: string, owner: DataDirectory["owner"]): void {
  if (lstatSync(path).isDirectory()) for (const name of readdirSync(path)) own(join(path, name), owner);
  chownSync(path, owner.uid, owner.gid);
}
