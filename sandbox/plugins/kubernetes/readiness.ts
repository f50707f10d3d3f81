import { isJsonObject, type Json, type JsonObject } from "../protocol/values";
import type { Kind } from "./discovery";

/** Where an object stands on its way to doing what it is for. */
export interface Readiness {
  ready: boolean;
  /** Set when it will never become ready by waiting. */
  failed: boolean;
  /** The reason for which it waits, or its failure. */
  message: string;
}

/** Judges an object from its own state and that of the objects related to it. */
export type Rule = (object: JsonObject, related: readonly JsonObject[]) => Readiness;

const ready: Readiness = { ready: true, failed: false, message: "" };

function waiting(message: string): Readiness {
  return { ready: false, failed: false, message };
}

function failed(message: string): Readiness {
  return { ready: false, failed: true, message };
}

export function field(object: Json | undefined, ...path: string[]): Json | undefined {
  return path.reduce<Json | undefined>((current, key) => (isJsonObject(current) ? current[key] : undefined), object);
}

export function textField(object: Json | undefined, ...path: string[]): string {
  const value = field(object, ...path);
  return typeof value === "string" ? value : "";
}

export function numberField(object: Json | undefined, ...path: string[]): number | undefined {
  const value = field(object, ...path);
  return typeof value === "number" ? value : undefined;
}

