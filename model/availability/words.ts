import type { CountedOn, Loss, Survival } from "./types";

/** The words for losses and for shares, wherever people read them: in a preview's lines, a refusal, a comment, a page. */

/** Names of losses. */
export const LOSS_NAMES: Readonly<Record<Loss, string>> = {
  node: "any 1 node",
  twoNodes: "any 2 nodes",
  zone: "any 1 zone",
  rollingRestart: "a step of a rolling restart",
  drain: "a drain",
  prometheus: "1 Prometheus",
  querier: "1 querier",
  storeGateway: "1 store gateway",
};

/** `1 node`, `0 nodes`, `2 zones`. */
export const counted = (count: number, domain: keyof Survival): string => `${count} ${count === 1 ? domain.slice(0, -1) : domain}`;

/** Losses that are survived, nodes and zones apart: `any 2 nodes`, `any 1 zone`. None for a count of 0. */
export const anyOf = ({ nodes, zones }: Survival): string[] => [
  ...(nodes > 0 ? [`any ${counted(nodes, "nodes")}`] : []),
  ...(zones > 0 ? [`any ${counted(zones, "zones")}`] : []),
];

/** Meaning of surviving, with receivers that are written to and without. */
export const kept = (written: boolean): string =>
  written
    ? "no write refused, no answer incomplete, no acknowledged sample lost"
    : "every target scraped, no answer incomplete, no sample lost";

/** Nodes that a proof counts on, and the effect of fewer, in words. */
export const countedOn = ({ count, which, zones }: CountedOn): string =>
  `counts on ${counted(count, "nodes")} ${which}${zones === undefined ? "" : `, ${inZones(zones)}`}: with fewer, pods stay Pending ` +
  `${zones === undefined || zones.count < 2 ? "and" : "or share a zone, and"} less is survived`;

function inZones({ count, of }: NonNullable<CountedOn["zones"]>): string {
  const names = of.join(", ");
  if (of.length === 1) return `in zone ${names}`;
  return count === of.length
    ? `in each of the zones ${names}`
    : count === 1
      ? `in any of the zones ${names}`
      : `in ${count} of the zones ${names}`;
}

/** A share in few digits, and neither none nor all unless it is. */
export function percent(share: number): string {
  if (share > 0 && share < 0.001) return "< 0.1 %";
  if (share < 1 && share > 0.999) return "> 99.9 %";
  return `${Number((share * 100).toFixed(1))} %`;
}
