import type * as apps from "@pulumi/kubernetes/apps/v1";
import * as core from "@pulumi/kubernetes/core/v1";
import * as pulumi from "@pulumi/pulumi";
import type { ReplicaGates } from "../gates/replicas";
import type { Addresses } from "../model/kubernetes/addresses";
import { choicesFor } from "../model/kubernetes/choices";
import {
  PEER_SERVICE,
  RECEIVE_APP,
  RECEIVE_IDENTITY,
  RECEIVE_SERVICE,
  ROUTER_APP,
  ROUTER_IDENTITY,
  STORE_SERVICE,
} from "../model/kubernetes/identities";
import { ownPods, selectorLabels } from "../model/kubernetes/labels";
import { scratchVolume } from "../model/kubernetes/localDisk";
import { container, drainPause, hostAntiAffinity, inZone, POD_NAME_ENV, probes, THANOS_USER } from "../model/kubernetes/pod";
import { GRPC, GRPC_PORT, HTTP, REMOTE_WRITE_PORT } from "../model/kubernetes/ports";
import { DATA_VOLUME } from "../model/kubernetes/storage";
import {
  HASHRINGS_DIRECTORY,
  HASHRINGS_FILE,
  LIMITS_DIRECTORY,
  LIMITS_FILE,
  RECEIVE_DATA,
  RELABEL_DIRECTORY,
  RELABEL_FILE,
  type ReceiverRole,
  receiveFlags,
  receiverProcess,
} from "../model/ring/flags";
import { DEFAULT_RING } from "../model/ring/hashring";
import { receiveLimitsFile } from "../model/ring/limits";
import { HASHRINGS_CONFIG_MAP, LIMITS_CONFIG_MAP, type ReceiverSet, type RingPlan } from "../model/ring/plan";
import { tolerableReceivers } from "../model/ring/quorum";
import { protectsStorage } from "../model/settings/protection";
import type { ReceiveSettings, Settings } from "../model/settings/schema";
import { thanosYaml } from "../model/values/literal";
import { componentType } from "../objects/componentType";
import { type Telemetry, telemetry } from "../objects/telemetry";
import {
  CLUSTER_IP,
  componentLabels,
  deployment,
  disruptionBudget,
  HEADLESS,
  immutableFiles,
  type Mounted,
  metadata,
  mountedConfigMap,
  type StatefulSetArgs,
  service,
  serviceAccount,
  statefulSet,
  together,
  type Workload,
} from "../objects/workload";
import type { Certificates } from "./certificates";
import type { ObjectStorage } from "./objectStorage";

/** Arguments of {@link Receive}. */
export interface ReceiveArgs {
  settings: Settings;
  ring: RingPlan;
  addresses: Pick<Addresses, "querierUrl">;
  /** Namespace, known when it exists. */
  namespace: pulumi.Input<string>;
  /** Resources that must exist before a receiver's pod is made: volumes of the nodes' own disks. */
  volumes: pulumi.Resource[];
  /** Gates for which the ring and the receivers wait before they change. */
  gates: ReceiveGates;
  /** Hooks of the engine that let the number of routers follow the load. */
  scaling: ReplicaGates;
  /** Priority class of the receivers, not of routers; undefined where the stack makes none. */
  dataPriority: pulumi.Input<string> | undefined;
  /** Where blocks are uploaded; undefined without a bucket. */
  bucket: ObjectStorage | undefined;
  /** Certificates of the components; undefined where nothing is encrypted. */
  certificates: Certificates | undefined;
}

/** The order of changes, as hooks of the engine. */
export interface ReceiveGates {
  /** For the ConfigMap with the hashrings. */
  hashrings: pulumi.ResourceHookBinding;
  /** For each StatefulSet of receivers. */
  receivers: (set: ReceiverSet) => pulumi.ResourceHookBinding;
}

/** Longest rolling restart that is waited for: every receiver may take its whole grace period and a replay. */
const ROLLOUT_TIMEOUT = "4h";

/** Most in the directory of a router's data, which it opens and leaves empty. */
const ROUTER_SCRATCH = "64Mi";

/** Port as every Service and NetworkPolicy names it. */
const REMOTE_WRITE = { name: "remote-write", containerPort: REMOTE_WRITE_PORT };

/**
 * The ring of receivers: StatefulSets (one, or one a zone), the hashring file, the Services for peers, queriers and senders, and a budget
 * for disruptions; in `split` mode also the routers that senders reach instead.
 */
export class Receive extends pulumi.ComponentResource {
  /** The StatefulSets, for what must be updated after them. */
  readonly sets: apps.StatefulSet[] = [];

