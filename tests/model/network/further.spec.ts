import assert from "node:assert/strict";
import { FURTHER_POLICY } from "../../../model/network/edges";
import { passes, policiesOf } from "../../components/networkPolicy";
import { EVERYTHING, HISTORY, NETWORKS, SIDECAR, SPLIT_AGENTS } from "../../components/plans";
import { type Overrides, objects, rejection, run, type Stack, together } from "../../harness";

const refused = async (edge: object, { stack, overrides }: { stack: Stack; overrides: Overrides } = EVERYTHING): Promise<string> =>
  (await rejection(stack, together(overrides, { network: { edges: [edge] } }))).message;

describe("network.edges", () => {
  for (const [title, edge, message] of [
    [
      "a component that this environment does not have",
      { component: "receive-router", from: ["a"], ports: [19291] },
      /edges\[0\]\.component = "receive-router": .*Accepted: one of receive, querier, /,
    ],
    ["a component that nobody has", { component: "receivers", from: ["a"], ports: [1] }, /edges\[0\]\.component/],
    [
      "a port on which nothing listens",
      { component: "receive", from: ["a"], ports: [10901, 9090] },
      /edges\[0\]\.ports\[1\] = 9090: no container of receive listens there beyond its pod\. Accepted: one of 10901, 10902, 19291,/,
    ],
    ["the port that receivers have on loopback", { component: "receive", from: ["a"], ports: [19391] }, /ports\[0\] = 19391/],
    [
      "receivers to everybody",
      { component: "receive", from: ["a", "0.0.0.0/0"], ports: [10901] },
      /edges\[0\]\.from\[1\] = "0\.0\.0\.0\/0": an endpoint open to everybody/,
    ],
    ["receivers to everybody of the other family", { component: "receive", from: ["::/0"], ports: [10902] }, /from\[0\] = "::\/0"/],
    ["both ends", { component: "receive", from: ["a"], to: ["b"], ports: [10901] }, /exactly one of from and to/],
    ["no end", { component: "receive", ports: [10901] }, /exactly one of from and to/],
    ["nobody", { component: "receive", from: [], ports: [10901] }, /edges\[0\]\.from/],
    ["no port", { component: "receive", from: ["a"], ports: [] }, /edges\[0\]\.ports/],
    ["a port that none can be", { component: "receive", to: ["a"], ports: [70_000] }, /edges\[0\]\.ports\[0\]/],
    ["a network with bits behind its prefix", { component: "receive", to: ["fd00::1/64"], ports: [80] }, /the address alone: fd00::1\/128/],
  ] as [string, object, RegExp][]) {
    it(`refuses ${title}`, async () => assert.match(await refused(edge), message));
  }

  it("refuses remote write of receivers behind routers, who have it on loopback", async () => {
    assert.match(await refused({ component: "receive", from: ["a"], ports: [19291] }, SPLIT_AGENTS), /Accepted: one of 10901, 10902, or/);
  });

  it("opens what is accepted: everybody by name, a container beside, a sidecar, out to anywhere", async () => {
    const everybody = { accepts: ["open-doors"], network: { edges: [{ component: "receive", from: ["0.0.0.0/0"], ports: [10901] }] } };
    await run(HISTORY.stack, together(HISTORY.overrides, everybody));
    const beside = {
      name: "beside",
      image: "quay.io/own/beside:1.0.0",
      ports: [{ containerPort: 8080 }, { containerPort: 8125, protocol: "UDP" }],
      resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "32Mi" } },
    };
    const edges = (...ports: number[]) =>
      together(HISTORY.overrides, {
        receive: { extra: { containers: [beside] } },
        network: {
          edges: [
            { component: "receive", from: ["a"], ports },
            { component: "receive", to: ["0.0.0.0/0"], ports: [4317] },
          ],
        },
      });
    await run(HISTORY.stack, edges(8080));
    assert.match((await rejection(HISTORY.stack, edges(8125))).message, /ports\[0\] = 8125/);
    const sidecar = { network: { edges: [{ component: "prometheus", from: ["a"], ports: [10901] }] } };
    await run(SIDECAR.stack, together(SIDECAR.overrides, sidecar));
    assert.match((await rejection(HISTORY.stack, together(HISTORY.overrides, sidecar))).message, /no container of prometheus listens/);
  });

  it("are policies of their own, which open exactly these connections", async () => {
    const made = await run(NETWORKS.stack, NETWORKS.overrides);
    const policies = policiesOf(made);
    const names = policies.map(({ metadata }) => metadata.name).filter((name) => name.startsWith(FURTHER_POLICY));
    assert.deepEqual(names.sort(), ["further-prometheus", "further-receive", "further-store-gateway"]);
    const own = (component: string) => ({
      namespace: "thanos-prod",
      labels: objects(
        made,
        component === "receive" || component === "store-gateway" || component === "prometheus" ? "StatefulSet" : "Deployment",
      ).find(({ spec }) => spec.template.metadata.labels["app.kubernetes.io/component"] === component)?.spec.template.metadata
        .labels as Record<string, string>,
    });
    const ingress = { namespace: "ingress", labels: {} };
    assert.ok(passes(policies, ingress, own("prometheus"), 9090));
    assert.ok(!passes(policies, ingress, own("prometheus"), 10901));
    assert.ok(!passes(policies, ingress, own("querier"), 9090));
    assert.ok(passes(policies, own("receive"), { address: "fd00:7::12" }, 4318));
    assert.ok(!passes(policies, own("receive"), { address: "fd00:7:0:1::12" }, 4318));
    assert.ok(passes(policies, { address: "fd00:6::1" }, own("store-gateway"), 10901));
    assert.ok(!passes(policies, { address: "fd00:6::1" }, own("store-gateway"), 10902));
  });

  it("have names of their own where others may have some", async () => {
    const made = await run("prod", {
      existingNamespace: true,
      network: { edges: [{ component: "querier", from: ["a"], ports: [10901] }] },
    });
    assert.ok(policiesOf(made).some(({ metadata }) => metadata.name === "thanos-stack-further-querier"));
  });
});
