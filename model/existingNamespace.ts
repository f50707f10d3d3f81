import { PART_OF } from "./labels";
import type { Problem } from "./problem";

/** A namespace that somebody else made, as far as it decides whether a stack can be in it. */
export interface FoundNamespace {
  labels?: Record<string, string> | undefined;
  /** When its removal began. */
  deletionTimestamp?: string | undefined;
}

/**
 * Why a stack can't be in a namespace that exists; empty where it can. Of Pod Security it needs nothing: each of its pods satisfies `restricted`, whatever the namespace enforces.
 *
 * @param found What the cluster says of it.
 */
export function existingNamespaceProblems(name: string, { labels = {}, deletionTimestamp }: FoundNamespace): Problem[] {
  const problem = (rule: string, remedy: string): Problem[] => [{ key: "namespace", value: name, rule, remedy }];
  if (deletionTimestamp !== undefined) {
    return problem("this namespace is being removed, with everything that is in it", "a namespace that stays");
  }
  if (labels["app.kubernetes.io/part-of"] === PART_OF) {
    return problem(
      "a stack of this program made this namespace, and removes it with everything that is in it (existingNamespace is for what somebody else made)",
      "existingNamespace false, another namespace, or this one once its label app.kubernetes.io/part-of is taken off, with which that stack lets it go",
    );
  }
  return [];
}
