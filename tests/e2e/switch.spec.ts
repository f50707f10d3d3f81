import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Stack } from "@pulumi/pulumi/automation";
import { clusterView } from "../../gates/cluster";
import { storeGatewaysKnow } from "../../gates/upload";
import { bucketAccess, ensureBucket } from "../../sandbox/bucket";
import { openStack } from "../../sandbox/engine";
import { objectStoreConfig } from "../../sandbox/history/remote";
import type { ConfigOverlay } from "../../sandbox/overlay";
import { BUCKET_PORT } from "../../sandbox/topology";
import { SMALL, SMALL_STORE_GATEWAY } from "./objectStorage";
import { assertLossless, CLUSTER, Cluster, deployedStack, eventually, failure, previewed, remove, underLoad, verify } from "./stack";

/**
 * One environment that becomes another: from receivers to sidecars and back, then from a namespace of its own to one that exists. Its
 * bucket's configuration is a Secret that somebody else makes. Most of its time it waits for samples to be past.
 */

const BUCKET = "switch-history";
const STACK = "switch";
/** How far an instant query looks back (`--query.lookback-delta` of Thanos, its default). */
const LOOKBACK = 300_000;
const NAMESPACE = "thanos-switch";
const CONFIG: ConfigOverlay = {
  "thanos-stack:namespace": NAMESPACE,
  "thanos-stack:objectStorage": {
    secret: { name: "bucket", key: "thanos.yaml", files: ["ca.crt"], port: BUCKET_PORT },
    storeGateway: SMALL_STORE_GATEWAY,
    compactor: SMALL,
  },
};
const SWITCHED = { "thanos-stack:ingestion": "sidecar" };
const EXISTING = { "thanos-stack:existingNamespace": true };
const PROTECTED = { "thanos-stack:protect": true };

describe("a switch of schemes, on a real cluster", function () {
  this.timeout(30 * 60_000);
  this.bail(true);
  const cluster = new Cluster();
  const open = (changes: ConfigOverlay = {}): Promise<Stack> => openStack("dev", { ...CONFIG, ...changes }, { stack: STACK });
  const deployed = async () => deployedStack(cluster, await open());

  /** Makes the bucket's Secret as soon as there is the namespace, as an operator of secrets does. */
  async function bucketSecret(): Promise<void> {
    await eventually("the namespace is there", () => cluster.get(`/api/v1/namespaces/${NAMESPACE}`));
    const bucket = bucketAccess(BUCKET);
    await cluster.create(`/api/v1/namespaces/${NAMESPACE}/secrets`, {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "bucket" },
      stringData: {
        "thanos.yaml": objectStoreConfig({ ...bucket, caFile: "/etc/thanos/objectstore/ca.crt" }),
        "ca.crt": readFileSync(bucket.caFile, "utf8"),
      },
    });
  }

  it("is previewed as exactly what it removes and makes, and refused where data is protected", async () => {
    await ensureBucket(BUCKET);
    await remove("dev", CONFIG, STACK);
    await Promise.all([open(PROTECTED).then((stack) => stack.up()), bucketSecret()]);
    assert.match(await failure(async () => (await open({ ...PROTECTED, ...SWITCHED })).preview()), /protect/);
    await (await open()).up();
    const planned = await previewed(await open(SWITCHED));
    const removed = planned.filter((each) => each.startsWith("delete ")).map((each) => each.slice("delete ".length));
    for (const gone of [
      "StatefulSet thanos-receive",
      "ConfigMap receive-hashrings",
      "ConfigMap receive-limits",
      "PodDisruptionBudget receive",
    ]) {
      assert.ok(removed.includes(gone), `${gone} is not among ${removed.join(", ")}`);
    }
    assert.ok(
      removed.every((each) => /receive|prometheus/.test(each)),
      removed.join(", "),
    );
  });

  it("goes from receivers to sidecars and back, and what the receivers held is answered again", async () => {
    const { writer, querier } = await deployed();
    const timestampMs = Date.now();
    await writer.send([{ labels: { __name__: "kept_through_the_switch" }, samples: [{ timestampMs, value: 42 }] }]);
    const asked = { timeMs: timestampMs + 1_000 };
    await eventually("the sample is there", async () => (await querier.instant("kept_through_the_switch", asked)).vector.length === 1);
    await (await open(SWITCHED)).up();
    const switched = Date.now();
    assert.deepEqual(await cluster.pods(NAMESPACE, "thanos-receive"), []);
    // They have uploaded their last samples, which queries look back at for five minutes more, beside those of the
    // same targets that the sidecar serves.
    await storeGatewaysKnow(clusterView(CLUSTER, NAMESPACE));
    await eventually(
      "the receivers' last samples are in the past",
      // A querier that has just begun and does not know the store gateway yet answers nothing of them either.
      async () => Date.now() - switched > LOOKBACK && (await querier.instant('up{tenant_id=~".+"}')).vector.length === 0,
      900,
    );
    await verify(STACK);
    await (await open()).up();
    await verify(STACK);
    await eventually(
      "the sample is there again",
      async () => (await querier.instant("kept_through_the_switch", asked)).vector[0]?.sample.value === 42,
    );
  });

  it("lets go of the namespace that it has made, and loses nothing that is in it", async () => {
    const path = `/api/v1/namespaces/${NAMESPACE}`;
    const before = await cluster.get(path);
    assert.match(await failure(async () => (await open(EXISTING)).preview()), /existingNamespace/);
    await cluster.mergePatch(path, { metadata: { labels: { "app.kubernetes.io/part-of": null } } });
    const load = await underLoad(await deployed(), {}, async () => void (await (await open(EXISTING)).up()));
    assertLossless(load);
    await verify(STACK);
    assert.deepEqual(await previewed(await open(EXISTING)), []);
    const after = await cluster.get(path);
    assert.equal(after?.metadata.uid, before?.metadata.uid);
  });

  it("leaves nothing but the namespace and the bucket", async () => {
    const stack = await open(EXISTING);
    await stack.destroy();
    await stack.workspace.removeStack(STACK);
    assert.deepEqual(await cluster.pods(NAMESPACE), []);
    await cluster.delete(`/api/v1/namespaces/${NAMESPACE}`);
  });
});
