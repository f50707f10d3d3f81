import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv from "ajv";
import { parse } from "yaml";
import { PROJECT_DIRECTORY } from "../../commands/program";
import { insideOf, type Schema } from "../../config/accepted";
import { CONFIG_NAMESPACE } from "../../config/namespace";
import { stackFileName, stackNames } from "../../config/stackFiles";
import { generatedFiles } from "../../docs/generate/files";
import { type Key, keysOf, withInner } from "../../docs/generate/keys";
import type { JsonSchema } from "../../docs/generate/stackSchema";
import { BUCKET_CREDENTIALS_KEY } from "../../model/bucket/config";
import { settingsSchema } from "../../model/settings/schema";
import { PLANS } from "../components/plans";
import { CERTIFICATE, configOf, type Overrides } from "../harness";
import { codeBlocks, documents, readDocument, section } from "./documents";

const PATH = "config/stack.schema.json";
const FIRST_LINE = `# yaml-language-server: $schema=${PATH}`;
const FILES = `${CONFIG_NAMESPACE}:credentials`;
const CREDENTIALS = `${CONFIG_NAMESPACE}:${BUCKET_CREDENTIALS_KEY}`;

const SCHEMA = JSON.parse(generatedFiles()[PATH] ?? "") as JsonSchema;
// Strict: a keyword that no validator knows is an error, but for those of yaml-language-server.
const ajv = new Ajv({
  strict: true,
  strictRequired: false,
  allowUnionTypes: true,
  allErrors: true,
  keywords: ["markdownDescription", "errorMessage"],
});
const validate = ajv.compile(SCHEMA);
const quick = new Ajv({ strict: false });

