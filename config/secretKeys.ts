import { BUCKET_CREDENTIALS_KEY } from "../model/bucket/config";
import { CREDENTIALS_KEY } from "../model/credentials/rules";

/**
 * The keys that are encrypted in a stack file, without their namespace. They are no settings: what they hold is never shown, and only put
 * into Secrets.
 */
export const SECRET_KEYS = [BUCKET_CREDENTIALS_KEY, CREDENTIALS_KEY] as const;
export type SecretKey = (typeof SECRET_KEYS)[number];

/** Whether a key is one of them. */
export const isSecretKey = (key: string): key is SecretKey => (SECRET_KEYS as readonly string[]).includes(key);
