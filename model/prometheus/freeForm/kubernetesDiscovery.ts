import {
  atMostOne,
  type Check,
  type Fields,
  type Form,
  fieldsOf,
  filledText,
  finding,
  flag,
  isSet,
  list,
  object,
  objectsOf,
  required,
  text,
  textOf,
  url,
  word,
} from "./form";
import { customisesHttp, httpClientFields, overHttp } from "./httpClient";
import { labelSelector } from "./labelSelector";

/**
 * Prometheus' discovery of what is in Kubernetes. Source: prometheus v0.314.0 discovery/kubernetes/kubernetes.go
 * (`SDConfig` and its `UnmarshalYAML`).
 */

/** The roles of Kubernetes' discovery. */
export const KUBERNETES_ROLES = ["node", "pod", "service", "endpoints", "endpointslice", "ingress"] as const;
/** Kind of object by which targets are found. */
export type KubernetesRole = (typeof KUBERNETES_ROLES)[number];

const SELECTORS: Readonly<Record<KubernetesRole, readonly string[]>> = {
  node: ["node"],
  pod: ["pod", "node"],
  service: ["service"],
  endpoints: ["pod", "service", "endpoints"],
  endpointslice: ["pod", "service", "endpointslice"],
  ingress: ["ingress"],
};

const kubernetesFits: Check = (value) => {
  const other = isSet(value.api_server) ? "api_server" : isSet(value.kubeconfig_file) ? "kubeconfig_file" : undefined;
  const role = textOf(value, "role");
  const allowed = Object.hasOwn(SELECTORS, role) ? SELECTORS[role as KubernetesRole] : undefined;
  const selectors = objectsOf(value, "selectors");
  return [
    ...atMostOne("api_server", "kubeconfig_file")(value),
    ...(customisesHttp(value) && !isSet(value.api_server)
      ? finding(
          "(set)",
          isSet(value.kubeconfig_file)
            ? "kubeconfig_file says how its API server is reached"
            : "fields of the HTTP client are for an api_server that is named",
          "these fields left out: discovery uses the pod's own service account",
          Object.keys(httpClientFields).find((name) => isSet(value[name]) || value[name] === false) ?? "api_server",
        )
      : []),
    ...(other !== undefined && fieldsOf(value, "namespaces").own_namespace === true
      ? finding(
          true,
          `own_namespace is a namespace of this cluster, and ${other} names another`,
          "own_namespace left out",
          "namespaces",
          "own_namespace",
        )
      : []),
    ...(allowed === undefined
      ? []
      : selectors.flatMap(([index, selector]) => {
          const of = textOf(selector, "role");
          const twice = selectors.some(([before, each]) => before < index && each.role === selector.role);
          return twice
            ? finding(of, "one selector for each role", "another role, or one selector", "selectors", index, "role")
            : allowed.includes(of)
              ? []
              : finding(of, `role ${role} has no such selector`, allowed.join(", "), "selectors", index, "role");
        })),
  ];
};

/** The discovery itself. */
export const kubernetesDiscovery: Form = overHttp(
  {
    api_server: url,
    role: word(...KUBERNETES_ROLES),
    kubeconfig_file: text,
    namespaces: object({ own_namespace: flag, names: list(filledText) }),
    selectors: list(object({ role: text, label: labelSelector, field: fieldSelector })),
    attach_metadata: object({ node: flag, namespace: flag, deployment: flag, job: flag, cronjob: flag }),
  },
  required("role"),
  kubernetesFits,
);

/** A selector by fields, such as `metadata.name=shop,status.phase!=Running` (apimachinery fields/selector.go `parseSelector`). */
function fieldSelector(value: unknown) {
  const terms = typeof value === "string" ? value.replaceAll(/\\./g, "").split(",") : [];
  return terms.some((term) => term !== "" && !term.includes("="))
    ? finding(value, "a selector by fields compares: field=value or field!=value", "such a selector, parts with a comma between")
    : text(value);
}

/** A discovery of Kubernetes as a job has it, as far as rights follow from it. */
export interface KubernetesDiscovery {
  role: KubernetesRole;
  /** Namespaces in which it looks; undefined for all of them. Its own is named by `ownNamespace`. */
  namespaces: string[] | undefined;
  ownNamespace: boolean;
  /** Metadata of other objects that it attaches to targets. */
  attach: { namespace: boolean; deployment: boolean; jobs: boolean };
}

/** The discoveries of a scrape config that ask this cluster's API server as Prometheus' own service account, with their places. */
export function kubernetesDiscoveries(job: Fields): [number, KubernetesDiscovery][] {
  return objectsOf(job, "kubernetes_sd_configs").flatMap(([index, each]): [number, KubernetesDiscovery][] => {
    const role = KUBERNETES_ROLES.find((known) => known === each.role);
    if (role === undefined || isSet(each.api_server) || isSet(each.kubeconfig_file)) return [];
    const namespaces = fieldsOf(each, "namespaces");
    const names = Array.isArray(namespaces.names) ? namespaces.names.filter((name) => typeof name === "string") : [];
    const ownNamespace = namespaces.own_namespace === true;
    const attach = fieldsOf(each, "attach_metadata");
    return [
      [
        index,
        {
          role,
          namespaces: names.length === 0 && !ownNamespace ? undefined : names,
          ownNamespace,
          attach: {
            namespace: attach.namespace === true,
            deployment: attach.deployment === true,
            jobs: attach.job === true || attach.cronjob === true,
          },
        },
      ],
    ];
  });
}
