import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { PROJECT_DIRECTORY } from "../../commands/program";
import { type Schema, wordOf } from "../../config/accepted";
import { COMMAND, generatedFiles } from "../../docs/generate/files";
import { type Key, keysOf, withInner } from "../../docs/generate/keys";
import { configurationPage } from "../../docs/generate/page";
import { credentialsSchema } from "../../model/bucket/config";
import { ACCEPTABLE_RISKS, settingsSchema } from "../../model/settings/schema";
import { firstDifference } from "../golden/compare";
import { codeBlocks, documents, inlineCode, readDocument } from "./documents";

const PREFIX = "thanos-stack:";
const LONGEST_LINE = 160;

const allKeys = (schema: z.ZodObject): Key[] => withInner(keysOf(schema as unknown as Schema));
const KEYS = allKeys(settingsSchema);
const key = (path: string): Key => KEYS.find((each) => each.path === path) ?? assert.fail(path);

describe("files made of the schemas", () => {
  for (const [path, text] of Object.entries(generatedFiles())) {
    it(`${path} is what its schema makes`, () => {
      const difference = firstDifference(readFileSync(join(PROJECT_DIRECTORY, path), "utf8"), text);
      if (difference !== undefined) assert.fail(`${path} is not what its schema makes.\n${difference}\nMake it anew: ${COMMAND}`);
    });
  }

  it("are made by a command that exists", () => {
    const { scripts } = JSON.parse(readFileSync(join(PROJECT_DIRECTORY, "package.json"), "utf8")) as { scripts: Record<string, string> };
    assert.ok(COMMAND.replace("npm run ", "") in scripts, COMMAND);
  });
});

describe("keys of the configuration", () => {
  it("each have a description that is a sentence", () => {
    const described = [...KEYS, ...credentialsSchema.options.flatMap(allKeys)];
    assert.ok(described.length > 200);
    assert.deepEqual(
      described.filter(({ description }) => !/\.$/.test(description)).map(({ path }) => path),
      [],
    );
  });

  it("are walked at every level", () => {
    // Shared definitions are referred to; whatever is Kubernetes' own has its keys there.
    const { properties, $defs = {} } = z.toJSONSchema(settingsSchema, { io: "input" });
    const foreign =
      /\b(?:pods\.(?:tolerations|affinity|topologySpread)|extra\.(?:env|envFrom|volumes|volumeMounts|containers|initContainers))(?:\[\])?\./;
    const paths = pathsIn({ type: "object", properties }, "", $defs).filter((path) => !foreign.test(path));
    assert.deepEqual(KEYS.map(({ path }) => path).sort(), paths.sort());
  });

  for (const [path, accepts, presence] of [
    ["receive", "a map of keys", { is: "optional" }],
    ["receive.replicas", "a whole number from 1 to 300", { is: "default", value: 3 }],
    ["querier.deduplication", '"chain", "penalty"', { is: "optional" }],
    ["querier.timeout", "a duration such as 30s, 2h or 15d; 1s or more", { is: "default", value: "2m" }],
    ["receive.storage", "a map of keys; exactly one of hostPath and pvc", { is: "required" }],
    ["receive.storage.pvc.size", "a quantity of bytes such as 512Mi or 50Gi; 1Gi or more", { is: "required" }],
    ["protect", "true or false", { is: "default", value: true }],
    ["objectStorage.compactor.retention.raw", '"forever", or a duration such as 30s, 2h or 15d', { is: "default", value: "90d" }],
    [
      "accepts",
      `a list, each entry one of ${Object.keys(ACCEPTABLE_RISKS)
        .map((risk) => `"${risk}"`)
        .join(", ")}`,
      { is: "default", value: [] },
    ],
    ["prometheus.externalLabels", "a map, each name a Prometheus label name, each value text", { is: "default", value: {} }],
    ["receive.relabel", "a list, each entry a map", { is: "default", value: [] }],
  ] as [string, string, Key["presence"]][]) {
    it(`say in the words of messages what they accept: ${path}`, () => {
      assert.deepEqual({ accepts: key(path).accepts, presence: key(path).presence }, { accepts, presence });
    });
  }

  it("call a map of keys what the messages call one", () => {
    const maps = KEYS.filter(({ path, keys }) => keys.some((inner) => /^\.\w+$/.test(inner.path.slice(path.length))));
    assert.ok(maps.length > 20);
    assert.deepEqual(
      maps.filter(({ accepts }) => accepts.split(";")[0] !== wordOf("object")).map(({ path }) => path),
      [],
    );
  });

  it("say why there is a least", () => {
    assert.deepEqual(key("querier.timeout").least, { value: "1s", why: "no query is answered in no time" });
    assert.equal(key("querier.replicas").least, undefined);
  });
});

/** Paths of all keys of a JSON Schema. */
function pathsIn(schema: z.core.JSONSchema.JSONSchema, path: string, shared: Record<string, z.core.JSONSchema.JSONSchema>): string[] {
  const { properties = {}, items, additionalProperties } = shared[schema.$ref?.replace("#/$defs/", "") ?? ""] ?? schema;
  const inner = (child: unknown, at: string): string[] =>
    typeof child === "object" && child !== null ? pathsIn(child as z.core.JSONSchema.JSONSchema, at, shared) : [];
  return [
    ...Object.entries(properties).flatMap(([name, child]) => {
      const at = path === "" ? name : `${path}.${name}`;
      return [at, ...inner(child, at)];
    }),
    ...inner(items, `${path}[]`),
    ...inner(additionalProperties, `${path}.<name>`),
  ];
}

