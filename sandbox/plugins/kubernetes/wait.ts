import { isJsonObject, type JsonObject } from "../protocol/values";
import { type Api, ApiError } from "./api";
import { type Kind, pathOf, type Served } from "./discovery";
import { problemsOf } from "./problems";
import { field, hasBackends, listField, type Rule, ruleOf, textField } from "./readiness";

/** One object to wait for, and how long. */
export interface Wait {
  api: Api;
  kind: Kind;
  served: Served;
  namespace: string | undefined;
  name: string;
  /** Seconds. */
  timeout: number;
  /** Milliseconds that the endpoints of a Service must have been as they are. Default: {@link SETTLED}. */
  settled?: number;
  /** Aborted when the engine cancels. */
  signal: AbortSignal;
  /** Told what is being waited for, whenever that changes; as a warning what may need somebody: a pod that no node takes. */
  status: (message: string, severity?: "info" | "warning") => void;
}

export interface Outcome {
  /** The object as last seen. */
  object: JsonObject;
  /** Why it is not ready; empty when it is. */
  reasons: string[];
}

const problemsEvery = 3_000;

/** Of a pod's problems the one that it waits for a node ({@link problemsOf}). */
const UNSCHEDULABLE = /^pod \S+: Unschedulable(?::|$)/;

/**
 * The official provider gives a Service's endpoints ten seconds after each of their changes (`serviceInitAwaiter.processEndpointEvent`).
 */
export const SETTLED = 10_000;

interface Related {
  path: string;
  query: Record<string, string>;
}

function relatedTo(kind: Kind, object: JsonObject): Related | undefined {
  if (kind.group !== "" || kind.kind !== "Service" || !hasBackends(object)) {
    return undefined;
  }
  const namespace = encodeURIComponent(textField(object, "metadata", "namespace"));
  return {
    path: `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`,
    query: { labelSelector: `kubernetes.io/service-name=${textField(object, "metadata", "name")}` },
  };
}

/** The rule to wait by, given what is around the object; undefined when it is ready once it exists. */
export async function ruleFor(api: Api, kind: Kind, object: JsonObject): Promise<Rule | undefined> {
  const rule = ruleOf(kind);
  if (rule === undefined || kind.group !== "" || kind.kind !== "PersistentVolumeClaim") {
    return rule;
  }
  const named = field(object, "spec", "storageClassName");
  const { items } = await api.list("/apis/storage.k8s.io/v1/storageclasses", {});
  const isDefault = (candidate: JsonObject) =>
    textField(candidate, "metadata", "annotations", "storageclass.kubernetes.io/is-default-class") === "true";
  const found = items.find((candidate) =>
    typeof named === "string" ? textField(candidate, "metadata", "name") === named : isDefault(candidate),
  );
  // Bound only when a pod uses it, which may well be created after the claim.
  return textField(found, "volumeBindingMode") === "WaitForFirstConsumer" ? undefined : rule;
}

/** The related objects as they are now, for a judgement without waiting. */
export async function relatedNow(api: Api, kind: Kind, object: JsonObject): Promise<JsonObject[]> {
  const related = relatedTo(kind, object);
  return related === undefined ? [] : (await api.list(related.path, related.query)).items;
}

