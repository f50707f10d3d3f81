import { randomBytes } from "node:crypto";
import { type ExportedState, type PendingOperation, type StateResource, withoutSecrets } from "./state";

/** A Kubernetes object as the API server answers it. */
export interface LiveObject {
  apiVersion?: string;
  kind?: string;
  metadata?: {
    name?: string;
    namespace?: string;
    labels?: Record<string, string>;
    managedFields?: { manager?: string; operation?: string; subresource?: string }[];
    [key: string]: unknown;
  };
  [key: string]: unknown;
}

/** Everything that names an object. */
export interface ObjectName {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
}

/** Asks for an object; undefined where there is none. */
export type LookUp = (object: ObjectName) => Promise<LiveObject | undefined>;

/** Outcome of one pending operation. */
export interface Decision {
  /** The pending operation, such as `creating StatefulSet thanos-prod/thanos-receive`. */
  operation: string;
  /** The action on it, as a sentence without its full stop. */
  outcome: string;
  /** Whether it stays as it is, for somebody to decide. */
  open: boolean;
}

/** How a stack comes out of an update whose engine was killed. */
export interface Recovery {
  /** One for each pending operation, in their order. */
  decisions: Decision[];
  /** The state with all of it done, to be imported. */
  state: ExportedState;
}

/**
 * Said of a resource that was taken over: the engine applies and awaits such a one with the next update, also where nothing has changed.
 */
const UNFINISHED = "the engine was killed while this was created; the next update applies it again and waits for it";
/** Whose fields the official provider's creations are: it creates by a POST that names no manager. */
const CREATOR = "pulumi-kubernetes";
/** Kinds without data of their own that are named by their content, so that one too many may go. */
const REPLACEABLE = new Set(["ConfigMap", "Secret", "Job"]);
/** Providers whose resources are in the state only. */
const STATE_ONLY = /^(?:random:|pulumi:)/;

/**
 * Decides what to do about every pending operation. Nothing is changed: neither in the cluster, which is only
 * asked, nor in the state that is given.
 *
 * @throws what the look-up throws
 */
export async function planRecovery(state: ExportedState, lookUp: LookUp): Promise<Recovery> {
  const resources = [...(state.deployment.resources ?? [])];
  const decisions: Decision[] = [];
  const open: PendingOperation[] = [];
  for (const pending of state.deployment.pending_operations ?? []) {
    const { outcome, left = false } = await decide(pending, resources, lookUp);
    if (left) open.push(pending);
    decisions.push({ operation: `${pending.type} ${describe(pending.resource)}`, outcome, open: left });
  }
  const deployment = { ...state.deployment, resources, pending_operations: open };
  return { decisions, state: { ...state, deployment } };
}

interface Outcome {
  outcome: string;
  /** Whether the operation stays pending. */
  left?: boolean;
}

async function decide({ type, resource }: PendingOperation, resources: StateResource[], lookUp: LookUp): Promise<Outcome> {
  if (type !== "creating") return { outcome: "forgotten: the resource is in the state as it was, and the next update does it again" };
  if (STATE_ONLY.test(resource.type)) return { outcome: "forgotten: it is in the state only, and the next update makes it" };
  const name = objectName(resource);
  if (name === undefined)
    return { outcome: "left: what it makes can't be looked for here; see `pulumi refresh` and `pulumi import`", left: true };
  const live = await lookUp(name);
  if (live === undefined) return { outcome: "forgotten: it was not made, and the next update makes it" };
  const strange = strangeness(live, resource);
  if (strange !== undefined) return { outcome: `left: it exists and ${strange}; delete it, or \`pulumi import\` it`, left: true };
  return takeOver(adopted(resource, live, name), resources);
}

