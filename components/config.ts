import { readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import type { z } from "zod";
import { bucketClashes, CREDENTIALS_KEY, type Credentials, credentialProblems, credentialsSchema } from "../model/objectStorage";
import { formatProblems, type Problem } from "../model/problem";
import { problemsOf } from "../model/rules";
import { type Settings, settingsSchema } from "../model/settings";

/** The configuration namespace: every key is `thanos-stack:<key>`. */
export const CONFIG_NAMESPACE = "thanos-stack";

/** What the program starts from. */
export interface LoadedConfig {
  settings: Settings;
  /** Path or text of the kubeconfig, resolved. */
  kubeconfig: string;
  /** Rule files by name. */
  rules: Record<string, string>;
  /** The bucket's credentials, to be kept secret; undefined where the pods' own identity is used. */
  credentials: Credentials | undefined;
}

/**
 * Reads, checks and completes the stack's configuration: the only place that knows `pulumi.Config`, the environment and files.
 *
 * @throws pulumi.RunError naming every problem at once, before any resource is registered.
 */
export function loadConfig(): LoadedConfig {
  const stack = pulumi.getStack();
  const { raw, credentials, problems: unreadable } = readKeys();
  const parsed = settingsSchema.safeParse(raw, { reportInput: true });
  const shape = parsed.success ? [] : parsed.error.issues.flatMap((issue) => problemsOfIssue(issue, raw));
  const problems = [
    ...unreadable,
    ...shape,
    ...(parsed.success
      ? [
          ...problemsOf(parsed.data),
          ...credentialProblems(parsed.data, credentials),
          ...bucketClashes(parsed.data.objectStorage, otherStacks(stack)),
        ]
      : []),
  ];
  if (!parsed.success || problems.length > 0) throw new pulumi.RunError(formatProblems(stack, problems));
  const { rules, problems: ruleProblems } = readRules(parsed.data.prometheus.ruleFolder);
  if (ruleProblems.length > 0) throw new pulumi.RunError(formatProblems(stack, ruleProblems));
  return {
    settings: parsed.data,
    kubeconfig: kubeconfigPath(parsed.data.cluster.kubeconfig),
    rules,
    credentials: credentials === undefined ? undefined : credentialsSchema.parse(credentials),
  };
}

/** What the other stack files of this folder say of their bucket: two stacks in one place would compact each other's blocks. */
function otherStacks(own: string): Record<string, unknown> {
  const root = resolve(__dirname, "..");
  const files = readdirSync(root).flatMap((name) => /^Pulumi\.(.+)\.yaml$/.exec(name)?.slice(0, 2) ?? []);
  const stacks = files.filter((_, index) => index % 2 === 1).filter((stack) => stack !== own);
  return Object.fromEntries(
    stacks.map((stack) => {
      const content = parse(readFileSync(join(root, `Pulumi.${stack}.yaml`), "utf8")) as { config?: Record<string, unknown> } | null;
      return [stack, content?.config?.[`${CONFIG_NAMESPACE}:objectStorage`]];
    }),
  );
}

/** Every key of the namespace, decoded: objects, lists, numbers and booleans arrive from the engine as JSON text. */
function readKeys(): { raw: Record<string, unknown>; credentials: unknown; problems: Problem[] } {
  const prefix = `${CONFIG_NAMESPACE}:`;
  const raw: Record<string, unknown> = {};
  let credentials: unknown;
  const problems: Problem[] = [];
  for (const [name, text] of Object.entries(pulumi.runtime.allConfig())) {
    if (!name.startsWith(prefix)) continue;
    const key = name.slice(prefix.length);
    if (key === CREDENTIALS_KEY) {
      const read = readCredentials(name, text);
      credentials = read.credentials;
      problems.push(...read.problems);
      continue;
    }
    const isText = ["string", "enum"].includes(typeOf(settingsSchema.shape[key as keyof typeof settingsSchema.shape]));
    try {
      raw[key] = isText ? text : JSON.parse(text);
    } catch {
      problems.push({ key, value: text, rule: "this key holds an object, a list, a number or a boolean", remedy: "YAML of that kind" });
    }
  }
  return { raw, credentials, problems };
}

/** The credentials, which no message ever shows. */
function readCredentials(name: string, text: string): { credentials: unknown; problems: Problem[] } {
  const problem = (rule: string): Problem => ({
    key: CREDENTIALS_KEY,
    value: "(secret)",
    rule,
    remedy: `pulumi config set --secret ${name} '{"accessKey": "...", "secretKey": "..."}'`,
  });
  // The SDK knows and does not declare it.
  const { isConfigSecret } = pulumi.runtime as unknown as { isConfigSecret(key: string): boolean };
  const problems = isConfigSecret(name) ? [] : [problem("credentials are encrypted in the stack file")];
  try {
    return { credentials: JSON.parse(text), problems };
  } catch {
    return { credentials: undefined, problems: [...problems, problem("this key holds an object")] };
  }
}

function problemsOfIssue(issue: z.core.$ZodIssue, raw: Record<string, unknown>): Problem[] {
  const key = pathText(issue.path);
  const value = valueAt(raw, issue.path);
  const at = (name: string) => (key === "" ? name : `${key}.${name}`);
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((name) => ({
        key: at(name),
        value: valueAt(raw, [...issue.path, name]),
        rule: "there is no such key",
        remedy: `one of ${knownKeys(issue.path).join(", ")}`,
      }));
    case "invalid_type":
      return [
        {
          key,
          value,
          rule: value === undefined ? "this key is required" : `this key holds ${article(issue.expected)}`,
          remedy: article(issue.expected),
        },
      ];
    case "invalid_value":
      return [{ key, value, rule: "not a value of this key", remedy: issue.values.map((each) => JSON.stringify(each)).join(", ") }];
    case "too_small":
      return [{ key, value, rule: "too small or too short", remedy: `at least ${issue.minimum}` }];
    case "too_big":
      return [{ key, value, rule: "too large or too long", remedy: `at most ${issue.maximum}` }];
    case "invalid_key":
      return [{ key, value, rule: "the name of an entry is not allowed", remedy: issue.issues.map((inner) => inner.message).join("; ") }];
    default:
      return [{ key, value, rule: "not of the form that this key has", remedy: issue.message }];
  }
}

