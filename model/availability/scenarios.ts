import { type Left, leftAfterLoss } from "./left";
import { keepsData, lossCases } from "./losses";
import { type PlacedHashring, rounded } from "./plan";
import type { AvailabilityPlan, Loss, LossCase, PrometheusWorkload, Scenario, Shares } from "./types";

/** Each loss and the worst that it can do. */

/** Whether what comes of the rules is on the rulers alone, and none of them is sure to be left. */
const resultsGone = (plan: AvailabilityPlan, remaining: Left): boolean => plan.ruler?.stores === true && remaining.ruler <= 0;

/**
 * The share of the targets, and in the sidecar scheme of the series, that a shard's Prometheus have, or all shards'
 * where the loss can take them from each.
 */
const shareOfShards = (loss: Loss, { shards }: PrometheusWorkload): number => (loss === "prometheus" ? 1 / shards : 1);

/** The shares of the sidecar scheme: all of a shard's Prometheus have every sample of its series, whichever of them is left. */
function sidecarShares(loss: Loss, { prometheus }: AvailabilityPlan, remaining: Left): Shares {
  const share = shareOfShards(loss, prometheus);
  const gone = remaining.prometheus <= 0 ? share : 0;
  return {
    unwritable: 0,
    unreadable: gone,
    oneCopyLeft: remaining.prometheus === 1 && prometheus.replicas > 1 ? share : 0,
    mayLoseAcknowledged: keepsData(loss) ? 0 : gone,
  };
}

/** The worst that a loss can do, over all of its cases. */
export function scenarioOf(loss: Loss, plan: AvailabilityPlan, placed: readonly PlacedHashring[], zones: number): Scenario {
  const { receive, prometheus } = plan;
  const cases = receive === undefined ? [] : lossCases(loss, placed, receive);
  const largest = (key: keyof Shares | "incomplete") => cases.reduce((most, one) => Math.max(most, one[key]), 0);
  const order = ["unwritable", "unreadable", "mayLoseAcknowledged", "oneCopyLeft"] as const;
  const worst = cases.reduce<LossCase | undefined>((most, one) => {
    const differing = most && order.find((key) => one[key] !== most[key]);
    return most === undefined || (differing !== undefined && one[differing] > most[differing]) ? one : most;
  }, undefined);
  const remaining = leftAfterLoss(plan, loss, zones);
  const shares: Shares =
    receive === undefined
      ? sidecarShares(loss, plan, remaining)
      : {
          unwritable: largest("unwritable"),
          unreadable: largest("unreadable"),
          oneCopyLeft: largest("oneCopyLeft"),
          mayLoseAcknowledged: largest("mayLoseAcknowledged"),
        };
  const unscraped = remaining.prometheus > 0 ? 0 : shareOfShards(loss, prometheus);
  const historyGone = remaining.storeGateway <= 0;
  const incomplete = shares.unreadable > 0 || largest("incomplete") > 0 || historyGone || resultsGone(plan, remaining);
  const refused = shares.unwritable > 0 || remaining.routers <= 0 || remaining.gatewayWrites <= 0;
  // Rulers ask the queriers themselves.
  const evaluated = remaining.queries > 0;
  const answered = evaluated && remaining.gatewayReads > 0;
  return {
    loss,
    cases: cases.length,
    ...(worst !== undefined && worst.lost.length > 0 ? { worst: { hashring: worst.hashring, lost: worst.lost } } : {}),
    unwritable: rounded(shares.unwritable),
    unreadable: rounded(shares.unreadable),
    oneCopyLeft: rounded(shares.oneCopyLeft),
    mayLoseAcknowledged: rounded(shares.mayLoseAcknowledged),
    ...(receive === undefined ? {} : { writes: refused ? ("refused" as const) : ("accepted" as const) }),
    queries: !answered ? "none" : incomplete ? "partial" : "complete",
    ...(plan.storeGateway === undefined ? {} : { history: historyGone ? ("partial" as const) : ("complete" as const) }),
    ...(plan.ruler === undefined ? {} : { rules: evaluated && remaining.ruler > 0 ? ("evaluated" as const) : ("paused" as const) }),
    unscraped: rounded(unscraped),
  };
}
