import type { Manifest } from "./addons";
import type { Paths } from "./paths";
import { kubeconfigOf } from "./pki";
import { type NodePlan, SERVICE_NETWORK } from "./topology";

/**
 * Enforcement of NetworkPolicies in the sandbox: kube-router's firewall on each node. It keeps them as chains (KUBE-ROUTER-*,
 * KUBE-POD-FW-*, KUBE-NWPLCY-*) and ipsets of the node's network namespace, and goes with that.
 */

/** The name of its program, certificate and rights. */
export const POLICY_AGENT = "kube-router";

const labels = { "app.kubernetes.io/part-of": "thanos-stack-sandbox" };

/** Its rights to read. Source: kube-router v2.1.0 daemonset/kube-router-firewall-daemonset.yaml and what its informers watch. */
export function policyAgentRights(): Manifest[] {
  const role = "system:kube-router";
  const verbs = ["get", "list", "watch"];
  return [
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name: role, labels },
      rules: [
        { apiGroups: [""], resources: ["namespaces", "pods", "nodes", "services", "endpoints"], verbs },
        { apiGroups: ["networking.k8s.io"], resources: ["networkpolicies"], verbs },
        { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs },
      ],
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: role, labels },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "system:kube-router" }],
    },
  ];
}

/** How it is called on a node. */
export function policyAgentCommand(where: Paths, node: NodePlan): string {
  return [
    `${where.bin}/${POLICY_AGENT} --kubeconfig=${kubeconfigOf(where, POLICY_AGENT)} --hostname-override=${node.name}`,
    "--run-firewall=true --run-router=false --run-service-proxy=false",
    `--service-cluster-ip-range=${SERVICE_NETWORK} --health-port=0 --metrics-port=0`,
  ].join(" ");
}

/** Shell lines that leave nothing of a node that was killed in its network namespace: a machine that boots has no rules. */
export const FORGET_POLICIES = `printf '*filter\\n:INPUT ACCEPT\\n:FORWARD ACCEPT\\n:OUTPUT ACCEPT\\nCOMMIT\\n' | iptables-restore --wait
ipset destroy`;

/** A shell command that succeeds when the policies have been put in place once: a whole pass ends with this rule. */
export const POLICIES_IN_PLACE = "iptables --wait -S KUBE-ROUTER-FORWARD 2>/dev/null | grep -q -- '--mark 0x20000/0x20000 -j ACCEPT'";
