import type { Settings } from "./settings";

/** How the querier merges copies of a series. */
export type DeduplicationFunction = "chain" | "penalty";

/** Who writes each series: one sender, or a pair that scrapes the same targets and sends every series twice. */
export type SenderKind = "single" | "pairs";

/** The kinds of senders that write into this ring: its own Prometheus and those declared in `receive.otherSenders`. */
export function senderKinds(settings: Settings): SenderKind[] {
  const own: SenderKind = settings.prometheus.replicas > 1 ? "pairs" : "single";
  const other = settings.receive.otherSenders;
  return other === "none" || other === own ? [own] : [own, other];
}

/**
 * The function that hides no stored sample: `chain` where each series has one sender (`penalty` hides 4-5 % around each restart of a receiver), `penalty` for
 * pairs (`chain` answers with both senders' samples interleaved). Undefined where senders of both kinds are declared: no function is right for both, so
 * the environment must choose. Source: measurements on the sandbox; thanos #7807, docs/components/query.md "Deduplication".
 */
export function deduplicationFunction(settings: Settings): DeduplicationFunction | undefined {
  if (settings.querier.deduplication !== undefined) return settings.querier.deduplication;
  const kinds = senderKinds(settings);
  if (kinds.length > 1) return undefined;
  return kinds[0] === "pairs" ? "penalty" : "chain";
}
