import { readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv from "ajv";
import { execa } from "execa";
import { parse } from "yaml";

/** The schemas that the Gateway API publishes, from its Go module, which Go keeps in its cache. */

interface Definition {
  spec: { versions: { name: string; schema: { openAPIV3Schema: object } }[] };
}

/** Mistakes in an object of a kind and version; empty where there are none. */
export type Schemas = (kind: string, version: string) => (manifest: unknown) => string[];

const GO = { GOTOOLCHAIN: "local", GOWORK: "off", GOFLAGS: "-mod=mod" };
const MODULE = "sigs.k8s.io/gateway-api";

/** A field that a schema does not name is a mistake, as for an API server that is asked to be strict. */
function strict(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== "object" || schema === null) return schema;
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, strict(value)]));
  return "properties" in inner && inner.type === "object" ? { additionalProperties: false, ...inner } : inner;
}

/** Fetches the schemas once. */
export async function gatewayApiSchemas(): Promise<Schemas> {
  const { stdout } = await execa("go", ["-C", __dirname, "mod", "download", "-json", MODULE], { env: GO });
  const { Dir } = JSON.parse(stdout) as { Dir: string };
  return (kind, version) => {
    const file = join(Dir, "config", "crd", "standard", `gateway.networking.k8s.io_${kind.toLowerCase().replace(/y$/, "ie")}s.yaml`);
    const found = (parse(readFileSync(file, "utf8")) as Definition).spec.versions.find(({ name }) => name === version);
    if (found === undefined) throw new Error(`${kind} has no version ${version}`);
    const schema = strict(found.schema.openAPIV3Schema) as { properties: Record<string, object> };
    // Kubernetes' own, which the definition leaves out.
    const validate = new Ajv({ strict: false, validateFormats: false }).compile({
      ...schema,
      properties: { ...schema.properties, metadata: { type: "object" } },
    });
    return (manifest) =>
      validate(manifest) ? [] : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  };
}
