import assert from "node:assert/strict";
import type { Stack } from "@pulumi/pulumi/automation";
import type { Labels, MatrixElement, PrometheusClient, VectorElement } from "../../clients/prometheus";
import { bucketAccess, ensureBucket } from "../../sandbox/bucket";
import { openStack } from "../../sandbox/engine";
import { dataDirectory, listBlocks, placeBlocks, type Series, uploadBlocks } from "../../sandbox/history";
import type { ConfigOverlay } from "../../sandbox/overlay";
import { NODE_NETWORK } from "../../sandbox/topology";
import { withNetwork } from "./edges";
import { DAY, HOUR, LATEST, MADE } from "./made";
import { assertCredentialsHidden, bucketOf, SMALL } from "./objectStorage";
import { INSTANT_QUERIES, RANGE_QUERIES, SERIES } from "./queries";
import { Cluster, changes, deployedStack, eventually, querierOf, verify, withBlocks } from "./stack";

/**
 * Both schemes beside each other, the sidecars with a bucket. `ring` is dev, a ring of receivers, under a name of its own; `sidecar` is
 * prod with one word changed, as small as one machine needs it, whose Prometheus also writes into that ring: so the same
 * samples are answered along both ways.
 */

const RING_STACK = "ring";
const RING_NAMESPACE = "thanos-ring";
const RING_URL = `http://thanos-receive.${RING_NAMESPACE}.svc.cluster.local:19291/api/v1/receive`;
const SIDECAR_BUCKET = "sidecar-history";
const NAMESPACE = "thanos-sidecar";
/** As often as a test can wait for. */
const OFTEN = { scrapeInterval: "5s", scrapeTimeout: "5s", evaluationInterval: "5s" };

const RING = {
  // The sidecar stack's Prometheus, and this machine.
  "thanos-stack:access": { senders: [NAMESPACE, NODE_NETWORK] },
  "thanos-stack:prometheus": OFTEN,
  // Its share of two busy cores has to answer five queries a second.
  "thanos-stack:querier": { resources: { cpu: "200m", memory: "256Mi" } },
};
const openRing = (config: ConfigOverlay = RING): Promise<Stack> =>
  openStack("dev", { ...config, "thanos-stack:namespace": RING_NAMESPACE }, { stack: RING_STACK });
const STATELESS_RULERS = {
  "thanos-stack:ruler": { mode: "stateless", replicas: 2, antiAffinity: "soft", evaluationInterval: "5s", resources: SMALL.resources },
};

const sidecar = (ringUrl: string) => ({
  "thanos-stack:ingestion": "sidecar",
  "thanos-stack:namespace": NAMESPACE,
  "thanos-stack:protect": false,
  "thanos-stack:survives": { nodes: 0, zones: 0 },
  "thanos-stack:cluster": { name: "sidecar", zones: [] },
  "thanos-stack:objectStorage": {
    s3: bucketOf(SIDECAR_BUCKET),
    storeGateway: { ...SMALL, replicas: 1, antiAffinity: "soft", syncInterval: "15s" },
    // Blocks that were uploaded a moment ago are compacted at once.
    compactor: { ...SMALL, consistencyDelay: "0s", deleteDelay: "2m" },
  },
  "thanos-stack:querier": { replicas: 1, antiAffinity: "soft", resources: { cpu: "50m", memory: "512Mi" } },
  "thanos-stack:queryFrontend": { replicas: 1, antiAffinity: "soft", resources: { cpu: "20m", memory: "128Mi" } },
  "thanos-stack:ruler": { ...SMALL, mode: "stateful", replicas: 1, antiAffinity: "soft", evaluationInterval: "5s" },
  "thanos-stack:prometheus": {
    ...OFTEN,
    ...SMALL,
    replicas: 1,
    // Before there are more of them, which one update can't be together.
    antiAffinity: "soft",
    remoteWrite: { otherTargets: [{ url: ringUrl }] },
  },
});

const EXTERNAL = { cluster: "sidecar", prometheus_replica: "prometheus-0" };
/** Twelve days that the compactor finds in the bucket: ten of them are whole blocks of two, wherever those begin. */
const OLD = { from: LATEST - 16 * DAY, to: LATEST - 4 * DAY };
/** Ten hours that the sidecar finds in its Prometheus, older than what a sidecar serves. */
const YESTERDAY = { from: LATEST - 30 * HOUR, to: LATEST - 20 * HOUR };

/** An answer without what tells the two ways apart, in an order of its own. */
function comparable(answer: readonly (VectorElement | MatrixElement)[]): { labels: Labels; values: [number, number][] }[] {
  return answer
    .map((series) => {
      const { tenant_id: _, ...labels } = series.labels;
      const samples = "sample" in series ? [series.sample] : series.samples;
      return { labels, values: samples.map(({ timestampMs, value }): [number, number] => [timestampMs, value]) };
    })
    .sort((a, b) => (JSON.stringify(sorted(a.labels)) < JSON.stringify(sorted(b.labels)) ? -1 : 1));
}

