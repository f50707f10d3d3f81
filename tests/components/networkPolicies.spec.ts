import assert from "node:assert/strict";
import type { ProgramRun } from "../../commands/program";
import { gatewayEndpoints } from "../../model/settings/gatewayEndpoints";
import { run, type Stack, settingsOf, together } from "../harness";
import { matches, type NetworkPolicy, type Pod, partsOf, passes, policiesOf } from "./networkPolicy";
import { EVERYTHING, EXISTING_NAMESPACE, PLANS, SPLIT_AGENTS } from "./plans";

const STRANGER: Pod = { namespace: "shop", labels: { app: "shop" } };
/** Those whom the stack files name. */
const NAMED: Record<Stack, { senders: Pod[]; readers: Pod[] }> = {
  dev: { senders: [{ namespace: "greeter-dev", labels: {} }], readers: [{ namespace: "greeter-dev", labels: {} }] },
  prod: { senders: [], readers: [{ namespace: "grafana", labels: {} }] },
};
const DNS: Pod = { namespace: "kube-system", labels: { "k8s-app": "kube-dns" } };

for (const { title, stack, overrides } of PLANS) {
  describe(`network policies: ${title}`, () => {
    /** Endpoints of other stacks are anywhere. */
    const querierAsksOthers = settingsOf(stack, overrides).querier.endpoints.length > 0;
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

    /** Where senders write to, and where people ask. */
    const receiving = () => (parts.has("receive-router") ? "receive-router" : "receive");
    const counter = () => (parts.has("query-frontend") ? "query-frontend" : "querier");
    const both = (...names: string[]) => names.every((name) => parts.has(name));

    const openTo = (pod: Pod): string[] =>
      [...parts].flatMap(([name, { pod: target, ports }]) =>
        [...new Set([9090, 10901, 10902, 11211, 19291, 19391, ...ports])]
          .filter((port) => passes(policies, pod, target, port))
          .map((port) => `${name} ${port}`),
      );

    it("open those who are named the endpoints for writing and asking, a stranger none, and nobody any other port of any part", () => {
      // A list that is left out is everybody, where the gateway asks for a token.
      assert.deepEqual(openTo(STRANGER), gatewayEndpoints(settingsOf(stack, overrides)).includes("query") ? ["gateway 8444"] : []);
      const { senders, readers } = NAMED[stack];
      for (const pod of new Set([...senders, ...readers])) {
        const named = (list: Pod[]) => list.some(({ namespace }) => namespace === pod.namespace);
        const guarded = gatewayEndpoints(settingsOf(stack, overrides));
        const expected = [
          ...(named(senders) && both("receive") ? [guarded.includes("write") ? "gateway 8443" : `${receiving()} 19291`] : []),
          ...(guarded.includes("query") ? ["gateway 8444"] : named(readers) ? [`${counter()} 9090`] : []),
        ];
        assert.deepEqual(openTo(pod).sort(), expected.sort(), pod.namespace);
      }
    });

    it("let the data path through", () => {
      const edges: [string, string, number][] = [
        ["prometheus", receiving(), 19291],
        [receiving(), "receive", 10901],
        ["querier", "receive", 10901],
        ["prometheus", "receive", 10902],
        ["prometheus", "receive-router", 10902],
        ["prometheus", "querier", 9090],
        ["prometheus", "prometheus", 9090],
        // A sidecar serves its Prometheus, and is scraped beside it.
        ...(both("receive")
          ? []
          : ([
              ["querier", "prometheus", 10901],
              ["prometheus", "prometheus", 10902],
            ] as [string, string, number][])),
        ["query-frontend", "querier", 9090],
        ["query-frontend", "query-cache", 11211],
        ["prometheus", "query-frontend", 9090],
        ["querier", "store-gateway", 10901],
        ["store-gateway", "index-cache", 11211],
        ["store-gateway", "chunk-cache", 11211],
        ["prometheus", "store-gateway", 10902],
        ["prometheus", "compactor", 10902],
        ["ruler", "querier", 9090],
        ["querier", "ruler", 10901],
        ["prometheus", "ruler", 10902],
        ["gateway", receiving(), 19291],
        ["gateway", counter(), 9090],
        ["prometheus", "gateway", 10902],
        ["prometheus", "gateway", 10903],
        ...(settingsOf(stack, overrides).ruler?.mode === "stateless"
          ? ([["ruler", receiving(), 19291]] as [string, string, number][])
          : []),
      ];
      const there = ([from, to, port]: [string, string, number]) =>
        both(from, to) &&
        (from !== "gateway" || to !== "receive" || gatewayEndpoints(settingsOf(stack, overrides)).includes("write")) &&
        (to !== "gateway" || parts.get(to)?.ports.includes(port));
      for (const [from, to, port] of edges.filter(there)) {
        assert.ok(passes(policies, pod(from), pod(to), port), `${from} → ${to}:${port} is closed`);
      }
      // Every port that a component opens is somebody's: a new component can't be forgotten above. A router's gRPC is
      // nobody's, and queriers' that of other stacks.
      const used = [
        ...edges.map(([, to, port]) => `${to} ${port}`),
        `${receiving()} 19291`,
        `${counter()} 9090`,
        "querier 10901",
        "receive-router 10901",
        "gateway 8443",
        "gateway 8444",
      ];
      const unused = [...parts]
        .flatMap(([name, { ports }]) => ports.map((port) => `${name} ${port}`))
        .filter((each) => !used.includes(each));
      assert.deepEqual(unused, []);
    });

    it("close what no part of the data path needs", () => {
      const closed: [string, string, number][] = [
        ["prometheus", "receive", 10901],
        ["querier", "prometheus", 9090],
        // A querier with endpoints elsewhere may go anywhere, so also where everybody may.
        ...(querierAsksOthers ? [] : ([["querier", "receive", 19291]] as [string, string, number][])),
        ["receive", "prometheus", 9090],
        ["querier", "query-cache", 11211],
        ["query-cache", "querier", 9090],
        ["query-frontend", "receive", 10901],
        ["receive", "receive-router", 10901],
        ...(parts.has("receive-router")
          ? ([
              ["receive", "receive", 10901],
              ["prometheus", "receive", 19291],
            ] as [string, string, number][])
          : []),
        ["query-frontend", "prometheus", 10901],
        ["prometheus", "store-gateway", 10901],
        ["query-frontend", "store-gateway", 10901],
        ["querier", "index-cache", 11211],
        ["query-frontend", "chunk-cache", 11211],
        ["store-gateway", "query-cache", 11211],
        ["store-gateway", "querier", 9090],
        ["store-gateway", "compactor", 10902],
        ["querier", "compactor", 10902],
        ["compactor", "store-gateway", 10901],
        ["prometheus", "ruler", 10901],
        ["ruler", "receive", 10901],
        ["ruler", "prometheus", 9090],
        ["ruler", "store-gateway", 10901],
        ...(settingsOf(stack, overrides).ruler?.mode === "stateful" ? ([["ruler", receiving(), 19291]] as [string, string, number][]) : []),
      ];
      for (const [from, to, port] of closed.filter(([from, to]) => both(from, to))) {
        assert.ok(!passes(policies, pod(from), pod(to), port), `${from} → ${to}:${port} is open`);
      }
    });

    it("let every pod ask the cluster's DNS, and out only Prometheus, and the others by the ports of the bucket and of Alertmanagers", () => {
      const { objectStorage, ruler, alerting, network } = settingsOf(stack, overrides);
      // Those of the plans: S3 by its default port, and Alertmanagers by theirs. A proxy is not at a stranger's.
      const bucket = objectStorage?.s3 === undefined || network.proxy !== undefined ? [] : [443];
      const alertmanagers = alerting.alertmanagers.length === 0 ? [] : [9093];
      const outside: Record<string, number[]> = {
        receive: bucket,
        "store-gateway": bucket,
        compactor: bucket,
        ruler: [...(ruler?.mode === "stateful" ? bucket : []), ...alertmanagers],
      };
      for (const [name, { pod: from }] of parts) {
        assert.ok(passes(policies, from, DNS, 53, "UDP"), name);
        assert.ok(passes(policies, from, DNS, 53), name);
        const asksOthers = name === "prometheus" || (name === "querier" && querierAsksOthers);
        const tried = [53, 80, 443, 6443, 9090, 9093, 10250, 10901, 10902, 11211, 19291];
        assert.deepEqual(
          tried.filter((port) => passes(policies, from, STRANGER, port)),
          asksOthers ? tried : tried.filter((port) => (outside[name] ?? []).includes(port)),
          `${name} to a stranger`,
        );
      }
    });

    it("cover every part: none is left to the default alone", () => {
      for (const [name, { pod: target }] of parts) {
        const own = policies.filter(({ metadata, spec: { podSelector } }) => {
          const { matchLabels = {} } = podSelector;
          return (
            !metadata.name.startsWith("further-") && "app.kubernetes.io/component" in matchLabels && matches(target.labels, matchLabels)
          );
        });
        assert.equal(own.length, 1, name);
      }
      const { existingNamespace } = settingsOf(stack, overrides);
      const name = existingNamespace ? "thanos-stack-default-deny" : "default-deny";
      const deny = policies.filter(({ metadata }) => metadata.name === name && metadata.namespace === `thanos-${stack}`);
      const podSelector = existingNamespace ? { matchLabels: { "app.kubernetes.io/part-of": "thanos-stack" } } : {};
      assert.deepEqual(
        deny.map((policy) => policy.spec),
        [{ podSelector, policyTypes: ["Ingress", "Egress"] }],
      );
    });
  });
}

