import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { stringify } from "yaml";
import { headQueries, oldestQuery, queryOf } from "../commands/capacity/readings";
import { capacity } from "../model/capacity/proof";
import { readOutputs } from "../outputs";
import { paths } from "../sandbox/paths";
import { ensureTool } from "../sandbox/tools";
import { OUTPUTS } from "./commands/fakeCluster";
import { planUnder } from "./model/capacity/plans";

/** A machine that never built promtool does so once, into the user's cache. */
const BUILD_MILLISECONDS = 20 * 60_000;
const PLAN = capacity(planUnder("prod", { series: 10_000, interval: "15s", queries: { perSecond: 0.1 } }));
const STACK = readOutputs({ ...OUTPUTS, capacity: PLAN });

describe("queries of npm run capacity, as Prometheus evaluates them", () => {
  let promtool = "";
  let directory = "";

  before(async function () {
    this.timeout(BUILD_MILLISECONDS);
    promtool = (await ensureTool("prometheus", paths(), () => undefined)).promtool?.path ?? "";
    directory = mkdtempSync(join(tmpdir(), "thanos-stack-queries-"));
  });
  after(() => rmSync(directory, { recursive: true }));

  /** A series of the stack's own, of a pod. */
  const own = (name: string, pod: string, more = "") =>
    `${name}{cluster="dev", namespace="monitoring", job="thanos-receive", pod="${pod}"${more}}`;
  const another = (name: string) => `${name}{cluster="other", namespace="monitoring", job="thanos-receive", pod="a"}`;

  /** Asserts what a query answers after two hours of series with a sample a minute; undefined where it answers nothing. */
  async function says(expr: string | undefined, series: Record<string, string>, value: number | undefined): Promise<void> {
    assert.ok(expr !== undefined);
    const file = join(directory, "one.test.yaml");
    const input_series = Object.entries(series).map(([each, values]) => ({ series: each, values }));
    const exp_samples = value === undefined ? [] : [{ labels: "{}", value }];
    const test = { interval: "1m", input_series, promql_expr_test: [{ expr, eval_time: "120m", exp_samples }] };
    writeFileSync(file, stringify({ evaluation_interval: "1m", fuzzy_compare: true, tests: [test] }));
    const { exitCode, all } = await execa(promtool, ["test", "rules", file], { all: true, reject: false });
    assert.equal(exitCode, 0, all);
  }

  const query = (resource: "memory" | "cpu" | "disk" | "replay") => queryOf({ component: "receivers", resource }, STACK);

  it("are all of a form that it reads, and say nothing of nothing", async () => {
    for (const { component, resource } of PLAN.components) await says(queryOf({ component, resource }, STACK), {}, undefined);
    await says(oldestQuery("receivers", STACK), {}, undefined);
  });

  it("of memory: the most of the last hour, of the neediest pod of this stack", async () => {
    const name = "process_resident_memory_bytes";
    await says(query("memory"), { [own(name, "a")]: "900x30 50x95", [own(name, "b")]: "70x60 80x62", [another(name)]: "999x120" }, 80);
  });

  it("of CPU: the most of five minutes in the last hour, also of a pod that has just begun", async () => {
    const name = "process_cpu_seconds_total";
    // Half a core for an hour, then a quarter; the other one begins 20 minutes ago with a whole one.
    await says(query("cpu"), { [own(name, "a")]: "0+30x120" }, 0.5);
    await says(query("cpu"), { [own(name, "a")]: "0+15x120", [own(name, "b")]: "_x100 0+60x20" }, 1);
  });

  it("of remote write: what was sent to the ring, and nothing that went elsewhere", async () => {
    const sent = (remote: string) =>
      `prometheus_remote_storage_samples_total{cluster="dev", namespace="monitoring", job="prometheus", pod="a", remote_name="${remote}"}`;
    const sending = queryOf({ component: "Prometheus", resource: "remoteWrite" }, STACK);
    await says(sending, { [sent("receive")]: "0+600x120", [sent("other-0")]: "0+6000x120" }, 10);
  });

  it("of volumes: everything that a TSDB has on its own, all tenants of a pod together", async () => {
    const series = Object.fromEntries(
      ["storage_blocks_bytes", "wal_storage_size_bytes", "head_chunks_storage_size_bytes", "out_of_order_wbl_storage_size_bytes"].flatMap(
        (name, index) =>
          ["one", "two"].map((tenant) => [own(`prometheus_tsdb_${name}`, "a", `, tenant="${tenant}"`), `${10 ** index}x120`]),
      ),
    );
    await says(query("disk"), { ...series, [own("prometheus_tsdb_storage_blocks_bytes", "b")]: "2000x120" }, 2_222);
  });

  it("of the oldest sample: that of the youngest pod, of all its tenants", async () => {
    const name = "prometheus_tsdb_lowest_timestamp";
    const series = {
      [own(name, "a", ', tenant="one"')]: "500x120",
      [own(name, "a", ', tenant="two"')]: "300x120",
      [own(name, "b")]: "400x120",
    };
    await says(oldestQuery("receivers", STACK), series, 400);
  });

  it("of the load: series of all heads, and samples a second of whatever kind", async () => {
    const { series, samplesPerSecond } = headQueries(PLAN, STACK);
    const heads = "prometheus_tsdb_head_series";
    await says(series, { [own(heads, "a")]: "10x120", [own(heads, "b")]: "20x120", [another(heads)]: "99x120" }, 30);
    const appended = "prometheus_tsdb_head_samples_appended_total";
    await says(
      samplesPerSecond,
      { [own(appended, "a", ', type="float"')]: "0+600x120", [own(appended, "a", ', type="histogram"')]: "0+60x120" },
      11,
    );
  });
});
