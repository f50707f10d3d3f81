import * as pulumi from "@pulumi/pulumi";
import { CREDENTIALS_KEY } from "../model/bucket/config";
import { settingsSchema } from "../model/settings/schema";
import type { Problem } from "../model/values/problem";
import { encryptedPaths, SECRET } from "./encrypted";
import { typeOf } from "./issues";
import { CONFIG_NAMESPACE, misspeltNamespaces } from "./namespace";
import { stackConfig } from "./stackFiles";

/** Values that the engine gives the program. */
export interface Keys {
  /** Values by key. */
  raw: Record<string, unknown>;
  credentials: unknown;
  /** Keys that are left out of `raw`, each with a problem. */
  unread: string[];
  problems: Problem[];
}

/** Every key of the namespace, decoded: objects, lists, numbers and booleans arrive from the engine as JSON text. */
export function readKeys(folder: string): Keys {
  const prefix = `${CONFIG_NAMESPACE}:`;
  // By entries, since a key may be called as what every object has: `__proto__` would be read as settings, unseen.
  const values = new Map<string, unknown>();
  let credentials: unknown;
  const unread: string[] = [];
  const problems: Problem[] = [];
  const all = pulumi.runtime.allConfig();
  problems.push(...misspeltNamespaces(shownValues(all)));
  for (const [name, text] of Object.entries(all)) {
    if (!name.startsWith(prefix)) continue;
    const key = name.slice(prefix.length);
    if (key === CREDENTIALS_KEY) {
      const read = readCredentials(name, text);
      credentials = read.credentials;
      problems.push(...read.problems);
      continue;
    }
    if (isConfigSecret(name)) {
      unread.push(key);
      problems.push(...encryptedIn(name, key, folder));
      continue;
    }
    const isText = ["string", "enum"].includes(typeOf(settingsSchema.shape[key as keyof typeof settingsSchema.shape]));
    try {
      values.set(key, isText ? text : JSON.parse(text));
    } catch {
      unread.push(key);
      problems.push({ key, value: text, rule: "this key holds a map, a list, a number, or true or false", remedy: "YAML of that kind" });
    }
  }
  return { raw: Object.fromEntries(values), credentials, unread, problems };
}

/** The same keys with values that a message may show. */
const shownValues = (all: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(all).map(([name, text]) => [name, isConfigSecret(name) || name.endsWith(`:${CREDENTIALS_KEY}`) ? SECRET : text]),
  );

/** Whether the engine had to decrypt the key, or a part of it. The SDK knows and does not declare it. */
const isConfigSecret = (name: string): boolean =>
  (pulumi.runtime as unknown as { isConfigSecret(key: string): boolean }).isConfigSecret(name);

/**
 * Values that are encrypted and must not be: they would be written in plain text. Where the stack's file is the one that the engine has
 * read, it says which part of the key. No value of the key is shown.
 */
function encryptedIn(name: string, key: string, folder: string): Problem[] {
  const paths = encryptedPaths(inStackFile(name, folder), key);
  return (paths.length > 0 ? paths : [key]).map((path) => ({
    key: path,
    value: SECRET,
    rule: `this is encrypted, and only ${CREDENTIALS_KEY} may be: everything else is written into ConfigMaps and pods, where many can read it`,
    remedy: "plain text for what is no secret; nothing that is one",
  }));
}

function inStackFile(name: string, folder: string): unknown {
  try {
    return stackConfig(pulumi.getStack(), folder)[name];
  } catch {
    return undefined;
  }
}

/** The credentials, which no message ever shows. */
function readCredentials(name: string, text: string): { credentials: unknown; problems: Problem[] } {
  const problem = (rule: string): Problem => ({
    key: CREDENTIALS_KEY,
    value: SECRET,
    rule,
    remedy: `pulumi config set --secret ${name} '{"accessKey": "...", "secretKey": "..."}'`,
  });
  const problems = isConfigSecret(name) ? [] : [problem("credentials are encrypted in the stack file")];
  try {
    return { credentials: JSON.parse(text), problems };
  } catch {
    return { credentials: undefined, problems: [...problems, problem("this key holds a map of keys")] };
  }
}
