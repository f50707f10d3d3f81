import { z } from "zod";
import { reservedLabels } from "./replicaLabels";
import type { Settings } from "./settings";

/**
 * Pods and services that ask to be scraped by an annotation are anybody's. What one of them exposes is bounded, it is not followed elsewhere, and it can't claim to be another cluster's,
 * replica's or tenant's: an external label doesn't replace a label that a sample has already.
 * Source: prometheus docs/configuration "scrape_config", model/relabel, storage/remote/queue_manager.go (external labels are added where there is none).
 */

const limit = (most: number) => z.int().min(0).max(most);

/** Schema of `prometheus.annotated`. Each limit is for one target, but for `targetLimit`; 0 is none. A target that exceeds one is down, with the reason; nothing of that scrape is kept. */
export const annotatedSchema = z.strictObject({
  /** Most samples of one scrape, after relabelling. */
  sampleLimit: limit(1e8).default(50_000),
  /** Most labels of one sample. */
  labelLimit: limit(1e6).default(64),
  /** Longest name of a label, in bytes. */
  labelNameLengthLimit: limit(1e6).default(256),
  /** Longest value of a label, in bytes. */
  labelValueLengthLimit: limit(1e6).default(4_096),
  /** Largest answer to one scrape, uncompressed. */
  bodySizeLimit: z
    .string()
    .regex(/^(?:0|[1-9]\d*(?:KiB|MiB|GiB|KB|MB|GB))$/, "a size as Prometheus writes it, such as 64MiB, or 0")
    .default("64MiB"),
  /** Most targets of each of the two jobs in each shard. With one more, none of the job is scraped. */
  targetLimit: limit(1e6).default(5_000),
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
