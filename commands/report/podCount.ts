import { fields, kindOf, objectName, type PolicyResource } from "../../policy/resources";

/** Number of a workload's pods: one where it is written down, two bounds where it follows its load. */
export interface PodCount {
  least: number;
  most: number;
}

/**
 * The number of a workload's pods.
 *
 * @param resources Everything that is deployed with it, an autoscaler of it perhaps.
 */
export function podCount(workload: PolicyResource, resources: readonly PolicyResource[]): PodCount {
  const { replicas } = fields(workload.inputs, "spec");
  if (typeof replicas === "number") return { least: replicas, most: replicas };
  const scaler = resources.find((each) => {
    const target = fields(fields(each.inputs, "spec"), "scaleTargetRef");
    return kindOf(each) === "HorizontalPodAutoscaler" && target.kind === kindOf(workload) && target.name === objectName(workload);
  });
  const { minReplicas, maxReplicas } = fields(scaler?.inputs, "spec");
  const least = typeof minReplicas === "number" ? minReplicas : 1;
  return { least, most: typeof maxReplicas === "number" ? maxReplicas : least };
}

/** Several numbers together. */
export const together = (counts: readonly PodCount[]): PodCount => ({
  least: counts.reduce((sum, { least }) => sum + least, 0),
  most: counts.reduce((sum, { most }) => sum + most, 0),
});

/** How a picture names it: `×2`, or `×2 to 5`. */
export const times = ({ least, most }: PodCount): string => `×${least === most ? least : `${least} to ${most}`}`;
