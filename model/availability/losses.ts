import { type CaseShares, caseShares, pairShares } from "../ring/placement";
import { writeQuorum } from "../ring/quorum";
import { domains, type PlacedHashring, placeHashring, refuseProblems } from "./plan";
import type { AvailabilityPlan, Loss, LossCase, ReceivePlan } from "./types";

/** The cases of a loss: which receivers it can take, and what that does to their series. */

function combinations<T>(items: readonly T[], size: number): T[][] {
  if (size === 0) {
    return [[]];
  }
  return items.flatMap((item, i) => combinations(items.slice(i + 1), size - 1).map((rest) => [item, ...rest]));
}

function product(groups: readonly number[][]): number[][] {
  return groups.reduce<number[][]>((cases, group) => cases.flatMap((chosen) => group.map((member) => [...chosen, member])), [[]]);
}

/** A case of a loss: the members that it takes from a hashring, and what that does to their series. */
interface Case {
  lost: number[];
  shares: CaseShares;
}

/** The cases of a loss of any `count` of some groups of members, or of all of them where they are fewer. */
function anyOf(groups: readonly number[][], count: number, copies: PlacedHashring["copies"]): Case[] {
  const most = Math.min(count, groups.length);
  if (most !== 2) return combinations(groups, most).map((lost) => caseOf(lost.flat(), copies));
  const shares = pairShares(copies, groups);
  return groups.flatMap((one, i) =>
    groups.slice(i + 1).map((other, rest) => ({ lost: [...one, ...other], shares: shares(i, i + 1 + rest) })),
  );
}

const caseOf = (lost: number[], copies: PlacedHashring["copies"]): Case => ({ lost, shares: caseShares(copies, lost) });

/** The cases of a loss in a hashring. */
function casesOf(loss: Loss, { ring, copies, nodes, zones }: PlacedHashring, receive: ReceivePlan): Case[] {
  const any = (groups: readonly number[][], count: number) => anyOf(groups, count, copies);
  switch (loss) {
    case "node":
      return any(nodes, 1);
    case "twoNodes":
      return any(nodes, 2);
    case "zone":
      return any(zones, 1);
    case "rollingRestart":
      return receive.restart === "onePerZone" && zones.length > 0
        ? product(zones).map((lost) => caseOf(lost, copies))
        : any(domains(ring, "member"), 1);
    case "drain":
      return receive.maxUnavailable === undefined ? any(nodes, 1) : any(domains(ring, "member"), receive.maxUnavailable);
    case "prometheus":
    case "querier":
    case "storeGateway":
      return [];
  }
}

/**
 * A restart or a drain flushes the receivers, and their data stays, as does that of a Prometheus that ends: nothing
 * that was acknowledged is lost by it.
 */
export const keepsData = (loss: Loss): boolean => loss === "rollingRestart" || loss === "drain" || loss === "prometheus";

/**
 * Every case of a loss with its shares, exact; `incomplete` counts series of which a quorum is away, whether or not its data comes back.
 */
export function lossCases(loss: Loss, placed: readonly PlacedHashring[], receive: ReceivePlan): (LossCase & { incomplete: number })[] {
  const quorum = writeQuorum(receive.replicationFactor);
  return placed.flatMap((hashring) =>
    casesOf(loss, hashring, receive).map(({ lost, shares: { atLeast, exactly } }) => {
      const quorumLost = atLeast(quorum);
      return {
        hashring: hashring.ring.name,
        lost: lost.map((member) => hashring.ring.members[member]?.pod ?? ""),
        unwritable: atLeast(receive.replicationFactor - quorum + 1),
        unreadable: exactly(receive.replicationFactor),
        oneCopyLeft: exactly(receive.replicationFactor - 1),
        mayLoseAcknowledged: keepsData(loss) ? 0 : quorumLost,
        incomplete: quorumLost,
      };
    }),
  );
}

/**
 * Every case of a loss with its exact shares, not rounded, hashring by hashring.
 *
 * @throws {RingError} with every problem of the plan.
 */
export function enumerateLosses(plan: AvailabilityPlan, loss: Loss): LossCase[] {
  refuseProblems(plan);
  const { receive } = plan;
  if (receive === undefined) {
    return [];
  }
  const placed = receive.hashrings.flatMap((ring) => placeHashring(ring, receive));
  return lossCases(loss, placed, receive).map(({ incomplete: _, ...one }) => one);
}