describe("network policies: pods of others in a namespace that exists", () => {
  it("keep their network whatever labels they share, and reach no part of the stack", async () => {
    const made = await run(EXISTING_NAMESPACE.stack, EXISTING_NAMESPACE.overrides);
    const policies = policiesOf(made);
    const parts = partsOf(made, EXISTING_NAMESPACE.stack);
    assert.ok(parts.size > 5);
    for (const [name, { pod }] of parts) {
      const { "app.kubernetes.io/part-of": _, ...labels } = pod.labels;
      const other = { ...pod, labels };
      for (const port of [53, 443, 9090, 10901, 19291]) {
        assert.ok(passes(policies, other, STRANGER, port), `what is labelled as ${name} to ${port} elsewhere`);
        assert.ok(passes(policies, STRANGER, other, port), `${port} of what is labelled as ${name}`);
      }
      for (const [target, { pod: own, ports }] of parts) {
        for (const port of ports) assert.ok(!passes(policies, other, own, port), `what is labelled as ${name} to ${target} ${port}`);
      }
    }
  });
});

describe("network policies: access", () => {
  const access = { senders: ["shop", "billing", "203.0.113.0/24"], readers: ["grafana", "2001:db8::/64"], federation: ["global"] };
  const at = (address: string): Pod => ({ namespace: "", labels: {}, address });
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
  const openAt = (address: string, part: string, port: number): boolean => {
    const target = parts.get(part);
    assert.ok(target !== undefined);
    return passes(policies, at(address), target.pod, port);
  };

  it("is given to the namespaces that are named, and to no others", () => {
    for (const namespace of ["shop", "billing", "grafana", "global", "kube-system"]) {
      assert.equal(open(namespace, "receive-router", 19291), access.senders.includes(namespace), `${namespace} writes`);
      assert.equal(open(namespace, "query-frontend", 9090), access.readers.includes(namespace), `${namespace} asks`);
      assert.equal(open(namespace, "querier", 10901), access.federation.includes(namespace), `${namespace} federates`);
      assert.equal(open(namespace, "receive", 10901), false);
    }
  });

  it("is given to the addresses of the networks that are named, and to no others", () => {
    for (const [address, writes, asks] of [
      ["203.0.113.7", true, false],
      ["203.0.112.255", false, false],
      ["2001:db8::1:2:3:4", false, true],
      ["2001:db8:0:1::1", false, false],
    ] as const) {
      assert.equal(openAt(address, "receive-router", 19291), writes, `${address} writes`);
      assert.equal(openAt(address, "query-frontend", 9090), asks, `${address} asks`);
      for (const [part, port] of [
        ["receive", 10901],
        ["querier", 9090],
        ["querier", 10901],
      ] as const)
        assert.ok(!openAt(address, part, port), part);
    }
  });

  it("is everybody's where that is accepted, through the endpoints alone", async () => {
    const open = { access: { senders: undefined, readers: undefined }, accepts: ["replicas-on-one-node", "open-doors"] };
    const made = await run(SPLIT_AGENTS.stack, together(SPLIT_AGENTS.overrides, open));
    const found = [...partsOf(made, SPLIT_AGENTS.stack)].flatMap(([name, { pod, ports }]) =>
      ports.filter((port) => passes(policiesOf(made), STRANGER, pod, port)).map((port) => `${name} ${port}`),
    );
    assert.deepEqual(found.sort(), ["query-frontend 9090", "receive-router 19291"]);
  });

  it("has a rule for nobody where a list is empty, not one for everybody", async () => {
    const made = await run("dev", { access: { senders: [], readers: [] } });
    for (const [name, { pod, ports }] of partsOf(made, "dev")) {
      for (const port of ports) {
        for (const each of [STRANGER, at("203.0.113.7")]) assert.ok(!passes(policiesOf(made), each, pod, port), `${name} ${port}`);
      }
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
