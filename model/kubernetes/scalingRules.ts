import type { Autoscaling } from "../settings/autoscaling";
import type { Settings } from "../settings/schema";
import { receiveOf } from "../settings/scheme";
import type { Problem } from "../values/problem";

/** The rules of numbers of pods that follow their load. */

interface ScaledComponent {
  key: string;
  autoscaling?: Autoscaling | undefined;
  antiAffinity: "hard" | "soft";
}

/** Components whose number of pods may follow their load, of those that there are. */
function components(settings: Settings): ScaledComponent[] {
  const { querier, queryFrontend } = settings;
  const receive = receiveOf(settings);
  return [
    { key: "querier", ...querier },
    ...(queryFrontend === undefined ? [] : [{ key: "queryFrontend", ...queryFrontend }]),
    ...(receive?.mode === "split" ? [{ key: "receive.routers", ...receive.routers }] : []),
  ];
}

/**
 * Every problem of autoscaling; empty where each number can be rolled at both its ends. With hard anti-affinity a pod that is replaced goes
 * first, where there are several, since each may need its node; the only one goes last.
 */
export const scalingProblems = (settings: Settings): Problem[] =>
  components(settings).flatMap(({ key, autoscaling, antiAffinity }) =>
    autoscaling === undefined || antiAffinity === "soft" || autoscaling.min > 1 || autoscaling.max === 1
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
