import assert from "node:assert/strict";
import { kindOf } from "../../../../sandbox/plugins/kubernetes/discovery";
import { ruleOf } from "../../../../sandbox/plugins/kubernetes/readiness";
import type { JsonObject } from "../../../../sandbox/plugins/protocol/values";

type State = "ready" | "waiting" | "failed";

function state(apiVersion: string, kind: string, object: JsonObject, related: JsonObject[] = []): [State, string] {
  const rule = ruleOf(kindOf(apiVersion, kind));
  assert.ok(rule, `${kind} has no rule`);
  const { ready, failed, message } = rule({ metadata: { generation: 1 }, ...object }, related);
  return [ready ? "ready" : failed ? "failed" : "waiting", message];
}

const seen = { observedGeneration: 1 };
const condition = (type: string, status: string, reason = "", message = "") => ({ conditions: [{ type, status, reason, message }] });

interface Case {
  what: string;
  object: JsonObject;
  related?: JsonObject[];
  is: State;
  says?: RegExp;
}

const cases: Record<string, Case[]> = {
  "apps/v1 StatefulSet": [
    { what: "not seen by its controller", object: { spec: { replicas: 1 } }, is: "waiting", says: /not seen/ },
    { what: "seen in an earlier version", object: { metadata: { generation: 2 }, spec: { replicas: 0 }, status: seen }, is: "waiting" },
    { what: "empty", object: { spec: { replicas: 0 }, status: { ...seen, replicas: 0 } }, is: "ready" },
    {
      what: "with a pod not ready",
      object: { spec: { replicas: 3 }, status: { ...seen, replicas: 3, readyReplicas: 2, updatedReplicas: 3 } },
      is: "waiting",
      says: /2 of 3 pods are ready/,
    },
    {
      what: "with all pods ready and one of them old",
      object: {
        spec: { replicas: 3 },
        status: { ...seen, replicas: 3, readyReplicas: 3, updatedReplicas: 2, currentRevision: "a", updateRevision: "b" },
      },
      is: "waiting",
      says: /2 of 3 pods are updated/,
    },
    {
      what: "whose new revision is not current",
      object: {
        spec: { replicas: 1 },
        status: { ...seen, replicas: 1, readyReplicas: 1, updatedReplicas: 1, currentRevision: "a", updateRevision: "b" },
      },
      is: "waiting",
      says: /revision b/,
    },
    {
      what: "rolled out",
      object: {
        spec: { replicas: 1 },
        status: { ...seen, replicas: 1, readyReplicas: 1, updatedReplicas: 1, currentRevision: "b", updateRevision: "b" },
      },
      is: "ready",
    },
    {
      what: "that has yet to shrink",
      object: {
        spec: { replicas: 1 },
        status: { ...seen, replicas: 3, readyReplicas: 3, updatedReplicas: 3, currentRevision: "b", updateRevision: "b" },
      },
      is: "waiting",
      says: /3 pods exist, 1 are wanted/,
    },
    {
      what: "updated down to its partition",
      object: {
        spec: { replicas: 3, updateStrategy: { rollingUpdate: { partition: 2 } } },
        status: { ...seen, replicas: 3, readyReplicas: 3, updatedReplicas: 1, currentRevision: "a", updateRevision: "b" },
      },
      is: "ready",
    },
    {
      what: "updated only when pods are deleted",
      object: {
        spec: { replicas: 3, updateStrategy: { type: "OnDelete" } },
        status: { ...seen, replicas: 3, readyReplicas: 3, updatedReplicas: 0, currentRevision: "a", updateRevision: "b" },
      },
      is: "ready",
    },
  ],
  "apps/v1 Deployment": [
    {
      what: "rolled out",
      object: { spec: { replicas: 2 }, status: { ...seen, replicas: 2, updatedReplicas: 2, availableReplicas: 2 } },
      is: "ready",
    },
    {
      what: "with an old pod left",
      object: { spec: { replicas: 2 }, status: { ...seen, replicas: 3, updatedReplicas: 2, availableReplicas: 3 } },
      is: "waiting",
      says: /1 pods of the previous version/,
    },
    {
      what: "ready but not yet available for its minimum time",
      object: {
        spec: { replicas: 2, minReadySeconds: 10 },
        status: { ...seen, replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 0 },
      },
      is: "waiting",
      says: /0 of 2 pods are available/,
    },
    {
      what: "stuck",
      object: {
        spec: { replicas: 2 },
        status: { ...seen, replicas: 2, updatedReplicas: 2, ...condition("Progressing", "False", "ProgressDeadlineExceeded", "timed out") },
      },
      is: "waiting",
      says: /ProgressDeadlineExceeded: timed out/,
    },
    {
      what: "whose pods are refused",
      object: { spec: { replicas: 1 }, status: { ...seen, ...condition("ReplicaFailure", "True", "FailedCreate", "exceeded quota") } },
      is: "waiting",
      says: /exceeded quota/,
    },
    {
      what: "paused",
      object: { spec: { replicas: 1, paused: true }, status: { ...seen, updatedReplicas: 0, availableReplicas: 1 } },
      is: "ready",
    },
  ],
  "apps/v1 DaemonSet": [
    {
      what: "everywhere",
      object: { status: { ...seen, desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 3 } },
      is: "ready",
    },
    {
      what: "not everywhere",
      object: { status: { ...seen, desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 2 } },
      is: "waiting",
    },
    {
      what: "not everywhere updated",
      object: { status: { ...seen, desiredNumberScheduled: 3, updatedNumberScheduled: 1, numberAvailable: 3 } },
      is: "waiting",
    },
  ],
  "v1 Pod": [
    { what: "ready", object: { status: { phase: "Running", ...condition("Ready", "True") } }, is: "ready" },
    { what: "done", object: { status: { phase: "Succeeded" } }, is: "ready" },
    {
      what: "failed",
      object: { status: { phase: "Failed", reason: "Evicted", message: "no disk" } },
      is: "failed",
      says: /Evicted: no disk/,
    },
    { what: "pending", object: { status: { phase: "Pending" } }, is: "waiting" },
  ],
  "batch/v1 Job": [
    { what: "complete", object: { status: condition("Complete", "True") }, is: "ready" },
    {
      what: "failed",
      object: { status: condition("Failed", "True", "BackoffLimitExceeded", "too often") },
      is: "failed",
      says: /BackoffLimitExceeded: too often/,
    },
    { what: "half done", object: { spec: { completions: 2 }, status: { succeeded: 1 } }, is: "waiting", says: /1 of 2/ },
    { what: "suspended", object: { spec: { suspend: true } }, is: "ready" },
  ],
  "v1 Namespace": [
    { what: "active", object: { status: { phase: "Active" } }, is: "ready" },
    { what: "ending", object: { status: { phase: "Terminating" } }, is: "failed" },
    { what: "new", object: {}, is: "waiting" },
  ],
  "v1 PersistentVolumeClaim": [
    { what: "bound", object: { status: { phase: "Bound" } }, is: "ready" },
    { what: "pending", object: { status: { phase: "Pending" } }, is: "waiting" },
    { what: "lost", object: { status: { phase: "Lost" } }, is: "failed" },
  ],
  "v1 PersistentVolume": [
    { what: "available", object: { status: { phase: "Available" } }, is: "ready" },
    { what: "failed", object: { status: { phase: "Failed", message: "broken" } }, is: "failed", says: /broken/ },
  ],
  "v1 Service": [
    { what: "headless", object: { spec: { clusterIP: "None", selector: { a: "b" } } }, is: "ready" },
    { what: "an alias", object: { spec: { type: "ExternalName" } }, is: "ready" },
    { what: "without a selector", object: { spec: { clusterIP: "10.0.0.1" } }, is: "ready" },
    { what: "without endpoints", object: { spec: { selector: { a: "b" } } }, is: "waiting" },
    {
      what: "with an endpoint not ready",
      object: { spec: { selector: { a: "b" } } },
      related: [{ endpoints: [{ conditions: { ready: false } }] }],
      is: "waiting",
    },
    {
      what: "with one of two endpoints ready",
      object: { spec: { selector: { a: "b" } } },
      related: [{ endpoints: [{ conditions: { ready: false } }] }, { endpoints: [{ conditions: { ready: true } }] }],
      is: "ready",
    },
    {
      what: "without a load balancer's address",
      object: { spec: { type: "LoadBalancer", selector: { a: "b" } } },
      related: [{ endpoints: [{}] }],
      is: "waiting",
      says: /load balancer/,
    },
    {
      what: "with a load balancer's address",
      object: { spec: { type: "LoadBalancer", selector: { a: "b" } }, status: { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } } },
      related: [{ endpoints: [{}] }],
      is: "ready",
    },
  ],
  "apiextensions.k8s.io/v1 CustomResourceDefinition": [
    { what: "established", object: { status: condition("Established", "True") }, is: "ready" },
    { what: "in conflict", object: { status: condition("NamesAccepted", "False", "ListKindConflict") }, is: "failed" },
    { what: "new", object: {}, is: "waiting" },
  ],
};

describe("readiness", () => {
  for (const [token, list] of Object.entries(cases)) {
    const [apiVersion = "", kind = ""] = token.split(" ");
    describe(`of a ${kind}`, () => {
      for (const { what, object, related, is, says } of list) {
        it(`${what}: ${is}`, () => {
          const [found, message] = state(apiVersion, kind, object, related);
          assert.equal(found, is, message);
          if (says !== undefined) {
            assert.match(message, says);
          }
        });
      }
    });
  }

  it("is not waited for where existing is all there is", () => {
    for (const kind of ["ConfigMap", "Secret", "ServiceAccount"]) {
      assert.equal(ruleOf(kindOf("v1", kind)), undefined);
    }
    assert.equal(ruleOf(kindOf("networking.k8s.io/v1", "Ingress")), undefined);
  });
});
