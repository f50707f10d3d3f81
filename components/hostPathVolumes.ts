import * as batch from "@pulumi/kubernetes/batch/v1";
import * as core from "@pulumi/kubernetes/core/v1";
import * as networking from "@pulumi/kubernetes/networking/v1";
import * as pulumi from "@pulumi/pulumi";
import { chosenSpec, directoryJobPods } from "../model/kubernetes/choices";
import { DIRECTORIES_IDENTITY } from "../model/kubernetes/identities";
import { commonLabels } from "../model/kubernetes/labels";
import { containerResources, containerSecurityContext } from "../model/kubernetes/pod";
import { exemptNamespace, type HostPathVolume, hostPathPersistentVolume } from "../model/kubernetes/storage";
import type { Settings } from "../model/settings/schema";
import { autonamed } from "../model/values/kubernetesNames";
import { componentType } from "../objects/componentType";

/** Arguments of {@link HostPathVolumes}. */
export interface HostPathVolumesArgs {
  /** Every directory, with its node and claim. */
  volumes: HostPathVolume[];
  settings: Settings;
}

/** Directories are made under another name, given their owner, and then renamed, so that no pod ever sees one half done. */
const MAKE_DIRECTORIES = `set -eu
for entry in "$@"; do
  owner="\${entry%%:*}"
  directory="\${entry#*:}"
  if [ ! -d "/host$directory" ]; then
    mkdir -p "/host$(dirname "$directory")"
    rm -rf "/host$directory.new"
    mkdir -m 0750 "/host$directory.new"
    chown "$owner:$owner" "/host$directory.new"
    mv "/host$directory.new" "/host$directory"
  fi
done
`;

/**
 * Data on the nodes' own disks: a directory for each pod, owned by the pod's user, and a PersistentVolume for each, bound to that pod's
 * claim and found on its node only. So the scheduler brings a pod to its data, two stacks on a node never share, and the pods
 * themselves need no hostPath and no root.
 *
 * Making a directory on a node does need both. That one short job is the only workload that Pod Security's `restricted` does not cover; it
 * runs in a namespace of its own, `<namespace>-volumes`, which is exempt by name and holds nothing else.
 */
export class HostPathVolumes extends pulumi.ComponentResource {
  /** Resources for which a StatefulSet waits before its pods are made. */
  readonly ready: pulumi.Resource[];
  /** Resolved when the engine has all that the jobs need, and so takes up the jobs next. */
  readonly jobsAreNext: Promise<void>;

  constructor(name: string, args: HostPathVolumesArgs, opts?: pulumi.ComponentResourceOptions) {
    const { settings, volumes: directories } = args;
    super(
      componentType("HostPathVolumes"),
      name,
      { namespace: settings.namespace, volumes: directories, image: settings.images.thanos },
      opts,
    );
    const { labels: marks, annotations } = settings.namespaceMetadata;
    const pods = directoryJobPods(settings);
    const child = { parent: this };
    const labels = commonLabels(DIRECTORIES_IDENTITY);
    const exempt = new core.Namespace(
      name,
      {
        metadata: {
          name: exemptNamespace(settings.namespace),
          ...(annotations === undefined ? {} : { annotations }),
          labels: { ...marks, ...labels, "pod-security.kubernetes.io/enforce": "privileged" },
        },
      },
      child,
    );
    const account = new core.ServiceAccount(
      name,
      { metadata: { name: DIRECTORIES_IDENTITY.app, namespace: exempt.metadata.name, labels }, automountServiceAccountToken: false },
      child,
    );
    // Making directories needs no network, and whoever may make pods here is root on the nodes.
    new networking.NetworkPolicy(
      `${name}-default-deny`,
      {
        metadata: { name: "default-deny", namespace: exempt.metadata.name, labels },
        spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
      },
      { ...child, protect: false },
    );
    const nodes = [...new Set(directories.map((volume) => volume.node))].sort();
    const jobs = nodes.map((node) => {
      const here = directories.filter((volume) => volume.node === node);
      const roots = rootsOf(here);
      return new batch.Job(
        autonamed(`${name}-${node}`),
        {
          metadata: { namespace: exempt.metadata.name, labels },
          spec: {
            backoffLimit: 6,
            template: {
              metadata: {
                labels: { ...pods.labels, ...labels },
                ...(Object.keys(pods.annotations).length === 0 ? {} : { annotations: pods.annotations }),
              },
              spec: {
                ...chosenSpec({}, pods, labels),
                serviceAccountName: account.metadata.name,
                automountServiceAccountToken: false,
                restartPolicy: "OnFailure",
                nodeSelector: { "kubernetes.io/hostname": node },
                containers: [
                  {
                    name: "make-directories",
                    image: settings.images.thanos,
                    command: [
                      "/bin/sh",
                      "-c",
                      MAKE_DIRECTORIES,
                      "make-directories",
                      ...here.map((volume) => `${volume.owner}:${volume.directory}`),
                    ],
                    resources: containerResources({ cpu: "10m", memory: "32Mi" }),
                    securityContext: {
                      ...containerSecurityContext(),
                      runAsUser: 0,
                      runAsNonRoot: false,
                      capabilities: { drop: ["ALL"], add: ["CHOWN", "DAC_OVERRIDE", "FOWNER"] },
                      seccompProfile: { type: "RuntimeDefault" },
                    },
                    volumeMounts: roots.map((root, index) => ({ name: `root-${index}`, mountPath: `/host${root}` })),
                  },
                ],
                volumes: roots.map((root, index) => ({
                  name: `root-${index}`,
                  hostPath: { path: root, type: "DirectoryOrCreate" },
                })),
              },
            },
          },
        },
        // A finished job is a record, not a thing to keep in step: only another set of directories makes another.
        // Protected, it could never be replaced.
        { ...child, protect: false, deleteBeforeReplace: false },
      );
    });
    const volumes = directories.map(
      (volume) =>
        new core.PersistentVolume(
          volume.name,
          { metadata: { name: volume.name, labels: volume.labels }, spec: hostPathPersistentVolume(volume, settings.namespace) },
          child,
        ),
    );
    this.ready = [...jobs, ...volumes];
    this.jobsAreNext = new Promise((resolve) => account.urn.apply(() => resolve()));
    this.registerOutputs({});
  }
}

/** The directories directly above namespaces: what is mounted into the job. */
function rootsOf(volumes: readonly HostPathVolume[]): string[] {
  return [...new Set(volumes.map((volume) => volume.directory.split("/").slice(0, -2).join("/")))].sort();
}
