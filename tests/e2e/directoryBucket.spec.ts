import assert from "node:assert/strict";
import { openStack } from "../../sandbox/engine";
import { dataDirectory, placeBlocks, type Series } from "../../sandbox/history";
import { inNode, nodePlanByNumber } from "../../sandbox/node";
import { Cluster, changes, deployedStack, eventually, metricsOf, remove, verify, withBlocks } from "./stack";

/** dev with a directory of its node for a bucket, and store gateways that divide the history by its age. */

const HOUR = 3_600_000;
const SMALL = { resources: { cpu: "20m", memory: "256Mi" } };
const node = nodePlanByNumber(1).name;
const on = (path: string) => ({ storage: { hostPath: { path, nodes: [node] } } });
const CONFIG = {
  // A directory outlives its environment: what is laid into these is nobody else's.
  "thanos-stack:receive": on("/data/directory-bucket/receive"),
  "thanos-stack:objectStorage": {
    filesystem: { path: "/data/directory-bucket/history", node },
    storeGateway: {
      ...SMALL,
      ...on("/data/directory-bucket/store-gateway"),
      replicas: 1,
      antiAffinity: "soft",
      syncInterval: "15s",
      partition: { time: ["15h"] },
      indexCache: { inMemory: { size: "64Mi" } },
      chunkCache: { inMemory: { size: "64Mi" } },
    },
    compactor: { ...SMALL, ...on("/data/directory-bucket/compactor"), consistencyDelay: "0s", deleteDelay: "2m" },
  },
};
const RECEIVERS = ["thanos-receive-0", "thanos-receive-1"];
const MADE: Series[] = [
  { name: "directory_temperature_celsius", labels: { instance: "made" }, value: (time) => 20 + (time % HOUR) / HOUR },
];
/** The last even hour, at which blocks end. */
const LATEST = Math.floor(Date.now() / (2 * HOUR)) * 2 * HOUR;
/** Two stretches that receivers still hold, on both sides of the age at which the store gateways divide. */
const YOUNG = { from: LATEST - 8 * HOUR, to: LATEST - 4 * HOUR };
const OLD = { from: LATEST - 28 * HOUR, to: LATEST - 24 * HOUR };

describe("dev with a directory for a bucket, on a real cluster", function () {
  this.timeout(10 * 60_000);
  this.bail(true);
  const cluster = new Cluster();
  const stack = () => openStack("dev", CONFIG);
  const deployed = async () => deployedStack(cluster, await stack());
  const gateways = () => cluster.pods("thanos-dev", "thanos-store-gateway");
  /** What one store answers, past everything else that the querier knows. */
  const answeredBy = async (address: string | undefined, timeMs: number): Promise<number> => {
    const parameters = new URLSearchParams({
      query: "sum(count_over_time(directory_temperature_celsius[1h]))",
      time: String(timeMs / 1_000),
      "storeMatch[]": `{__address__="${address}:10901"}`,
    });
    const { querier } = await deployed();
    const { status, body } = await querier.transport.send({ method: "GET", path: `/api/v1/query?${parameters}` });
    assert.equal(status, 200, body);
    const { data } = JSON.parse(body) as { data: { result: { value: [number, string] }[] } };
    return Number(data.result[0]?.value[1] ?? 0);
  };

  it("comes up from nothing, passes its check, and changes nothing when brought up again", async () => {
    await remove("dev");
    await (await stack()).up();
    await verify("dev");
    assert.deepEqual(changes((await (await stack()).preview()).changeSummary), {});
  });

  it("has every block of its receivers in the directory, and answers each from the store gateway of its age", async () => {
    const { outputs } = await deployed();
    for (const range of [YOUNG, OLD]) {
      for (const pod of RECEIVERS) {
        const place = await dataDirectory({ namespace: "thanos-dev", pod });
        await withBlocks(range, MADE, async (folder) => placeBlocks({ folder, tenant: outputs.defaultTenant, ...place }));
      }
    }
    assert.equal((await gateways()).length, 2, "one for each age");
    const expected = [
      { part: "thanos-store-gateway-0", young: 60, old: 0 },
      { part: "thanos-store-gateway-1-0", young: 0, old: 60 },
    ];
    for (const { part, ...ages } of expected) {
      await eventually(`${part} answers for its age and for nothing else`, async () => {
        const pod = (await gateways()).find(({ metadata }) => metadata.name === part);
        const [young, old] = await Promise.all([YOUNG, OLD].map(({ from }) => answeredBy(pod?.status.podIP, from + 2 * HOUR - 1)));
        return young === ages.young && old === ages.old;
      });
    }
  });

  it("merges the copies in the directory, without a fault", async () => {
    // It looks at the bucket when it starts, and every five minutes.
    await cluster.delete("/api/v1/namespaces/thanos-dev/pods/thanos-compactor-0");
    await eventually("the compactor has merged and deleted blocks", async () => {
      const [compactor] = await cluster.pods("thanos-dev", "thanos-compactor");
      const samples = await metricsOf(compactor);
      const total = (name: string) => samples.filter((sample) => sample.name === name).reduce((sum, { value }) => sum + value, 0);
      assert.equal(total("thanos_compact_halted"), 0);
      return total("thanos_compact_group_compactions_total") >= 2 && total("thanos_compact_blocks_marked_total") >= 4;
    });
  });

  it("is destroyed without leaving anything in the cluster; the directory stays", async () => {
    await (await stack()).destroy();
    assert.equal(await cluster.get("/api/v1/namespaces/thanos-dev"), undefined);
    const kept = await inNode(nodePlanByNumber(1), ["find", "/data/directory-bucket/history/thanos-dev/bucket", "-name", "meta.json"]);
    assert.ok(kept.split("\n").filter(Boolean).length > 0);
  });
});
