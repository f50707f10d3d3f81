import assert from "node:assert/strict";
import type { Labels, Store, Target, VectorElement } from "../../clients/prometheus";
import {
  type AcknowledgedReading,
  everyTargetOnce,
  expectedStores,
  hashringsAgree,
  nodesReady,
  type PodReading,
  podsReady,
  sampleReadBack,
  samplesAcknowledged,
  storesSeen,
  targetsUp,
  type Verdict,
} from "../../commands/verify/checks";
import type { StackReader } from "../../commands/verify/readings";
import { stackChecks } from "../../commands/verify/stack";
import { readOutputs } from "../../outputs";
import { OUTPUTS } from "./fakeCluster";

function fails(verdict: Verdict, ...patterns: RegExp[]): void {
  assert.equal(verdict.ok, false, `held: ${verdict.seen}`);
  const text = [verdict.seen, ...verdict.details].join("\n");
  for (const pattern of patterns) {
    assert.match(text, pattern);
  }
}

function holds(verdict: Verdict, seen: string): void {
  assert.deepEqual(verdict, { ok: true, seen, details: [] });
}

function pod(name: string, more: Partial<PodReading> = {}): PodReading {
  return {
    name,
    app: "thanos-receive",
    component: "receive",
    ready: true,
    reason: "",
    ips: [`10.0.0.${name.length}`],
    httpPort: 10902,
    readsHashrings: true,
    ...more,
  };
}

const RECEIVERS = [0, 1, 2].map((ordinal) => pod(`thanos-receive-${ordinal}`, { ips: [`10.0.0.${ordinal}`] }));
const PROMETHEUS = pod("prometheus-0", { app: "prometheus", component: "prometheus", httpPort: 9090, readsHashrings: false });
const MEMBERS = [0, 1, 2].map((ordinal) => ({
  address: `thanos-receive-${ordinal}.thanos-receive-peers.monitoring.svc.cluster.local:10901`,
}));

describe("verify: nodes", () => {
  it("hold when all are Ready", () => holds(nodesReady([{ name: "a", ready: true }]), "1 of 1 Ready"));
  it("fail naming the one that isn't", () =>
    fails(
      nodesReady([
        { name: "a", ready: true },
        { name: "b", ready: false },
      ]),
      /^1 of 2 Ready$/m,
      /^b is not Ready$/m,
    ));
  it("fail without any", () => fails(nodesReady([]), /0 of 0/));
  it("warn of a kubelet that is too old for what is promised", () => {
    const { ok, seen, details } = nodesReady([
      { name: "a", ready: true, kubelet: "v1.29.15" },
      { name: "b", ready: true, kubelet: "v1.30.0" },
    ]);
    assert.ok(ok);
    assert.equal(seen, "2 of 2 Ready");
    assert.equal(details.length, 1);
    assert.match(details[0] ?? "", /^warning: a has a kubelet of Kubernetes v1\.29\.15, .* \(1\.30 or later\)$/);
  });
});

describe("verify: pods", () => {
  it("hold when all are Ready, and are counted by component", () =>
    holds(podsReady([...RECEIVERS, PROMETHEUS, pod("x", { component: "" })]), "5 of 5 Ready: other 1, prometheus 1, receive 3"));
  it("fail naming the one that isn't, and why", () =>
    fails(
      podsReady([...RECEIVERS, pod("thanos-receive-3", { ready: false, reason: "CrashLoopBackOff" })]),
      /3 of 4/,
      /thanos-receive-3: CrashLoopBackOff/,
    ));
  it("fail without a compactor that the stack says it has", () => {
    const compactor = pod("thanos-compactor-0", { component: "compactor" });
    holds(podsReady([compactor], 1), "1 of 1 Ready: compactor 1");
    fails(podsReady([compactor], 3), /1 of 1/, /1 of 3 compactors/);
  });
  it("fail without any", () => fails(podsReady([]), /0 of 0/));
});

function target(job: string, instance: string, more: Partial<Target> = {}): Target {
  return { labels: { job, instance }, health: "up", lastError: "", scrapeUrl: `http://${instance}/metrics`, lastScrape: 200, ...more };
}

