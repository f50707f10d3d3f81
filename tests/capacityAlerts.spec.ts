import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { parse, stringify } from "yaml";
import { CAPACITY_RULES_FILE, capacityRules } from "../model/capacity/alerts";
import { headsOf } from "../model/capacity/heads";
import { firstLimit } from "../model/capacity/limits";
import { usualLimit } from "../model/capacity/need";
import { needsOf } from "../model/capacity/needs";
import type { CapacityPlan } from "../model/capacity/types";
import { objectProblems } from "../model/objectSizes";
import { paths } from "../sandbox/paths";
import { ensureTool } from "../sandbox/tools";
import type { Overrides } from "./harness";
import { objects, run, settingsOf } from "./harness";
import { planUnder } from "./model/capacity/plans";

/** A machine that never built promtool does so once, into the user's cache. */
const BUILD_MILLISECONDS = 20 * 60_000;
const NAMESPACE = "monitoring";
const DAY_MINUTES = 24 * 60;

interface Rule {
  alert: string;
  expr: string;
  for: string;
  labels: { severity: string; component?: string };
  annotations: { summary: string };
}

const LOAD = { series: 10_000, interval: "15s", queries: { perSecond: 0.1 } };
const RINGS: Overrides = {
  receive: { hashrings: [{ name: "bulk", tenants: ["logs"], replicas: 3 }], otherSenders: "single" },
  querier: { deduplication: "chain" },
};

const SINGLE = { receive: { otherSenders: "single" }, querier: { deduplication: "chain" } };

const fileOf = (plan: CapacityPlan): string => capacityRules(plan, NAMESPACE)[CAPACITY_RULES_FILE] ?? "";
const rulesOf = (plan: CapacityPlan): Rule[] => (parse(fileOf(plan)) as { groups: [{ rules: Rule[] }] }).groups[0].rules;

