import assert from "node:assert/strict";
import { problemsOf } from "../../../model/rules";
import { type Overrides, rejection, settingsOf } from "../../harness";

const keys = (overrides: Overrides) => problemsOf(settingsOf("dev", overrides)).map(({ key }) => key);

describe("marks of pods that Kubernetes itself reads or sets", () => {
  it("are no annotations that fields have replaced, of the stack or of a component", () => {
    for (const name of [
      "seccomp.security.alpha.kubernetes.io/pod",
      "container.seccomp.security.alpha.kubernetes.io/prometheus",
      "container.apparmor.security.beta.kubernetes.io/prometheus",
    ]) {
      const pods = { annotations: { [name]: "unconfined" } };
      assert.deepEqual(keys({ pods }), [`pods.annotations.${name}`]);
      assert.deepEqual(keys({ querier: { pods } }), [`querier.pods.annotations.${name}`]);
    }
    assert.deepEqual(keys({ pods: { annotations: { "seccomp.example.com/pod": "x" } } }), []);
  });

  it("are no labels of Jobs, which the jobs of directories have", () => {
    for (const name of ["job-name", "controller-uid", "batch.kubernetes.io/job-name", "batch.kubernetes.io/controller-uid"])
      assert.deepEqual(keys({ pods: { labels: { [name]: "x" } } }), [`pods.labels.${name}`]);
  });
});

describe("Alertmanagers", () => {
  it("are each in the list once", async () => {
    const url = "http://am:9093";
    const { problems } = await rejection("dev", { alerting: { alertmanagers: [url, url] } });
    assert.match(problems.join(), /alerting\.alertmanagers = .*gets every alert twice\. Accepted: each Alertmanager once/);
  });
});