const TARGETS = [
  ...RECEIVERS.map(({ name }) => target("thanos-receive", name)),
  target("prometheus", "prometheus-0"),
  target("kubelet", "node-1"),
];
const JOBS = ["thanos-receive", "prometheus", "kubelet", "kubernetes-pods"];
const PODS = [...RECEIVERS, PROMETHEUS, pod("memcached-0", { app: "memcached" })];

describe("verify: scrape targets", () => {
  it("hold when all are up; a job without anything to discover may be empty", () =>
    holds(targetsUp([{ pod: "prometheus-0", targets: TARGETS }], 1, JOBS, PODS), "5 of 5 up: kubelet 1, prometheus 1, thanos-receive 3"));

  it("hold for a pair that scrapes the same, and count each target once", () =>
    holds(
      targetsUp(
        ["prometheus-0", "prometheus-1"].map((name) => ({ pod: name, targets: TARGETS })),
        2,
        JOBS,
        PODS,
      ),
      "5 of 5 up: kubelet 1, prometheus 1, thanos-receive 3",
    ));

  it("hold for shards that scrape a part each", () =>
    holds(
      targetsUp(
        [
          { pod: "prometheus-0", targets: TARGETS.slice(0, 2) },
          { pod: "prometheus-shard1-0", targets: TARGETS.slice(2) },
        ],
        2,
        JOBS,
        PODS,
      ),
      "5 of 5 up: kubelet 1, prometheus 1, thanos-receive 3",
    ));

  it("fail naming a target that is down, with the error", () => {
    const down = target("kubelet", "node-2", { health: "down", lastError: "connection refused" });
    fails(
      targetsUp([{ pod: "prometheus-0", targets: [...TARGETS, down] }], 1, JOBS, PODS),
      /^5 of 6 up/,
      /kubelet http:\/\/node-2\/metrics is down for prometheus-0: connection refused/,
    );
  });

  it("fail for a target that is down for one of a pair only", () => {
    const half = TARGETS.map((each, index): Target => (index === 0 ? { ...each, health: "down", lastError: "timeout" } : each));
    const readings = [
      { pod: "prometheus-0", targets: TARGETS },
      { pod: "prometheus-1", targets: half },
    ];
    fails(targetsUp(readings, 2, JOBS, PODS), /^4 of 5 up/, /for prometheus-1: timeout/);
  });

  it("fail for a target that has not been scraped", () => {
    const fresh = target("kubelet", "node-2", { health: "unknown" });
    fails(
      targetsUp([{ pod: "prometheus-0", targets: [...TARGETS, fresh] }], 1, JOBS, PODS),
      /is unknown for prometheus-0: not scraped yet/,
    );
  });

  it("hold with a warning where an annotated target is down: it is anybody's", () => {
    for (const job of ["kubernetes-pods", "kubernetes-services"]) {
      const down = target(job, "shop-0", { health: "down", lastError: "server returned HTTP status 500" });
      const fresh = target(job, "shop-1", { health: "unknown" });
      assert.deepEqual(targetsUp([{ pod: "prometheus-0", targets: [...TARGETS, down, fresh] }], 1, JOBS, PODS), {
        ok: true,
        seen: `5 of 7 up, 1 of others down: kubelet 1, ${job} 2, prometheus 1, thanos-receive 3`,
        details: [`warning: ${job} http://shop-0/metrics is down for prometheus-0: server returned HTTP status 500`],
      });
    }
  });

  it("fail when a pod of the stack is no target", () => {
    fails(targetsUp([{ pod: "prometheus-0", targets: TARGETS.slice(1) }], 1, JOBS, PODS), /job thanos-receive: 2 targets for 3 pods/);
  });

  it("fail when a Prometheus is missing, or has no targets", () => {
    fails(targetsUp([{ pod: "prometheus-0", targets: TARGETS }], 2, JOBS, PODS), /1 of 2 Prometheus pods could be asked/);
    const silent = [
      { pod: "prometheus-0", targets: TARGETS },
      { pod: "prometheus-1", targets: [] },
    ];
    fails(targetsUp(silent, 2, JOBS, PODS), /prometheus-1 has no targets/);
    fails(targetsUp([], 1, JOBS, PODS), /0 of 0 up/);
  });
});

