import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import type { ExposedSample } from "../../clients/exposition";
import { PROMETHEUS_PORT, QUERY_HTTP_PORT } from "../../model/kubernetes/ports";
import { KUBERNETES_ROLES } from "../../model/prometheus/freeForm/kubernetesDiscovery";
import { environment, openStack } from "../../sandbox/engine";
import { dataDirectory, placeBlocks, type Series, uploadBlocks } from "../../sandbox/history";
import { BUSYBOX_IMAGE, PAUSE_IMAGE } from "../../sandbox/images";
import { inNode, nodePlanByNumber } from "../../sandbox/node";
import type { ConfigOverlay } from "../../sandbox/overlay";
import { API_PORT, HOST_ADDRESS, KUBERNETES_SERVICE } from "../../sandbox/topology";
import { readBack, startSender } from "../ledger";
import { podReaches } from "./edges";
import { Guarded } from "./guarded";
import { SMALL, SMALL_STORE_GATEWAY } from "./objectStorage";
import { type OutsideProxy, startProxy } from "./proxy";
import {
  Cluster,
  deployedStack,
  eventually,
  failure,
  inside,
  metricsOf,
  type Pod,
  previewed,
  remove,
  runId,
  verify,
  withBlocks,
} from "./stack";

/**
 * dev in a namespace that exists, on a node of its own that is tainted, with a directory of that node for a bucket, store gateways that
 * divide the blocks by their age, and the article's own values: a cluster that is named by a number, and rule files that end in .yml. Its
 * limits of reads are soon reached.
 */

