import assert from "node:assert/strict";
import { Api } from "../../../../sandbox/plugins/kubernetes/api";
import { kindOf } from "../../../../sandbox/plugins/kubernetes/discovery";
import { podProblems, podSelector, problemsOf } from "../../../../sandbox/plugins/kubernetes/problems";
import type { JsonObject } from "../../../../sandbox/plugins/protocol/values";
import { FakeApi, status } from "./fakeApi";

const pod = (name: string, state: Parameters<typeof podProblems>[0]) => ({ metadata: { name, uid: `uid-${name}` }, status: state });

describe("problems of pods", () => {
  it("are why an image does not come", () => {
    const found = podProblems(
      pod("a", {
        containerStatuses: [{ name: "main", ready: false, state: { waiting: { reason: "ImagePullBackOff", message: "no such image" } } }],
      }),
    );
    assert.deepEqual(found, ["pod a: container main: ImagePullBackOff: no such image"]);
  });

  it("are how a crashing container last ended", () => {
    const crashed = { reason: "Error", exitCode: 2, message: "flag provided but not defined\n" };
    const found = podProblems(
      pod("a", {
        containerStatuses: [
          {
            name: "main",
            ready: false,
            state: { waiting: { reason: "CrashLoopBackOff", message: "back-off 10s" } },
            lastState: { terminated: crashed },
          },
        ],
      }),
    );
    assert.deepEqual(found, [
      "pod a: container main: CrashLoopBackOff: back-off 10s",
      "pod a: container main last ended with exit code 2: Error: flag provided but not defined",
    ]);
  });

  it("are why no node takes it", () => {
    const conditions = [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: "0/3 nodes are available" }];
    assert.deepEqual(podProblems(pod("a", { conditions })), ["pod a: Unschedulable: 0/3 nodes are available"]);
  });

  it("are init containers' too, and one that runs without being ready", () => {
    const found = podProblems(
      pod("a", {
        initContainerStatuses: [{ name: "init", state: { terminated: { exitCode: 1, reason: "Error" } } }],
        containerStatuses: [{ name: "main", ready: false, state: { running: {} } }],
      }),
    );
    assert.deepEqual(found, ["pod a: container init ended with exit code 1: Error", "pod a: container main is running but not ready"]);
  });

  it("are none while it is starting, ready or done", () => {
    assert.deepEqual(
      podProblems(pod("a", { containerStatuses: [{ name: "main", ready: false, state: { waiting: { reason: "ContainerCreating" } } }] })),
      [],
    );
    assert.deepEqual(podProblems(pod("a", { conditions: [{ type: "Ready", status: "True" }] })), []);
    assert.deepEqual(podProblems(pod("a", { phase: "Succeeded" })), []);
  });
});

describe("the selector of pods", () => {
  it("is in the query's notation", () => {
    const matchExpressions: JsonObject[] = [
      { key: "b", operator: "In", values: ["1", "2"] },
      { key: "c", operator: "NotIn", values: ["3"] },
      { key: "d", operator: "Exists" },
      { key: "e", operator: "DoesNotExist" },
    ];
    assert.equal(
      podSelector(kindOf("apps/v1", "Deployment"), { spec: { selector: { matchLabels: { a: "x" }, matchExpressions } } }),
      "a=x,b in (1,2),c notin (3),d,!e",
    );
    assert.equal(podSelector(kindOf("v1", "Service"), { spec: { selector: { a: "x" } } }), "a=x");
    assert.equal(podSelector(kindOf("v1", "PersistentVolumeClaim"), { spec: { selector: { matchLabels: {} } } }), undefined);
    assert.equal(podSelector(kindOf("v1", "ConfigMap"), {}), undefined);
  });
});

describe("problems of an object", () => {
  let fake: FakeApi;
  beforeEach(async () => {
    fake = await FakeApi.start();
  });
  afterEach(() => fake.stop());
  const set = { metadata: { namespace: "ns", name: "set", uid: "uid-set" }, spec: { selector: { matchLabels: { a: "x" } } } };
  const event = (uid: string, kind: string, name: string, time: string, message: string) => ({
    involvedObject: { uid, kind, name },
    reason: "Failed",
    message,
    lastTimestamp: time,
  });

  it("are its pods' first, then the newest warnings about it, its pods and its claims", async () => {
    const conditions = [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: "no node" }];
    fake.answer = ({ path, query }) => {
      if (path === "/api/v1/namespaces/ns/pods" && query.get("labelSelector") === "a=x") {
        return { body: { items: [pod("set-0", { conditions })] } };
      }
      assert.equal(path, "/api/v1/namespaces/ns/events");
      const items = [
        event("uid-set", "StatefulSet", "set", "2026-01-01T00:00:00Z", "old"),
        event("uid-set-0", "Pod", "set-0", "2026-01-01T00:00:05Z", "new"),
        event("other", "Pod", "other-0", "2026-01-01T00:00:09Z", "of another"),
        event("claim", "PersistentVolumeClaim", "data-set-0", "2026-01-01T00:00:02Z", "no class"),
      ];
      return { body: { items } };
    };
    assert.deepEqual(await problemsOf(new Api(fake.access), kindOf("apps/v1", "StatefulSet"), set), [
      "pod set-0: Unschedulable: no node",
      "Pod set-0: Failed: new",
      "PersistentVolumeClaim data-set-0: Failed: no class",
      "StatefulSet set: Failed: old",
    ]);
  });

  it("are none where this user may not look", async () => {
    fake.answer = () => ({ code: 403, body: status(403, "Forbidden", "no") });
    assert.deepEqual(await problemsOf(new Api(fake.access), kindOf("apps/v1", "StatefulSet"), set), []);
  });
});
