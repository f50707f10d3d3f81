import assert from "node:assert/strict";
import { parse } from "yaml";
import type { ProgramRun } from "../../commands/program";
import { deduplicationFunction } from "../../model/query/deduplication";
import { replicaLabels } from "../../model/settings/externalLabels";
import {
  container,
  flagValue,
  flagValues,
  leastPods,
  mountedConfigMap,
  object,
  objects,
  prometheusSets,
  receiverSets,
  resource,
  run,
  settingsOf,
} from "../harness";
import { PLANS } from "./plans";

const querierOf = (made: ProgramRun) => object(made, "Deployment", "thanos-querier");
const frontendOf = (made: ProgramRun) => object(made, "Deployment", "thanos-query-frontend");

const rulerSets = (made: ProgramRun) =>
  objects(made, "StatefulSet").filter((set) => set.metadata.labels["app.kubernetes.io/component"] === "ruler");

/** The labels by which replicas differ, as the senders, receivers and rulers of a run set them. */
function replicaLabelsOf(made: ProgramRun): string[] {
  // Rulers name the environment's labels too; a replica is told from another by the pod's name.
  const ofReceivers = [...receiverSets(made), ...rulerSets(made)].flatMap((set) =>
    flagValues(set, "--label").flatMap((label) => (label.includes("$(POD_NAME)") ? [label.split("=")[0] ?? ""] : [])),
  );
  const ofSenders = prometheusSets(made).flatMap((set) => {
    const config = parse(mountedConfigMap(made, set, "config").data["prometheus.yml"] ?? "") as {
      global: { external_labels: Record<string, string> };
    };
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Prometheus expands it.
    return Object.entries(config.global.external_labels).flatMap(([label, value]) => (value === "${POD_NAME}" ? [label] : []));
  });
  return [...new Set([...ofReceivers, ...ofSenders])].sort();
}