const sorted = (labels: Labels): [string, string][] => Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));

/** Sums of floats depend on their order, which is nobody's promise. */
const alike = (a: number, b: number): boolean => Object.is(a, b) || Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b), 1e-9);

function difference(
  left: readonly (VectorElement | MatrixElement)[],
  right: readonly (VectorElement | MatrixElement)[],
): string | undefined {
  const [a, b] = [comparable(left), comparable(right)];
  if (a.length === 0) return "no answer";
  if (a.length !== b.length) return `${a.length} and ${b.length} series`;
  for (const [index, series] of a.entries()) {
    const other = b[index];
    const name = JSON.stringify(series.labels);
    if (other === undefined || JSON.stringify(sorted(series.labels)) !== JSON.stringify(sorted(other.labels)))
      return `${name} is on one side only`;
    if (series.values.length !== other.values.length) return `${name}: ${series.values.length} and ${other.values.length} samples`;
    const at = series.values.findIndex(
      ([time, value], i) => time !== other.values[i]?.[0] || !alike(value, other.values[i]?.[1] ?? Number.NaN),
    );
    if (at >= 0) return `${name}: ${series.values[at]} and ${other.values[at]}`;
  }
  return undefined;
}

describe("both schemes on a real cluster", function () {
  this.timeout(30 * 60_000);
  this.bail(true);
  const cluster = new Cluster();
  const ringStack = () => openRing();
  const ring = async () => deployedStack(cluster, await ringStack());
  const sidecarStack = async (): Promise<Stack> => openStack("prod", sidecar(RING_URL), { stack: "sidecar" });
  const sidecars = async (): Promise<PrometheusClient> => querierOf(await sidecarStack());

  before("days of history in the bucket, as sidecars that ran then would have left them", async () => {
    await ensureBucket(SIDECAR_BUCKET);
    if ((await listBlocks(bucketAccess(SIDECAR_BUCKET))).length > 0) return;
    await withBlocks(OLD, MADE, (folder) => uploadBlocks({ folder, labels: EXTERNAL, bucket: bucketAccess(SIDECAR_BUCKET) }));
  });

  it("come up from nothing and pass the same check", async () => {
    await Promise.all([ringStack(), sidecarStack()].map(async (stack) => (await stack).up()));
    await Promise.all([RING_STACK, "sidecar"].map(verify));
    assert.equal((await ring()).outputs.remoteWriteUrl, RING_URL);
    const outputs = await (await sidecarStack()).outputs();
    assert.equal(outputs.scheme?.value, "sidecar");
    for (const absent of ["remoteWriteUrl", "ring"]) assert.equal(outputs[absent], undefined, absent);
    assert.deepEqual(changes((await (await sidecarStack()).preview()).changeSummary), {});
  });

  it("keep the bucket's credentials in one Secret and out of state and outputs", async () => {
    await assertCredentialsHidden(cluster, await sidecarStack(), NAMESPACE);
  });

  it("evaluate the repository's rules by rulers alone, each group once, without a fault", async () => {
    await (await openRing({ ...RING, ...STATELESS_RULERS })).up();
    await verify(RING_STACK);
    for (const querier of [await sidecars(), (await ring()).querier]) {
      const groups = await eventually("rules are evaluated", async () => {
        const { status, body } = await querier.transport.send({ method: "GET", path: "/api/v1/rules" });
        assert.equal(status, 200, body);
        const all = (JSON.parse(body) as { data: { groups: { name: string; rules: { health: string }[] }[] } }).data.groups;
        return all.length > 0 && all.every(({ rules }) => rules.every(({ health }) => health === "ok")) && all;
      });
      assert.equal(new Set(groups.map(({ name }) => name)).size, groups.length, "each group once");
    }
  });

  it("open every edge that the documents name, and nothing else", async () => {
    await withNetwork(cluster, await sidecarStack(), async (network) => {
      assert.deepEqual(await network.differences(), []);
    });
  });

  // Before the comparison, which needs samples of four minutes: they come in while these blocks are uploaded.
  it("upload blocks of a sidecar's Prometheus, and of a stateful ruler under the ruler's own labels", async () => {
    const results: Series[] = [{ name: "made:temperature_celsius:mean", labels: { instance: "made-0" }, value: () => 20 }];
    for (const [pod, series] of [
      ["prometheus-0", MADE],
      ["thanos-ruler-0", results],
    ] as const) {
      const placed = await withBlocks(YESTERDAY, series, async (folder) =>
        placeBlocks({ folder, ...(await dataDirectory({ namespace: NAMESPACE, pod })) }),
      );
      assert.equal(placed, 5, pod);
    }
    await eventually("both have uploaded them", async () => {
      const blocks = (await listBlocks(bucketAccess(SIDECAR_BUCKET))).filter(
        ({ minTime, maxTime }) => minTime >= YESTERDAY.from && maxTime <= YESTERDAY.to,
      );
      const ofRuler = blocks.filter(({ labels }) => labels.rule_replica === "thanos-ruler-0");
      // Blocks that the compactor makes of them are there beside them.
      return ofRuler.length >= 5 && blocks.length - ofRuler.length >= 5;
    });
  });

  it("answer the same queries with the same values", async () => {
    const sides = [await sidecars(), (await ring()).querier] as const;
    const matchers = 'cluster="sidecar"';
    const first = await eventually(
      "four minutes of samples",
      async () => {
        const { vector } = await sides[1].instant(`count(count_over_time(up{${matchers}, job="kubelet"}[1m] offset 3m) > 5)`);
        return vector[0]?.sample.value === 3 && Date.now();
      },
      900,
    );
    // Everything up to this moment is in the ring: a minute is more than a request waits and takes.
    const end = Math.floor((first - 60_000) / 15_000) * 15_000;
    const differences: string[] = [];
    const compare = async (
      query: string,
      ask: (querier: PrometheusClient, text: string) => Promise<readonly (VectorElement | MatrixElement)[]>,
    ) => {
      const text = query.replaceAll(SERIES, matchers);
      const [left, right] = await Promise.all(sides.map((side) => ask(side, text)));
      const found = difference(left ?? [], right ?? []);
      if (found !== undefined) differences.push(`${text}: ${found}`);
    };
    for (const query of INSTANT_QUERIES)
      await compare(query, async (side, text) => (await side.instant(text, { timeMs: end, partialResponse: false })).vector);
    for (const query of RANGE_QUERIES) {
      await compare(
        query,
        async (side, text) => (await side.range(text, { startMs: end - 60_000, endMs: end, stepMs: 5_000, partialResponse: false })).matrix,
      );
    }
    assert.ok(INSTANT_QUERIES.length + RANGE_QUERIES.length >= 40);
    assert.deepEqual(differences, []);
  });

  it("reads a changed configuration again without a restart", async () => {
    const before = await cluster.pods(NAMESPACE, "prometheus");
    const config = sidecar(RING_URL);
    const changed = await openStack(
      "prod",
      { ...config, "thanos-stack:prometheus": { ...config["thanos-stack:prometheus"], externalLabels: { seen: "again" } } },
      { stack: "sidecar" },
    );
    await changed.up();
    const querier = await sidecars();
    await eventually(
      "the new label is on new samples",
      async () => (await querier.instant('count(up{seen="again"}) > 0')).vector.length === 1,
    );
    await (await sidecarStack()).up();
    await eventually("the label is gone again", async () => (await querier.instant('up{seen="again"}')).vector.length === 0, 600);
    const after = await cluster.pods(NAMESPACE, "prometheus");
    assert.deepEqual(
      after.map(({ metadata }) => metadata.uid),
      before.map(({ metadata }) => metadata.uid),
    );
  });

  it("compacts and downsamples what is old, and answers ten days from the downsampled blocks", async () => {
    const blocks = await eventually(
      "blocks of two days have a coarser resolution",
      async () => {
        const all = (await listBlocks(bucketAccess(SIDECAR_BUCKET))).filter((block) => !block.markedForDeletion && block.maxTime <= OLD.to);
        const covered = all.filter(({ resolution }) => resolution > 0).reduce((sum, { minTime, maxTime }) => sum + maxTime - minTime, 0);
        return covered >= 10 * DAY && all;
      },
      1_200,
    );
    const coarse = blocks.filter(({ resolution }) => resolution > 0);
    assert.ok(blocks.length - coarse.length < 40, `144 blocks became ${blocks.length - coarse.length}`);
    const querier = await sidecars();
    // A downsampled sample stands at the last millisecond of its five minutes (pkg/compact/downsample `currentWindow`): so both windows
    // hold the same samples when they end there.
    const endMs = Math.max(...coarse.map(({ maxTime }) => maxTime)) - 1;
    const range = { startMs: endMs - 10 * DAY + HOUR, endMs, stepMs: HOUR };
    const ask = async (query: string, maxSourceResolution: string) =>
      (await querier.range(query, { ...range, maxSourceResolution, partialResponse: false })).matrix;
    // Counting counts downsampled samples: so it shows where an answer comes from.
    const counted = (samples: number) => async () => {
      const answer = await ask("count_over_time(made_temperature_celsius[1h])", samples === 60 ? "0s" : "5m");
      return (
        answer.length === 2 &&
        answer.every((series) => series.samples.length === 240 && series.samples.every(({ value }) => value === samples))
      );
    };
    await eventually("every hour of ten days is answered from raw samples where those are asked for", counted(60));
    await eventually("every hour of ten days is answered from downsampled blocks", counted(12));
    for (const exact of ["min_over_time", "max_over_time", "sum_over_time", "avg_over_time"]) {
      const query = `${exact}(made_temperature_celsius[1h])`;
      assert.equal(difference(await ask(query, "0s"), await ask(query, "5m")), undefined, query);
    }
    const [raw = [], downsampled = []] = await Promise.all(
      ["0s", "5m"].map((resolution) => ask("rate(made_requests_total[2h])", resolution)),
    );
    for (const [index, series] of raw.entries()) {
      for (const [at, { value }] of series.samples.entries()) {
        const other = downsampled[index]?.samples[at]?.value ?? Number.NaN;
        // At an end of the window a downsampled counter may lack one of its intervals of five minutes.
        assert.ok(Math.abs(value - other) <= (5 / 120) * value, `rate of ${JSON.stringify(series.labels)}: ${value} and ${other}`);
      }
    }
    // The query of a dashboard says nothing of resolutions.
    const automatic = (await querier.range("count_over_time(made_temperature_celsius[1h])", range)).matrix;
    assert.equal(difference(automatic, await ask("count_over_time(made_temperature_celsius[1h])", "5m")), undefined);
  });

  it("serves a Prometheus that lost its pod and its volume, from the bucket", async () => {
    const path = `/api/v1/namespaces/${NAMESPACE}`;
    const [before] = await cluster.pods(NAMESPACE, "prometheus");
    const claim = await cluster.get(`${path}/persistentvolumeclaims/data-prometheus-0`);
    await cluster.delete(`${path}/persistentvolumeclaims/data-prometheus-0`);
    await cluster.delete(`${path}/pods/prometheus-0`);
    await eventually("another Prometheus with an empty volume is Ready", async () => {
      const [pod] = await cluster.pods(NAMESPACE, "prometheus");
      const now = await cluster.get(`${path}/persistentvolumeclaims/data-prometheus-0`);
      return (
        pod?.metadata.uid !== before?.metadata.uid &&
        now?.metadata.uid !== claim?.metadata.uid &&
        pod?.status.conditions?.some(({ type, status }) => type === "Ready" && status === "True")
      );
    });
    const querier = await sidecars();
    const timeMs = YESTERDAY.from + 5 * HOUR;
    const { vector } = await eventually("the bucket answers", async () => {
      const answer = await querier.instant("count_over_time(made_temperature_celsius[1h])", { timeMs });
      return answer.vector.length === 2 && answer;
    });
    for (const { sample } of vector) assert.equal(sample.value, 60);
  });

  it("answers as one over pairs, shards and parts of the bucket, from caches that its store gateways share", async () => {
    const config = sidecar(RING_URL);
    const stack = await openStack(
      "prod",
      {
        ...config,
        // Four servers' series are too many for dev's receivers of half a gigabyte.
        "thanos-stack:prometheus": {
          ...config["thanos-stack:prometheus"],
          // Four of them as often as one would keep both cores busy.
          scrapeInterval: "15s",
          scrapeTimeout: "10s",
          evaluationInterval: "15s",
          replicas: 2,
          shards: 2,
          remoteWrite: { otherTargets: [] },
        },
        "thanos-stack:objectStorage": {
          ...config["thanos-stack:objectStorage"],
          storeGateway: { ...config["thanos-stack:objectStorage"].storeGateway, partition: { hash: 2 } },
        },
      },
      { stack: "sidecar" },
    );
    await stack.up();
    await verify("sidecar");
    const querier = await sidecars();
    const gateways = (await querier.stores()).filter(({ component }) => component === "store");
    assert.equal(gateways.length, 2);
    for (let hours = 1; hours <= 240; hours += 24) {
      const timeMs = OLD.from + hours * HOUR - 1;
      const { vector } = await querier.instant("count_over_time(made_temperature_celsius[1h])", { timeMs, partialResponse: false });
      assert.deepEqual(
        vector.map(({ sample }) => sample.value),
        [60, 60],
        `${hours} hours`,
      );
    }
    await eventually("store gateways found something in memcached", async () => {
      const { vector } = await querier.instant('sum(thanos_store_bucket_cache_operation_hits_total{job="thanos-store-gateway"}) > 0');
      return vector.length === 1;
    });
  });

  it("leaves nothing of either but what the sidecars have uploaded", async () => {
    await Promise.all([ringStack(), sidecarStack()].map(async (stack) => (await stack).destroy()));
    for (const namespace of [RING_NAMESPACE, NAMESPACE]) assert.equal(await cluster.get(`/api/v1/namespaces/${namespace}`), undefined);
  });
});
