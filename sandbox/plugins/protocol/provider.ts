import type { Log } from "./engine";
import type { ValueMap } from "./values";

/** One input that a check refuses. */
export interface Failure {
  property: string;
  reason: string;
}

export interface Checked {
  inputs: ValueMap;
  failures: Failure[];
}

export type ChangeKind = "add" | "delete" | "update";

/** Difference at one property path, and whether only a new resource can have it. */
export interface Change {
  path: string;
  kind: ChangeKind;
  replaces: boolean;
}

export interface Difference {
  changes: Change[];
  deleteBeforeReplace: boolean;
}

/** How the engine wants a resource named that has no explicit name. */
export interface Autonaming {
  mode: "propose" | "enforce" | "disable";
  proposedName: string;
}

interface OfResource {
  urn: string;
  /** The type token, `package:module:Type`. */
  type: string;
  /** The logical name in the program. */
  name: string;
}

export interface CheckRequest extends OfResource {
  oldInputs: ValueMap;
  newInputs: ValueMap;
  /** Seed for generated names; empty when the engine sends none. */
  randomSeed: Uint8Array;
  autonaming: Autonaming | undefined;
}

export interface DiffRequest extends OfResource {
  id: string;
  oldInputs: ValueMap;
  oldOutputs: ValueMap;
  newInputs: ValueMap;
  /** Paths whose changes the program ignores; there the new inputs are the old ones. */
  ignoreChanges: readonly string[];
}

export interface CreateRequest extends OfResource {
  inputs: ValueMap;
  preview: boolean;
  /** Seconds; 0 when the program sets none. */
  timeout: number;
}

export interface UpdateRequest extends DiffRequest {
  preview: boolean;
  timeout: number;
}

export interface ReadRequest extends OfResource {
  id: string;
  /** Undefined when the resource is being imported. */
  inputs: ValueMap | undefined;
  outputs: ValueMap;
}

export interface DeleteRequest extends OfResource {
  id: string;
  inputs: ValueMap;
  outputs: ValueMap;
  timeout: number;
}

export interface ReadResult {
  /** Empty when the resource no longer exists. */
  id: string;
  outputs: ValueMap;
  inputs: ValueMap;
}

/** A provider of resources, in terms of property values; `serve` speaks the wire protocol for it. */
export interface ResourceProvider {
  checkConfig(request: { urn: string; news: ValueMap }): Promise<Checked>;
  diffConfig(request: { urn: string; oldInputs: ValueMap; newInputs: ValueMap }): Promise<Difference>;
  configure(inputs: ValueMap, urn: string): Promise<void>;
  check(request: CheckRequest): Promise<Checked>;
  diff(request: DiffRequest): Promise<Difference>;
  create(request: CreateRequest): Promise<{ id: string; outputs: ValueMap }>;
  read(request: ReadRequest): Promise<ReadResult>;
  update(request: UpdateRequest): Promise<ValueMap>;
  delete(request: DeleteRequest): Promise<void>;
  /** Ends every operation under way; each fails with what is known of its resource. */
  cancel(): void;
}

export type ProviderFactory = (log: Log) => ResourceProvider;

/** The operation took no effect, or its effect is known: the resource's state is what it was. */
export class ProviderError extends Error {}

/** The resource exists but did not become what was asked for; it is stored so that the next update resumes. */
export class InitializationFailed extends Error {
  constructor(
    readonly id: string,
    readonly outputs: ValueMap,
    readonly inputs: ValueMap,
    readonly reasons: readonly string[],
  ) {
    super(reasons.join("; "));
  }
}

/** The provider does not offer this at all. */
export class NotOffered extends Error {}
