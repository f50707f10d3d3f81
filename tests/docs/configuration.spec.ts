import assert from "node:assert/strict";
import { parse } from "yaml";
import { wordOf } from "../../config/issues";
import { ACCEPTABLE_RISKS, settingsSchema } from "../../model/settings";
import { codeBlocks, documents, inlineCode, readDocument, section, tableRows } from "./documents";
import { type KeyEntry, schemaKeys } from "./schema";

const PAGE = readDocument("docs/configuration.md");
const TOP_LEVEL = Object.keys(settingsSchema.shape);
const PREFIX = "thanos-stack:";

/** Rows of the tables of keys: key, accepted values, default, meaning. */
const keyRows = () => tableRows(PAGE.text).filter((cells) => cells.length === 4);
const unquoted = (cell: string) => cell.replace(/^`|`$/g, "");

describe("docs/configuration.md", () => {
  const keys = schemaKeys();

  it("is compared with a schema of which every level was walked", () => {
    for (const path of [
      "cluster.zones",
      "receive.hashrings[].tenants",
      "receive.limits.tenants.<tenant>.request.series",
      "receive.storage.pvc.size",
    ]) {
      assert.ok(keys.has(path), path);
    }
    assert.deepEqual(keys.get("receive.replicas"), { default: "3", kind: "number", accepts: ["1–99"] });
    assert.deepEqual(keys.get("querier.deduplication"), { default: "none", kind: "enum", accepts: ['"chain"', '"penalty"'] });
  });

  it("has every key once, with its default, and no key that doesn't exist", () => {
    const documented = keyRows().map(([key = "", , value = ""]) => [unquoted(key), unquoted(value)] as const);
    const byName = ([left]: readonly [string, string], [right]: readonly [string, string]) => (left < right ? -1 : 1);
    const expected = [...keys].map(([path, entry]) => [path, entry.default] as const);
    assert.deepEqual([...documented].sort(byName), expected.sort(byName));
  });

  it("names every word and every bound that a key accepts", () => {
    const wrong = keyRows().flatMap(([key = "", accepts = ""]) => {
      const entry: KeyEntry | undefined = keys.get(unquoted(key));
      const named = [...accepts.matchAll(/"[^"]*"|\d+–\d+|\S+ or more/g)].map(([text]) => text);
      const expected = entry?.accepts ?? [];
      return JSON.stringify([...named].sort()) === JSON.stringify([...expected].sort()) ? [] : [`${key}: ${named} instead of ${expected}`];
    });
    assert.deepEqual(wrong, []);
  });

  it("calls what holds keys by the word of the messages", () => {
    const rows = keyRows().filter(([key = ""]) => keys.get(unquoted(key))?.kind === "object");
    assert.ok(rows.length > 20);
    for (const [key, accepts] of rows) assert.equal(accepts, wordOf("object"), key);
  });

  it("gives every key a meaning", () => {
    for (const [key, , , meaning = ""] of keyRows()) assert.match(meaning, /\.$/, key);
  });

  it("has every risk with the words of its refusal", () => {
    const rows = tableRows(section(PAGE.text, "Accepted risks")).map(([risk = "", what]) => [unquoted(risk), what]);
    assert.deepEqual(Object.fromEntries(rows), ACCEPTABLE_RISKS);
  });
});

describe("keys named in documents", () => {
  const known = new Set(
    [...schemaKeys().keys()].flatMap((path) => {
      const parts = path.split(".");
      return parts.map((_, index) => parts.slice(0, index + 1).join("."));
    }),
  );
  for (const list of [...known]) if (list.includes("[]")) known.add(list.split("[]")[0] ?? "");

  for (const document of documents()) {
    it(`${document.path}: every \`part.key\` in the text exists`, () => {
      const named = inlineCode(document.text).filter((code) => {
        const [first = ""] = code.split(/[.[]/);
        return TOP_LEVEL.includes(first) && /^[a-zA-Z]+(\.[a-zA-Z<>]+|\[\])+$/.test(code) && !/\.(yml|yaml|ts)$/.test(code);
      });
      assert.deepEqual(
        named.filter((key) => !known.has(key)),
        [],
      );
    });

    it(`${document.path}: every key of its YAML exists`, () => {
      const unknown = codeBlocks(document.text, "yaml").flatMap((code) => {
        const block = parse(code) as Record<string, unknown>;
        const config = (block.config ?? block) as Record<string, unknown>;
        return Object.entries(config)
          .filter(([name]) => name.startsWith(PREFIX))
          .flatMap(([name, value]) => pathsOf(value, name.slice(PREFIX.length)));
      });
      assert.deepEqual(
        unknown.filter((key) => !known.has(key)),
        [],
      );
    });
  }
});

/** Paths of the keys of a YAML value. What is free-form or a list of plain values ends a path. */
function pathsOf(value: unknown, path: string): string[] {
  if (Array.isArray(value)) return [path];
  if (value === null || typeof value !== "object") return [path];
  return [path, ...Object.entries(value).flatMap(([name, inner]) => pathsOf(inner, `${path}.${name}`))];
}
