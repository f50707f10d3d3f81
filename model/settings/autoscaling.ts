import { z } from "zod";
import { count } from "./forms";

/** A number of pods that follows their load: its schema. */

const rules = z
  .strictObject({
    stabilizationWindowSeconds: count(0, 3_600)
      .optional()
      .describe("Seconds over which the largest number that was wanted (or, of `scaleUp`, the smallest) counts. Left out: 0 up, 300 down."),
    selectPolicy: z
      .enum(["Max", "Min", "Disabled"])
      .optional()
      .describe("Which of `policies` counts; `Disabled`: none of this direction. Left out: `Max`."),
    policies: z
      .array(
        z.strictObject({
          type: z.enum(["Pods", "Percent"]).describe("What `value` counts."),
          value: count(1, 1_000).describe("Most that the number changes within `periodSeconds`."),
          periodSeconds: count(1, 1_800).describe("Seconds."),
        }),
      )
      .min(1)
      .optional()
      .describe("Left out: up by four pods or twofold in 15 seconds, whichever is more; down by all."),
  })
  .optional();

/** Pods of one component at most: what any of them has as a number too. */
const MOST = 99;

/** `autoscaling` of a component. */
const autoscaling = z
  .strictObject({
    min: count(1, MOST).describe("Least number of pods, which there always is: everything that the plan promises rests on it."),
    max: count(1, MOST).describe("Largest number, which the report counts of pods, CPU and memory."),
    cpu: count(1, 1_000).describe(
      "CPU that a pod is to use on average, in percent of what it requests. Above 100 it counts on what nodes have to spare.",
    ),
    memory: count(1, 100)
      .optional()
      .describe(
        "Memory that a pod is to use on average, in percent of what it requests; whichever of the two wants more pods counts. Left out: it does not " +
          "count. A process of Thanos gives memory back late, so that with it the number falls late, or never.",
      ),
    behavior: z
      .strictObject({ scaleUp: rules.describe("Towards more pods."), scaleDown: rules.describe("Towards fewer.") })
      .optional()
      .describe("How fast the number changes, in Kubernetes' own form. Left out: Kubernetes' own defaults."),
  })
  .refine(({ min, max }) => min <= max, "max no smaller than min")
  .optional()
  .meta({
    shared: "autoscaling",
    description:
      "A HorizontalPodAutoscaler in place of a number. It needs a metrics server in the cluster; without one the number stays as it is " +
      "([how](operations.md#let-the-number-of-pods-follow-the-load)).",
  });

/**
 * `replicas` and `autoscaling`, of which a component has one.
 *
 * @param most Largest number of its pods.
 * @param what Its pods, as the key's description calls them.
 * @param byDefault Their number where neither is chosen.
 */
export const scaled = (most: number, what: string, byDefault: number) => ({
  replicas: count(1, most).optional().describe(`${what} Left out: ${byDefault}, or \`autoscaling\`.`),
  autoscaling,
});

interface Scaled {
  replicas?: number | undefined;
  autoscaling?: { min: number } | undefined;
}

/** Whether a component has a number of pods or bounds of one, and not both. */
export const oneOfThem = ({ replicas, autoscaling }: Scaled): boolean => replicas === undefined || autoscaling === undefined;

/** Refusal where {@link oneOfThem} does not hold. */
export const ONE_OF_THEM = { path: ["autoscaling"], message: "at most one of replicas and autoscaling" };

/** The same settings with the number of pods that there are at least. */
export const withLeast =
  (byDefault: number) =>
  <T extends Scaled>(chosen: T): T & { replicas: number } => ({
    ...chosen,
    replicas: chosen.replicas ?? chosen.autoscaling?.min ?? byDefault,
  });

/** Bounds of a number of pods that follows their load. */
export type Autoscaling = NonNullable<z.output<typeof autoscaling>>;
