/** Rights of accounts in the cluster: what roles give, and what requests ask for. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseAllDocuments } from "yaml";
import type { ReceivedRequest } from "../clients/loopback";

/** An object of deploy/ci, as far as rights go. */
export interface Manifest {
  kind: string;
  metadata: { name: string; namespace?: string };
  rules?: Rule[];
  roleRef?: { kind: string; name: string };
  subjects?: { kind: string; name: string; namespace: string }[];
}

export interface Rule {
  apiGroups?: string[];
  resources?: string[];
  nonResourceURLs?: string[];
  verbs: string[];
}

/** A verb and what it is of: `get networkpolicies.networking.k8s.io`, `get /metrics`. */
export type Right = string;

export const readManifests = (file: string): Manifest[] =>
  parseAllDocuments(readFileSync(join(resolve(__dirname, "..", ".."), "deploy", "ci", file), "utf8")).map(
    (each) => each.toJS() as Manifest,
  );

/** `networkpolicies.networking.k8s.io` of a resource and its group. */
const qualified = (resource: string, group: string): string => (group === "" ? resource : `${resource}.${group}`);

/** `networkpolicies.networking.k8s.io` of an object. */
export function resourceOf({ apiVersion, kind }: { apiVersion: string; kind: string }): string {
  const group = apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
  return qualified(`${kind.toLowerCase().replace(/y$/, "ie").replace(/s$/, "se")}s`, group);
}

export function rightsOf(rules: readonly Rule[]): Set<Right> {
  return new Set(
    rules.flatMap(({ apiGroups = [], resources = [], nonResourceURLs = [], verbs }) => {
      const what = [...apiGroups.flatMap((group) => resources.map((resource) => qualified(resource, group))), ...nonResourceURLs];
      return what.flatMap((each) => verbs.map((verb) => `${verb} ${each}`));
    }),
  );
}

/** Rights that every account has by default: of the cluster role `system:public-info-viewer`. */
export const EVERYBODY: ReadonlySet<Right> = new Set(["get /version"]);

/** Rights that the API server asks of an account before it answers. */
export function asked({ method, path, headers }: Pick<ReceivedRequest, "method" | "path" | "headers">): {
  namespaced: boolean;
  rights: Right[];
} {
  if (method === "GET" && path === "/version") return { namespaced: false, rights: ["get /version"] };
  const [, , group = "", rest = ""] = /^\/(api\/v1|apis\/([^/]+)\/v[12])\/(.+)$/.exec(path) ?? [];
  const [, namespace, resource = "", name] = /^(?:namespaces\/([^/]+)\/)?([^/]+)(?:\/([^/]+))?$/.exec(rest) ?? [];
  const verbs: Record<string, string[]> = {
    GET: [name === undefined ? "list" : "get"],
    // Applying on the server makes what is not there.
    DELETE: ["delete"],
    PATCH: headers["content-type"] === "application/apply-patch+yaml" ? ["patch", "create"] : ["patch"],
  };
  return {
    // A namespace is a thing in itself: a role that is bound there is enough (Kubernetes' RequestInfo).
    namespaced: namespace !== undefined || (resource === "namespaces" && name !== undefined),
    rights: (verbs[method] ?? [`${method}?`]).map((verb) => `${verb} ${qualified(resource, group)}`),
  };
}