  constructor(name: string, args: ReceiveArgs, opts?: pulumi.ComponentResourceOptions) {
    super(componentType("Receive"), name, {}, opts);
    const { settings, ring, namespace, bucket } = args;
    const { replicationFactor, mode } = ring.settings;
    const { images, existingNamespace } = settings;
    const workload: Workload = {
      identity: RECEIVE_IDENTITY,
      namespace,
      existingNamespace,
      image: images.thanos,
      user: THANOS_USER,
      choices: choicesFor(settings, ring.settings),
      accountAnnotations: bucket?.serviceAccountAnnotations,
      parent: this,
    };
    const routers =
      mode === "split"
        ? { ...workload, identity: ROUTER_IDENTITY, choices: choicesFor(settings, ring.settings.routers), accountAnnotations: undefined }
        : undefined;

    const account = serviceAccount(name, workload);
    this.services(name, workload, ring.settings);
    const files = this.files(name, workload, args);
    const role: ReceiverRole = routers === undefined ? "router-ingester" : "ingester";
    const told = telemetry(name, workload, settings, receiverProcess(ring.settings, role), [POD_NAME_ENV, ...(bucket?.env ?? [])]);
    for (const set of ring.sets) {
      const own = { ...workload, identity: set.identity, choices: choicesFor(settings, { ...ring.settings, pods: set.settings.pods }) };
      // One zone after the other: the next is touched when every receiver of the one before is Ready again
      // (and has been for a while, by its gate).
      const previous = this.sets.filter((_, index) => ring.sets[index]?.ring === set.ring).slice(-1);
      const spec = this.receiverSpec(args, set, account, role, { ...told, ...together(role === "ingester" ? undefined : files, told) });
      this.sets.push(
        statefulSet(set.name, own, spec, {
          dependsOn: [...args.volumes, ...previous],
          protect: protectsStorage(settings),
          hooks: args.gates.receivers(set),
          customTimeouts: { create: ROLLOUT_TIMEOUT, update: ROLLOUT_TIMEOUT, delete: "1h" },
        }),
      );
    }
    if (replicationFactor > 1) this.budgets(name, workload, ring);
    if (routers !== undefined) this.routers(`${name}-router`, routers, args, account, files);
    this.registerOutputs({});
  }

  /** One budget a ring: a ring whose receivers are not Ready keeps no other ring's node from being drained. */
  private budgets(name: string, workload: Workload, { rings, sets, settings }: RingPlan): void {
    const maxUnavailable = tolerableReceivers(settings.replicationFactor);
    const selector = { "app.kubernetes.io/name": RECEIVE_APP };
    for (const { name: ring } of rings) {
      const instances = sets.filter((set) => set.ring === ring).map((set) => set.name);
      disruptionBudget(ring === DEFAULT_RING ? name : `${name}-ring-${ring}`, workload, {
        ...(ring === DEFAULT_RING ? {} : { objectName: `${RECEIVE_APP}-ring-${ring}` }),
        maxUnavailable,
        selector,
        ...(rings.length === 1 ? {} : { instances }),
      });
    }
  }

  private services(name: string, workload: Workload, { publishNotReadyPeers, mode }: ReceiveSettings): void {
    const selector = componentLabels(RECEIVE_IDENTITY);
    service(`${name}-peers`, workload, PEER_SERVICE, GRPC, { ...HEADLESS, selector, publishNotReadyAddresses: publishNotReadyPeers });
    service(`${name}-stores`, workload, STORE_SERVICE, GRPC, { ...HEADLESS, selector });
    const listeners = mode === "split" ? selectorLabels(ROUTER_IDENTITY) : selector;
    service(name, workload, RECEIVE_SERVICE, REMOTE_WRITE, { ...CLUSTER_IP, selector: listeners });
  }

  /** The files that a routing receiver reads again when they change, and those that it reads at its start. */
  private files(name: string, workload: Workload, { settings, ring, addresses, gates }: ReceiveArgs): Mounted {
    const { settings: receive, hashringsFile } = ring;
    new core.ConfigMap(
      `${name}-hashrings`,
      { metadata: metadata(workload, HASHRINGS_CONFIG_MAP), data: { [HASHRINGS_FILE]: hashringsFile } },
      { parent: this, hooks: gates.hashrings },
    );
    const limits = receiveLimitsFile(receive, settings, addresses.querierUrl);
    new core.ConfigMap(
      `${name}-limits`,
      { metadata: metadata(workload, LIMITS_CONFIG_MAP), data: { [LIMITS_FILE]: limits } },
      { parent: this },
    );
    const relabel = { [RELABEL_FILE]: thanosYaml(receive.relabel) };
    return together(
      // Named by their text, not by the objects: receivers must not depend on the ring, or no update could wait for the receivers first.
      mountedConfigMap("hashrings", HASHRINGS_CONFIG_MAP, HASHRINGS_DIRECTORY),
      mountedConfigMap("limits", LIMITS_CONFIG_MAP, LIMITS_DIRECTORY),
      receive.relabel.length === 0 ? undefined : immutableFiles(name, "relabel", workload, RELABEL_DIRECTORY, relabel),
    );
  }

