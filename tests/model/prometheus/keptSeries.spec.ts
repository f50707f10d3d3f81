import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { droppedInRules, keptSeries } from "../../../model/prometheus/keptSeries";
import { type RelabelConfig, relabelled } from "../../components/relabel";
import { dashboards } from "../../examples/dashboards";
import { run } from "../../harness";
import mixin from "./queries/kubernetes-mixin.json";

const ROOT = join(__dirname, "..", "..", "..");

/**
 * Bounds of histograms as their sources have them, and as Prometheus writes them. Source: kubernetes v1.36
 * `staging/src/k8s.io/apiserver/pkg/endpoints/metrics/metrics.go`.
 */
const BOUNDS: Record<string, number[]> = {
  apiserver_request_duration_seconds: [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60],
  apiserver_request_sli_duration_seconds: [0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60],
};
/** Any other histogram's. */
const SOME_BOUNDS = [0.001, 0.005, 0.01, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 604_800];

const spellings = (bound: number) => (Number.isInteger(bound) ? [`${bound}`, `${bound}.0`] : [`${bound}`]);
const kept = (labels: Record<string, string>) => relabelled(labels, keptSeries() as RelabelConfig[]);

interface BucketQuery {
  from: string;
  family: string;
  /** Its matchers of `le`: operator and value. */
  matchers: [string, string][];
  quantile: boolean;
}

/** Every selector of buckets in an expression. Recorded series (`a:b_bucket:c`) are none of a target's. */
function bucketQueries(from: string, expr: string): BucketQuery[] {
  return [...expr.matchAll(/([a-zA-Z_:][\w:]*)_bucket(?![\w:])\s*(\{(?:[^}"]|"(?:[^"\\]|\\.)*")*\})?/g)].map(
    ([, family = "", selector = ""]) => ({
      from,
      family,
      matchers: [...selector.matchAll(/\ble\s*(=~|=)\s*"((?:[^"\\]|\\.)*)"/g)].map(([, operator = "", value = ""]) => [
        operator,
        JSON.parse(`"${value}"`) as string,
      ]),
      quantile: expr.includes("histogram_quantile"),
    }),
  );
}

/** Every query of this repository and of the mixin. */
function allQueries(): { from: string; expr: string }[] {
  const rules = readdirSync(join(ROOT, "rules")).flatMap((file) => {
    const { groups } = parse(readFileSync(join(ROOT, "rules", file), "utf8")) as { groups: { rules: { expr: string }[] }[] };
    return groups.flatMap((group) => group.rules.map(({ expr }) => ({ from: `rules/${file}`, expr })));
  });
  const shown = [...dashboards()].flatMap(([file, { panels }]) =>
    panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => ({ from: file, expr }))),
  );
  return [...rules, ...shown, ...mixin.files.flatMap(({ path, exprs }) => exprs.map((expr) => ({ from: path, expr })))];
}

