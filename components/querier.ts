import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { stringify } from "yaml";
import { deduplicationFunction } from "../model/deduplication";
import { GRPC_PORT } from "../model/hashring";
import { commonLabels, type Identity, selectorLabels } from "../model/labels";
import { QUERIER_APP, QUERIER_GRPC_SERVICE, type StackPlan } from "../model/plan";
import {
  containerResources,
  containerSecurityContext,
  drainPause,
  hostAntiAffinity,
  podSecurityContext,
  probes,
  rollingUpdate,
  THANOS_USER,
  zoneSpread,
} from "../model/pod";
import { durationSeconds } from "../model/quantity";
import { ENDPOINTS_FILE, ENDPOINTS_FOLDER, QUERY_HTTP_PORT, querierFlags } from "../model/thanosFlags";
import { imageVersion } from "../model/versions";
import { componentType } from "./types";

/** What {@link Querier} needs. */
export interface QuerierArgs {
  plan: StackPlan;
  /** Namespace, known when it exists. */
  namespace: pulumi.Input<string>;
  /** What it asks, receivers above all: they are updated first, and a querier that starts when they are Ready finds them at its first look-up. */
  stores: pulumi.Resource[];
}

const IDENTITY: Identity = { app: QUERIER_APP, component: "querier" };

/** Seconds between leaving the Services and the end of the process. */
const DRAIN_SECONDS = 5;

/** The one PromQL entry: a Deployment that asks everything that keeps samples, removes replica labels, and serves people (HTTP) and other stacks (gRPC). */
export class Querier extends pulumi.ComponentResource {
  constructor(name: string, args: QuerierArgs, opts?: pulumi.ComponentResourceOptions) {
    super(componentType("Querier"), name, {}, opts);
    const { plan } = args;
    const { querier, cluster } = plan.settings;
    const deduplication = deduplicationFunction(plan.settings);
    if (deduplication === undefined) throw new pulumi.ResourceError("querier.deduplication is undecided", this);
    const metadata = (objectName: string) => ({
      name: objectName,
      namespace: args.namespace,
      labels: commonLabels(IDENTITY, imageVersion(plan.settings.images.thanos)),
    });
    const selector = selectorLabels(IDENTITY);

    const account = new k8s.core.v1.ServiceAccount(
      name,
      { metadata: metadata(QUERIER_APP), automountServiceAccountToken: false },
      { parent: this },
    );
    const endpoints = new k8s.core.v1.ConfigMap(
      `${name}-endpoints`,
      {
        metadata: { namespace: args.namespace, labels: commonLabels(IDENTITY) },
        immutable: true,
        data: {
          [ENDPOINTS_FILE]: stringify({
            endpoints: [...plan.addresses.stores, ...querier.endpoints].map((address) => ({ address })),
          }),
        },
      },
      { parent: this },
    );
    new k8s.core.v1.Service(
      name,
      {
        metadata: metadata(QUERIER_APP),
        spec: { type: "ClusterIP", selector, ports: [{ name: "http", port: QUERY_HTTP_PORT, targetPort: "http" }] },
      },
      { parent: this },
    );
    new k8s.core.v1.Service(
      `${name}-grpc`,
      // Headless: gRPC keeps one connection, so its clients balance over the pods themselves.
      {
        metadata: metadata(QUERIER_GRPC_SERVICE),
        spec: { clusterIP: "None", selector, ports: [{ name: "grpc", port: GRPC_PORT, targetPort: "grpc" }] },
      },
      { parent: this },
    );
    new k8s.apps.v1.Deployment(
      name,
      {
        metadata: metadata(QUERIER_APP),
        spec: {
          replicas: querier.replicas,
          // A querier is of use when it has found the receivers, which takes one look-up.
          minReadySeconds: querier.replicas > 1 ? 10 : 0,
          strategy: rollingUpdate(querier.antiAffinity, querier.replicas),
          selector: { matchLabels: selector },
          template: {
            metadata: { labels: commonLabels(IDENTITY, imageVersion(plan.settings.images.thanos)) },
            spec: {
              serviceAccountName: account.metadata.name,
              automountServiceAccountToken: false,
              enableServiceLinks: false,
              securityContext: podSecurityContext(THANOS_USER),
              // A query in flight ends before the process does.
              terminationGracePeriodSeconds: DRAIN_SECONDS + Math.ceil(durationSeconds(querier.timeout)) + 15,
              affinity: hostAntiAffinity(querier.antiAffinity, selector),
              ...zoneSpread(cluster.zones, IDENTITY),
              containers: [
                {
                  name: "thanos-querier",
                  image: plan.settings.images.thanos,
                  imagePullPolicy: "IfNotPresent",
                  args: querierFlags(plan.settings, deduplication),
                  ports: [
                    { name: "http", containerPort: QUERY_HTTP_PORT },
                    { name: "grpc", containerPort: GRPC_PORT },
                  ],
                  resources: containerResources(querier.resources),
                  securityContext: containerSecurityContext(),
                  ...probes("http"),
                  ...drainPause(DRAIN_SECONDS),
                  volumeMounts: [
                    { name: "endpoints", mountPath: ENDPOINTS_FOLDER, readOnly: true },
                    { name: "tmp", mountPath: "/tmp" },
                  ],
                },
              ],
              volumes: [
                { name: "endpoints", configMap: { name: endpoints.metadata.name } },
                // The file of queries in flight.
                { name: "tmp", emptyDir: {} },
              ],
            },
          },
        },
      },
      { parent: this, dependsOn: args.stores, customTimeouts: { create: "30m", update: "30m" } },
    );
    if (querier.replicas > 1) {
      new k8s.policy.v1.PodDisruptionBudget(
        name,
        {
          metadata: metadata(QUERIER_APP),
          spec: { maxUnavailable: 1, selector: { matchLabels: selector }, unhealthyPodEvictionPolicy: "AlwaysAllow" },
        },
        { parent: this },
      );
    }
    this.registerOutputs({});
  }
}
