import type { ChangeKind } from "./provider";
import { isMap, Secret, sameValue, type Value, type ValueMap } from "./values";

/** A difference of two documents at one place. */
export interface FieldChange {
  path: readonly (string | number)[];
  kind: ChangeKind;
}

function open(value: Value | undefined): Value | undefined {
  let current = value;
  while (current instanceof Secret) {
    current = current.value;
  }
  return current ?? undefined;
}

function compare(before: Value | undefined, after: Value | undefined, path: readonly (string | number)[], changes: FieldChange[]): void {
  const old = open(before);
  const now = open(after);
  if (old === undefined && now === undefined) {
    return;
  }
  if (old === undefined || now === undefined) {
    changes.push({ path, kind: old === undefined ? "add" : "delete" });
  } else if (isMap(old) && isMap(now)) {
    for (const key of new Set([...Object.keys(old), ...Object.keys(now)])) {
      compare(old[key], now[key], [...path, key], changes);
    }
  } else if (Array.isArray(old) && Array.isArray(now)) {
    for (let index = 0; index < Math.max(old.length, now.length); index++) {
      compare(old[index], now[index], [...path, index], changes);
    }
  } else if (!sameValue(old, now)) {
    changes.push({ path, kind: "update" });
  }
}

/**
 * Every field that differs between two sets of inputs. Null and absent are the same; an unknown differs from everything;
 * list elements are compared by position.
 */
export function fieldChanges(before: ValueMap, after: ValueMap): FieldChange[] {
  const changes: FieldChange[] = [];
  compare(before, after, [], changes);
  return changes.filter(({ path }) => !String(path[0]).startsWith("__"));
}

/** The engine's notation of a path: `spec.containers[0].image`, `metadata.labels["app.kubernetes.io/name"]`. */
export function formatPath(path: readonly (string | number)[]): string {
  return path.reduce<string>((result, key) => {
    if (typeof key === "number") {
      return `${result}[${key}]`;
    }
    if (/^[A-Za-z_$][\w$]*$/.test(key)) {
      return result === "" ? key : `${result}.${key}`;
    }
    return `${result}["${key.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"]`;
  }, "");
}

/** Reads a path in the engine's notation, where `*` as a key or an index stands for all. */
export function parsePath(path: string): string[] {
  return [...path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[([^\]"]+)\]|([^.[\]]+)/g)].map(
    ([, quoted, index, key]) => quoted?.replace(/\\(.)/g, "$1") ?? index ?? key ?? "",
  );
}
