import { PROMETHEUS_REPLICA_LABEL, RECEIVE_REPLICA_LABEL, REPLICA_LABELS, RULE_REPLICA_LABEL } from "./replicaLabels";
import type { Settings } from "./schema";

/** The external labels that an environment gives its series. */

/** The labels that have a meaning of their own in an environment: that of its cluster and the replica labels, further ones too. */
export const reservedLabels = ({ cluster, querier }: Pick<Settings, "cluster" | "querier">): string[] => [
  cluster.label,
  ...REPLICA_LABELS,
  ...querier.replicaLabels,
];

/** The external label that names the environment's cluster, with its value. */
export const clusterLabels = ({ cluster }: Pick<Settings, "cluster">): Record<string, string> => ({ [cluster.label]: cluster.name });

/**
 * The stack's own labels that the querier removes: exactly the replica labels that exist in the environment. Blocks in a bucket may be of
 * an earlier scheme, or of rulers that are gone.
 */
export function ownReplicaLabels(settings: Settings): string[] {
  const history = settings.objectStorage !== undefined;
  return [
    PROMETHEUS_REPLICA_LABEL,
    ...(settings.ingestion === "receive" || history ? [RECEIVE_REPLICA_LABEL] : []),
    ...(settings.ruler !== undefined || history ? [RULE_REPLICA_LABEL] : []),
  ];
}

/** Every label that the querier removes: the stack's own, and those that other installations used. */
export const replicaLabels = (settings: Settings): string[] => [...ownReplicaLabels(settings), ...settings.querier.replicaLabels];
