import type { z } from "zod";
import { type Settings, settingsSchema } from "../model/settings/schema";
import { isNear } from "../model/values/near";
import { JUDGE_ALL, type Judge, type Problem } from "../model/values/problem";
import { acceptsEmptyMap, knownKeys, problemsOfIssue, valueAt } from "./issues";
import { type Path, Watch } from "./watch";

/** A configuration in the schema's form. */
export interface Shape {
  /** Values that are not of the schema's form. */
  problems: Problem[];
  /** The settings; where some of them are not of the right form, the rest of them. Undefined where too little is left. */
  settings: Settings | undefined;
  /** Leaves out rules that look at what is not of the right form, so that no rule judges what nobody wrote. */
  judge: Judge;
}

/**
 * Reads a configuration by the schema, and takes out what is wrong in it, so that the rules can be asked about the rest.
 *
 * @param raw values by key
 * @param unread keys that are known to be wrong and are not in `raw`; nothing is said of them
 */
export function shapeOf(raw: Readonly<Record<string, unknown>>, unread: readonly string[]): Shape {
  const parsed = settingsSchema.safeParse(raw, { reportInput: true });
  if (parsed.success && unread.length === 0) return { problems: [], settings: parsed.data, judge: JUDGE_ALL };
  const issues = parsed.success ? [] : parsed.error.issues.filter(({ path }) => !unread.includes(String(path[0])));
  const problems = issues.flatMap((issue) => problemsOfIssue(issue, raw));
  const removed: Path[] = unread.map((key) => [key]);
  const draft = structuredClone(raw) as Record<string, unknown>;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const again = settingsSchema.safeParse(draft, { reportInput: true });
    if (again.success) {
      const watch = new Watch(removed);
      return { problems, settings: watch.over(again.data, []) as Settings, judge: watch.judge };
    }
    if (!again.error.issues.every((issue) => removeFrom(draft, issue, removed))) break;
  }
  return { problems, settings: undefined, judge: JUDGE_ALL };
}

/** Every round takes something out, so this ends earlier unless the schema is odd. */
const MOST_ROUNDS = 100;

/** Stand-ins for required values that are missing or were taken out. No rule looks at them. */
const STAND_INS: Readonly<Record<string, unknown>> = {
  cluster: { name: "unknown", context: "unknown" },
  prometheus: { storage: { pvc: { size: "10Gi" } } },
  storeGateway: { storage: { pvc: { size: "10Gi" } } },
  compactor: { storage: { pvc: { size: "10Gi" } } },
  storage: { pvc: { size: "10Gi" } },
  name: "unknown",
  context: "unknown",
  namespace: "unknown",
};

/** Takes what an issue is about out of a draft. False where nothing can be taken out. */
function removeFrom(draft: Record<string, unknown>, issue: z.core.$ZodIssue, removed: Path[]): boolean {
  const { path } = issue;
  if (issue.code === "unrecognized_keys") {
    // The map that held it may have gone for another of its keys.
    const holder = valueAt(draft, path) as Record<string, unknown> | undefined;
    if (holder === undefined) return true;
    for (const name of issue.keys) {
      delete holder[name];
      // A known key that was meant and is not there has not got its default by choice.
      for (const known of knownKeys(path)) if (!(known in holder) && isNear(name, known)) removed.push([...path, known]);
    }
    return true;
  }
  const last = path.at(-1);
  if (last === undefined) return false;
  const holder = valueAt(draft, path.slice(0, -1)) as Record<PropertyKey, unknown> | undefined;
  // An entry of a list stays one, so that those behind it keep their numbers.
  if (typeof last === "number" && acceptsEmptyMap(path)) {
    (holder as Record<PropertyKey, unknown>)[last] = {};
    removed.push(path);
    return true;
  }
  if (holder?.[last] !== undefined) return remove(draft, path, removed);
  const standIn = STAND_INS[String(last)];
  if (holder === undefined || standIn === undefined) return remove(draft, path.slice(0, -1), removed);
  holder[last] = structuredClone(standIn);
  removed.push(path);
  return true;
}

function remove(draft: Record<string, unknown>, path: Path, removed: Path[]): boolean {
  const last = path.at(-1);
  const holder = valueAt(draft, path.slice(0, -1)) as Record<PropertyKey, unknown> | undefined;
  if (last === undefined || holder === undefined) return false;
  // An entry of a list leaves a hole, which is refused in its turn: then the list goes.
  delete holder[last];
  removed.push(path);
  return true;
}