const article = (expected: string): string => (/^[aeiou]/.test(expected) ? `an ${expected}` : `a ${expected}`);

function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, part) => (typeof part === "number" ? `${text}[${part}]` : text === "" ? String(part) : `${text}.${String(part)}`),
    "",
  );
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, part) => (value as Record<PropertyKey, unknown> | undefined)?.[part], root);
}

/** The keys that the schema knows at a path. */
function knownKeys(path: readonly PropertyKey[]): string[] {
  let schema: unknown = settingsSchema;
  for (const part of path) schema = step(unwrapped(schema), part);
  const object = unwrapped(schema) as { shape?: Record<string, unknown> } | undefined;
  return Object.keys(object?.shape ?? {}).sort();
}

const typeOf = (schema: unknown): string => (unwrapped(schema) as { type?: string } | undefined)?.type ?? "";

/** The schema inside defaults, options and refinements. */
function unwrapped(schema: unknown): unknown {
  let inner = schema as { def?: { innerType?: unknown } } | undefined;
  while (inner?.def?.innerType !== undefined) inner = inner.def.innerType as typeof inner;
  return inner;
}

function step(schema: unknown, part: PropertyKey): unknown {
  const parent = schema as { shape?: Record<PropertyKey, unknown>; def?: { element?: unknown; valueType?: unknown } } | undefined;
  return parent?.shape?.[part] ?? parent?.def?.element ?? parent?.def?.valueType;
}

function kubeconfigPath(configured: string | undefined): string {
  const first = configured ?? process.env.KUBECONFIG?.split(":").find((path) => path !== "") ?? join(homedir(), ".kube", "config");
  return first.startsWith("~/") ? join(homedir(), first.slice(2)) : first;
}

/** The rule files of a folder of this repository. A missing folder has none; a file that is not YAML with `groups` is a problem. */
function readRules(folder: string): { rules: Record<string, string>; problems: Problem[] } {
  const root = resolve(__dirname, "..", folder);
  const rules: Record<string, string> = {};
  const problems: Problem[] = [];
  let names: string[];
  try {
    names = readdirSync(root).filter((name) => name.endsWith(".yaml"));
  } catch {
    return {
      rules,
      problems: [{ key: "prometheus.ruleFolder", value: folder, rule: "the folder can't be read", remedy: "a folder of this repository" }],
    };
  }
  for (const name of names.sort()) {
    let text: string;
    let content: unknown;
    try {
      text = readFileSync(join(root, name), "utf8");
      content = parse(text);
    } catch (error) {
      problems.push({
        key: "prometheus.ruleFolder",
        value: name,
        rule: `not YAML (${String(error)})`,
        remedy: "rule groups in YAML",
      });
      continue;
    }
    if (!Array.isArray((content as { groups?: unknown } | null)?.groups)) {
      problems.push({ key: "prometheus.ruleFolder", value: name, rule: "a rule file has `groups`", remedy: "a Prometheus rule file" });
    }
    rules[name] = text;
  }
  return { rules, problems };
}
