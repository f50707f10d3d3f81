import assert from "node:assert/strict";
import * as fc from "fast-check";
import type { Overrides, Stack } from "../../harness";
import { load, planUnder, smaller } from "./plans";

const PVC = { pvc: { size: "100Gi" } };

/** Each key that says how many there are of something, in a plan that has it. */
const COUNTS: readonly { key: string; stack: Stack; with_: (count: number) => Overrides }[] = [
  { key: "receive.replicas", stack: "prod", with_: (count) => ({ receive: { replicas: 3 * count } }) },
  { key: "receive.replicas of receivers that route", stack: "dev", with_: (count) => ({ receive: { replicas: 2 + count } }) },
  { key: "receive.routers.replicas", stack: "prod", with_: (count) => ({ receive: { routers: { replicas: 1 + count } } }) },
  { key: "querier.replicas", stack: "prod", with_: (count) => ({ querier: { replicas: 1 + count } }) },
  {
    key: "querier.replicas beside sidecars",
    stack: "prod",
    with_: (count) => ({ ingestion: "sidecar", prometheus: { storage: PVC }, querier: { replicas: 1 + count } }),
  },
  { key: "queryFrontend.replicas", stack: "prod", with_: (count) => ({ queryFrontend: { replicas: 1 + count } }) },
  {
    key: "objectStorage.storeGateway.replicas",
    stack: "prod",
    with_: (count) => ({ objectStorage: { storeGateway: { replicas: 1 + count } } }),
  },
  {
    key: "objectStorage.storeGateway.partition.hash",
    stack: "prod",
    with_: (count) => ({ objectStorage: { storeGateway: { partition: { hash: 1 + count } } } }),
  },
  { key: "objectStorage.compactor.shards", stack: "prod", with_: (count) => ({ objectStorage: { compactor: { shards: count } } }) },
  { key: "prometheus.shards", stack: "prod", with_: (count) => ({ prometheus: { shards: count } }) },
  {
    key: "prometheus.shards beside sidecars",
    stack: "prod",
    with_: (count) => ({ ingestion: "sidecar", prometheus: { storage: PVC, shards: count } }),
  },
];

describe("capacity: more of anything never makes anything need more", () => {
  for (const { key, stack, with_ } of COUNTS)
    it(key, () => {
      fc.assert(
        fc.property(load, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), (own, count, more) => {
          const plan = (of: number) => planUnder(stack, own, with_(of));
          assert.deepEqual(smaller(plan(count + more), plan(count)), []);
        }),
        { numRuns: 15 },
      );
    });
});
