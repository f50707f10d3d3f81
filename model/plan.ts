import { type HistoryPlan, planHistory, STORE_GATEWAY_SERVICE } from "./bucket/plan";
import type { Addresses } from "./kubernetes/addresses";
import type { Identity } from "./kubernetes/labels";
import { PROMETHEUS_USER, THANOS_USER } from "./kubernetes/pod";
import { directoriesOf, type HostPathVolume } from "./kubernetes/storage";
import { PROMETHEUS_PORT } from "./prometheus/config";
import { SIDECAR_SERVICE } from "./prometheus/sidecar";
import { QUERY_HTTP_PORT } from "./ring/flags";
import {
  DEFAULT_RING,
  GRPC_PORT,
  type Hashring,
  hashrings,
  hashringsFile,
  hashringsHash,
  RECEIVE_APP,
  REMOTE_WRITE_PORT,
  ringSets,
} from "./ring/hashring";
import { planRuler, RULER_SERVICE, type RulerPlan } from "./ruler/plan";
import type { ReceiveSettings, Settings } from "./settings/schema";
import { receiveOf } from "./settings/scheme";
import { defaultRingTenants } from "./settings/tenancy";

/** What the settings come to: every workload with its name and size, and every address, in one place that all parts agree on. */

/** Service to which senders write. */
export const RECEIVE_SERVICE = RECEIVE_APP;
/** Headless Service that gives receivers their names. */
export const PEER_SERVICE = `${RECEIVE_APP}-peers`;
/** Headless Service under which queriers find ready receivers of every ring. */
export const STORE_SERVICE = `${RECEIVE_APP}-stores`;
export const ROUTER_APP = "thanos-receive-router";
export const QUERIER_APP = "thanos-querier";
/** Service of the queriers' gRPC, for other stacks. */
export const QUERIER_GRPC_SERVICE = `${QUERIER_APP}-grpc`;
export const QUERY_FRONTEND_APP = "thanos-query-frontend";
export const QUERY_CACHE_APP = "thanos-query-cache";
export const PROMETHEUS_APP = "prometheus";
/** Fixed name of the ConfigMap with the hashrings: it is changed in place and no pod restarts. */
export const HASHRINGS_CONFIG_MAP = `${RECEIVE_APP}-hashrings`;
/** Fixed name of the ConfigMap with the limits, which is changed in place like the hashrings. */
export const LIMITS_CONFIG_MAP = `${RECEIVE_APP}-limits`;

/** One StatefulSet of receivers: a ring's, or a ring's part in one zone. */
export interface ReceiverSet {
  name: string;
  ring: string;
  zone?: string;
  replicas: number;
  identity: Identity;
}

/** One StatefulSet of Prometheus servers: a shard. */
export interface PrometheusSet {
  name: string;
  shard: number;
  replicas: number;
  identity: Identity;
}

/** The ring of the receive scheme. */
export interface ReceivePlan {
  settings: ReceiveSettings;
  rings: Hashring[];
  sets: ReceiverSet[];
  /** Text of the hashring file. */
  hashringsFile: string;
  /** Identity of that text. */
  hashringsHash: string;
}

export interface StackPlan {
  settings: Settings;
  /** Absent in the sidecar scheme. */
  receive?: ReceivePlan;
  prometheusSets: PrometheusSet[];
  /** Absent without a bucket. */
  history?: HistoryPlan;
  ruler?: RulerPlan;
  addresses: Addresses;
  hostPathVolumes: HostPathVolume[];
}

/** The plan of an environment. Pure: the same settings give the same plan. */
export function planStack(settings: Settings): StackPlan {
  const { namespace, cluster } = settings;
  const receive = planReceive(settings);
  const history = planHistory(settings);
  const ruler = planRuler(settings);
  const prometheusSets = Array.from({ length: settings.prometheus.shards }, (_, shard) => {
    const name = shard === 0 ? PROMETHEUS_APP : `${PROMETHEUS_APP}-shard-${shard}`;
    return {
      name,
      shard,
      replicas: settings.prometheus.replicas,
      identity: { app: PROMETHEUS_APP, component: "prometheus" as const, instance: name },
    };
  });
  const host = (service: string) => `${service}.${namespace}.svc.${cluster.domain}`;
  const srv = (service: string) => `dnssrv+_grpc._tcp.${host(service)}`;
  const querierUrl = `http://${host(QUERIER_APP)}:${QUERY_HTTP_PORT}`;
  return {
    settings,
    ...(receive === undefined ? {} : { receive }),
    prometheusSets,
    ...(history === undefined ? {} : { history }),
    ...(ruler === undefined ? {} : { ruler }),
    addresses: {
      ...(receive === undefined ? {} : { remoteWriteUrl: `http://${host(RECEIVE_SERVICE)}:${REMOTE_WRITE_PORT}/api/v1/receive` }),
      querierUrl,
      queryUrl: settings.queryFrontend === undefined ? querierUrl : `http://${host(QUERY_FRONTEND_APP)}:${QUERY_HTTP_PORT}`,
      queryGrpcAddress: `${host(QUERIER_GRPC_SERVICE)}:${GRPC_PORT}`,
      stores: [
        srv(receive === undefined ? SIDECAR_SERVICE : STORE_SERVICE),
        ...(history === undefined ? [] : [srv(STORE_GATEWAY_SERVICE)]),
        // Those that keep no samples tell their rules and alerts.
        ...(ruler === undefined ? [] : [srv(RULER_SERVICE)]),
      ],
      prometheusUrl: `http://${host(PROMETHEUS_APP)}:${PROMETHEUS_PORT}`,
    },
    hostPathVolumes: [
      ...(receive === undefined ? [] : receive.sets.flatMap((set) => directoriesOf(set, receive.settings.storage, namespace, THANOS_USER))),
      ...prometheusSets.flatMap((set) => directoriesOf(set, settings.prometheus.storage, namespace, PROMETHEUS_USER)),
      ...(history?.hostPathVolumes ?? []),
      ...(ruler?.hostPathVolumes ?? []),
    ],
  };
}

function planReceive(settings: Settings): ReceivePlan | undefined {
  const receive = receiveOf(settings);
  if (receive === undefined) return undefined;
  const { zones, domain } = settings.cluster;
  const tenants = defaultRingTenants(settings);
  const ringPlans = [
    ...receive.hashrings.map((ring) => ({ ...ring, zones })),
    { name: DEFAULT_RING, ...(tenants === undefined ? {} : { tenants }), replicas: receive.replicas, zones },
  ];
  const rings = hashrings(ringPlans, { namespace: settings.namespace, peerService: PEER_SERVICE, clusterDomain: domain });
  const sets = ringPlans.flatMap((ring) =>
    ringSets(ring.name, zones).map((set) => ({
      ...set,
      ring: ring.name,
      replicas: ring.replicas / Math.max(zones.length, 1),
      identity: { app: RECEIVE_APP, component: "receive" as const, instance: set.name },
    })),
  );
  const file = hashringsFile(rings);
  return { settings: receive, rings, sets, hashringsFile: file, hashringsHash: hashringsHash(file) };
}
