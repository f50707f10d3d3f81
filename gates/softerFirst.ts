import * as pulumi from "@pulumi/pulumi";
import { KEY_OF_COMPONENT } from "../model/kubernetes/antiAffinity";
import type { ComponentName } from "../model/kubernetes/identities";
import type { Inputs } from "./inputs";

/** Objects with pods whose anti-affinity this program sets. */
const WORKLOADS = new Set(["kubernetes:apps/v1:StatefulSet", "kubernetes:apps/v1:Deployment"]);

interface Workload {
  metadata?: { name?: string; labels?: Record<string, string> };
  spec?: {
    replicas?: number;
    template?: { spec?: { affinity?: { podAntiAffinity?: { requiredDuringSchedulingIgnoredDuringExecution?: unknown[] } } } };
  };
}

/** Keys of workloads, by their names, whose component alone does not tell them: rings with an anti-affinity of their own. */
export type KeysByName = Readonly<Record<string, string>>;

/**
 * Refuses, at preview and before the update, that a workload goes from hard to soft anti-affinity and grows in one update. A pod that runs
 * keeps the rule that it was made with, and Kubernetes holds it against every pod that comes to its node; it is restarted only when the new
 * ones are Ready, which have no other node to go to.
 */
export function softerFirst(keys: KeysByName = {}): pulumi.ResourceTransformation {
  const hook = new pulumi.ResourceHook(
    "soft-anti-affinity-before-more-pods",
    ({ oldInputs, newInputs }) => {
      const refusal = standstill(oldInputs, newInputs, keys);
      if (refusal !== undefined) throw new Error(refusal);
    },
    { onDryRun: true },
  );
  return ({ type, props, opts }) => {
    if (!WORKLOADS.has(type)) return undefined;
    const { hooks = {} } = opts as pulumi.CustomResourceOptions;
    return { props, opts: { ...opts, hooks: { ...hooks, beforeUpdate: [hook, ...(hooks.beforeUpdate ?? [])] } } };
  };
}

/** Why a workload would stand still between these inputs; undefined where it doesn't. */
export function standstill(oldInputs: Inputs, newInputs: Inputs, keys: KeysByName = {}): string | undefined {
  const [before, after] = [oldInputs as Workload | undefined, newInputs as Workload | undefined];
  const [had, wanted] = [before?.spec?.replicas, after?.spec?.replicas];
  if (typeof had !== "number" || typeof wanted !== "number" || had === 0 || wanted <= had) return undefined;
  if (!isHard(before) || isHard(after)) return undefined;
  const component = after?.metadata?.labels?.["app.kubernetes.io/component"] as ComponentName | undefined;
  const part = component === undefined ? undefined : KEY_OF_COMPONENT[component];
  const key = keys[after?.metadata?.name ?? ""] ?? (part === undefined ? "antiAffinity" : `${part}.antiAffinity`);
  return (
    `${key} = soft: ${after?.metadata?.name ?? "a workload"} would grow from ${had} to ${wanted} pods in the same update. ` +
    "Those that run keep the hard rule until they are restarted, so that no other comes to their nodes, and they are restarted only when the new ones are Ready. " +
    `Accepted: soft with ${had} in one update, ${wanted} in the next.`
  );
}

function isHard(workload: Workload | undefined): boolean {
  return (workload?.spec?.template?.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).length > 0;
}