export function listField(object: Json | undefined, ...path: string[]): JsonObject[] {
  const value = field(object, ...path);
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

export function condition(object: JsonObject, type: string): JsonObject | undefined {
  return listField(object, "status", "conditions").find((found) => found.type === type);
}

function isStale(object: JsonObject): boolean {
  return (numberField(object, "status", "observedGeneration") ?? 0) < (numberField(object, "metadata", "generation") ?? 0);
}

function reasonOf(found: JsonObject | undefined): string {
  return [textField(found, "reason"), textField(found, "message")].filter((part) => part !== "").join(": ");
}

const notObserved = waiting("the controller has not seen this version yet");

const statefulSet: Rule = (object) => {
  if (isStale(object)) {
    return notObserved;
  }
  const replicas = numberField(object, "spec", "replicas") ?? 1;
  const readyReplicas = numberField(object, "status", "readyReplicas") ?? 0;
  const current = numberField(object, "status", "replicas") ?? 0;
  if (current !== replicas) {
    return waiting(`${current} pods exist, ${replicas} are wanted`);
  }
  if (readyReplicas < replicas) {
    return waiting(`${readyReplicas} of ${replicas} pods are ready`);
  }
  // Under OnDelete the pods take a new revision only when somebody deletes them: nothing to wait for.
  if (textField(object, "spec", "updateStrategy", "type") === "OnDelete") {
    return ready;
  }
  const partition = numberField(object, "spec", "updateStrategy", "rollingUpdate", "partition") ?? 0;
  const toUpdate = Math.max(0, replicas - partition);
  const updated = numberField(object, "status", "updatedReplicas") ?? 0;
  if (updated < toUpdate) {
    return waiting(`${updated} of ${toUpdate} pods are updated`);
  }
  const revision = textField(object, "status", "currentRevision");
  const wanted = textField(object, "status", "updateRevision");
  return partition === 0 && revision !== wanted ? waiting(`revision ${wanted} is not current yet`) : ready;
};

const deployment: Rule = (object) => {
  if (isStale(object)) {
    return notObserved;
  }
  const replicas = numberField(object, "spec", "replicas") ?? 1;
  const updated = numberField(object, "status", "updatedReplicas") ?? 0;
  const current = numberField(object, "status", "replicas") ?? 0;
  const available = numberField(object, "status", "availableReplicas") ?? 0;
  const progressing = condition(object, "Progressing");
  const stuck = progressing?.status === "False" ? ` (${reasonOf(progressing)})` : "";
  const failure = condition(object, "ReplicaFailure");
  const refused = failure?.status === "True" ? ` (${reasonOf(failure)})` : "";
  if (field(object, "spec", "paused") === true) {
    return available >= replicas ? ready : waiting(`${available} of ${replicas} pods are available; the roll-out is paused`);
  }
  if (updated < replicas) {
    return waiting(`${updated} of ${replicas} pods are updated${stuck}${refused}`);
  }
  if (current > updated) {
    return waiting(`${current - updated} pods of the previous version are still there${stuck}`);
  }
  return available < replicas ? waiting(`${available} of ${replicas} pods are available${stuck}${refused}`) : ready;
};

const daemonSet: Rule = (object) => {
  if (isStale(object)) {
    return notObserved;
  }
  const desired = numberField(object, "status", "desiredNumberScheduled") ?? 0;
  const updated = numberField(object, "status", "updatedNumberScheduled") ?? 0;
  const available = numberField(object, "status", "numberAvailable") ?? 0;
  if (textField(object, "spec", "updateStrategy", "type") !== "OnDelete" && updated < desired) {
    return waiting(`${updated} of ${desired} pods are updated`);
  }
  return available < desired ? waiting(`${available} of ${desired} pods are available`) : ready;
};

const replicaSet: Rule = (object) => {
  if (isStale(object)) {
    return notObserved;
  }
  const replicas = numberField(object, "spec", "replicas") ?? 1;
  const available = numberField(object, "status", "availableReplicas") ?? 0;
  return available < replicas ? waiting(`${available} of ${replicas} pods are available`) : ready;
};

const pod: Rule = (object) => {
  const phase = textField(object, "status", "phase");
  if (phase === "Succeeded") {
    return ready;
  }
  if (phase === "Failed") {
    return failed(
      `the pod failed: ${[textField(object, "status", "reason"), textField(object, "status", "message")].filter(Boolean).join(": ") || "see its containers"}`,
    );
  }
  const found = condition(object, "Ready");
  return found?.status === "True" ? ready : waiting(`the pod is not ready${found === undefined ? "" : `: ${reasonOf(found)}`}`);
};

const job: Rule = (object) => {
  const failure = condition(object, "Failed");
  if (failure?.status === "True") {
    return failed(`the job failed: ${reasonOf(failure)}`);
  }
  if (condition(object, "Complete")?.status === "True" || field(object, "spec", "suspend") === true) {
    return ready;
  }
  const completions = numberField(object, "spec", "completions") ?? 1;
  return waiting(`${numberField(object, "status", "succeeded") ?? 0} of ${completions} pods have completed`);
};

const namespace: Rule = (object) => {
  switch (textField(object, "status", "phase")) {
    case "Active":
      return ready;
    case "Terminating":
      return failed("the namespace is being deleted");
    default:
      return waiting("the namespace is not active yet");
  }
};

const persistentVolumeClaim: Rule = (object) => {
  switch (textField(object, "status", "phase")) {
    case "Bound":
      return ready;
    case "Lost":
      return failed("the claim has lost its volume");
    default:
      return waiting("the claim is not bound to a volume yet");
  }
};

const persistentVolume: Rule = (object) => {
  const phase = textField(object, "status", "phase");
  if (phase === "Failed") {
    return failed(`the volume failed: ${textField(object, "status", "message")}`);
  }
  return phase === "Available" || phase === "Bound" ? ready : waiting("the volume is not available yet");
};

function conditionTrue(type: string): Rule {
  return (object) => {
    const found = condition(object, type);
    return found?.status === "True"
      ? ready
      : waiting(`condition ${type} is not true yet${found === undefined ? "" : `: ${reasonOf(found)}`}`);
  };
}

const customResourceDefinition: Rule = (object) => {
  const names = condition(object, "NamesAccepted");
  return names?.status === "False" ? failed(`the names are not accepted: ${reasonOf(names)}`) : conditionTrue("Established")(object, []);
};

/** Whether anything has to answer behind a Service: not behind an alias, a headless one, or one whose endpoints others write. */
export function hasBackends(service: JsonObject): boolean {
  const selector = field(service, "spec", "selector");
  const selects = isJsonObject(selector) && Object.keys(selector).length > 0;
  return selects && textField(service, "spec", "type") !== "ExternalName" && textField(service, "spec", "clusterIP") !== "None";
}

/** The related objects are the Service's EndpointSlices. */
const service: Rule = (object, slices) => {
  if (textField(object, "spec", "type") === "LoadBalancer" && listField(object, "status", "loadBalancer", "ingress").length === 0) {
    return waiting("no load balancer address yet");
  }
  if (!hasBackends(object)) {
    return ready;
  }
  // An absent condition counts as ready (discovery.k8s.io/v1 EndpointConditions).
  const answering = slices
    .flatMap((slice) => listField(slice, "endpoints"))
    .some((endpoint) => field(endpoint, "conditions", "ready") !== false);
  return answering ? ready : waiting("no pod behind the Service is ready");
};

const rules: Readonly<Record<string, Rule>> = {
  "apps/StatefulSet": statefulSet,
  "apps/Deployment": deployment,
  "apps/DaemonSet": daemonSet,
  "apps/ReplicaSet": replicaSet,
  "/ReplicationController": replicaSet,
  "/Pod": pod,
  "batch/Job": job,
  "/Namespace": namespace,
  "/PersistentVolumeClaim": persistentVolumeClaim,
  "/PersistentVolume": persistentVolume,
  "/Service": service,
  "apiextensions.k8s.io/CustomResourceDefinition": customResourceDefinition,
  "apiregistration.k8s.io/APIService": conditionTrue("Available"),
};

/** The rule of a kind; undefined for kinds that are ready once they exist. */
export function ruleOf({ group, kind }: Kind): Rule | undefined {
  return rules[`${group}/${kind}`];
}
