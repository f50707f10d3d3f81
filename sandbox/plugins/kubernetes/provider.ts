import { fieldChanges, formatPath } from "../protocol/changes";
import type { Log } from "../protocol/engine";
import {
  type Checked,
  type CheckRequest,
  type CreateRequest,
  type DeleteRequest,
  type Difference,
  type DiffRequest,
  type Failure,
  InitializationFailed,
  ProviderError,
  type ReadRequest,
  type ReadResult,
  type ResourceProvider,
  type UpdateRequest,
} from "../protocol/provider";
import { at, type JsonObject, textAt, Unknown, type ValueMap, withValue } from "../protocol/values";
import { Api, ApiError } from "./api";
import { changeObject, difference } from "./change";
import { isOtherCluster, namesCluster, readSettings } from "./configuration";
import { createObject } from "./create";
import { deleteObject } from "./delete";
import { apiVersionOf, Discovery, kindOfToken, pathOf } from "./discovery";
import { fieldManagerKey, importedInputs, initialApiVersionKey, liveInputs, outputsOf, withSecretData } from "./document";
import { activeCluster } from "./kubeconfig";
import { idOf, newFieldManager, withName } from "./naming";
import { asError, kindFor, notServed, Session, timeoutOf, waitRule } from "./session";
import { relatedNow } from "./wait";

/**
 * Objects of every kind an API server serves, created, previewed, changed, awaited and deleted as the official kubernetes
 * provider does it. It has none of the official one's charts, YAML files, patches of objects somebody else owns, or rendering
 * to files, and refuses them.
 *
 * Where it differs from the official one: a creation waits for an object of that name that is being deleted, and is asked for again when
 * its answer was lost, instead of failing; it is rehearsed by a creation, not by an apply; while it waits it tells Warning events only with
 * what keeps the object from being ready, not those of the hour before; unknown fields are refused, not warned of.
 */
export class KubernetesProvider implements ResourceProvider {
  private configured: Session | undefined;
  private readonly cancelled = new AbortController();

  constructor(private readonly log: Log) {}

  async checkConfig({ news }: { urn: string; news: ValueMap }): Promise<Checked> {
    return { inputs: news, failures: readSettings(news).failures };
  }

  async diffConfig({ oldInputs, newInputs }: { urn: string; oldInputs: ValueMap; newInputs: ValueMap }): Promise<Difference> {
    const replaces = isOtherCluster(oldInputs, newInputs);
    const changes = fieldChanges(oldInputs, newInputs)
      .filter(({ path }) => path[0] !== "version")
      .map(({ path, kind }) => ({ path: formatPath(path), kind, replaces: replaces && namesCluster(String(path[0])) }));
    return { changes, deleteBeforeReplace: false };
  }

  async configure(inputs: ValueMap): Promise<void> {
    const { settings, failures } = readSettings(inputs);
    if (failures.length > 0) {
      throw new ProviderError(failures.map(({ property, reason }) => `kubernetes:${property} ${reason}`).join("; "));
    }
    const cluster = activeCluster(settings);
    const api = new Api(cluster.access);
    try {
      await api.request({ method: "GET", path: "/version", deadline: Date.now() + 3_000 });
    } catch (error) {
      throw new ProviderError(
        `the Kubernetes API server of context "${cluster.contextName}" cannot be used, so nothing can be previewed or changed: ${asError(error).message}`,
      );
    }
    this.configured = new Session(settings, cluster, api, new Discovery(api), this.log, this.cancelled.signal);
  }

  cancel(): void {
    this.cancelled.abort();
  }

