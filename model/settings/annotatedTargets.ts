import { z } from "zod";
import { bytesOf } from "../prometheus/freeForm/form";
import { reservedLabels } from "./replicaLabels";
import type { Settings } from "./schema";

/**
 * Pods and services that ask to be scraped by an annotation are anybody's. What one of them exposes is bounded, it is not followed elsewhere, and it can't claim to be another cluster's,
 * replica's or tenant's: an external label doesn't replace a label that a sample has already.
 * Source: prometheus docs/configuration "scrape_config", model/relabel, storage/remote/queue_manager.go (external labels are added where there is none).
 */

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
    .refine((size) => bytesOf(size) < 2 ** 63, {
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

/** What every job of annotated targets has beside its discovery. */
export function annotatedTargetRules(settings: Settings) {
  const { prometheus, tenancy } = settings;
  const { annotated, externalLabels } = prometheus;
  const own = [...new Set([...reservedLabels(settings), tenancy.label, ...Object.keys(externalLabels)])].join("|");
  return {
    sample_limit: annotated.sampleLimit,
    label_limit: annotated.labelLimit,
    label_name_length_limit: annotated.labelNameLengthLimit,
    label_value_length_limit: annotated.labelValueLengthLimit,
    body_size_limit: annotated.bodySizeLimit,
    target_limit: annotated.targetLimit,
    follow_redirects: false,
    // As Prometheus does with labels that the target itself has (honor_labels): what a sample says is kept under another name, so that no two series become one.
    metric_relabel_configs: [
      { action: "labelmap", regex: `(${own})`, replacement: "exported_$1" },
      { action: "labeldrop", regex: `(${own})` },
    ],
  };
}
