import * as pulumi from "@pulumi/pulumi";
import type { ReplicaGates } from "../gates/replicas";
import type { Addresses } from "../model/kubernetes/addresses";
import { choicesFor } from "../model/kubernetes/choices";
import { QUERIER_APP, QUERIER_GRPC_SERVICE, QUERIER_IDENTITY } from "../model/kubernetes/identities";
import { scratchVolume } from "../model/kubernetes/localDisk";
import { container, drainPause, probes, THANOS_USER } from "../model/kubernetes/pod";
import { GRPC, QUERY_HTTP_PORT } from "../model/kubernetes/ports";
import { deduplicationFunction } from "../model/query/deduplication";
import { ENDPOINT_TLS_DIRECTORY, ENDPOINT_TLS_VOLUME, endpointSecrets, endpointsFile } from "../model/query/endpoints";
import { ENDPOINTS_DIRECTORY, ENDPOINTS_FILE, querierFlags, querierProcess } from "../model/query/flags";
import type { Settings } from "../model/settings/schema";
import { durationSeconds } from "../model/values/quantity";
import { componentType } from "../objects/componentType";
import { telemetry } from "../objects/telemetry";
import {
  CLUSTER_IP,
  deployment,
  disruptionBudget,
  HEADLESS,
  immutableFiles,
  mountedCertificates,
  service,
  serviceAccount,
  together,
  type Workload,
} from "../objects/workload";
import type { Certificates } from "./certificates";

/** Arguments of {@link Querier}. */
export interface QuerierArgs {
  settings: Settings;
  addresses: Pick<Addresses, "stores">;
  /** Namespace, known when it exists. */
  namespace: pulumi.Input<string>;
  /** Hooks of the engine that let their number follow the load. */
  scaling: ReplicaGates;
  /**
   * Its stores, receivers above all: they are updated first, and a querier that starts when they are Ready finds them at its first poll.
   */
  stores: pulumi.Resource[];
  /** Certificates of the components; undefined where nothing is encrypted. */
  certificates: Certificates | undefined;
}

/** Most in its temporary directory: the file of queries in flight, which holds a kilobyte for each. */
const SCRATCH = "64Mi";

/** Seconds between leaving the Services and the end of the process. */
const DRAIN_SECONDS = 5;

/**
 * The one PromQL entry: a Deployment that asks everything that keeps samples, removes replica labels, and serves
 * people (HTTP) and other stacks (gRPC).
 */
export class Querier extends pulumi.ComponentResource {
  constructor(name: string, args: QuerierArgs, opts?: pulumi.ComponentResourceOptions) {
    super(componentType("Querier"), name, {}, opts);
    const { settings, addresses } = args;
    const { querier, cluster, images, existingNamespace } = settings;
    const deduplication = deduplicationFunction(settings);
    if (deduplication === undefined) throw new pulumi.ResourceError("querier.deduplication is undecided", this);
    const { thanos: image } = images;
    const workload: Workload = {
      identity: QUERIER_IDENTITY,
      namespace: args.namespace,
      existingNamespace,
      image,
      user: THANOS_USER,
      choices: choicesFor(settings, querier),
      parent: this,
    };
    const http = { name: "http", containerPort: QUERY_HTTP_PORT };
    const serviceAccountName = serviceAccount(name, workload);
    const endpoints = immutableFiles(name, "endpoints", workload, ENDPOINTS_DIRECTORY, {
      [ENDPOINTS_FILE]: endpointsFile(settings, addresses.stores),
    });
    const { env, ...telemetryFiles } = telemetry(name, workload, settings, querierProcess(settings));
    const { volumes, mounts } = together(
      endpoints,
      telemetryFiles,
      args.certificates?.mounted("querier"),
      args.certificates?.mountedClientCa("querier"),
      mountedCertificates(ENDPOINT_TLS_VOLUME, endpointSecrets(settings), ENDPOINT_TLS_DIRECTORY),
    );
    service(name, workload, QUERIER_APP, http, CLUSTER_IP);
    // Headless: gRPC keeps one connection, so its clients balance over the pods themselves.
    service(`${name}-grpc`, workload, QUERIER_GRPC_SERVICE, GRPC, HEADLESS);
    deployment(
      name,
      workload,
      {
        replicas: querier.replicas,
        autoscaling: querier.autoscaling,
        antiAffinity: querier.antiAffinity,
        zones: cluster.zones,
        restartedAt: querier.rollout.restartedAt,
        // A querier is of use when it has found the receivers, which takes one poll.
        minReadySeconds: querier.replicas > 1 ? 10 : 0,
        pod: {
          serviceAccountName,
          // A query in flight ends before the process does.
          terminationGracePeriodSeconds: DRAIN_SECONDS + Math.ceil(durationSeconds(querier.timeout)) + 15,
          containers: [
            {
              ...container("thanos-querier", images.thanos, querier.resources, SCRATCH),
              args: querierFlags(settings, deduplication),
              ...(env && { env }),
              ports: [http, GRPC],
              ...probes("http"),
              ...drainPause(DRAIN_SECONDS),
              volumeMounts: [...mounts, { name: "tmp", mountPath: "/tmp" }],
            },
          ],
          volumes: [...volumes, scratchVolume("tmp", SCRATCH)],
        },
      },
      {
        dependsOn: args.stores,
        hooks: args.scaling(QUERIER_APP, querier.autoscaling),
        customTimeouts: { create: "30m", update: "30m" },
      },
    );
    if (querier.replicas > 1) disruptionBudget(name, workload);
    this.registerOutputs({});
  }
}
