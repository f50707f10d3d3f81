import { reservedLabels } from "../settings/externalLabels";
import type { Settings } from "../settings/schema";

/**
 * Pods and services that ask to be scraped by an annotation are anybody's. What one of them exposes is bounded, it is not
 * followed elsewhere, and it can't claim to be another cluster's, replica's or tenant's: an external label doesn't
 * replace a label that a sample has already.
 * Source: prometheus docs/configuration "scrape_config", model/relabel, storage/remote/queue_manager.go (external
 * labels are added where there is none).
 */

/** Limits and relabelling of every job of annotated targets, beside its discovery. */
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
    // As Prometheus does with labels that the target itself has (honor_labels): what a sample says is kept under another
    // name, so that no two series become one.
    metric_relabel_configs: [
      { action: "labelmap", regex: `(${own})`, replacement: "exported_$1" },
      { action: "labeldrop", regex: `(${own})` },
    ],
  };
}
