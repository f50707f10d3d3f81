import { fieldChanges, formatPath, parsePath } from "../protocol/changes";
import type { Log } from "../protocol/engine";
import {
  type Change,
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
import {
  at,
  containsUnknown,
  isJsonObject,
  type JsonObject,
  redact,
  textAt,
  Unknown,
  unwrapMap,
  type ValueMap,
  withValue,
} from "../protocol/values";
import { annotation, annotations, isAnnotated, isAutonamed } from "./annotations";
import { Api, ApiError, type ApiResponse, Unreachable } from "./api";
import { apply, create, describeConflict, hasTakeOver, isAsCreated, isRehearsedByForce, patch, takeOver } from "./apply";
import { isOtherCluster, namesCluster, readSettings, type Settings } from "./configuration";
import { apiVersionOf, Discovery, type Kind, kindOf, kindOfToken, pathOf, type Served } from "./discovery";
import {
  documentOf,
  fieldManagerKey,
  importedInputs,
  initialApiVersionKey,
  liveInputs,
  mergeMaps,
  outputsOf,
  previewOfCreation,
  previewOfUpdate,
  withLive,
  withSecretData,
} from "./document";
import { type ActiveCluster, activeCluster } from "./kubeconfig";
import { idOf, newFieldManager, parseId, suffix, withName } from "./naming";
import { type Rule, textField } from "./readiness";
import { immutableCauses, isForcedNew, isRefused, sharesName } from "./replacement";
import { isStillThere, relatedNow, ruleFor, untilGone, untilReady, type Wait } from "./wait";
import { waitForRule } from "./waitFor";

/** Seconds an operation may take where the program says nothing; the official provider's. */
const defaultTimeout = 600;
// How long a kind that is not served yet may take to appear after its definition was accepted.
const kindAppearsWithin = 15_000;
const kindAskedEvery = 200;

interface Session {
  settings: Settings;
  cluster: ActiveCluster;
  api: Api;
  discovery: Discovery;
}

interface Target {
  session: Session;
  kind: Kind;
  served: Served;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/**
 * Objects of every kind an API server serves, created, previewed, changed, awaited and deleted as the official kubernetes
 * provider does it. It has none of the official one's charts, YAML files, patches of objects somebody else owns, or rendering
 * to files, and refuses them.
 *
 * Where it differs from the official one: a creation waits for an object of that name that is being deleted, and is asked for again when its answer was lost,
 * instead of failing; it is rehearsed by a creation, not by an apply; while it waits it tells Warning events only with what keeps the object from being ready, not those of the hour before; unknown fields
 * are refused, not warned of.
 */
export class KubernetesProvider implements ResourceProvider {
  private configured: Session | undefined;
  private readonly cancelled = new AbortController();
  private readonly warned = new Set<string>();

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
    this.configured = { settings, cluster, api, discovery: new Discovery(api) };
  }

  cancel(): void {
    this.cancelled.abort();
  }

  async check({ urn, type, name, oldInputs, newInputs, randomSeed, autonaming }: CheckRequest): Promise<Checked> {
    const { settings: _, cluster, discovery } = this.session();
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
    const served = await this.reach(() => discovery.find(kind));
    if (served === undefined) {
      const versions = await this.reach(() => discovery.versions(kind.group));
      const reason = notServed(kind, versions);
      if (await this.reach(() => discovery.isBuiltIn(kind.group, versions))) {
        failures.push({ property: "kind", reason });
      } else {
        // Its definition may be part of the same program.
        await this.warn(urn, `${reason}; it is not validated before it is`);
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
    const { oldInputs, newInputs } = request;
    const { settings } = this.session();
    const kind = kindFor(request.type, newInputs);
    const mutability = { configMaps: settings.enableConfigMapMutable, secrets: settings.enableSecretMutable };
    const found = fieldChanges(oldInputs, newInputs).map((change) => ({
      change,
      forced: isForcedNew(kind, change, oldInputs, mutability),
    }));
    let changes: Change[] = found.map(({ change, forced }) => ({ path: formatPath(change.path), kind: change.kind, replaces: forced }));
    const open = found.length > 0 && !changes.some(({ replaces }) => replaces) && !containsUnknown(newInputs);
    if (open) {
      const causes = await this.immutableFields(request, kind);
      changes = found.map(({ change }) => ({ path: formatPath(change.path), kind: change.kind, replaces: isRefused(change, causes) }));
    }
    const replaces = changes.some((change) => change.replaces);
    return { changes, deleteBeforeReplace: replaces && !isAutonamed(newInputs) && sharesName(oldInputs, newInputs) };
  }

  async create(request: CreateRequest): Promise<{ id: string; outputs: ValueMap }> {
    const { inputs, preview } = request;
    const kind = kindFor(request.type, inputs);
    if (preview) {
      return this.explained(kind, inputs, async () => ({ id: "", outputs: await this.previewCreate(request, kind) }));
    }
    return this.explained(kind, inputs, async () => {
      const target = await this.target(kind, true);
      const { served } = target;
      const { api } = target.session;
      const timeout = timeoutOf(inputs, request.timeout);
      const deadline = Date.now() + timeout * 1000;
      const namespace = served.namespaced ? textAt(inputs, "metadata", "namespace") : undefined;
      const fieldManager = annotation(inputs, annotations.patchFieldManager) ?? newFieldManager();
      const document = documentOf(kind, inputs);
      const common = { served, namespace, document, dryRun: false, deadline, signal: this.cancelled.signal };
      let object: JsonObject;
      try {
        const response = await create(api, common);
        await this.warnings(request.urn, response, inputs);
        object = response.object;
      } catch (error) {
        const wanted = textAt(inputs, "metadata", "name") ?? "";
        const gone = await this.endingIsOver(error, this.wait(request.urn, target, namespace, wanted, timeout));
        object = gone ? (await create(api, common)).object : await this.existing(error, target, { ...common, fieldManager }, wanted);
      }
      const name = textField(object, "metadata", "name");
      const id = idOf(namespace, name);
      const outputs = await this.awaited(request.urn, target, inputs, object, id, fieldManager, apiVersionOf(kind), timeout);
      return { id, outputs };
    });
  }

  async update(request: UpdateRequest): Promise<ValueMap> {
    const { oldInputs, oldOutputs, newInputs, preview } = request;
    const kind = kindFor(request.type, newInputs);
    if (preview && containsUnknown(newInputs)) {
      return previewOfUpdate(mergeMaps(oldOutputs, newInputs));
    }
    return this.explained(kind, newInputs, async () => {
      const target = await this.target(kind, !preview);
      const timeout = timeoutOf(newInputs, request.timeout);
      const deadline = Date.now() + timeout * 1000;
      const { namespace, name } = this.place(target, request.id);
      const { api } = target.session;
      const fieldManager = fieldManagerOf(newInputs, oldOutputs);
      const live = await this.liveOrExplain(target, namespace, name);
      const at = { served: target.served, namespace, name, fieldManager, deadline, signal: this.cancelled.signal };
      if (hasTakeOver(live) && !preview && target.session.settings.enableServerSideApply) {
        await takeOver(api, at, live);
      }
      let response: ApiResponse;
      try {
        response = await this.write(target, {
          ...at,
          live,
          ignoreChanges: request.ignoreChanges,
          oldInputs,
          newInputs,
          dryRun: preview,
          ownOnly: preview && isRehearsedByForce(live),
        });
      } catch (error) {
        if (preview && error instanceof ApiError && isUnauthorised(error)) {
          return previewOfUpdate(mergeMaps(oldOutputs, newInputs));
        }
        throw error;
      }
      await this.warnings(request.urn, response, newInputs);
      const initial = textAt(oldOutputs, initialApiVersionKey) ?? apiVersionOf(kind);
      if (preview) {
        return previewOfUpdate(outputsOf(kind, response.object, newInputs, fieldManager, initial));
      }
      return this.awaited(request.urn, target, newInputs, response.object, request.id, fieldManager, initial, timeout);
    });
  }

  async read(request: ReadRequest): Promise<ReadResult> {
    const { id, outputs } = request;
    const inputs = request.inputs !== undefined && Object.keys(request.inputs).length > 0 ? request.inputs : undefined;
    const kind = kindFor(request.type, inputs ?? outputs);
    return this.explained(kind, inputs ?? {}, async () => {
      const { discovery, api } = this.session();
      const served = await discovery.find(kind);
      const gone = { id: "", outputs: {}, inputs: {} };
      if (served === undefined) {
        return gone;
      }
      const target = { session: this.session(), kind, served };
      const { namespace, name } = this.place(target, id);
      let live: JsonObject;
      try {
        live = await api.get(pathOf(served, namespace, name), this.cancelled.signal);
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
      const rule = await this.ruleOf(target, found, live);
      const readiness = rule?.(live, await relatedNow(api, kind, live));
      if (readiness !== undefined && !readiness.ready) {
        throw new InitializationFailed(fullId, read, found, [`${kind.kind} ${fullId}: ${readiness.message}`]);
      }
      return { id: fullId, outputs: read, inputs: found };
    });
  }

  async delete(request: DeleteRequest): Promise<void> {
    const { inputs, outputs, id } = request;
    const kind = kindFor(request.type, Object.keys(inputs).length > 0 ? inputs : outputs);
    await this.explained(kind, inputs, async () => {
      const session = this.session();
      const { discovery, api } = session;
      const served = await discovery.find(kind);
      if (served === undefined) {
        return;
      }
      const target = { session, kind, served };
      const { namespace, name } = this.place(target, id);
      const timeout = timeoutOf(inputs, request.timeout);
      const uid = textAt(outputs, "metadata", "uid");
      let answer: JsonObject;
      try {
        ({ object: answer } = await api.request({
          method: "DELETE",
          path: pathOf(served, namespace, name),
          body: {
            apiVersion: "v1",
            kind: "DeleteOptions",
            propagationPolicy: propagationPolicy(inputs),
            ...(uid === undefined ? {} : { preconditions: { uid } }),
          },
          deadline: Date.now() + timeout * 1000,
          patience: this.cancelled.signal,
        }));
      } catch (error) {
        if (error instanceof ApiError && error.code === 404) {
          return;
        }
        if (error instanceof ApiError && error.code === 409 && /precondition/i.test(error.message)) {
          await this.log.message(
            "warning",
            `${kind.kind} ${id} has been replaced outside of this stack; the new object is left alone`,
            request.urn,
          );
          return;
        }
        answer = await this.alreadyEnding(error, target, namespace, name);
      }
      if (!isStillThere(answer) || isAnnotated(inputs, annotations.skipAwait)) {
        return;
      }
      const { reasons } = await untilGone(this.wait(request.urn, target, namespace, name, timeout), answer);
      if (reasons.length > 0) {
        throw new ProviderError(`${kind.kind} ${id}: ${reasons.join("; ")}`);
      }
    });
  }

  private session(): Session {
    if (this.configured === undefined) {
      throw new ProviderError("the kubernetes provider has not been configured");
    }
    return this.configured;
  }

  private async reach<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      throw error instanceof ApiError || error instanceof Unreachable ? new ProviderError(error.message) : error;
    }
  }

  private place({ session, served }: Target, id: string): { namespace: string | undefined; name: string } {
    const { namespace, name } = parseId(id);
    return { namespace: served.namespaced ? (namespace ?? session.cluster.namespace) : undefined, name };
  }

  private async target(kind: Kind, mayAppear: boolean): Promise<Target> {
    const session = this.session();
    const deadline = Date.now() + kindAppearsWithin;
    for (;;) {
      const served = await session.discovery.find(kind);
      if (served !== undefined) {
        return { session, kind, served };
      }
      if (!mayAppear || Date.now() > deadline) {
        throw new ProviderError(notServed(kind, await session.discovery.versions(kind.group)));
      }
      session.discovery.forget(kind);
      await new Promise((resolve) => setTimeout(resolve, kindAskedEvery));
    }
  }

  private async liveOrExplain({ session, served, kind }: Target, namespace: string | undefined, name: string): Promise<JsonObject> {
    try {
      return await session.api.get(pathOf(served, namespace, name), this.cancelled.signal);
    } catch (error) {
      if (error instanceof ApiError && error.code === 404) {
        throw new ProviderError(
          `${kind.kind} ${idOf(namespace, name)} is no longer there; run \`pulumi refresh\` (or \`--refresh\`) so that it is created again`,
        );
      }
      throw error;
    }
  }

  private write(
    { session, served, kind }: Target,
    change: {
      namespace: string | undefined;
      name: string;
      fieldManager: string;
      oldInputs: ValueMap;
      newInputs: ValueMap;
      dryRun: boolean;
      deadline: number;
      /** The object as it is. */
      live: JsonObject;
      ignoreChanges: readonly string[];
      /** Managers in conflict are those that an update takes over first, which a rehearsal can't. */
      ownOnly: boolean;
    },
  ): Promise<ApiResponse> {
    const { settings, api } = session;
    const { namespace, name, fieldManager, dryRun, deadline, newInputs } = change;
    const asked = change.ignoreChanges.reduce<JsonObject>(
      (document, path) => {
        const kept = withLive(document, change.live, parsePath(path));
        return isJsonObject(kept) ? kept : document;
      },
      documentOf(kind, newInputs),
    );
    const document = withPlace(asked, namespace, name);
    const force = settings.enablePatchForce || isAnnotated(newInputs, annotations.patchForce) || change.ownOnly;
    const write = { served, namespace, name, document, fieldManager, dryRun, force, deadline, signal: this.cancelled.signal };
    return settings.enableServerSideApply ? apply(api, write) : patch(api, write, documentOf(kind, change.oldInputs));
  }

  /** The fields that the API server says cannot be changed in place, asked by a dry run; none when it cannot say. */
  private async immutableFields(request: DiffRequest, kind: Kind): Promise<ReturnType<typeof immutableCauses>> {
    try {
      const target = await this.target(kind, false);
      const { namespace, name } = this.place(target, request.id);
      const live = await target.session.api.get(pathOf(target.served, namespace, name), this.cancelled.signal);
      await this.write(target, {
        live,
        ignoreChanges: request.ignoreChanges,
        namespace,
        name,
        fieldManager: fieldManagerOf(request.newInputs, request.oldOutputs),
        oldInputs: request.oldInputs,
        newInputs: request.newInputs,
        dryRun: true,
        deadline: Date.now() + 10_000,
        // Conflicts are the update's to report.
        ownOnly: true,
      });
      return [];
    } catch (error) {
      return error instanceof ApiError ? immutableCauses(error) : [];
    }
  }

  private async previewCreate({ urn, inputs }: CreateRequest, kind: Kind): Promise<ValueMap> {
    const fieldManager = "";
    const initial = apiVersionOf(kind);
    const asAsked = () => previewOfCreation(kind, withSecretData(kind, inputs), inputs);
    const session = this.session();
    const served = await session.discovery.find(kind);
    if (containsUnknown(inputs) || served === undefined) {
      return asAsked();
    }
    const namespace = served.namespaced ? textAt(inputs, "metadata", "namespace") : undefined;
    const name = textAt(inputs, "metadata", "name") ?? "";
    const document = documentOf(kind, inputs);
    const rehearse = (where: string | undefined, what: JsonObject) =>
      create(session.api, {
        served,
        namespace: where,
        document: what,
        dryRun: true,
        deadline: Date.now() + 10_000,
        signal: this.cancelled.signal,
      });
    try {
      const response = await rehearse(namespace, document);
      await this.warnings(urn, response, inputs);
      return previewOfCreation(kind, outputsOf(kind, response.object, inputs, fieldManager, initial), inputs);
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      if (error.code === 409 && error.reason === "AlreadyExists") {
        // It may go before its successor comes, and if it doesn't, the update says so. Try the successor under another name.
        const other = `${name.slice(0, 40).replace(/[^a-z0-9]+$/, "")}-${suffix(new Uint8Array())}`;
        await this.onlyValidation(() => rehearse(namespace, withPlace(document, namespace, other)));
        return asAsked();
      }
      if (error.code === 404 && namespace !== undefined) {
        // The namespace is part of the same program; the object's own validity does not depend on it.
        const elsewhere = session.cluster.namespace === namespace ? "default" : session.cluster.namespace;
        await this.onlyValidation(() => rehearse(elsewhere, withPlace(document, elsewhere, name)));
        return asAsked();
      }
      if (isUnauthorised(error)) {
        return asAsked();
      }
      throw error;
    }
  }

  /** Lets only those refusals through that are about the object's own fields. */
  private async onlyValidation(rehearse: () => Promise<unknown>): Promise<void> {
    try {
      await rehearse();
    } catch (error) {
      const aboutFields =
        error instanceof ApiError && (error.code === 400 || error.causes.some(({ reason }) => reason.startsWith("FieldValue")));
      if (aboutFields) {
        throw error;
      }
    }
  }

  /** Whether a creation was refused only because the object of that name was still being deleted, which is waited for. */
  private async endingIsOver(error: unknown, wait: Wait): Promise<boolean> {
    if (!(error instanceof ApiError) || error.code !== 409 || error.reason !== "AlreadyExists") {
      return false;
    }
    const live = await wait.api.get(pathOf(wait.served, wait.namespace, wait.name), wait.signal).catch(() => undefined);
    if (live === undefined) {
      return true;
    }
    if (textAt(live, "metadata", "deletionTimestamp") === undefined) {
      return false;
    }
    return (await untilGone(wait, live)).reasons.length === 0;
  }

  /** What a refused creation left: the object after all, when the answer to a first attempt was lost or the program wants to take it over. */
  private async existing(
    error: unknown,
    { session, kind }: Target,
    common: Parameters<typeof create>[1] & { fieldManager: string },
    name: string,
  ): Promise<JsonObject> {
    if (!(error instanceof ApiError) || error.code !== 409 || error.reason !== "AlreadyExists") {
      throw error;
    }
    if (session.settings.upsertExistingObjects) {
      const document = withPlace(common.document, common.namespace, name);
      return (await apply(session.api, { ...common, document, name, force: session.settings.enablePatchForce })).object;
    }
    if (error.afterLostAnswer) {
      const live = await session.api.get(pathOf(common.served, common.namespace, name), common.signal);
      if (isAsCreated(live)) {
        return live;
      }
    }
    throw new ProviderError(alreadyExists(kind, common.namespace, name));
  }

  /** The object whose deletion was refused because it is under way already, as a namespace's is. */
  private async alreadyEnding(
    error: unknown,
    { session, served }: Target,
    namespace: string | undefined,
    name: string,
  ): Promise<JsonObject> {
    if (error instanceof ApiError && error.code === 409) {
      const live = await session.api.get(pathOf(served, namespace, name), this.cancelled.signal);
      if (textField(live, "metadata", "deletionTimestamp") !== "") {
        return live;
      }
    }
    throw error;
  }

  private async ruleOf({ session, kind }: Target, inputs: ValueMap, object: JsonObject): Promise<Rule | undefined> {
    const stated = waitRule(inputs);
    if (stated !== undefined) {
      return stated;
    }
    return isAnnotated(inputs, annotations.skipAwait) ? undefined : ruleFor(session.api, kind, object);
  }

  private wait(urn: string, { session, kind, served }: Target, namespace: string | undefined, name: string, timeout: number): Wait {
    const status = (message: string) => this.log.status(message, urn);
    return { api: session.api, kind, served, namespace, name, timeout, signal: this.cancelled.signal, status };
  }

  private async awaited(
    urn: string,
    target: Target,
    inputs: ValueMap,
    object: JsonObject,
    id: string,
    fieldManager: string,
    initialApiVersion: string,
    timeout: number,
  ): Promise<ValueMap> {
    const { kind } = target;
    const outputs = (live: JsonObject) => outputsOf(kind, live, inputs, fieldManager, initialApiVersion);
    const { namespace, name } = this.place(target, id);
    let outcome = { object, reasons: [] as string[] };
    try {
      const rule = await this.ruleOf(target, inputs, object);
      if (rule !== undefined) {
        outcome = await untilReady(this.wait(urn, target, namespace, name, timeout), object, rule);
      }
    } catch (error) {
      // The object is there whatever went wrong while looking at it.
      outcome.reasons = [asError(error).message];
    }
    if (outcome.reasons.length > 0) {
      const reasons = outcome.reasons.map((reason, index) => redact(index === 0 ? `${kind.kind} ${id}: ${reason}` : reason, inputs));
      throw new InitializationFailed(id, outputs(outcome.object), inputs, reasons);
    }
    return outputs(outcome.object);
  }

  private async warn(urn: string, text: string): Promise<void> {
    const key = `${urn} ${text}`;
    if (!this.warned.has(key)) {
      this.warned.add(key);
      await this.log.message("warning", text, urn);
    }
  }

  private async warnings(urn: string, response: ApiResponse, inputs: ValueMap): Promise<void> {
    const { suppressDeprecationWarnings } = this.session().settings;
    for (const warning of response.warnings) {
      if (!(suppressDeprecationWarnings && /deprecated/i.test(warning))) {
        await this.warn(urn, redact(warning, inputs));
      }
    }
  }

  /** Runs an operation so that what the API server refuses is told in terms of the object, without its secrets. */
  private async explained<T>(kind: Kind, inputs: ValueMap, operation: () => Promise<T>): Promise<T> {
    try {
      return await operation();
    } catch (error) {
      if (error instanceof ApiError || error instanceof Unreachable) {
        const id = idOf(textAt(inputs, "metadata", "namespace"), textAt(inputs, "metadata", "name") ?? "");
        const message = (error instanceof ApiError ? describeConflict(error) : undefined) ?? error.message;
        throw new ProviderError(redact(`${kind.kind} ${id}: ${message}`, withSecretData(kind, inputs)));
      }
      if (this.cancelled.signal.aborted && !(error instanceof InitializationFailed)) {
        throw new ProviderError("cancelled");
      }
      throw error;
    }
  }
}

/** The object's kind: as its inputs say, which is what the API server is sent, else as the type token does. */
function kindFor(type: string, inputs: ValueMap): Kind {
  const ofToken = kindOfToken(type);
  const apiVersion = textAt(inputs, "apiVersion") ?? (ofToken === undefined ? undefined : apiVersionOf(ofToken));
  const kind = textAt(inputs, "kind") ?? ofToken?.kind;
  if (apiVersion === undefined || kind === undefined) {
    throw new ProviderError(`${type} is not a kind of Kubernetes object`);
  }
  return kindOf(apiVersion, kind);
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

function notServed(kind: Kind, versions: readonly string[]): string {
  const others = versions.length === 0 ? "nor any version of its group" : `its group is served in ${versions.join(", ")}`;
  return `the API server does not serve ${apiVersionOf(kind)} ${kind.kind} (${others})`;
}

function alreadyExists(kind: Kind, namespace: string | undefined, name: string): string {
  return (
    `${kind.kind} ${idOf(namespace, name)} already exists and is not in this stack's state: import it (\`pulumi import\`), delete it or choose another name. ` +
    "If a resource of this stack was renamed, give it an alias"
  );
}

// The authoriser's refusals, unlike those of admission, name the user.
function isUnauthorised(error: ApiError): boolean {
  return error.code === 403 && /is forbidden: User ".*" cannot /.test(error.message);
}

function withPlace(document: JsonObject, namespace: string | undefined, name: string): JsonObject {
  const metadata = isJsonObject(document.metadata) ? document.metadata : {};
  return { ...document, metadata: { ...metadata, ...(namespace === undefined ? {} : { namespace }), ...(name === "" ? {} : { name }) } };
}

function fieldManagerOf(inputs: ValueMap, outputs: ValueMap): string {
  return annotation(inputs, annotations.patchFieldManager) ?? textAt(outputs, fieldManagerKey) ?? newFieldManager();
}

function waitRule(inputs: ValueMap): Rule | undefined {
  const stated = annotation(inputs, annotations.waitFor);
  if (stated === undefined) {
    return undefined;
  }
  try {
    return waitForRule(stated);
  } catch (error) {
    throw new ProviderError(`${annotations.waitFor}: ${asError(error).message}`);
  }
}

/** Seconds: as the resource's options say, else its annotation, else the default. */
export function timeoutOf(inputs: ValueMap, stated: number): number {
  if (stated > 0) {
    return stated;
  }
  const annotated = annotation(inputs, annotations.timeoutSeconds);
  if (annotated === undefined) {
    return defaultTimeout;
  }
  const seconds = Number(annotated);
  if (!(seconds > 0)) {
    throw new ProviderError(`${annotations.timeoutSeconds}: "${annotated}" is not a number of seconds above 0`);
  }
  return seconds;
}

function propagationPolicy(inputs: ValueMap): string {
  const policies = new Map([
    ["foreground", "Foreground"],
    ["background", "Background"],
    ["orphan", "Orphan"],
  ]);
  const stated = annotation(unwrapMap(inputs), annotations.deletionPropagationPolicy)?.toLowerCase() ?? "foreground";
  const policy = policies.get(stated);
  if (policy === undefined) {
    throw new ProviderError(`${annotations.deletionPropagationPolicy}: "${stated}" is none of ${[...policies.keys()].join(", ")}`);
  }
  return policy;
}
