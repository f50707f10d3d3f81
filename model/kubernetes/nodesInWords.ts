import type { NodeSelection, NodeTerm } from "./nodeSelection";

/**
 * The nodes that pods ask for, as the end of a sentence: `with pool=monitoring`; undefined where every node will do. Tolerations ask for
 * none.
 */
export function nodesInWords({ nodeSelector = {}, affinity }: NodeSelection): string | undefined {
  const labels = Object.entries(nodeSelector).map(([name, value]) => `${name}=${value}`);
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const asked = [...labels, ...(terms.length === 0 ? [] : [terms.map(termInWords).join(" or ")])];
  return asked.length === 0 ? undefined : `with ${asked.join(" and ")}`;
}

const termInWords = ({ matchExpressions = [], matchFields = [] }: NodeTerm): string =>
  [...matchExpressions, ...matchFields]
    .map(({ key, operator, values = [] }) => [key, operator, ...(values.length === 0 ? [] : [values.join("|")])].join(" "))
    .join(" and ");
