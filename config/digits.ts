import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isScalar, parseDocument } from "yaml";
import type { Problem } from "../model/problem";
import { CONFIG_NAMESPACE } from "./namespace";
import { stackFileName } from "./stackFiles";

/** Keys that hold a text of which YAML may make a whole number. */
const TEXTS = [
  ["cluster", "name"],
  ["cluster", "zones"],
] as const;

/**
 * Digits that the engine has not kept as they are written: of `0158` it makes 158, of `1_000` 1000. The stack's file says how they are written; where it is not the one that the engine has
 * read, nothing is said.
 *
 * @param raw What the engine gives, by key.
 */
export function changedDigits(stack: string, folder: string, raw: Readonly<Record<string, unknown>>): Problem[] {
  let document: ReturnType<typeof parseDocument>;
  try {
    document = parseDocument(readFileSync(join(folder, stackFileName(stack)), "utf8"), { merge: true });
  } catch {
    return [];
  }
  const written = (path: readonly (string | number)[]): string | undefined => {
    const [key, ...rest] = path;
    for (const name of [`${CONFIG_NAMESPACE}:${key}`, key]) {
      const node = document.getIn(["config", name, ...rest], true);
      if (isScalar(node) && node.type === "PLAIN") return node.source;
    }
    return undefined;
  };
  return TEXTS.flatMap(([key, name]) => {
    const value = (raw[key] as Record<string, unknown> | null | undefined)?.[name];
    const values = Array.isArray(value) ? value.map((each: unknown, index) => [each, index] as const) : [[value] as const];
    return values.flatMap(([each, index]) => {
      const source = written([key, name, ...(index === undefined ? [] : [index])]);
      if (typeof each !== "number" || source === undefined || source === String(each) || Number(source.replaceAll("_", "")) !== each)
        return [];
      return [
        {
          key: `${key}.${name}${index === undefined ? "" : `[${index}]`}`,
          value: source,
          rule: `the engine takes these digits for the number ${each}`,
          remedy: `"${source}" in quotes, or ${each}`,
        },
      ];
    });
  });
}