  private receiverSpec(
    { settings, ring, bucket, dataPriority, certificates }: ReceiveArgs,
    set: ReceiverSet,
    serviceAccountName: pulumi.Input<string>,
    role: ReceiverRole,
    files: Telemetry,
  ): StatefulSetArgs {
    const { settings: receive } = ring;
    const localEndpoint = `$(POD_NAME).${PEER_SERVICE}.${settings.namespace}.svc.${settings.cluster.domain}:${GRPC_PORT}`;
    const { volumes, mounts } = together(
      files,
      bucket,
      certificates?.mounted("receive"),
      role === "ingester" ? undefined : certificates?.mountedClientCa("receive"),
    );
    return {
      serviceName: PEER_SERVICE,
      replicas: set.replicas,
      // Readiness depends on no peer, so all start at once; a rolling update still goes one by one.
      podManagementPolicy: "Parallel",
      minReadySeconds: receive.rollout.minReadySeconds,
      restartedAt: receive.rollout.restartedAt,
      storage: set.settings.storage,
      pod: {
        serviceAccountName,
        priorityClassName: dataPriority,
        terminationGracePeriodSeconds: receive.rollout.gracePeriodSeconds,
        affinity: {
          // Within the set: another zone's receivers are on other nodes anyway, another ring's hold no replica of these series.
          ...hostAntiAffinity(set.settings.antiAffinity, ownPods(settings, selectorLabels(set.identity))),
          ...inZone(set.zone),
        },
        containers: [
          {
            ...container("thanos-receive", settings.images.thanos, set.settings.resources),
            args: receiveFlags(ring, settings, role, { localEndpoint, retention: set.retention }),
            ...(files.env && { env: files.env }),
            ports: [GRPC, HTTP, ...(role === "ingester" ? [] : [REMOTE_WRITE])],
            ...probes("http"),
            ...drainPause(receive.rollout.preStopSeconds),
            volumeMounts: [{ name: DATA_VOLUME, mountPath: RECEIVE_DATA }, ...mounts],
          },
        ],
        ...(volumes.length === 0 ? {} : { volumes }),
      },
    };
  }

  private routers(
    name: string,
    workload: Workload,
    { settings, ring, scaling, certificates }: ReceiveArgs,
    serviceAccountName: pulumi.Input<string>,
    routing: Mounted,
  ): void {
    const files = together(routing, certificates?.mounted("receive-router"), certificates?.mountedClientCa("receive-router"));
    const { settings: receive } = ring;
    const { replicas, autoscaling, antiAffinity, resources, rollout } = receive.routers;
    const { preStopSeconds } = receive.rollout;
    const { env, ...telemetryFiles } = telemetry(name, workload, settings, receiverProcess(receive, "router"), [POD_NAME_ENV]);
    const { volumes, mounts } = together(files, telemetryFiles);
    deployment(
      name,
      workload,
      {
        replicas,
        autoscaling,
        antiAffinity,
        zones: settings.cluster.zones,
        minReadySeconds: 5,
        restartedAt: rollout.restartedAt,
        pod: {
          serviceAccountName,
          // Above the two minutes that requests in flight have (--http-grace-period).
          terminationGracePeriodSeconds: 150 + preStopSeconds,
          containers: [
            {
              ...container("thanos-receive-router", settings.images.thanos, resources, ROUTER_SCRATCH),
              args: receiveFlags(ring, settings, "router"),
              ...(env && { env }),
              ports: [GRPC, HTTP, REMOTE_WRITE],
              ...probes("http"),
              ...drainPause(preStopSeconds),
              // A router stores nothing, but opens the directory of its data.
              volumeMounts: [{ name: DATA_VOLUME, mountPath: RECEIVE_DATA }, ...mounts],
            },
          ],
          volumes: [scratchVolume(DATA_VOLUME, ROUTER_SCRATCH), ...volumes],
        },
      },
      // Ingesters before routers: a newer router may send what an older ingester does not understand (thanos #8882).
      { dependsOn: this.sets, hooks: scaling(ROUTER_APP, autoscaling) },
    );
    if (replicas > 1) disruptionBudget(name, workload);
  }
}