describe("alerts before a limit", () => {
  const plan = planUnder("prod", LOAD);
  const rules = rulesOf(plan);
  const ruleOf = (alert: string, component?: string): Rule => {
    const found = rules.find((rule) => rule.alert === alert && rule.labels.component === component);
    assert.ok(found !== undefined, `${alert} ${component ?? ""}`);
    return found;
  };
  const needOf = (component: string, resource: string) => {
    const found = needsOf(plan).find((need) => need.component === component && need.resource === resource);
    assert.ok(found !== undefined);
    return found;
  };
  let promtool = "";
  let directory = "";

  before(async function () {
    this.timeout(BUILD_MILLISECONDS);
    const programs = await ensureTool("prometheus", paths(), () => undefined);
    promtool = programs.promtool?.path ?? "";
    directory = mkdtempSync(join(tmpdir(), "thanos-stack-alerts-"));
  });
  after(() => rmSync(directory, { recursive: true }));

  const check = (...args: string[]) => execa(promtool, args, { all: true, reject: false });

  /** Asserts for which pods the rule fires at a minute, by their labels. */
  async function fires(rule: Rule, minute: number, series: Record<string, string>, labels: readonly string[]) {
    const name = join(directory, "one.test.yaml");
    const input_series = Object.entries(series).map(([each, of]) => ({ series: each, values: of }));
    const promql_expr_test = [
      { expr: `group by (pod) (${rule.expr})`, eval_time: `${minute}m`, exp_samples: labels.map((each) => ({ labels: each, value: 1 })) },
    ];
    writeFileSync(name, stringify({ evaluation_interval: "1m", tests: [{ interval: "1m", input_series, promql_expr_test }] }));
    const { exitCode, all } = await check("test", "rules", name);
    assert.equal(exitCode, 0, all);
  }

  it("are rules that promtool takes, of every shape of a plan", async () => {
    const shapes = [
      plan,
      planUnder("dev", LOAD),
      planUnder("prod", LOAD, { ingestion: "sidecar" }),
      planUnder("prod", { ...LOAD, hashrings: { bulk: { series: 500 } } }, RINGS),
    ];
    for (const shape of shapes) {
      const file = join(directory, CAPACITY_RULES_FILE);
      writeFileSync(file, fileOf(shape));
      const { exitCode, all } = await check("check", "rules", "--lint=all", "--lint-fatal", file);
      assert.equal(exitCode, 0, all);
    }
  });

  it("are none without a load", () => assert.deepEqual(capacityRules(undefined, NAMESPACE), {}));

  it("name in each summary the key that is to be changed", () => {
    for (const { alert, annotations } of rules)
      assert.match(annotations.summary, /(?:resources\.memory|pvc\.size|resources\.cpu|remoteWrite\.maxShards)/, alert);
  });

  it("of memory fire above nine tenths of the limit, for the pods of the stack's own namespace", async () => {
    const { available } = needOf("receivers", "memory");
    const used = (pod: string, namespace: string) =>
      `container_memory_working_set_bytes{namespace="${namespace}", pod="${pod}", container="thanos-receive"}`;
    await fires(
      ruleOf("MemoryNearLimit", "receivers"),
      1,
      {
        [used("thanos-receive-0", NAMESPACE)]: `${available + 1024}x2`,
        [used("thanos-receive-1", NAMESPACE)]: `${available - 1024}x2`,
        [used("thanos-receive-0", "other")]: `${2 * available}x2`,
      },
      ['{pod="thanos-receive-0"}'],
    );
  });

  it("of memory warn above what leaves room for the worst", () => {
    const busy = planUnder("prod", { ...LOAD, series: 50_000, interval: "1s" });
    const need = needsOf(busy).find(({ component, resource }) => component === "routers" && resource === "memory");
    const rule = rulesOf(busy).find(({ alert, labels }) => alert === "MemoryAbovePlan" && labels.component === "routers");
    assert.ok(need !== undefined && rule !== undefined);
    const { expr, annotations } = rule;
    assert.ok(usualLimit(need) < need.available);
    assert.ok(expr.endsWith(`> ${Math.floor(usualLimit(need))}`), expr);
    assert.match(
      annotations.summary,
      /too small after the loss that survives demands: receive\.routers\.resources\.memory \(\w+\) is to be larger, or there are to be more replicas/,
    );
  });

  it("of memory name more replicas, shards of tenants and of Prometheus only where these carry more", () => {
    const remedyOf = (component: string, load: object, overrides: Overrides = {}) => {
      const rule = rulesOf(planUnder("prod", { ...LOAD, ...load }, overrides)).find(
        ({ alert, labels }) => alert === "MemoryNearLimit" && labels.component === component,
      );
      return rule?.annotations.summary.split(" is to be larger").at(1);
    };
    assert.equal(remedyOf("receivers", { series: 100_000 }), ", or there are to be more replicas");
    const roomy = { ...SINGLE, receive: { ...SINGLE.receive, resources: { memory: "6Gi", cpu: "4" } } };
    // Each receiver has a database of every tenant, and without exemplars these are a fifth of it.
    const tenants = { series: 10, scraped: 0, tenants: 300 };
    assert.equal(remedyOf("receivers", tenants, roomy), ", or receive.maxExemplars smaller");
    const ofShards = { ...roomy, receive: { ...roomy.receive, replicas: 12, shuffleSharding: { shardSize: 3 } } };
    assert.doesNotMatch(remedyOf("receivers", tenants, ofShards) ?? "", /larger shards/);
    const sharded = { receive: { replicas: 12, shuffleSharding: { shardSize: 3 } } };
    assert.equal(remedyOf("receivers", { series: 100_000 }, sharded), ", or larger shards in receive.shuffleSharding");
    assert.equal(remedyOf("Prometheus", { series: 100_000 }), ", or prometheus.shards");
  });

  it("of memory tell the receivers of several rings apart", () => {
    const several = rulesOf(planUnder("prod", { ...LOAD, hashrings: { bulk: { series: 500 } } }, RINGS)).filter(
      ({ alert }) => alert === "MemoryNearLimit",
    );
    const exprOf = (ring: string) => several.find(({ labels }) => labels.component === `receivers of ring ${ring}`)?.expr ?? "";
    assert.match(exprOf("bulk"), /pod=~"\(\?:thanos-receive-bulk[^"]*\)-\[0-9\]\+"/);
    assert.doesNotMatch(exprOf("default"), /bulk/);
  });

  it("of a volume add what the rest of the retention brings at the last day's growth, and nothing after it", async () => {
    const rule = ruleOf("VolumeTooSmallForRetention", "receivers");
    const { budget } = needOf("receivers", "disk");
    const retention = plan.receivers?.rings[0]?.retentionSeconds ?? 0;
    const minute = DAY_MINUTES + 60;
    const own = 'namespace="monitoring", job="thanos-receive"';
    const growth = (0.9 * budget.amount) / retention;
    const series = (pod: string, blocks: string, lowest: string) => ({
      [`prometheus_tsdb_storage_blocks_bytes{${own}, pod="${pod}"}`]: blocks,
      [`prometheus_tsdb_lowest_timestamp{${own}, pod="${pod}"}`]: lowest,
    });
    // A day and an hour after the first sample.
    const filling = growth * minute * 60;
    assert.ok(filling < 0.85 * budget.amount && retention > minute * 60);
    await fires(
      rule,
      minute,
      {
        ...series("grows", `0+${growth * 60}x${minute}`, `0x${minute}`),
        ...series("slower", `0+${growth * 50}x${minute}`, `0x${minute}`),
        // As old as it gets: what grows is the load, not the age.
        ...series("full", `0+${growth * 60}x${minute}`, `${-1_000 * retention}x${minute}`),
      },
      ['{pod="grows"}'],
    );
    await fires(rule, 600, series("young", `0+${growth * 600}x600`, "0x600"), []);
  });

  it("of series fire at nine tenths of what is carried, each series once", async () => {
    const { replicas, series } = headsOf(plan);
    const carried = series * firstLimit(plan).times;
    const head = (pod: string) => `prometheus_tsdb_head_series{namespace="monitoring", job="thanos-receive", pod="${pod}"}`;
    const pods = (each: number) => Object.fromEntries(Array.from({ length: 3 }, (_, pod) => [head(String(pod)), `${each}x2`]));
    await fires(ruleOf("SeriesNearLimit"), 1, pods((0.92 * carried * replicas) / 3), ["{}"]);
    await fires(ruleOf("SeriesNearLimit"), 1, pods((0.88 * carried * replicas) / 3), []);
  });

  it("of a queue fire at half of the time without a loss", async () => {
    const series = (minutes: number, sent = 100, start = 0) => ({
      'prometheus_remote_storage_highest_timestamp_in_seconds{namespace="monitoring", pod="prometheus-0"}': `${100 + minutes * 60}x2`,
      'prometheus_remote_storage_queue_highest_sent_timestamp_seconds{namespace="monitoring", pod="prometheus-0", remote_name="receive", url="u"}': `${sent}x2`,
      'process_start_time_seconds{namespace="monitoring", pod="prometheus-0"}': `${start}x2`,
      'prometheus_remote_storage_queue_highest_sent_timestamp_seconds{namespace="monitoring", pod="prometheus-0", remote_name="other-0", url="v"}':
        "0x2",
    });
    const rule = ruleOf("RemoteWriteNearLoss");
    await fires(rule, 1, series(61), ['{pod="prometheus-0"}']);
    await fires(rule, 1, series(59), []);
    // One that has sent nothing is behind since it started.
    await fires(rule, 1, series(61, 0, 100), ['{pod="prometheus-0"}']);
    await fires(rule, 1, series(61, 0, 3_000), []);
  });

  it("are a file of the program's own, whose name nobody's file takes where there is a load", async () => {
    const theirs = { [CAPACITY_RULES_FILE]: "groups: []" };
    const said = (overrides: Overrides) => objectProblems(settingsOf("dev", overrides), theirs).map(({ value }) => value);
    assert.deepEqual(said({ load: LOAD }), [CAPACITY_RULES_FILE]);
    assert.deepEqual(said({}), []);
    const made = objects(await run("prod", { load: LOAD }), "ConfigMap").filter(({ data }) => data?.[CAPACITY_RULES_FILE] !== undefined);
    assert.ok(made.length > 0);
  });
});
