import { goesThroughProxy } from "../kubernetes/proxy";
import type { Settings } from "../settings/schema";
import { receiveOf } from "../settings/scheme";
import type { ComponentLogging } from "../settings/telemetry";
import { splitHost } from "../values/hosts";
import type { Problem } from "../values/problem";
import { imageVersion } from "../values/versions";
import { loggingOf } from "./logging";

/** Logs and traces that would not be there. */

/** Every problem; empty where there is none. */
export const telemetryProblems = (settings: Settings): Problem[] => [
  ...unloggedRequests(settings),
  ...unreadAuthorities(settings),
  ...collectorByProxy(settings),
];

/** Components that log requests, by key. */
function servers(settings: Settings): [string, ComponentLogging][] {
  const { querier, queryFrontend, prometheus, ruler, objectStorage, ingestion } = settings;
  const receive = receiveOf(settings);
  const of = (key: string, part: { logging: ComponentLogging } | undefined): [string, ComponentLogging][] =>
    part === undefined ? [] : [[key, part.logging]];
  return [
    ...of("receive", receive),
    ...of("receive.routers", receive?.mode === "split" ? receive.routers : undefined),
    ...of("querier", querier),
    ...of("queryFrontend", queryFrontend),
    ...of("prometheus.sidecar", ingestion === "sidecar" ? prometheus.sidecar : undefined),
    ...of("ruler", ruler),
    ...of("objectStorage.storeGateway", objectStorage?.storeGateway),
  ];
}

function unloggedRequests(settings: Settings): Problem[] {
  const silent = servers(settings).flatMap(([key, own]): Problem[] => {
    const { level, requests } = loggingOf(settings, own);
    if (requests !== "all" || level === "debug") return [];
    const at =
      own.requests !== undefined ? `${key}.logging.requests` : own.level !== undefined ? `${key}.logging.level` : "logging.requests";
    return [
      {
        key: at,
        value: at.endsWith("level") ? level : requests,
        rule: `Thanos logs a request that went well at debug, which the level ${level} leaves out`,
        remedy: 'requests "all" with the level "debug", or requests "failed"',
      },
    ];
  });
  return silent.filter(({ key }, index) => silent.findIndex((other) => other.key === key) === index);
}

function unreadAuthorities({ tracing, images }: Settings): Problem[] {
  if (tracing?.ca === undefined || tracing.protocol === "http" || !imageVersion(images.thanos).startsWith("0.41.")) return [];
  return [
    {
      key: "tracing.ca",
      value: "certificates",
      rule: "Thanos 0.41 reads no certificates for OTLP over gRPC (thanos #8714), so that no span would arrive",
      remedy: 'Thanos 0.42, protocol "http", or a collector whose authority is a public one',
    },
  ];
}

/**
 * A collector to which only a part of the spans would come. OTLP takes the proxy from a container's variables, over gRPC (grpc-go v1.82
 * internal/resolver/delegatingresolver) as over HTTP (Go's default transport); routers, queriers and query frontends have none, since they
 * ask stores by addresses, which no exception of the proxy names.
 */
function collectorByProxy(settings: Settings): Problem[] {
  const { tracing } = settings;
  if (tracing === undefined || !goesThroughProxy(settings, splitHost(tracing.endpoint).host)) return [];
  return [
    {
      key: "tracing.endpoint",
      value: tracing.endpoint,
      rule: "of one trace Prometheus and whoever uses the bucket would send their spans by network.proxy, and routers, queriers and query frontends past it",
      remedy:
        "a collector in the cluster by a name that ends in .svc, which may itself send on by the proxy, or the host in network.proxy.noProxy where " +
        "every pod reaches it without the proxy",
    },
  ];
}
