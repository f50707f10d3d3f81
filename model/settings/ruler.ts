import { z } from "zod";
import { externalUrl } from "./addressForms";
import { extra } from "./extra";
import { count, duration, resources, spread } from "./forms";
import { pods, services } from "./pods";
import { storeLimits } from "./reads";
import { rollout } from "./rollout";
import { storage } from "./storage";
import { logging } from "./telemetry";

/** Schema of `ruler`. */
export const rulerSettings = z
  .strictObject({
    mode: z
      .enum(["stateless", "stateful"])
      .default("stateless")
      .describe(
        "`stateless`: results are remote-written into the ring. `stateful`: the rulers keep, serve and upload them; the only mode with sidecars.",
      ),
    replicas: count(1, 5)
      .default(2)
      .describe("Rulers that evaluate the same rules, at the same instants: their results are replicas of one series."),
    evaluationInterval: duration.default("30s").describe("How often rules are evaluated that name no interval of their own. At least 1s."),
    queryOffset: duration
      .default("0s")
      .describe("How far behind the clock rules are evaluated, so that samples which arrive late are counted."),
    retention: duration
      .default("36h")
      .describe(
        "How long a stateful ruler keeps results itself: with a bucket at least two hours beyond the handover, and at most 40h where that " +
          "bucket is downsampled.",
      ),
    storage: storage
      .optional()
      .describe("Where a stateful ruler keeps its results. Required for `stateful`; a stateless ruler keeps nothing."),
    externalUrl: externalUrl
      .optional()
      .describe(
        "Where people open the rulers' own pages, of which the path alone means something to them. Alerts link to where people query " +
          "(`querier.externalUrl`). Left out: pages link to the root.",
      ),
    storeLimits,
    antiAffinity: spread,
    rollout,
    logging,
    pods,
    services,
    extra,
    resources: resources("100m", "512Mi"),
  })
  .optional()
  .describe(
    "Evaluates the rules of `prometheus.ruleFolder` over everything that the querier serves. Left out: each Prometheus evaluates them over its " +
      "own targets.",
  );
