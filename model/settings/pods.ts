import { z } from "zod";
import { isLabelValue, isQualifiedName } from "../values/kubernetesNames";
import { annotations, count, form, objectName } from "./forms";

/** Where pods may run and what they and their Services are marked with: its schemas. Fields have Kubernetes' own names and forms. */

const labelName = form(isQualifiedName, "a label's name, such as team or example.com/team");
const labelValue = form((text) => text === "" || isLabelValue(text), "a label's value: at most 63 letters, digits, '-', '_' and '.'");

/** The keys within are Kubernetes' own, and documented there. */
const KUBERNETES = { foreign: true };

/** Labels by name. */
export const labels = z.record(labelName, labelValue);

/** Which values a label may have (Kubernetes `ValidateLabelSelectorRequirement`). */
const selectorRequirement = z
  .strictObject({ key: labelName, operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist"]), values: z.array(labelValue).optional() })
  .refine(
    ({ operator, values = [] }) => operator.includes("In") === values.length > 0,
    "In and NotIn with one value at least, Exists and DoesNotExist without",
  );

/** The same of a node, whose labels may be compared as numbers too (Kubernetes `ValidateNodeSelectorRequirement`). */
const nodeRequirement = z
  .strictObject({
    key: labelName,
    operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]),
    values: z.array(labelValue).optional(),
  })
  .refine(({ operator, values = [] }) => {
    if (operator === "Gt" || operator === "Lt") return values.length === 1 && /^-?\d+$/.test(values[0] ?? "");
    return operator.includes("In") === values.length > 0;
  }, "In and NotIn with one value at least, Gt and Lt with one whole number in quotes, Exists and DoesNotExist without");

/** The only field of a node that can be asked for is its name (Kubernetes `ValidateNodeFieldSelectorRequirement`). */
const nodeField = z.strictObject({
  key: z.literal("metadata.name"),
  operator: z.enum(["In", "NotIn"]),
  values: z.array(objectName).length(1),
});

const nodeTerm = z
  .strictObject({ matchExpressions: z.array(nodeRequirement).optional(), matchFields: z.array(nodeField).optional() })
  .refine(
    ({ matchExpressions = [], matchFields = [] }) => matchExpressions.length + matchFields.length > 0,
    "a term with one requirement at least: an empty one matches no node",
  );

/** Which labels an object must have, as Kubernetes writes it. */
export const labelSelector = z.strictObject({ matchLabels: labels.optional(), matchExpressions: z.array(selectorRequirement).optional() });

const podTerm = z.strictObject({
  labelSelector: labelSelector.optional(),
  topologyKey: labelName,
  namespaces: z.array(objectName).optional(),
  namespaceSelector: labelSelector.optional(),
  matchLabelKeys: z.array(labelName).optional(),
  mismatchLabelKeys: z.array(labelName).optional(),
});

const weight = count(1, 100);
const podTerms = z.strictObject({
  requiredDuringSchedulingIgnoredDuringExecution: z.array(podTerm).optional(),
  preferredDuringSchedulingIgnoredDuringExecution: z.array(z.strictObject({ weight, podAffinityTerm: podTerm })).optional(),
});

const affinity = z.strictObject({
  nodeAffinity: z
    .strictObject({
      requiredDuringSchedulingIgnoredDuringExecution: z.strictObject({ nodeSelectorTerms: z.array(nodeTerm).min(1) }).optional(),
      preferredDuringSchedulingIgnoredDuringExecution: z.array(z.strictObject({ weight, preference: nodeTerm })).optional(),
    })
    .optional(),
  podAffinity: podTerms.optional(),
  podAntiAffinity: podTerms.optional(),
});

const toleration = z
  .strictObject({
    key: labelName.optional(),
    operator: z.enum(["Equal", "Exists"]).optional(),
    value: labelValue.optional(),
    effect: z.enum(["NoSchedule", "PreferNoSchedule", "NoExecute"]).optional(),
    tolerationSeconds: z.int().min(0).optional(),
  })
  .refine(({ key, operator }) => key !== undefined || operator === "Exists", "a key, or operator Exists for every taint")
  .refine(({ operator, value = "" }) => operator !== "Exists" || value === "", "no value beside operator Exists")
  .refine(
    ({ effect, tolerationSeconds }) => tolerationSeconds === undefined || effect === "NoExecute",
    "tolerationSeconds with effect NoExecute only",
  );

const honoured = z.enum(["Honor", "Ignore"]).optional();
const spread = z
  .strictObject({
    topologyKey: labelName,
    maxSkew: count(1, 100).default(1),
    whenUnsatisfiable: z.enum(["DoNotSchedule", "ScheduleAnyway"]).default("ScheduleAnyway"),
    minDomains: count(1, 1_000).optional(),
    nodeAffinityPolicy: honoured,
    nodeTaintsPolicy: honoured,
  })
  .refine(
    ({ minDomains, whenUnsatisfiable }) => minDomains === undefined || whenUnsatisfiable === "DoNotSchedule",
    "minDomains with whenUnsatisfiable DoNotSchedule only",
  );

/** Highest number of a user (apimachinery `util/validation` `IsValidUserID`). */
const LARGEST_USER = 2_147_483_647;