const HOUR = 3_600_000;
const NAMESPACE = "monitoring";
const STACK = "directory";
const NODE = nodePlanByNumber(3);
const node = NODE.name;
/** The node is of a pool whose taint keeps everybody else's pods away. */
const POOL = { pool: "monitoring" };
const TAINT = { key: "dedicated", value: "monitoring", effect: "NoSchedule" };
const on = (path: string) => ({ storage: { hostPath: { path, nodes: [node] } } });
/** A Secret that somebody else made. */
const SITE = { metadata: { name: "site", labels: {} }, stringData: { region: "somewhere" } };
const LIMITED = { requests: { cpu: "10m", memory: "16Mi" }, limits: { memory: "32Mi" } };
const shell = (name: string, script: string) => ({
  name,
  image: BUSYBOX_IMAGE,
  command: ["sh", "-c", script],
  resources: LIMITED,
  volumeMounts: [
    { name: "site", mountPath: "/etc/extra/site", readOnly: true },
    { name: "scratch", mountPath: "/scratch" },
  ],
});
/** Flags, variables, files and containers that the program knows nothing of. */
const EXTRA = {
  args: ["--query.default-step=$(STEP)", "--query.default-evaluation-interval=30s"],
  env: [
    { name: "STEP", value: "7s" },
    { name: "REGION", valueFrom: { secretKeyRef: { name: SITE.metadata.name, key: "region" } } },
  ],
  volumes: [
    { name: "site", secret: { secretName: SITE.metadata.name } },
    { name: "scratch", emptyDir: { sizeLimit: "1Mi" } },
  ],
  volumeMounts: [{ name: "site", mountPath: "/etc/extra/site", readOnly: true }],
  initContainers: [shell("first", "cp /etc/extra/site/region /scratch/left")],
  containers: [shell("beside", "trap 'exit 0' TERM; echo \"$(cat /scratch/left)\"; while :; do sleep 1; done")],
};
/** Targets and an Alertmanager of this machine, which ask for credentials. */
const GUARDED = { port: 9_465, service: "guarded" };
/** A Secret that somebody else made, and turns over. */
const LOGIN = { metadata: { name: "others-login", labels: {} }, stringData: { password: "of-others" } };
const PASSWORDS = { map: "of-the-map", existing: LOGIN.stringData.password, alerts: "of-alerts" };
const guardedJob = (user: string) => ({
  job_name: `guarded-${user}`,
  basic_auth: { username: user, password_file: `/etc/credentials/${user}-password` },
  static_configs: [{ targets: [`${HOST_ADDRESS}:${GUARDED.port}`] }],
});
/** The name that leads to the Alertmanager. */
const GUARDED_SERVICE = {
  metadata: { name: GUARDED.service, labels: {} },
  spec: { clusterIP: "None", ports: [{ name: "web", port: GUARDED.port }] },
};
const GUARDED_ENDPOINT = {
  metadata: { name: GUARDED.service, labels: { "kubernetes.io/service-name": GUARDED.service } },
  addressType: "IPv4",
  endpoints: [{ addresses: [HOST_ADDRESS], conditions: { ready: true } }],
  ports: [{ name: "web", port: GUARDED.port, protocol: "TCP" }],
};
/** A job for everything that Prometheus finds targets by, which keeps none of them. */
const DISCOVERING = [
  ...KUBERNETES_ROLES.map((role) => ({ role })),
  { role: "pod", attach_metadata: { node: true, namespace: true, deployment: true, job: true } },
].map((discovery, index) => ({
  job_name: `discovers-${index}-${discovery.role}`,
  kubernetes_sd_configs: [discovery],
  relabel_configs: [{ source_labels: ["__address__"], regex: ".*", action: "drop" }],
}));
/** Where the proxy outside is, by which alerts are sent; and which queriers may reach, of all else. */
const PROXY_PORT = 9_471;
/** An Alertmanager that no name server knows. */
const ALERTMANAGER = "http://alerts.example:9093/am";
/** Limit of what one selector reads of one store. */
const MOST_SERIES = 1_000;
/** As many queries at once as fit, each over everything. */
const QUERIER = {
  externalUrl: "https://example.com/query",
  extra: EXTRA as unknown as ConfigOverlay,
  maxConcurrent: 2,
  maxConcurrentSelect: 1,
  resources: { memory: "1Gi" },
};
const CONFIG: ConfigOverlay = {
  "thanos-stack:network": {
    proxy: { url: `http://${HOST_ADDRESS}:${PROXY_PORT}`, to: [`${HOST_ADDRESS}/32`] },
    edges: [{ component: "querier", to: [`${HOST_ADDRESS}/32`], ports: [PROXY_PORT] }],
  },
  "thanos-stack:cluster": { name: 158 },
  "thanos-stack:namespace": NAMESPACE,
  "thanos-stack:existingNamespace": true,
  "thanos-stack:pods": {
    tolerations: [TAINT],
    nodeSelector: POOL,
    labels: { team: "platform" },
    annotations: { "example.com/note": "any" },
  },
  "thanos-stack:services": { annotations: { "example.com/note": "any" } },
  "thanos-stack:querier": QUERIER,
  "thanos-stack:prometheus": {
    externalUrl: "https://example.com/prometheus",
    ...on("/data/directory-bucket/prometheus"),
    ruleFolder: "tests/e2e/rules",
    scrapeInterval: "5s",
    scrapeTimeout: "5s",
    evaluationInterval: "5s",
    scrapeConfigs: [...DISCOVERING, guardedJob("map"), guardedJob("existing")],
  },
  // As a file has it that an editor wrote: with a line feed at its end.
  "thanos-stack:credentials": { "map-password": `${PASSWORDS.map}\n`, "alerts-password": PASSWORDS.alerts },
  "thanos-stack:credentialsFrom": { "existing-password": { secret: LOGIN.metadata.name, key: "password" } },
  "thanos-stack:alerting": {
    alertmanagers: [`dnssrv+http://_web._tcp.${GUARDED.service}.${NAMESPACE}.svc`, ALERTMANAGER],
    client: { basic_auth: { username: "alerts", password_file: "/etc/credentials/alerts-password" } },
  },
  // A directory outlives its environment: what is laid into these is nobody else's.
  "thanos-stack:receive": { ...on("/data/directory-bucket/receive"), storeLimits: { series: MOST_SERIES } },
  "thanos-stack:objectStorage": {
    filesystem: { path: "/data/directory-bucket/history", node },
    storeGateway: {
      ...SMALL_STORE_GATEWAY,
      ...on("/data/directory-bucket/store-gateway"),
      partition: { time: ["15h"] },
      storeLimits: { series: MOST_SERIES },
    },
    compactor: { ...SMALL, ...on("/data/directory-bucket/compactor"), consistencyDelay: "0s", deleteDelay: "2m" },
  },
};
/** Somebody else's pod, with labels that another Prometheus has too. */
const STRANGER = {
  metadata: { name: "stranger", labels: { "app.kubernetes.io/name": "prometheus", "app.kubernetes.io/component": "prometheus" } },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [{ name: "pause", image: PAUSE_IMAGE, imagePullPolicy: "Never" }],
  },
};
const INGRESS = {
  metadata: { name: "stranger", labels: {} },
  spec: {
    rules: [
      {
        host: "stranger.example",
        http: { paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "stranger", port: { number: 80 } } } }] },
      },
    ],
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

