import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { PrometheusClient } from "../../clients/prometheus";
import { RemoteWriteClient, WriteGivenUpError, WriteRejectedError } from "../../clients/remoteWrite";
import { directTransport } from "../../clients/transport";
import type { CapacityVerdict } from "../../commands/capacity/judgement";
import { cpuCores } from "../../model/values/quantity";
import { ensureBucket } from "../../sandbox/bucket";
import { awaitNodes } from "../../sandbox/cluster";
import { environment, openStack } from "../../sandbox/engine";
import { PAUSE_IMAGE } from "../../sandbox/images";
import { killNode, startNode } from "../../sandbox/node";
import { NODES } from "../../sandbox/topology";
import { startQueries } from "../ledger";
import { withNetwork } from "./edges";
import { assertSeesFaults } from "./edgesProof";
import {
  assertAnswered,
  assertLossless,
  Cluster,
  command,
  deployedStack,
  eventually,
  failure,
  inside,
  type KubernetesObject,
  type Pod,
  remove,
  runId,
  underLoad,
  up,
  verify,
} from "./stack";
import { STRANGERS, tenantDirectories, writtenAs } from "./tenants";

const NAMESPACE = "thanos-prod";
const PREVIOUS_THANOS = "quay.io/thanos/thanos:v0.41.0";
/**
 * The loads of these tests come from single senders into a ring of a pair's: the environment has to decide which harm is the smaller. What
 * it is said to carry is what the sandbox's smaller requests do.
 */
const DECIDED = {
  "thanos-stack:receive": { otherSenders: "single" },
  "thanos-stack:querier": { deduplication: "penalty" },
  "thanos-stack:load": { series: 40_000, interval: "30s", queries: { perSecond: 0.1 } },
};
const SENDERS = { ...DECIDED, "thanos-stack:tenancy": { tenants: ["noisy", "quiet"] } };

/** Before the upgrade any tenant is taken. */
const PREVIOUS = {
  ...DECIDED,
  "thanos-stack:accepts": ["any-tenant"],
  "thanos-stack:protect": false,
  "thanos-stack:images": { thanos: PREVIOUS_THANOS },
};

const identity = (pod: Pod) =>
  `${pod.metadata.name} ${pod.metadata.uid} ${pod.status.containerStatuses?.map((each) => each.restartCount).join()}`;
const milliCpu = (quantity: string) => Math.round(cpuCores(quantity) * 1_000);
const started = (pod: Pod) => Date.parse((pod.status as { startTime?: string }).startTime ?? "");

