import type * as k8s from "@pulumi/kubernetes";
import * as apps from "@pulumi/kubernetes/apps/v1";
import { HorizontalPodAutoscaler } from "@pulumi/kubernetes/autoscaling/v2";
import * as core from "@pulumi/kubernetes/core/v1";
import * as policy from "@pulumi/kubernetes/policy/v1";
import type * as pulumi from "@pulumi/pulumi";
import type { VolumeGates } from "../gates/volumeGrowth";
import { identityLabels } from "../model/bucket/cloudIdentity";
import { autoscalerSpec } from "../model/kubernetes/autoscaling";
import { type Choices, chosenSpec } from "../model/kubernetes/choices";
import { podWithExtra } from "../model/kubernetes/extra";
import type { Identity } from "../model/kubernetes/identities";
import { commonLabels, INSTANCE_LABEL, NOT_AWAITED, ownPods, selectorLabels } from "../model/kubernetes/labels";
import { hostAntiAffinity, restrictedPod, rollingUpdate, zoneSpread } from "../model/kubernetes/pod";
import { claimRetention, type Storage, unchangedByGrowth, volumeClaimTemplate, volumeSizeMetadata } from "../model/kubernetes/storage";
import type { Autoscaling } from "../model/settings/autoscaling";
import { restartAnnotations } from "../model/settings/rollout";
import type { Settings } from "../model/settings/schema";
import { CA_FILE, CERTIFICATE_FILE, KEY_FILE } from "../model/tls/flags";
import { labelValue } from "../model/values/kubernetesNames";
import { imageVersion } from "../model/values/versions";

/**
 * The objects that workloads consist of. The first argument is the logical name; an object's own name is
 * its workload's unless another is given.
 */

/** Arguments of every component with volumes. */
export interface StatefulArgs {
  settings: Settings;
  /** Namespace, known when it exists. */
  namespace: pulumi.Input<string>;
  /** Resources that must exist before a pod is made: volumes of the nodes' own disks. */
  volumes: pulumi.Resource[];
  /** Hooks of the engine that let volumes grow in place. */
  growth: VolumeGates;
}

/** Common to all objects of a workload. */
export interface Workload {
  identity: Identity;
  /** Namespace, known when it exists. */
  namespace: pulumi.Input<string>;
  /** Whether others may have pods in the namespace. */
  existingNamespace: boolean;
  /** Image whose version the objects are labelled with. */
  image: string;
  /** User that its pods run as. */
  user: number;
  /** Choices of the environment for its pods and Services. */
  choices: Choices;
  /** Annotations of its pods' service account. Default: those that the environment chose. */
  accountAnnotations?: Record<string, string>;
  /** The component that the objects belong to. */
  parent: pulumi.Resource;
}

/** Files in a pod: volumes, and where the containers have them. */
export interface Mounted {
  volumes: k8s.types.input.core.v1.Volume[];
  mounts: k8s.types.input.core.v1.VolumeMount[];
}

type PodSpec = k8s.types.input.core.v1.PodSpec;

/** Arguments of {@link deployment} beside Kubernetes' own spec. */
export interface DeploymentArgs extends Omit<k8s.types.input.apps.v1.DeploymentSpec, "strategy" | "selector" | "template"> {
  /** Pods; with `autoscaling` how many there are at least. */
  replicas: number;
  /** Bounds of their number, which is then the autoscaler's and nobody else's. Default: `replicas` is their number. */
  autoscaling?: Autoscaling | undefined;
  antiAffinity: "hard" | "soft";
  /** Zones to spread over; empty without zones. */
  zones: readonly string[];
  /** Which restart of the pods was asked for last. */
  restartedAt: string | undefined;
  pod: PodSpec;
}

/** Arguments of {@link statefulSet} beside Kubernetes' own spec. */
export interface StatefulSetArgs extends Omit<k8s.types.input.apps.v1.StatefulSetSpec, "selector" | "template" | "volumeClaimTemplates"> {
  /** Of the volume that each pod gets. Default: none. */
  storage?: Storage;
  /** Which restart of the pods was asked for last. Default: none. */
  restartedAt?: string | undefined;
  pod: PodSpec;
}

/** Differences between Services. */
interface ServiceShape {
  /** Default: {@link CLUSTER_IP}. */
  type?: string;
  /** Default: one that the API server chooses. */
  clusterIP?: string;
  /** Whether pods that are not Ready are named too. Default: false. */
  publishNotReadyAddresses?: boolean;
  /** Labels of the pods behind it. Default: the workload's own. */
  selector?: Record<string, string>;
  /** Its own port. Default: that of the pods. */
  port?: number;
  /** Port of every node. Default: one that the cluster chooses, where the type has one. */
  nodePort?: number;
  /** Annotations beside those that the environment chose, and over them. Default: none. */
  annotations?: Record<string, string>;
  externalTrafficPolicy?: string;
  loadBalancerClass?: string;
  loadBalancerSourceRanges?: string[];
}

