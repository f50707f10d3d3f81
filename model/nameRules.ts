import { exemptNamespace } from "./kubernetes/storage";
import { planStack } from "./plan";
import { ringOf } from "./ring/plan";
import type { Settings } from "./settings/schema";
import { LONGEST_DNS_NAME, LONGEST_LABEL } from "./values/kubernetesNames";
import type { Problem } from "./values/problem";

/**
 * Names that the program composes of what an environment chose, as far as Kubernetes or DNS would refuse them. Those of
 * StatefulSets are in `ring/rules.ts`.
 */

const namespaceOfVolumes = (settings: Settings, directories: number): Problem[] => {
  const longest = LONGEST_LABEL - exemptNamespace("").length;
  return directories === 0 || settings.namespace.length <= longest
    ? []
    : [
        {
          key: "namespace",
          value: settings.namespace,
          rule: `directories of nodes are made in a namespace ${exemptNamespace("<namespace>")}, and a namespace's name has at most ${LONGEST_LABEL} characters`,
          remedy: `at most ${longest} characters, or storage that is no directory of a node`,
        },
      ];
};

const hostOf = (address: string): string => address.replace(/:\d+$/, "").replace(/^dnssrv\+/, "");

const namesInDns = (settings: Settings, addresses: readonly string[]): Problem[] => {
  const longest = addresses.map(hostOf).reduce((most, name) => (name.length > most.length ? name : most), "");
  const over = longest.length - LONGEST_DNS_NAME;
  return over <= 0
    ? []
    : [
        {
          key: "cluster.domain",
          value: settings.cluster.domain,
          rule: `a name in DNS has at most ${LONGEST_DNS_NAME} characters, and ${longest} has ${longest.length}`,
          remedy: `a domain, namespace, zone or ring whose name is ${over} characters shorter`,
        },
      ];
};

/** Every problem of composed names; empty where Kubernetes takes all of them. */
export function nameProblems(settings: Settings): Problem[] {
  const { scheme, addresses, hostPathVolumes } = planStack(settings);
  const members = ringOf(scheme)?.rings.flatMap((ring) => ring.members.map((member) => member.address)) ?? [];
  return [...namespaceOfVolumes(settings, hostPathVolumes.length), ...namesInDns(settings, [...members, ...addresses.stores])];
}