  async check({ urn, type, name, oldInputs, newInputs, randomSeed, autonaming }: CheckRequest): Promise<Checked> {
    const session = this.session();
    const { cluster, discovery } = session;
    const refusal = refusedToken(type, newInputs);
    if (refusal !== undefined) {
      return { inputs: newInputs, failures: [{ property: "", reason: refusal }] };
    }
    const kind = kindFor(type, newInputs);
    const failures: Failure[] = [];
    let inputs: ValueMap = { ...newInputs, apiVersion: newInputs.apiVersion ?? apiVersionOf(kind), kind: newInputs.kind ?? kind.kind };
    try {
      inputs = withName({ logicalName: name, oldInputs, newInputs: inputs, randomSeed, autonaming });
    } catch (error) {
      failures.push({ property: "metadata.name", reason: asError(error).message });
    }
    const served = await session.reach(() => discovery.find(kind));
    if (served === undefined) {
      const versions = await session.reach(() => discovery.versions(kind.group));
      const reason = notServed(kind, versions);
      if (await session.reach(() => discovery.isBuiltIn(kind.group, versions))) {
        failures.push({ property: "kind", reason });
      } else {
        // Its definition may be part of the same program.
        await session.warn(urn, `${reason}; it is not validated before it is`);
      }
    }
    const metadata = at(inputs, "metadata");
    if (served?.namespaced && !(metadata instanceof Unknown) && at(metadata, "namespace") === undefined) {
      inputs = withValue(inputs, ["metadata", "namespace"], cluster.namespace);
    }
    try {
      waitRule(inputs);
      timeoutOf(inputs, 0);
    } catch (error) {
      failures.push({ property: "metadata.annotations", reason: asError(error).message });
    }
    return { inputs: withSecretData(kind, inputs), failures };
  }

  async diff(request: DiffRequest): Promise<Difference> {
    return difference(this.session(), request);
  }

  async create(request: CreateRequest): Promise<{ id: string; outputs: ValueMap }> {
    return createObject(this.session(), request);
  }

  async update(request: UpdateRequest): Promise<ValueMap> {
    return changeObject(this.session(), request);
  }

  async read(request: ReadRequest): Promise<ReadResult> {
    const { id, outputs } = request;
    const inputs = request.inputs !== undefined && Object.keys(request.inputs).length > 0 ? request.inputs : undefined;
    const kind = kindFor(request.type, inputs ?? outputs);
    const session = this.session();
    return session.explained(kind, inputs ?? {}, async () => {
      const { discovery, api } = session;
      const served = await discovery.find(kind);
      const gone = { id: "", outputs: {}, inputs: {} };
      if (served === undefined) {
        return gone;
      }
      const target = { session, kind, served };
      const { namespace, name } = session.place(target, id);
      let live: JsonObject;
      try {
        live = await api.get(pathOf(served, namespace, name), session.signal);
      } catch (error) {
        if (error instanceof ApiError && error.code === 404) {
          return gone;
        }
        throw error;
      }
      const found = inputs === undefined ? importedInputs(kind, live) : liveInputs(kind, inputs, outputs, live);
      const fieldManager = textAt(outputs, fieldManagerKey) ?? newFieldManager();
      const initial = textAt(outputs, initialApiVersionKey) ?? apiVersionOf(kind);
      const read = outputsOf(kind, live, inputs ?? found, fieldManager, initial);
      const fullId = idOf(namespace, name);
      const rule = await session.ruleOf(target, found, live);
      const readiness = rule?.(live, await relatedNow(api, kind, live));
      if (readiness !== undefined && !readiness.ready) {
        throw new InitializationFailed(fullId, read, found, [`${kind.kind} ${fullId}: ${readiness.message}`]);
      }
      return { id: fullId, outputs: read, inputs: found };
    });
  }

  async delete(request: DeleteRequest): Promise<void> {
    return deleteObject(this.session(), request);
  }

  private session(): Session {
    if (this.configured === undefined) {
      throw new ProviderError("the kubernetes provider has not been configured");
    }
    return this.configured;
  }
}
/** Why a type is not offered; undefined when it may be. */
function refusedToken(type: string, inputs: ValueMap): string | undefined {
  const kind = kindOfToken(type);
  if (kind === undefined || kind.group === "helm.sh") {
    return `${type} is not offered by this stand-in provider, only kinds of objects that the API server serves`;
  }
  if (kind.kind === `${textAt(inputs, "kind")}Patch`) {
    return `${kind.kind} is not offered by this stand-in provider; manage the whole ${textAt(inputs, "kind")}`;
  }
  return undefined;
}
