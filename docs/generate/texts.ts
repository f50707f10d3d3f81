import { isDeepStrictEqual } from "node:util";
import { stringify } from "yaml";
import type { Key } from "./keys";

/** The texts of a key on the page and in the editors' schema, in Markdown. */

/** A key's purpose, and why it accepts no less than its least. Empty where there is nothing to say. */
export const meaningOf = ({ description, least }: Key): string =>
  [
    ...(description === "" ? [] : [description]),
    ...(least === undefined ? [] : [`Less than ${least.value} is refused: ${plain(least.why)}.`]),
  ].join(" ");

/** Whether it may be left out, and for what. Empty for a map that is filled in by itself: the defaults are those of the keys within it. */
export function presenceText({ presence, keys }: Key): string {
  if (presence.is === "required") return "**Required.**";
  if (presence.is === "optional") return "Optional.";
  return keys.length > 0 && isDeepStrictEqual(presence.value, {}) ? "" : `Default: ${valueText(presence.value)}.`;
}

/** A value as it is written in a stack file. */
export function valueText(value: unknown): string {
  // Code is never broken: entries that are maps stand each for itself.
  if (Array.isArray(value) && value.length > 1 && value.every((each) => typeof each === "object")) return value.map(valueText).join(", ");
  return `\`${stringify(value, { collectionStyle: "flow", lineWidth: 0 }).trim()}\``;
}

/** A text that is no Markdown, as Markdown. */
export const plain = (text: string): string =>
  text.replace(/[\\*<>[\]`]/g, "\\$&").replace(/[\w.+:]*_[\w.+:]*/g, (word) => (word === "_" ? "\\_" : `\`${word}\``));
