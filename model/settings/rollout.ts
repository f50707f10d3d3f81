import { z } from "zod";

/** Restarts that are asked for in the stack file, so that they keep the order which updates keep. */

const restartedAt = z
  .string()
  .regex(
    /^[A-Za-z0-9](?:[A-Za-z0-9.:+_-]{0,61}[A-Za-z0-9])?$/,
    "a text of at most 63 characters that names the restart, such as '2026-07-01T12:00:00Z'",
  )
  .optional()
  .describe(
    'Another text than the last update\'s [restarts](operations.md#restart) the pods in order, such as `"2026-07-01T12:00:00Z"`. Left as it is, ' +
      "nothing happens; taken out, they restart once more.",
  );

/** `rollout` of components whose pods Kubernetes itself restarts in order: a Deployment, or one StatefulSet. */
export const rollout = z.strictObject({ restartedAt }).prefault({}).meta({ shared: "rollout", description: "Restarts the pods." });

/** `rollout` of the receivers. */
export const receiveRollout = z
  .strictObject({
    preStopSeconds: z
      .int()
      .min(0)
      .max(120)
      .default(5)
      .describe("Seconds between leaving the Services and the end of the process, which closes its listener at once."),
    minReadySeconds: z
      .int()
      .min(0)
      .max(600)
      .default(25)
      .describe(
        "Seconds that a receiver must have been ready before the next one is restarted. Measured: with 10 s a rolling restart failed 6 to 11 " +
          "sends of 410, with 25 s none of 684.",
      ),
    gracePeriodSeconds: z
      .int()
      .min(30)
      .max(7_200)
      .default(900)
      .describe("Seconds for flushing every head block before the process is killed. Above `preStopSeconds`, which is part of it."),
    restartedAt,
  })
  .prefault({});

/**
 * Annotation of the pods that holds the text; not kubectl's own (`kubectl.kubernetes.io/restartedAt`), which would
 * be taken away from whoever used that.
 */
export const RESTARTED_AT = "thanos-stack/restarted-at";

/** Annotations of pods whose restart was asked for. */
export function restartAnnotations(restart: string | undefined): Record<string, string> {
  return restart === undefined ? {} : { [RESTARTED_AT]: restart };
}
