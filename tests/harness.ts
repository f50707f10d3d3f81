import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { type Manifest, manifestsOf } from "../commands/manifests";
import { type ProgramRun, type RegisteredResource, runProgram } from "../commands/program";
import { type LoadedConfig, loadConfig } from "../config/load";
import { CONFIG_NAMESPACE } from "../config/namespace";
import { stackConfig } from "../config/stackFiles";
import { planStack, type StackPlan } from "../model/plan";
import { type RingPlan, ringOf } from "../model/ring/plan";
import { type ReceiveSettings, type Settings, settingsSchema } from "../model/settings/schema";
import { receiveOf } from "../model/settings/scheme";

/** Runs the program, or only its configuration, with changes to a stack file; and finds things in what came of it. */

/** The environments of this repository. */
export const STACKS = ["dev", "prod"] as const;
export type Stack = (typeof STACKS)[number];

/** Changes to a stack file by key, without the prefix `thanos-stack:`. Objects are merged; a key set to `undefined` is taken out. */
export type Overrides = Record<string, unknown>;

const prefixed = (keys: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(keys).map(([key, value]) => [`${CONFIG_NAMESPACE}:${key}`, value]));

/**
 * The configuration of a stack file with changes, by full key. Its load is for its own amounts: a changed one is judged by the load that
 * the changes have, if any.
 */
export function configOf(stack: Stack, overrides: Overrides = {}): Record<string, unknown> {
  const { [`${CONFIG_NAMESPACE}:load`]: load, ...own } = stackConfig(stack);
  const base = load === undefined || Object.keys(overrides).length > 0 ? own : { ...own, [`${CONFIG_NAMESPACE}:load`]: load };
  return merged(base, prefixed(overrides)) as Record<string, unknown>;
}

function merged(base: unknown, change: unknown): unknown {
  if (!isObject(base) || !isObject(change)) return change;
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(change)) {
    if (value === undefined) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

/** A certificate of an authority that nobody else has: `openssl req -x509 -newkey ed25519`, of which the key is thrown away. */
export const CERTIFICATE = readFileSync(join(__dirname, "certificate.pem"), "utf8");
/** Certificates of CAs of others, as PEM. */
export const AUTHORITIES = {
  senders: readFileSync(join(__dirname, "authority-senders.pem"), "utf8"),
  queriers: readFileSync(join(__dirname, "authority-queriers.pem"), "utf8"),
};

/** Replaces hostPath storage by claims, for plans that hostPath can't have. */
export const CLAIMS: Overrides = {
  receive: { storage: { hostPath: undefined, pvc: { size: "10Gi" } } },
  prometheus: { storage: { hostPath: undefined, pvc: { size: "10Gi" } } },
};

/** Several changes, later ones over earlier ones. */
export function together(...changes: Overrides[]): Overrides {
  return changes.reduce((all, change) => mergedKeepingRemovals(all, change) as Overrides, {});
}

function mergedKeepingRemovals(base: unknown, change: unknown): unknown {
  if (!isObject(base) || !isObject(change)) return change;
  const keys = [...new Set([...Object.keys(base), ...Object.keys(change)])];
  return Object.fromEntries(keys.map((key) => [key, key in change ? mergedKeepingRemovals(base[key], change[key]) : base[key]]));
}

const runs = new Map<string, Promise<ProgramRun>>();

/** How the program is run. */
export interface RunOptions {
  /** Whether this is a preview, in which ids are unknown. Default: false. */
  preview?: boolean;
  /** Secret configuration by key, without the prefix. Default: none. */
  secrets?: Record<string, unknown>;
}

/** Runs the whole program. Equal runs are made once. One at a time: the SDK's state is the process's. */
export async function run(
  stack: Stack,
  overrides: Overrides = {},
  { preview = false, secrets = {} }: RunOptions = {},
): Promise<ProgramRun> {
  const config = configOf(stack, overrides);
  const key = JSON.stringify([stack, config, preview, secrets]);
  const known = runs.get(key);
  if (known !== undefined) return known;
  const made = runProgram({ config, stack, preview, secrets: prefixed(secrets) });
  runs.set(key, made);
  return made;
}

/** How the program refused a configuration. */
export interface Rejection {
  message: string;
  /** One line a problem. */
  problems: string[];
  /** Resources that were registered before the refusal, without the stack itself. */
  registered: string[];
}

/** Runs the whole program and expects that it refuses. */
export async function rejectionByProgram(stack: Stack, overrides: Overrides, secrets: Record<string, unknown> = {}): Promise<Rejection> {
  try {
    await runProgram({ config: configOf(stack, overrides), stack, secrets: prefixed(secrets) });
  } catch (error) {
    return { ...rejectionOf(error), registered: registeredNow() };
  }
  assert.fail(`the program accepted ${JSON.stringify(overrides)}`);
}

/** URNs that the mocks' monitor was told, with or without this harness. */
export function registeredNow(): string[] {
  const monitor = pulumi.runtime.getMonitor() as unknown as { resources?: Map<string, unknown> } | undefined;
  assert.ok(monitor?.resources instanceof Map, "the SDK's mock monitor keeps no list of resources any more");
  return [...monitor.resources.keys()].filter((urn) => !urn.includes("pulumi:pulumi:Stack"));
}

function rejectionOf(error: unknown): { message: string; problems: string[] } {
  assert.ok(error instanceof Error, String(error));
  return { message: error.message, problems: error.message.split("\n").slice(1) };
}

/** Reads and checks a configuration as the program does first, without the rest of it. */
export async function load(stack: Stack, overrides: Overrides = {}): Promise<LoadedConfig> {
  return loadRaw(stack, configOf(stack, overrides));
}

/** As {@link load}, with every key as given. */
export async function loadRaw(stack: string, config: Record<string, unknown>): Promise<LoadedConfig> {
  await pulumi.runtime.setMocks(
    { newResource: (args) => ({ id: args.name, state: args.inputs }), call: (args) => args.inputs },
    CONFIG_NAMESPACE,
    stack,
  );
  pulumi.runtime.setAllConfig(
    Object.fromEntries(Object.entries(config).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)])),
  );
  return loadConfig();
}

