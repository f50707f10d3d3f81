/**
 * Encrypted values, as stack files and the engine's previews show them. Source: pulumi sdk/go/common/resource/config,
 * value.go and crypt.go (BlindingDecrypter).
 */

/** Stands for a value that is not shown. */
export const SECRET = "(secret)";
/** How the engine's JSON shows a decrypted value, alone or inside of an object. */
const HIDDEN = "[secret]";

/** Whether a value of a stack file is encrypted (`secure: …`), or one of a preview's JSON is hidden. */
export function isEncrypted(value: unknown): boolean {
  if (value === HIDDEN) return true;
  if (typeof value !== "object" || value === null) return false;
  return Object.keys(value).length === 1 && "secure" in value && typeof value.secure === "string";
}

/** Paths of everything encrypted in a value, such as `prometheus.scrapeConfigs[0].basic_auth.password`. */
export function encryptedPaths(value: unknown, path: string): string[] {
  if (isEncrypted(value)) return [path];
  if (Array.isArray(value)) return value.flatMap((each, index) => encryptedPaths(each, `${path}[${index}]`));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => encryptedPaths(each, `${path}.${key}`));
}

/** The same value with {@link SECRET} for everything encrypted. */
export function withoutEncrypted(value: unknown): unknown {
  if (isEncrypted(value)) return SECRET;
  if (Array.isArray(value)) return value.map(withoutEncrypted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withoutEncrypted(each)]));
}