describe("verify: samples acknowledged", () => {
  const reading = (atMs: number, samples: Record<string, number>, before = 0, after = before): AcknowledgedReading => ({
    atMs,
    samples: new Map(Object.entries(samples)),
    own: { before, after },
  });

  it("hold when the counters rise", () =>
    holds(
      samplesAcknowledged(reading(0, { a: 100, b: 50 }), reading(10_000, { a: 400, b: 250 }), 5_000),
      "500 samples in 10.0 s, 50 a second",
    ));
  it("fail when they don't", () =>
    fails(
      samplesAcknowledged(reading(0, { a: 100 }), reading(10_000, { a: 100 }), 5_000),
      /0 samples in 10\.0 s/,
      /1 receivers acknowledged brought no sample/,
    ));
  it("fail when they rise by nothing but verify's own samples", () =>
    fails(samplesAcknowledged(reading(0, { a: 100 }, 0), reading(10_000, { a: 101 }, 1), 5_000), /0 samples/));
  it("fail when they rise by a sample that verify wrote while they were read first", () =>
    fails(samplesAcknowledged(reading(0, { a: 100 }, 0, 1), reading(10_000, { a: 101 }, 1), 5_000), /0 samples/));
  it("fail when nothing is counted at all", () => fails(samplesAcknowledged(reading(0, {}), reading(10_000, {}), 5_000), /0 receivers/));
  it("are not judged from readings too close together", () =>
    fails(samplesAcknowledged(reading(0, { a: 0 }), reading(1_000, { a: 5_000 }), 5_000), /too short to judge/));
  it("are compared over five seconds, since scrapes come in bursts", async () => {
    const times = [0, 4_999, 5_000];
    const reader = {
      service: () => ({}),
      remoteWrite: () => ({}),
      acknowledged: async () => reading(times[0] ?? 0, { a: times.shift() ?? 0 }),
    } as unknown as StackReader;
    const check = stackChecks(reader, readOutputs(OUTPUTS)).find(({ name }) => name === "samples acknowledged");
    assert.ok(check !== undefined);
    const looks = [await check.look(), await check.look(), await check.look()];
    assert.deepEqual(
      looks.map(({ ok }) => ok),
      [false, false, true],
    );
  });
  it("take a counter that fell as one that began again", () =>
    holds(samplesAcknowledged(reading(0, { a: 1_000 }), reading(10_000, { a: 30 }), 5_000), "30 samples in 10.0 s, 3.0 a second"));
  it("leave out a receiver that has only been read once", () =>
    fails(samplesAcknowledged(reading(0, { a: 10 }), reading(10_000, { a: 10, b: 99_999 }), 5_000), /0 samples/));
});

