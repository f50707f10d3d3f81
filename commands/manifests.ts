import { type ScalarTag, stringify, type Tags } from "yaml";
import { SECRET } from "../config/encrypted";
import { named, type RegisteredResource } from "./program";

/** A Kubernetes object as the program registered it. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; [field: string]: unknown };
  [field: string]: unknown;
}

/** Signature of a secret in the engine's protocol. */
const SECRET_KEY = "4dabf18193072939515e22adb298388d";

/** The Kubernetes objects of a run, secrets hidden, by kind, namespace and name. */
export function manifestsOf(resources: readonly RegisteredResource[]): Manifest[] {
  return resources
    .filter((resource) => resource.custom && resource.type.startsWith("kubernetes:"))
    .map((resource) => withoutSecrets(named(resource.name, resource.inputs)) as Manifest)
    .sort((left, right) => sortKey(left).localeCompare(sortKey(right)));
}

/**
 * Numbers of kubectl's YAML that no version of YAML has: prefixes in capitals, a sign behind a prefix, underscores anywhere behind a sign
 * or a digit. Source: `resolve` of go.yaml.in/yaml/v2 2.4, which takes the underscores out and asks Go's `strconv.ParseInt(…, 0, 64)`.
 */
const NUMBER_OF_KUBECTL: ScalarTag = {
  tag: "tag:yaml.org,2002:int",
  default: true,
  test: /^(?:[-+]_*)?(?:0_*(?:[bB][-+01_]+|[oO][0-7_]+|[xX][\da-fA-F_]+)|(?:\d[\d_]*(?:\.[\d_]*)?|\.[\d_]+)(?:[eE]_*[-+]?[\d_]+)?)$/,
  resolve: (text) => text,
};

/**
 * Manifests as one YAML text, keys sorted, so that equal plans give equal bytes. Texts that YAML 1.1 or kubectl takes for something else
 * (`on`, `no`, `1_000`, `0X1F`) are quoted.
 */
export function manifestsYaml(manifests: readonly Manifest[]): string {
  const options = {
    sortMapEntries: true,
    lineWidth: 0,
    aliasDuplicateObjects: false,
    compat: "yaml-1.1",
    customTags: (tags: Tags) => [...tags, NUMBER_OF_KUBECTL],
  } as const;
  return manifests.map((manifest) => `---\n${stringify(manifest, options)}`).join("");
}

// Namespaces first, so that one `kubectl apply -f` is enough.
const sortKey = (manifest: Manifest) =>
  [manifest.kind === "Namespace" ? 0 : 1, manifest.kind, manifest.metadata.namespace ?? "", manifest.metadata.name].join("/");

function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (value === null || typeof value !== "object") return value;
  if (SECRET_KEY in value) return hidden("value" in value ? value.value : undefined);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutSecrets(inner)]));
}

/** The form stays, so that an API server takes it: maps and lists, with `(secret)` for what is in them. */
function hidden(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(hidden);
  if (value === null || typeof value !== "object") return SECRET;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, hidden(inner)]));
}
