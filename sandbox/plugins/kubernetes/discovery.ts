import { isJsonObject, type Json } from "../protocol/values";
import { type Api, ApiError } from "./api";

/** A kind as objects name it. */
export interface Kind {
  /** Empty for the core group. */
  group: string;
  version: string;
  kind: string;
}

/** Where the API server serves a kind. */
export interface Served {
  /** Path of the group and version, such as `/apis/apps/v1`. */
  root: string;
  /** The plural, such as `statefulsets`. */
  resource: string;
  namespaced: boolean;
  verbs: readonly string[];
}

export function apiVersionOf({ group, version }: Kind): string {
  return group === "" ? version : `${group}/${version}`;
}

export function kindOf(apiVersion: string, kind: string): Kind {
  const slash = apiVersion.indexOf("/");
  return slash < 0
    ? { group: "", version: apiVersion, kind }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1), kind };
}

/** The kind a type token names: `kubernetes:apps/v1:Deployment`, `kubernetes:core/v1:Secret`. Undefined for anything else. */
export function kindOfToken(token: string): Kind | undefined {
  const [packageName, module, kind] = token.split(":");
  if (packageName !== "kubernetes" || module === undefined || kind === undefined || !module.includes("/")) {
    return undefined;
  }
  return kindOf(module.replace(/^core\//, ""), kind);
}

function entry(resource: Json): [string, Omit<Served, "root">] | undefined {
  if (!isJsonObject(resource) || typeof resource.name !== "string" || typeof resource.kind !== "string" || resource.name.includes("/")) {
    return undefined;
  }
  const verbs = Array.isArray(resource.verbs) ? resource.verbs.filter((verb) => typeof verb === "string") : [];
  return [resource.kind, { resource: resource.name, namespaced: resource.namespaced === true, verbs }];
}

/** Which kinds an API server serves and where; asked once a group and version. */
export class Discovery {
  private readonly groups = new Map<string, Promise<ReadonlyMap<string, Served> | undefined>>();

  constructor(private readonly api: Api) {}

  /** Undefined when the kind is not served. */
  async find(kind: Kind): Promise<Served | undefined> {
    return (await this.kinds(kind))?.get(kind.kind);
  }

  /** Forgets what is known of the kind's group, because a definition may have been added since. */
  forget(kind: Kind): void {
    this.groups.delete(apiVersionOf(kind));
  }

  /** The versions of the group that the server serves; empty when it serves none. */
  async versions(group: string): Promise<string[]> {
    const path = group === "" ? "/api" : `/apis/${group}`;
    try {
      const { versions } = await this.api.get(path);
      return (Array.isArray(versions) ? versions : []).flatMap((version) => {
        if (typeof version === "string") {
          return [version];
        }
        return isJsonObject(version) && typeof version.version === "string" ? [version.version] : [];
      });
    } catch (error) {
      if (error instanceof ApiError && error.code === 404) {
        return [];
      }
      throw error;
    }
  }

  /**
   * Whether a group is the API server's own, so that no definition can still add kinds to it. False for a group that is not
   * served, and where this user may not ask.
   *
   * @param versions those in which the group is served.
   */
  async isBuiltIn(group: string, versions: readonly string[]): Promise<boolean> {
    const [version] = versions;
    if (version === undefined) {
      return false;
    }
    try {
      const { metadata } = await this.api.get(`/apis/apiregistration.k8s.io/v1/apiservices/${version}.${group}`);
      const labels = isJsonObject(metadata) && isJsonObject(metadata.labels) ? metadata.labels : {};
      // Groups of custom resources are registered with "true", as their definitions come and go.
      return labels["kube-aggregator.kubernetes.io/automanaged"] === "onstart";
    } catch (error) {
      if (error instanceof ApiError) {
        return false;
      }
      throw error;
    }
  }

  private kinds(kind: Kind): Promise<ReadonlyMap<string, Served> | undefined> {
    const apiVersion = apiVersionOf(kind);
    let found = this.groups.get(apiVersion);
    if (found === undefined) {
      found = this.load(kind.group === "" ? `/api/${kind.version}` : `/apis/${apiVersion}`);
      this.groups.set(apiVersion, found);
      // A failure or an absence is asked about again, since both pass.
      found.then(
        (kinds) => kinds === undefined && this.groups.delete(apiVersion),
        () => this.groups.delete(apiVersion),
      );
    }
    return found;
  }

  private async load(root: string): Promise<ReadonlyMap<string, Served> | undefined> {
    try {
      const { resources } = await this.api.get(root);
      const entries = (Array.isArray(resources) ? resources : []).map(entry).filter((found) => found !== undefined);
      return new Map(entries.map(([kind, served]) => [kind, { root, ...served }]));
    } catch (error) {
      if (error instanceof ApiError && error.code === 404) {
        return undefined;
      }
      throw error;
    }
  }
}

/** Path of the collection a kind's objects are in, and of one object when a name is given. */
export function pathOf(served: Served, namespace: string | undefined, name?: string): string {
  const collection =
    served.namespaced && namespace !== undefined
      ? `${served.root}/namespaces/${encodeURIComponent(namespace)}/${served.resource}`
      : `${served.root}/${served.resource}`;
  return name === undefined ? collection : `${collection}/${encodeURIComponent(name)}`;
}
