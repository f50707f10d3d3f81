import { z } from "zod";
import { ONE_OF_THEM, oneOfThem, scaled, withLeast } from "./autoscaling";
import { extra } from "./extra";
import { antiAffinity, count, duration, durationOf, freeForm, MOST_ROUTERS, receiverCount, resources, retainedSize, spread } from "./forms";
import { hashring, receiverRetention } from "./hashring";
import { pods, services } from "./pods";
import { storeLimits } from "./reads";
import { receiveRollout, rollout } from "./rollout";
import { shuffleSharding } from "./shuffleSharding";
import { storage } from "./storage";
import { logging } from "./telemetry";
import { tenantName } from "./tenancy";

/** The ring of receivers: its schema. */

const futureWindow = durationOf(
  "10s",
  "0 takes samples of any time, so that one wrong clock makes everyone else's too old; clocks differ by some seconds",
);

const requestLimits = z.strictObject({
  sizeBytes: count(0, 2 ** 40)
    .optional()
    .describe(
      "Largest request in bytes, as it is sent and as it is unpacked. A larger one is answered 413, which senders drop. Left out: a sixteenth " +
        "of the memory of whatever takes requests (receivers, in `split` mode routers), and at least 4 KiB for each of " +
        "`prometheus.remoteWrite.maxSamplesPerSend` ([why](decisions.md#limits-of-a-request-follow-from-memory)). 0: no limit, " +
        "[a risk](#accepted-risks).",
    ),
  series: count(0, 1e9)
    .optional()
    .describe(
      "Most series in one request. Left out: one for each 8 KiB of that memory, and at least `prometheus.remoteWrite.maxSamplesPerSend`. " +
        "0: no limit, [a risk](#accepted-risks).",
    ),
  samples: count(0, 1e9)
    .optional()
    .describe("Most samples in one request. Left out: 16 for each series. 0: no limit, [a risk](#accepted-risks)."),
});

const tenantLimits = z
  .strictObject({
    request: requestLimits
      .optional()
      .describe(
        "Limits of one request. For the default tenant none is below what one request of the stack's own Prometheus and rulers holds: they " +
          "would be answered 413, and drop it.",
      ),
    headSeries: count(0, 1e10)
      .optional()
      .describe(
        "Most active series of a tenant over the whole ring; above it senders get 429 and retry. 0: no limit. Receivers ask the querier for " +
          "the count, so a limit opens that connection. The default tenant has none ([why](decisions.md#active-series-are-not-limited-by-default)).",
      ),
  })
  .meta({ shared: "limits" });

/** Schema of `receive`. */
export const receiveSettings = z
  .strictObject({
    mode: z
      .enum(["router-ingester", "split"])
      .default("router-ingester")
      .describe(
        "`router-ingester`: every receiver routes and stores. `split`: routers of their own in front, so that only they read the ring and a " +
          "change of it restarts no store.",
      ),
    replicas: receiverCount.default(3).describe("Receivers of the default ring, over all zones."),
    replicationFactor: count(1, 5)
      .default(3)
      .describe(
        "Receivers that store each series. A write is acknowledged by a majority. 1 and 2 are accepted risks; 4 is refused, since it survives " +
          "no more lost receivers than 3.",
      ),
    hashrings: z
      .array(hashring)
      .default([])
      .describe(
        "Rings for tenants of their own, beside the default ring, which takes every other tenant ([how](operations.md#a-ring-for-one-big-tenant)). " +
          "What a ring does not say of itself is as `receive` says it.",
      ),
    shuffleSharding: shuffleSharding
      .optional()
      .describe(
        "[Shards](#shards-of-tenants) of the default ring's tenants, this stack's own among them. Left out: its tenants have the whole ring.",
      ),
    routers: z
      .strictObject({
        ...scaled(MOST_ROUTERS, "Routers.", 2),
        antiAffinity: spread,
        rollout,
        logging,
        pods,
        extra,
        resources: resources("100m", "256Mi"),
      })
      .refine(oneOfThem, ONE_OF_THEM)
      .transform(withLeast(2))
      .prefault({})
      .describe("The routers; used in `split` mode only."),
    antiAffinity: antiAffinity
      .default("hard")
      .describe(
        "`hard`: never two receivers of a ring on one node. `soft`: preferably not; then all replicas of a series may be on one node, which is " +
          "a risk to accept.",
      ),
    storage: storage.describe("Where each receiver keeps its samples and its write-ahead log."),
    retention: z
      .strictObject({
        time: receiverRetention
          .optional()
          .describe("Left out: 15d, or beside a bucket 36h, which is below the 40h after which the bucket has coarser resolutions too."),
        size: retainedSize
          .optional()
          .describe(
            "How many bytes of blocks a tenant may keep in one receiver, at most 85 % of its volume; the oldest go first. Left out: no bound.",
          ),
      })
      .prefault({})
      .describe("How long samples stay in the receivers."),
    outOfOrderWindow: duration
      .default("2h")
      .describe(
        "How far behind a tenant's newest sample an older one may be. Below 2h it is refused: a sender that was cut off for an hour would be " +
          "answered 409 and drop what its log still holds.",
      ),
    tooFarInFutureWindow: futureWindow
      .default("5m")
      .describe("Samples further in the future are refused: one wrong clock would make everyone else's samples too old (thanos #6167)."),
    maxExemplars: count(0, 1e7).default(100_000).describe("Exemplars kept for a tenant; 0 drops them."),
    limits: z
      .strictObject({
        maxConcurrency: count(0, 1e5).default(0).describe("Requests worked on at once; further ones wait. 0: no limit."),
        default: tenantLimits.prefault({}).describe("Limits of every tenant."),
        tenants: z
          .record(tenantName, tenantLimits)
          .default({})
          .describe(
            "Limits of tenants by name, each laid over those of every tenant. A ring takes the tenant, by name or by a pattern, or the limits are refused.",
          ),
      })
      .prefault({})
      .describe("Limits by request and by tenant, read again without a restart."),
    storeLimits,
    publishNotReadyPeers: z
      .boolean()
      .default(true)
      .describe(
        "Whether a receiver that is not Ready keeps its name among peers. True: peers reach it 1–2 s after a replay instead of 12–21 s, in which " +
          "a second loss refuses writes, and no sender waits for it meanwhile where two others are a quorum ([measured](../bench/README.md)). " +
          "With fewer than three replicas, false makes a write to one that replays its log fail at once instead of waiting for the forward " +
          "timeout (thanos #9004).",
      ),
    relabel: z
      .array(freeForm)
      .default([])
      .describe("Relabelling of everything that is received, as in [Prometheus' relabel_config](#keys-with-prometheus-own-form)."),
    otherSenders: z
      .enum(["none", "single", "pairs"])
      .default("none")
      .describe(
        "Senders other than this stack's own Prometheus: single ones, or highly available pairs that send every series twice. It decides the " +
          "[deduplication function](decisions.md#the-deduplication-function-follows-from-the-senders).",
      ),
    rollout: receiveRollout.describe("How the receivers are restarted."),
    logging,
    pods,
    services,
    extra,
    resources: resources("500m", "2Gi"),
  })
  .optional()
  .describe("The ring of receivers. Required where `ingestion` is `receive`.");