const podsShape = z.strictObject({
  tolerations: z
    .array(toleration)
    .meta(KUBERNETES)
    .optional()
    .describe("Taints of nodes that pods bear, as Kubernetes writes them: `- { key: dedicated, value: monitoring, effect: NoSchedule }`."),
  nodeSelector: labels
    .optional()
    .describe(
      "Labels that a node must have. What survives a loss is proven for as many such nodes, in as many zones, as the plan counts on, which the preview " +
        "says; `ci:preview` looks for them in the cluster, and warns of pods that would stay Pending and of zones without such nodes. " +
        "`topology.kubernetes.io/zone`: with `cluster.zones` one of them, and pods that are in one zone are lost with it. " +
        "`kubernetes.io/hostname`: one node, which pods with hard anti-affinity can't share.",
    ),
  affinity: affinity
    .meta(KUBERNETES)
    .optional()
    .describe(
      "Kubernetes' affinity, beside the stack's own: requirements hold together, preferences are added. What is required of nodes counts as " +
        "`nodeSelector` does.",
    ),
  topologySpread: z
    .array(spread)
    .meta(KUBERNETES)
    .optional()
    .describe(
      "Further topology spread constraints, as Kubernetes writes them, without a `labelSelector`: a workload's own pods are counted. `maxSkew` is 1 " +
        "and `whenUnsatisfiable` `ScheduleAnyway` where they are left out.",
    ),
  labels: labels.optional().describe("Labels of the pods, by which nothing is selected. Not those that the stack sets."),
  annotations: annotations.optional().describe("Annotations of the pods."),
  imagePullSecrets: z
    .array(objectName)
    .optional()
    .describe(
      "Names of Secrets (`kubernetes.io/dockerconfigjson`) with logins of registries. They are there already, in the stack's namespace; with " +
        "hostPath storage in `<namespace>-volumes` too.",
    ),
  priorityClass: objectName
    .optional()
    .describe("A PriorityClass that exists. One of a component goes before `dataPriority`, that of the stack behind it."),
  runtimeClass: objectName.optional().describe("A RuntimeClass that exists."),
  user: z
    .union([count(1, LARGEST_USER), z.literal("cluster")])
    .optional()
    .describe(
      "Number of the user and group of the pods and of their volumes; `cluster`: none is named, where the cluster assigns one, as OpenShift does. " +
        "Left out: the image's own. Not with hostPath storage, whose directories belong to that one.",
    ),
  serviceAccountAnnotations: annotations
    .optional()
    .describe(
      "Annotations of the service accounts, such as `eks.amazonaws.com/role-arn`; beside those of `objectStorage.serviceAccountAnnotations` and " +
        "`prometheus.serviceAccountAnnotations`, and over them.",
    ),
});

/** Schema of `pods`, of the stack and of a component. */
export const pods = podsShape.prefault({}).meta({
  shared: "pods",
  id: "pods",
  description:
    "Where pods run and what they are marked with: the stack's key holds for every pod, a component's for its own. Labels and annotations are " +
    "joined name by name, and a component's win; of every other key the component's replaces the stack's.",
});

/** Schema of `services`, of the stack and of a component. */
export const services = z
  .strictObject({
    labels: labels.optional().describe("Labels, not those that the stack sets."),
    annotations: annotations.optional().describe("Annotations, such as those of a service mesh."),
    ipFamilyPolicy: z
      .enum(["SingleStack", "PreferDualStack", "RequireDualStack"])
      .optional()
      .describe(
        "Whether Services have addresses of both families, as [Kubernetes has it](operations.md#ipv6-and-both-families). Left out: the " +
          "cluster's first family alone.",
      ),
    ipFamilies: z
      .array(z.enum(["IPv4", "IPv6"]))
      .min(1)
      .refine((families) => new Set(families).size === families.length, "every family once")
      .meta({ uniqueItems: true })
      .optional()
      .describe("Families of their addresses, the first of which never changes while a Service exists. Left out: the cluster's own order."),
  })
  .prefault({})
  .meta({
    shared: "services",
    id: "services",
    description:
      "Labels, annotations and families of addresses of Services: the stack's of every Service, a component's of its own. Labels and annotations are " +
      "joined name by name, and a component's win; of every other key the component's replaces the stack's.",
  });

/** Schema of `namespaceMetadata`. */
export const namespaceMetadata = z
  .strictObject({
    labels: labels.optional().describe("Labels, not those that the stack or Pod Security sets."),
    annotations: annotations.optional().describe("Annotations, such as those of a backup or of a project."),
  })
  .prefault({})
  .describe("Labels and annotations of the namespaces that the program makes.");

/** Where pods run and what they are marked with. */
export type PodSettings = z.output<typeof pods>;
/**
 * Choices laid over others: labels and annotations joined name by name, and of every other key those that are laid over.
 *
 * @param own Default: none.
 */
export function podsOver(common: PodSettings, own: PodSettings = {}): PodSettings {
  const joined = (["labels", "annotations", "serviceAccountAnnotations"] as const).flatMap((key) =>
    common[key] === undefined && own[key] === undefined ? [] : [[key, { ...common[key], ...own[key] }]],
  );
  return { ...common, ...own, ...Object.fromEntries(joined) };
}
/** Labels and annotations of Services. */
export type ServiceSettings = z.output<typeof services>;
/** Affinity as Kubernetes has it. */
export type Affinity = z.output<typeof affinity>;
