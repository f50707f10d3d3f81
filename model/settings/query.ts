import { z } from "zod";
import { externalUrl, grpcEndpoint } from "./addressForms";
import { ONE_OF_THEM, oneOfThem, scaled, withLeast } from "./autoscaling";
import { extra } from "./extra";
import {
  cacheMemory,
  count,
  dnsName,
  duration,
  durationOf,
  form,
  MOST_QUERIERS,
  MOST_QUERY_FRONTENDS,
  objectName,
  replicaLabelList,
  resources,
  ruled,
  spread,
} from "./forms";
import { pods, services } from "./pods";
import { storeLimits } from "./reads";
import { rollout } from "./rollout";
import { logging } from "./telemetry";

/** Schemas of the query path. */

const queryTime = durationOf("1s", "no query is answered in no time");
const answerTime = durationOf(
  "1s",
  "0 waits for ever for a receiver that is silent, and a shorter one leaves out those that are only busy",
);
const lookupInterval = durationOf("1s", "0 stops the querier, and every poll asks the cluster's DNS for each address");
const splitInterval = durationOf("10m", "0 stops the query frontend, and every part of a range is a request: 144 a day at ten minutes");
const freshness = durationOf("10s", "samples that are still on their way would be cached as missing");

const longestRange = durationOf("1h", "dashboards ask for an hour at least");

/** Headers whose value is what shows who asks, and not only who it is. */
const CREDENTIAL_HEADERS = ["authorization", "proxy-authorization", "cookie"];
const userHeader = ruled(
  form((text) => /^[A-Za-z0-9-]+$/.test(text), "a header's name: letters, digits and -"),
  (name) => !CREDENTIAL_HEADERS.includes(name.toLowerCase()),
  "its value would stand in the log, and whoever reads that could ask as this user",
  "a header that names the user alone, such as X-Forwarded-User",
);

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
    ...scaled(MOST_QUERIERS, "Queriers.", 2),
    deduplication: z
      .enum(["chain", "penalty"])
      .optional()
      .describe(
        "`chain` fits single senders, `penalty` pairs. Left out: what fits the declared senders. Required where single senders and pairs write " +
          "into one ring, since no function fits both.",
      ),
    replicaLabels: replicaLabelList
      .default([])
      .describe(
        "Further labels by which replicas of one series differ, beside the stack's own (`receive_replica`, `prometheus_replica`, `rule_replica`): " +
          "those of blocks that another installation has left in the bucket, or of `querier.endpoints`, such as `replica` " +
          "([which](migration.md#replica-labels)). The querier removes each from every answer, so a series that has one for another reason loses it, " +
          "and series that differ by it alone become one. Neither `cluster.label`, nor `tenancy.label`, nor one of `prometheus.externalLabels`.",
      ),
    engine: z.enum(["prometheus", "thanos"]).default("prometheus").describe("PromQL engine."),
    timeout: queryTime.default("2m").describe("Longest time of one query."),
    responseTimeout: answerTime
      .default("10s")
      .describe("Longest silence of one receiver before a query goes on without it. Thanos' own default is for ever."),
    maxConcurrent: count(1, 1_000).default(20).describe("Queries at once; further ones wait."),
    storeLimits,
    maxConcurrentSelect: count(1, 100)
      .default(4)
      .describe("Selectors of one query that are read at once; further ones wait. Each may be as large as its stores allow."),
    discoveryInterval: lookupInterval.default("5s").describe("How often receivers are looked up: a new one is found within this time."),
    endpoints: z
      .array(endpoint)
      .default([])
      .describe(
        "Other stacks' queriers or stores: each a gRPC address alone, or a map of keys. Where this stack has `tls`, one alone is spoken to in plain " +
          "text and is `host:port`.",
      ),
    externalUrl: externalUrl
      .optional()
      .describe(
        "Where people open the queriers, such as `https://thanos.example` or `https://example.com/thanos`: links of their pages, and of rulers' alerts " +
          "([how](operations.md#behind-an-address-of-ones-own)). Left out: pages link to the root, alerts to the address inside the cluster.",
      ),
    antiAffinity: spread,
    rollout,
    logging,
    pods,
    services,
    extra,
    resources: resources("250m", "1Gi"),
  })
  .refine(oneOfThem, ONE_OF_THEM)
  .transform(withLeast(2))
  .prefault({})
  .describe("Serves PromQL over everything that the stack stores.");

/** Schema of `queryFrontend`. */
export const queryFrontendSettings = z
  .strictObject({
    ...scaled(MOST_QUERY_FRONTENDS, "Query frontends.", 2),
    splitInterval: splitInterval.default("24h").describe("Long ranges are split at multiples of this."),
    maxFreshness: freshness.default("1m").describe("The newest samples of a range, up to this age, are not cached."),
    maxRange: longestRange
      .optional()
      .describe(
        "Longest range of a range query; a longer one is answered 400, `the query time range exceeds the limit`. It is the range between start and end " +
          "that counts, and not that of a selector such as `[30d]`. Left out: no bound.",
      ),
    maxParallelism: count(1, 1_000)
      .default(14)
      .describe("Parts of one query, by time and by shard, that are asked for at once; further ones wait."),
    maxTries: count(1, 10)
      .default(2)
      .describe(
        "How often a range query or a look-up of labels is tried that ends with an error of the server (5xx) or without an answer. A query that ends its " +
          "querier ends another one with each try ([why](decisions.md#limits-of-a-read-follow-from-memory)). Instant queries are tried up to five times " +
          "whatever this says: Thanos 0.41 knows no flag for them.",
      ),
    verticalShards: count(2, 64)
      .optional()
      .describe(
        "Shards into which a query is divided by labels, where it can be (`sum by`, `count by` and the like): each querier reads and holds one shard " +
          "of the series at a time, and more series are read in all. Left out: not divided.",
      ),
    slowQueries: z
      .strictObject({
        longerThan: duration
          .default("10s")
          .describe("Queries that took longer, answered or not, are a line in the log at level `info`, with their text. `0s`: none."),
        userHeader: userHeader
          .optional()
          .describe("Header whose value is the line's `remote_user`. Left out: the user of basic authentication, if there is one."),
      })
      .prefault({})
      .describe("The log of slow queries."),
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
    externalUrl: externalUrl
      .optional()
      .describe(
        "As that of `querier`, and before it, where people open the query frontend. The pages are the queriers' in either case, so the path is the " +
          "same where both have one.",
      ),
    antiAffinity: spread,
    rollout,
    logging,
    pods,
    services,
    extra,
    resources: resources("100m", "256Mi"),
  })
  .refine(oneOfThem, ONE_OF_THEM)
  .transform(withLeast(2))
  .optional()
  .describe("Splits and caches range queries in front of the querier. `{}` for all defaults. Left out: there is none.");