/** Waits until the rule holds for the object, which is followed by watches, or until the time is over or it cannot succeed. */
export async function untilReady(wait: Wait, object: JsonObject, rule: Rule): Promise<Outcome> {
  const { api, kind, served, namespace, name, signal } = wait;
  const over = new AbortController();
  const stop = AbortSignal.any([signal, over.signal]);
  const slices = new Map<string, JsonObject>();
  const related = relatedTo(kind, object);
  const rest = wait.settled ?? SETTLED;
  let latest = object;
  let lastStatus = "";
  let problems: string[] = [];
  const warned = new Set<string>();
  let resting: NodeJS.Timeout | undefined;
  const tell = (message: string) => {
    if (message !== lastStatus) {
      lastStatus = message;
      wait.status(message);
    }
  };

  return new Promise<Outcome>((resolve, reject) => {
    let finished = false;
    const finish = (reasons: string[]) => {
      if (!finished) {
        finished = true;
        over.abort();
        clearTimeout(timer);
        clearTimeout(resting);
        clearInterval(poll);
        signal.removeEventListener("abort", cancelled);
        tell("");
        resolve({ object: latest, reasons });
      }
    };
    const judge = () => {
      const judgement = rule(latest, [...slices.values()]);
      if (judgement.ready && resting !== undefined) {
        tell("waiting for the endpoints to settle");
      } else if (judgement.ready) {
        finish([]);
      } else if (judgement.failed) {
        void withProblems(judgement.message).then(finish);
      } else {
        tell([judgement.message, ...problems.slice(0, 1)].join("; "));
      }
      return judgement;
    };
    const withProblems = async (message: string) => [message, ...(await problemsOf(api, kind, latest).catch(() => []))];
    const cancelled = () => {
      const { ready, message } = rule(latest, [...slices.values()]);
      finish(ready ? [] : [`cancelled while waiting: ${message}`]);
    };
    const timer = setTimeout(() => {
      const { ready, message } = rule(latest, [...slices.values()]);
      // It is, and only rests.
      if (ready) finish([]);
      else void withProblems(`not ready within ${wait.timeout} s: ${message}`).then(finish);
    }, wait.timeout * 1000);
    const poll = setInterval(() => {
      void problemsOf(api, kind, latest, stop)
        .then((found) => {
          problems = found;
          if (finished) return;
          judge();
          // As the official provider (`podAggregator`), each once.
          for (const problem of found.filter((each) => UNSCHEDULABLE.test(each) && !warned.has(each))) {
            warned.add(problem);
            wait.status(problem, "warning");
          }
        })
        .catch(() => undefined);
    }, problemsEvery);
    signal.addEventListener("abort", cancelled);
    if (signal.aborted) {
      cancelled();
      return;
    }
    const fail = (error: unknown) => {
      if (!finished) {
        finished = true;
        over.abort();
        clearTimeout(timer);
        clearTimeout(resting);
        clearInterval(poll);
        signal.removeEventListener("abort", cancelled);
        reject(error);
      }
    };

    if (judge().ready) {
      return;
    }
    api
      .watch(pathOf(served, namespace), { fieldSelector: `metadata.name=${name}` }, stop, (event) => {
        if (finished) {
          return;
        }
        if (event.type === "DELETED") {
          finish(["deleted by somebody else while waiting"]);
          return;
        }
        latest = event.object;
        judge();
      })
      .catch(fail);
    if (related !== undefined) {
      api
        .watch(related.path, related.query, stop, (event) => {
          const key = textField(event.object, "metadata", "uid");
          if (event.type === "DELETED") {
            slices.delete(key);
          } else {
            slices.set(key, event.object);
          }
          if (!finished) {
            clearTimeout(resting);
            resting = setTimeout(() => {
              resting = undefined;
              judge();
            }, rest);
            judge();
          }
        })
        .catch(fail);
    }
  });
}

function whyItStays(object: JsonObject): string {
  const conditions = listField(object, "status", "conditions").filter(
    ({ status, type }) => status === "True" && String(type).startsWith("Namespace"),
  );
  const finalizers = field(object, "metadata", "finalizers");
  const kept = Array.isArray(finalizers) && finalizers.length > 0 ? [`finalizers ${finalizers.join(", ")} are not done`] : [];
  return [...conditions.map((found) => textField(found, "message")), ...kept].join("; ") || "its pods or dependents are still ending";
}

/** Waits until the object with this identity is gone. */
export async function untilGone(wait: Wait, object: JsonObject): Promise<Outcome> {
  const { api, served, namespace, name, signal } = wait;
  const uid = textField(object, "metadata", "uid");
  const over = new AbortController();
  let latest = object;
  let lastStatus = "";
  return new Promise<Outcome>((resolve, reject) => {
    const end = (reasons: string[]) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", cancelled);
      over.abort();
      if (lastStatus !== "") {
        wait.status("");
      }
      resolve({ object: latest, reasons });
    };
    const cancelled = () => end([`cancelled while waiting for the deletion: ${whyItStays(latest)}`]);
    const timer = setTimeout(() => end([`not deleted within ${wait.timeout} s: ${whyItStays(latest)}`]), wait.timeout * 1000);
    signal.addEventListener("abort", cancelled);
    let present = false;
    api
      .watch(
        pathOf(served, namespace),
        { fieldSelector: `metadata.name=${name}` },
        AbortSignal.any([signal, over.signal]),
        (event) => {
          const same = uid === "" || textField(event.object, "metadata", "uid") === uid;
          if (same && event.type === "DELETED") {
            end([]);
          } else if (same) {
            present = true;
            latest = event.object;
            const message = `waiting for the deletion: ${whyItStays(latest)}`;
            if (message !== lastStatus) {
              lastStatus = message;
              wait.status(message);
            }
          }
        },
        () => {
          if (!present) {
            end([]);
          }
        },
      )
      .catch((error: unknown) => {
        if (error instanceof ApiError && error.code === 404) {
          end([]);
        } else {
          clearTimeout(timer);
          reject(error);
        }
      });
  });
}

/** Whether a DELETE was answered by the object itself, which means that it is still there. */
export function isStillThere(answer: JsonObject): boolean {
  return isJsonObject(answer.metadata) && typeof answer.metadata.uid === "string";
}
