import type { Settings } from "../settings/schema";
import type { Problem } from "../values/problem";
import { runningComponents } from "./components";

/** The rules of numbers of pods that follow their load. */

/**
 * Every problem of autoscaling; empty where each number can be rolled at both its ends. With hard anti-affinity a pod that is replaced goes
 * first, where there are several, since each may need its node; the only one goes last.
 */
export const scalingProblems = (settings: Settings): Problem[] =>
  runningComponents(settings).flatMap(({ key, own: { autoscaling, antiAffinity } }) =>
    autoscaling === undefined || antiAffinity !== "hard" || autoscaling.min > 1 || autoscaling.max === 1
      ? []
      : [
          {
            key: `${key}.autoscaling.min`,
            value: autoscaling.min,
            rule:
              `with ${key}.antiAffinity "hard" an update of one pod needs a node that is free, and of as many as there are nodes a pod that goes first: ` +
              "a Deployment does the one or the other, whatever the number is by then",
            remedy: `2 or more, or ${key}.antiAffinity "soft"`,
          },
        ],
  );