/** Problems of a stack file, each with its place in it. */
function problems(file: unknown): string[] {
  validate(file);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

const textOf = (path: string): string => readFileSync(join(PROJECT_DIRECTORY, path), "utf8");
const yaml = (text: string): Record<string, unknown> => parse(text, { merge: true });

/** A stack file: `dev` with changes, and keys beside `config`. */
const file = (overrides: Overrides = {}, beside: Record<string, unknown> = {}) => ({ config: configOf("dev", overrides), ...beside });

describe("stack files in an editor", () => {
  for (const path of stackNames().map(stackFileName)) {
    it(`${path} names the schema, and is one`, () => {
      const text = textOf(path);
      assert.equal(text.split("\n")[0], FIRST_LINE);
      assert.deepEqual(problems(yaml(text)), []);
    });
  }

  it("have their schema where their first line says", () => assert.ok(existsSync(join(PROJECT_DIRECTORY, PATH))));

  it("have it too where they are made as README.md says", () => {
    const [recipe = ""] = codeBlocks(section(readDocument("README.md").text, "Your own cluster"), "yaml");
    assert.equal(recipe.split("\n")[0], FIRST_LINE);
    assert.deepEqual(problems(yaml(recipe)), []);
  });

  for (const { path, text } of documents()) {
    const blocks = codeBlocks(text, "yaml").filter((code) => code.includes(`${CONFIG_NAMESPACE}:`));
    if (blocks.length === 0) continue;
    it(`${path}: what it shows of them is right`, () => {
      for (const block of blocks) {
        const content = yaml(block);
        // A part of a file, or of a key in it.
        const found = problems({ config: content, environment: [], ...content });
        assert.deepEqual(
          found.filter((problem) => !problem.includes("must have required property")),
          [],
          block,
        );
      }
    });
  }
});

describe(PATH, () => {
  for (const { title, stack, overrides } of PLANS) {
    it(`takes ${title}`, () => assert.deepEqual(problems({ config: configOf(stack, overrides) }), []));
  }

  for (const [title, content] of [
    ["keys that the engine writes", file({}, { encryptionsalt: "v1:x", secretsprovider: "awskms://x", encryptedkey: "x" })],
    ["keys of other programs", { config: { ...file().config, "kubernetes:context": "x", "other:map": { any: [1] } } }],
    ["texts as `pulumi config set` writes them", file({ protect: "false", dataPriority: "1000", existingNamespace: "false" })],
    ["a whole number for a name", file({ cluster: { name: 158, zones: [1, 2] } })],
    ["credentials encrypted as a whole", { config: { ...file().config, [CREDENTIALS]: { secure: "v1:x" } } }],
    [
      "credentials encrypted each",
      { config: { ...file().config, [CREDENTIALS]: { accessKey: { secure: "v1:x" }, secretKey: { secure: "v1:y" } } } },
    ],
    ["a key file of which a part is encrypted", credentials({ serviceAccount: { type: "x", private_key: { secure: "v1:x" } } })],
    ["files of credentials encrypted as a whole", { config: { ...file().config, [FILES]: { secure: "v1:x" } } }],
    ["files of credentials encrypted each", { config: { ...file().config, [FILES]: { "orders.password": { secure: "v1:x" } } } }],
    ["what an environment of Pulumi ESC may have", { environment: ["base"] }],
    ["keys in their shorter and their older form", { config: shortened(file().config) }],
  ] as [string, unknown][]) {
    it(`takes ${title}`, () => assert.deepEqual(problems(content), []));
  }

  for (const [title, content, message] of [
    [
      "a file of credentials in plain text",
      { config: { ...file().config, [FILES]: { a: "x" } } },
      /thanos-stack:credentials\/a must be object$/,
    ],
    [
      "a file of credentials whose name is no file's",
      { config: { ...file().config, [FILES]: { "a/b": { secure: "v1:x" } } } },
      /property name must be valid$/,
    ],
    ["a misspelt key", file({ recieve: {} }), /^\/config must NOT have additional properties$/],
    ["a misspelt key within another", file({ receive: { retension: {} } }), /^\/config\/thanos-stack:receive must NOT have additional/],
    ["a misspelt key in its shorter form", { config: { ...file().config, quereir: {} } }, /^\/config must NOT have additional/],
    ["a misspelt key beside `config`", file({}, { enviroment: [] }), /^ must NOT have additional/],
    ["a missing key", file({ namespace: undefined }), /^\/config must have required property 'thanos-stack:namespace'$/],
    ["a missing key within another", file({ cluster: { context: undefined } }), /cluster must have required property 'context'$/],
    ["a file without keys", {}, /^ must have required property 'config'$/],
    ["a number out of its bounds", file({ receive: { replicas: 301 } }), /replicas must be <= 300$/],
    ["a word that is none of those", file({ ingestion: "remote-write" }), /ingestion must be equal to one of the allowed values$/],
    ["a risk that there is not", file({ accepts: ["everything"] }), /accepts\/0 must be equal to one of the allowed values$/],
    ["a text for a number", file({ receive: { replicas: "3" } }), /replicas must be integer$/],
    ["a number for a text", file({ querier: { timeout: 120 } }), /timeout must be string$/],
    ["a value of another form", file({ querier: { timeout: "2 minutes" } }), /timeout must match pattern/],
    ["a namespace that none can be", file({ namespace: "Thanos_Dev" }), /namespace must match pattern/],
    ["a name twice", file({ tenancy: { tenants: ["a", "a"] } }), /tenants must NOT have duplicate items/],
    ["two kinds of storage", file({ receive: { storage: { pvc: { size: "1Gi" } } } }), /storage must NOT have more than 1 properties$/],
    ["an encrypted value of another key", file({ querier: { timeout: { secure: "v1:x" } } }), /timeout must be string$/],
    ["credentials in plain text", credentials({ accessKey: "a", secretKey: "b" }), /objectStorageCredentials\/accessKey must be object$/],
    ["credentials of no kind of bucket", credentials({ secretKey: { secure: "v1:x" } }), /must have required property 'accessKey'$/],
  ] as [string, unknown, RegExp][]) {
    it(`refuses ${title}`, () => {
      const found = problems(content);
      assert.ok(
        found.some((each) => message.test(each)),
        `${found.join("\n")}\ninstead of ${message}`,
      );
    });
  }

  it("says of every key what it means, without a link that an editor can't follow", () => {
    const keys = [...keysIn(SCHEMA)].filter(([path]) => path.includes(`${CONFIG_NAMESPACE}:`));
    assert.ok(keys.length > 200);
    for (const [path, { description = "", markdownDescription = description }] of keys) {
      assert.match(description, /[.)]$/, path);
      assert.doesNotMatch(markdownDescription, /\]\(/, path);
    }
  });
});

function credentials(value: unknown): unknown {
  return { config: { ...configOf("dev"), [CREDENTIALS]: value } };
}

/** The first key in its older form, the others in their shorter one. */
function shortened(config: Record<string, unknown>): Record<string, unknown> {
  const own = Object.entries(config).filter(([key]) => key.startsWith(`${CONFIG_NAMESPACE}:`));
  const names = own.map(([key]) => key.slice(CONFIG_NAMESPACE.length + 1));
  return Object.fromEntries(own.map(([, value], index) => [index === 0 ? `${CONFIG_NAMESPACE}:config:${names[0]}` : names[index], value]));
}

/** Keys whose own are Kubernetes', which documents them. */
const FOREIGN = ["tolerations", "affinity", "topologySpread", "env", "envFrom", "volumes", "volumeMounts", "containers", "initContainers"];

/** The schema that another one refers to, or itself. */
function resolved(schema: JsonSchema): JsonSchema {
  const [, name] = /^#\/definitions\/(\w+)$/.exec(schema.$ref ?? "") ?? [];
  const definitions = (SCHEMA.definitions ?? {}) as Record<string, JsonSchema>;
  return name === undefined ? schema : (definitions[name] ?? assert.fail(name));
}