for (const { title, stack, overrides } of PLANS) {
  describe(`querier: ${title}`, () => {
    let made: ProgramRun;
    before(async () => {
      made = await run(stack, overrides);
    });

    it("removes exactly the labels by which copies differ", () => {
      const removed = flagValues(querierOf(made), "--query.replica-label").sort();
      const { ingestion, ruler, objectStorage, querier } = settingsOf(stack, overrides);
      // Blocks in a bucket may be of another scheme, of rulers that are gone, or of another installation.
      const ofBlocks = objectStorage === undefined ? [] : ["receive_replica", "rule_replica"];
      assert.deepEqual(removed, [...new Set([...replicaLabelsOf(made), ...ofBlocks, ...querier.replicaLabels])].sort());
      assert.deepEqual([...(made.outputs.replicaLabels as string[])].sort(), removed);
      assert.deepEqual(removed, [...replicaLabels(settingsOf(stack, overrides))].sort());
      const history = objectStorage !== undefined;
      const own = 1 + (ingestion === "receive" || history ? 1 : 0) + (ruler !== undefined || history ? 1 : 0);
      assert.equal(removed.length, own + querier.replicaLabels.length);
    });

    it("finds whatever answers by the SRV records of headless Services, each once", () => {
      const config = parse(mountedConfigMap(made, querierOf(made), "endpoints").data["endpoints.yaml"] ?? "") as {
        endpoints: { address: string }[];
      };
      const { namespace, cluster, querier, ingestion, objectStorage, ruler } = settingsOf(stack, overrides);
      const services = [
        ingestion === "receive" ? "thanos-receive-stores" : "prometheus-sidecars",
        ...(objectStorage === undefined ? [] : ["thanos-store-gateway"]),
        ...(ruler === undefined ? [] : ["thanos-ruler"]),
      ];
      assert.deepEqual(
        config.endpoints.map((endpoint) => endpoint.address),
        [
          ...services.map((service) => `dnssrv+_grpc._tcp.${service}.${namespace}.svc.${cluster.domain}`),
          ...querier.endpoints.map(({ address }) => address),
        ],
      );
      for (const service of services) {
        const { spec } = object(made, "Service", service);
        assert.equal(spec.clusterIP, "None", service);
        assert.deepEqual(
          spec.ports.map((port) => [port.name, port.port]),
          [["grpc", 10901]],
          service,
        );
      }
      assert.equal(flagValue(querierOf(made), "--endpoint.sd-config-file"), "/etc/thanos/endpoints/endpoints.yaml");
    });

    it("is updated after whatever keeps samples: receivers, or Prometheus with its sidecars", () => {
      const { dependsOn } = resource(made, "kubernetes:apps/v1:Deployment", "querier").options;
      const keepers = settingsOf(stack, overrides).ingestion === "receive" ? receiverSets(made) : prometheusSets(made);
      assert.ok(keepers.length > 0);
      for (const set of keepers) assert.ok(dependsOn.some((urn) => urn.endsWith(`::${set.metadata.name}`)));
    });

    it("drains longer than a query may last", () => {
      const grace = querierOf(made).spec.template.spec.terminationGracePeriodSeconds ?? 0;
      assert.ok(grace > 120, "the timeout is 2m");
    });

    it("does without a budget only where it is alone", () => {
      for (const deployment of objects(made, "Deployment")) {
        const budgets = objects(made, "PodDisruptionBudget").filter((each) =>
          Object.entries(each.spec.selector.matchLabels).every(
            ([label, value]) => deployment.spec.template.metadata.labels[label] === value,
          ),
        );
        assert.deepEqual(
          budgets.map((each) => each.spec.maxUnavailable),
          leastPods(made, deployment) > 1 ? [1] : [],
          deployment.metadata.name,
        );
      }
    });

    it("rolls with a spare place where two never share a node", () => {
      for (const deployment of objects(made, "Deployment")) {
        const hard = deployment.spec.template.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution !== undefined;
        const rolling = deployment.spec.strategy?.rollingUpdate;
        const several = leastPods(made, deployment) > 1;
        assert.deepEqual(rolling, hard && several ? { maxUnavailable: 1, maxSurge: 0 } : { maxUnavailable: 0, maxSurge: 1 });
      }
    });
  });
}

describe("querier: deduplication by senders", () => {
  const cases: { replicas: number; otherSenders: string; chosen?: string; expected: string }[] = [
    { replicas: 1, otherSenders: "none", expected: "chain" },
    { replicas: 1, otherSenders: "single", expected: "chain" },
    { replicas: 2, otherSenders: "none", expected: "penalty" },
    { replicas: 2, otherSenders: "pairs", expected: "penalty" },
    { replicas: 1, otherSenders: "pairs", chosen: "penalty", expected: "penalty" },
    { replicas: 1, otherSenders: "pairs", chosen: "chain", expected: "chain" },
    { replicas: 2, otherSenders: "single", chosen: "chain", expected: "chain" },
    { replicas: 1, otherSenders: "none", chosen: "penalty", expected: "penalty" },
  ];
  for (const { replicas, otherSenders, chosen, expected } of cases) {
    it(`${replicas} Prometheus, other senders ${otherSenders}, ${chosen ?? "undecided"}: ${expected}`, () => {
      const settings = settingsOf("dev", { receive: { otherSenders }, prometheus: { replicas }, querier: { deduplication: chosen } });
      assert.equal(deduplicationFunction(settings), expected);
    });
  }

  it("both undecided: none", () => {
    assert.equal(deduplicationFunction(settingsOf("dev", { receive: { otherSenders: "pairs" } })), undefined);
    assert.equal(deduplicationFunction(settingsOf("prod", { receive: { otherSenders: "single" } })), undefined);
  });

  it("reaches the command line", async () => {
    assert.equal(flagValue(querierOf(await run("dev")), "--deduplication.func"), "chain");
    assert.equal(flagValue(querierOf(await run("prod")), "--deduplication.func"), "penalty");
  });
});

