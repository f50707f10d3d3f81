import assert from "node:assert/strict";
import type { EngineEvent } from "@pulumi/pulumi/automation";
import { median } from "../../bench/figures";
import { Creations, timeline } from "../../bench/moments";

/** An event of the engine about an object, as far as it is looked at. */
function event(which: "resourcePreEvent" | "resOutputsEvent", type: string, name: string, op = "create"): EngineEvent {
  return { [which]: { metadata: { type, urn: `urn:pulumi:dev::thanos-stack::${type}::${name}`, op } } } as unknown as EngineEvent;
}

describe("bench:deploy: moments", () => {
  it("are those of the cluster's objects that were created, from the beginning of each to its end", () => {
    const creations = new Creations();
    const set = "kubernetes:apps/v1:StatefulSet";
    creations.note(event("resourcePreEvent", set, "thanos-receive"), 6_000);
    creations.note(event("resourcePreEvent", set, "prometheus", "update"), 6_100);
    creations.note(event("resOutputsEvent", set, "prometheus", "update"), 6_200);
    creations.note(event("resourcePreEvent", "thanos-stack:index:Receive", "receive"), 1_000);
    creations.note(event("resOutputsEvent", "thanos-stack:index:Receive", "receive"), 1_100);
    creations.note({ stdoutEvent: { message: "", color: "never" } } as unknown as EngineEvent, 7_000);
    creations.note(event("resOutputsEvent", set, "thanos-receive"), 9_700);
    assert.deepEqual([...creations.made], [["StatefulSet thanos-receive", { begun: 6_000, done: 9_700 }]]);
  });

  it("stand in the order in which things were done, each as the median of the runs that have it", () => {
    const runs = [
      new Map([
        ["update ended", { done: 13_000 }],
        ["Job hostpath-node1", { begun: 2_000, done: 5_000 }],
      ]),
      new Map([
        ["Job hostpath-node1", { begun: 3_000, done: 7_000 }],
        ["update ended", { done: 14_000 }],
        ["first sample answered", { done: 12_000 }],
      ]),
    ];
    assert.deepEqual(timeline(runs).split("\n").slice(2), [
      "| Job hostpath-node1 | 2.5 | 6.0 | 5.0 to 7.0 | 2 |",
      "| first sample answered |  | 12.0 | 12.0 to 12.0 | 1 |",
      "| update ended |  | 13.5 | 13.0 to 14.0 | 2 |",
    ]);
  });

  it("have the mean of the middle two as the median of an even number of runs", () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 3, 2]), 2.5);
    assert.ok(Number.isNaN(median([])));
  });
});
