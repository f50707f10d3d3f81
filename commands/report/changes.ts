import { fields, text } from "../../policy/resources";
import { nameOf, type Preview, type PreviewStep, STACK_TYPE, typeOf } from "./preview";

/** Changes of a resource, the gravest first. */
export const OPERATIONS = ["delete", "replace", "update", "create", "import"] as const;
export type Operation = (typeof OPERATIONS)[number];

/** A property that changes. */
export interface ChangedProperty {
  /** Such as `spec.template.spec.containers[0].args[11]`. */
  path: string;
  /** Old and new value, where both are short and known. */
  from?: string;
  to?: string;
  /** Whether this is what forces a replacement. */
  replaces: boolean;
}

/** A resource that changes. */
export interface Change {
  operation: Operation;
  type: string;
  /** Kind and name for people: `StatefulSet thanos-dev/thanos-receive`. */
  resource: string;
  properties: ChangedProperty[];
}

/** The engine's names for them. To read what somebody else made changes nothing. */
const OPERATION_OF: Record<string, Operation> = {
  delete: "delete",
  "delete-replaced": "replace",
  replace: "replace",
  "create-replacement": "replace",
  "read-replacement": "replace",
  "import-replacement": "replace",
  update: "update",
  create: "create",
  import: "import",
};

/** Every resource that changes, each once, the gravest changes first. */
export function changesOf(preview: Preview): Change[] {
  const byUrn = new Map<string, Change>();
  for (const step of preview.steps) {
    const operation = OPERATION_OF[step.op];
    // The stack is no thing of its own, and another place of the kubeconfig on this machine is no change of the cluster.
    if (operation === undefined || typeOf(step) === STACK_TYPE || onlyConnects(step)) continue;
    const change = { operation, type: typeOf(step), resource: describe(step), properties: propertiesOf(step) };
    const known = byUrn.get(step.urn);
    const graver = known === undefined || rank(operation) < rank(known.operation) ? change : known;
    const properties = [known, change].find((each) => (each?.properties.length ?? 0) > 0)?.properties ?? [];
    byUrn.set(step.urn, { ...graver, properties });
  }
  return [...byUrn.values()].sort(
    (left, right) => rank(left.operation) - rank(right.operation) || left.resource.localeCompare(right.resource),
  );
}

const rank = (operation: Operation): number => OPERATIONS.indexOf(operation);

/** Inputs of a provider that say only how this machine reaches the cluster. */
const CONNECTION = new Set(["kubeconfig", "context", "version"]);

function onlyConnects(step: PreviewStep): boolean {
  if (step.op !== "update" || !typeOf(step).startsWith("pulumi:providers:")) return false;
  const changed = pathsOf(step).map((path) => /^[^.[]*/.exec(path)?.[0] ?? path);
  return changed.length > 0 && changed.every((name) => CONNECTION.has(name));
}

/** Kind and name, as `kubectl` knows them. */
function describe(step: PreviewStep): string {
  const type = typeOf(step);
  const kind = type.slice(type.lastIndexOf(":") + 1);
  const metadata = fields(step.newState?.inputs ?? step.oldState?.inputs, "metadata");
  const namespace = text(metadata, "namespace");
  const own = type.startsWith("kubernetes:") ? text(metadata, "name") : "";
  return `${kind} ${namespace === "" ? "" : `${namespace}/`}${own || nameOf(step)}`;
}

const pathsOf = (step: PreviewStep): string[] => {
  const detailed = Object.keys(step.detailedDiff ?? {});
  return detailed.length > 0 ? detailed : (step.diffReasons ?? []);
};

/** Paths that every write of the provider changes, and nobody wants to read. */
const NOISE = /^(?:status|metadata\.(?:managedFields|resourceVersion|generation|uid|creationTimestamp)|__)/;

function propertiesOf(step: PreviewStep): ChangedProperty[] {
  return pathsOf(step)
    .filter((path) => !NOISE.test(path))
    .map((path) => {
      const kind = step.detailedDiff?.[path]?.kind ?? "";
      const [from, to] = [step.oldState?.inputs, step.newState?.inputs].map((inputs) => shown(at(inputs, path)));
      const replaces =
        kind.endsWith("-replace") || (step.replaceReasons ?? []).some((reason) => path === reason || path.startsWith(`${reason}.`));
      return {
        path,
        replaces,
        ...(from === undefined || kind.startsWith("add") ? {} : { from }),
        ...(to === undefined || kind.startsWith("delete") ? {} : { to }),
      };
    });
}

/** The value at `a.b[0]["c.d"]`. */
export function at(root: unknown, path: string): unknown {
  const parts = path.match(/\["(?:[^"\\]|\\.)*"\]|\[\d+\]|[^.[\]]+/g) ?? [];
  return parts.reduce<unknown>((value, part) => {
    // Between quotes the engine escapes quotes and nothing else.
    const key = part.startsWith('["') ? part.slice(2, -2).replaceAll('\\"', '"') : part.replace(/^\[|\]$/g, "");
    return (value as Record<string, unknown> | undefined | null)?.[key];
  }, root);
}

const LONGEST = 80;
/** How the engine writes a value that only the update knows. */
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
/** A Secret's values are encoded, not hidden. */
function shown(value: unknown): string | undefined {
  if (value === UNKNOWN) return "(known after the update)";
  if (typeof value === "string") return value.length > LONGEST || value.includes("\n") ? undefined : value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}
