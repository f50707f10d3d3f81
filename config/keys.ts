import * as pulumi from "@pulumi/pulumi";
import { CREDENTIALS_KEY } from "../model/objectStorage";
import type { Problem } from "../model/problem";
import { settingsSchema } from "../model/settings";
import { typeOf } from "./issues";

/** The configuration namespace: every key is `thanos-stack:<key>`. */
export const CONFIG_NAMESPACE = "thanos-stack";

/** Every key of the namespace, decoded: objects, lists, numbers and booleans arrive from the engine as JSON text. */
export function readKeys(): { raw: Record<string, unknown>; credentials: unknown; problems: Problem[] } {
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