/** One series as the article's receivers have left it: a block of each, which differ by the label `replica` alone. */
const LEFT: Series[] = [{ name: "left_by_another_installation", labels: { instance: "made" }, value: (time) => time / HOUR }];
const LEFT_BEHIND = { from: LATEST - 22 * HOUR, to: LATEST - 20 * HOUR };
const LEFT_BY = ["thanos-receive-0", "thanos-receive-1", "thanos-receive-2"];
const MIGRATED: ConfigOverlay = {
  ...CONFIG,
  "thanos-stack:querier": { ...QUERIER, replicaLabels: ["replica"] },
};
/** More series than a store gateway may read at once, in a stretch of its own. */
const MANY: Series[] = Array.from({ length: 3 * MOST_SERIES }, (_, number) => ({
  name: "directory_many",
  labels: { instance: "made", number: String(number) },
  value: () => number,
}));
const CROWDED = { from: LATEST - 20 * HOUR, to: LATEST - 18 * HOUR };

/** The sum of a metric over its series. */
const total = (page: readonly ExposedSample[], metric: string): number =>
  page.filter(({ name }) => name === metric).reduce((sum, { value }) => sum + value, 0);

describe("dev with a directory for a bucket, on a real cluster", function () {
  this.timeout(10 * 60_000);
  this.bail(true);
  const cluster = new Cluster();
  const stack = () => openStack("dev", CONFIG, { stack: STACK });
  const guarded = new Guarded(PASSWORDS);
  const stranger = () => cluster.get<Pod>(`/api/v1/namespaces/${NAMESPACE}/pods/${STRANGER.metadata.name}`);
  const deployed = async () => deployedStack(cluster, await stack());
  let proxy: OutsideProxy | undefined;
  before("this machine asks who comes, and is the proxy to what is outside", async () => {
    await guarded.listen(GUARDED.port, HOST_ADDRESS);
    proxy = await startProxy(PROXY_PORT);
  });
  after("the node is everybody's again", async () => {
    proxy?.close();
    await cluster.mergePatch(`/api/v1/nodes/${node}`, { metadata: { labels: { pool: null } }, spec: { taints: null } });
  });
  const gateways = () => cluster.pods(NAMESPACE, "thanos-store-gateway");
  /** Samples that one store answers, past everything else that the querier knows. */
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

  it("comes up in somebody else's namespace, passes its check, and changes nothing when brought up again", async () => {
    const made = async (path: string, object: { metadata: { name: string; labels: Record<string, string> } }) => {
      if ((await cluster.get(`${path}/${object.metadata.name}`)) === undefined) await cluster.create(path, object);
    };
    await made("/api/v1/namespaces", { metadata: { name: NAMESPACE, labels: { team: "platform" } } });
    await remove("dev", CONFIG, STACK);
    await made(`/api/v1/namespaces/${NAMESPACE}/pods`, STRANGER);
    await made(`/api/v1/namespaces/${NAMESPACE}/secrets`, SITE);
    await made(`/api/v1/namespaces/${NAMESPACE}/secrets`, LOGIN);
    await made(`/api/v1/namespaces/${NAMESPACE}/services`, GUARDED_SERVICE);
    await made(`/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices`, GUARDED_ENDPOINT);
    await made(`/apis/networking.k8s.io/v1/namespaces/${NAMESPACE}/ingresses`, INGRESS);
    await eventually("the stranger runs", async () => (await stranger())?.status.phase === "Running");
    await cluster.mergePatch(`/api/v1/nodes/${node}`, { metadata: { labels: POOL }, spec: { taints: [TAINT] } });
    await (await stack()).up();
    await verify(STACK);
    assert.deepEqual(await previewed(await stack()), []);
  });

  it("runs on the tainted node that it selects, and nowhere else, with its marks on everything", async () => {
    const own = (await cluster.pods(NAMESPACE)).filter(({ metadata }) => metadata.name !== STRANGER.metadata.name);
    assert.ok(own.length >= 7, `${own.length} pods`);
    for (const { metadata, spec } of own) {
      const { labels = {}, annotations = {} } = metadata as { labels?: Record<string, string>; annotations?: Record<string, string> };
      assert.deepEqual([spec.nodeName, labels.team, annotations["example.com/note"]], [node, "platform", "any"], metadata.name);
    }
    const services = await cluster.list(`/api/v1/namespaces/${NAMESPACE}/services`);
    for (const { metadata } of services.filter((each) => each.metadata.name !== GUARDED.service))
      assert.equal((metadata as { annotations?: Record<string, string> }).annotations?.["example.com/note"], "any", metadata.name);
  });

  it("runs with flags, a Secret and containers that the program knows nothing of, and says so", async () => {
    const [querier] = await cluster.pods(NAMESPACE, "thanos-querier");
    const { name } = querier?.metadata ?? assert.fail("there is no querier");
    const { status, body } = await inside()
      .pod({ namespace: NAMESPACE, name, port: QUERY_HTTP_PORT })
      .send({ method: "GET", path: "/api/v1/status/flags" });
    assert.equal(status, 200, body);
    const { data } = JSON.parse(body) as { data: Record<string, string> };
    assert.deepEqual([data["query.default-step"], data["query.default-evaluation-interval"]], ["7s", "30s"]);
    assert.deepEqual(
      [data["web.external-prefix"], data["web.route-prefix"], data["alert.query-url"]],
      ["/query", "/", "https://example.com/query"],
    );
    assert.deepEqual(
      querier?.status.containerStatuses?.map((each) => [each.ready, each.restartCount]),
      [
        [true, 0],
        [true, 0],
      ],
    );
    const { stdout } = await execa("kubectl", ["-n", NAMESPACE, "logs", name, "-c", "beside"], { env: environment() });
    assert.equal(stdout, SITE.stringData.region);
    const { unchecked } = await (await stack()).outputs();
    assert.deepEqual(unchecked?.value[0], "querier.extra.args: --query.default-step, --query.default-evaluation-interval");
  });

  it("refuses a namespace that is not there, by nothing but the message", async () => {
    const nowhere = await openStack("dev", { ...CONFIG, "thanos-stack:namespace": "nowhere" }, { stack: STACK });
    const text = await failure(() => nowhere.preview());
    assert.match(
      text,
      /error: Pulumi\.directory\.yaml: 1 problem, nothing was changed:\s+- namespace = "nowhere": the cluster has no namespace of this name/,
    );
    assert.doesNotMatch(text, /error serializing/);
  });

  it("leaves alone what is others' in the namespace, whatever labels they share", async () => {
    const namespace = await cluster.get(`/api/v1/namespaces/${NAMESPACE}`);
    assert.deepEqual(namespace?.metadata.labels, { team: "platform", "kubernetes.io/metadata.name": NAMESPACE });
    const selectors = (
      await cluster.list<{ spec: { podSelector: { matchLabels?: Record<string, string> } } }>(
        `/apis/networking.k8s.io/v1/namespaces/${NAMESPACE}/networkpolicies`,
      )
    ).map(({ spec }) => spec.podSelector.matchLabels ?? {});
    assert.ok(selectors.length > 5);
    const labels: Record<string, string> = STRANGER.metadata.labels;
    assert.deepEqual(
      selectors.filter((selector) => Object.entries(selector).every(([label, value]) => labels[label] === value)),
      [],
      "policies that would close the stranger's pod",
    );
    const pod = await stranger();
    const slices = await cluster.list<{ endpoints: { addresses: string[] }[] | null }>(
      `/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices`,
    );
    const addresses = slices.flatMap(({ endpoints }) => (endpoints ?? []).flatMap((endpoint) => endpoint.addresses));
    assert.ok(addresses.length > 0 && pod?.status.podIP !== undefined);
    assert.ok(!addresses.includes(pod.status.podIP), "a Service of the stack leads to the stranger");
    assert.ok(await podReaches(pod, KUBERNETES_SERVICE, 443), "the stranger's own connections are closed");
  });

  it("has the article's values: cluster 158, a rule file *.yml, and histograms in both forms", async () => {
    const { querier } = await deployed();
    for (const query of [
      'count(up{cluster="158"}) > 0',
      'e2e:rule_of_yml{cluster="158"} == 1',
      'sum(histogram_count(prometheus_http_request_duration_seconds{job="prometheus"})) > 0',
      'count(prometheus_http_request_duration_seconds_bucket{job="prometheus"}) > 0',
    ]) {
      await eventually(`an answer to ${query}`, async () => (await querier.instant(query)).vector.length === 1, 60);
    }
  });

  it("shows who it is where it is asked, with files of the map and of a Secret of others, and tells an Alertmanager found by DNS", async () => {
    assert.equal((await fetch(`http://${HOST_ADDRESS}:${GUARDED.port}/metrics`)).status, 401);
    const { querier } = await deployed();
    for (const user of ["map", "existing"] as const) {
      const query = `up{job="guarded-${user}"}`;
      await eventually(`${query} is 1`, async () => (await querier.instant(query)).vector[0]?.sample.value === 1, 60);
      assert.ok(guarded.uses(user, PASSWORDS[user]) > 0, user);
    }
    await eventually("the alert has come", async () => guarded.alerts.has("E2eAlways"));
    assert.ok(guarded.uses("alerts", PASSWORDS.alerts) > 0);
  });

  it("goes by the new password when others turn their Secret over, without a missed scrape or a restart", async () => {
    const started = async () =>
      (await cluster.pods(NAMESPACE, "prometheus"))
        .filter(({ metadata }) => metadata.name !== STRANGER.metadata.name)
        .map(({ metadata, status }) => [metadata.name, metadata.uid, status.containerStatuses?.map(({ restartCount }) => restartCount)]);
    const before = await started();
    const begin = Date.now();
    const next = "of-others-too";
    guarded.passwords.existing = [PASSWORDS.existing, next];
    await cluster.mergePatch(`/api/v1/namespaces/${NAMESPACE}/secrets/${LOGIN.metadata.name}`, { stringData: { password: next } });
    await eventually("Prometheus comes with the new password", async () => guarded.uses("existing", next) > 0);
    guarded.passwords.existing = [next];
    await eventually("it was scraped again and again since", async () => guarded.uses("existing", next) > 3, 60);
    const { querier } = await deployed();
    const since = Math.ceil((Date.now() - begin) / 1_000);
    const query = `min_over_time(up{job="guarded-existing"}[${since}s])`;
    assert.equal((await querier.instant(query)).vector[0]?.sample.value, 1);
    assert.deepEqual(await started(), before);
  });

  it("sends alerts outside by the proxy, with links to where people open them, and nothing else goes there", async () => {
    const { requests, tunnels } = proxy ?? assert.fail("there is no proxy");
    // Those that found no proxy yet are sent again after a minute.
    const alert = await eventually(
      "the alert is sent",
      async () =>
        requests
          .flatMap(({ body }) => JSON.parse(body) as { labels: Record<string, string>; generatorURL: string }[])
          .find(({ labels }) => labels.alertname === "E2eAlways"),
      150,
    );
    assert.match(alert.generatorURL, /^https:\/\/example\.com\/prometheus\/graph\?/);
    assert.deepEqual([...new Set(requests.map(({ url }) => url))], [`${ALERTMANAGER}/api/v2/alerts`]);
    assert.deepEqual(tunnels, []);
  });

  it("opens a further edge for the component that it names, and for no other", async () => {
    const pod = async (app: string) => (await cluster.pods(NAMESPACE, app))[0] ?? assert.fail(`there is no ${app}`);
    const reaches = async (app: string) => podReaches(await pod(app), HOST_ADDRESS, PROXY_PORT);
    await eventually("the querier reaches it", () => reaches("thanos-querier"));
    for (const app of ["thanos-compactor", "thanos-store-gateway", "thanos-receive"]) assert.equal(await reaches(app), false, app);
    assert.equal(await podReaches(await pod("thanos-querier"), HOST_ADDRESS, API_PORT), false, "another port");
  });

  it("finds targets by every role that a job asks for, and may read nothing else", async () => {
    const prometheus = inside().pod({ namespace: NAMESPACE, name: "prometheus-0", port: PROMETHEUS_PORT });
    await eventually("every job has found something", async () => {
      const { status, body } = await prometheus.send({ method: "GET", path: "/api/v1/targets?state=dropped" });
      assert.equal(status, 200, body);
      const { droppedTargetCounts } = (JSON.parse(body) as { data: { droppedTargetCounts: Record<string, number> } }).data;
      const nothing = DISCOVERING.filter(({ job_name: job }) => (droppedTargetCounts[job] ?? 0) === 0).map(({ job_name: job }) => job);
      assert.deepEqual(nothing, []);
      return true;
    });
    const may = async (group: string, resource: string, verb: string) => {
      const user = `system:serviceaccount:${NAMESPACE}:prometheus`;
      const resourceAttributes = { namespace: NAMESPACE, group, resource, verb };
      const review = { apiVersion: "authorization.k8s.io/v1", kind: "SubjectAccessReview", spec: { user, resourceAttributes } };
      const { status } = await cluster.create<{ status: { allowed: boolean } }>(
        "/apis/authorization.k8s.io/v1/subjectaccessreviews",
        review,
      );
      return status.allowed;
    };
    assert.equal(await may("networking.k8s.io", "ingresses", "watch"), true);
    for (const [resource, verb] of [
      ["secrets", "get"],
      ["configmaps", "list"],
      ["pods", "delete"],
    ] as const) {
      assert.equal(await may("", resource, verb), false, `${verb} ${resource}`);
    }
  });

  it("has every block of its receivers in the directory, and answers each from the store gateway of its age", async () => {
    const { outputs } = await deployed();
    for (const range of [YOUNG, OLD]) {
      for (const pod of RECEIVERS) {
        const place = await dataDirectory({ namespace: NAMESPACE, pod });
        await withBlocks(range, MADE, async (folder) => placeBlocks({ folder, tenant: outputs.defaultTenant, ...place }));
      }
    }
    // One receiver's replicas are enough for an answer; the compactor is to find both.
    await eventually("each receiver has uploaded its four blocks", async () => {
      const receivers = (await cluster.pods(NAMESPACE, "thanos-receive")).filter(({ metadata }) => RECEIVERS.includes(metadata.name));
      const pages = await Promise.all(receivers.map(metricsOf));
      return pages.length === 2 && pages.every((page) => total(page, "thanos_shipper_uploads_total") >= 4);
    });
    assert.equal((await gateways()).length, 2, "one for each age");
    const expected = [
      { part: "thanos-store-gateway-0", young: 60, old: 0 },
      { part: "thanos-store-gateway-1-0", young: 0, old: 60 },
    ];
    for (const { part, ...ages } of expected) {
      await eventually(`${part} serves its own age and no other`, async () => {
        const pod = (await gateways()).find(({ metadata }) => metadata.name === part);
        const [young, old] = await Promise.all([YOUNG, OLD].map(({ from }) => answeredBy(pod?.status.podIP, from + 2 * HOUR - 1)));
        return young === ages.young && old === ages.old;
      });
    }
  });

  it("merges the copies in the directory, without a fault", async () => {
    // It syncs with the bucket when it starts, and every five minutes.
    await cluster.delete(`/api/v1/namespaces/${NAMESPACE}/pods/thanos-compactor-0`);
    await eventually("the compactor has merged and deleted blocks", async () => {
      const [compactor] = await cluster.pods(NAMESPACE, "thanos-compactor");
      const samples = await metricsOf(compactor);
      assert.equal(total(samples, "thanos_compact_halted"), 0);
      return total(samples, "thanos_compact_group_compactions_total") >= 2 && total(samples, "thanos_compact_blocks_marked_total") >= 4;
    });
  });

  it("serves once what another installation has left in the bucket, when its replica label is named", async () => {
    const { outputs } = await deployed();
    for (const replica of LEFT_BY) {
      await withBlocks(LEFT_BEHIND, LEFT, async (folder) => {
        const bucket = { directory: mkdtempSync(join(tmpdir(), "thanos-stack-left-")) };
        try {
          await uploadBlocks({ folder, labels: { replica, tenant_id: outputs.defaultTenant }, bucket });
          const place = await dataDirectory({ namespace: NAMESPACE, pod: "thanos-compactor-0", volume: "bucket" });
          assert.equal(placeBlocks({ folder: bucket.directory, ...place }), 1);
        } finally {
          rmSync(bucket.directory, { recursive: true, force: true });
        }
      });
    }
    const options = { timeMs: LEFT_BEHIND.to - 60_000 };
    const series = async (deduplicate: boolean) => {
      const { querier } = await deployed();
      const { vector } = await querier.instant("left_by_another_installation", { ...options, deduplicate });
      return vector.map(({ labels }) => labels.replica ?? "none").sort();
    };
    await eventually("each replica is a series of its own", async () => (await series(true)).join() === LEFT_BY.join());
    const migrated = () => openStack("dev", MIGRATED, { stack: STACK });
    await (await migrated()).up();
    await eventually("they are one", async () => (await series(true)).join() === "none", 120);
    assert.deepEqual(await series(false), LEFT_BY, "the blocks are as they were");
    assert.deepEqual(await previewed(await migrated()), []);
    await verify(STACK);
  });

  it("refuses of ten queries over everything what is above its limit, and says so, while writes and other queries go on and nothing is killed", async () => {
    const { querier, writeUrl, outputs } = await deployed();
    const [pod = ""] = RECEIVERS;
    const place = await dataDirectory({ namespace: NAMESPACE, pod });
    await withBlocks(CROWDED, MANY, async (folder) => placeBlocks({ folder, tenant: outputs.defaultTenant, ...place }));
    const everything = async (): Promise<{ status: number; body: string }> => {
      const end = Date.now() / 1_000;
      const parameters = new URLSearchParams({
        query: '{__name__=~".+"}',
        start: String(end - 30 * 86_400),
        end: String(end),
        step: "6h",
      });
      return querier.transport.send({ method: "GET", path: `/api/v1/query_range?${parameters}`, timeoutMs: 240_000 });
    };
    const isRefused = ({ body }: { body: string }) => body.includes(`exceeded series limit: limit ${MOST_SERIES} violated`);
    await eventually("the store gateway knows the crowded block", async () => isRefused(await everything()));
    const restarts = async () =>
      (await cluster.pods(NAMESPACE))
        .flatMap(({ metadata, status }) => (status.containerStatuses ?? []).map((each) => `${metadata.name} ${each.restartCount}`))
        .sort();
    const before = await restarts();
    const run = runId();
    const sender = startSender({ write: writeUrl, series: 200, ticks: 1_800, labels: { run }, connectionPerRequest: true });
    try {
      const written = `count(thanos_stack_ledger{run="${run}"})`;
      await eventually("what is written is answered", async () => (await querier.instant(written)).vector[0]?.sample.value === 200);
      const answers = Promise.all(Array.from({ length: 10 }, everything));
      // They wait in one line with the ten.
      for (let others = 0; others < 10; others++) {
        const { vector, warnings } = await querier.instant(written, { timeoutMs: 240_000 });
        assert.deepEqual([vector[0]?.sample.value, warnings], [200, []]);
      }
      for (const answer of await answers) {
        assert.ok(answer.status === 200 || answer.status === 422, `${answer.status}: ${answer.body.slice(-500)}`);
        assert.ok(isRefused(answer), answer.body.slice(-500));
      }
    } finally {
      await sender.stop();
    }
    const ledger = await sender.stop();
    const reading = await readBack(ledger, querier, { replicaLabels: ["receive_replica"] });
    assert.equal(ledger.counts.failed, 0, "sends that were given up");
    assert.deepEqual([reading.lostSeries, reading.wrong], [[], 0]);
    assert.ok(reading.acknowledged > 1_000, `${reading.acknowledged} samples acknowledged`);
    assert.deepEqual(await restarts(), before, "containers that were started again");
  });

  it("bounds no receiver: Thanos counts no batches there (thanos #8964), and the preview says so", async () => {
    const { querier } = await deployed();
    const { vector, warnings } = await querier.instant('count({__name__=~".+"})', { timeoutMs: 240_000 });
    assert.ok((vector[0]?.sample.value ?? 0) > MOST_SERIES, "a release that counts: say so in docs, and let the warning end");
    assert.deepEqual(warnings, []);
    const told: string[] = [];
    await (await stack()).preview({ onEvent: ({ diagnosticEvent }) => void told.push(diagnosticEvent?.message ?? "") });
    assert.match(told.join(), /receive\.storeLimits bounds no query of Thanos/);
  });

  it("is destroyed and leaves the namespace with what is others' in it; the directory stays", async () => {
    await (await stack()).destroy();
    const left = await cluster.pods(NAMESPACE);
    assert.deepEqual(
      left.map(({ metadata, status }) => [metadata.name, status.phase, status.containerStatuses?.[0]?.restartCount]),
      [[STRANGER.metadata.name, "Running", 0]],
    );
    await cluster.delete(`/api/v1/namespaces/${NAMESPACE}`);
    const kept = await inNode(NODE, ["find", `/data/directory-bucket/history/${NAMESPACE}/bucket`, "-name", "meta.json"]);
    assert.ok(kept.split("\n").filter(Boolean).length > 0);
  });
});