/** Reads a configuration and expects a refusal. */
export async function rejection(stack: Stack, overrides: Overrides): Promise<Rejection> {
  return rejectionRaw(stack, configOf(stack, overrides));
}

/** As {@link rejection}, with every key as given. */
export async function rejectionRaw(stack: string, config: Record<string, unknown>): Promise<Rejection> {
  try {
    await loadRaw(stack, config);
  } catch (error) {
    return { ...rejectionOf(error), registered: registeredNow() };
  }
  assert.fail(`accepted ${JSON.stringify(config)}`);
}

/** The settings of a stack file with changes, by the schema alone. */
export function settingsOf(stack: Stack, overrides: Overrides = {}): Settings {
  const prefix = `${CONFIG_NAMESPACE}:`;
  const own = Object.entries(configOf(stack, overrides)).filter(([key]) => key.startsWith(prefix));
  return settingsSchema.parse(Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value])));
}

/** The ring's settings of an environment that has a ring. */
export function ringSettings(settings: Settings): ReceiveSettings {
  const receive = receiveOf(settings);
  assert.ok(receive !== undefined, "the environment has no ring");
  return receive;
}

/** The ring's plan of an environment that has a ring. */
export function ringPlan(plan: StackPlan): RingPlan {
  const ring = ringOf(plan.scheme);
  assert.ok(ring !== undefined, "the environment has no ring");
  return ring;
}

/** The plan of a stack file with changes. */
export const planOf = (stack: Stack, overrides: Overrides = {}): StackPlan => planStack(settingsOf(stack, overrides));

/** Container of a pod template, as far as tests look. */
export interface Container {
  name: string;
  image: string;
  command?: string[];
  args?: string[];
  env?: { name: string; value?: string; valueFrom?: { fieldRef?: { fieldPath: string } } }[];
  ports?: { name: string; containerPort: number; hostPort?: number }[];
  resources: { requests: Record<string, string>; limits: Record<string, string> };
  securityContext?: {
    allowPrivilegeEscalation?: boolean;
    privileged?: boolean;
    procMount?: string;
    readOnlyRootFilesystem?: boolean;
    runAsNonRoot?: boolean;
    runAsUser?: number;
    seccompProfile?: { type: string };
    capabilities?: { drop?: string[]; add?: string[] };
  };
  startupProbe?: Probe;
  readinessProbe?: Probe;
  livenessProbe?: Probe;
  lifecycle?: { preStop?: { sleep?: { seconds: number } } };
  volumeMounts?: { name: string; mountPath: string; subPath?: string; subPathExpr?: string; readOnly?: boolean }[];
}

export interface Probe {
  httpGet?: { path: string; port: string | number };
  tcpSocket?: { port: string | number };
  periodSeconds?: number;
  failureThreshold?: number;
  timeoutSeconds?: number;
}

