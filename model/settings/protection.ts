import type { Settings } from "./schema";

/**
 * Whether the engine refuses to delete or replace what holds data. Where a replacement is intended, `accepts` names it in one update, and
 * the change itself comes in the next: the engine goes by the protection that the last update left.
 */
export function protectsStorage(settings: Settings): boolean {
  return settings.protect && !settings.accepts.includes("storage-replacement");
}
