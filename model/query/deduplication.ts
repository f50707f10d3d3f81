import type { Settings } from "../settings/schema";
import { receiveOf } from "../settings/scheme";

/** How the querier merges replicas of a series. */
export type DeduplicationFunction = "chain" | "penalty";

/** Who writes each series: one sender, or a pair that scrapes the same targets and sends every series twice. */
export type SenderKind = "single" | "pairs";

/**
 * The kinds of senders whose series meet in the querier: the stack's own Prometheus and, where there is a ring,
 * those declared in `receive.otherSenders`.
 *
 * Rulers, however many, are of neither kind. All of them evaluate a group at the same instants (its slot is a hash of file and name;
 * prometheus rules/group.go `EvalTimestamp`), so their results are replicas of one series, sample by sample, as receivers' are: `chain`
 * merges them whole (30 of 30 evaluations through the restart of one of two), `penalty`, where pairs of Prometheus need it, hides one or
 * two of them there (28 of 30). The same holds for the replicas of a block with which both a store gateway and its uploader serve.
 */
export function senderKinds(settings: Settings): SenderKind[] {
  const own: SenderKind = settings.prometheus.replicas > 1 ? "pairs" : "single";
  const other = receiveOf(settings)?.otherSenders ?? "none";
  return other === "none" || other === own ? [own] : [own, other];
}

/**
 * The function that hides no stored sample: `chain` where each series has one sender (`penalty` hides 4-5 % around each restart of a
 * receiver), `penalty` for pairs (`chain` answers with both senders' samples interleaved). Undefined where senders of both kinds are
 * declared: no function is right for both, so the environment must choose. Source: measurements on the sandbox; thanos #7807,
 * docs/components/query.md "Deduplication".
 */
export function deduplicationFunction(settings: Settings): DeduplicationFunction | undefined {
  if (settings.querier.deduplication !== undefined) return settings.querier.deduplication;
  const kinds = senderKinds(settings);
  if (kinds.length > 1) return undefined;
  return kinds[0] === "pairs" ? "penalty" : "chain";
}
