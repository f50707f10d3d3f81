import { ApiException, KubernetesObjectApi } from "@kubernetes/client-node";
import { type ClusterAddress, loadKubeConfig } from "../../clients/apiServer";
import type { LiveObject, LookUp } from "./plan";

/** Asks a cluster's API server for objects of any kind. The user needs `get` of the kinds that were being created. */
export function clusterLookUp(address: ClusterAddress): LookUp {
  const api = KubernetesObjectApi.makeApiClient(loadKubeConfig(address));
  return async (object) => {
    try {
      return (await api.read(object)) as unknown as LiveObject;
    } catch (error) {
      // Also what is not served: nothing of that kind can have been made.
      if (error instanceof ApiException && error.code === 404) return undefined;
      throw new Error(
        `${object.kind} ${object.metadata.name}: ${error instanceof ApiException ? `${error.code} ${String(error.body)}` : String(error)}`,
      );
    }
  };
}