describe("series that are kept", () => {
  it("are all that rules and dashboards of this repository and of the Kubernetes mixin ask for", () => {
    const queries = allQueries().flatMap(({ from, expr }) => bucketQueries(from, expr));
    assert.ok(
      queries.length > 40 &&
        queries.some(({ matchers }) => matchers.length > 0) &&
        queries.some(({ from }) => from.startsWith("dashboards/thanos")),
    );
    for (const { from, family, matchers, quantile } of queries) {
      // Series of neither API server nor kubelet are not touched; here the steps are applied to them all the same.
      if (/^(?:thanos|grpc|prometheus|http|app)_/.test(family)) continue;
      const bounds = BOUNDS[family] ?? SOME_BOUNDS;
      const left = bounds.filter((bound) => spellings(bound).every((le) => kept({ __name__: `${family}_bucket`, le }) !== undefined));
      assert.notEqual(kept({ __name__: `${family}_bucket`, le: "+Inf" }), undefined, `${from}: ${family} has no +Inf`);
      for (const [operator, value] of matchers) {
        const matches = (le: string) => (operator === "=" ? le === value : new RegExp(`^(?:${value})$`).test(le));
        const asked = bounds.filter((bound) => spellings(bound).some(matches));
        assert.ok(value === "+Inf" || asked.length > 0, `${from}: ${family} has no bucket ${value}`);
        for (const bound of asked) assert.ok(left.includes(bound), `${from}: ${family} le ${bound} is dropped`);
      }
      if (quantile) assert.ok(left.length >= 7, `${from}: a quantile of ${family} from ${left.length} buckets`);
    }
  });

  it("are every series that is no bucket, as it was", () => {
    const names = allQueries()
      .flatMap(({ expr }) => [...expr.matchAll(/[a-zA-Z_:][\w:]*/g)].map(([name]) => name))
      .filter((name) => !name.endsWith("_bucket"));
    for (const name of new Set([
      ...names,
      "apiserver_request_body_size_bytes_sum",
      "etcd_request_duration_seconds_count",
      "my_bucket_size",
    ])) {
      assert.deepEqual(kept({ __name__: name, job: "x", le: "2" }), { __name__: name, job: "x", le: "2" });
    }
  });

  it("are not the buckets that nobody asks for, and leave no mark on those that are", () => {
    const lost = [
      "apiserver_request_body_size_bytes",
      "apiserver_response_sizes",
      "apiserver_watch_list_duration_seconds",
      "apiserver_watch_cache_read_wait_seconds",
      "etcd_request_duration_seconds",
      "kubelet_http_requests_duration_seconds",
      "csi_operations_seconds",
    ];
    for (const family of lost)
      for (const le of ["0.1", "1", "+Inf"]) assert.equal(kept({ __name__: `${family}_bucket`, le }), undefined, family);
    const whole = { __name__: "workqueue_queue_duration_seconds_bucket", le: "0.2", name: "q" };
    assert.deepEqual(kept(whole), whole);
    for (const [family, bounds] of Object.entries(BOUNDS)) {
      const left = bounds.filter(
        (bound) => kept({ __name__: `${family}_bucket`, le: `${bound}.0`.replace(/(\..+)\.0$/, "$1") }) !== undefined,
      );
      assert.deepEqual(left.slice(-5), [1, 5, 10, 30, 60], family);
      assert.ok(left.length < bounds.length / 2, family);
    }
  });

  it("are not families that are large and that nobody asks for", () => {
    for (const name of ["container_tasks_state", "container_threads_max", "container_cpu_load_average_10s", "kubernetes_feature_enabled"]) {
      assert.equal(kept({ __name__: name, state: "running" }), undefined, name);
    }
    const faults = { __name__: "container_memory_failures_total", failure_type: "pgmajfault" };
    assert.equal(kept({ ...faults, scope: "hierarchy" }), undefined);
    assert.deepEqual(kept({ ...faults, scope: "container" }), { ...faults, scope: "container" });
    assert.ok(kept({ __name__: "container_threads" }) !== undefined);
  });

  it("are decided in the jobs of API server, kubelet and cAdvisor, and in no other; keepAll decides nothing", async () => {
    for (const [keepAll, jobs] of [
      [false, ["cadvisor", "kubelet", "kubernetes-apiservers"]],
      [true, []],
    ] as const) {
      const { resources } = await run("prod", { prometheus: { keepAll } });
      const text = resources
        .map(({ inputs }) => (inputs.data as Record<string, string> | undefined)?.["prometheus.yml"])
        .find((each) => each !== undefined);
      const { scrape_configs } = parse(text ?? "") as { scrape_configs: { job_name: string; metric_relabel_configs?: object[] }[] };
      const steps = JSON.stringify(keptSeries());
      const found = scrape_configs.filter(({ metric_relabel_configs }) => JSON.stringify(metric_relabel_configs) === steps);
      assert.deepEqual(found.map(({ job_name }) => job_name).sort(), jobs);
    }
  });
});

describe("rules that ask for what is dropped", () => {
  const rule = (expr: string) => `groups: [{name: a, rules: [{record: b, expr: '${expr}'}]}]`;

  it("are named with it", () => {
    const files = {
      "mine.yaml": rule('rate(etcd_request_duration_seconds_bucket[5m]) + rate(apiserver_response_sizes_bucket{le="1"}[5m])'),
      "fine.yaml": rule("rate(apiserver_request_sli_duration_seconds_bucket[5m]) + rate(etcd_request_duration_seconds_sum[5m])"),
      "tasks.yaml": rule("sum(container_tasks_state) / sum(container_threads)"),
      "others.yaml": rule("rate(http_request_duration_seconds_bucket[5m]) + a:etcd_request_duration_seconds_bucket:rate5m"),
    };
    assert.deepEqual(droppedInRules(files), [
      "mine.yaml asks for apiserver_response_sizes_bucket, etcd_request_duration_seconds_bucket, which Prometheus drops unless prometheus.keepAll is true: these rules see nothing of the API server and the kubelets",
      "tasks.yaml asks for container_tasks_state, which Prometheus drops unless prometheus.keepAll is true: these rules see nothing of the API server and the kubelets",
    ]);
  });

  it("are none of this repository's", () => {
    const files = Object.fromEntries(
      readdirSync(join(ROOT, "rules")).map((file) => [file, readFileSync(join(ROOT, "rules", file), "utf8")]),
    );
    assert.deepEqual(droppedInRules(files), []);
  });
});
