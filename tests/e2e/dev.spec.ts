import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { isDeepStrictEqual } from "node:util";
import { RemoteWriteClient } from "../../clients/remoteWrite";
import { directTransport } from "../../clients/transport";
import { addressesOf, podOf } from "../../model/ring/change";
import { HASHRINGS_FILE } from "../../model/ring/flags";
import { ketamaRing, replicasOf } from "../../model/ring/ketama";
import { HASHRINGS_CONFIG_MAP } from "../../model/ring/plan";
import { writeQuorum } from "../../model/ring/quorum";
import { shardsIn } from "../../model/ring/shards";
import { openStack } from "../../sandbox/engine";
import { inNode, nodePlanByNumber } from "../../sandbox/node";
import { type ConfigOverlay, mergeConfig } from "../../sandbox/overlay";
import { HOST_ADDRESS, NODES } from "../../sandbox/topology";
import { DeployAccount } from "./deployAccount";
import { withNetwork } from "./edges";
import { killEngines } from "./engines";
import {
  assertLossless,
  Cluster,
  changes,
  command,
  deployedStack,
  eventually,
  failure,
  type Pod,
  receiversAsked,
  remove,
  ringLoaded,
  runId,
  underLoad,
  up,
} from "./stack";
import { STRANGERS, tenantDirectories, writtenAs } from "./tenants";

const NAMESPACE = "thanos-dev";
const RECEIVE = "thanos-stack:receive";
/** A change that rolls the receivers. */
const RETENTION = { [RECEIVE]: { retention: { time: "14d" } } };

/** Where this process is scraped. */
const SCRAPED = { host: HOST_ADDRESS, port: 9_464 };
/** Options of receivers, queriers and Prometheus that are there from the beginning. */
const OPTIONS = {
  [RECEIVE]: { retention: { size: "10Gi" }, relabel: [{ action: "labeldrop", regex: "secret_.+" }] },
  "thanos-stack:tenancy": { splitLabel: "team" },
  "thanos-stack:querier": { engine: "thanos" },
  "thanos-stack:prometheus": {
    scrapeConfigs: [
      {
        job_name: "traced",
        scrape_interval: "5s",
        scrape_timeout: "5s",
        static_configs: [{ targets: [`${SCRAPED.host}:${SCRAPED.port}`] }],
      },
    ],
  },
};

/** Shards of {@link BLUE}'s tenants. */
const SHARDS = { shardSize: 3, zoneAwarenessDisabled: false, overrides: [] };
/** A ring that has everything of its own. */
const BLUE = {
  name: "blue",
  tenants: ["blue", "blue-*"],
  replicas: 4,
  retention: { time: "10d", size: "5Gi" },
  resources: { cpu: "40m", memory: "384Mi" },
  shuffleSharding: { shardSize: 3 },
};
const withRing = (ring: Omit<typeof BLUE, "shuffleSharding"> & { shuffleSharding: { shardSize: number } }): ConfigOverlay => ({
  [RECEIVE]: { ...RETENTION[RECEIVE], hashrings: [ring] },
});

/** Query frontends, as small as they go. */
const frontends = (chosen: ConfigOverlay): ConfigOverlay => ({
  "thanos-stack:queryFrontend": {
    antiAffinity: "soft",
    resources: { cpu: "10m", memory: "96Mi" },
    cache: { replicas: 1, memory: "64Mi" },
    ...chosen,
  },
});

/** A target whose counter grows with each scrape, and names the trace that it grew with. */
function tracedTarget(run: string): Server {
  let count = 0;
  return createServer((_, answer) => {
    count++;
    answer.setHeader("content-type", "application/openmetrics-text; version=1.0.0; charset=utf-8");
    answer.end(
      `# TYPE traced_requests counter\ntraced_requests_total{run="${run}"} ${count} # {trace_id="${run}-${count}"} 1 ${Date.now() / 1_000}\n# EOF\n`,
    );
  });
}

