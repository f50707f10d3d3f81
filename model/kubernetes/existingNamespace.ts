import type { Problem } from "../values/problem";
import { PART_OF, PART_OF_LABEL } from "./labels";

/** A namespace that somebody else made, as far as it decides whether a stack can be in it. */
export interface FoundNamespace {
  labels?: Record<string, string> | undefined;
  /** When its removal began. */
  deletionTimestamp?: string | undefined;
}

/**
 * Why a stack can't be in a namespace that exists; empty where it can. Of Pod Security it needs nothing: each of its pods satisfies
 * `restricted`, whatever the namespace enforces.
 *
 * @param found What the cluster says of it; undefined where there is none of the name.
 */
export function existingNamespaceProblems(name: string, found: FoundNamespace | undefined): Problem[] {
  const problem = (rule: string, remedy: string): Problem[] => [{ key: "namespace", value: name, rule, remedy }];
  if (found === undefined) {
    return problem(
      "the cluster has no namespace of this name, and existingNamespace is for one that somebody else made",
      "a namespace that exists, or existingNamespace false, with which the program makes it",
    );
  }
  const { labels = {}, deletionTimestamp } = found;
  if (deletionTimestamp !== undefined) {
    return problem("this namespace is being removed, with everything that is in it", "a namespace that stays");
  }
  if (labels[PART_OF_LABEL] === PART_OF) {
    return problem(
      `a stack of this program made this namespace (its label ${PART_OF_LABEL} is ${PART_OF}), and removes it with everything that is in it`,
      "existingNamespace false, another namespace, or this one without that label, with which that stack lets go of it",
    );
  }
  return [];
}

/**
 * Why nobody can say whether a stack can be in a namespace that exists.
 *
 * @param reason What the cluster said instead.
 */
export function unseenNamespace(name: string, reason: string): Problem {
  return {
    key: "namespace",
    value: name,
    rule: `with existingNamespace it is looked at before anything is made, which failed: ${reason}`,
    remedy: "a cluster that answers, and an account that may get this namespace",
  };
}
