import assert from "node:assert/strict";
import type { Manifest } from "../../commands/manifests";
import type { ProgramRun } from "../../commands/program";
import { container, objects, run, type Stack, together, workloads } from "../harness";
import { EVERYTHING, PLANS, SPLIT_AGENTS } from "./plans";

interface Peer {
  podSelector?: { matchLabels?: Record<string, string> };
  namespaceSelector?: { matchLabels?: Record<string, string>; matchExpressions?: { key: string; operator: string; values: string[] }[] };
}

interface PolicyRule {
  from?: Peer[];
  to?: Peer[];
  ports?: { protocol: string; port: number }[];
}

interface NetworkPolicy extends Manifest {
  spec: {
    podSelector: { matchLabels?: Record<string, string> };
    policyTypes: string[];
    ingress?: PolicyRule[];
    egress?: PolicyRule[];
  };
}

/** A pod, as a network plugin sees it. */
interface Pod {
  namespace: string;
  labels: Record<string, string>;
}

const matches = (labels: Record<string, string>, wanted: Record<string, string> = {}) =>
  Object.entries(wanted).every(([label, value]) => labels[label] === value);

/** Whether a rule's peers include a pod; a peer without a namespace selector is one of the policy's own namespace. */
function includes(peers: Peer[] | undefined, pod: Pod, own: string): boolean {
  if (peers === undefined || peers.length === 0) return true;
  return peers.some((peer) => {
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
 * Whether a connection passes, as networking.k8s.io/v1 says: a pod that no policy of a direction selects is open; otherwise one rule of one policy must allow it.
 */
function passes(policies: readonly NetworkPolicy[], from: Pod, to: Pod, port: number, protocol = "TCP"): boolean {
  const side = (direction: "Ingress" | "Egress", pod: Pod, other: Pod) => {
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

const policiesOf = (made: ProgramRun) => objects(made, "NetworkPolicy") as NetworkPolicy[];

/** Labels of the pods of a part of the stack. */
function partsOf(made: ProgramRun, stack: Stack): Map<string, { pod: Pod; ports: number[] }> {
  return new Map(
    workloads(made)
      .filter((workload) => workload.kind !== "Job")
      .map((workload) => {
        const labels = workload.spec.template.metadata.labels;
        const ports = (container(workload).ports ?? []).map((port) => port.containerPort);
        return [labels["app.kubernetes.io/component"] ?? "", { pod: { namespace: `thanos-${stack}`, labels }, ports }];
      }),
  );
}

const STRANGER: Pod = { namespace: "shop", labels: { app: "shop" } };
const DNS: Pod = { namespace: "kube-system", labels: { "k8s-app": "kube-dns" } };

for (const { title, stack, overrides } of PLANS) {
  describe(`network policies: ${title}`, () => {
    let made: ProgramRun;
    let policies: NetworkPolicy[];
    let parts: Map<string, { pod: Pod; ports: number[] }>;
    before(async () => {
      made = await run(stack, overrides);
      policies = policiesOf(made);
      parts = partsOf(made, stack);
    });
    const pod = (part: string): Pod => {
      const found = parts.get(part);
      assert.ok(found !== undefined, `no ${part} among ${[...parts.keys()]}`);
      return found.pod;
    };

    it("open a stranger the doors for writing and asking, and no other port of any part", () => {
      const door = parts.has("receive-router") ? "receive-router" : "receive";
      const counter = parts.has("query-frontend") ? "query-frontend" : "querier";
      const open = [...parts].flatMap(([name, { pod: target }]) =>
        [9090, 10901, 10902, 11211, 19291, 19391]
          .filter((port) => passes(policies, STRANGER, target, port))
          .map((port) => `${name} ${port}`),
      );
      assert.deepEqual(open.sort(), [`${door} 19291`, `${counter} 9090`].sort());
    });

    it("let the data path through", () => {
      const door = parts.has("receive-router") ? "receive-router" : "receive";
      const edges: [string, string, number][] = [
        ["prometheus", door, 19291],
        [door, "receive", 10901],
        ["querier", "receive", 10901],
        ["prometheus", "receive", 10902],
        ["prometheus", "querier", 9090],
        ["prometheus", "prometheus", 9090],
        ...(parts.has("query-frontend")
          ? ([
              ["query-frontend", "querier", 9090],
              ["query-frontend", "query-cache", 11211],
              ["prometheus", "query-frontend", 9090],
            ] as [string, string, number][])
          : []),
        ...(door === "receive-router" ? ([["prometheus", "receive-router", 10902]] as [string, string, number][]) : []),
      ];
      for (const [from, to, port] of edges) assert.ok(passes(policies, pod(from), pod(to), port), `${from} → ${to}:${port} is closed`);
    });

    it("close what no part of the data path needs", () => {
      const closed: [string, string, number][] = [
        ["prometheus", "receive", 10901],
        ["querier", "prometheus", 9090],
        // A querier with endpoints elsewhere may go anywhere, so also where everybody may.
        ...(title === EVERYTHING.title ? [] : ([["querier", "receive", 19291]] as [string, string, number][])),
        ["receive", "prometheus", 9090],
        ...(parts.has("query-cache")
          ? ([
              ["querier", "query-cache", 11211],
              ["query-cache", "querier", 9090],
              ["query-frontend", "receive", 10901],
            ] as [string, string, number][])
          : []),
        ...(parts.has("receive-router")
          ? ([
              ["receive", "receive", 10901],
              ["receive", "receive-router", 10901],
              ["prometheus", "receive", 19291],
            ] as [string, string, number][])
          : []),
      ];
      for (const [from, to, port] of closed) assert.ok(!passes(policies, pod(from), pod(to), port), `${from} → ${to}:${port} is open`);
    });

    it("let every pod ask the cluster's DNS, and only Prometheus go out", () => {
      for (const [name, { pod: from }] of parts) {
        assert.ok(passes(policies, from, DNS, 53, "UDP"), name);
        assert.ok(passes(policies, from, DNS, 53), name);
        const asksOthers = name === "prometheus" || (name === "querier" && title === EVERYTHING.title);
        assert.equal(passes(policies, from, STRANGER, 10901), asksOthers, `${name} to a stranger`);
      }
    });

    it("cover every part: none is left to the default alone", () => {
      for (const [name, { pod: target }] of parts) {
        const own = policies.filter(
          (policy) => policy.spec.podSelector.matchLabels !== undefined && matches(target.labels, policy.spec.podSelector.matchLabels),
        );
        assert.equal(own.length, 1, name);
      }
      const deny = policies.filter((policy) => policy.metadata.name === "default-deny");
      assert.deepEqual(
        deny.map((policy) => policy.spec),
        [{ podSelector: {}, policyTypes: ["Ingress", "Egress"] }],
      );
    });
  });
}

describe("network policies: access", () => {
  const access = { senders: ["shop", "billing"], readers: ["grafana"], federation: ["global"] };
  const from = (namespace: string): Pod => ({ namespace, labels: { app: "any" } });
  let policies: NetworkPolicy[];
  let parts: Map<string, { pod: Pod; ports: number[] }>;
  before(async () => {
    const made = await run(SPLIT_AGENTS.stack, together(SPLIT_AGENTS.overrides, { access }));
    policies = policiesOf(made);
    parts = partsOf(made, SPLIT_AGENTS.stack);
  });
  const open = (namespace: string, part: string, port: number): boolean => {
    const target = parts.get(part);
    assert.ok(target !== undefined);
    return passes(policies, from(namespace), target.pod, port);
  };

  it("is given to the namespaces that are named, and to no others", () => {
    for (const namespace of ["shop", "billing", "grafana", "global", "kube-system"]) {
      assert.equal(open(namespace, "receive-router", 19291), access.senders.includes(namespace), `${namespace} writes`);
      assert.equal(open(namespace, "query-frontend", 9090), access.readers.includes(namespace), `${namespace} asks`);
      assert.equal(open(namespace, "querier", 10901), access.federation.includes(namespace), `${namespace} federates`);
      assert.equal(open(namespace, "receive", 10901), false);
    }
  });

  it("does not close the way of this stack's own Prometheus", () => {
    const prometheus = parts.get("prometheus");
    const router = parts.get("receive-router");
    assert.ok(prometheus !== undefined && router !== undefined);
    assert.ok(passes(policies, prometheus.pod, router.pod, 19291));
  });
});

describe("network policies: limits of active series", () => {
  it("let those that enforce them ask the querier, and only then", async () => {
    for (const [overrides, expected] of [
      [EVERYTHING.overrides, true],
      [together(EVERYTHING.overrides, { receive: { limits: { default: { headSeries: 0 } } } }), false],
    ] as const) {
      const made = await run(EVERYTHING.stack, overrides);
      const parts = partsOf(made, EVERYTHING.stack);
      const [receive, querier] = [parts.get("receive"), parts.get("querier")];
      assert.ok(receive !== undefined && querier !== undefined);
      assert.equal(passes(policiesOf(made), receive.pod, querier.pod, 9090), expected);
    }
  });
});