/** All keys of a JSON Schema by path, but what is encrypted. */
function* keysIn(schema: JsonSchema, path = ""): Iterable<[string, JsonSchema]> {
  for (const [name, named] of Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>)) {
    if (name === "secure") continue;
    const child = resolved(named);
    yield [`${path}/${name}`, child];
    if (FOREIGN.includes(name)) continue;
    yield* keysIn(child, `${path}/${name}`);
  }
  for (const inner of [schema.items, schema.additionalProperties, ...(schema.anyOf ?? [])]) {
    if (typeof inner === "object") yield* keysIn(inner as JsonSchema, path);
  }
}

describe(`${PATH} and the program`, () => {
  const all = withInner(keysOf(settingsSchema as unknown as Schema));
  const words = [...new Set(all.flatMap(({ accepts }) => [...accepts.matchAll(/"([\w-]+)"/g)].map(([, word]) => word ?? "")))];
  /** Texts, some of every form that a key has, and some of none. */
  const TEXTS = [
    "EUR",
    ...["", " ", "a", "A", "0", "a b", "x_y", "a-b", "-a", "1a", "a.b", "Ä", "a".repeat(64), "a".repeat(256)],
    ...["0s", "1ms", "10s", "5m", "1h30m", "30m1h", "90d", "1w", "5"],
    ...["1Gi", "1.1Ti", "512", "5e10", "22E", "+1Gi", ".5Gi", "1GB", "64MiB", "250m", "0.5", "1m", "0.0001"],
    ...["kube-x", "default", "0158", "10.0.0.0/8", "10.0.0.1/8", "fd00::/64", "10.0.0.1", "0.0.0.0/0"],
    ...["/data/x", "/etc", "/data/../x", "data", "../x", "a/b", "a//b", "eks.amazonaws.com/role-arn"],
    ...["host:1", "host:99999", "[::1]:1", "http://h:1", "http://h:1/p", "https://h.example", "dns+h:1", "dnssrv+_grpc._tcp.h"],
    ...["img", "img:1.0", "img:latest", "quay.io/thanos/thanos:v0.42.4", "X-Scope-OrgID", "host", "2026-07-01T12:00:00Z", "__name__"],
    CERTIFICATE,
    ...words,
  ];
  const OTHERS = [null, true, false, -1, 0, 1, 2, 99, 100, 1000, 1.5, 1e12, [], [[]], [1], {}, { nope: 1 }];

  const schemaAt = (key: Key): { zod: Schema; json: JsonSchema } => {
    let zod = settingsSchema as unknown as Schema;
    let json = (SCHEMA.properties as Record<string, JsonSchema>).config as JsonSchema;
    for (const [index, name] of key.path.split(".").entries()) {
      const [, plain = name, entry] = /^(.*?)(\[\])?$/.exec(name) ?? [];
      zod = plain === "<name>" ? entryOf(zod) : (innermost(zod).def.shape?.[plain] ?? assert.fail(key.path));
      const properties = json.properties as Record<string, JsonSchema> | undefined;
      json = resolved(
        (plain === "<name>" ? json.additionalProperties : properties?.[index === 0 ? `${CONFIG_NAMESPACE}:${plain}` : plain]) as JsonSchema,
      );
      if (entry === undefined) continue;
      zod = entryOf(zod);
      json = json.items as JsonSchema;
    }
    return { zod, json };
  };
  const innermost = (schema: Schema): Schema => {
    const inner = insideOf(schema);
    return inner === undefined ? schema : innermost(inner);
  };
  const entryOf = (schema: Schema): Schema => innermost(schema).def.element ?? innermost(schema).def.valueType ?? assert.fail();

  /** The texts in the place that a key has for them. */
  const textsFor = (key: Key, { type, anyOf = [] }: JsonSchema): unknown[] => {
    const types = [type, ...anyOf.map((each) => (each as JsonSchema).type)].flat();
    if (types.includes("array")) return TEXTS.map((text) => [text]);
    if (!types.includes("object")) return TEXTS;
    return key.keys.length === 0 ? TEXTS.map((text) => ({ [text]: text })) : [];
  };

  for (const key of all) {
    it(`agree about ${key.path}`, () => {
      const { zod, json } = schemaAt(key);
      const takes = quick.compile({ ...json, definitions: SCHEMA.definitions });
      const parses = (value: unknown): boolean => (zod as unknown as typeof settingsSchema).safeParse(value).success;
      const texts = textsFor(key, json);
      const accepted = texts.filter(parses);
      assert.deepEqual(
        accepted.filter((value) => !takes(value)),
        [],
        "the program takes what editors mark",
      );
      const others = OTHERS.filter(parses);
      assert.deepEqual(
        OTHERS.filter((value) => takes(value)),
        others,
        "what is no text is refused by both or by none",
      );
      if (key.keys.length > 0) return;
      assert.ok(accepted.length + others.length > 0, "no value that is compared is one of this key");
      assert.ok(accepted.length + others.length < texts.length + OTHERS.length, "every value that is compared is one of this key");
    });
  }
});
