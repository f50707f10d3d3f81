import assert from "node:assert/strict";
import type { Identity } from "../../../model/kubernetes/identities";
import { commonLabels, selectorLabels } from "../../../model/kubernetes/labels";

describe("labels", () => {
  const identity: Identity = { app: "thanos-receive", component: "receive", instance: "thanos-receive-z1" };

  it("that select have no version: selectors and claim templates are immutable", () => {
    assert.deepEqual(selectorLabels(identity), {
      "app.kubernetes.io/name": "thanos-receive",
      "app.kubernetes.io/component": "receive",
      "app.kubernetes.io/instance": "thanos-receive-z1",
    });
  });

  it("of objects are those that select, what they are part of, and the version where there is one", () => {
    assert.deepEqual(commonLabels(identity, "1.2.3"), {
      ...selectorLabels(identity),
      "app.kubernetes.io/part-of": "thanos-stack",
      "app.kubernetes.io/version": "1.2.3",
    });
    assert.deepEqual(commonLabels(identity), { ...selectorLabels(identity), "app.kubernetes.io/part-of": "thanos-stack" });
  });

  it("name the instance by the app where there is only one", () => {
    assert.equal(selectorLabels({ app: "thanos-querier", component: "querier" })["app.kubernetes.io/instance"], "thanos-querier");
  });
});
