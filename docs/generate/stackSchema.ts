import { posix } from "node:path";
import { z } from "zod";
import type { Schema } from "../../config/accepted";
import { CONFIG_NAMESPACE } from "../../config/namespace";
import { BUCKET_CREDENTIALS_KEY, credentialsSchema } from "../../model/bucket/config";
import { CREDENTIALS_KEY } from "../../model/credentials/rules";
import { CREDENTIAL_NAME } from "../../model/settings/credentials";
import { settingsSchema } from "../../model/settings/schema";
import { type Key, keyOf } from "./keys";
import { meaningOf, plain, presenceText } from "./texts";

/**
 * A JSON Schema of stack files (`Pulumi.<stack>.yaml`) for editors: what they complete, show and mark. Of draft 7, which every one of them
 * knows; beside it stand `markdownDescription` and `errorMessage`, which yaml-language-server reads.
 */
export type JsonSchema = z.core.JSONSchema.JSONSchema & { markdownDescription?: string; errorMessage?: string };

/** @param made What the schema says of its own origin. */
export function stackFileSchema(made: string): JsonSchema {
  const { properties, required = [], definitions } = jsonSchemaOf(settingsSchema);
  const own = Object.entries(properties).map(([name, schema]): [string, JsonSchema] => [name, alsoAsText(schema)]);
  const keys: [string, JsonSchema][] = [...own, [BUCKET_CREDENTIALS_KEY, bucketCredentials()], [CREDENTIALS_KEY, credentialFiles()]];
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    $comment: made,
    type: "object",
    definitions,
    properties: {
      config: {
        type: "object",
        description: `What this environment chooses: keys of ${CONFIG_NAMESPACE}, and those of providers and other programs.`,
        properties: Object.fromEntries(keys.map(([name, schema]) => [`${CONFIG_NAMESPACE}:${name}`, schema])),
        patternProperties: {
          [`^(?!${CONFIG_NAMESPACE}:)[^:]+:`]: {},
          // The shorter and the older form of a key, which the engine takes too.
          ...Object.fromEntries(keys.map(([name]) => [`^(?:${CONFIG_NAMESPACE}:config:)?${name}$`, referenceTo(name)])),
        },
        additionalProperties: false,
      },
      ...ENGINE_KEYS,
    },
    // The engine passes over any other key, and drops it when it writes the file next.
    additionalProperties: false,
    // Keys that come from an environment of Pulumi ESC are not in the file.
    if: { required: ["environment"] },
    else: { required: ["config"], properties: { config: { type: "object", allOf: required.map(demanded) } } },
  };
}

/** Keys of a stack file beside `config`. */
const ENGINE_KEYS: Readonly<Record<string, JsonSchema>> = {
  environment: { type: ["array", "object"], description: "Environments of Pulumi ESC, with which `config` is merged." },
  secretsprovider: { type: "string", description: "What encrypts the secrets of this stack. Pulumi writes it." },
  encryptedkey: { type: "string", description: "The key of this stack's secrets, itself encrypted. Pulumi writes it." },
  encryptionsalt: { type: "string", description: "Salt of the passphrase that encrypts the secrets of this stack. Pulumi writes it." },
};

const referenceTo = (name: string): JsonSchema => ({ $ref: `#/properties/config/properties/${CONFIG_NAMESPACE}:${name}` });

const demanded = (name: string): JsonSchema => ({
  anyOf: [`${CONFIG_NAMESPACE}:${name}`, name, `${CONFIG_NAMESPACE}:config:${name}`].map((form) => ({ required: [form] })),
});

/**
 * A number, or true or false, may be a text too: `pulumi config set` without `--path` writes `"1000"` and `"false"`, and the program reads
 * what they are. It also takes a map or a list as JSON in a text, but an editor could say nothing of what is in that.
 */
function alsoAsText(schema: JsonSchema): JsonSchema {
  const pattern = TEXTS[String(schema.type)];
  return pattern === undefined ? schema : { ...schema, type: [schema.type, "string"] as never, pattern };
}

