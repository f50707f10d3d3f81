import { stringify } from "yaml";
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
 * Manifests as one YAML text, keys sorted, so that equal plans give equal bytes. Texts that YAML 1.1, which kubectl reads, takes for something else (`on`, `no`, `1_000`) are quoted.
 */
export function manifestsYaml(manifests: readonly Manifest[]): string {
  return manifests
    .map(
      (manifest) => `---\n${stringify(manifest, { sortMapEntries: true, lineWidth: 0, aliasDuplicateObjects: false, compat: "yaml-1.1" })}`,
    )
    .join("");
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
