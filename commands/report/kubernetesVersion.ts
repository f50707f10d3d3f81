import { serverVersion } from "../../clients/serverVersion";
import { messageOf, type Transport } from "../../clients/transport";
import { KUBERNETES_MINIMUM, versionProblem } from "../../model/kubernetes/version";
import { formatProblem } from "../../model/values/problem";

/** Finding on the version of the cluster's Kubernetes. */
export interface VersionFinding {
  /** Why an update would be refused. */
  problems: string[];
  /** Why that is not known. */
  notes: string[];
}

/**
 * Asks the API server whether its Kubernetes is new enough. The engine's preview asks at the first deployment only, and a release of this
 * program may need a newer one than the release before.
 *
 * @param cluster the kubeconfig's context, and the API server that it names
 */
export async function versionFinding(cluster: () => Promise<{ context: string; api: Transport }>): Promise<VersionFinding> {
  try {
    const { context, api } = await cluster();
    const problem = versionProblem(context, await serverVersion(api));
    return { problems: problem === undefined ? [] : [formatProblem(problem)], notes: [] };
  } catch (error) {
    const reason = messageOf(error);
    return { problems: [], notes: [`Whether the cluster's Kubernetes is ${KUBERNETES_MINIMUM} or later is not known: ${reason}`] };
  }
}
