import { z } from "zod";
import { extra } from "./extra";
import { cacheMemory, count, dnsName, durationOf, grpcEndpoint, objectName, resources, spread } from "./forms";
import { pods, services } from "./pods";
import { rollout } from "./rollout";

/** Schemas of the query path. */

const queryTime = durationOf("1s", "no query is answered in no time");
const answerTime = durationOf(
  "1s",
  "0 waits for ever for a receiver that is silent, and a shorter one leaves out those that are only busy",
);
const lookupInterval = durationOf("1s", "0 stops the querier, and every look asks the cluster's DNS for each address");
const splitInterval = durationOf("10m", "0 stops the query frontend, and every part of a range is a request: 144 a day at ten minutes");
const freshness = durationOf("10s", "samples that are still on their way would be cached as missing");

/** A querier or store of another stack. An address alone stands for a map that holds nothing else. */
const endpoint = z
  .preprocess(
    (value) => (typeof value === "string" ? { address: value } : value),
    z.strictObject({
      address: grpcEndpoint.describe(
        "gRPC address, such as `dns+thanos-querier-grpc.other.svc.cluster.local:10901` or `dnssrv+_grpc._tcp.host`. With `tls` it is `host:port`, or " +
          "`dns+host:port` of a querier whose replicas are all behind that name: each query asks one of them, since Thanos 0.42 speaks to addresses " +
          "that it looks up one by one as this stack does.",
      ),
      tls: z
        .strictObject({
          secret: objectName.describe(
            "Secret in this stack's namespace with the certificate that the other stack takes (`tls.crt`, `tls.key`) and its CA (`ca.crt`): what its " +
              "`tls.clients` gives.",
          ),
          serverName: dnsName.describe("Name in the other side's certificate: `serverName` of its output `tls`."),
        })
        .optional()
        .describe("How a querier that wants a certificate is spoken to. Left out: in plain text."),
    }),
  )
  .meta({ type: ["string", "object"], form: "an address: host:port, dns+host:port or dnssrv+_port._tcp.host, or a map of keys" });

/** Schema of `querier`. */
export const querierSettings = z
  .strictObject({
    replicas: count(1, 50).default(2).describe("Queriers."),
    deduplication: z
      .enum(["chain", "penalty"])
      .optional()
      .describe(
        "`chain` fits single senders, `penalty` pairs. Left out: what fits the declared senders. Required where single senders and pairs write " +
          "into one ring, since no function fits both.",
      ),
    engine: z.enum(["prometheus", "thanos"]).default("prometheus").describe("PromQL engine."),
    timeout: queryTime.default("2m").describe("Longest time of one query."),
    responseTimeout: answerTime
      .default("10s")
      .describe("Longest silence of one receiver before a query goes on without it. Thanos' own default is for ever."),
    maxConcurrent: count(1, 1_000).default(20).describe("Queries at once; further ones wait."),
    discoveryInterval: lookupInterval.default("5s").describe("How often receivers are looked up: a new one is found within this time."),
    endpoints: z
      .array(endpoint)
      .default([])
      .describe(
        "Other stacks' queriers or stores: each a gRPC address alone, or a map of keys. Where this stack has `tls`, one alone is spoken to in plain " +
          "text and is `host:port`.",
      ),
    antiAffinity: spread,
    rollout,
    pods,
    services,
    extra,
    resources: resources("250m", "1Gi"),
  })
  .prefault({})
  .describe("Serves PromQL over everything that the stack stores.");

/** Schema of `queryFrontend`. */
export const queryFrontendSettings = z
  .strictObject({
    replicas: count(1, 20).default(2).describe("Query frontends."),
    splitInterval: splitInterval.default("24h").describe("Long ranges are split at multiples of this."),
    maxFreshness: freshness.default("1m").describe("The newest samples of a range, up to this age, are not cached."),
    cache: z
      .strictObject({
        replicas: count(1, 20).default(2).describe("memcached servers."),
        memory: cacheMemory.default("256Mi").describe("Memory for items in each; the container gets 64Mi more."),
        pods,
        services,
        extra,
      })
      .prefault({})
      .describe("memcached servers for results of queries."),
    antiAffinity: spread,
    rollout,
    pods,
    services,
    extra,
    resources: resources("100m", "256Mi"),
  })
  .optional()
  .describe("Splits and caches range queries in front of the querier. `{}` for all defaults. Left out: there is none.");
