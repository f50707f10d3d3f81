import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import type { Stack } from "@pulumi/pulumi/automation";
import type { VectorElement } from "../../clients/prometheus";
import { SHARD_FLAG } from "../../model/bucket/flags";
import { shardOf } from "../../model/bucket/shards";
import { bucketAccess, bucketServer, ensureBucket } from "../../sandbox/bucket";
import { openStack } from "../../sandbox/engine";
import { dataDirectory, listBlocks, placeBlocks, uploadBlocks } from "../../sandbox/history";
import type { ConfigOverlay } from "../../sandbox/overlay";
import { HOST_ADDRESS, NODE_NETWORK } from "../../sandbox/topology";
import { HOUR, LATEST, MADE } from "./made";
import { assertCredentialsHidden, bucketOf, SMALL, SMALL_STORE_GATEWAY } from "./objectStorage";
import { Passage } from "./passage";
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
 * A ring whose blocks go into a bucket: an outage of that, receivers that leave, and the compactors beside them. It reaches the bucket by a
 * way of its own, so that nobody else on the cluster loses it. Most of its time it waits: for the outage to be long, and for uploads.
 */

const BUCKET = "ring-history";
const STACK = "ring-bucket";
const NAMESPACE = "thanos-ring-bucket";
/** Where the stack finds the S3 server. */
const PASSAGE_PORT = 9_010;
/** Seconds without the bucket. */
const OUTAGE_SECONDS = 300;
/** A load beside which an outage of minutes can be waited for: its queries look at all that was written. */
const LIGHT = { series: 100 };

const COMPACTOR = { ...SMALL, consistencyDelay: "0s", deleteDelay: "2m" };
const RING = {
  "thanos-stack:access": { senders: [NODE_NETWORK] },
  "thanos-stack:objectStorage": {
    s3: { ...bucketOf(BUCKET), endpoint: `${HOST_ADDRESS}:${PASSAGE_PORT}` },
    storeGateway: SMALL_STORE_GATEWAY,
    compactor: COMPACTOR,
  },
  // Its share of two busy cores has to answer five queries a second.
  "thanos-stack:querier": { resources: { cpu: "200m", memory: "256Mi" } },
};
const compacting = (compactor: object) => ({
  ...RING,
  "thanos-stack:objectStorage": { ...RING["thanos-stack:objectStorage"], compactor: { ...COMPACTOR, ...compactor } },
});
/** The same, but blocks say for a while whose they were, before the compactor merges them. */
const UNMERGED = compacting({ consistencyDelay: "30m" });

/** Four hours that receivers find in their TSDBs while the bucket is away. */
const OUTAGE = { from: LATEST - 10 * HOUR, to: LATEST - 6 * HOUR };