export interface PodSpec {
  priorityClassName?: string;
  serviceAccountName?: string;
  automountServiceAccountToken?: boolean;
  hostNetwork?: boolean;
  hostPID?: boolean;
  hostIPC?: boolean;
  shareProcessNamespace?: boolean;
  nodeSelector?: Record<string, string>;
  securityContext?: {
    runAsNonRoot?: boolean;
    runAsUser?: number;
    runAsGroup?: number;
    fsGroup?: number;
    seccompProfile?: { type: string };
    sysctls?: unknown[];
  };
  terminationGracePeriodSeconds?: number;
  affinity?: {
    nodeAffinity?: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: { matchExpressions: { key: string; operator: string; values: string[] }[] }[];
      };
    };
    podAntiAffinity?: {
      requiredDuringSchedulingIgnoredDuringExecution?: { labelSelector: { matchLabels: Record<string, string> }; topologyKey: string }[];
      preferredDuringSchedulingIgnoredDuringExecution?: {
        podAffinityTerm: { labelSelector: { matchLabels: Record<string, string> }; topologyKey: string };
      }[];
    };
  };
  topologySpreadConstraints?: {
    topologyKey: string;
    whenUnsatisfiable: string;
    maxSkew: number;
    labelSelector: { matchLabels: Record<string, string> };
  }[];
  initContainers?: Container[];
  containers: Container[];
  volumes?: ({
    name: string;
    configMap?: { name: string };
    secret?: { secretName: string; items?: { key: string; path: string }[] };
    hostPath?: { path: string };
  } & Record<string, unknown>)[];
}

/** Anything that makes pods. */
export interface Workload extends Manifest {
  metadata: { name: string; namespace: string; labels: Record<string, string> };
  spec: {
    replicas?: number;
    serviceName?: string;
    podManagementPolicy?: string;
    minReadySeconds?: number;
    persistentVolumeClaimRetentionPolicy?: { whenDeleted: string; whenScaled: string };
    selector: { matchLabels: Record<string, string> };
    strategy?: { type: string; rollingUpdate?: { maxUnavailable: number; maxSurge: number } };
    template: { metadata: { labels: Record<string, string>; annotations?: Record<string, string> }; spec: PodSpec };
    volumeClaimTemplates?: {
      metadata: { name: string; labels: Record<string, string> };
      spec: { accessModes: string[]; storageClassName?: string; resources: { requests: { storage: string } } };
    }[];
  };
}

export interface Service extends Manifest {
  metadata: { name: string; namespace: string };
  spec: {
    type?: string;
    clusterIP?: string;
    publishNotReadyAddresses?: boolean;
    ipFamilyPolicy?: string;
    ipFamilies?: string[];
    selector: Record<string, string>;
    ports: { name: string; port: number; targetPort: string | number; nodePort?: number }[];
  };
}

export interface ConfigMap extends Manifest {
  metadata: { name: string; namespace: string };
  immutable?: boolean;
  data: Record<string, string>;
}

export interface PersistentVolume extends Manifest {
  spec: {
    capacity: { storage: string };
    storageClassName: string;
    persistentVolumeReclaimPolicy: string;
    claimRef: { namespace: string; name: string };
    hostPath: { path: string; type: string };
    nodeAffinity: {
      required: { nodeSelectorTerms: { matchExpressions: { key: string; operator: string; values: string[] }[] }[] };
    };
  };
}

export interface DisruptionBudget extends Manifest {
  spec: {
    maxUnavailable: number;
    selector: { matchLabels: Record<string, string>; matchExpressions?: { key: string; operator: string; values: string[] }[] };
    unhealthyPodEvictionPolicy?: string;
  };
}

export interface Role extends Manifest {
  rules: { apiGroups?: string[]; resources?: string[]; nonResourceURLs?: string[]; verbs: string[] }[];
}

interface Kinds {
  StatefulSet: Workload;
  Deployment: Workload;
  Job: Workload;
  DaemonSet: Workload;
  Service: Service;
  ConfigMap: ConfigMap;
  PersistentVolume: PersistentVolume;
  PodDisruptionBudget: DisruptionBudget;
  Role: Role;
  ClusterRole: Role;
}

/** The Kubernetes objects of one kind. */
export function objects<K extends keyof Kinds>(of: ProgramRun, kind: K): Kinds[K][];
export function objects(of: ProgramRun, kind: string): Manifest[];
export function objects(of: ProgramRun, kind: string): Manifest[] {
  return manifestsOf(of.resources).filter((manifest) => manifest.kind === kind);
}

