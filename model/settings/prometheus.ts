import { z } from "zod";
import { externalUrl, remoteWriteUrl } from "./addressForms";
import { annotatedSchema } from "./annotated";
import { containerExtra, extra } from "./extra";
import {
  annotations,
  antiAffinity,
  count,
  duration,
  durationOf,
  freeForm,
  MOST_PROMETHEUS_SHARDS,
  MOST_SENDERS,
  namespaceName,
  ownLabel,
  repositoryFolder,
  resources,
  retainedSize,
} from "./forms";
import { pods, services } from "./pods";
import { storeLimits } from "./reads";
import { rollout } from "./rollout";
import { clusterJobKeys } from "./scrape";
import { prometheusStorage } from "./storage";
import { logging, plainLogging } from "./telemetry";

/** The stack's own Prometheus: its schema. */

const workInterval = durationOf(
  "1s",
  "Prometheus takes 0 for its own default, and more often than every second it can't keep up with targets",
);
const targetInterval = durationOf("1s", "Prometheus takes 0 for its own default, and each time it relabels every target anew");
const sendDeadline = durationOf("100ms", "each sender would send its samples one by one, without a pause");

/** Schema of `prometheus`. */
export const prometheusSettings = z
  .strictObject({
    replicas: count(1, 5).default(2).describe("Servers that scrape the same targets."),
    shards: count(1, MOST_PROMETHEUS_SHARDS).default(1).describe("Shards into which the targets are divided, by a hash of their address."),
    mode: z
      .enum(["server", "agent"])
      .default("server")
      .describe("`server` evaluates rules (unless there is a `ruler`) and serves queries; `agent` only forwards, and needs a ring."),
    scrapeInterval: workInterval.default("30s").describe("Time between two scrapes of a target."),
    scrapeTimeout: workInterval.default("10s").describe("Longest time of a scrape; not above `prometheus.scrapeInterval`."),
    evaluationInterval: workInterval.default("30s").describe("Time between two evaluations of a rule."),
    discoveryInterval: targetInterval
      .optional()
      .describe(
        "Longest time until a discovered target is taken up; it is scraped for the first time within `prometheus.scrapeInterval` after that. Left " +
          "out: Prometheus' own default, 5s. A shorter one costs CPU where there are many targets and pods come and go all the time.",
      ),
    retention: z
      .strictObject({
        time: duration
          .optional()
          .describe(
            "Left out: 6h behind a ring; with sidecars 2d beside a bucket, so that the bucket may be away for a while, and 15d without one. At " +
              "least 2h: the write-ahead log holds two hours for a ring that is away.",
          ),
        size: retainedSize.optional().describe("How many bytes of blocks it keeps, at most 85 % of its volume. Left out: no bound."),
      })
      .prefault({})
      .describe("What a Prometheus itself keeps and serves."),
    queries: z
      .strictObject({
        maxSamples: count(1_000, 2 ** 31)
          .optional()
          .describe(
            "Most samples that one query, or one rule, holds at a time; one that needs more fails. Left out: a quarter of the memory, at 16 bytes a " +
              "sample. Prometheus' own default is 50 million, which is 800 MB.",
          ),
        maxConcurrent: count(1, 1_000).default(20).describe("Queries at once; further ones wait."),
        timeout: durationOf("1s", "no query is answered in no time").default("2m").describe("Longest time of one query."),
      })
      .prefault({})
      .describe("Queries that Prometheus itself answers, those of its rules among them. An agent has none."),
    storage: prometheusStorage,
    ruleFolder: repositoryFolder
      .default("rules")
      .describe(
        "Directory of the rule files: every `*.yaml` and `*.yml` in it, in UTF-8. Anything else there is refused by name, except hidden files, " +
          "a README and Markdown, so that no rule is left out unseen; it is not left by `..`, an absolute path or a link. A directory without a rule is a " +
          "warning. Of the stack's own, `rules`, those about a `gateway` are taken where there is one.",
      ),
    serviceAccountAnnotations: annotations
      .default({})
      .describe(
        "Annotations of Prometheus' service account, such as `eks.amazonaws.com/role-arn` for service discovery of a cloud; beside sidecars " +
          "over those of `objectStorage.serviceAccountAnnotations`.",
      ),
    namespaces: z
      .array(namespaceName)
      .min(1)
      .optional()
      .describe(
        "Namespaces in which targets are discovered, beside the stack's own and `default`. Left out: all. It also narrows what Prometheus may " +
          "read from the API server.",
      ),
    ...clusterJobKeys,
    annotated: annotatedSchema
      .prefault({})
      .describe(
        "Bounds of targets that ask to be scraped by the annotation `prometheus.io/scrape`. A target that exceeds one is down, with the " +
          "reason, and nothing of that scrape is kept.",
      ),
    scrapeConfigs: z
      .array(freeForm)
      .default([])
      .describe("Further jobs, each with a `job_name` of its own, as in [Prometheus' scrape_configs](#keys-with-prometheus-own-form)."),
    externalLabels: z
      .record(ownLabel, z.string())
      .default({})
      .describe(
        "Further external labels. That of `cluster.label`, `prometheus_replica`, `receive_replica`, `rule_replica` and the tenant's label are " +
          "the stack's, and those that `cluster.label` can't be are the series' own.",
      ),
    remoteWrite: z
      .strictObject({
        maxShards: count(1, MOST_SENDERS).default(20).describe("Senders at once at most: what protects a ring that has just come back."),
        maxSamplesPerSend: count(100, 50_000)
          .default(5_000)
          .describe("Samples in one request. Measured: 5,000 cost the receivers a fifth less CPU than 1,000."),
        capacity: count(500, 500_000).default(20_000).describe("Samples waiting in each sender."),
        batchSendDeadline: sendDeadline.default("2s").describe("Longest wait for a request to fill."),
        relabel: z
          .array(freeForm)
          .default([])
          .describe("Relabelling of what is sent, as in [Prometheus' write_relabel_configs](#keys-with-prometheus-own-form)."),
        otherTargets: z
          .array(
            z.strictObject({
              url: remoteWriteUrl.describe(
                "Where to. NetworkPolicies of this stack let Prometheus go anywhere; those of the target must let it in.",
              ),
              headers: z
                .record(z.string(), z.string())
                .default({})
                .describe("Headers of each request, such as the tenant's. They stand in a ConfigMap: no credentials."),
              client: freeForm
                .default({})
                .describe(
                  "How Prometheus shows who it is, in [its own form](#keys-with-prometheus-own-form): `basic_auth`, `authorization`, `oauth2`, " +
                    "`tls_config`, `sigv4`, `azuread`, `google_iam`, a proxy. Credentials by file (`password_file`, `credentials_file`), of " +
                    "[`credentials`](#credentials).",
                ),
            }),
          )
          .default([])
          .describe(
            "Where everything is sent besides, such as another stack's `remoteWriteUrl` while one moves to the other scheme. The only targets " +
              "where `ingestion` is `sidecar`.",
          ),
      })
      .prefault({})
      .describe("What is sent into the ring, and how."),
    externalUrl: externalUrl
      .optional()
      .describe(
        "Where people open Prometheus: links of its pages and of its alerts ([how](operations.md#behind-an-address-of-ones-own)). Where nobody " +
          "publishes it, where people query: alerts of its own rules then link there. Left out: alerts link to the name of its pod.",
      ),
    antiAffinity: antiAffinity.default("hard").describe("`hard`: no two servers of a shard on one node. `soft`: preferably not."),
    rollout: rollout.describe("Restarts each shard, one server after the other."),
    logging: plainLogging,
    pods,
    services,
    extra,
    resources: resources("250m", "2Gi"),
    sidecar: z
      .strictObject({ resources: resources("50m", "256Mi"), storeLimits, logging, extra: containerExtra })
      .prefault({})
      .describe("The sidecar, where there is one."),
  })
  .describe("The stack's own Prometheus.");
