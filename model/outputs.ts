import { RECEIVE_APP } from "./hashring";
import type { StackPlan } from "./plan";
import { PROMETHEUS_APP, QUERIER_APP, QUERY_FRONTEND_APP, ROUTER_APP } from "./plan";
import { jobNames } from "./prometheusConfig";
import { CLUSTER_LABEL, REPLICA_LABELS } from "./replicaLabels";

/** The stack's outputs that follow from its plan. Names are only ever added: other stacks read them. */
export function planOutputs(plan: StackPlan) {
  const { settings, addresses } = plan;
  const apps = [
    RECEIVE_APP,
    ...(settings.receive.mode === "split" ? [ROUTER_APP] : []),
    QUERIER_APP,
    ...(settings.queryFrontend === undefined ? [] : [QUERY_FRONTEND_APP]),
    PROMETHEUS_APP,
  ];
  return {
    scheme: "receive" as const,
    remoteWriteUrl: addresses.remoteWriteUrl,
    queryUrl: addresses.queryUrl,
    querierUrl: addresses.querierUrl,
    queryGrpcAddress: addresses.queryGrpcAddress,
    tenantHeader: settings.tenancy.header,
    defaultTenant: settings.tenancy.defaultTenant,
    replicaLabels: [...REPLICA_LABELS],
    externalLabels: { ...settings.prometheus.externalLabels, [CLUSTER_LABEL]: settings.cluster.name },
    ring: {
      members: plan.rings.flatMap((ring) =>
        ring.members.map((member) => ({
          address: member.address,
          ...(member.zone === undefined ? {} : { zone: member.zone }),
          hashring: ring.name,
        })),
      ),
      replicationFactor: settings.receive.replicationFactor,
      algorithm: "ketama" as const,
      hash: plan.hashringsHash,
    },
    prometheus: {
      service: addresses.prometheusUrl,
      jobs: [...apps, ...jobNames(settings)],
      replicas: settings.prometheus.replicas,
      shards: settings.prometheus.shards,
    },
  };
}
