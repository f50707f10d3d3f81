import assert from "node:assert/strict";
import { standstill } from "../../gates/softerFirst";
import { hostAntiAffinity } from "../../model/kubernetes/pod";
import { PLANS } from "../components/plans";
import { run } from "../harness";

const workload = (antiAffinity: "hard" | "soft", replicas: number, component = "receive") => ({
  metadata: { name: "thanos-receive-a", labels: { "app.kubernetes.io/component": component } },
  spec: { replicas, template: { spec: { affinity: hostAntiAffinity(antiAffinity, { app: "x" }) } } },
});

describe("from hard to soft anti-affinity", () => {
  it("is refused together with more pods, with the two updates that do it", () => {
    const refusal = standstill(workload("hard", 1), workload("soft", 2)) ?? "";
    assert.match(refusal, /^receive\.antiAffinity = soft: thanos-receive-a would grow from 1 to 2 pods in the same update\./);
    assert.match(refusal, /Accepted: soft with 1 in one update, 2 in the next\.$/);
    assert.match(
      standstill(workload("hard", 1), workload("soft", 2), { "thanos-receive-a": "receive.hashrings[0].antiAffinity" }) ?? "",
      /^receive\.hashrings\[0\]\.antiAffinity = soft: /,
    );
    assert.match(
      standstill(workload("hard", 1, "store-gateway"), workload("soft", 2, "store-gateway")) ?? "",
      /^objectStorage\.storeGateway\./,
    );
  });

  const fine: [string, ReturnType<typeof workload>, ReturnType<typeof workload>][] = [
    ["soft alone", workload("hard", 2), workload("soft", 2)],
    ["more alone", workload("hard", 2), workload("hard", 3)],
    ["more, soft already", workload("soft", 2), workload("soft", 3)],
    ["fewer", workload("hard", 3), workload("soft", 2)],
    ["hard", workload("soft", 2), workload("hard", 3)],
    ["none before", workload("hard", 0), workload("soft", 2)],
  ];
  for (const [what, before, after] of fine) {
    it(`is let through: ${what}`, () => {
      assert.equal(standstill(before, after), undefined);
    });
  }

  it("is let through where there is nothing before", () => {
    assert.equal(standstill(undefined, workload("soft", 2)), undefined);
  });

  for (const { title, stack, overrides } of PLANS) {
    it(`is looked for before any other gate, in every workload: ${title}`, async () => {
      const { resources } = await run(stack, overrides);
      const workloads = resources.filter(({ type }) => /:(?:StatefulSet|Deployment)$/.test(type));
      assert.ok(workloads.length > 1);
      for (const { name, options } of workloads) assert.equal(options.beforeUpdate[0], "soft-anti-affinity-before-more-pods", name);
      for (const { type, options } of resources.filter((each) => !workloads.includes(each)))
        assert.ok(!options.beforeUpdate.includes("soft-anti-affinity-before-more-pods"), type);
    });
  }
});
