import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { parse } from "yaml";
import { promtoolJudgement } from "../commands/report/promtool";
import { planStack } from "../model/plan";
import { prometheusConfig } from "../model/prometheus/config";
import { paths } from "../sandbox/paths";
import { ensureTool } from "../sandbox/tools";
import { settingsOf } from "./harness";

const ROOT = join(__dirname, "..");
const RULES = join(ROOT, "rules");
const TESTS = join(__dirname, "rules");
/** A machine that never built promtool does so once, into the user's cache. */
const BUILD_MILLISECONDS = 20 * 60_000;

describe("Prometheus' own judgement", () => {
  let promtool = "";

  before(async function () {
    this.timeout(BUILD_MILLISECONDS);
    const programs = await ensureTool("prometheus", paths(), () => undefined);
    const found = programs.promtool;
    assert.ok(found, "promtool is among the programs");
    promtool = found.path;
  });

  const check = (...args: string[]) => execa(promtool, args, { all: true, reject: false });

  it("accepts every rule file, and refuses a broken one", async () => {
    const files = readdirSync(RULES).map((name) => join(RULES, name));
    const good = await check("check", "rules", "--lint=all", "--lint-fatal", ...files);
    assert.equal(good.exitCode, 0, good.all);
    const directory = mkdtempSync(join(tmpdir(), "thanos-stack-rules-"));
    writeFileSync(join(directory, "broken.yaml"), "groups: [{ name: a, rules: [{ alert: A, expr: 'sum(' }] }]");
    const broken = await check("check", "rules", join(directory, "broken.yaml"));
    rmSync(directory, { recursive: true });
    assert.notEqual(broken.exitCode, 0);
  });

  it("sees every alert fire when it should, and not before", async () => {
    const files = readdirSync(TESTS).map((name) => join(TESTS, name));
    const result = await check("test", "rules", ...files);
    assert.equal(result.exitCode, 0, result.all);
    const tested = files.flatMap((file) => [...readFileSync(file, "utf8").matchAll(/alertname: (\w+)/g)].map(([, name]) => name));
    const alerts = readdirSync(RULES).flatMap((name) => {
      const { groups } = parse(readFileSync(join(RULES, name), "utf8")) as { groups: { rules: { alert?: string }[] }[] };
      return groups.flatMap((group) => group.rules.flatMap(({ alert }) => (alert === undefined ? [] : [alert])));
    });
    assert.deepEqual([...new Set(tested)].sort(), [...new Set(alerts)].sort(), "every alert has a test");
  });

  it("is what a report says of PromQL that no rule of the program reads", async () => {
    const configMap = (data: Record<string, string>) => ({
      type: "kubernetes:core/v1:ConfigMap",
      name: "prometheus-rules",
      inputs: { metadata: { namespace: "shop", name: "rules" }, data },
      protect: false,
    });
    const group = (expr: string, more = "") => `groups:\n  - name: a\n${more}    rules:\n      - { alert: A, expr: '${expr}' }\n`;
    const judged = await promtoolJudgement(
      [
        configMap({ "bad.yaml": group("sum(up"), "good.yml": group("sum(up)", "    partial_response_strategy: warn\n") }),
        configMap({
          "prometheus.yml": "scrape_configs: [{ job_name: a, relabel_configs: [{ regex: '\\p{Nonsense}', action: labeldrop }] }]",
        }),
        configMap({ "prometheus.yml": "scrape_configs: [{ job_name: a }]", "limits.yaml": "write: {}" }),
      ],
      promtool,
    );
    assert.deepEqual(judged.notes, []);
    assert.equal(judged.violations.length, 2, JSON.stringify(judged));
    assert.match(judged.violations[0]?.message ?? "", /^prometheus\.yml: .*Nonsense/);
    assert.match(judged.violations[1]?.message ?? "", /^bad\.yaml: .*(?:parse|unclosed)/);
    assert.equal(judged.violations[1]?.resource, "ConfigMap shop/rules");
    assert.ok(!judged.violations.some(({ message }) => message.includes(tmpdir())), "a path of this machine");
  });

  for (const stack of ["dev", "prod"] as const) {
    it(`accepts the configuration of ${stack}, also for shards and agents`, async () => {
      const directory = mkdtempSync(join(tmpdir(), "thanos-stack-config-"));
      for (const [name, overrides] of Object.entries({
        plain: {},
        shards: { prometheus: { shards: 3 } },
        agent: { prometheus: { mode: "agent" } },
        sidecar: { ingestion: "sidecar" },
        alerting: { alerting: { alertmanagers: ["https://alerts.example:9093"] } },
      })) {
        const settings = settingsOf(stack, overrides);
        const { addresses, retention } = planStack(settings);
        const file = join(directory, `${name}.yml`);
        writeFileSync(
          file,
          prometheusConfig(settings, { shard: 0, remoteWriteUrl: addresses.remoteWriteUrl, retention: retention.prometheus }),
        );
        const result = await check("check", "config", "--syntax-only", ...(name === "agent" ? ["--agent"] : []), file);
        assert.equal(result.exitCode, 0, result.all);
      }
      rmSync(directory, { recursive: true });
    });
  }
});