/** A pod's identity: another uid or another start is a restart. */
const identity = (pod: Pod) =>
  `${pod.metadata.name} ${pod.metadata.uid} ${pod.status.containerStatuses?.map((each) => each.restartCount).join()}`;
const identities = (pods: Pod[]) => pods.map(identity).sort();

describe("dev on a real cluster", function () {
  this.timeout(10 * 60_000);
  this.bail(true);
  const cluster = new Cluster();
  const receivers = () => cluster.pods(NAMESPACE, "thanos-receive");
  const account = new DeployAccount();
  const run = runId();
  const traced = tracedTarget(run);
  before("this machine is a target", () => void traced.listen(SCRAPED.port, SCRAPED.host));
  after(() => {
    traced.close();
    traced.closeAllConnections();
  });
  const configured = (overrides: ConfigOverlay) => mergeConfig(account.config, OPTIONS, overrides);
  const open = (overrides: ConfigOverlay = {}) => openStack("dev", configured(overrides));
  const update = (overrides: ConfigOverlay = {}) => up("dev", configured(overrides));

  it("comes up, also after an engine that was killed while it created, when what that had made is taken over", async () => {
    await remove("dev");
    await account.becomesAdministrator();
    const stack = await open();
    const killed = failure(() => stack.up());
    const pods = await eventually("the receivers' pods are scheduled, and no creation has been seen to the end", async () => {
      const found = await receivers();
      return found.length === 3 && found.every(({ spec }) => spec.nodeName !== undefined) && found;
    });
    killEngines();
    await killed;
    await stack.cancel();
    assert.match(await failure(() => stack.up()), /StatefulSet thanos-dev\/thanos-receive already exists/);

    assert.match(await command("recover", "dev", "--yes"), /creating StatefulSet thanos-dev\/thanos-receive: taken over/);
    const { changes: made } = await update();
    assert.deepEqual(Object.keys(made).sort(), ["create", "update"]);
    // The same pods with the same claims, hence with their data.
    assert.deepEqual((await receivers()).map(({ metadata }) => metadata.uid).sort(), pods.map(({ metadata }) => metadata.uid).sort());
    assert.match(await command("recover", "dev"), /no operation is pending/);
  });

  it("passes its own check, by an account that may deploy and no more, as does all that follows", async () => {
    await account.mayDeploy(NAMESPACE, `${NAMESPACE}-volumes`);
    await command("verify", "dev", "--kubeconfig", account.kubeconfig);
  });

  it("takes the tenants that it names and no others, whatever they are called, and nothing is created for those", async () => {
    const { writeUrl } = await deployedStack(cluster, await openStack("dev"));
    const pods = (await receivers()).map((pod) => pod.metadata.name).sort();
    const known = await writtenAs(writeUrl, ["default-tenant", "greeter"], 0);
    assert.deepEqual(
      known.filter(({ status }) => status >= 300),
      [],
    );
    const expected = Object.fromEntries(pods.map((pod) => [pod, ["default-tenant", "greeter"]]));
    // The third replica may come after the answer.
    await eventually("each receiver has a directory for each tenant", async () =>
      isDeepStrictEqual(await tenantDirectories(NAMESPACE, pods), expected),
    );
    const flood = Array.from({ length: 50 }, (_, index) => `made-up-${index}`);
    const refused = await writtenAs(writeUrl, [...STRANGERS, ...flood]);
    assert.deepEqual(
      refused.filter(({ status, body }) => status !== 500 || !body.includes("no matching hashring to handle tenant")),
      [],
    );
    assert.deepEqual(await tenantDirectories(NAMESPACE, pods), expected);
  });

  it("opens every edge that the documents name, and nothing else", async () => {
    await withNetwork(cluster, await open(), async (network) => {
      assert.deepEqual(await network.differences(), []);
    });
  });

  it("changes nothing when brought up again", async () => {
    const stack = await open();
    assert.deepEqual(changes((await stack.preview()).changeSummary), {});
    const before = identities(await cluster.pods(NAMESPACE));
    assert.deepEqual((await update()).changes, {});
    assert.deepEqual(identities(await cluster.pods(NAMESPACE)), before);
  });

  it("lets the number of query frontends follow the load: no update sets it, until it is written down again", async () => {
    const bounds = (min: number) => ({ autoscaling: { min, max: 3, cpu: 80 } });
    const path = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/thanos-query-frontend`;
    const scaler = `/apis/autoscaling/v2/namespaces/${NAMESPACE}/horizontalpodautoscalers/thanos-query-frontend`;
    const number = async () => {
      const { spec, status } =
        (await cluster.get<{ spec: { replicas: number }; status: { availableReplicas?: number } }>(path)) ?? assert.fail();
      return [spec.replicas, status.availableReplicas];
    };
    await update(frontends(bounds(2)));
    assert.deepEqual(await number(), [2, 2], "the least, when the update ends");
    assert.ok(await cluster.get(scaler));
    // As an autoscaler does; this one has nothing to go by, since there is no metrics server.
    await cluster.mergePatch(`${path}/scale`, { spec: { replicas: 3 } });
    await eventually("a third is there", async () => (await number())[1] === 3);
    const { stack, changes: made } = await update(frontends({ ...bounds(2), maxFreshness: "2m" }));
    assert.deepEqual(made, { update: 1 });
    assert.equal((await number())[0], 3, "what was scaled stays scaled");
    assert.deepEqual(changes((await stack.preview()).changeSummary), {});
    await command("verify", "dev", "--kubeconfig", account.kubeconfig);

    await update(frontends({ replicas: 2 }));
    assert.equal((await number())[0], 2, "a number that is written down");
    assert.equal(await cluster.get(scaler), undefined);
    await update(frontends(bounds(1)));
    assert.equal((await number())[0], 2, "it does not fall to one when it is left out");
    await update();
    assert.equal(await cluster.get(scaler), undefined);
  });

  it("rolls the receivers for another retention and loses nothing that was acknowledged", async () => {
    const deployed = await deployedStack(cluster, await open());
    const before = identities(await receivers());
    const load = await underLoad(deployed, {}, async () => {
      assert.deepEqual((await update(RETENTION)).changes, { update: 1 });
    });
    const pods = await receivers();
    for (const pod of pods) assert.ok(pod.spec.containers[0]?.args?.includes("--tsdb.retention=14d"), pod.metadata.name);
    assert.equal(new Set([...before, ...identities(pods)]).size, 6, "every receiver was restarted once");
    assertLossless(load);
    assert.equal(load.reading.hidden, 0, "stored samples that deduplication leaves out");
  });

  it("grows the ring from 3 to 5 under load: pods first, ring when they are Ready, no receiver restarted", async () => {
    const deployed = await deployedStack(cluster, await open());
    const before = identities(await receivers());
    const load = await underLoad(deployed, {}, async () => {
      const { changes: made } = await update({ [RECEIVE]: { ...RETENTION[RECEIVE], replicas: 5 } });
      // The receivers, the ring and the job that makes directories; volumes for the new pods.
      assert.deepEqual(Object.keys(made).sort(), ["create", "replace", "update"]);
      await ringLoaded(receivers, 5);
    });
    const after = identities(await receivers());
    assert.equal(after.length, 5);
    for (const each of before) assert.ok(after.includes(each), `${each} is still the same`);
    assertLossless(load);
    assert.equal(load.reading.hidden, 0, "stored samples that deduplication leaves out");
  });

  it("refuses to shrink the ring without a bucket, naming what would be lost, and changes nothing", async () => {
    const before = identities(await receivers());
    const message = await failure(async () => (await open(RETENTION)).preview());
    assert.match(message, /receive\.replicas = 3: thanos-receive-3, thanos-receive-4 would leave the ring of 5/);
    assert.match(message, /"history-loss" in accepts/);
    // The rulers' Service is made at once; their pods wait for directories, which nobody makes any more
    // by then. Nothing waits for those pods.
    const began = Date.now();
    const storage = { hostPath: { path: "/data/ruler", nodes: [NODES[0]?.name ?? ""] } };
    const ruler = { mode: "stateful", replicas: 1, antiAffinity: "soft", storage };
    assert.match(await failure(async () => (await open({ ...RETENTION, "thanos-stack:ruler": ruler })).up()), /would leave the ring of 5/);
    const seconds = (Date.now() - began) / 1_000;
    assert.ok(seconds < 120, `the refused update went on for ${seconds} s`);
    assert.deepEqual(identities(await receivers()), before);
    // `up` of the Automation API has no preview, so it is the update that refuses: before the ring is published, which is the first step of
    // a shrink.
    const published = await cluster.get<{ data: Record<string, string> }>(
      `/api/v1/namespaces/${NAMESPACE}/configmaps/${HASHRINGS_CONFIG_MAP}`,
    );
    assert.equal(addressesOf(published?.data[HASHRINGS_FILE] ?? "[]").length, 5);
    // Whoever reads the outputs reads of what is deployed.
    const { outputs } = await deployedStack(cluster, await open(RETENTION));
    assert.equal(outputs.ring.members.length, 5);
  });

  it("shrinks the ring from 5 to 3 under load once that is accepted: ring first, then the pods; their data stays", async () => {
    const deployed = await deployedStack(cluster, await open(RETENTION));
    const before = identities(await receivers());
    const load = await underLoad(deployed, {}, async () => {
      await update({ ...RETENTION, "thanos-stack:accepts": ["replicas-on-one-node", "history-loss"] });
      await ringLoaded(receivers, 3);
      await receiversAsked(deployed.querier, 3);
    });
    const after = identities(await receivers());
    assert.equal(after.length, 3);
    for (const each of after) assert.ok(before.includes(each), `${each} is still the same`);
    const directories = await inNode(nodePlanByNumber(1), ["ls", `/data/thanos/${NAMESPACE}`]);
    assert.deepEqual(
      directories.split("\n").filter(Boolean).sort(),
      [0, 1, 2, 3, 4].map((each) => `thanos-receive-${each}`),
      "the data of all five stays",
    );
    // Samples that the refusal named may be missing, and no others: those that a quorum acknowledged which has left.
    const { ring, defaultTenant } = deployed.outputs;
    const five = ketamaRing(ring.members, ring.replicationFactor);
    const left = (member: number) => /^thanos-receive-[34]\./.test(five.members[member]?.address ?? "");
    assertLossless(load, (labels) => replicasOf(five, defaultTenant, labels).filter(left).length >= writeQuorum(ring.replicationFactor));
    assert.equal(load.reading.hidden, 0, "stored samples that deduplication leaves out");
  });

  it("gives tenants a ring of its own shape, which holds their series, relabelled, and nobody else's", async () => {
    const before = identities(await receivers());
    const { stack } = await update(withRing(BLUE));
    for (const each of before) assert.ok(identities(await receivers()).includes(each), `${each} is still the same`);
    const { writeUrl, querier, outputs } = await deployedStack(cluster, stack);
    assert.equal(outputs.ring.members.length, 7);
    const blue = outputs.ring.members.filter(({ address }) => address.startsWith("thanos-receive-blue-"));
    const shards = shardsIn(ketamaRing(blue, outputs.ring.replicationFactor), SHARDS);
    const podOfMember = (member: number) => podOf(blue[member]?.address ?? "");
    for (const tenant of ["blue", "blue-1", "blue-2"]) {
      const shard = shards(tenant).map(podOfMember);
      assert.equal(shard.length, 3);
      const writer = new RemoteWriteClient(directTransport(writeUrl, { connectionPerRequest: true }), { tenant });
      await eventually(`the writes of ${tenant} are routed to its shard, ${shard.join(", ")}`, async () => {
        // Another series each time: a router that has not read the new ring yet refuses a tenant of it.
        const run = runId();
        const labels = { __name__: "thanos_stack_tenant", run, secret_token: "dropped" };
        await writer.send([{ labels, samples: [{ timestampMs: Date.now(), value: 1 }] }]);
        const { vector } = await querier.instant(`thanos_stack_tenant{run="${run}"}`, { deduplicate: false });
        assert.ok(vector.every((each) => each.labels.tenant_id === tenant && each.labels.secret_token === undefined));
        return isDeepStrictEqual(vector.map(({ labels: of }) => of.receive_replica ?? "").sort(), shard.sort());
      });
    }
    // Whoever is not of the shard has not even a directory for the tenant.
    const pods = await receivers();
    const directories = await tenantDirectories(
      NAMESPACE,
      pods.map(({ metadata }) => metadata.name),
    );
    for (const tenant of ["blue", "blue-1", "blue-2"]) {
      const holders = Object.entries(directories).flatMap(([pod, tenants]) => (tenants.includes(tenant) ? [pod] : []));
      assert.deepEqual(holders.sort(), shards(tenant).map(podOfMember).sort(), tenant);
    }
    for (const { metadata, spec } of pods) {
      const [container] = spec.containers;
      const isBlue = metadata.name.startsWith("thanos-receive-blue-");
      assert.ok(container?.args?.includes(`--tsdb.retention=${isBlue ? "10d" : "14d"}`), metadata.name);
      assert.ok(container?.args?.includes(`--tsdb.max-retention-bytes=${isBlue ? 5120 : 10_240}MB`), metadata.name);
      assert.equal(container?.resources?.requests?.memory, isBlue ? "384Mi" : "512Mi", metadata.name);
    }
    for (const pod of await cluster.pods(NAMESPACE, "thanos-querier")) {
      assert.ok(pod.spec.containers[0]?.args?.includes("--query.promql-engine=thanos"), pod.metadata.name);
    }
    const { vector } = await querier.instant('sum by (job) (rate(process_cpu_seconds_total{job="thanos-receive"}[2m]))');
    assert.ok((vector[0]?.sample.value ?? 0) > 0);
  });

  it("reads another file of a ring that is shuffle sharded without a restart, and gives its tenants their larger shards", async () => {
    const before = identities(await receivers());
    const wider = { ...SHARDS, shardSize: 4 };
    const { stack } = await update(withRing({ ...BLUE, tenants: [...BLUE.tenants, "azure"], shuffleSharding: { shardSize: 4 } }));
    const { writeUrl, querier, outputs } = await deployedStack(cluster, stack);
    const blue = outputs.ring.members.filter(({ address }) => address.startsWith("thanos-receive-blue-"));
    assert.equal(shardsIn(ketamaRing(blue, outputs.ring.replicationFactor), wider)("azure").length, 4);
    const writer = new RemoteWriteClient(directTransport(writeUrl, { connectionPerRequest: true }), { tenant: "azure" });
    await eventually("the new tenant's series are on all four receivers of its shard", async () => {
      const run = runId();
      const series = Array.from({ length: 40 }, (_, n) => ({
        labels: { __name__: "thanos_stack_tenant", run, n: String(n) },
        samples: [{ timestampMs: Date.now(), value: 1 }],
      }));
      await writer.send(series);
      const { vector } = await querier.instant(`count by (receive_replica) (thanos_stack_tenant{run="${run}"})`, { deduplicate: false });
      return vector.length === 4 && vector.reduce((sum, { sample }) => sum + sample.value, 0) === 120;
    });
    assert.deepEqual(identities(await receivers()), before, "no receiver ended over the new file");
    // Rings that are gone stay in their metrics, and are not counted.
    await command("verify", "dev", "--kubeconfig", account.kubeconfig);
  });

  it("takes a series for the tenant that its label names, without the label, and a request with a stranger's not at all", async () => {
    const { writer, querier } = await deployedStack(cluster, await openStack("dev"));
    const run = runId();
    const now = Date.now();
    const sample = (team: Record<string, string>) => ({
      labels: { __name__: "thanos_stack_split", run, ...team },
      samples: [{ timestampMs: now, value: 1 }],
    });
    await writer.send([sample({ kind: "label", team: "blue-1" }), sample({ kind: "header" })]);
    await eventually("each is its tenant's", async () => {
      const { vector } = await querier.instant(`thanos_stack_split{run="${run}"}`);
      const tenants = vector.map(({ labels }) => [labels.kind, labels.tenant_id, labels.team]).sort();
      return isDeepStrictEqual(tenants, [
        ["header", "default-tenant", undefined],
        ["label", "blue-1", undefined],
      ]);
    });
    await assert.rejects(
      writer.send([sample({ kind: "stranger", team: "stranger" }), sample({ kind: "other" })], { giveUpAfterMs: 0 }),
      /500|no matching hashring/,
    );
  });

  it("answers the exemplars that came with a scrape, once", async () => {
    const { querier } = await deployedStack(cluster, await open());
    const since = Date.now() / 1_000;
    await eventually("three traces are answered", async () => {
      const parameters = new URLSearchParams({
        query: `traced_requests_total{run="${run}"}`,
        start: String(since - 60),
        end: String(Date.now() / 1_000),
      });
      const { status, body } = await querier.transport.send({ method: "GET", path: `/api/v1/query_exemplars?${parameters}` });
      assert.equal(status, 200, body);
      const { data } = JSON.parse(body) as {
        data: { seriesLabels: Record<string, string>; exemplars: { labels: { trace_id: string } }[] }[];
      };
      // Three receivers have each of them; the replica label is gone and nothing is there twice.
      assert.ok(data.length <= 1 && data.every(({ seriesLabels }) => seriesLabels.receive_replica === undefined), body);
      const traces = (data[0]?.exemplars ?? []).map(({ labels }) => labels.trace_id);
      assert.equal(new Set(traces).size, traces.length, body);
      return traces.length >= 3 && traces.every((trace) => trace.startsWith(run));
    });
  });

  it("refuses a bad plan before the first change, every problem at once", async () => {
    const objects = await cluster.list(`/apis/apps/v1/namespaces/${NAMESPACE}/statefulsets`);
    const stack = await open({
      [RECEIVE]: { replicas: 2, replicatonFactor: 3, outOfOrderWindow: "soon" },
      "thanos-stack:prometeus": { replicas: 1 },
    });
    const message = await failure(() => stack.up());
    for (const part of ["receive.replicatonFactor = 3: there is no such key", "receive.outOfOrderWindow", "prometeus"]) {
      assert.ok(message.includes(part), `${part} in:\n${message}`);
    }
    const tooFew = await failure(async () => (await open({ [RECEIVE]: { replicas: 2 } })).up());
    assert.match(tooFew, /receive\.replicas = 2: a ring needs as many receivers as replicas/);
    const after = await cluster.list(`/apis/apps/v1/namespaces/${NAMESPACE}/statefulsets`);
    // The wanted state; a status goes on changing by itself.
    assert.deepEqual(
      after.map((each) => [each.metadata.uid, each.spec]),
      objects.map((each) => [each.metadata.uid, each.spec]),
    );
  });

  it("is destroyed without leaving anything in the cluster", async () => {
    // No account of a CI may remove a namespace.
    await account.becomesAdministrator();
    const stack = await open();
    await stack.destroy();
    await account.remove();
    for (const path of ["/api/v1/namespaces", "/api/v1/persistentvolumes", "/apis/rbac.authorization.k8s.io/v1/clusterroles"]) {
      const left = (await cluster.list(path)).map((each) => each.metadata.name).filter((name) => name.startsWith(NAMESPACE));
      assert.deepEqual(left, [], path);
    }
    await stack.workspace.removeStack("dev");
  });
});
