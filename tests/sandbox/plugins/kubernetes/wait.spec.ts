import assert from "node:assert/strict";
import { Api } from "../../../../sandbox/plugins/kubernetes/api";
import { kindOf } from "../../../../sandbox/plugins/kubernetes/discovery";
import { ruleOf } from "../../../../sandbox/plugins/kubernetes/readiness";
import { ruleFor, untilGone, untilReady, type Wait } from "../../../../sandbox/plugins/kubernetes/wait";
import type { JsonObject } from "../../../../sandbox/plugins/protocol/values";
import { type Answer, FakeApi, type Received } from "./fakeApi";

const pod = kindOf("v1", "Pod");
const service = kindOf("v1", "Service");
const pods = { root: "/api/v1", resource: "pods", namespaced: true, verbs: [] };

function object(status: JsonObject, more: JsonObject = {}): JsonObject {
  return { metadata: { namespace: "ns", name: "x", uid: "uid", resourceVersion: "1", ...more }, status };
}
const pending = object({ phase: "Pending" });
const ready = object({ phase: "Running", conditions: [{ type: "Ready", status: "True" }] });

describe("waiting", () => {
  let fake: FakeApi;
  let statuses: string[];
  let stop: AbortController;

  beforeEach(async () => {
    fake = await FakeApi.start();
    statuses = [];
    stop = new AbortController();
  });
  afterEach(() => fake.stop());

  function wait(more: Partial<Wait> = {}): Wait {
    const status = (message: string) => statuses.push(message);
    return {
      api: new Api(fake.access),
      kind: pod,
      served: pods,
      namespace: "ns",
      name: "x",
      timeout: 60,
      signal: stop.signal,
      status,
      ...more,
    };
  }

  function rule(kind = pod) {
    const found = ruleOf(kind);
    assert.ok(found);
    return found;
  }

  /** Lists what is given, then sends the events of a watch and keeps it open. */
  function following(items: JsonObject[], events: JsonObject[]): (request: Received) => Answer {
    return ({ query }) => (query.get("watch") === "true" ? { events } : { body: { metadata: { resourceVersion: "5" }, items } });
  }

  describe("for readiness", () => {
    it("asks nothing when the object is ready", async () => {
      assert.deepEqual(await untilReady(wait(), ready, rule()), { object: ready, reasons: [] });
      assert.equal(fake.received.length, 0);
    });

    it("ends with the event that makes it ready, and says meanwhile what is missing", async () => {
      fake.answer = following([pending], [{ type: "MODIFIED", object: ready }]);
      assert.deepEqual(await untilReady(wait(), pending, rule()), { object: ready, reasons: [] });
      assert.deepEqual(statuses, ["the pod is not ready", ""]);
      assert.ok(fake.received.every(({ query }) => query.get("fieldSelector") === "metadata.name=x"));
    });

    it("ends when it can no longer succeed", async () => {
      fake.answer = following([object({ phase: "Failed", reason: "Evicted" })], []);
      const { reasons } = await untilReady(wait(), pending, rule());
      assert.match(reasons[0] ?? "", /the pod failed: Evicted/);
    });

    it("ends when somebody deletes it", async () => {
      fake.answer = following([pending], [{ type: "DELETED", object: pending }]);
      assert.deepEqual((await untilReady(wait(), pending, rule())).reasons, ["deleted by somebody else while waiting"]);
    });

    it("ends in time with the reason and the problems of the pod", async () => {
      const stuck = object({
        phase: "Pending",
        conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: "no node" }],
      });
      fake.answer = (request) => (request.path.endsWith("/events") ? { body: { items: [] } } : following([stuck], [])(request));
      const outcome = await untilReady(wait({ timeout: 0.3 }), pending, rule());
      assert.deepEqual(outcome, {
        object: stuck,
        reasons: ["not ready within 0.3 s: the pod is not ready", "pod x: Unschedulable: no node"],
      });
    });

    it("warns meanwhile, once, of a pod that no node takes", async () => {
      const stuck = object({
        phase: "Pending",
        conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: "0/3 nodes are available" }],
      });
      fake.answer = (request) => (request.path.endsWith("/events") ? { body: { items: [] } } : following([stuck], [])(request));
      const told: [string, string | undefined][] = [];
      const status: Wait["status"] = (message, severity) => told.push([message, severity]);
      await untilReady(wait({ timeout: 6.5, status }), stuck, rule());
      assert.deepEqual(
        told.filter(([, severity]) => severity === "warning"),
        [["pod x: Unschedulable: 0/3 nodes are available", "warning"]],
      );
    }).timeout(15_000);

    it("ends when the engine cancels", async () => {
      fake.answer = (request) => {
        if (request.query.get("watch") === "true") {
          stop.abort();
        }
        return following([pending], [])(request);
      };
      assert.deepEqual((await untilReady(wait(), pending, rule())).reasons, ["cancelled while waiting: the pod is not ready"]);
    });

    it("of a Service looks at its endpoints", async () => {
      const live = { ...object({}), spec: { selector: { a: "b" } } };
      const slice = { metadata: { uid: "slice", resourceVersion: "7" }, endpoints: [{ conditions: { ready: true } }] };
      fake.answer = (request) => {
        if (request.path === "/apis/discovery.k8s.io/v1/namespaces/ns/endpointslices") {
          assert.equal(request.query.get("labelSelector"), "kubernetes.io/service-name=x");
          return following([], [{ type: "ADDED", object: slice }])(request);
        }
        return following([live], [])(request);
      };
      const services = { ...pods, resource: "services" };
      const began = Date.now();
      assert.deepEqual((await untilReady(wait({ kind: service, served: services, settled: 300 }), live, rule(service))).reasons, []);
      assert.ok(Date.now() - began >= 300, "the endpoints have settled");
      assert.ok(statuses.includes("waiting for the endpoints to settle"));
    });
  });

  describe("for a claim", () => {
    const claim = kindOf("v1", "PersistentVolumeClaim");
    const classes = [
      {
        metadata: { name: "slow", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
        volumeBindingMode: "WaitForFirstConsumer",
      },
      { metadata: { name: "fast" }, volumeBindingMode: "Immediate" },
    ];
    const cases: [string, JsonObject, boolean][] = [
      ["is left out where it is bound by its first pod", { storageClassName: "slow" }, false],
      ["is left out where the default class does that", {}, false],
      ["is done where it is bound at once", { storageClassName: "fast" }, true],
      ["is done where no class is wanted", { storageClassName: "" }, true],
    ];
    for (const [what, spec, waits] of cases) {
      it(what, async () => {
        fake.answer = () => ({ body: { items: classes } });
        assert.equal((await ruleFor(new Api(fake.access), claim, { spec })) !== undefined, waits);
      });
    }
  });

  describe("for a deletion", () => {
    const ending = object({}, { finalizers: ["held"], deletionTimestamp: "now" });

    it("ends when the object is gone", async () => {
      fake.answer = following([ending], [{ type: "DELETED", object: ending }]);
      assert.deepEqual((await untilGone(wait(), ending)).reasons, []);
      assert.deepEqual(statuses, ["waiting for the deletion: finalizers held are not done", ""]);
    });

    it("ends when it is gone already, or another has taken its place", async () => {
      fake.answer = following([], []);
      assert.deepEqual((await untilGone(wait(), ending)).reasons, []);
      fake.answer = following([object({}, { uid: "another" })], []);
      assert.deepEqual((await untilGone(wait(), ending)).reasons, []);
    });

    it("ends in time with what holds the object", async () => {
      const namespaced = {
        ...ending,
        status: { conditions: [{ type: "NamespaceContentRemaining", status: "True", message: "pods. has 1 resource instances" }] },
      };
      fake.answer = following([namespaced], []);
      const { reasons } = await untilGone(wait({ timeout: 0.3 }), ending);
      assert.deepEqual(reasons, ["not deleted within 0.3 s: pods. has 1 resource instances; finalizers held are not done"]);
    });
  });
});