/** Puts a resource into the state where the engine would have. */
function takeOver(made: StateResource, resources: StateResource[]): Outcome {
  const other = resources.find((each) => each.urn !== made.urn && each.type === made.type && each.id === made.id && each.delete !== true);
  if (other !== undefined) return { outcome: `left: it exists and is in the state as ${other.urn}; an alias is missing`, left: true };
  const index = resources.findIndex((each) => each.urn === made.urn && each.delete !== true);
  const present = resources[index];
  if (present === undefined) {
    // Whatever it depends on is in the state, and nothing depends on it: nothing went on while it was pending.
    resources.push(made);
    return { outcome: "taken over: it exists and is this stack's own; the next update applies it again and waits for it" };
  }
  if (present.pendingReplacement === true) {
    resources[index] = made;
    return { outcome: "taken over in place of the one that it replaces, which is gone" };
  }
  if (present.id === made.id) return { outcome: "forgotten: it is in the state already" };
  if (!REPLACEABLE.has(kindOf(made)) || made.protect === true) {
    return { outcome: `left: it exists beside ${present.id}, which the state has; one of them has to go`, left: true };
  }
  // Marked as the engine marks what has been replaced, right behind the one that stays.
  resources.splice(index + 1, 0, { ...made, delete: true });
  return { outcome: `taken over to be deleted by the next update: the state has ${present.id} in its place` };
}

/** The state that the engine would have written of the creation, had it seen its end. */
function adopted(resource: StateResource, live: LiveObject, { apiVersion, metadata }: ObjectName): StateResource {
  const { managedFields: _, ...kept } = live.metadata ?? {};
  const shown = withoutSecrets({ ...live, metadata: kept }, withSecretData(resource)) as Record<string, unknown>;
  return {
    ...resource,
    custom: true,
    id: metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`,
    // The provider's own keys beside the object (pulumi-kubernetes `provider/pkg/provider/provider.go`,
    // fieldManagerKey and initialAPIVersionKey).
    outputs: { ...shown, __fieldManager: `${CREATOR}-${randomBytes(4).toString("hex")}`, __initialApiVersion: apiVersion },
    initErrors: [UNFINISHED],
  };
}

/** Inputs in which a Secret's data is secret however they have it: the API server answers it under another key than it is given. */
function withSecretData({ inputs = {} }: StateResource): Record<string, unknown> {
  if (inputs.kind !== "Secret") return inputs;
  const secret = inputs.data ?? inputs.stringData;
  return { ...inputs, data: secret, stringData: secret };
}

/** Why an object is not what the killed engine has made; undefined where it is. */
function strangeness({ metadata }: LiveObject, { inputs = {} }: StateResource): string | undefined {
  const owners = (metadata?.managedFields ?? []).filter(({ subresource }) => subresource === undefined || subresource === "");
  if (!owners.some(({ manager }) => manager?.startsWith(CREATOR))) return "no Pulumi program has made it";
  const labels = (inputs.metadata as { labels?: Record<string, unknown> } | undefined)?.labels ?? {};
  const [label] = Object.entries(labels).find(([key, value]) => metadata?.labels?.[key] !== value) ?? [];
  return label === undefined ? undefined : `its label ${label} is not this stack's`;
}

function kindOf({ inputs, type }: StateResource): string {
  return typeof inputs?.kind === "string" ? inputs.kind : (type.split(":").at(-1) ?? type);
}

/** The object that a resource stands for, which the engine named before it asked for it; undefined for what is no object of Kubernetes. */
export function objectName({ type, inputs }: StateResource): ObjectName | undefined {
  const { apiVersion, kind, metadata } = inputs ?? {};
  const { name, namespace } = (metadata ?? {}) as { name?: unknown; namespace?: unknown };
  if (!type.startsWith("kubernetes:") || typeof apiVersion !== "string" || typeof kind !== "string" || typeof name !== "string")
    return undefined;
  return { apiVersion, kind, metadata: { name, ...(typeof namespace === "string" ? { namespace } : {}) } };
}

function describe(resource: StateResource): string {
  const { kind = kindOf(resource), metadata } = objectName(resource) ?? {};
  const { name = resource.urn.split("::").slice(3).join("::"), namespace } = metadata ?? {};
  return `${kind} ${namespace === undefined ? name : `${namespace}/${name}`}`;
}
