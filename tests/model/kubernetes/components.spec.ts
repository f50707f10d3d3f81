import assert from "node:assert/strict";
import { choosers } from "../../../model/kubernetes/choices";
import { ALL_COMPONENTS, runningComponents } from "../../../model/kubernetes/components";
import { placementProblems } from "../../../model/kubernetes/placementRules";
import { COMPONENTS } from "../../../model/settings/components";
import { GATEWAY, PLANS } from "../../components/plans";
import { run, settingsOf, together, workloads } from "../../harness";

describe("the table of components", () => {
  it("runs exactly the components that have pods, in every plan", async () => {
    for (const { title, stack, overrides } of PLANS) {
      const made = workloads(await run(stack, overrides)).flatMap(({ kind, metadata }) =>
        kind === "Job" ? [] : [metadata.labels["app.kubernetes.io/component"]],
      );
      const running = runningComponents(settingsOf(stack, overrides)).map(({ name }) => name);
      assert.deepEqual(running.sort(), [...new Set(made)].sort(), title);
    }
  });

  it("has each component under a key, a name and settings of its own", () => {
    const settings = PLANS.map(({ stack, overrides }) => settingsOf(stack, overrides));
    for (const values of [ALL_COMPONENTS.map(({ key }) => key), ALL_COMPONENTS.map(({ app }) => app)])
      assert.equal(new Set(values).size, COMPONENTS.length);
    for (const { name, of } of ALL_COMPONENTS)
      assert.ok(
        settings.map(of).some((own) => own !== undefined),
        name,
      );
  });

  it("lets every component that may choose be judged by where its pods can be, the gateway too", () => {
    const impossible = { pods: { nodeSelector: { "kubernetes.io/os": "windows" } } };
    const settings = settingsOf(GATEWAY.stack, together(GATEWAY.overrides, { gateway: impossible }));
    assert.ok(choosers(settings).some(({ key }) => key === "gateway."));
    assert.deepEqual(
      placementProblems(settings).map(({ key, rule }) => [key, rule]),
      [["gateway.pods.nodeSelector", "images of gateways are for Linux"]],
    );
  });
});
