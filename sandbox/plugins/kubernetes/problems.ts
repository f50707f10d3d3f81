import { isJsonObject, type JsonObject } from "../protocol/values";
import type { Api } from "./api";
import type { Kind } from "./discovery";
import { condition, field, listField, numberField, textField } from "./readiness";

// Reasons of a container that is simply on its way.
const ordinary = new Set(["ContainerCreating", "PodInitializing"]);

function sentence(...parts: string[]): string {
  return parts.filter((part) => part !== "").join(": ");
}

function terminated(state: JsonObject): string {
  const code = numberField(state, "exitCode") ?? 0;
  return sentence(`exit code ${code}`, sentence(textField(state, "reason"), textField(state, "message").trim()));
}

function containerProblems(status: JsonObject): string[] {
  const container = `container ${textField(status, "name")}`;
  const problems: string[] = [];
  const waiting = field(status, "state", "waiting");
  if (isJsonObject(waiting) && !ordinary.has(textField(waiting, "reason"))) {
    problems.push(sentence(container, textField(waiting, "reason"), textField(waiting, "message")));
  }
  const ended = field(status, "state", "terminated");
  if (isJsonObject(ended) && (numberField(ended, "exitCode") ?? 0) !== 0) {
    problems.push(`${container} ended with ${terminated(ended)}`);
  }
  const last = field(status, "lastState", "terminated");
  if (isJsonObject(last) && field(status, "ready") !== true) {
    problems.push(`${container} last ended with ${terminated(last)}`);
  }
  if (isJsonObject(field(status, "state", "running")) && field(status, "ready") === false && last === undefined) {
    problems.push(`${container} is running but not ready`);
  }
  return problems;
}

/** Why a pod is not ready, most telling first; empty when it is ready or simply starting. */
export function podProblems(pod: JsonObject): string[] {
  if (condition(pod, "Ready")?.status === "True" || textField(pod, "status", "phase") === "Succeeded") {
    return [];
  }
  const scheduled = condition(pod, "PodScheduled");
  const unscheduled = scheduled?.status === "False" ? [sentence(textField(scheduled, "reason"), textField(scheduled, "message"))] : [];
  const ended =
    textField(pod, "status", "phase") === "Failed"
      ? [sentence(textField(pod, "status", "reason"), textField(pod, "status", "message"))]
      : [];
  const containers = [...listField(pod, "status", "initContainerStatuses"), ...listField(pod, "status", "containerStatuses")].flatMap(
    containerProblems,
  );
  const name = `pod ${textField(pod, "metadata", "name")}`;
  return [...unscheduled, ...ended, ...containers].filter((problem) => problem !== "").map((problem) => `${name}: ${problem}`);
}

/** The selector of the pods an object runs, in the query's notation; undefined when it runs none. */
export function podSelector(kind: Kind, object: JsonObject): string | undefined {
  const selector = field(object, "spec", "selector");
  if (!isJsonObject(selector)) {
    return undefined;
  }
  const plain = kind.group === "" && (kind.kind === "Service" || kind.kind === "ReplicationController");
  const labels = plain ? selector : selector.matchLabels;
  const equal = isJsonObject(labels) ? Object.entries(labels).map(([key, value]) => `${key}=${String(value)}`) : [];
  const expressions = listField(selector, "matchExpressions").map((expression) => {
    const key = textField(expression, "key");
    const values = Array.isArray(expression.values) ? expression.values.map(String).join(",") : "";
    switch (textField(expression, "operator")) {
      case "In":
        return `${key} in (${values})`;
      case "NotIn":
        return `${key} notin (${values})`;
      case "DoesNotExist":
        return `!${key}`;
      default:
        return key;
    }
  });
  const all = [...equal, ...expressions];
  return all.length === 0 ? undefined : all.join(",");
}

function newestFirst(events: JsonObject[]): JsonObject[] {
  const time = (event: JsonObject) =>
    textField(event, "lastTimestamp") || textField(event, "eventTime") || textField(event, "metadata", "creationTimestamp");
  return events.sort((a, b) => time(b).localeCompare(time(a)));
}

const mostProblems = 8;

/**
 * Obstacles to an object's readiness, as its pods' states and the Warning events of it and of its pods tell: the state of pods first, at
 * most eight lines. Empty when nothing tells, or when this user may not look.
 */
export async function problemsOf(api: Api, kind: Kind, object: JsonObject, signal?: AbortSignal): Promise<string[]> {
  const namespace = textField(object, "metadata", "namespace");
  if (namespace === "") {
    return [];
  }
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}`;
  const isPod = kind.group === "" && kind.kind === "Pod";
  const selector = isPod ? undefined : podSelector(kind, object);
  const [pods, events] = await Promise.all([
    isPod
      ? [object]
      : selector === undefined
        ? []
        : api
            .list(`${path}/pods`, { labelSelector: selector }, signal)
            .then(({ items }) => items)
            .catch(() => []),
    api
      .list(`${path}/events`, { fieldSelector: "type=Warning" }, signal)
      .then(({ items }) => items)
      .catch(() => []),
  ]);
  const concerned = new Set([object, ...pods].map((concerns) => textField(concerns, "metadata", "uid")));
  const name = textField(object, "metadata", "name");
  const ofClaims = (event: JsonObject) =>
    textField(event, "involvedObject", "kind") === "PersistentVolumeClaim" &&
    textField(event, "involvedObject", "name").includes(`${name}-`);
  const told = newestFirst(events.filter((event) => concerned.has(textField(event, "involvedObject", "uid")) || ofClaims(event))).map(
    (event) => {
      const about = `${textField(event, "involvedObject", "kind")} ${textField(event, "involvedObject", "name")}`;
      return `${about}: ${sentence(textField(event, "reason"), textField(event, "message"))}`;
    },
  );
  return [...new Set([...pods.flatMap(podProblems), ...told])].slice(0, mostProblems);
}
