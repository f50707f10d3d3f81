import type { Document } from "yaml";
import type { Problem } from "../model/values/problem";
import { engineNumber } from "./engineNumbers";
import { pathText } from "./issues";
import { type Path, placesIn, plainNames, plainText } from "./writtenText";

/** Keys with texts that YAML may take for a whole number. */
const TEXTS = /^(?:namespace|cluster\.name|cluster\.zones\[\d+\])$/;
/** Nobody means another number by a zero in front. */
const ZERO_IN_FRONT = /^[-+]?0\d/;

/**
 * Digits that are others to the engine than in the stack's file: `0158` is 158 to it, and `0157`, an octal, 111. Nothing is said where the
 * file is not the one that the engine has read.
 *
 * @param file The stack's file.
 * @param raw What the engine gives, by key.
 * @param refused Keys that are refused since they hold a number where a text belongs.
 */
export function changedDigits(file: Document, raw: Readonly<Record<string, unknown>>, refused: ReadonlySet<string> = new Set()): Problem[] {
  return placesIn(raw).flatMap(([path, value]) => {
    const number = numberAt(path, value);
    if (number !== undefined) return changed(file, path, number, refused);
    return typeof value === "object" && value !== null ? changedNames(file, path, value) : [];
  });
}

/** @param given What the engine has made of it. A number of which no text is made is refused by the schema. */
function changed(file: Document, path: Path, given: number, refused: ReadonlySet<string>): Problem[] {
  const key = pathText(path);
  const text = plainText(file, path);
  if (text === undefined || text === String(given) || engineNumber(text) !== given) return [];
  if (!TEXTS.test(key) && !ZERO_IN_FRONT.test(text) && !refused.has(key)) return [];
  return [numberOf(key, text, given, "this")];
}

/** Names of entries, such as of tenants. */
function changedNames(file: Document, path: Path, map: object): Problem[] {
  return plainNames(file, path).flatMap((text) => {
    const given = engineNumber(text);
    const isAnother = given !== undefined && text !== String(given) && Object.hasOwn(map, String(given)) && !Object.hasOwn(map, text);
    return isAnother ? [numberOf(pathText([...path, text]), text, given, "this name")] : [];
  });
}

const numberOf = (key: string, text: string, given: number, what: string): Problem => ({
  key,
  value: text,
  rule: `the engine takes ${what} for the number ${given}`,
  remedy: `${JSON.stringify(text)} in quotes, or ${given}`,
});

/** A whole number. The namespace, which the engine gives as a text, is one where it has digits only. */
function numberAt(path: Path, value: unknown): number | undefined {
  const number = path.join() === "namespace" && /^\d+$/.test(String(value)) ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) && number >= 0 ? number : undefined;
}
