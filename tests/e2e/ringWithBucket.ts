import type { Stack } from "@pulumi/pulumi/automation";
import { openStack } from "../../sandbox/engine";
import type { ConfigOverlay } from "../../sandbox/overlay";
import { bucketOf, SMALL, SMALL_STORE_GATEWAY } from "./objectStorage";

/** dev, a ring of receivers, with a bucket and under a name of its own. */

export const RING_BUCKET = "ring-history";
export const RING_STACK = "ring";
export const RING_NAMESPACE = "thanos-ring";

/** As often as a test can wait for. */
export const OFTEN = { scrapeInterval: "5s", scrapeTimeout: "5s", evaluationInterval: "5s" };

/** The ring's bucket; what was uploaded a moment ago is compacted after so long. */
export const ringStorage = (consistencyDelay = "0s") => ({
  s3: bucketOf(RING_BUCKET),
  storeGateway: SMALL_STORE_GATEWAY,
  compactor: { ...SMALL, consistencyDelay, deleteDelay: "2m" },
});

/** What tests change of dev. */
export const ringConfig = (senders: readonly string[], changes: ConfigOverlay = {}): ConfigOverlay => ({
  "thanos-stack:namespace": RING_NAMESPACE,
  "thanos-stack:access": { senders },
  "thanos-stack:objectStorage": ringStorage(),
  "thanos-stack:prometheus": OFTEN,
  // Its share of two busy cores has to answer five queries a second.
  "thanos-stack:querier": { resources: { cpu: "200m", memory: "256Mi" } },
  ...changes,
});

/**
 * The stack.
 *
 * @param senders Namespaces and networks that may write.
 * @param changes Keys of its configuration that differ. Default: none.
 */
export const openRing = (senders: readonly string[], changes: ConfigOverlay = {}): Promise<Stack> =>
  openStack("dev", ringConfig(senders, changes), { stack: RING_STACK });
