import assert from "node:assert/strict";
import { execa } from "execa";
import { environment, openStack } from "../../sandbox/engine";
import { readBack, startQueries, startSender } from "../ledger";
import { Cluster, changes, deployedStack, eventually, failure, type Pod, runId, up } from "./stack";

const NAMESPACE = "thanos-dev";
const RECEIVE = "thanos-stack:receive";

/** What a pod's identity is: another uid or another start is a restart. */
const identity = (pod: Pod) =>
  `${pod.metadata.name} ${pod.metadata.uid} ${pod.status.containerStatuses?.map((each) => each.restartCount).join()}`;
const identities = (pods: Pod[]) => pods.map(identity).sort();

describe("dev on a real cluster", function () {
  this.timeout(20 * 60_000);
  this.bail(true);
  const cluster = new Cluster();
  const receivers = () => cluster.pods(NAMESPACE, "thanos-receive");
  const verify = () =>
    execa("npm", ["run", "--silent", "verify", "--", "--stack", "dev"], { env: environment(), all: true, reject: false });

  it("comes up from nothing", async () => {
    const stack = await openStack("dev");
    await stack.destroy();
    const { changes: made } = await up("dev");
    assert.deepEqual(Object.keys(made), ["create"]);
    assert.ok((made.create ?? 0) > 30, `${made.create} resources`);
  });

  it("passes its own check", async () => {
    const result = await verify();
    assert.equal(result.exitCode, 0, result.all);
  });

  it("changes nothing when brought up again", async () => {
    const stack = await openStack("dev");
    assert.deepEqual(changes((await stack.preview()).changeSummary), {});
    const before = identities(await cluster.pods(NAMESPACE));
    assert.deepEqual((await up("dev")).changes, {});
    assert.deepEqual(identities(await cluster.pods(NAMESPACE)), before);
  });

  it("rolls the receivers for another retention and loses nothing that was acknowledged", async () => {
    const { outputs, writeUrl, querier } = await deployedStack(cluster, await openStack("dev"));
    const before = identities(await receivers());
    const run = runId();
    const sender = startSender({ write: writeUrl, series: 500, batches: 4, ticks: 1_200, labels: { run }, connectionPerRequest: true });
    await eventually(
      "the first samples are answered",
      async () => (await querier.instant(`count(thanos_stack_ledger{run="${run}"})`)).vector[0],
    );
    const queries = startQueries({
      client: querier,
      rate: 5,
      query: `count(thanos_stack_ledger{run="${run}"})`,
      expect: (vector) => vector[0]?.sample.value === 500,
      count: 6_000,
    });
    const { changes: made } = await up("dev", { [RECEIVE]: { retention: { time: "14d" } } });
    const asked = await queries.stop();
    const ledger = await sender.stop();
    assert.deepEqual(made, { update: 1 });
    const pods = await receivers();
    for (const pod of pods) assert.ok(pod.spec.containers[0]?.args?.includes("--tsdb.retention=14d"), pod.metadata.name);
    assert.equal(new Set([...before, ...identities(pods)]).size, 6, "every receiver was restarted once");
    const reading = await readBack(ledger, querier, {
      replicaLabels: outputs.replicaLabels.filter((label) => label === "receive_replica"),
    });
    console.log(`      ${JSON.stringify({ ...ledger.counts, ...reading, queries: asked })}`);
    assert.ok(reading.acknowledged > 10_000, `${reading.acknowledged} samples acknowledged`);
    assert.equal(ledger.counts.failed, 0, "no send was given up");
    assert.equal(reading.lost, 0);
    assert.equal(reading.hidden, 0);
    assert.equal(reading.wrong, 0);
    assert.equal(asked.empty + asked.incomplete + asked.failed, 0, JSON.stringify(asked));
  });

  it("takes a new receiver into the ring without restarting any", async () => {
    const before = await receivers();
    const { changes: made } = await up("dev", { [RECEIVE]: { retention: { time: "14d" }, replicas: 4 } });
    // The StatefulSet, the ring, the directories' job; a volume for the new pod.
    assert.deepEqual(Object.keys(made).sort(), ["create", "replace", "update"]);
    const after = await receivers();
    assert.equal(after.length, 4);
    for (const each of identities(before)) assert.ok(identities(after).includes(each), `${each} is still the same`);
    await eventually("every receiver has loaded the ring of four", async () => {
      const loaded = await Promise.all(
        after.map(async (pod) => {
          const page = await fetch(`http://${pod.status.podIP}:10902/metrics`).then((answer) => answer.text());
          return /^thanos_receive_hashring_nodes\{name="default"\} 4$/m.test(page);
        }),
      );
      return loaded.every(Boolean);
    });
    assert.equal((await receivers()).map(identity).filter((each) => identities(before).includes(each)).length, 3);
  });

  it("refuses to shrink the ring without a bucket, naming what would be lost, and changes nothing", async () => {
    const before = identities(await receivers());
    const stack = await openStack("dev", { [RECEIVE]: { retention: { time: "14d" }, replicas: 3 } });
    const message = await failure(() => stack.preview());
    assert.match(message, /receive\.replicas = 3: thanos-receive-3 would leave the ring of 4/);
    assert.match(message, /"history-loss" in accepts/);
    assert.deepEqual(identities(await receivers()), before);
  });

  it("refuses a bad plan before the first change, every problem at once", async () => {
    const objects = await cluster.list(`/apis/apps/v1/namespaces/${NAMESPACE}/statefulsets`);
    const stack = await openStack("dev", {
      [RECEIVE]: { replicas: 2, replicatonFactor: 3, outOfOrderWindow: "soon" },
      "thanos-stack:prometeus": { replicas: 1 },
    });
    const message = await failure(() => stack.up());
    for (const part of ["receive.replicatonFactor = 3: there is no such key", "receive.outOfOrderWindow", "prometeus"]) {
      assert.ok(message.includes(part), `${part} in:\n${message}`);
    }
    const tooFew = await failure(async () => (await openStack("dev", { [RECEIVE]: { replicas: 2 } })).up());
    assert.match(tooFew, /receive\.replicas = 2: a ring needs as many receivers as copies/);
    const after = await cluster.list(`/apis/apps/v1/namespaces/${NAMESPACE}/statefulsets`);
    assert.deepEqual(
      after.map((each) => each.metadata.resourceVersion),
      objects.map((each) => each.metadata.resourceVersion),
    );
  });

  it("is destroyed without leaving anything in the cluster", async () => {
    const stack = await openStack("dev");
    await stack.destroy();
    for (const path of ["/api/v1/namespaces", "/api/v1/persistentvolumes", "/apis/rbac.authorization.k8s.io/v1/clusterroles"]) {
      const left = (await cluster.list(path)).map((each) => each.metadata.name).filter((name) => name.startsWith(NAMESPACE));
      assert.deepEqual(left, [], path);
    }
    await stack.workspace.removeStack("dev");
  });
});
