import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Document, isScalar, parseDocument } from "yaml";
import type { Problem } from "../model/values/problem";
import { engineNumber } from "./engineNumbers";
import { pathText } from "./issues";
import { CONFIG_NAMESPACE } from "./namespace";
import { stackFileName } from "./stackFiles";

type Path = readonly [string, ...(string | number)[]];

/** Keys with texts that YAML may take for a whole number: one, or a list of them. */
const TEXTS: readonly Path[] = [
  ["cluster", "name"],
  ["cluster", "zones"],
];

/**
 * Texts of digits that are others to the engine than in the stack's file: `0158` is 158 to it, and `0157`, an octal, 111. Nothing is said where the file is not the one that the engine has read.
 *
 * @param folder Where the stack's file is.
 * @param raw What the engine gives, by key.
 */
export function changedDigits(stack: string, folder: string, raw: Readonly<Record<string, unknown>>): Problem[] {
  const file = parsed(join(folder, stackFileName(stack)));
  if (file === undefined) return [];
  return TEXTS.flatMap((path) => {
    const value = path.reduce<unknown>((holder, part) => (holder as Record<string, unknown> | null | undefined)?.[part], raw);
    const texts: [Path, unknown][] = Array.isArray(value) ? value.map((each, index) => [[...path, index], each]) : [[path, value]];
    return texts.flatMap(([each, given]) => changed(file, each, given) ?? []);
  });
}

/** @param given What the engine has made of it. A number of which no text is made is refused by the schema. */
function changed(file: Document, path: Path, given: unknown): Problem | undefined {
  if (typeof given !== "number" || !Number.isSafeInteger(given) || given < 0) return undefined;
  const text = plainText(file, path);
  if (text === undefined || text === String(given) || engineNumber(text) !== given) return undefined;
  return {
    key: pathText(path),
    value: text,
    rule: `the engine takes this for the number ${given}`,
    remedy: `${JSON.stringify(text)} in quotes, or ${given}`,
  };
}

function parsed(path: string): Document | undefined {
  try {
    return parseDocument(readFileSync(path, "utf8"), { merge: true });
  } catch {
    return undefined;
  }
}

/** A value as the file has it, where it stands without quotes. */
function plainText(file: Document, [key, ...rest]: Path): string | undefined {
  for (const name of [`${CONFIG_NAMESPACE}:${key}`, key]) {
    const node = file.getIn(["config", name, ...rest], true);
    if (isScalar(node) && node.type === "PLAIN") return node.source;
  }
  return undefined;
}
