import { isDeepStrictEqual } from "node:util";
import type { Extra } from "../settings/extra";
import { type Affinity, type PodSettings, podsOver, type ServiceSettings } from "../settings/pods";
import { ringsOf } from "../settings/rings";
import type { Settings } from "../settings/schema";
import { type ComponentSettings, type NamedComponent, setComponents } from "./components";

/** An environment's choices for the objects of a component, beside what the component itself needs. */
export interface Choices {
  pods: ChosenPods;
  /** Flags, variables, volumes and containers that the environment adds. */
  extra: Extra;
  services: ChosenServices;
}

/** Labels and annotations of a component's Services, and the IP families of their addresses where somebody chose. */
export interface ChosenServices extends Omit<ServiceSettings, "labels" | "annotations"> {
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

/** Where a component's pods run and what they are marked with. */
export interface ChosenPods extends Omit<PodSettings, "labels" | "annotations" | "serviceAccountAnnotations" | "priorityClass"> {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  serviceAccountAnnotations: Record<string, string>;
  /** The component's own PriorityClass, which goes before the one that its pods have for their samples. */
  priorityClass: string | undefined;
  /** The stack's PriorityClass, for pods without another. */
  commonPriorityClass: string | undefined;
}

/** A component's own part of the settings, as far as it chooses for objects. */
interface Own {
  pods?: PodSettings;
  services?: ServiceSettings;
  extra?: Extra;
}

/**
 * The stack's choices and a component's own over them: labels and annotations joined name by name, of every other key the component's.
 *
 * @param own The component's part of the settings. Default: nothing of its own.
 */
export function choicesFor({ pods: common, services }: Pick<Settings, "pods" | "services">, own: Own = {}): Choices {
  return {
    pods: {
      labels: {},
      annotations: {},
      serviceAccountAnnotations: {},
      ...podsOver(common, own.pods),
      priorityClass: own.pods?.priorityClass,
      commonPriorityClass: common.priorityClass,
    },
    extra: own.extra ?? {},
    services: {
      ...services,
      ...own.services,
      labels: { ...services.labels, ...own.services?.labels },
      annotations: { ...services.annotations, ...own.services?.annotations },
    },
  };
}

/** Whoever may choose for objects in the settings: the stack for all, a component or a ring of receivers for its own. */
export interface Chooser extends Own {
  /** Its key with a dot behind it; empty for the stack. */
  key: string;
  /** Undefined for the stack. */
  component?: NamedComponent;
  storage?: ComponentSettings["storage"];
}

/** Everybody who may choose in an environment's settings: the stack, components in effect or not, and rings behind `receive`. */
export function choosers(settings: Settings): Chooser[] {
  const { pods, services, receive } = settings;
  const chooser = (component: NamedComponent, key: string, own: Own & Pick<Chooser, "storage">): Chooser => ({
    key: `${key}.`,
    component,
    pods: own.pods,
    services: own.services,
    storage: own.storage,
  });
  const rings = (component: NamedComponent): Chooser[] =>
    receive === undefined
      ? []
      : receive.hashrings.map(({ pods: own }, index) =>
          chooser(component, `receive.hashrings[${index}]`, { pods: own, storage: ringsOf(receive, settings)[index]?.storage }),
        );
  return [
    { key: "", pods, services },
    ...setComponents(settings).flatMap(({ own, ...component }) => [
      chooser(component, component.key, own),
      ...(component.name === "receive" ? rings(component) : []),
    ]),
  ];
}

/** The jobs that make directories: on the node of each, whatever it is tainted with, and with an image of the same registry. */
export function directoryJobPods(settings: Settings): ChosenPods {
  const { pods } = choicesFor(settings);
  const all = [settings.pods, ...choosers(settings).flatMap(({ component, pods: own }) => (component?.mayHaveDirectories ? [own] : []))];
  return {
    ...pods,
    tolerations: once(all.flatMap((each) => each?.tolerations ?? [])),
    imagePullSecrets: once(all.flatMap((each) => each?.imagePullSecrets ?? [])),
    nodeSelector: undefined,
    affinity: undefined,
    topologySpread: undefined,
    runtimeClass: undefined,
  };
}

const once = <Entry>(entries: readonly Entry[]): Entry[] =>
  entries.filter((entry, index) => entries.findIndex((other) => isDeepStrictEqual(other, entry)) === index);

/** As much of a pod's spec as choices change. */
interface PodSpec {
  affinity?: object;
  priorityClassName?: unknown;
  topologySpreadConstraints?: unknown;
}

/** A pod's spec with what was chosen. Keys that nobody chose are absent. */
export function chosenSpec<Spec extends PodSpec>(spec: Spec, pods: ChosenPods, selector: Readonly<Record<string, string>>): Spec {
  const { tolerations = [], nodeSelector = {}, topologySpread = [], imagePullSecrets = [], runtimeClass } = pods;
  const priorityClassName = pods.priorityClass ?? spec.priorityClassName ?? pods.commonPriorityClass;
  const spread = [
    ...((spec.topologySpreadConstraints ?? []) as object[]),
    ...topologySpread.map((each) => ({ ...each, labelSelector: { matchLabels: selector } })),
  ];
  return {
    ...spec,
    ...(pods.affinity === undefined ? {} : { affinity: bothAffinities(spec.affinity ?? {}, pods.affinity) }),
    ...(spread.length === 0 ? {} : { topologySpreadConstraints: spread }),
    ...(priorityClassName === undefined ? {} : { priorityClassName }),
    ...(tolerations.length === 0 ? {} : { tolerations }),
    ...(Object.keys(nodeSelector).length === 0 ? {} : { nodeSelector }),
    ...(imagePullSecrets.length === 0 ? {} : { imagePullSecrets: imagePullSecrets.map((name) => ({ name })) }),
    ...(runtimeClass === undefined ? {} : { runtimeClassName: runtimeClass }),
  };
}

const REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution" as const;
const PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution";

/**
 * Both at once. Terms for nodes are alternatives and what is in one holds together, so every pair of terms makes one; terms for pods hold
 * together anyway, and so do preferences.
 */
export function bothAffinities(ours: Affinity, theirs: Affinity): Affinity {
  const nodes = bothNodeAffinities(ours.nodeAffinity, theirs.nodeAffinity);
  const affinity = bothPodAffinities(ours.podAffinity, theirs.podAffinity);
  const antiAffinity = bothPodAffinities(ours.podAntiAffinity, theirs.podAntiAffinity);
  return {
    ...(nodes === undefined ? {} : { nodeAffinity: nodes }),
    ...(affinity === undefined ? {} : { podAffinity: affinity }),
    ...(antiAffinity === undefined ? {} : { podAntiAffinity: antiAffinity }),
  };
}

function bothNodeAffinities(ours: Affinity["nodeAffinity"], theirs: Affinity["nodeAffinity"]): Affinity["nodeAffinity"] {
  if (ours === undefined || theirs === undefined) return ours ?? theirs;
  const [first, second] = [ours[REQUIRED]?.nodeSelectorTerms, theirs[REQUIRED]?.nodeSelectorTerms];
  const terms =
    first === undefined || second === undefined
      ? (first ?? second)
      : first.flatMap((one) =>
          second.map((other) => ({
            ...joined("matchExpressions", one.matchExpressions, other.matchExpressions),
            ...joined("matchFields", one.matchFields, other.matchFields),
          })),
        );
  return {
    ...(terms === undefined ? {} : { [REQUIRED]: { nodeSelectorTerms: terms } }),
    ...joined(PREFERRED, ours[PREFERRED], theirs[PREFERRED]),
  };
}

function bothPodAffinities(ours: Affinity["podAffinity"], theirs: Affinity["podAffinity"]): Affinity["podAffinity"] {
  if (ours === undefined || theirs === undefined) return ours ?? theirs;
  return { ...joined(REQUIRED, ours[REQUIRED], theirs[REQUIRED]), ...joined(PREFERRED, ours[PREFERRED], theirs[PREFERRED]) };
}

const joined = <Name extends string, Entry>(name: Name, ours: readonly Entry[] = [], theirs: readonly Entry[] = []) =>
  (ours.length + theirs.length === 0 ? {} : { [name]: [...ours, ...theirs] }) as { [Key in Name]?: Entry[] };
