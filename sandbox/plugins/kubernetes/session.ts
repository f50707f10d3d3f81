import type { Log } from "../protocol/engine";
import { InitializationFailed, ProviderError } from "../protocol/provider";
import { isJsonObject, type JsonObject, redact, textAt, type ValueMap } from "../protocol/values";
import { annotation, annotations, isAnnotated } from "./annotations";
import { type Api, ApiError, type ApiResponse, Unreachable } from "./api";
import { describeConflict } from "./apply";
import type { Settings } from "./configuration";
import { apiVersionOf, type Discovery, type Kind, kindOf, kindOfToken, type Served } from "./discovery";
import { fieldManagerKey, outputsOf, withSecretData } from "./document";
import type { ActiveCluster } from "./kubeconfig";
import { idOf, newFieldManager, parseId } from "./naming";
import type { Rule } from "./readiness";
import { ruleFor, untilReady, type Wait } from "./wait";
import { waitForRule } from "./waitFor";

/** A configured provider's connection: what every operation needs of the cluster, and how it tells of it. */

/** Seconds an operation may take where the program says nothing; the official provider's. */
const defaultTimeout = 600;
// How long a kind that is not served yet may take to appear after its definition was accepted.
const kindAppearsWithin = 15_000;
const kindAskedEvery = 200;

/** A kind of object, as the API server serves it. */
export interface Target {
  session: Session;
  kind: Kind;
  served: Served;
}

/** The API server of one configuration. */
export class Session {
  private readonly warned = new Set<string>();

  /** @param signal Aborted when the engine gives up. */
  constructor(
    readonly settings: Settings,
    readonly cluster: ActiveCluster,
    readonly api: Api,
    readonly discovery: Discovery,
    readonly log: Log,
    readonly signal: AbortSignal,
  ) {}

  /** Lets a failure of the API server be told as it is, without an object. */
  async reach<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      throw error instanceof ApiError || error instanceof Unreachable ? new ProviderError(error.message) : error;
    }
  }

  /** Namespace and name of an object by its id; the context's namespace where the id has none. */
  place({ session, served }: Target, id: string): { namespace: string | undefined; name: string } {
    const { namespace, name } = parseId(id);
    return { namespace: served.namespaced ? (namespace ?? session.cluster.namespace) : undefined, name };
  }

  /** The kind as it is served. One that may appear, since its definition may have been accepted just now, is waited for. */
  async target(kind: Kind, mayAppear: boolean): Promise<Target> {
    const deadline = Date.now() + kindAppearsWithin;
    for (;;) {
      const served = await this.discovery.find(kind);
      if (served !== undefined) {
        return { session: this, kind, served };
      }
      if (!mayAppear || Date.now() > deadline) {
        throw new ProviderError(notServed(kind, await this.discovery.versions(kind.group)));
      }
      this.discovery.forget(kind);
      await new Promise((resolve) => setTimeout(resolve, kindAskedEvery));
    }
  }

  /** When the object counts as ready: as it says itself, else as its kind has it; undefined where nothing is waited for. */
  async ruleOf({ session, kind }: Target, inputs: ValueMap, object: JsonObject): Promise<Rule | undefined> {
    const stated = waitRule(inputs);
    if (stated !== undefined) {
      return stated;
    }
    return isAnnotated(inputs, annotations.skipAwait) ? undefined : ruleFor(session.api, kind, object);
  }

  /** How it is waited for an object, and told. */
  wait(urn: string, { session, kind, served }: Target, namespace: string | undefined, name: string, timeout: number): Wait {
    const status: Wait["status"] = (message, severity) => this.log.status(message, urn, severity);
    return { api: session.api, kind, served, namespace, name, timeout, signal: this.signal, status };
  }

  /**
   * The outputs of an object that was written, once it is ready.
   *
   * @throws {InitializationFailed} when it does not become ready
   */
  async awaited(
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

  /** Tells a warning once. */
  async warn(urn: string, text: string): Promise<void> {
    const key = `${urn} ${text}`;
    if (!this.warned.has(key)) {
      this.warned.add(key);
      await this.log.message("warning", text, urn);
    }
  }

  /** Tells the API server's own warnings. */
  async warnings(urn: string, response: ApiResponse, inputs: ValueMap): Promise<void> {
    const { suppressDeprecationWarnings } = this.settings;
    for (const warning of response.warnings) {
      if (!(suppressDeprecationWarnings && /deprecated/i.test(warning))) {
        await this.warn(urn, redact(warning, inputs));
      }
    }
  }

  /** Runs an operation so that what the API server refuses is told in terms of the object, without its secrets. */
  async explained<T>(kind: Kind, inputs: ValueMap, operation: () => Promise<T>): Promise<T> {
    try {
      return await operation();
    } catch (error) {
      if (error instanceof ApiError || error instanceof Unreachable) {
        const id = idOf(textAt(inputs, "metadata", "namespace"), textAt(inputs, "metadata", "name") ?? "");
        const message = (error instanceof ApiError ? describeConflict(error) : undefined) ?? error.message;
        throw new ProviderError(redact(`${kind.kind} ${id}: ${message}`, withSecretData(kind, inputs)));
      }
      if (this.signal.aborted && !(error instanceof InitializationFailed)) {
        throw new ProviderError("cancelled");
      }
      throw error;
    }
  }
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** The object's kind: as its inputs say, which is what the API server is sent, else as the type token does. */
export function kindFor(type: string, inputs: ValueMap): Kind {
  const ofToken = kindOfToken(type);
  const apiVersion = textAt(inputs, "apiVersion") ?? (ofToken === undefined ? undefined : apiVersionOf(ofToken));
  const kind = textAt(inputs, "kind") ?? ofToken?.kind;
  if (apiVersion === undefined || kind === undefined) {
    throw new ProviderError(`${type} is not a kind of Kubernetes object`);
  }
  return kindOf(apiVersion, kind);
}

/** Why a kind can't be used. */
export function notServed(kind: Kind, versions: readonly string[]): string {
  const others = versions.length === 0 ? "nor any version of its group" : `its group is served in ${versions.join(", ")}`;
  return `the API server does not serve ${apiVersionOf(kind)} ${kind.kind} (${others})`;
}

/** Whether the user may not; the authoriser's refusals, unlike those of admission, name the user. */
export function isUnauthorised(error: ApiError): boolean {
  return error.code === 403 && /is forbidden: User ".*" cannot /.test(error.message);
}

/** The document with its namespace and name. */
export function withPlace(document: JsonObject, namespace: string | undefined, name: string): JsonObject {
  const metadata = isJsonObject(document.metadata) ? document.metadata : {};
  return { ...document, metadata: { ...metadata, ...(namespace === undefined ? {} : { namespace }), ...(name === "" ? {} : { name }) } };
}

/** Under which name the object's fields are written: as it says itself, else as before. */
export function fieldManagerOf(inputs: ValueMap, outputs: ValueMap): string {
  return annotation(inputs, annotations.patchFieldManager) ?? textAt(outputs, fieldManagerKey) ?? newFieldManager();
}

/**
 * When the object counts as ready, as it says itself.
 *
 * @throws {ProviderError} when what it says can't be read
 */
export function waitRule(inputs: ValueMap): Rule | undefined {
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
