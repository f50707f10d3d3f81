import * as pulumi from "@pulumi/pulumi";
import { existingNamespaceProblems, unseenNamespace } from "../model/kubernetes/existingNamespace";
import { formatProblems, type Problem } from "../model/values/problem";
import type { NamespaceView } from "./cluster";

/**
 * Looks at a namespace that somebody else made, at preview too, and before any resource is registered: so whoever has chosen a
 * wrong one reads why, and nothing else.
 *
 * @throws pulumi.RunError where the stack can't be in it, or nobody can say
 */
export async function examineNamespace(name: string, cluster: NamespaceView): Promise<void> {
  const problems = await problemsOf(name, cluster);
  if (problems.length > 0) throw new pulumi.RunError(formatProblems(pulumi.getStack(), problems));
}

async function problemsOf(name: string, cluster: NamespaceView): Promise<Problem[]> {
  try {
    return existingNamespaceProblems(name, await cluster.namespace());
  } catch (error) {
    return [unseenNamespace(name, error instanceof Error ? error.message : String(error))];
  }
}