describe("a ring with a bucket, on a real cluster", function () {
  this.timeout(30 * 60_000);
  this.bail(true);
  const cluster = new Cluster();
  const passage = new Passage(PASSAGE_PORT, bucketServer().endpoint);
  const open = (config: ConfigOverlay = RING): Promise<Stack> =>
    openStack("dev", { ...config, "thanos-stack:namespace": NAMESPACE }, { stack: STACK });
  const ring = async () => deployedStack(cluster, await open());
  const uploaded = () => listBlocks(bucketAccess(BUCKET));

  before("a bucket, and a way to it", async () => {
    await ensureBucket(BUCKET);
    await passage.open();
    await remove("dev", { ...RING, "thanos-stack:namespace": NAMESPACE }, STACK);
  });
  after(() => passage.close());

  it("keeps the bucket's credentials in one Secret and out of state and outputs", async () => {
    await (await open()).up();
    await verify(STACK);
    await assertCredentialsHidden(cluster, await open(), NAMESPACE);
  });

  it("goes on through an outage of the object storage, and uploads everything afterwards", async () => {
    const deployed = await ring();
    passage.close();
    try {
      const load = await underLoad(deployed, LIGHT, async () => {
        const begun = Date.now();
        for (const pod of ["thanos-receive-0", "thanos-receive-1"]) {
          await withBlocks(OUTAGE, MADE, async (folder) =>
            placeBlocks({ folder, tenant: deployed.outputs.defaultTenant, ...(await dataDirectory({ namespace: NAMESPACE, pod })) }),
          );
        }
        await eventually(
          "five minutes are over, and uploads fail",
          async () => {
            const { vector } = await deployed.querier.instant('sum(thanos_shipper_dir_sync_failures_total{job="thanos-receive"}) > 0');
            return Date.now() - begun >= OUTAGE_SECONDS * 1_000 && vector.length === 1;
          },
          900,
        );
      });
      assertLossless(load);
    } finally {
      await passage.open();
    }
    await eventually(
      "both receivers' blocks are in the bucket",
      async () => {
        const blocks = await uploaded();
        return ["thanos-receive-0", "thanos-receive-1"].every(
          (replica) =>
            blocks.filter(
              ({ labels, minTime, maxTime }) => labels.receive_replica === replica && minTime >= OUTAGE.from && maxTime <= OUTAGE.to,
            ).length === 2,
        );
      },
      600,
    );
  });

  it("merges the receivers' replicas in the bucket, and answers each sample once before and after", async () => {
    const { querier } = await ring();
    const answered = async () =>
      (await querier.instant("count_over_time(made_temperature_celsius[1h])", { timeMs: OUTAGE.from + HOUR - 1, partialResponse: false }))
        .vector;
    const once = (answer: readonly VectorElement[]) => answer.length === 2 && answer.every(({ sample }) => sample.value === 60);
    await eventually("each sample is answered once", async () => once(await answered()));
    await cluster.delete(`/api/v1/namespaces/${NAMESPACE}/pods/thanos-compactor-0`);
    await eventually(
      "one block instead of one of each receiver",
      async () => {
        const blocks = (await listBlocks(bucketAccess(BUCKET))).filter((block) => !block.markedForDeletion);
        const here = blocks.filter(({ minTime, maxTime }) => minTime < OUTAGE.to && maxTime > OUTAGE.from);
        return here.length > 0 && here.every(({ labels }) => labels.receive_replica === undefined);
      },
      600,
    );
    await eventually("each sample is still answered once", async () => once(await answered()));
  });

  it("divides the bucket's blocks over compactors by tenant, and no two divisions are ever at work beside each other", async () => {
    const { querier, outputs } = await ring();
    const own = shardOf([outputs.defaultTenant, ""], 2);
    const other = ["shop", "bank", "mill", "farm", "port"].find((tenant) => shardOf([tenant, ""], 2) !== own);
    assert.ok(other !== undefined);
    const labels = { tenant_id: other, receive_replica: "thanos-receive-0" };
    await withBlocks(OUTAGE, MADE, (folder) => uploadBlocks({ folder, labels, bucket: bucketAccess(BUCKET) }));
    const compactors = () => cluster.pods(NAMESPACE, "thanos-compactor");
    /** Updates, and polls meanwhile how those divide blocks that there are at once; one that is ending is there too. */
    const divide = async (stack: Stack): Promise<string[]> => {
      let over = false;
      const divisions: string[][] = [];
      const poll = async () => {
        while (!over) {
          const pods = await compactors().catch(() => []);
          const selectors = pods.map(({ spec }) => spec.containers[0]?.args?.find((arg) => arg.startsWith(SHARD_FLAG)) ?? "all");
          divisions.push([...new Set(selectors)]);
          await delay(300);
        }
      };
      const update = stack.up().finally(() => {
        over = true;
      });
      await Promise.all([update, poll()]);
      assert.deepEqual(
        divisions.filter((each) => each.length > 1),
        [],
      );
      assert.equal(new Set(divisions.flat()).size, 2, "the old division and the new one were seen");
      return (await compactors()).map(({ metadata }) => metadata.name).sort();
    };
    const divided = await open(compacting({ shards: 2 }));
    assert.deepEqual(await divide(divided), ["thanos-compactor-0", "thanos-compactor-1"]);
    const has = 'thanos_blocks_meta_synced{state=~"loaded|label-excluded", compactor_shards="2"} > 0';
    await eventually("each has blocks that the other leaves alone", async () => {
      const { vector } = await querier.instant(`count by (compactor_shard) (${has})`);
      return vector.length === 2 && vector.every(({ sample }) => sample.value === 2);
    });
    const { vector } = await querier.instant('thanos_compact_halted{compactor_shards="2"}');
    assert.deepEqual(
      vector.map(({ sample }) => sample.value),
      [0, 0],
    );
    // The state that the next test begins with.
    assert.deepEqual(await divide(await open(UNMERGED)), ["thanos-compactor-0"]);
  });

  it("gets smaller under load only when all that the leaving receivers hold is in the bucket, and answers all of it afterwards", async () => {
    const sized = (replicas: number) => open({ ...UNMERGED, "thanos-stack:receive": { replicas } });
    await (await sized(3)).up();
    await (await sized(5)).up();
    const deployed = await ring();
    const { querier, writer } = deployed;
    const receivers = () => cluster.pods(NAMESPACE, "thanos-receive");
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
    const spec = JSON.stringify((await cluster.get(`/apis/apps/v1/namespaces/${NAMESPACE}/statefulsets/thanos-receive`))?.spec);
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

  it("leaves nothing of the ring but the bucket", async () => {
    await (await open()).destroy();
    assert.equal(await cluster.get(`/api/v1/namespaces/${NAMESPACE}`), undefined);
  });
});
