import * as pulumi from "@pulumi/pulumi";
import { ForbiddenError, messageOf } from "../clients/transport";
import { KUBERNETES_MINIMUM, versionProblem } from "../model/kubernetes/version";
import { formatProblem, type Problem } from "../model/values/problem";
import { oneLine } from "../model/values/visibleText";
import type { VersionView } from "./cluster";

/**
 * Refuses a cluster whose Kubernetes is too old before anything in it is changed. The API server is asked once a run, and only when the
 * engine is about to create or update something: a preview asks when the provider is new or changes, as at the first one of a stack; an
 * update before its first change, whichever that is. Without an engine nobody is asked.
 *
 * @param context the kubeconfig's context that names the cluster
 */
export function newEnoughKubernetes(context: string, cluster: VersionView): pulumi.ResourceTransformation {
  const find = once(() => findingOf(context, cluster));
  const warn = once((unknown) =>
    pulumi.log.warn(oneLine(`whether Kubernetes of context "${context}" is ${KUBERNETES_MINIMUM} or later is not known: ${unknown}`)),
  );
  /** @param mayBe whether to go on where the version is not known, for this reason */
  const check = async (mayBe: (reason: unknown) => boolean): Promise<void> => {
    const finding = await find();
    if ("problem" in finding) throw new Error(`${formatProblem(finding.problem)} Nothing was changed.`);
    if (!("unknown" in finding)) return;
    const reason = messageOf(finding.unknown);
    if (!mayBe(finding.unknown)) throw new Error(`${formatProblem(silence(context, reason))} Nothing was changed.`);
    await warn(reason);
  };
  // A preview is worth having without the cluster too; an update asks again before it changes anything.
  const atPreview = new pulumi.ResourceHook("kubernetes-is-new-enough-at-preview", () => check(() => true), { onDryRun: true });
  const beforeChanges = new pulumi.ResourceHook("kubernetes-is-new-enough", () => check((reason) => reason instanceof ForbiddenError));
  return ({ type, props, opts }) => {
    const isProvider = type.startsWith("pulumi:providers:");
    if (!isProvider && !type.startsWith("kubernetes:")) return undefined;
    const first = isProvider ? [beforeChanges, atPreview] : [beforeChanges];
    const { hooks = {} } = opts;
    const { beforeCreate = [], beforeUpdate = [] } = hooks;
    return {
      props,
      opts: { ...opts, hooks: { ...hooks, beforeCreate: [...first, ...beforeCreate], beforeUpdate: [...first, ...beforeUpdate] } },
    };
  };
}

/** Finding on the cluster's version: that it is too old, or why it can't be told. Empty where it is new enough. */
type Finding = { problem: Problem } | { unknown: unknown } | Record<string, never>;

async function findingOf(context: string, cluster: VersionView): Promise<Finding> {
  try {
    const problem = versionProblem(context, await cluster.kubernetesVersion());
    return problem === undefined ? {} : { problem };
  } catch (unknown) {
    return { unknown };
  }
}

function silence(context: string, reason: string): Problem {
  return {
    key: "cluster.context",
    value: context,
    rule: `its API server does not say its version (${oneLine(reason)})`,
    remedy: `a cluster that answers, of Kubernetes ${KUBERNETES_MINIMUM} or later`,
  };
}

/** Does something at the first call, and answers every call with what came of it. */
function once<Arguments extends unknown[], T>(act: (...given: Arguments) => Promise<T>): (...given: Arguments) => Promise<T> {
  let done: Promise<T> | undefined;
  return (...given) => {
    done ??= act(...given);
    return done;
  };
}