describe("querier: every option reaches the command line", () => {
  const options = { engine: "thanos", maxConcurrent: 7, responseTimeout: "3s", discoveryInterval: "9s", timeout: "10m" };
  const flags = [
    ["--query.promql-engine", "thanos"],
    ["--query.max-concurrent", "7"],
    ["--store.response-timeout", "3s"],
    ["--store.sd-dns-interval", "9s"],
    ["--query.timeout", "10m"],
  ] as const;
  for (const [flag, value] of flags) {
    it(`${flag}=${value}`, async () => assert.equal(flagValue(querierOf(await run("dev", { querier: options })), flag), value));
  }

  it("a grace period above the longest query", async () => {
    const querier = querierOf(await run("dev", { querier: options }));
    assert.ok((querier.spec.template.spec.terminationGracePeriodSeconds ?? 0) > 600);
  });

  it("an answer never waits for ever for one receiver", async () => {
    assert.match(flagValue(querierOf(await run("dev")), "--store.response-timeout"), /^[1-9]\d*s$/);
  });
});

describe("query frontend", () => {
  it("is where people ask, and asks the queriers itself", async () => {
    const made = await run("prod");
    const downstream = flagValue(frontendOf(made), "--query-frontend.downstream-url");
    assert.equal(downstream, "http://thanos-querier.thanos-prod.svc.cluster.local:9090");
    assert.equal(made.outputs.querierUrl, downstream);
    assert.equal(made.outputs.queryUrl, "http://thanos-query-frontend.thanos-prod.svc.cluster.local:9090");
  });

  it("is not there unless it is asked for, and then queriers answer people", async () => {
    const made = await run("dev");
    assert.ok(!objects(made, "Deployment").some((each) => each.metadata.name.includes("frontend")));
    assert.equal(made.outputs.queryUrl, made.outputs.querierUrl);
  });

  it("finds the cache by the SRV record of a headless Service whose port is named memcached", async () => {
    const made = await run("prod");
    const config = parse(mountedConfigMap(made, frontendOf(made), "response-cache").data["response-cache.yaml"] ?? "") as {
      type: string;
      config: { addresses: string[]; max_item_size: string };
    };
    assert.equal(config.type, "MEMCACHED");
    assert.deepEqual(config.config.addresses, ["dnssrv+_memcached._tcp.thanos-query-cache.thanos-prod.svc.cluster.local"]);
    const cache = object(made, "Service", "thanos-query-cache");
    assert.equal(cache.spec.clusterIP, "None");
    assert.deepEqual(
      cache.spec.ports.map((port) => port.name),
      ["memcached"],
    );
    for (const flag of ["--query-range.response-cache-config-file", "--labels.response-cache-config-file"]) {
      assert.equal(flagValue(frontendOf(made), flag), "/etc/thanos/response-cache/response-cache.yaml");
    }
  });

  const options = { cache: { memory: "1Gi", replicas: 3 }, splitInterval: "12h", maxFreshness: "5m", replicas: 4 };

  it("gives the cache the memory that it is told, and the container more than that", async () => {
    const cache = object(await run("prod", { queryFrontend: options }), "StatefulSet", "thanos-query-cache");
    assert.equal(cache.spec.replicas, 3);
    assert.equal(flagValue(cache, "--memory-limit"), "1024");
    assert.equal(container(cache).resources.limits.memory, "1088Mi");
  });

  it("splits, and leaves the newest part uncached, as told", async () => {
    const frontend = frontendOf(await run("prod", { queryFrontend: options }));
    assert.equal(frontend.spec.replicas, 4);
    for (const kind of ["query-range", "labels"]) {
      assert.equal(flagValue(frontend, `--${kind}.split-interval`), "12h");
      assert.equal(flagValue(frontend, `--${kind}.response-cache-max-freshness`), "5m");
    }
  });
});
