import { choicesFor, choosers } from "../kubernetes/choices";
import { podsOver } from "../settings/pods";
import type { Settings } from "../settings/schema";
import type { Problem } from "../values/problem";
import { identityLabels } from "./cloudIdentity";

/** Labels that pods are given with their account's identity, chosen otherwise; empty where there is none. */
export function identityLabelProblems(settings: Settings): Problem[] {
  const { objectStorage, prometheus, receive } = settings;
  const found = choosers(settings).flatMap(({ key, component, ...own }) => {
    const isRing = key.startsWith("receive.hashrings");
    const { labels, serviceAccountAnnotations } = choicesFor(
      settings,
      isRing ? { pods: podsOver(receive?.pods ?? {}, own.pods) } : own,
    ).pods;
    const needed = identityLabels({
      ...(component?.usesBucket?.(settings) ? objectStorage?.serviceAccountAnnotations : {}),
      ...(component?.name === "prometheus" ? prometheus.serviceAccountAnnotations : {}),
      ...serviceAccountAnnotations,
    });
    return Object.entries(needed)
      .filter(([name, value]) => (labels[name] ?? value) !== value)
      .map(([name, value]) => ({
        key: `${own.pods?.labels?.[name] !== undefined ? key : isRing && receive?.pods.labels?.[name] !== undefined ? "receive." : ""}pods.labels.${name}`,
        value: labels[name],
        rule: "the annotations of the service account name an identity of Azure, which only pods with this label are given",
        remedy: `"${value}", or the key left out; without an identity no such annotation`,
      }));
  });
  return found.filter(({ key }, index) => found.findIndex((other) => other.key === key) === index);
}