/** Differences between budgets for disruptions. */
interface BudgetShape {
  /** Its name. Default: the workload's. */
  objectName?: string;
  /** Pods that may be missing at a time. Default: 1. */
  maxUnavailable?: number;
  /** Labels of the pods that are counted. Default: the workload's own. */
  selector?: Record<string, string>;
  /** Of these, the workloads whose pods are counted (`app.kubernetes.io/instance`). Default: all. */
  instances?: string[];
}

/** A Service with no address of its own: its name leads to the pods themselves. */
export const HEADLESS = { clusterIP: "None" };
/** A Service with an address inside the cluster. */
export const CLUSTER_IP = { type: "ClusterIP" };

/** Labels of every pod of a component, whichever of its workloads it is of. */
export function componentLabels({ app, component }: Identity) {
  return { "app.kubernetes.io/name": app, "app.kubernetes.io/component": component };
}

/** Metadata of an object that is found by its name. */
export function metadata({ identity, namespace, image }: Workload, name: string = identity.instance ?? identity.app) {
  return { name, namespace, labels: commonLabels(identity, versionOf(image)) };
}

/** An image's version as a label has it. */
const versionOf = (image: string): string => labelValue(imageVersion(image));

/** Annotations of the service account under which a workload's pods run, which may give it an identity of the cloud. */
const accountAnnotations = ({ accountAnnotations: own, choices }: Workload): Record<string, string> => ({
  ...own,
  ...choices.pods.serviceAccountAnnotations,
});

/**
 * A service account, whose token is only in pods that ask for it.
 *
 * @returns its name
 */
export function serviceAccount(name: string, workload: Workload): pulumi.Output<string> {
  const annotations = accountAnnotations(workload);
  return new core.ServiceAccount(
    name,
    {
      metadata: { ...metadata(workload), ...(Object.keys(annotations).length > 0 && { annotations }) },
      automountServiceAccountToken: false,
    },
    { parent: workload.parent },
  ).metadata.name;
}

/**
 * A Service in front of one port of the workload's pods. The engine doesn't wait until a pod answers behind it: its pods are a workload's
 * of this stack, which is waited for itself, for as long as that one's time limit says. A Service's own limit is ten minutes, and nothing
 * ends that wait when the update is refused elsewhere and its pods don't come.
 *
 * @param spec {@link HEADLESS} or {@link CLUSTER_IP}, and what differs, such as a selector of other pods.
 */
export function service(
  name: string,
  workload: Workload,
  objectName: string,
  port: { name: string; containerPort: number },
  { port: ownPort, nodePort, annotations: own, ...spec }: ServiceShape,
): core.Service {
  const { labels, annotations, ...families } = workload.choices.services;
  const shared = metadata(workload, objectName);
  const ports = [
    { name: port.name, port: ownPort ?? port.containerPort, targetPort: port.name, ...(nodePort === undefined ? {} : { nodePort }) },
  ];
  return new core.Service(
    name,
    {
      metadata: { ...shared, labels: { ...labels, ...shared.labels }, annotations: { ...annotations, ...own, ...NOT_AWAITED } },
      spec: { ports, ...spec, ...families, selector: ownPods(workload, spec.selector ?? selectorLabels(workload.identity)) },
    },
    { parent: workload.parent },
  );
}

/** A budget for disruptions. */
export function disruptionBudget(
  name: string,
  workload: Workload,
  { objectName, maxUnavailable = 1, selector, instances }: BudgetShape = {},
): void {
  new policy.PodDisruptionBudget(
    name,
    {
      metadata: metadata(workload, objectName),
      spec: {
        maxUnavailable,
        selector: {
          matchLabels: ownPods(workload, selector ?? selectorLabels(workload.identity)),
          ...(instances === undefined ? {} : { matchExpressions: [{ key: INSTANCE_LABEL, operator: "In", values: instances }] }),
        },
        // A pod that is not Ready anyway must not keep a node from being drained.
        unhealthyPodEvictionPolicy: "AlwaysAllow",
      },
    },
    { parent: workload.parent },
  );
}

/** Files in an immutable ConfigMap that is named by content: a change is another ConfigMap, and rolls the pods that mount it. */
export function immutableFiles(
  name: string,
  volume: string,
  { namespace, identity, parent }: Workload,
  directory: string,
  data: Record<string, pulumi.Input<string>>,
): Mounted {
  const config = new core.ConfigMap(
    `${name}-${volume}`,
    { metadata: { namespace, labels: commonLabels(identity) }, immutable: true, data },
    { parent },
  );
  return mountedConfigMap(volume, config.metadata.name, directory);
}

