import { antiAffinityOf, nodesOfRing } from "./plan";
import type { Availability, AvailabilityPlan, ReceivePlan, Scenario, Survival } from "./types";
import { anyOf, counted, countedOn, kept, LOSS_NAMES, percent } from "./words";

/** Summary of what a plan survives, in a few lines for people. */

/** The load, relative to the mean, above which the summary calls a hashring uneven: hashing alone stays well below. */
export const UNEVEN_LOAD = 1.25;

/** A share that is the largest of several cases. */
const upTo = (share: number): string => (share > 0 && share < 1 ? `up to ${percent(share)}` : percent(share));

function troubleOf(scenario: Scenario): string[] {
  const trouble: string[] = [];
  if (scenario.unwritable > 0) {
    trouble.push(`${upTo(scenario.unwritable)} of series refuse writes, so practically every request fails and is retried`);
  } else if (scenario.writes === "refused") {
    trouble.push("no router is sure to be left: every request fails and is retried");
  }
  if (scenario.unwritable > 0 || scenario.unreadable > 0) {
    const except = scenario.unreadable > 0 && scenario.history === "complete" ? " where the bucket does not answer yet" : "";
    trouble.push(`${upTo(scenario.unreadable)} ${scenario.writes === undefined ? "of series " : ""}unreadable${except}`);
  }
  if (scenario.mayLoseAcknowledged > 0) {
    trouble.push(`${upTo(scenario.mayLoseAcknowledged)} may lose acknowledged samples`);
  }
  if (scenario.queries === "none") {
    trouble.push("no query is sure to be answered");
  } else if (scenario.history === "partial") {
    trouble.push("what only the bucket holds is not answered in full");
  } else if (scenario.queries === "partial" && scenario.unreadable === 0 && scenario.mayLoseAcknowledged === 0) {
    trouble.push("answers can lack samples");
  }
  if (scenario.unscraped > 0) {
    trouble.push(`${percent(scenario.unscraped)} of targets not scraped`);
  }
  if (scenario.rules === "paused" && scenario.queries !== "none") {
    trouble.push("no rule is evaluated");
  }
  return trouble;
}

function survivalLine({ nodes, zones }: Survival, limits: Availability["limits"], zoned: boolean, written: boolean): string {
  const survived = anyOf({ nodes, zones });
  const not = [...(nodes === 0 ? limits.nodes : []), ...(zones === 0 && zoned ? limits.zones : [])];
  return [
    ...(survived.length > 0 ? [`survives the loss of ${survived.join(" or ")}: ${kept(written)}`] : []),
    ...(not.length > 0 ? [`does not survive the loss of any ${nodes === 0 ? "1 node" : "1 zone"}: ${not.join("; ")}`] : []),
  ].join("; ");
}

/** With a budget of none, or with one node, whose evicted receivers wait for it while the budget holds back the rest. */
const drainNeverEnds = (receive: ReceivePlan): boolean =>
  receive.hashrings.some(
    (ring) =>
      receive.maxUnavailable !== undefined &&
      (receive.maxUnavailable === 0 || (nodesOfRing(ring, receive) === 1 && receive.maxUnavailable < ring.members.length)),
  );

/** The first line says what is survived; the others what a loss does, and what is unusual about the plan. */
export function summaryOf(result: Omit<Availability, "summary">, plan: AvailabilityPlan, zones: number): string[] {
  const { receive, prometheus } = plan;
  const lines = [survivalLine(result.survives, result.limits, zones >= 2, receive !== undefined)];
  const { nodes: storedNodes, zones: storedZones } = result.dataSurvives;
  if (storedNodes > result.survives.nodes || storedZones > result.survives.zones) {
    const stored = [
      ...(storedNodes > 0 ? [counted(storedNodes, "nodes")] : []),
      ...(storedZones > 0 ? [counted(storedZones, "zones")] : []),
    ];
    lines.push(`what is stored survives the loss of any ${stored.join(" or ")}`);
  }
  for (const scenario of result.scenarios) {
    const trouble = troubleOf(scenario);
    if (trouble.length > 0) {
      lines.push(`${LOSS_NAMES[scenario.loss]}: ${trouble.join(", ")}`);
    }
  }
  if (result.scenarios.some((scenario) => scenario.loss === "node" && scenario.mayLoseAcknowledged > 0)) {
    const keeper = receive === undefined ? "Prometheus" : "receivers";
    const kinds = receive === undefined ? [prometheus.storage] : receive.hashrings.map((ring) => ring.storage ?? receive.storage);
    const onNodes = kinds.includes("hostPath");
    if (onNodes) {
      lines.push(`what a node's ${keeper} ${plan.storeGateway === undefined ? "hold" : "have not yet uploaded"} is lost with its disk`);
    }
    if (!onNodes || kinds.some((kind) => kind !== "hostPath")) {
      lines.push(
        "a volume outlives its node: lost with a node are the last seconds, which were not yet on disk; with its volumes, everything",
      );
    }
  }
  if (prometheus.storage === "emptyDir") {
    lines.push(
      "Prometheus keeps its log in its pods (emptyDir): one that is moved or deleted loses what it has not sent, which is seconds, or up to 2h while the ring is away",
    );
  }
  const soft = receive?.hashrings.filter((ring) => antiAffinityOf(ring, receive) === "soft") ?? [];
  if (soft.length > 0) {
    const whose = soft.length === receive?.hashrings.length ? "" : ` of hashring ${soft.map(({ name }) => name).join(", ")}`;
    lines.push(
      `anti-affinity${whose} is soft: all receivers of a zone, or without zones all receivers, may share a node, and are counted so`,
    );
  }
  const sharded = receive?.hashrings.filter((ring) => ring.shards !== undefined) ?? [];
  if (sharded.length > 0) {
    lines.push(
      `hashring ${sharded.map(({ name }) => name).join(", ")} is shuffle sharded: shares are those of the tenant that a loss is worst for; others may notice nothing`,
    );
  }
  if (receive === undefined && prometheus.antiAffinity === "soft" && prometheus.replicas > 1) {
    lines.push("anti-affinity is soft: all Prometheus of a shard may share a node, and are counted so");
  }
  for (const nodes of plan.nodes ?? []) lines.push(countedOn(nodes));
  if (receive !== undefined && drainNeverEnds(receive)) {
    lines.push("a drain never ends: the disruption budget keeps receivers that have no other node to go to");
  }
  for (const { name, heaviest } of result.receive?.hashrings ?? []) {
    if (heaviest.load > UNEVEN_LOAD) {
      lines.push(`hashring ${name} is uneven: ${heaviest.pod} holds ${heaviest.load.toFixed(3)} times the mean`);
    }
  }
  return lines;
}
