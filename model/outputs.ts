import type { BucketPlan } from "./bucket/plan";
import { uncheckedUses } from "./commandLine/extraRules";
import { scrapedApps } from "./kubernetes/components";
import type { StackPlan } from "./plan";
import { jobNames } from "./prometheus/config";
import type { Hashring } from "./ring/hashring";
import { ringOf } from "./ring/plan";
import { clusterLabels, replicaLabels } from "./settings/externalLabels";
import type { Settings } from "./settings/schema";

/**
 * The stack's outputs that follow from its plan. Names are only ever added: other stacks read them. What makes no sense in a scheme is
 * undefined there, and no output at all.
 */
export function planOutputs(settings: Settings, plan: StackPlan) {
  const { addresses, scheme } = plan;
  const ring = ringOf(scheme);
  const unchecked = uncheckedUses(settings);
  return {
    scheme: settings.ingestion,
    remoteWriteUrl: addresses.remoteWriteUrl,
    queryUrl: addresses.queryUrl,
    gatewayRemoteWriteUrl: plan.gateway?.remoteWriteUrl,
    gatewayQueryUrl: plan.gateway?.queryUrl,
    publicRemoteWriteUrl: settings.expose.write?.url === undefined ? undefined : `${settings.expose.write.url}/api/v1/receive`,
    publicQueryUrl: settings.expose.query?.url,
    gatewayCa: plan.gateway?.settings.certificate.authority,
    querierUrl: addresses.querierUrl,
    queryGrpcAddress: addresses.queryGrpcAddress,
    tenantHeader: settings.tenancy.header,
    defaultTenant: settings.tenancy.defaultTenant,
    tenants: ring === undefined ? undefined : takenTenants(ring.rings),
    replicaLabels: replicaLabels(settings),
    clusterLabel: settings.cluster.label,
    externalLabels: { ...settings.prometheus.externalLabels, ...clusterLabels(settings) },
    ring:
      ring === undefined
        ? undefined
        : {
            members: ring.rings.flatMap((each) =>
              each.members.map((member) => ({
                address: member.address,
                ...(member.zone === undefined ? {} : { zone: member.zone }),
                hashring: each.name,
              })),
            ),
            replicationFactor: ring.settings.replicationFactor,
            algorithm: "ketama" as const,
            hash: ring.hashringsHash,
            loadedAs: ring.rings.map((each) => each.loadedAs),
          },
    prometheus: {
      service: addresses.prometheusUrl,
      jobs: [...scrapedApps(settings), ...jobNames(settings)],
      replicas: settings.prometheus.replicas,
      shards: settings.prometheus.shards,
    },
    objectStorage: plan.bucket === undefined ? undefined : bucketOutputs(plan.bucket),
    // Uses of `extra`, which nobody but the policies has judged.
    unchecked: unchecked.length === 0 ? undefined : unchecked,
  };
}

/** The tenants of all rings; undefined where one takes any. */
function takenTenants(rings: readonly Hashring[]): string[] | undefined {
  return rings.every(({ tenants }) => tenants !== undefined) ? rings.flatMap(({ tenants = [] }) => tenants) : undefined;
}

/** Numbers of store gateways and compactors, and the handover. No credential and no address of the bucket's server. */
function bucketOutputs(bucket: BucketPlan) {
  return {
    storeGateways: bucket.storeGatewaySets.reduce((sum, set) => sum + set.replicas, 0),
    compactors: bucket.compactor.replicas,
    handover: bucket.handover,
  };
}