/** A ConfigMap as a directory. */
export function mountedConfigMap(volume: string, configMap: pulumi.Input<string>, directory: string): Mounted {
  return {
    volumes: [{ name: volume, configMap: { name: configMap } }],
    mounts: [{ name: volume, mountPath: directory, readOnly: true }],
  };
}

/** A certificate as files of a volume: of the Secret, whatever else it holds. */
const certificateItems = (directory = "", keyFile = KEY_FILE) => [
  { key: CERTIFICATE_FILE, path: `${directory}${CERTIFICATE_FILE}` },
  { key: KEY_FILE, path: `${directory}${keyFile}` },
  { key: CA_FILE, path: `${directory}${CA_FILE}` },
];

/**
 * A Secret with a certificate as a directory.
 *
 * @param keyFile Name of the key's file. Default: as in the Secret.
 */
export function mountedCertificate(volume: string, secretName: pulumi.Input<string>, directory: string, keyFile?: string): Mounted {
  return {
    volumes: [{ name: volume, secret: { secretName, items: certificateItems("", keyFile) } }],
    mounts: [{ name: volume, mountPath: directory, readOnly: true }],
  };
}

/** Several Secrets with certificates as one directory, in which each has one of its own name; nothing where there are none. */
export function mountedCertificates(volume: string, secrets: readonly string[], directory: string): Mounted | undefined {
  if (secrets.length === 0) return undefined;
  const sources = secrets.map((name) => ({ secret: { name, items: certificateItems(`${name}/`) } }));
  return { volumes: [{ name: volume, projected: { sources } }], mounts: [{ name: volume, mountPath: directory, readOnly: true }] };
}

/** Everything that is mounted, in order. */
export function together(...parts: (Mounted | undefined)[]): Mounted {
  return { volumes: parts.flatMap((part) => part?.volumes ?? []), mounts: parts.flatMap((part) => part?.mounts ?? []) };
}

/** A Deployment, spread over nodes and zones, and what scales it. */
export function deployment(
  name: string,
  workload: Workload,
  { replicas, autoscaling, antiAffinity, zones, restartedAt, pod, ...spec }: DeploymentArgs,
  options: pulumi.CustomResourceOptions,
): void {
  const { identity, parent } = workload;
  const matchLabels = selectorLabels(identity);
  const pods = ownPods(workload, matchLabels);
  const spread = { affinity: hostAntiAffinity(antiAffinity, pods), ...zoneSpread(zones, pods) };
  const template = podTemplate(workload, { ...spread, ...pod }, restartedAt);
  const number = autoscaling === undefined ? { replicas } : {};
  const made = new apps.Deployment(
    name,
    {
      metadata: metadata(workload),
      spec: { ...spec, ...number, strategy: rollingUpdate(antiAffinity, replicas), selector: { matchLabels }, template },
    },
    { parent, ...options },
  );
  if (autoscaling === undefined) return;
  new HorizontalPodAutoscaler(
    name,
    { metadata: metadata(workload), spec: autoscalerSpec(autoscaling, identity.app) },
    { parent, dependsOn: [made] },
  );
}

/** A StatefulSet, whose volumes can grow in place. */
export function statefulSet(
  name: string,
  workload: Workload,
  { storage, restartedAt, pod, ...spec }: StatefulSetArgs,
  options: pulumi.CustomResourceOptions = {},
): apps.StatefulSet {
  const { identity, parent } = workload;
  const claims = storage && {
    persistentVolumeClaimRetentionPolicy: claimRetention(storage),
    volumeClaimTemplates: [volumeClaimTemplate(storage, identity)],
  };
  return new apps.StatefulSet(
    name,
    {
      metadata: { ...metadata(workload), ...volumeSizeMetadata(storage ?? {}) },
      spec: { ...spec, ...claims, selector: { matchLabels: selectorLabels(identity) }, template: podTemplate(workload, pod, restartedAt) },
    },
    { parent, ignoreChanges: unchangedByGrowth(storage ?? {}), ...options },
  );
}

function podTemplate(workload: Workload, spec: PodSpec, restartedAt: string | undefined): k8s.types.input.core.v1.PodTemplateSpec {
  const { identity, image, user, choices } = workload;
  const { pods } = choices;
  const annotations = { ...pods.annotations, ...restartAnnotations(restartedAt) };
  return {
    metadata: {
      labels: { ...pods.labels, ...commonLabels(identity, versionOf(image)), ...identityLabels(accountAnnotations(workload)) },
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
    spec: chosenSpec(
      podWithExtra({ ...restrictedPod(pods.user ?? user), ...spec } as PlainPodSpec, choices.extra),
      pods,
      ownPods(workload, selectorLabels(identity)),
    ),
  };
}

/** A pod's spec whose placement is known when the program runs, as that of every workload here. */
type PlainPodSpec = PodSpec & { affinity?: object };
