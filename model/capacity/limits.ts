import { boundary } from "../values/boundary";
import { once } from "../values/once";
import type { Problem } from "../values/problem";
import { decidingKey } from "./deciding";
import { underLoad } from "./load";
import { isBeyondBudget, isMet } from "./need";
import { needsOf } from "./needs";
import { amountOf } from "./quantities";
import { remedyOf } from "./remedies";
import type { CapacityPlan, Need } from "./types";
import { RESOURCE_NAMES, SITUATION_NAMES } from "./words";

/** Where more is needed than there is. */

const fullness = ({ worst, available }: Need): number => worst / available;

/** The need that is nearest to its limit, or farthest above it. */
const fullest = (needs: readonly Need[]): Need => needs.reduce((most, each) => (fullness(each) > fullness(most) ? each : most));

/** Loads that are tried, as multiples: nobody plans for more. */
const MOST = 1e6;
/** How exact the multiple is. */
const EXACT = 1e-3;

/** How many times the load is carried, 0 where not even the smallest is, and the need that is then at its limit. */
export const firstLimit = once(searched);

function searched(plan: CapacityPlan): { times: number; need: Need } {
  const at = (factor: number): Need => fullest(needsOf(underLoad(plan, factor)));
  const isCarried = (factor: number): boolean => isMet(at(factor));
  if (!isCarried(EXACT)) return { times: 0, need: at(0) };
  const { last, beyond } = boundary(isCarried, { start: EXACT, most: MOST, exact: EXACT });
  // A load that is met exactly is carried, however near the search came to it.
  return { times: isCarried(1) ? Math.max(1, last) : last, need: at(beyond) };
}

/** Parts of a need that are named. */
const MOST_PARTS = 3;

/** The largest parts of a need, in words: `8.2 GiB for series and samples of the head, …`. */
export function partsInWords({ parts, resource }: Pick<Need, "parts" | "resource">): string {
  const named = parts.slice(0, MOST_PARTS).map(({ what, amount }) => `${amountOf(resource, amount)} for ${what}`);
  return [...named, ...(parts.length > MOST_PARTS ? ["…"] : [])].join(", ");
}

/** Resources of which a need has one part only. */
const TOLD_WHOLE: readonly Need["resource"][] = ["replay", "remoteWrite"];

/** Digits beyond the usual ones that are tried. */
const DIGITS = [0, 1, 2, 3, 4, 5, 6];

/** The fewest of them with which what is needed does not read as what there is. */
const digitsApart = ({ resource, worst, available }: Need): number =>
  DIGITS.find((more) => amountOf(resource, worst, more) !== amountOf(resource, available, more)) ?? 0;

/** Why a need is no less than it is: `needs 9 GiB of memory while … (8.2 GiB for …)`. */
export function reasonOf(need: Need): string {
  const when = SITUATION_NAMES[need.when];
  const amount = amountOf(need.resource, need.worst, digitsApart(need));
  const what =
    need.resource === "replay"
      ? `takes ${amount} for the replay of its log with the CPU that it surely has`
      : need.resource === "remoteWrite"
        ? `has ${amount} to send`
        : need.resource === "cpu"
          ? `needs ${amount}`
          : `needs ${amount} of its ${RESOURCE_NAMES[need.resource]}`;
  return `${what}${when === "" ? "" : ` ${when}`}${TOLD_WHOLE.includes(need.resource) ? "" : ` (${partsInWords(need)})`}`;
}

/** The amount that is available for a need, in words. */
function availableOf(need: Need): string {
  const { resource, available, least = 0 } = need;
  const amount = amountOf(resource, available, digitsApart(need));
  switch (resource) {
    case "memory":
      return `it may use ${amount}, which is 90 % (GOMEMLIMIT)`;
    case "disk":
      return `it may fill ${amount}, which is 85 %`;
    case "cpu":
      return `it is to take ${amount}, which is 70 % of what is reserved`;
    case "replay":
      return `a start may take ${amount}${least > available ? `; one tenant's log alone takes ${amountOf(resource, least)}, since it is read in sequence however many cores there are` : ""}`;
    case "remoteWrite":
      return `all senders together surely send ${amount}`;
  }
}

/** One pod of a component, in words. */
export const onePod = (component: string): string =>
  component === "Prometheus" ? component : component === "compactor" ? "the compactor" : `one of the ${component}`;

function problemOf(need: Need, plan: CapacityPlan): Problem {
  const deciding = decidingKey(need, plan);
  return {
    key: need.budget.key,
    // As the stack file has it: senders are a number, quantities are texts.
    value: need.resource === "remoteWrite" ? need.budget.amount : need.budget.text,
    isPublic: true,
    rule: `under the load (${deciding.text}) ${onePod(need.component)} ${reasonOf(need)}, and ${availableOf(need)}`,
    remedy: remedyOf(need, plan, deciding),
  };
}

/** Whether a need says more of its key than another one does: no amount meets it, or a larger one does. */
const saysMore = (need: Need, before: Need): boolean =>
  isBeyondBudget(need) === isBeyondBudget(before) ? fullness(need) > fullness(before) : isBeyondBudget(need);

/** Of each key the need that says most, as a problem: everything that can't carry the load; empty where all of it can. */
export function loadProblemsOf(plan: CapacityPlan): Problem[] {
  const byKey = new Map<string, Need>();
  for (const need of needsOf(plan).filter((each) => !isMet(each))) {
    const { key } = need.budget;
    const before = byKey.get(key);
    if (before === undefined || saysMore(need, before)) byKey.set(key, need);
  }
  return [...byKey.values()].map((need) => problemOf(need, plan));
}