describe("docs/configuration.md", () => {
  const { text } = readDocument("docs/configuration.md");
  const named = [...text.matchAll(/\*\*`([^`]+)`\*\*:/g)].map(([, name]) => name ?? "");

  it("has every key: by itself, or as what several share", () => {
    const holders = KEYS.filter(({ shared }) => shared !== undefined);
    const isNamed = ({ path }: Key) =>
      named.includes(path) ||
      holders.some(
        (holder) => path.startsWith(`${holder.path}.`) && named.includes(path.slice(holder.path.length + 1).replace(/^<name>\./, "")),
      );
    assert.deepEqual(
      KEYS.filter((each) => !isNamed(each)).map(({ path }) => path),
      [],
    );
  });

  it("has none twice", () => {
    const paths = named.filter((name) => KEYS.some(({ path, keys }) => path === name && keys.length === 0));
    assert.deepEqual(
      paths.filter((name, index) => paths.indexOf(name) !== index),
      [],
    );
  });

  it("has every risk with the words of its refusal", () => {
    const flat = text.replace(/\n +/g, " ");
    for (const [risk, what] of Object.entries(ACCEPTABLE_RISKS)) assert.ok(flat.includes(`**\`${risk}\`**: ${what}.`), risk);
  });

  it(`has no line above ${LONGEST_LINE} characters`, () => {
    assert.deepEqual(
      text.split("\n").filter((line) => line.length > LONGEST_LINE),
      [],
    );
  });

  it("calls a map what the messages call one", () => {
    assert.doesNotMatch(text, /\ban object\b/);
  });
});

describe("docs/configuration.md: the template", () => {
  const size = z.string().default("1Gi").describe("The size.");
  const shared = (more: Record<string, z.ZodType>) => z.strictObject({ size, ...more }).meta({ shared: "disk", description: "A disk." });
  const keys = keysOf(
    z.strictObject({
      a: z.strictObject({ b: z.int().min(1).max(2).describe("See [this](x.md).").optional(), disk: shared({}) }).describe("The a."),
      c: shared({ size: size.default("2Gi"), fast: z.boolean().describe("Whether it is fast.") }),
    }) as unknown as Schema,
  );
  const page = (...lines: string[]) => configurationPage(lines.join("\n"), keys, { more: "More." }).split("\n");
  const complete = ["# A", "{{section a}}", "# C", "{{keys c}}", "# Disks", "{{shared disk}}"];

  it("is filled with keys, in sections and lists, and with what they share", () => {
    assert.deepEqual(page(...complete, "{{more}}"), [
      "# A",
      "**`a`**: a map of keys. **Required.**\\",
      "The a.",
      "",
      "- **`a.b`**: a whole number from 1 to 2. Optional.\\",
      "  See [this](x.md).",
      "- **`a.disk`**: [disks](#disks). **Required.** Defaults: `size` `1Gi`.",
      "# C",
      "- **`c`**: [disks](#disks). **Required.** Defaults: `size` `2Gi`.",
      "  - **`c.fast`**: true or false. **Required.**\\",
      "    Whether it is fast.",
      "# Disks",
      "A disk.",
      "",
      "- **`size`**: text. Each component has its own default.\\",
      "  The size.",
      "More.",
    ]);
  });

  it("has a link where a key has a place of its own", () => {
    const [line] = page("{{section a}}", "## The disk", "{{keys a.disk}}", ...complete.slice(2)).filter((each) =>
      each.startsWith("- **`a.disk`**"),
    );
    assert.equal(line, "- **`a.disk`**: [The disk](#the-disk). **Required.**");
  });

  for (const [title, lines, message] of [
    ["without a place for a key", complete.slice(2), /no place for a$/],
    ["without a place for what keys share", complete.slice(0, 4), /no place for disk$/],
    ["with two places for a key", [...complete, "{{keys a}}"], /two places for a$/],
    ["with a place for a key that there is not", [...complete, "{{keys a.x}}"], /a place for a\.x, and there is no such key/],
    ["with a text that nobody has", [...complete, "{{other}}"], /\{\{other\}\}/],
  ] as [string, string[], RegExp][]) {
    it(`is refused ${title}`, () => {
      assert.throws(() => page(...lines), message);
    });
  }
});

describe("keys named in documents", () => {
  const topLevel = Object.keys(settingsSchema.shape);
  const known = new Set(KEYS.flatMap(({ path }) => [path, `${path}[]`]));

  for (const document of documents()) {
    it(`${document.path}: every \`part.key\` in the text exists`, () => {
      const text = document.text.replace(/Default:\s`[^`]*`/g, "");
      const named = inlineCode(text).filter((code) => {
        const [first = ""] = code.split(/[.[]/);
        return topLevel.includes(first) && /^[a-zA-Z]+(\.[a-zA-Z<>]+|\[\])+$/.test(code) && !/\.(crt|key|yml|yaml|ts)$/.test(code);
      });
      assert.deepEqual(
        named.filter((name) => !known.has(name)),
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
        unknown.filter((name) => !known.has(name)),
        [],
      );
    });
  }
});

/** Paths of the keys of a YAML value. What is free-form or a list of plain values ends a path, and names of entries are `<name>`. */
function pathsOf(value: unknown, path: string): string[] {
  if (Array.isArray(value)) return [path];
  if (value === null || typeof value !== "object") return [path];
  const entry = `${path}.<name>`;
  if (KEYS.some((key) => key.path.startsWith(`${entry}.`)))
    return [path, ...Object.values(value).flatMap((inner) => pathsOf(inner, entry).filter((each) => each !== entry))];
  return [path, ...Object.entries(value).flatMap(([name, inner]) => pathsOf(inner, `${path}.${name}`))];
}
