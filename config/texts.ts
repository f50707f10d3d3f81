import type { Document } from "yaml";
import type { Problem } from "../model/values/problem";
import { pathText } from "./issues";
import { placesIn, plainText } from "./writtenText";

/** A text that the engine's YAML takes for a date (yaml.v3 resolve.go `allowedTimestampFormats`). */
const DATE =
  /^\d{4}-(\d{1,2})-(\d{1,2})(?:[Tt]\d{1,2}:\d{1,2}:\d{1,2}(?:[.,]\d+)?(?:Z|[-+]\d\d:\d\d)| \d{1,2}:\d{1,2}:\d{1,2}(?:[.,]\d+)?)?$/;
/** A date as the engine gives it to a program (Go's `time.Time.String`). */
const GIVEN_DATE = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? [-+]\d{4} \S+$/;

/** Characters that no YAML reader takes as they are, or that a terminal acts upon: C0 but for tabs and line feeds, DEL, C1. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const CONTROL = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/;

/** Texts with control characters: manifests with them are refused by readers of YAML, Prometheus' own among them. */
export function controlCharacters(raw: Readonly<Record<string, unknown>>): Problem[] {
  return placesIn(raw).flatMap(([path, value]) =>
    [String(path.at(-1)), value]
      .filter((text) => typeof text === "string" && CONTROL.test(text))
      .map((text) => ({
        key: pathText(path),
        value: text,
        rule: "readers of YAML refuse control characters, and Prometheus with them its whole configuration",
        remedy: "the text without them; tabs and line feeds are none",
      })),
  );
}

/**
 * Dates without quotes, of which the engine makes another text: `2024-01-02` is `2024-01-02 00:00:00 +0000 UTC` to it. Nothing is said
 * where the file is not the one that the engine has read.
 *
 * @param file The stack's file.
 * @param raw What the engine gives, by key.
 */
export function changedDates(file: Document, raw: Readonly<Record<string, unknown>>): Problem[] {
  return placesIn(raw).flatMap(([path, given]) => {
    if (typeof given !== "string" || !(GIVEN_DATE.test(given) || isDate(given))) return [];
    const text = plainText(file, path);
    if (text === undefined || !isDate(text) || (given !== text && !GIVEN_DATE.test(given))) return [];
    return [
      {
        key: pathText(path),
        value: text,
        rule: "without quotes YAML reads a date, of which the engine makes another text (2024-01-02 00:00:00 +0000 UTC for 2024-01-02)",
        remedy: `${JSON.stringify(text)} in quotes`,
      },
    ];
  });
}

function isDate(text: string): boolean {
  const [, month, day] = DATE.exec(text) ?? [];
  return Number(month) >= 1 && Number(month) <= 12 && Number(day) >= 1 && Number(day) <= 31;
}
