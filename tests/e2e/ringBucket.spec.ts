import assert from "node:assert/strict";
import type { VectorElement } from "../../clients/prometheus";
import { bucketAccess, ensureBucket, startBucket, stopBucket } from "../../sandbox/bucket";
import { dataDirectory, listBlocks, placeBlocks } from "../../sandbox/history";
import { NODE_NETWORK } from "../../sandbox/topology";
import { HOUR, LATEST, MADE } from "./madeHistory";
import { openRing, RING_BUCKET, RING_NAMESPACE, RING_STACK, ringConfig, ringStorage } from "./ringWithBucket";
import {
  assertLossless,
  Cluster,
  deployedStack,
  eventually,
  metricsOf,
  receiversAsked,
  remove,
  ringLoaded,
  underLoad,
  verify,
  withBlocks,
} from "./stack";

/**
 * A ring of receivers and its bucket: what is uploaded when the bucket was away or when receivers leave. Most of its time it waits,
 * under load.
 */

/** This machine. */
const SENDERS = [NODE_NETWORK];
/** Blocks say for a while whose they were, before the compactor merges them. */
const UNMERGED = ringStorage("30m");

/** Four hours that receivers find in their TSDBs while the bucket is away. */
const OUTAGE = { from: LATEST - 10 * HOUR, to: LATEST - 6 * HOUR };

