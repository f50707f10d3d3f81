import { z } from "zod";
import { count, dnsLabel, durationOf } from "./forms";

/** The load that an environment is made for: its schema. Without it nothing is said of what a plan carries. */

const interval = durationOf("1s", "Prometheus can't keep up with targets that are scraped more often than every second");
const queryRange = durationOf("1s", "a query reads some time");
const price = z.number().min(0).max(1e9);
const series = count(1, 1e10);
/** Bytes of the labels of a series of Kubernetes, about. */
export const USUAL_LABEL_BYTES = 300;

const prices = z
  .strictObject({
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, "three capital letters, such as EUR")
      .default("USD")
      .describe("Currency of all prices."),
    cpuHour: price.default(0).describe("One reserved core for an hour."),
    memoryGiBHour: price.default(0).describe("One reserved GiB of memory for an hour."),
    volumeGiBMonth: price.default(0).describe("One GiB of persistent volumes for a month."),
    bucketGiBMonth: price.default(0).describe("One GiB in the bucket for a month."),
    betweenZonesGB: price.default(0).describe("One GB (10⁹ bytes) that goes from one zone to another, both directions together."),
    bucketRequests: price.default(0).describe("1,000 requests to the bucket, of whichever kind is dearest."),
  })
  .optional()
  .describe("What the provider asks, for a cost in the preview and the report. Left out: no cost is said.");

const queries = z
  .strictObject({
    perSecond: price
      .default(1)
      .describe("Queries that arrive in a second, those of dashboards and of rulers' rules among them; 0.1 is one every ten seconds."),
    range: queryRange.default("1h").describe("Their usual range, from the first sample that one reads to the last."),
    series: series
      .optional()
      .describe(
        "Series that one of them usually reads, before replicas: at most `load.series`, and those that are new within the range. Left out: 1,000, or " +
          "`load.series` where these are fewer.",
      ),
  })
  .prefault({})
  .describe("What is asked.");

/** Schema of `load`. */
export const loadSettings = z
  .strictObject({
    series: series.describe(
      "Active series of the whole environment, as targets and senders have them: each once, although receivers hold replicas of it, and although " +
        'each of a pair of Prometheus writes one of its own. `count({__name__=~".+"})` of whoever scrapes them now, or `prometheus_tsdb_head_series`.',
    ),
    interval: interval.optional().describe("Time between two samples of a series. Either this or `samplesPerSecond`."),
    samplesPerSecond: count(1, 1e10)
      .optional()
      .describe("Samples of all series in a second, counted as `series` is. Either this or `interval`."),
    newSeriesPerHour: count(0, 1e10)
      .optional()
      .describe(
        "Series that appear in an hour while as many end (churn): pods that are replaced. `rate(prometheus_tsdb_head_series_created_total[1d]) * 3600`. " +
          "Where they come all at once, as by a rollout: a third of those of the worst three hours. Left out: a twentieth of `series`.",
      ),
    labelBytes: count(10, 65_536)
      .default(USUAL_LABEL_BYTES)
      .describe("Mean size of a series' labels: the bytes of all names and values. Series of Kubernetes have 200 to 1,000."),
    tenants: count(1, 100_000)
      .default(1)
      .describe(
        "Tenants that write: each is a database of its own in every receiver that has series of it, of some 15 MB however few they are. More than " +
          "one need somebody else who writes (`receive.otherSenders`, `hashrings`), or `tenancy.splitLabel`.",
      ),
    outOfOrderPercent: z
      .number()
      .min(0)
      .max(100)
      .default(1)
      .describe("Percentage of series of which samples come out of order at a time, and are held until a chunk of them is full."),
    queries,
    scraped: count(0, 1e10)
      .optional()
      .describe(
        "How many of `series` the stack's own Prometheus scrapes, all shards together. Left out: all of them; behind a ring with other senders " +
          "59,000 at most, which is what a cluster of three nodes had.",
      ),
    hashrings: z
      .record(dnsLabel, z.strictObject({ series: series.describe("Series of this ring's tenants, of those in `load.series`.") }))
      .default({})
      .describe("How many of `series` belong to each of `receive.hashrings`, by its name. A ring that is not named here has none."),
    prices,
  })
  .refine((load) => (load.interval === undefined) !== (load.samplesPerSecond === undefined), "exactly one of interval and samplesPerSecond")
  .optional()
  .describe(
    "The load that this environment must carry. A plan of which a request, limit or volume can't carry it is refused at preview, also after the " +
      "loss that `survives` demands, while pods restart one after the other, and while a write-ahead log is replayed. Left out: nothing is checked, " +
      "and nothing is said of what the plan carries.",
  );
