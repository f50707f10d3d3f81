import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { environment, openStack } from "../../sandbox/engine";
import { dataDirectory, makeBlocks, placeBlocks, type Series } from "../../sandbox/history";
import { inNode, nodePlanByNumber } from "../../sandbox/node";
import { Cluster, changes, deployedStack, eventually, remove } from "./stack";

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
  /** A metric of a pod, summed over its labels; what has none yet counts nothing. */
  const metric = async (address: string | undefined, name: string): Promise<number> => {
    const page = await (await fetch(`http://${address}:10902/metrics`)).text();
    const values = page.split("\n").filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
    return values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
  };
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
    const result = await execa("npm", ["run", "--silent", "verify", "--", "--stack", "dev"], {
      env: environment(),
      all: true,
      reject: false,
    });
    assert.equal(result.exitCode, 0, result.all);
    assert.deepEqual(changes((await (await stack()).preview()).changeSummary), {});
  });

  it("has every block of its receivers in the directory, and answers each from the store gateway of its age", async () => {
    const { outputs } = await deployed();
    for (const range of [YOUNG, OLD]) {
      for (const pod of RECEIVERS) {
        const folder = mkdtempSync(join(tmpdir(), "thanos-stack-directory-"));
        try {
          await makeBlocks({ folder, ...range, resolutionSeconds: 60, series: MADE });
          placeBlocks({ folder, tenant: outputs.defaultTenant, ...(await dataDirectory({ namespace: "thanos-dev", pod })) });
        } finally {
          rmSync(folder, { recursive: true, force: true });
        }
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
      const address = compactor?.status.podIP;
      assert.equal(await metric(address, "thanos_compact_halted"), 0);
      return (
        (await metric(address, "thanos_compact_group_compactions_total")) >= 2 &&
        (await metric(address, "thanos_compact_blocks_marked_total")) >= 4
      );
    });
  });

  it("is destroyed without leaving anything in the cluster; the directory stays", async () => {
    await (await stack()).destroy();
    assert.equal(await cluster.get("/api/v1/namespaces/thanos-dev"), undefined);
    const kept = await inNode(nodePlanByNumber(1), ["find", "/data/directory-bucket/history/thanos-dev/bucket", "-name", "meta.json"]);
    assert.ok(kept.split("\n").filter(Boolean).length > 0);
  });
});
