import { hostPathProblems } from "../kubernetes/storageRules";
import { handoverSeconds } from "../retention/handover";
import type { RulerSettings, Settings } from "../settings/schema";
import type { Problem } from "../values/problem";
import { durationSeconds, durationText } from "../values/quantity";

/** The rules of the ruler's settings. Each names the key to change, why, and what would be accepted. */

/**
 * A block, which is dropped whole, its newest sample that much before its retention ends; a retention of zero would keep
 * everything (tsdb `BeyondTimeRetention`).
 */
const BLOCK_SECONDS = 2 * 3_600;
/** Shortest interval between evaluations. Zero stops the process (prometheus rules `EvalTimestamp` divides by it). */
const LEAST_INTERVAL = "1s";

/** Whether rules are evaluated over everything: by rulers, or by the servers of the only shard. */
export const rulesSeeAllTargets = ({ ruler, prometheus }: Settings): boolean => ruler !== undefined || prometheus.shards === 1;

/**
 * Warnings of what the rules miss without a ruler, a line each; empty where there is one or nothing is missed. Not a problem: rules about
 * one target at a time are right in every shard, and only those who wrote them know whether others are.
 *
 * @param rules How many rules the rule files hold.
 */
export function ruleWarnings(settings: Settings, rules: number): string[] {
  const { ruler, prometheus } = settings;
  if (ruler === undefined && prometheus.mode === "agent") return ['prometheus.mode is "agent" and there is no ruler: no rule is evaluated'];
  if (rules === 0) return [`there is no rule in ${prometheus.ruleFolder} (prometheus.ruleFolder), so no alert is ever sent`];
  if (rulesSeeAllTargets(settings)) return [];
  return [
    `each of the ${prometheus.shards} shards (prometheus.shards) evaluates the rules over its own targets: one that counts or compares targets, such as ReceiversDisagreeAboutTheRing, ` +
      "can miss what is there; the key ruler evaluates them over everything",
  ];
}

/** Every problem of the ruler's settings; empty where they can be deployed. */
export function rulerProblems(settings: Settings): Problem[] {
  const { ruler } = settings;
  if (ruler === undefined) return [];
  const interval =
    durationSeconds(ruler.evaluationInterval) >= durationSeconds(LEAST_INTERVAL)
      ? []
      : [
          {
            key: "ruler.evaluationInterval",
            value: ruler.evaluationInterval,
            rule: "rules are evaluated at multiples of this, so it can't be none",
            remedy: `${LEAST_INTERVAL} or more`,
          },
        ];
  return [...interval, ...(ruler.mode === "stateless" ? statelessProblems(settings) : statefulProblems(ruler, settings))];
}

function statelessProblems({ ingestion }: Settings): Problem[] {
  if (ingestion === "receive") return [];
  return [
    {
      key: "ruler.mode",
      value: "stateless",
      rule: `a stateless ruler remote-writes into a ring, and ingestion is "${ingestion}"`,
      remedy: '"stateful" with ruler.storage, or ingestion "receive"',
    },
  ];
}

function statefulProblems(ruler: RulerSettings, settings: Settings): Problem[] {
  const { storage, antiAffinity, replicas, retention } = ruler;
  const handover = handoverSeconds(settings);
  const least = (handover ?? 0) + BLOCK_SECONDS;
  return [
    ...(storage === undefined
      ? [
          {
            key: "ruler.storage",
            value: undefined,
            rule: "a stateful ruler keeps what comes of the rules, and its blocks until they are uploaded",
            remedy: 'a map of keys with hostPath or pvc, or ruler.mode "stateless"',
          },
        ]
      : hostPathProblems({ key: "ruler", storage, antiAffinity, pods: replicas })),
    ...(durationSeconds(retention) >= least
      ? []
      : [
          {
            key: "ruler.retention",
            value: retention,
            rule:
              handover === undefined
                ? "samples are kept in blocks of 2h, and no retention would mean for ever"
                : `the bucket serves what is older than ${durationText(handover)}, and a block of 2h may be dropped that much before its retention ends`,
            remedy: `${durationText(least)} or more`,
          },
        ]),
  ];
}