/** The one Kubernetes object of a kind and name. */
export function object<K extends keyof Kinds>(of: ProgramRun, kind: K, name: string): Kinds[K];
export function object(of: ProgramRun, kind: string, name: string): Manifest;
export function object(of: ProgramRun, kind: string, name: string): Manifest {
  const all = objects(of, kind);
  const found = all.filter((manifest) => manifest.metadata.name === name);
  const [only] = found;
  assert.ok(only !== undefined && found.length === 1, `${found.length} of kind ${kind} named ${name}; there are ${namesOf(all)}`);
  return only;
}

const namesOf = (manifests: readonly Manifest[]): string => manifests.map((manifest) => manifest.metadata.name).join(", ");

/** Everything that makes pods. */
export function workloads(of: ProgramRun): Workload[] {
  return (["StatefulSet", "Deployment", "DaemonSet", "Job"] as const).flatMap((kind) => objects(of, kind));
}

/** Pods of a workload that there are at least: what is written down, or what its autoscaler keeps to. */
export function leastPods(of: ProgramRun, { metadata, spec }: Workload): number {
  const autoscalers = objects(of, "HorizontalPodAutoscaler") as unknown as { metadata: { name: string }; spec: { minReplicas: number } }[];
  return spec.replicas ?? autoscalers.find((each) => each.metadata.name === metadata.name)?.spec.minReplicas ?? 1;
}

/** The names of a workload's pods: of a StatefulSet's those that it makes. */
export function podNames(set: Workload): string[] {
  return Array.from({ length: set.spec.replicas ?? 1 }, (_, ordinal) => `${set.metadata.name}-${ordinal}`);
}

/** The StatefulSets that store samples. */
export function receiverSets(of: ProgramRun): Workload[] {
  return objects(of, "StatefulSet").filter((set) => set.metadata.labels["app.kubernetes.io/component"] === "receive");
}

/** The StatefulSets of Prometheus. */
export function prometheusSets(of: ProgramRun): Workload[] {
  return objects(of, "StatefulSet").filter((set) => set.metadata.labels["app.kubernetes.io/component"] === "prometheus");
}

/** Every container that keeps running in the workload's pods. */
export const containers = (workload: Workload): Container[] => workload.spec.template.spec.containers;

/**
 * A container of the workload.
 *
 * @param name Its name. Default: the container that the workload is for, the first.
 */
export function container(workload: Workload, name?: string): Container {
  const found = name === undefined ? containers(workload)[0] : containers(workload).find((each) => each.name === name);
  assert.ok(found !== undefined, `${workload.metadata.name} has no container ${name ?? ""}`);
  return found;
}

/** The values of a flag of the workload's container, in order; empty where it is not set. */
export function flagValues(workload: Workload, flag: string, name?: string): string[] {
  return (container(workload, name).args ?? []).filter((arg) => arg.startsWith(`${flag}=`)).map((arg) => arg.slice(flag.length + 1));
}

/** The value of a flag that is set exactly once. */
export function flagValue(workload: Workload, flag: string, name?: string): string {
  const values = flagValues(workload, flag, name);
  const [only] = values;
  assert.ok(only !== undefined && values.length === 1, `${workload.metadata.name} sets ${flag} ${values.length} times`);
  return only;
}

/** The ConfigMap behind a volume of a workload. */
export function mountedConfigMap(of: ProgramRun, workload: Workload, volume: string): ConfigMap {
  const source = workload.spec.template.spec.volumes?.find((each) => each.name === volume)?.configMap;
  assert.ok(source !== undefined, `${workload.metadata.name} has no ConfigMap volume ${volume}`);
  return object(of, "ConfigMap", source.name);
}

/** The registered resource of a type and logical name. */
export function resource(of: ProgramRun, type: string, name: string): RegisteredResource {
  const found = of.resources.find((each) => each.type === type && each.name === name);
  assert.ok(found !== undefined, `no ${type} named ${name}; there are ${of.resources.map((each) => each.name).join(", ")}`);
  return found;
}

/** The registered resource of a Kubernetes object that names itself. */
export function resourceOf(of: ProgramRun, kind: string, name: string): RegisteredResource {
  const found = of.resources.find(
    (each) => each.type.endsWith(`:${kind}`) && (each.inputs.metadata as { name?: string } | undefined)?.name === name,
  );
  assert.ok(found !== undefined, `no ${kind} whose metadata say ${name}`);
  return found;
}
