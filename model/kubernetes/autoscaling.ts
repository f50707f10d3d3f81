import type { Autoscaling } from "../settings/autoscaling";

/** HorizontalPodAutoscalers, as Kubernetes' autoscaling/v2 has them. */

/**
 * The spec of the autoscaler of a component's Deployment.
 *
 * @param app Name of the Deployment, and of the container that is looked at: what an environment has put beside it counts for nothing,
 * whatever it requests.
 */
export function autoscalerSpec({ min, max, cpu, memory, behavior }: Autoscaling, app: string) {
  const target = (name: string, averageUtilization: number) => ({
    type: "ContainerResource",
    containerResource: { name, container: app, target: { type: "Utilization", averageUtilization } },
  });
  return {
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: app },
    minReplicas: min,
    maxReplicas: max,
    metrics: [target("cpu", cpu), ...(memory === undefined ? [] : [target("memory", memory)])],
    ...(behavior === undefined ? {} : { behavior }),
  };
}
