import assert from "node:assert/strict";
import { FIREWALL } from "../../sandbox/network";
import { policyAgentRights } from "../../sandbox/networkPolicies";
import { cniConfig, containerdConfig, initScript } from "../../sandbox/node";
import { paths } from "../../sandbox/paths";
import { CERTIFICATES } from "../../sandbox/pki";
import { BRIDGE, NODES, nodePlan } from "../../sandbox/topology";
import { CLUSTER_TOOLS } from "../../sandbox/up";

const where = paths({});

describe("sandbox network policies", () => {
  const script = initScript(where, nodePlan(2));
  const at = (text: string | RegExp): number => {
    const found = typeof text === "string" ? script.indexOf(text) : script.search(text);
    assert.ok(found >= 0, `${text} in\n${script}`);
    return found;
  };

  it("are enforced on a node before the pods' network is there, and begin with nothing of the node's last life", () => {
    assert.match(
      script,
      /kube-router --kubeconfig=\S+ --hostname-override=node2 --run-firewall=true --run-router=false --run-service-proxy=false/,
    );
    const order = [
      at("iptables-restore"),
      at("ipset destroy"),
      at("/kubelet "),
      at("/kube-router "),
      at(/until iptables .*KUBE-ROUTER-FORWARD/),
      at(".conflist"),
    ];
    assert.deepEqual(
      order,
      [...order].sort((a, b) => a - b),
    );
    // The one directory that it is copied to is the one that containerd reads.
    const [, directory] = /conf_dir = "([^"]+)"/.exec(containerdConfig(where, nodePlan(2), "/usr/lib/cni")) ?? [];
    assert.ok(directory !== undefined && script.includes(`.conflist ${directory}/`), directory);
    assert.ok(directory.startsWith("/run/"), "it is gone when the node is");
    assert.ok(JSON.stringify(cniConfig(nodePlan(2))).includes("ptp"));
  });

  it("are read by an account of their own that may change nothing", () => {
    assert.ok(CLUSTER_TOOLS.includes("kubeRouter"));
    const user = CERTIFICATES.find(({ name }) => name === "kube-router");
    assert.equal(user?.organization, undefined);
    const [role, binding] = policyAgentRights() as unknown as [{ rules: { verbs: string[] }[] }, { subjects: { name: string }[] }];
    assert.deepEqual([...new Set(role.rules.flatMap(({ verbs }) => verbs))].sort(), ["get", "list", "watch"]);
    assert.deepEqual(
      binding.subjects.map(({ name }) => name),
      [user?.commonName],
    );
  });
});

describe("sandbox firewall", () => {
  interface Packet {
    chain: "FORWARD" | "INPUT";
    from: string;
    to: string;
    answer?: boolean;
    own?: boolean;
  }
  /** Verdicts of the rules on a packet; none: what the machine does by itself. Several that differ would depend on their order. */
  const verdicts = ({ chain, from, to, answer = false, own = false }: Packet): string[] => {
    const applies = (rule: readonly string[]): boolean => {
      const words = rule.join(" ");
      const input = / ?(! )?-i (\S+)/.exec(words);
      const output = /-o (\S+)/.exec(words);
      const destination = /-d (\S+)/.exec(words);
      const state = /-m conntrack (! )?--ctstate RELATED,ESTABLISHED/.exec(words);
      return (
        (input === null || (from === input[2]) === (input[1] === undefined)) &&
        (output === null || to === output[1]) &&
        (destination === null || to === destination[1]) &&
        (state === null || answer === (state[1] === undefined)) &&
        (!words.includes("! --src-type LOCAL") || !own)
      );
    };
    const matching = FIREWALL.filter((each) => each.table === "filter" && each.chain === chain && applies(each.rule));
    return [...new Set(matching.map(({ rule }) => rule[rule.length - 1] ?? ""))];
  };

  it("lets pods and nodes out and their answers in, and nobody else begin", () => {
    assert.deepEqual(verdicts({ chain: "FORWARD", from: BRIDGE, to: "eth0" }), ["ACCEPT"]);
    assert.deepEqual(verdicts({ chain: "FORWARD", from: BRIDGE, to: BRIDGE }), ["ACCEPT"]);
    assert.deepEqual(verdicts({ chain: "FORWARD", from: "eth0", to: BRIDGE, answer: true }), ["ACCEPT"]);
    assert.deepEqual(verdicts({ chain: "FORWARD", from: "eth0", to: BRIDGE }), ["DROP"]);
    assert.deepEqual(verdicts({ chain: "FORWARD", from: "docker0", to: BRIDGE }), ["DROP"]);
    assert.deepEqual(verdicts({ chain: "FORWARD", from: "eth0", to: "docker0" }), []);
  });

  it("keeps what listens on the bridge for this machine and its nodes", () => {
    assert.deepEqual(verdicts({ chain: "INPUT", from: "eth0", to: "10.89.0.1" }), ["DROP"]);
    assert.deepEqual(verdicts({ chain: "INPUT", from: "lo", to: "10.89.0.1", own: true }), []);
    assert.deepEqual(verdicts({ chain: "INPUT", from: "eth0", to: "192.0.2.1" }), []);
    assert.ok(!verdicts({ chain: "INPUT", from: BRIDGE, to: "10.89.0.1" }).includes("DROP"));
    assert.equal(NODES.length, 3);
  });
});
