/** Requirements of pods for their nodes (`nodeSelector` and required `nodeAffinity`), and what follows from them without a cluster. */

/** One requirement of a label or of a field, as Kubernetes has it. */
export interface Requirement {
  key: string;
  operator: string;
  values?: string[] | undefined;
}

/** Requirements that hold together. */
export interface NodeTerm {
  matchExpressions?: Requirement[] | undefined;
  matchFields?: Requirement[] | undefined;
}

/** The part of a pod's spec, or of what was chosen for it, that asks for nodes. */
export interface NodeSelection {
  nodeSelector?: Record<string, string> | undefined;
  affinity?:
    | {
        nodeAffinity?: { requiredDuringSchedulingIgnoredDuringExecution?: { nodeSelectorTerms: NodeTerm[] } | undefined } | undefined;
      }
    | undefined;
}

export const ZONE = "topology.kubernetes.io/zone";
export const HOST_NAME = "kubernetes.io/hostname";
const SYSTEM = "kubernetes.io/os";
/** The only field of a node that can be asked for (Kubernetes `nodeFieldSelectorValidators`). */
export const NODE_NAME = "metadata.name";
/** The system that the images are for. */
const ON_LINUX = { [SYSTEM]: "linux" };

/**
 * Whether a label's value satisfies a requirement (apimachinery `labels.Requirement.Matches`).
 *
 * @param value undefined where there is no such label.
 */
export function matches(value: string | undefined, { operator, values = [] }: Requirement): boolean {
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
      return Number.parseInt(value ?? "", 10) > Number(values[0]);
    case "Lt":
      return Number.parseInt(value ?? "", 10) < Number(values[0]);
    default:
      return false;
  }
}

/** The alternatives for nodes, the selector's labels in each of them; a single one without requirements where every node will do. */
function termsOf({ nodeSelector = {}, affinity }: NodeSelection): Required<{ [Name in keyof NodeTerm]: Requirement[] }>[] {
  const labels = Object.entries(nodeSelector).map(([key, value]) => ({ key, operator: "In", values: [value] }));
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [{}];
  return terms.map(({ matchExpressions = [], matchFields = [] }) => ({ matchExpressions: [...labels, ...matchExpressions], matchFields }));
}

/** Values that requirements of one key leave; undefined where they name none. */
function namedBy(requirements: readonly Requirement[]): string[] | undefined {
  const named = requirements.find(({ operator }) => operator === "In");
  return named?.values?.filter((value) => requirements.every((requirement) => matches(value, requirement)));
}

const ofKey = (requirements: readonly Requirement[], key: string): Requirement[] => requirements.filter((each) => each.key === key);

/** Whether any value, or none, can satisfy all requirements of one key. */
function canHold(requirements: readonly Requirement[]): boolean {
  const named = namedBy(requirements);
  if (named !== undefined) return named.length > 0;
  const bound = (operator: string) => requirements.flatMap((each) => (each.operator === operator ? [Number(each.values?.[0])] : []));
  if (Math.min(...bound("Lt")) - Math.max(...bound("Gt")) < 2) return false;
  const absent = requirements.some(({ operator }) => operator === "DoesNotExist");
  return !absent || requirements.every(({ operator }) => operator === "DoesNotExist" || operator === "NotIn");
}

function canMatch(
  { matchExpressions, matchFields }: ReturnType<typeof termsOf>[number],
  labels: Readonly<Record<string, string>>,
): boolean {
  const known = Object.entries(labels).map(([key, value]) => ({ key, operator: "In", values: [value] }));
  const holds = (requirements: readonly Requirement[]) => requirements.every(({ key }) => canHold(ofKey(requirements, key)));
  return holds([...known, ...matchExpressions]) && holds(matchFields);
}

/**
 * Whether there can be a node that takes these pods, as far as their selection alone decides.
 *
 * @param labels Labels that the node has. Default: none is known.
 * @param system Whether it runs the system that the images are for. Default: it does.
 */
export const canBeOn = (pods: NodeSelection, labels: Readonly<Record<string, string>> = {}, system: "linux" | "any" = "linux"): boolean =>
  termsOf(pods).some((term) => canMatch(term, { ...labels, ...(system === "linux" && ON_LINUX) }));

/** Of these zones, those that pods may be in. */
export const zonesFor = (pods: NodeSelection, zones: readonly string[]): string[] =>
  zones.filter((zone) => canBeOn(pods, { [ZONE]: zone }));

/** Zones that pods ask for by name. */
export const namedZones = (pods: NodeSelection): string[] => [
  ...new Set(
    termsOf(pods).flatMap(({ matchExpressions }) =>
      ofKey(matchExpressions, ZONE).flatMap(({ operator, values = [] }) => (operator === "In" ? values : [])),
    ),
  ),
];

/** Nodes that pods ask for by name, by the label `kubernetes.io/hostname` or by the field; undefined where others will do too. */
export function namedNodes(pods: NodeSelection): string[] | undefined {
  const terms = termsOf(pods).filter((term) => canMatch(term, ON_LINUX));
  const all = (named: readonly (string[] | undefined)[]) =>
    named.every((each) => each !== undefined) ? [[...new Set(named.flatMap((each) => each ?? []))]] : [];
  const [fewest] = [
    ...all(terms.map(({ matchExpressions }) => namedBy(ofKey(matchExpressions, HOST_NAME)))),
    ...all(terms.map(({ matchFields }) => namedBy(ofKey(matchFields, NODE_NAME)))),
  ].sort((one, other) => one.length - other.length);
  return fewest;
}

/** Whether a node matches a term of an affinity. One without a requirement matches none (Kubernetes `nodeaffinity.NewNodeSelector`). */
export function matchesTerm(
  { name, labels = {} }: { name?: string; labels?: Record<string, string> },
  { matchExpressions = [], matchFields = [] }: NodeTerm,
): boolean {
  return (
    matchExpressions.length + matchFields.length > 0 &&
    matchExpressions.every((requirement) => matches(labels[requirement.key], requirement)) &&
    matchFields.every((requirement) => matches(requirement.key === NODE_NAME ? name : undefined, requirement))
  );
}
