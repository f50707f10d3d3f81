import * as pulumi from "@pulumi/pulumi";
import { stringify } from "yaml";
import type { ReplicaGates } from "../gates/replicas";
import type { Addresses } from "../model/kubernetes/addresses";
import { choicesFor } from "../model/kubernetes/choices";
import { QUERY_CACHE_APP, QUERY_CACHE_IDENTITY, QUERY_FRONTEND_APP, QUERY_FRONTEND_IDENTITY } from "../model/kubernetes/identities";
import { container, drainPause, probes, THANOS_USER } from "../model/kubernetes/pod";
import { QUERY_HTTP_PORT } from "../model/kubernetes/ports";
import { queryFrontendFlags, queryFrontendProcess, RESPONSE_CACHE_DIRECTORY, RESPONSE_CACHE_FILE } from "../model/query/flags";
import type { Settings } from "../model/settings/schema";
import { componentType } from "../objects/componentType";
import { memcached, memcachedAddress } from "../objects/memcached";
import { telemetry } from "../objects/telemetry";
import {
  CLUSTER_IP,
  deployment,
  disruptionBudget,
  immutableFiles,
  service,
  serviceAccount,
  together,
  type Workload,
} from "../objects/workload";

/** Arguments of {@link QueryFrontend}. */
export interface QueryFrontendArgs {
  settings: Settings;
  addresses: Pick<Addresses, "querierUrl">;
  frontend: NonNullable<Settings["queryFrontend"]>;
  /** Namespace, known when it exists. */
  namespace: pulumi.Input<string>;
  /** Hooks of the engine that let their number follow the load. */
  scaling: ReplicaGates;
}

/** Splits and caches range queries in front of the querier, with the cache that it needs. */
export class QueryFrontend extends pulumi.ComponentResource {
  constructor(name: string, args: QueryFrontendArgs, opts?: pulumi.ComponentResourceOptions) {
    super(componentType("QueryFrontend"), name, {}, opts);
    const { settings, addresses, frontend, namespace } = args;
    const { cluster, images, existingNamespace } = settings;
    const workload: Workload = {
      identity: QUERY_FRONTEND_IDENTITY,
      namespace,
      existingNamespace,
      image: images.thanos,
      user: THANOS_USER,
      choices: choicesFor(settings, frontend),
      parent: this,
    };
    const http = { name: "http", containerPort: QUERY_HTTP_PORT };
    memcached(`${name}-cache`, { settings, namespace, identity: QUERY_CACHE_IDENTITY, servers: frontend.cache }, this);

    const serviceAccountName = serviceAccount(name, workload);
    const cache = immutableFiles(name, "response-cache", workload, RESPONSE_CACHE_DIRECTORY, {
      [RESPONSE_CACHE_FILE]: stringify({
        type: "MEMCACHED",
        config: {
          addresses: [memcachedAddress(QUERY_CACHE_APP, settings)],
          timeout: "500ms",
          max_item_size: "5MiB",
          expiration: "24h",
          dns_provider_update_interval: "10s",
        },
      }),
    });
    const { env, ...telemetryFiles } = telemetry(name, workload, settings, queryFrontendProcess(frontend));
    const { volumes, mounts } = together(cache, telemetryFiles);
    service(name, workload, QUERY_FRONTEND_APP, http, CLUSTER_IP);
    deployment(
      name,
      workload,
      {
        replicas: frontend.replicas,
        autoscaling: frontend.autoscaling,
        antiAffinity: frontend.antiAffinity,
        zones: cluster.zones,
        restartedAt: frontend.rollout.restartedAt,
        pod: {
          serviceAccountName,
          // Above the two minutes that requests in flight have (--http-grace-period).
          terminationGracePeriodSeconds: 150,
          containers: [
            {
              ...container("thanos-query-frontend", images.thanos, frontend.resources),
              args: queryFrontendFlags(settings, frontend, addresses.querierUrl),
              ...(env && { env }),
              ports: [http],
              ...probes("http"),
              ...drainPause(5),
              volumeMounts: mounts,
            },
          ],
          volumes,
        },
      },
      { hooks: args.scaling(QUERY_FRONTEND_APP, frontend.autoscaling), customTimeouts: { create: "30m", update: "30m" } },
    );
    if (frontend.replicas > 1) disruptionBudget(name, workload);
    this.registerOutputs({});
  }
}