describe("verify: stores", () => {
  const store = (name: string, more: Partial<Store> = {}): Store => ({ name, component: "receive", labelSets: [], ...more });
  const byAddress = MEMBERS.map(({ address }) => store(address));
  const byIp = RECEIVERS.map(({ ips: [ip] }) => store(`${ip}:10901`));

  it("hold when every member is seen, by address or by its pod's IP", () => {
    holds(storesSeen(byAddress, expectedStores(MEMBERS, [])), "3 of 3 ring members");
    holds(storesSeen(byIp, expectedStores(MEMBERS, RECEIVERS)), "3 of 3 ring members");
  });
  it("count other stores apart", () =>
    holds(storesSeen([...byIp, store("bucket:10901")], expectedStores(MEMBERS, RECEIVERS)), "3 of 3 ring members, 1 other stores"));
  it("know a member by its IPv6 address", () =>
    holds(
      storesSeen([store("[fd00::1]:10901")], expectedStores(MEMBERS.slice(0, 1), [pod("thanos-receive-0", { ips: ["fd00::1"] })])),
      "1 of 1 ring members",
    ));
  it("know a pod of two families by whichever the querier took", () =>
    holds(
      storesSeen(
        [store("[fd00::1]:10901"), store("[fd00::2]:10901")],
        expectedStores(MEMBERS.slice(0, 1), [
          pod("thanos-receive-0", { ips: ["10.0.0.1", "fd00::1"] }),
          pod("thanos-ruler-0", { component: "ruler", ips: ["10.0.0.2", "fd00::2"], grpcPort: 10901 }),
        ]),
      ),
      "1 of 1 ring members, 1 of 1 rulers",
    ));
  it("fail naming a member that is not seen", () =>
    fails(storesSeen(byIp.slice(1), expectedStores(MEMBERS, RECEIVERS)), /^2 of 3/, /thanos-receive-0\..*is not among/));
  it("fail naming a store with an error, member or not", () => {
    fails(
      storesSeen([...byIp.slice(1), store("10.0.0.0:10901", { lastError: "refused" })], expectedStores(MEMBERS, RECEIVERS)),
      /^2 of 3/,
      /receive 10\.0\.0\.0:10901: refused/,
    );
    fails(
      storesSeen([...byIp, store("bucket:10901", { component: "store", lastError: "refused" })], expectedStores(MEMBERS, RECEIVERS)),
      /store bucket:10901: refused/,
    );
  });
  it("fail on another port of a member's pod", () =>
    fails(storesSeen([store("10.0.0.0:10902")], expectedStores(MEMBERS.slice(0, 1), RECEIVERS)), /^0 of 1/));
  it("expect sidecars, store gateways and rulers wherever they have a gRPC port", () => {
    const pods = [
      pod("prometheus-0", { component: "prometheus", ips: ["10.0.1.0"], grpcPort: 10901 }),
      pod("prometheus-1", { component: "prometheus", ips: ["10.0.1.1"], grpcPort: 10901 }),
      pod("thanos-store-gateway-0", { component: "store-gateway", ips: ["10.0.2.0"], grpcPort: 10901 }),
      pod("thanos-querier-0", { component: "querier", ips: ["10.0.3.0"], grpcPort: 10901 }),
      pod("thanos-ruler-0", { component: "ruler", ips: ["10.0.4.0"] }),
    ];
    const seen = ["10.0.1.0:10901", "10.0.1.1:10901", "10.0.2.0:10901"].map((name) => store(name));
    holds(storesSeen(seen, expectedStores([], pods)), "2 of 2 sidecars, 1 of 1 store gateways");
    fails(storesSeen(seen.slice(0, 2), expectedStores([], pods)), /0 of 1 store gateways/, /\nthanos-store-gateway-0 is not among/);
  });
  it("fail for a ring without members", () => fails(storesSeen(byIp, expectedStores([], RECEIVERS))));
});

describe("verify: query", () => {
  const readings = [{ pod: "prometheus-0", targets: TARGETS }];
  const series = (labels: Labels, scrapedAt = 200): VectorElement => ({
    labels: { cluster: "dev", ...labels },
    sample: { timestampMs: 1, value: scrapedAt },
  });
  const complete = TARGETS.map(({ labels }) => series(labels));
  const answer = (vector: VectorElement[], warnings: string[] = []) => ({ vector, warnings, partial: warnings.length > 0 });
  const replicaLabels = ["prometheus_replica", "receive_replica"];

  it("holds when every target is answered once", () =>
    holds(everyTargetOnce(readings, answer(complete), replicaLabels), "5 of 5 targets answered once"));
  it("fails naming a target that is not answered", () =>
    fails(
      everyTargetOnce(readings, answer(complete.slice(1)), replicaLabels),
      /^4 of 5/,
      /up of thanos-receive thanos-receive-0 is answered not at all/,
    ));
  it("fails naming a target that is answered twice, and the replica label that is left", () => {
    const twice = [...complete, series({ job: "kubelet", instance: "node-1", receive_replica: "thanos-receive-1" })];
    fails(
      everyTargetOnce(readings, answer(twice), replicaLabels),
      /up of kubelet node-1 is answered 2 times/,
      /replica label receive_replica is left on 1 series/,
    );
  });
  it("fails for a replica label on a complete answer", () =>
    fails(
      everyTargetOnce(
        readings,
        answer(TARGETS.map(({ labels }) => series({ ...labels, prometheus_replica: "prometheus-0" }))),
        replicaLabels,
      ),
      /5 of 5 targets answered once/,
      /prometheus_replica is left on 5 series/,
    ));
  it("fails for a series that is no target but is scraped", () =>
    fails(
      everyTargetOnce(readings, answer([...complete, series({ job: "kubelet", instance: "other" })]), replicaLabels),
      /up of kubelet other is answered, which is no target/,
    ));
  it("takes a series that ended before every target's latest scrape as one that is gone", () => {
    const gone = series({ job: "kubelet", instance: "gone" }, 194);
    holds(everyTargetOnce(readings, answer([...complete, gone]), replicaLabels), "5 of 5 targets answered once, 1 that are gone");
    const scrapedAt = (...scrapes: number[]) =>
      scrapes.map((lastScrape, replica) => ({
        pod: `prometheus-${replica}`,
        targets: TARGETS.map((each, index) => (index === 2 ? { ...each, lastScrape } : each)),
      }));
    for (const late of [scrapedAt(199), scrapedAt(0)]) {
      fails(everyTargetOnce(late, answer([...complete, gone]), replicaLabels), /up of kubelet gone is answered/);
    }
    holds(everyTargetOnce(scrapedAt(200, 0), answer([...complete, gone]), replicaLabels), "5 of 5 targets answered once, 1 that are gone");
  });
  it("takes it as gone although deduplication still answers a target with an earlier sample", () => {
    const gone = series({ job: "kubelet", instance: "gone" }, 150);
    const hidden = TARGETS.map(({ labels }, index) => series(labels, index === 2 ? 100 : 200));
    holds(everyTargetOnce(readings, answer([...hidden, gone]), replicaLabels), "5 of 5 targets answered once, 1 that are gone");
  });
  it("fails for a partial answer even if it looks complete", () =>
    fails(
      everyTargetOnce(readings, answer(complete, ["store r-1 unavailable"]), replicaLabels),
      /lacks some store's data: store r-1 unavailable/,
    ));
  it("warns of an annotated target that is not answered, or answered and gone from discovery", () => {
    const others = target("kubernetes-pods", "shop-0");
    const withOthers = [{ pod: "prometheus-0", targets: [...TARGETS, others] }];
    const gone = series({ job: "kubernetes-services", instance: "shop-1" });
    assert.deepEqual(everyTargetOnce(withOthers, answer([...complete, gone]), replicaLabels), {
      ok: true,
      seen: "5 of 6 targets answered once",
      details: [
        "warning: up of kubernetes-pods shop-0 is answered not at all",
        "warning: up of kubernetes-services shop-1 is answered, which is no target",
      ],
    });
  });
  it("fails without targets", () => fails(everyTargetOnce([], answer([]), replicaLabels), /0 of 0/));
});