const TEXTS: Readonly<Record<string, string>> = { boolean: "^(?:true|false)$", integer: "^\\d+$" };

/** A value that is encrypted. */
const SECRET: JsonSchema = {
  type: "object",
  properties: { secure: { type: "string" } },
  required: ["secure"],
  additionalProperties: false,
};

/** The bucket's credentials, encrypted: as a whole, or each by itself. */
function bucketCredentials(): JsonSchema {
  return {
    description:
      "Credentials of the bucket, encrypted by pulumi config set --secret (docs/configuration.md#credentials-of-the-bucket). Left out: the pods' " +
      "own identity is used.",
    anyOf: [
      SECRET,
      ...credentialsSchema.options.map((kind) => {
        const { properties, required = [] } = jsonSchemaOf(kind);
        return { type: "object", properties: mapped(properties, encrypted), required, additionalProperties: false } as JsonSchema;
      }),
    ],
  };
}

/** Credentials that are files, encrypted: as a whole, or each by itself. */
function credentialFiles(): JsonSchema {
  return {
    description:
      "Credentials that are files of those components that name them, encrypted by pulumi config set --secret (docs/configuration.md#credentials).",
    anyOf: [SECRET, { type: "object", propertyNames: { pattern: CREDENTIAL_NAME.source }, additionalProperties: SECRET }],
  };
}

/** One of the credentials, encrypted. A map may be so in part. */
const encrypted = ({ description, anyOf }: JsonSchema): JsonSchema => ({
  description,
  ...(anyOf === undefined ? SECRET : { type: "object" }),
});

const mapped = <T>(record: Readonly<Record<string, T>>, change: (value: T) => T): Record<string, T> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));

/** The keys of a map of keys as JSON Schema, with what editors show of them. */
function jsonSchemaOf(schema: z.ZodObject): {
  properties: Record<string, JsonSchema>;
  required?: string[];
  /** Schemas with an `id`, to which others refer. */
  definitions?: Record<string, JsonSchema>;
} {
  return z.toJSONSchema(schema, { io: "input", target: "draft-7", override: rewrite }) as never;
}

function rewrite({ zodSchema, jsonSchema }: { zodSchema: unknown; jsonSchema: JsonSchema & Record<string, unknown> }): void {
  const key = keyOf(zodSchema as Schema, "");
  const { shared, least, form, foreign, default: _, description, ...rest } = jsonSchema;
  for (const name of Object.keys(jsonSchema)) delete jsonSchema[name];
  Object.assign(jsonSchema, key.description === "" ? {} : shown(key), rest);
  // One of a map of keys would stand in place of the messages about the keys within it.
  if (key.keys.length > 0) return;
  // Of a value that fits no form, the message of one of them is shown.
  for (const schema of [jsonSchema, ...((jsonSchema.anyOf ?? []) as JsonSchema[])]) schema.errorMessage = `Accepted: ${key.accepts}.`;
  if (key.presence.is === "default") jsonSchema.default = key.presence.value as JsonSchema["default"];
}

/** A key as editors show it. yaml-language-server shows every backtick of a `description`, so it gets another text. */
function shown(key: Key): JsonSchema {
  const meaning = withoutLinks(meaningOf(key));
  const accepts = plain(key.accepts);
  const form = [`${accepts.charAt(0).toUpperCase()}${accepts.slice(1)}.`, presenceText(key)].filter((each) => each !== "").join(" ");
  return { description: meaning, markdownDescription: `${meaning}\n\n${form}` };
}

/** No editor follows a link that is relative to docs/: what it leads to is named by its path from the root of the repository. */
const withoutLinks = (markdown: string): string =>
  markdown
    .replace(/\(\[([^\]]+)\]\(([^)]+)\)\)/g, (_, text: string, link: string) => `(${text}: ${fromRoot(link)})`)
    .replace(/\[([^\]]+)\]\(([^)]+)\)/g, (_, text: string, link: string) => `${text} (${fromRoot(link)})`);

const fromRoot = (link: string): string => posix.join("docs", link.startsWith("#") ? `configuration.md${link}` : link);
