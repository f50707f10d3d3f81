import type { V1Pod } from "@kubernetes/client-node";

/** Reasons of a container that only starts, or has done its work: no trouble. */
const NO_TROUBLE: ReadonlySet<string> = new Set(["ContainerCreating", "PodInitializing", "Completed"]);

/** Whether a pod, or a node, says of itself that it is Ready. */
export function isReady(conditions: readonly { type: string; status: string }[] = []): boolean {
  return conditions.some(({ type, status }) => type === "Ready" && status === "True");
}

/**
 * Why a pod is not Ready, in Kubernetes' words, such as `not scheduled: 0/3 nodes are available: …`;
 * undefined when it is, and isn't ending.
 */
export function podTrouble({ metadata, status = {} }: V1Pod): string | undefined {
  if (metadata?.deletionTimestamp !== undefined) return "ending";
  const { conditions = [], initContainerStatuses = [], containerStatuses = [] } = status;
  if (isReady(conditions)) return undefined;
  const unscheduled = conditions.find((condition) => condition.type === "PodScheduled" && condition.status === "False");
  if (unscheduled !== undefined) return `not scheduled: ${unscheduled.message ?? unscheduled.reason ?? "no reason given"}`;
  for (const { name, state } of [...initContainerStatuses, ...containerStatuses]) {
    const { reason, message } = state?.waiting ?? state?.terminated ?? {};
    if (reason !== undefined && !NO_TROUBLE.has(reason))
      return [`${name} is not running: ${reason}`, ...(message ? [message] : [])].join(": ");
  }
  return "not Ready";
}
