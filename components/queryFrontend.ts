import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { stringify } from "yaml";
import { commonLabels, type Identity, selectorLabels } from "../model/labels";
import { QUERY_CACHE_APP, QUERY_FRONTEND_APP, type StackPlan } from "../model/plan";
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
import type { Settings } from "../model/settings";
import { QUERY_HTTP_PORT, queryFrontendFlags, RESPONSE_CACHE_FILE, RESPONSE_CACHE_FOLDER } from "../model/thanosFlags";
import { imageVersion } from "../model/versions";
import { memcached } from "./memcached";
import { componentType } from "./types";

/** What {@link QueryFrontend} needs. */
export interface QueryFrontendArgs {
  plan: StackPlan;
  frontend: NonNullable<Settings["queryFrontend"]>;
  /** Namespace, known when it exists. */
  namespace: pulumi.Input<string>;
}

const IDENTITY: Identity = { app: QUERY_FRONTEND_APP, component: "query-frontend" };
const CACHE_IDENTITY: Identity = { app: QUERY_CACHE_APP, component: "query-cache" };

/** Splits and caches range queries in front of the querier, with the cache that it needs. */
export class QueryFrontend extends pulumi.ComponentResource {
  constructor(name: string, args: QueryFrontendArgs, opts?: pulumi.ComponentResourceOptions) {
    super(componentType("QueryFrontend"), name, {}, opts);
    const { plan, frontend } = args;
    const { tenancy, cluster } = plan.settings;
    const metadata = (objectName: string, identity: Identity, version: string) => ({
      name: objectName,
      namespace: args.namespace,
      labels: commonLabels(identity, version),
    });
    const selector = selectorLabels(IDENTITY);
    memcached(
      `${name}-cache`,
      { namespace: args.namespace, identity: CACHE_IDENTITY, image: plan.settings.images.memcached, ...frontend.cache },
      this,
    );

    const account = new k8s.core.v1.ServiceAccount(
      name,
      { metadata: metadata(QUERY_FRONTEND_APP, IDENTITY, imageVersion(plan.settings.images.thanos)), automountServiceAccountToken: false },
      { parent: this },
    );
    const cacheConfig = new k8s.core.v1.ConfigMap(
      `${name}-response-cache`,
      {
        metadata: { namespace: args.namespace, labels: commonLabels(IDENTITY) },
        immutable: true,
        data: {
          [RESPONSE_CACHE_FILE]: stringify({
            type: "MEMCACHED",
            config: {
              addresses: [`dnssrv+_memcached._tcp.${QUERY_CACHE_APP}.${plan.settings.namespace}.svc.${cluster.domain}`],
              timeout: "500ms",
              max_item_size: "5MiB",
              expiration: "24h",
              dns_provider_update_interval: "10s",
            },
          }),
        },
      },
      { parent: this },
    );
    new k8s.core.v1.Service(
      name,
      {
        metadata: metadata(QUERY_FRONTEND_APP, IDENTITY, imageVersion(plan.settings.images.thanos)),
        spec: { type: "ClusterIP", selector, ports: [{ name: "http", port: QUERY_HTTP_PORT, targetPort: "http" }] },
      },
      { parent: this },
    );
    new k8s.apps.v1.Deployment(
      name,
      {
        metadata: metadata(QUERY_FRONTEND_APP, IDENTITY, imageVersion(plan.settings.images.thanos)),
        spec: {
          replicas: frontend.replicas,
          strategy: rollingUpdate(frontend.antiAffinity, frontend.replicas),
          selector: { matchLabels: selector },
          template: {
            metadata: { labels: commonLabels(IDENTITY, imageVersion(plan.settings.images.thanos)) },
            spec: {
              serviceAccountName: account.metadata.name,
              automountServiceAccountToken: false,
              enableServiceLinks: false,
              securityContext: podSecurityContext(THANOS_USER),
              terminationGracePeriodSeconds: 150,
              affinity: hostAntiAffinity(frontend.antiAffinity, selector),
              ...zoneSpread(cluster.zones, IDENTITY),
              containers: [
                {
                  name: "thanos-query-frontend",
                  image: plan.settings.images.thanos,
                  imagePullPolicy: "IfNotPresent",
                  args: queryFrontendFlags(frontend, tenancy, plan.addresses.querierUrl),
                  ports: [{ name: "http", containerPort: QUERY_HTTP_PORT }],
                  resources: containerResources(frontend.resources),
                  securityContext: containerSecurityContext(),
                  ...probes("http"),
                  ...drainPause(5),
                  volumeMounts: [{ name: "response-cache", mountPath: RESPONSE_CACHE_FOLDER, readOnly: true }],
                },
              ],
              volumes: [{ name: "response-cache", configMap: { name: cacheConfig.metadata.name } }],
            },
          },
        },
      },
      { parent: this, customTimeouts: { create: "30m", update: "30m" } },
    );
    if (frontend.replicas > 1) {
      new k8s.policy.v1.PodDisruptionBudget(
        name,
        {
          metadata: metadata(QUERY_FRONTEND_APP, IDENTITY, imageVersion(plan.settings.images.thanos)),
          spec: { maxUnavailable: 1, selector: { matchLabels: selector }, unhealthyPodEvictionPolicy: "AlwaysAllow" },
        },
        { parent: this },
      );
    }
    this.registerOutputs({});
  }
}
