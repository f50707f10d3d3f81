import type { Problem } from "../values/problem";
import { ownReplicaLabels } from "./externalLabels";
import type { Settings } from "./schema";

/** The rules of replica labels that other installations used. */

/** Labels that say what a series is of, and the stack's own: a replica is no other series, and each label is removed once. */
function removedLabels(settings: Settings): Problem[] {
  const { querier, cluster, tenancy } = settings;
  const own = ownReplicaLabels(settings);
  const reasonOf = (label: string): Pick<Problem, "rule" | "remedy"> | undefined => {
    const another = "labels by which nothing but replicas of one series differ, such as replica";
    if (label === cluster.label) return { rule: "it tells clusters apart: without it two clusters' series become one", remedy: another };
    if (label === tenancy.label) return { rule: "it tells tenants apart: without it two tenants' series become one", remedy: another };
    return own.includes(label) ? { rule: `${own.join(", ")} are removed without being named`, remedy: "a list without it" } : undefined;
  };
  return querier.replicaLabels.flatMap((label, index) => {
    const reason = reasonOf(label);
    return reason === undefined ? [] : [{ key: `querier.replicaLabels[${index}]`, value: label, ...reason }];
  });
}

/**
 * Replica labels of the compactor, which the querier must remove too: merged blocks have lost them, and blocks that wait to be merged have
 * not.
 */
function mergedLabels({ querier, objectStorage }: Settings): Problem[] {
  const { replicaLabels = [], verticalCompaction = true } = objectStorage?.compactor ?? {};
  const key = "objectStorage.compactor.replicaLabels";
  if (replicaLabels.length > 0 && !verticalCompaction) {
    return [
      {
        key,
        value: replicaLabels,
        rule: "objectStorage.compactor.verticalCompaction is false, and blocks of replicas are merged only with it",
        remedy: "objectStorage.compactor.verticalCompaction true, or no labels",
      },
    ];
  }
  return replicaLabels.flatMap((label, index) =>
    querier.replicaLabels.includes(label)
      ? []
      : [
          {
            key: `${key}[${index}]`,
            value: label,
            rule: "blocks lose this label when they are merged and have it until then, so that series would be served with it and without it",
            remedy: "it in querier.replicaLabels too, or a list without it",
          },
        ],
  );
}

/** Every problem of the replica labels of others; empty where the querier and the compactor may take them off. */
export const replicaLabelProblems = (settings: Settings): Problem[] => [...removedLabels(settings), ...mergedLabels(settings)];
