import { isJsonObject, type Json, type JsonObject } from "../protocol/values";
import { condition, type Rule } from "./readiness";

type Step =
  | { kind: "key"; key: string }
  | { kind: "index"; index: number }
  | { kind: "all" }
  | { kind: "filter"; path: Step[]; value: string };

const stepPattern =
  /\.([\w-]+(?:\\\.[\w-]+)*)|\['([^']+)'\]|\[(-?\d+)\]|\[\*\]|\[\?\(@((?:\.[\w-]+)+)\s*==\s*(?:"([^"]*)"|'([^']*)'|([\w-]+))\)\]/y;

function parseSteps(expression: string): Step[] {
  const steps: Step[] = [];
  stepPattern.lastIndex = 0;
  while (stepPattern.lastIndex < expression.length) {
    const start = stepPattern.lastIndex;
    const match = stepPattern.exec(expression);
    if (match === null) {
      throw new Error(`"${expression}" is not a JSONPath this provider reads, at "${expression.slice(start)}"`);
    }
    const [whole, key, quoted, index, filtered, double, single, bare] = match;
    const name = key?.replaceAll("\\.", ".") ?? quoted;
    if (name !== undefined) {
      steps.push({ kind: "key", key: name });
    } else if (index !== undefined) {
      steps.push({ kind: "index", index: Number(index) });
    } else if (filtered !== undefined) {
      const path = filtered.slice(1).split(".");
      steps.push({ kind: "filter", path: path.map((key) => ({ kind: "key", key })), value: double ?? single ?? bare ?? "" });
    } else if (whole === "[*]") {
      steps.push({ kind: "all" });
    }
  }
  return steps;
}

function take(value: Json, step: Step): Json[] {
  switch (step.kind) {
    case "key": {
      const found = isJsonObject(value) ? value[step.key] : undefined;
      return found === undefined ? [] : [found];
    }
    case "index": {
      const found = Array.isArray(value) ? value.at(step.index) : undefined;
      return found === undefined ? [] : [found];
    }
    case "all":
      return Array.isArray(value) ? value : isJsonObject(value) ? Object.values(value) : [];
    case "filter":
      return Array.isArray(value)
        ? value.filter((element) => evaluate([element], step.path).some((found) => String(found) === step.value))
        : [];
  }
}

function evaluate(values: readonly Json[], steps: readonly Step[]): Json[] {
  return steps.reduce<Json[]>((current, step) => current.flatMap((value) => take(value, step)), [...values]);
}

function parseOne(expression: string): (object: JsonObject) => boolean {
  const path = /^jsonpath=\{(.*?)\}(?:=(.*))?$/s.exec(expression) ?? /^jsonpath=([^{=]*)(?:=(.*))?$/s.exec(expression);
  if (path !== null) {
    const steps = parseSteps(path[1] ?? "");
    const wanted = path[2]?.replace(/^(["'])(.*)\1$/, "$2");
    return (object) => {
      const found = evaluate([object], steps);
      return (
        found.length > 0 &&
        (wanted === undefined || found.every((value) => (typeof value === "string" ? value : JSON.stringify(value)) === wanted))
      );
    };
  }
  const named = /^condition=([^=]+)(?:=(.+))?$/.exec(expression);
  if (named !== null) {
    const [, type = "", status = "True"] = named;
    return (object) => String(condition(object, type)?.status).toLowerCase() === status.toLowerCase();
  }
  throw new Error(`"${expression}" is neither jsonpath={…}[=value] nor condition=Type[=Status]`);
}

/**
 * The rule a `pulumi.com/waitFor` annotation states: `jsonpath={.path}` (present), `jsonpath={.path}=value`, `condition=Type`,
 * `condition=Type=Status`, or a JSON list of these, all of which have to hold.
 *
 * @throws Error when it is none of these.
 */
export function waitForRule(value: string): Rule {
  const trimmed = value.trim();
  const parsed: unknown = trimmed.startsWith("[") ? JSON.parse(trimmed) : trimmed;
  const expressions = (Array.isArray(parsed) ? parsed : [parsed]).map(String);
  if (expressions.length === 0) {
    throw new Error("an empty list waits for nothing");
  }
  const tests = expressions.map((expression) => ({ expression, holds: parseOne(expression) }));
  return (object) => {
    const open = tests.filter(({ holds }) => !holds(object)).map(({ expression }) => expression);
    return { ready: open.length === 0, failed: false, message: open.length === 0 ? "" : `waiting for ${open.join(", ")}` };
  };
}
