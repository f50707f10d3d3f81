import { CONFIG_NAMESPACE } from "../../config/namespace";
import { CREDENTIALS_KEY } from "../../model/credentials/rules";
import { engineConfig } from "../engineConfig";

/**
 * Reach of a preview's secrets: the program's own code, and so a pull request's, gets every encrypted
 * value of its stack file in plain text.
 */

/** The keys with an encrypted value anywhere in them, of a stack file's `config:` block or of a preview's configuration. */
export function encryptedKeys(config: Record<string, unknown>): string[] {
  return engineConfig(config).secretKeys;
}

/** Warning to a reviewer about the encrypted values; undefined where there are none. */
export function decryptableWarning(config: Record<string, unknown>): string | undefined {
  const keys = encryptedKeys(config);
  if (keys.length === 0) return undefined;
  const them = keys.length === 1 ? "it" : "them";
  const files = keys.includes(`${CONFIG_NAMESPACE}:${CREDENTIALS_KEY}`)
    ? `${CREDENTIALS_KEY} opens what Prometheus and rulers go to: Secrets that exist (credentialsFrom) are in no preview. `
    : "";
  return (
    `This preview's secrets decrypt ${keys.join(", ")}: whoever may change the code that it runs can read ${them}, before anybody reviews. ${files}Where that is a bucket's key, it writes and ` +
    "deletes blocks. Give the pods an identity of the cloud instead, or let reviewers start previews (docs/continuous-integration.md, What a preview's secrets open)."
  );
}
