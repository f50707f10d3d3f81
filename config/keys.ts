import * as pulumi from "@pulumi/pulumi";
import { BUCKET_CREDENTIALS_KEY } from "../model/bucket/config";
import { CREDENTIALS_KEY } from "../model/credentials/rules";
import type { Problem } from "../model/values/problem";
import { typeOf } from "./accepted";
import { encryptedPaths, isEncrypted, SECRET } from "./encrypted";
import { schemaAt } from "./issues";
import { CONFIG_NAMESPACE, misspeltNamespaces } from "./namespace";
import { isSecretKey, SECRET_KEYS, type SecretKey } from "./secretKeys";
import { stackConfig } from "./stackFiles";

/** Values that the engine gives the program. */
export interface Keys {
  /** Values by key. */
  raw: Record<string, unknown>;
  /** Values of the keys that are always encrypted, which no message shows. */
  secrets: Partial<Record<SecretKey, unknown>>;
  /** Keys that are left out of `raw`, each with a problem. */
  unread: string[];
  problems: Problem[];
}

/** Every key of the namespace, decoded: objects, lists, numbers and booleans arrive from the engine as JSON text. */
export function readKeys(directory: string): Keys {
  const prefix = `${CONFIG_NAMESPACE}:`;
  // By entries, since a key may be called as what every object has: `__proto__` would be read as settings, unseen.
  const values = new Map<string, unknown>();
  const secrets: Keys["secrets"] = {};
  const unread: string[] = [];
  const problems: Problem[] = [];
  const all = pulumi.runtime.allConfig();
  problems.push(...misspeltNamespaces(shownValues(all)));
  for (const [name, text] of Object.entries(all)) {
    if (!name.startsWith(prefix)) continue;
    const key = name.slice(prefix.length);
    if (isSecretKey(key)) {
      const read = readSecret(key, text, directory);
      secrets[key] = read.value;
      problems.push(...read.problems);
      continue;
    }
    if (isConfigSecret(name)) {
      unread.push(key);
      problems.push(...encryptedIn(name, key, directory));
      continue;
    }
    const isText = ["string", "enum"].includes(typeOf(schemaAt([key])));
    values.set(key, isText ? textOf(name, text, directory) : parsed(text));
  }
  return { raw: Object.fromEntries(values), secrets, unread, problems };
}

/** A text as it was given; null where nothing is behind the key, of which the engine makes the text `null`. */
const textOf = (name: string, text: string, directory: string): string | null =>
  text === "null" && inStackFile(name, directory) !== text ? null : text;

/** The value of a text of JSON; the text itself where it is none, which the schema refuses. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The same keys with values that a message may show. */
const shownValues = (all: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(all).map(([name, text]) => [name, isConfigSecret(name) || isSecretKey(name.replace(/^.*:/, "")) ? SECRET : text]),
  );

/** Whether the engine had to decrypt the key, or a part of it. The SDK knows and does not declare it. */
const isConfigSecret = (name: string): boolean =>
  (pulumi.runtime as unknown as { isConfigSecret(key: string): boolean }).isConfigSecret(name);

/**
 * Values that are encrypted and must not be: they would be written in plain text. Where the stack's file is the one that the engine has
 * read, it says which part of the key. No value of the key is shown.
 */
function encryptedIn(name: string, key: string, directory: string): Problem[] {
  const paths = encryptedPaths(inStackFile(name, directory), key);
  return (paths.length > 0 ? paths : [key]).map((path) => ({
    key: path,
    value: SECRET,
    rule: `this is encrypted, and only ${SECRET_KEYS.join(" and ")} may be: everything else is written into ConfigMaps and pods, where many can read it`,
    remedy: "plain text for what is no secret; nothing that is one",
  }));
}

function inStackFile(name: string, directory: string): unknown {
  try {
    return stackConfig(pulumi.getStack(), directory)[name];
  } catch {
    return undefined;
  }
}

/** How each key is set. */
const COMMANDS: Readonly<Record<SecretKey, string>> = {
  [BUCKET_CREDENTIALS_KEY]: `pulumi config set --secret ${CONFIG_NAMESPACE}:${BUCKET_CREDENTIALS_KEY} '{"accessKey": "...", "secretKey": "..."}'`,
  [CREDENTIALS_KEY]: `pulumi config set --secret --path '${CONFIG_NAMESPACE}:${CREDENTIALS_KEY}["name"]'`,
};

/**
 * The value of a key that is always encrypted, as a whole or in parts: the engine gives the same text either way. Where it is no JSON it is
 * the text itself, which the key's own rules refuse.
 */
function readSecret(key: SecretKey, text: string, directory: string): { value: unknown; problems: Problem[] } {
  const name = `${CONFIG_NAMESPACE}:${key}`;
  const places = !isConfigSecret(name)
    ? [key]
    : key === CREDENTIALS_KEY
      ? plainParts(inStackFile(name, directory)).map((part) => `${key}.${part}`)
      : [];
  const problems = places.map((place) => ({
    key: place,
    value: SECRET,
    rule: "credentials are encrypted in the stack file",
    remedy: COMMANDS[key],
  }));
  return { value: parsed(text), problems };
}

/** Names of a map in the stack's file that are not encrypted, where others are. */
function plainParts(value: unknown): string[] {
  if (typeof value !== "object" || value === null || isEncrypted(value)) return [];
  return Object.entries(value).flatMap(([name, each]) => (isEncrypted(each) ? [] : [name]));
}
