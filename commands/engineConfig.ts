import { encryptedPaths, isEncrypted, SECRET, withoutEncrypted } from "../config/encrypted";
import { CONFIG_NAMESPACE } from "../config/namespace";
import { isSecretKey } from "../config/secretKeys";
import { BUCKET_CREDENTIALS_KEY } from "../model/bucket/config";
import { CREDENTIALS_KEY } from "../model/credentials/rules";
import { credentialStandIns } from "../model/credentials/uses";

/** Configuration in the form in which the engine gives it to a program. */
export interface EngineConfig {
  /** Texts by full key; what is no text in YAML is JSON. */
  texts: Record<string, string>;
  /** Full keys that hold anything encrypted. */
  secretKeys: string[];
}

const BUCKET_CREDENTIALS = `${CONFIG_NAMESPACE}:${BUCKET_CREDENTIALS_KEY}`;
const CREDENTIALS = `${CONFIG_NAMESPACE}:${CREDENTIALS_KEY}`;

/**
 * Gives configuration to the program as the engine does, for runs that can't decrypt it: `(secret)` stands for everything
 * encrypted, and its keys are secret. Credentials that are encrypted as a whole get the form of that bucket's, and the names of
 * the files that are named, so that the plan is the one with credentials.
 *
 * @param config configuration by full key, as a stack file or the JSON of a preview has it
 */
export function engineConfig(config: Readonly<Record<string, unknown>>): EngineConfig {
  const read = Object.entries(config).map(([key, value]) => [key, typeof value === "string" ? hiddenInside(value) : value] as const);
  const secretKeys = read.filter(([key, value]) => encryptedPaths(value, key).length > 0).map(([key]) => key);
  const texts = read.map(([key, value]) => {
    const readable = isEncrypted(value) ? standIn(key, config) : withoutEncrypted(value);
    return [key, typeof readable === "string" ? readable : JSON.stringify(readable)] as const;
  });
  return { texts: Object.fromEntries(texts), secretKeys };
}

/** Encrypted keys that the program takes: their content is not in the plan. */
export const takenUnread = ({ secretKeys }: EngineConfig): string[] =>
  secretKeys.filter((key) => isSecretKey(key.slice(CONFIG_NAMESPACE.length + 1)));

/** An object of a preview's JSON that hides parts of itself; every other text as it is. */
function hiddenInside(text: string): unknown {
  if (!text.startsWith("{") && !text.startsWith("[")) return text;
  try {
    const value: unknown = JSON.parse(text);
    return encryptedPaths(value, "").length > 0 ? value : text;
  } catch {
    return text;
  }
}

/** A value in place of one that is encrypted as a whole. */
function standIn(key: string, config: Readonly<Record<string, unknown>>): unknown {
  if (key === BUCKET_CREDENTIALS) return bucketStandIn(mapIn(config, "objectStorage"));
  return key === CREDENTIALS ? filesStandIn(config) : SECRET;
}

/** A text for every file of credentials that is named, but for those of Secrets that exist. */
function filesStandIn(config: Readonly<Record<string, unknown>>): Record<string, string> {
  return credentialStandIns(config, mapIn(config, "credentialsFrom"), SECRET);
}

/** Credentials of the form that the bucket's kind has. */
function bucketStandIn(kinds: Readonly<Record<string, unknown>>): Record<string, string> {
  if ("gcs" in kinds) return { serviceAccount: SECRET };
  if ("azure" in kinds) return { storageAccountKey: SECRET };
  return { accessKey: SECRET, secretKey: SECRET };
}

/**
 * The map that a key holds in a configuration as a stack file or the JSON of a preview has it, in which maps are JSON.
 *
 * @param key Without its namespace.
 * @returns a map of what it holds; an empty one where it holds none
 */
export function mapIn(config: Readonly<Record<string, unknown>>, key: string): Record<string, unknown> {
  const value = config[`${CONFIG_NAMESPACE}:${key}`];
  const read = typeof value === "string" ? parsed(value) : value;
  return typeof read === "object" && read !== null ? (read as Record<string, unknown>) : {};
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
