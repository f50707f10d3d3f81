import { RESTARTED_AT } from "../settings/rollout";
import type { Settings } from "../settings/schema";
import type { Problem } from "../values/problem";
import { type Chooser, choosers } from "./choices";
import { commonLabels } from "./labels";
import { ZONE } from "./nodeSelection";
import { placementProblems } from "./placementRules";
import { POD_INDEX_LABEL } from "./pod";

/** Where pods run and what objects are marked with, against what the program itself sets. */

/** Labels that the stack sets on its objects, and selects by. */
const OWN_LABELS = Object.keys(commonLabels({ app: "", component: "namespace" }, ""));
/** Labels that Kubernetes itself sets on pods, those of Jobs too (pkg/apis/batch/types.go). */
const KUBERNETES_LABELS = [
  POD_INDEX_LABEL,
  ...["controller-uid", "job-completion-index", "job-name"].map((name) => `batch.kubernetes.io/${name}`),
  "controller-uid",
  "controller-revision-hash",
  "job-name",
  "pod-template-hash",
  "statefulset.kubernetes.io/pod-name",
];
const POD_SECURITY = "pod-security.kubernetes.io/";
/** The label of each namespace that is its name (Kubernetes `pkg/registry/core/namespace`): the API server writes over any other. */
const NAMESPACE_NAME = "kubernetes.io/metadata.name";

/** Every problem of what pods, Services and namespaces are given beside what they need; empty where there is none. */
export function choiceProblems(settings: Settings): Problem[] {
  const { namespaceMetadata, existingNamespace } = settings;
  const all = choosers(settings);
  return [
    ...all.flatMap((chosen) => [
      ...taken(`${chosen.key}pods.labels`, chosen.pods?.labels, [...OWN_LABELS, ...KUBERNETES_LABELS]),
      ...taken(`${chosen.key}pods.annotations`, chosen.pods?.annotations, [RESTARTED_AT]),
      ...taken(`${chosen.key}services.labels`, chosen.services?.labels, OWN_LABELS),
      ...ofTheEngine(`${chosen.key}pods.annotations`, chosen.pods?.annotations),
      ...ofTheEngine(`${chosen.key}pods.serviceAccountAnnotations`, chosen.pods?.serviceAccountAnnotations),
      ...ofTheEngine(`${chosen.key}services.annotations`, chosen.services?.annotations),
      ...zonesAreSpreadOnce(chosen, settings),
      ...familiesFitTheirPolicy(chosen, settings),
    ]),
    ...placementProblems(settings),
    ...ofTheEngine("objectStorage.serviceAccountAnnotations", settings.objectStorage?.serviceAccountAnnotations),
    ...ofTheEngine("prometheus.serviceAccountAnnotations", settings.prometheus.serviceAccountAnnotations),
    ...ofTheEngine("namespaceMetadata.annotations", namespaceMetadata.annotations),
    ...receiversHaveOneAccount(settings),
    ...directoriesHaveTheirUser(all, settings),
    ...taken("namespaceMetadata.labels", namespaceMetadata.labels, [...OWN_LABELS, NAMESPACE_NAME]),
    ...Object.entries(namespaceMetadata.labels ?? {})
      .filter(([name]) => name.startsWith(POD_SECURITY))
      .map(([name, value]) => ({
        key: `namespaceMetadata.labels.${name}`,
        value,
        rule: "the stack's own namespace enforces Pod Security restricted, which every pod of it satisfies",
        remedy: `labels that don't begin with ${POD_SECURITY}, or existingNamespace with a namespace of one's own`,
      })),
    ...(existingNamespace && Object.values(namespaceMetadata).some((marks) => Object.keys(marks ?? {}).length > 0)
      ? [
          {
            key: "namespaceMetadata",
            value: namespaceMetadata,
            rule: "the namespace is somebody else's (existingNamespace), and nothing of it is changed",
            remedy: "the key left out, or no existingNamespace",
          },
        ]
      : []),
  ];
}

/** Names that somebody else gives a value. */
function taken(key: string, chosen: Readonly<Record<string, string>> | undefined, names: readonly string[]): Problem[] {
  return Object.entries(chosen ?? {})
    .filter(([name]) => names.includes(name))
    .map(([name, value]) => ({
      key: `${key}.${name}`,
      value,
      rule: "the stack or Kubernetes itself sets this, and finds objects by it",
      remedy: `a name that is none of ${names.join(", ")}`,
    }));
}