describe("a ring with a bucket, on a real cluster", function () {
  this.timeout(30 * 60_000);
  this.bail(true);
  const cluster = new Cluster();
  const ring = async () => deployedStack(cluster, await openRing(SENDERS));

  it("comes up from nothing and passes its check", async () => {
    await ensureBucket(RING_BUCKET);
    await remove("dev", ringConfig(SENDERS), RING_STACK);
    await (await openRing(SENDERS)).up();
    await verify(RING_STACK);
  });

  it("goes on through an outage of the object storage, and uploads everything afterwards", async () => {
    const tenant = (await ring()).outputs.defaultTenant;
    const outage = OUTAGE;
    await stopBucket();
    let restored = false;
    try {
      const load = await underLoad(await ring(), {}, async () => {
        const begun = Date.now();
        for (const pod of ["thanos-receive-0", "thanos-receive-1"]) {
          await withBlocks(outage, MADE, async (folder) =>
            placeBlocks({ folder, tenant, ...(await dataDirectory({ namespace: RING_NAMESPACE, pod })) }),
          );
        }
        await eventually(
          "five minutes are over, and uploads fail",
          async () => {
            const { vector } = await (await ring()).querier.instant(
              'sum(thanos_shipper_dir_sync_failures_total{job="thanos-receive"}) > 0',
            );
            return Date.now() - begun >= 300_000 && vector.length === 1;
          },
          900,
        );
      });
      assertLossless(load);
      await startBucket();
      restored = true;
    } finally {
      if (!restored) await startBucket();
    }
    await eventually(
      "both receivers' blocks are in the bucket",
      async () => {
        const blocks = await listBlocks(bucketAccess(RING_BUCKET));
        return ["thanos-receive-0", "thanos-receive-1"].every(
          (replica) =>
            blocks.filter(
              ({ labels, minTime, maxTime }) => labels.receive_replica === replica && minTime >= outage.from && maxTime <= outage.to,
            ).length === 2,
        );
      },
      600,
    );
  });

  it("merges the receivers' copies in the bucket, and answers each sample once before and after", async () => {
    const outage = OUTAGE;
    const { querier } = await ring();
    const answered = async () =>
      (await querier.instant("count_over_time(made_temperature_celsius[1h])", { timeMs: outage.from + HOUR - 1, partialResponse: false }))
        .vector;
    const once = (answer: readonly VectorElement[]) => answer.length === 2 && answer.every(({ sample }) => sample.value === 60);
    await eventually("each sample is answered once", async () => once(await answered()));
    await cluster.delete(`/api/v1/namespaces/${RING_NAMESPACE}/pods/thanos-compactor-0`);
    await eventually(
      "one block instead of copies",
      async () => {
        const blocks = (await listBlocks(bucketAccess(RING_BUCKET))).filter((block) => !block.markedForDeletion);
        const here = blocks.filter(({ minTime, maxTime }) => minTime < outage.to && maxTime > outage.from);
        return here.length > 0 && here.every(({ labels }) => labels.receive_replica === undefined);
      },
      600,
    );
    await eventually("each sample is still answered once", async () => once(await answered()));
  });

  it("gets smaller under load only when all that the leaving receivers hold is in the bucket, and answers all of it afterwards", async () => {
    const sized = (replicas: number) => openRing(SENDERS, { "thanos-stack:objectStorage": UNMERGED, "thanos-stack:receive": { replicas } });
    await (await sized(3)).up();
    await (await sized(5)).up();
    const deployed = await ring();
    const { querier, writer } = deployed;
    const receivers = () => cluster.pods(RING_NAMESPACE, "thanos-receive");
    await ringLoaded(receivers, 5);
    const leaving = ["thanos-receive-3", "thanos-receive-4"];
    const written = "held_by_a_ring_of_five";
    // The last comes out of order. It is not older than all that is in order, which Thanos serves only
    // when it is in a block (DB.StartTime).
    const first = Date.now();
    const times = [first, first + 2_000, first + 1_000];
    const holders = async (time: number) => {
      const { vector } = await querier.instant(`count by (receive_replica) (${written})`, { deduplicate: false, timeMs: time });
      return new Map(vector.map(({ labels, sample }) => [labels.receive_replica ?? "", sample.value]));
    };
    for (const timestampMs of times) {
      const samples = [{ timestampMs, value: timestampMs - first }];
      await writer.send(Array.from({ length: 200 }, (_, series) => ({ labels: { __name__: written, series: String(series) }, samples })));
      // The replica that a router does not wait for is there too.
      await eventually(
        "three copies of each",
        async () => [...(await holders(timestampMs)).values()].reduce((sum, each) => sum + each, 0) === 600,
      );
    }
    const before = await Promise.all(times.map(holders));
    const pods = await receivers();
    for (const replica of leaving) {
      for (const held of before) assert.ok((held.get(replica) ?? 0) > 20, `${replica} holds ${held.get(replica)} series`);
      const page = await metricsOf(pods.find(({ metadata }) => metadata.name === replica));
      const log = page.find(({ name }) => name === "prometheus_tsdb_out_of_order_wbl_storage_size_bytes");
      assert.ok((log?.value ?? 0) > 0, `${replica} holds something out of order`);
    }
    // Nothing in `accepts` lets old samples go.
    const load = await underLoad(deployed, {}, async () => {
      await (await sized(3)).up();
      await receiversAsked(querier, 3);
    });
    assert.equal((await receivers()).length, 3);
    assertLossless(load);
    const spec = JSON.stringify((await cluster.get(`/apis/apps/v1/namespaces/${RING_NAMESPACE}/statefulsets/thanos-receive`))?.spec);
    assert.ok(
      !spec.includes("max-block-duration") && !/"partition":[1-9]/.test(spec),
      `the engine took back what the gate applied: ${spec}`,
    );
    for (const [index, timeMs] of times.entries()) {
      const after = await holders(timeMs);
      for (const replica of leaving) assert.equal(after.get(replica), before[index]?.get(replica), `${replica} at ${timeMs - first} ms`);
      const { vector } = await querier.instant(written, { timeMs, partialResponse: false });
      assert.deepEqual([vector.length, new Set(vector.map(({ sample }) => sample.value))], [200, new Set([timeMs - first])]);
    }
  });

  it("leaves nothing but the bucket", async () => {
    await (await openRing(SENDERS)).destroy();
    assert.equal(await cluster.get(`/api/v1/namespaces/${RING_NAMESPACE}`), undefined);
  });
});
