import { type BucketPlan, planBucket } from "./bucket/plan";
import { type GatewayPlan, planGateway } from "./gateway/plan";
import type { Addresses } from "./kubernetes/addresses";
import {
  PROMETHEUS_APP,
  QUERIER_APP,
  QUERIER_GRPC_SERVICE,
  QUERY_FRONTEND_APP,
  RECEIVE_SERVICE,
  RULER_SERVICE,
  SIDECAR_SERVICE,
  STORE_GATEWAY_SERVICE,
  STORE_SERVICE,
} from "./kubernetes/identities";
import { PROMETHEUS_USER, THANOS_USER } from "./kubernetes/pod";
import { GRPC_PORT, PROMETHEUS_PORT, QUERY_HTTP_PORT, REMOTE_WRITE_PORT } from "./kubernetes/ports";
import { directoriesOf, type HostPathVolume } from "./kubernetes/storage";
import { type PrometheusSet, planPrometheus } from "./prometheus/plan";
import { planRetention, type RetentionPlan } from "./retention/plan";
import { planScheme, ringOf, type Scheme } from "./ring/plan";
import { planRuler, type RulerPlan } from "./ruler/plan";
import type { Settings } from "./settings/schema";
import { planTls, type TlsPlan } from "./tls/plan";

/** The whole plan: every workload with its name and size, and every address, in one place that all components agree on. */

export interface StackPlan {
  scheme: Scheme;
  retention: RetentionPlan;
  prometheusSets: PrometheusSet[];
  /** Absent without a bucket. */
  bucket?: BucketPlan;
  /** Absent where each Prometheus evaluates the rules itself. */
  ruler?: RulerPlan;
  /** Absent where nothing is encrypted. */
  tls?: TlsPlan;
  /** Absent where nobody passes a gateway. */
  gateway?: GatewayPlan;
  addresses: Addresses;
  hostPathVolumes: HostPathVolume[];
}

/** The parts of a plan that decide about what it carries. */
export type CapacityParts = Pick<StackPlan, "scheme" | "bucket" | "ruler" | "gateway">;

/** Those of {@link CapacityParts} that an environment's load needs: a plan with no more than them carries and lacks the same. */
export function capacityParts(settings: Settings): CapacityParts {
  const scheme = planScheme(settings);
  const bucket = planBucket(settings, planRetention(settings, ringOf(scheme)?.retention).handover);
  return { scheme, ...(bucket === undefined ? {} : { bucket }) };
}

/** The plan of an environment. Pure: the same settings give the same plan. */
export function planStack(settings: Settings): StackPlan {
  const { namespace, cluster } = settings;
  const scheme = planScheme(settings);
  const ring = ringOf(scheme);
  const retention = planRetention(settings, ring?.retention);
  const bucket = planBucket(settings, retention.handover);
  const ruler = planRuler(settings);
  const tls = planTls(settings);
  const prometheusSets = planPrometheus(settings);
  const host = (service: string) => `${service}.${namespace}.svc.${cluster.domain}`;
  const srv = (service: string) => `dnssrv+_grpc._tcp.${host(service)}`;
  const querierUrl = `http://${host(QUERIER_APP)}:${QUERY_HTTP_PORT}`;
  const queryUrl = settings.queryFrontend === undefined ? querierUrl : `http://${host(QUERY_FRONTEND_APP)}:${QUERY_HTTP_PORT}`;
  const gateway = planGateway(settings, ring, queryUrl);
  return {
    scheme,
    retention,
    prometheusSets,
    ...(bucket === undefined ? {} : { bucket }),
    ...(ruler === undefined ? {} : { ruler }),
    ...(tls === undefined ? {} : { tls }),
    ...(gateway === undefined ? {} : { gateway }),
    addresses: {
      ...(ring === undefined
        ? {}
        : {
            remoteWriteUrl: `${settings.tls === undefined ? "http" : "https"}://${host(RECEIVE_SERVICE)}:${REMOTE_WRITE_PORT}/api/v1/receive`,
          }),
      querierUrl,
      queryUrl,
      queryGrpcAddress: `${host(QUERIER_GRPC_SERVICE)}:${GRPC_PORT}`,
      stores: [
        srv(ring === undefined ? SIDECAR_SERVICE : STORE_SERVICE),
        ...(bucket === undefined ? [] : [srv(STORE_GATEWAY_SERVICE)]),
        // Those that keep no samples tell their rules and alerts.
        ...(ruler === undefined ? [] : [srv(RULER_SERVICE)]),
      ],
      prometheusUrl: `http://${host(PROMETHEUS_APP)}:${PROMETHEUS_PORT}`,
    },
    hostPathVolumes: [
      ...(ring === undefined ? [] : ring.sets.flatMap((set) => directoriesOf(set, set.settings.storage, namespace, THANOS_USER))),
      ...prometheusSets.flatMap((set) => directoriesOf(set, settings.prometheus.storage, namespace, PROMETHEUS_USER)),
      ...(bucket?.hostPathVolumes ?? []),
      ...(ruler?.hostPathVolumes ?? []),
    ],
  };
}