describe("verify: write and read back", () => {
  const written = { labels: { __name__: "thanos_stack_verify", run: "x" }, value: 7 };
  const read = (value: number, labels: Labels = written.labels): VectorElement => ({ labels, sample: { timestampMs: 2, value } });

  it("holds for the value written", () => holds(sampleReadBack(written, [read(7)]), "a sample written is answered as it was sent"));
  it("fails without an answer", () => fails(sampleReadBack(written, []), /not answered yet/));
  it("fails for another value", () => fails(sampleReadBack(written, [read(8)]), /wrote 7, read 8/));
  it("fails for several answers", () =>
    fails(
      sampleReadBack(written, [read(7), read(7, { ...written.labels, receive_replica: "a" })]),
      /answered 2 times/,
      /receive_replica="a"/,
    ));
});

describe("verify: hashring", () => {
  const reading = (name: string, hash?: number, nodes?: number) => ({
    pod: name,
    ...(hash === undefined ? {} : { hash }),
    ...(nodes === undefined ? {} : { nodes }),
  });

  it("holds when all have the same", () =>
    holds(hashringsAgree([reading("a", 5, 3), reading("b", 5, 3)], MEMBERS), "the same on 2 of 2 receivers, 3 members"));
  it("fails when one has another", () =>
    fails(
      hashringsAgree([reading("a", 5, 3), reading("b", 6, 3)], MEMBERS),
      /2 hashrings on 2 receivers/,
      /a has hashring 5/,
      /b has hashring 6/,
    ));
  it("fails when one tells none", () => {
    fails(hashringsAgree([reading("a", 5, 3), reading("b")], MEMBERS), /b tells no hash/);
    fails(hashringsAgree([reading("a", 5, 3), reading("b", 0, 3)], MEMBERS), /b tells no hash/);
  });
  it("fails when the ring has another number of members than the stack's", () =>
    fails(
      hashringsAgree([reading("a", 5, 2), reading("b", 5, 2)], MEMBERS),
      /the same on 2 of 2 receivers, 2 members/,
      /a has a hashring of 2 members, the stack one of 3/,
    ));
  it("fails without receivers", () => fails(hashringsAgree([], MEMBERS), /0 hashrings on 0 receivers/));
});
