import { z } from "zod";
import { bytesOfSize } from "../values/quantity";

/** Bounds of what annotated pods and services expose, which are anybody's. */

const limit = (most: number) => z.int().min(0).max(most);

/** Schema of `prometheus.annotated`. */
export const annotatedSchema = z.strictObject({
  sampleLimit: limit(1e8)
    .default(50_000)
    .describe("Most samples of one scrape of a target, after relabelling. 0: no limit, [a risk](#accepted-risks)."),
  labelLimit: limit(1e6).default(64).describe("Most labels of one sample. 0: no limit, [a risk](#accepted-risks)."),
  labelNameLengthLimit: limit(1e6).default(256).describe("Longest name of a label, in bytes. 0: no limit, [a risk](#accepted-risks)."),
  labelValueLengthLimit: limit(1e6).default(4_096).describe("Longest value of a label, in bytes. 0: no limit, [a risk](#accepted-risks)."),
  bodySizeLimit: z
    .string()
    .regex(/^(?:0|[1-9]\d*(?:KiB|MiB|GiB|KB|MB|GB))$/, "a size as Prometheus writes it, such as 64MiB, or 0")
    .refine((size) => bytesOfSize(size) < 2 ** 63, {
      error: "less than 8EiB",
      abort: true,
      params: { rule: "more bytes than Prometheus can count" },
    })
    .default("64MiB")
    .describe("Largest answer to one scrape, unpacked. 0: no limit, [a risk](#accepted-risks)."),
  targetLimit: limit(1e6)
    .default(5_000)
    .describe(
      "Most annotated targets of a shard: pods, and services, each. With one more none of them is scraped, so it is a last resort. " +
        "0: no limit, [a risk](#accepted-risks).",
    ),
});