describe("prod on a real cluster", function () {
  this.timeout(15 * 60_000);
  this.bail(true);
  const cluster = new Cluster();
  const deployed = async () => deployedStack(cluster, await openStack("prod"));
  const ready = (app: string) =>
    eventually(`${app} is Ready`, async () => {
      const pods = await cluster.pods(NAMESPACE, app);
      return (
        pods.length > 0 && pods.every((pod) => pod.status.conditions?.some(({ type, status }) => type === "Ready" && status === "True"))
      );
    });

  it("comes up from nothing, with Pod Security restricted enforced", async () => {
    await remove("prod", { "thanos-stack:protect": false });
    await ensureBucket("thanos-prod");
    await up("prod", PREVIOUS);
    const { writeUrl } = await deployed();
    const answers = await eventually("the routers take any tenant but those that leave their directory", async () => {
      const all = await writtenAs(writeUrl, ["earlier", ...STRANGERS.filter((tenant) => tenant.startsWith("."))], 0);
      return all.some(({ status }) => status === 503) ? undefined : all;
    });
    assert.deepEqual(
      answers.filter(({ tenant, status }) => status !== (tenant.endsWith("earlier") ? 200 : 500)),
      [],
    );
    const namespace = await cluster.get(`/api/v1/namespaces/${NAMESPACE}`);
    assert.equal(namespace?.metadata.labels?.["pod-security.kubernetes.io/enforce"], "restricted");
    const refused = await execa(
      "kubectl",
      ["-n", NAMESPACE, "run", "root", "--image=docker.io/library/busybox:1.35.0", "--dry-run=server"],
      { env: environment(), all: true, reject: false },
    );
    assert.match(refused.all, /violates PodSecurity "restricted/);
  });

  // Before its own check: a querier of 0.41 can't be scraped beside store gateways that have no block yet (thanos #8676).
  it("is upgraded by one minor release under load: zone after zone, then routers and queriers, and loses nothing", async () => {
    const load = await underLoad(await deployed(), {}, async () => {
      await up("prod", { ...SENDERS, "thanos-stack:protect": false });
    });
    const pods = await cluster.pods(NAMESPACE);
    const startOf = (prefix: string) => pods.filter((pod) => pod.metadata.name.startsWith(prefix)).map(started);
    const order = ["thanos-receive-z1", "thanos-receive-z2", "thanos-receive-z3"].map(startOf);
    for (const [index, later] of order.slice(1).entries()) {
      assert.ok(Math.min(...later) > Math.max(...(order[index] ?? [])), `zone ${index + 2} after zone ${index + 1}`);
    }
    for (const last of ["thanos-receive-router", "thanos-querier"]) {
      assert.ok(Math.min(...startOf(last)) >= Math.max(...order.flat()), `${last} after every ingester`);
    }
    assertLossless(load);
  });

  it("makes 35,000 series of the cluster at most, and drops as many more", async () => {
    const { querier } = await deployed();
    const sum = async (name: string) => (await querier.instant(`sum(${name}{cluster="prod"})`)).vector[0]?.sample.value ?? 0;
    await eventually("API server and kubelets are scraped", async () => {
      const { vector } = await querier.instant('count by (job) (up{cluster="prod", job=~"kubernetes-apiservers|kubelet|cadvisor"} == 1)');
      return vector.length === 3;
    });
    const [exposed, kept] = [await sum("scrape_samples_scraped"), await sum("scrape_samples_post_metric_relabeling")];
    const byJob = await querier.instant('sum by (job) (scrape_samples_post_metric_relabeling{cluster="prod"})');
    const jobs = byJob.vector.map(({ labels, sample }) => `${labels.job} ${sample.value}`).join(", ");
    assert.ok(kept > 5_000 && kept <= 35_000 && exposed - kept > 10_000, `${kept} of ${exposed} are kept: ${jobs}`);
  });

  it("has every series that the alerts before a limit ask for, of its own pods", async () => {
    const { querier } = await deployed();
    const of = (job: string) => `cluster="prod", namespace="${NAMESPACE}", job="${job}"`;
    const asked = [
      `container_memory_working_set_bytes{cluster="prod", namespace="${NAMESPACE}", container="thanos-receive"}`,
      ...["prometheus_tsdb_lowest_timestamp", "prometheus_tsdb_head_series", "prometheus_tsdb_storage_blocks_bytes"].map(
        (name) => `${name}{${of("thanos-receive")}}`,
      ),
      `prometheus_tsdb_wal_storage_size_bytes{${of("thanos-receive")}}`,
      `prometheus_tsdb_head_chunks_storage_size_bytes{${of("thanos-receive")}}`,
      ...["highest_timestamp_in_seconds", "queue_highest_sent_timestamp_seconds", "shards_desired", "shards_max"].map(
        (name) => `prometheus_remote_storage_${name}{${of("prometheus")}}`,
      ),
    ];
    for (const series of asked) assert.notDeepEqual((await querier.instant(`count(${series})`)).vector, [], series);
  });

  it("evaluates those alerts, and shows what it takes beside what its plan said", async () => {
    const { querier } = await deployed();
    const evaluated = async (name: string) =>
      (await querier.instant(`sum(prometheus_rule_${name}{cluster="prod", rule_group=~".+;thanos-capacity"})`)).vector[0]?.sample.value;
    await eventually("the alerts before a limit are evaluated", async () => ((await evaluated("evaluations_total")) ?? 0) > 0);
    assert.equal(await evaluated("evaluation_failures_total"), 0);
    const verdict = await eventually("every component is measured, but for volumes that only a kubelet knows", async () => {
      const found = JSON.parse(await command("capacity", "prod", "--json")) as CapacityVerdict;
      const missing = found.needs.filter(
        ({ component, resource, measured }) =>
          measured === undefined && !(resource === "disk" && ["store gateways", "compactor"].includes(component)),
      );
      assert.deepEqual(
        missing.map(({ component, resource }) => `${component} ${resource}`),
        [],
      );
      return found;
    });
    assert.equal(verdict.isPartial, false);
    assert.ok((verdict.headSeries.measured ?? 0) > 5_000 && (verdict.headSamplesPerSecond.measured ?? 0) > 100, JSON.stringify(verdict));
    for (const { component, resource, predicted, measured = 0 } of verdict.needs)
      if (resource === "memory") assert.ok(measured > 10e6 && predicted > 10e6, `${component}: ${measured}, predicted ${predicted}`);
    assert.match(await command("capacity", "prod"), /\nfirst limit: not known yet: there are 0 hourly readings, and 49 are the least /);
  });

  it("opens every edge that the documents name, and nothing else; a policy that is missing or too wide shows", async () => {
    await withNetwork(cluster, await openStack("prod"), async (network) => {
      assert.deepEqual(await network.differences(), []);
      await assertSeesFaults(network, "prod", NAMESPACE);
    });
  });

  it("passes its own check beside dev on the same cluster, and serves dev too when dev's queriers are its endpoints", async () => {
    await remove("dev");
    const dev = await up("dev", { "thanos-stack:access": { federation: [NAMESPACE] } });
    const { outputs } = await deployedStack(cluster, dev.stack);
    await Promise.all(["prod", "dev"].map(verify));
    const volumes = await cluster.list<
      KubernetesObject & { spec: { claimRef?: object; hostPath?: object; local?: object; nodeAffinity?: object } }
    >("/api/v1/persistentvolumes");
    const places = volumes
      .filter(({ spec }) => spec.claimRef !== undefined)
      .map(({ spec }) => JSON.stringify([spec.hostPath, spec.local, spec.nodeAffinity]));
    assert.ok(places.length >= 9, `${places.length} claimed volumes`);
    assert.equal(new Set(places).size, places.length, "no two claims share a directory");
    await up("prod", {
      ...SENDERS,
      "thanos-stack:protect": false,
      "thanos-stack:querier": { ...SENDERS["thanos-stack:querier"], endpoints: [`dns+${outputs.queryGrpcAddress}`] },
    });
    const { querier } = await deployed();
    await eventually("both clusters are answered by one querier", async () => {
      const { vector } = await querier.instant("count by (cluster) (up)");
      return (
        vector
          .map(({ labels }) => labels.cluster)
          .sort()
          .join() === "dev,prod"
      );
    });
    await Promise.all([dev.stack.destroy(), up("prod", { ...SENDERS, "thanos-stack:protect": false })]);
  });

  it("takes the tenants that it names and no others, at the routers alone, and keeps what there was before it was closed", async () => {
    const { writeUrl } = await deployed();
    const pods = await cluster.pods(NAMESPACE, "thanos-receive");
    const names = pods.map((pod) => pod.metadata.name).sort();
    const before = await tenantDirectories(NAMESPACE, names);
    assert.deepEqual(before, Object.fromEntries(names.map((pod) => [pod, ["default-tenant", "earlier"]])));
    const refused = await writtenAs(writeUrl, [...STRANGERS, "earlier"]);
    assert.deepEqual(
      refused.filter(({ status, body }) => status !== 500 || !body.includes("no matching hashring to handle tenant")),
      [],
    );
    // A receiver without the ring's file would take anybody: it listens to nobody.
    for (const pod of pods) {
      const direct = writtenAs(`http://${pod.status.podIP}:19291/api/v1/receive`, ["."]);
      await assert.rejects(direct, /ECONNREFUSED|ETIMEDOUT|EHOSTUNREACH|timed out/);
    }
    assert.deepEqual(await tenantDirectories(NAMESPACE, names), before);
  });

  it("answers the series of the HA pair once", async () => {
    const { querier, outputs } = await deployed();
    const once = (await querier.instant('up{job="kubelet"}')).vector;
    assert.equal(once.length, 3);
    for (const { labels } of once) for (const label of outputs.replicaLabels) assert.equal(labels[label], undefined);
    const copies = (await querier.instant('up{job="kubelet"}', { deduplicate: false })).vector;
    assert.deepEqual([...new Set(copies.map(({ labels }) => labels.prometheus_replica))].sort(), ["prometheus-0", "prometheus-1"]);
    assert.equal(copies.length, 3 * 2 * 3, "three kubelets, two senders, three copies");
  });

  it("goes on when one Prometheus is killed: no gap in a query", async () => {
    const { querier } = await deployed();
    const queries = startQueries({ client: querier, rate: 5, query: 'up{job="kubelet"} == 1', expect: 3, count: 5 * 600 });
    const [before] = await cluster.pods(NAMESPACE, "prometheus");
    assert.ok(before);
    const since = Date.now();
    await execa("kubectl", ["-n", NAMESPACE, "delete", "pod", before.metadata.name, "--grace-period=0", "--force"], { env: environment() });
    await eventually("another one in its place", async () => {
      const pods = await cluster.pods(NAMESPACE, "prometheus");
      return pods.some((pod) => pod.metadata.name === before.metadata.name && pod.metadata.uid !== before.metadata.uid);
    });
    await ready("prometheus");
    // Two scrapes of the one that came back.
    await delay(Math.max(0, 75_000 - (Date.now() - since)));
    const asked = await queries.stop();
    console.log(`      asked ${JSON.stringify(asked)}`);
    assertAnswered(asked);
    const window = `${Math.ceil((Date.now() - since) / 1_000)}s`;
    const { matrix } = await querier.raw(`up{job="kubelet"}[${window}]`);
    for (const { samples } of matrix) {
      const gaps = samples.slice(1).map((sample, index) => sample.timestampMs - (samples[index]?.timestampMs ?? 0));
      assert.ok(Math.max(...gaps) <= 2 * 30_000, `gaps of ${gaps.join(", ")} ms at a scrape interval of 30 s`);
    }
  });

  it("goes on when a receiver's node is lost, as its plan promised, and no acknowledged sample is missing", async () => {
    const stack = await deployed();
    const promised = stack.outputs.availability as { survives: { nodes: number; zones: number } };
    assert.deepEqual(promised.survives, { nodes: 1, zones: 1 });
    // One on which a querier runs too, so that queries are on their way there.
    const [querier] = await cluster.pods(NAMESPACE, "thanos-querier");
    const { name, number } = NODES.find((node) => node.name === querier?.spec.nodeName) ?? assert.fail("no querier is on a node");
    const afterwards = await underLoad(stack, {}, async () => {
      await killNode(number);
      try {
        await eventually("the cluster has noticed", async () => {
          const node = await cluster.get<{ status: { conditions: { type: string; status: string }[] } } & Pod>(`/api/v1/nodes/${name}`);
          return node?.status.conditions.some(({ type, status }) => type === "Ready" && status !== "True");
        });
        const query = 'count(up{job="kubelet"})';
        const fresh = new PrometheusClient(
          directTransport(await cluster.serviceAddress(stack.outputs.queryUrl), { connectionPerRequest: true }),
        );
        // The control plane withdraws the lost endpoints, then each proxy its rules for them; until then half
        // of all new connections are led there.
        await eventually("nobody is sent to the lost node", async () => {
          const inARow = await startQueries({ client: fresh, rate: 20, query, expect: 1, count: 20 }).done;
          return inARow.failed === 0;
        });
        // On connections that are kept: a new one may be given the source port of one that was on its way there, whose path the proxy's
        // kernel remembers for two minutes more.
        const asked = await startQueries({ client: stack.querier, rate: 5, query, expect: 1, count: 100 }).done;
        console.log(`      after the loss was noticed ${JSON.stringify(asked)}`);
        assertAnswered(asked);
      } finally {
        await startNode(number);
        await awaitNodes([name], new Date());
      }
      await ready("thanos-receive");
      await ready("thanos-querier");
    });
    assert.equal(afterwards.ledger.counts.failed, 0, "sends that were given up");
    assert.equal(afterwards.reading.lost, 0, "acknowledged samples that are nowhere");
  });

  it("refuses writes and still answers when two nodes are lost, as its plan said", async () => {
    const stack = await deployed();
    const { scenarios } = stack.outputs.availability as {
      scenarios: { loss: string; unwritable: number; unreadable: number; writes: string }[];
    };
    const twoNodes = scenarios.find(({ loss }) => loss === "twoNodes");
    assert.deepEqual([twoNodes?.unwritable, twoNodes?.unreadable, twoNodes?.writes], [1, 0, "refused"]);
    const run = runId();
    const write = () =>
      stack.writer.send(
        Array.from({ length: 20 }, (_, index) => ({
          labels: { __name__: "thanos_stack_survival", run, series: String(index) },
          samples: [{ timestampMs: Date.now(), value: index }],
        })),
        { giveUpAfterMs: 1 },
      );
    await write();
    const written = async () =>
      (await stack.querier.instant(`last_over_time(thanos_stack_survival{run="${run}"}[1h])`)).vector.length === 20;
    await eventually("what was written is answered", written);
    await Promise.all([killNode(2), killNode(3)]);
    try {
      await eventually("the cluster has noticed", async () => {
        const nodes = await cluster.list<KubernetesObject & { status: { conditions: { type: string; status: string }[] } }>(
          "/api/v1/nodes",
        );
        return nodes.filter(({ status }) => status.conditions.some((each) => each.type === "Ready" && each.status !== "True")).length === 2;
      });
      await eventually("a router answers that there is no quorum", async () => {
        const refused = await write().then(
          () => assert.fail("a write was acknowledged by one receiver of three"),
          (error: unknown) => error,
        );
        return refused instanceof WriteGivenUpError && refused.attempts.some(({ status = 0 }) => status >= 500);
      });
      await eventually("the last receiver's copy is answered", written);
    } finally {
      await Promise.all([startNode(2), startNode(3)]);
      await awaitNodes(["node2", "node3"], new Date());
    }
    await Promise.all(["thanos-receive", "thanos-receive-router", "thanos-querier", "thanos-query-frontend", "prometheus"].map(ready));
    await eventually("writes are acknowledged again", () => write().then(() => true));
  });

  it("finds room on its node again, although a pod that could be anywhere was there first", async () => {
    const name = "thanos-receive-z3-0";
    const receiver = (await cluster.pods(NAMESPACE, "thanos-receive")).find(({ metadata }) => metadata.name === name);
    const nodeName = receiver?.spec.nodeName ?? assert.fail(`${name} is on no node`);
    const node = await cluster.get<KubernetesObject & { status: { allocatable: { cpu: string } } }>(`/api/v1/nodes/${nodeName}`);
    const there = (await cluster.list<Pod>("/api/v1/pods")).filter(
      ({ spec, status }) => spec.nodeName === nodeName && status.phase !== "Succeeded",
    );
    const free = there
      .flatMap(({ spec }) => spec.containers)
      .reduce((left, { resources }) => left - milliCpu(resources?.requests?.cpu ?? "0"), milliCpu(node?.status.allocatable.cpu ?? "0"));
    // It fits only while the receiver, which asks for 500m, is away; and then it is the first in line, since it waits already.
    const containers = [
      { name: "pause", image: PAUSE_IMAGE, imagePullPolicy: "Never", resources: { requests: { cpu: `${free + 400}m` } } },
    ];
    const spec = { nodeSelector: { "kubernetes.io/hostname": nodeName }, terminationGracePeriodSeconds: 0, containers };
    const taker = JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name: "takes-room", namespace: "default" }, spec });
    await execa("kubectl", ["apply", "-f", "-"], { env: environment(), input: taker });
    try {
      await eventually("it is seen that there is no room", async () => {
        const [pod] = (await cluster.pods("default")).filter(({ metadata }) => metadata.name === "takes-room");
        return pod?.status.conditions?.some(({ type, status }) => type === "PodScheduled" && status === "False");
      });
      await cluster.delete(`/api/v1/namespaces/${NAMESPACE}/pods/${name}`);
      await eventually("another one in its place", async () => {
        const pods = await cluster.pods(NAMESPACE, "thanos-receive");
        return pods.some(({ metadata }) => metadata.name === name && metadata.uid !== receiver?.metadata.uid);
      });
      await ready("thanos-receive");
    } finally {
      await execa("kubectl", ["-n", "default", "delete", "pod", "takes-room", "--ignore-not-found"], { env: environment() });
    }
  });

  it("limits a noisy tenant by a file that no receiver restarts for, and nobody else", async () => {
    const stack = await deployed();
    await Promise.all(["thanos-receive", "thanos-receive-router", "thanos-querier"].map(ready));
    const routers = async () => (await cluster.pods(NAMESPACE, "thanos-receive-router")).map(identity).sort();
    const before = await routers();
    const write = async (tenant: string, series: number) => {
      const writer = new RemoteWriteClient(directTransport(stack.writeUrl, { connectionPerRequest: true }), { tenant });
      const now = Date.now();
      const run = runId();
      await writer.send(
        Array.from({ length: series }, (_, index) => ({
          labels: { __name__: "thanos_stack_limits", run, series: String(index) },
          samples: [{ timestampMs: now, value: index }],
        })),
      );
    };
    await write("noisy", 50);
    const { changes: made } = await up("prod", {
      ...SENDERS,
      "thanos-stack:protect": false,
      "thanos-stack:receive": { ...SENDERS["thanos-stack:receive"], limits: { tenants: { noisy: { request: { series: 10 } } } } },
    });
    assert.deepEqual(made, { update: 1 });
    await eventually("the noisy tenant is refused by every router", async () => {
      for (let attempt = 0; attempt < 10; attempt++) {
        const refused = await write("noisy", 50).then(
          () => false,
          (error: unknown) => error instanceof WriteRejectedError && error.message.includes("413"),
        );
        if (!refused) return false;
      }
      return true;
    });
    await write("quiet", 50);
    await write("noisy", 10);
    assert.deepEqual(await routers(), before);
  });

  it("divides its targets over shards, as agents, and answers as if it were one", async () => {
    await up("prod", { ...SENDERS, "thanos-stack:protect": false, "thanos-stack:prometheus": { shards: 2, mode: "agent" } });
    await verify("prod");
    const pods = await cluster.pods(NAMESPACE, "prometheus");
    assert.deepEqual(pods.map((pod) => pod.metadata.name).sort(), [
      "prometheus-0",
      "prometheus-1",
      "prometheus-shard-1-0",
      "prometheus-shard-1-1",
    ]);
    const targets = await Promise.all(
      ["prometheus-0", "prometheus-shard-1-0"].map(async (name) => {
        const targets = await new PrometheusClient(inside().pod({ namespace: NAMESPACE, name, port: 9090 })).targets();
        return targets.map((target) => target.scrapeUrl);
      }),
    );
    const [first = [], second = []] = targets;
    assert.ok(first.length > 0 && second.length > 0, `${first.length} and ${second.length} targets`);
    assert.deepEqual(
      first.filter((url) => second.includes(url)),
      [],
      "no target in both shards",
    );
  });

  it("grows its volumes in place: no volume is replaced, no receiver restarts", async () => {
    await up("prod", SENDERS);
    // Prometheus takes up the alert's new threshold, one replica after the other.
    const others = async () =>
      (await cluster.pods(NAMESPACE))
        .filter(({ metadata }) => !/^prometheus-\d+$/.test(metadata.name))
        .map(identity)
        .sort();
    const before = await others();
    const sized = (size: string) => ({
      ...SENDERS,
      "thanos-stack:receive": { ...SENDERS["thanos-stack:receive"], storage: { pvc: { size } } },
    });
    // The sandbox's volumes are made by hand, with 1 TiB each.
    for (const [size, reason] of [
      ["2Ti", /made by hand/],
      ["2Gi", /never gets smaller/],
    ] as const) {
      assert.match(await failure(async () => (await openStack("prod", sized(size))).preview()), reason);
    }
    const softer = { antiAffinity: "soft", replicas: 6 };
    const grown = { ...sized("50Gi"), "thanos-stack:accepts": ["replicas-on-one-node"] };
    grown["thanos-stack:receive"] = { ...grown["thanos-stack:receive"], ...softer };
    assert.match(
      await failure(async () => (await openStack("prod", grown)).preview()),
      /receive\.antiAffinity = soft: thanos-receive-z1 would grow from 1 to 2 pods in the same update/,
    );
    // The three receivers' sets and Prometheus', and the rules, which hold the alert.
    assert.deepEqual((await up("prod", sized("60Gi"))).changes, { replace: 1, update: 4 });
    assert.deepEqual(await others(), before);
    const claims = await cluster.list<KubernetesObject & { spec: { resources: { requests: { storage: string } } } }>(
      `/api/v1/namespaces/${NAMESPACE}/persistentvolumeclaims`,
    );
    const receivers = claims.filter(({ metadata }) => metadata.name.startsWith("data-thanos-receive-z"));
    assert.ok(receivers.length >= 3);
    for (const { spec } of receivers) assert.equal(spec.resources.requests.storage, "60Gi");
    assert.deepEqual((await up("prod", sized("60Gi"))).changes, {});
  });

  it("refuses to be destroyed or replaced while it is protected", async () => {
    const stack = await openStack("prod", {
      ...SENDERS,
      "thanos-stack:receive": { ...SENDERS["thanos-stack:receive"], storage: { pvc: { size: "60Gi", storageClass: "other" } } },
    });
    await assert.rejects(stack.preview(), /protect/);
    await assert.rejects((await openStack("prod", SENDERS)).destroy(), /protect/);
  });

  // With the size that volumes have grown to: they never get smaller.
  after(() =>
    remove("prod", {
      ...SENDERS,
      "thanos-stack:protect": false,
      "thanos-stack:receive": { ...SENDERS["thanos-stack:receive"], storage: { pvc: { size: "60Gi" } } },
    }),
  );
});