/** Annotations that tell the engine's provider how to make and remove an object. */
const OF_THE_ENGINE = "pulumi.com/";

function ofTheEngine(key: string, chosen: Readonly<Record<string, string>> | undefined): Problem[] {
  return Object.entries(chosen ?? {})
    .filter(([name]) => name.startsWith(OF_THE_ENGINE))
    .map(([name, value]) => ({
      key: `${key}.${name}`,
      value,
      rule: "the Kubernetes provider of Pulumi acts by this, and the stack has decided how its objects are made and awaited",
      remedy: `a name that does not begin with ${OF_THE_ENGINE}`,
    }));
}

/** Kubernetes refuses two constraints of one topology that both forbid to schedule. */
function zonesAreSpreadOnce({ key, pods }: Chooser, { cluster }: Settings): Problem[] {
  const spread = pods?.topologySpread ?? [];
  const twice = spread.filter((one, index) =>
    spread.some(
      (other, before) => before < index && other.topologyKey === one.topologyKey && other.whenUnsatisfiable === one.whenUnsatisfiable,
    ),
  );
  const forced = spread.filter(
    ({ topologyKey, whenUnsatisfiable }) => cluster.zones.length > 0 && topologyKey === ZONE && whenUnsatisfiable === "DoNotSchedule",
  );
  return [
    ...twice.map((value) => ({
      key: `${key}pods.topologySpread`,
      value,
      rule: "Kubernetes takes one constraint for each topologyKey and whenUnsatisfiable",
      remedy: "each pair once",
    })),
    ...forced.map((value) => ({
      key: `${key}pods.topologySpread`,
      value,
      rule: "with cluster.zones pods are spread evenly over the zones by force already",
      remedy: "another topologyKey",
    })),
  ];
}

/** The API server refuses two families of a Service with one, and a headless Service has what it publishes from here too. */
function familiesFitTheirPolicy({ key, services }: Chooser, { services: common }: Settings): Problem[] {
  if (services?.ipFamilies === undefined && services?.ipFamilyPolicy === undefined) return [];
  const { ipFamilies = [], ipFamilyPolicy = "SingleStack" } = { ...common, ...services };
  return ipFamilies.length < 2 || ipFamilyPolicy !== "SingleStack"
    ? []
    : [
        {
          key: `${key}services.ipFamilies`,
          value: ipFamilies,
          rule: "a Service of a single family has one (services.ipFamilyPolicy, which is SingleStack where it is left out)",
          remedy: "one family, or services.ipFamilyPolicy PreferDualStack or RequireDualStack",
        },
      ];
}

const receiversHaveOneAccount = ({ receive }: Settings): Problem[] => {
  const others = [
    { key: "receive.routers", who: "routers", pods: receive?.routers.pods },
    ...(receive?.hashrings ?? []).map(({ pods }, index) => ({ key: `receive.hashrings[${index}]`, who: "receivers of every ring", pods })),
  ];
  return others.flatMap(({ key, who, pods }) =>
    pods?.serviceAccountAnnotations === undefined
      ? []
      : [
          {
            key: `${key}.pods.serviceAccountAnnotations`,
            value: pods.serviceAccountAnnotations,
            rule: `${who} run under the receivers' service account`,
            remedy: "receive.pods.serviceAccountAnnotations",
          },
        ],
  );
};

/** Directories of nodes are made for the users of the images, before anybody else could say who he is. */
function directoriesHaveTheirUser(all: readonly Chooser[], { pods: common, objectStorage, receive }: Settings): Problem[] {
  const shared = objectStorage?.filesystem !== undefined;
  // A ring's own storage may be directories where that of `receive` is none.
  const ofReceivers = receive?.pods.user === undefined ? {} : { user: receive.pods.user, key: "receive.pods.user" };
  return all.flatMap(({ key, pods, storage, component }) => {
    const isInBucket = shared && component?.mayHaveDirectories;
    const ofAll = key.startsWith("receive.hashrings")
      ? { user: common.user, key: "pods.user", ...ofReceivers }
      : { user: common.user, key: "pods.user" };
    const user = pods?.user ?? ofAll.user;
    if (user === undefined || (storage?.hostPath === undefined && !isInBucket)) return [];
    return [
      {
        key: pods?.user === undefined ? ofAll.key : `${key}pods.user`,
        value: user,
        rule: `directories of nodes belong to the image's own user, and ${key.slice(0, -1)} has one`,
        remedy: "the key left out, or storage by pvc",
      },
    ];
  });
}
