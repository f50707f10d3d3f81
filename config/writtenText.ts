import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Document, isAlias, isMap, isScalar, isSeq, type Node, parseDocument } from "yaml";
import { CONFIG_NAMESPACE } from "./namespace";
import { stackFileName } from "./stackFiles";

/** The stack's file as it is written: the engine gives the program values, which have lost how they were spelled. */

/** A place in the configuration, beginning with a key without its namespace. */
export type Path = readonly (string | number)[];

/** Everything within a value, each with its place, what holds others before what it holds. */
export function placesIn(value: unknown, path: Path = []): [Path, unknown][] {
  const parts: [string | number, unknown][] = Array.isArray(value)
    ? value.map((each, index) => [index, each])
    : Object.entries(typeof value === "object" && value !== null ? value : {});
  return parts.flatMap(([part, each]): [Path, unknown][] => [[[...path, part], each], ...placesIn(each, [...path, part])]);
}

/** The file; undefined where there is none, or it is no YAML. */
export function stackDocument(stack: string, directory: string): Document | undefined {
  try {
    return parseDocument(readFileSync(join(directory, stackFileName(stack)), "utf8"), { merge: true });
  } catch {
    return undefined;
  }
}

/** The names under which the engine finds a key. */
const namesOf = (key: string): string[] => [`${CONFIG_NAMESPACE}:${key}`, `${CONFIG_NAMESPACE}:config:${key}`, key];

/** A value as the file has it, where it stands without quotes. */
export function plainText(file: Document, path: Path): string | undefined {
  const node = valueNode(file, path);
  return isScalar(node) && node.type === "PLAIN" ? node.source : undefined;
}

/** The names of a map's entries that stand without quotes, as the file has them. */
export function plainNames(file: Document, path: Path): string[] {
  const node = valueNode(file, path);
  return isMap(node) ? node.items.flatMap(({ key }) => (isScalar(key) && key.type === "PLAIN" && key.source ? [key.source] : [])) : [];
}

/** Keys that the file has under more than one name, of which the engine takes one or the other. */
export function keysTwice(file: Document): string[] {
  const config = file.get("config", true);
  if (!isMap(config)) return [];
  const names = config.items.map(({ key }) => (isScalar(key) ? String(key.value) : ""));
  const keys = names.map((name) => name.replace(new RegExp(`^${CONFIG_NAMESPACE}:(?:config:)?`), ""));
  return [...new Set(keys.filter((key, index) => !key.includes(":") && keys.indexOf(key) !== index))];
}

function valueNode(file: Document, [key, ...rest]: Path): Node | undefined {
  return namesOf(String(key))
    .map((name) => nodeAt(file, file.contents, ["config", name, ...rest]))
    .find((node) => node !== undefined);
}

/** The node at a place, through aliases and merged maps. */
function nodeAt(file: Document, from: unknown, path: Path): Node | undefined {
  const node = isAlias(from) ? from.resolve(file) : (from as Node | undefined);
  const [part, ...rest] = path;
  if (part === undefined) return node;
  if (isSeq(node)) return typeof part === "number" ? nodeAt(file, node.items[part], rest) : undefined;
  if (!isMap(node)) return undefined;
  const named = (name: string) => node.items.find(({ key }) => isScalar(key) && (key.source ?? String(key.value)) === name)?.value;
  const own = named(String(part));
  if (own !== undefined) return nodeAt(file, own, rest);
  const merged = named("<<");
  const sources: unknown[] = isSeq(merged) ? merged.items : [merged];
  return sources.map((source) => nodeAt(file, source, path)).find((found) => found !== undefined);
}
