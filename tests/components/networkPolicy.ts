import assert from "node:assert/strict";
import { BlockList, isIPv6 } from "node:net";
import type { Manifest } from "../../commands/manifests";
import type { ProgramRun } from "../../commands/program";
import { containers, objects, type Stack, workloads } from "../harness";

/** NetworkPolicies as a network plugin reads them, written from the API's own description and not from what makes them. */

interface Peer {
  podSelector?: { matchLabels?: Record<string, string> };
  ipBlock?: { cidr: string };
  namespaceSelector?: { matchLabels?: Record<string, string>; matchExpressions?: { key: string; operator: string; values: string[] }[] };
}

interface PolicyRule {
  from?: Peer[];
  to?: Peer[];
  ports?: { protocol: string; port: number }[];
}

/** A NetworkPolicy as the API server takes it. */
export interface NetworkPolicy extends Manifest {
  spec: {
    podSelector: { matchLabels?: Record<string, string> };
    policyTypes: string[];
    ingress?: PolicyRule[];
    egress?: PolicyRule[];
  };
}

/** A pod, as a network plugin sees it. */
export interface Pod {
  namespace: string;
  labels: Record<string, string>;
  /** Its address, where an `ipBlock` is to include it. */
  address?: string;
}

/** A place outside the cluster. */
export interface Outside {
  address: string;
}

/** Whether labels are those of a selector. */
export const matches = (labels: Record<string, string>, wanted: Record<string, string> = {}) =>
  Object.entries(wanted).every(([label, value]) => labels[label] === value);

function covers(cidr: string, address: string): boolean {
  const [network = "", length = ""] = cidr.split("/");
  const family = (text: string) => (isIPv6(text) ? "ipv6" : "ipv4");
  const list = new BlockList();
  list.addSubnet(network, Number(length), family(network));
  return list.check(address, family(address));
}

/**
 * Whether a rule's peers include a pod or a place outside. A peer without a namespace selector is one of the policy's own namespace.
 */
function includes(peers: Peer[] | undefined, pod: Pod | Outside, own: string): boolean {
  if (peers === undefined || peers.length === 0) return true;
  return peers.some((peer) => {
    if (peer.ipBlock !== undefined) return pod.address !== undefined && covers(peer.ipBlock.cidr, pod.address);
    if (!("namespace" in pod)) return false;
    const selector = peer.namespaceSelector;
    const labels = { "kubernetes.io/metadata.name": pod.namespace };
    const inNamespace =
      selector === undefined
        ? pod.namespace === own
        : matches(labels, selector.matchLabels) &&
          (selector.matchExpressions ?? []).every(({ key, operator, values }) => {
            assert.equal(operator, "In");
            assert.ok(values.length > 0, "the API server refuses an empty list");
            return values.includes(labels[key as keyof typeof labels] ?? "");
          });
    return inNamespace && matches(pod.labels, peer.podSelector?.matchLabels);
  });
}

/**
 * Whether a connection passes, as networking.k8s.io/v1 says: a pod that no policy of a direction selects is open; otherwise
 * one rule of one policy must allow it.
 */
export function passes(
  policies: readonly NetworkPolicy[],
  from: Pod | Outside,
  to: Pod | Outside,
  port: number,
  protocol = "TCP",
): boolean {
  const side = (direction: "Ingress" | "Egress", pod: Pod | Outside, other: Pod | Outside) => {
    if (!("namespace" in pod)) return true;
    const selecting = policies.filter(
      ({ metadata, spec }) =>
        metadata.namespace === pod.namespace && spec.policyTypes.includes(direction) && matches(pod.labels, spec.podSelector.matchLabels),
    );
    if (selecting.length === 0) return true;
    return selecting.some(({ metadata, spec }) =>
      ((direction === "Ingress" ? spec.ingress : spec.egress) ?? []).some(
        (rule) =>
          includes(direction === "Ingress" ? rule.from : rule.to, other, metadata.namespace ?? "") &&
          (rule.ports === undefined || rule.ports.some((each) => each.port === port && each.protocol === protocol)),
      ),
    );
  };
  return side("Egress", from, to) && side("Ingress", to, from);
}

/** The policies that a run of the program made. */
export const policiesOf = (made: ProgramRun) => objects(made, "NetworkPolicy") as NetworkPolicy[];

/** The components of the stack: their pods, and the ports that those open. */
export function partsOf(made: ProgramRun, stack: Stack): Map<string, { pod: Pod; ports: number[] }> {
  return new Map(
    workloads(made)
      .filter((workload) => workload.kind !== "Job")
      .map((workload) => {
        const labels = workload.spec.template.metadata.labels;
        const ports = containers(workload).flatMap((each) => (each.ports ?? []).map((port) => port.containerPort));
        return [labels["app.kubernetes.io/component"] ?? "", { pod: { namespace: `thanos-${stack}`, labels }, ports }];
      }),
  );
}
