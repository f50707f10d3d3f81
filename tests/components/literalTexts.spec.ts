import assert from "node:assert/strict";
import { parse } from "yaml";
import { containers, flagValue, mountedConfigMap, object, prometheusSets, run, workloads } from "../harness";

/** A text of which each of the three would make another one. */
const PRICE = "5$USD";
const POD = "$(POD_NAME)";
const EXTERNAL = { price: PRICE, path: POD, both: `\${POD_NAME} $$ "${POD}"` };

/** An argument as a container gets it, apart from a pod's own name. */
const inContainer = (argument: string) => argument.replace(/\$(?:(\$)|\(POD_NAME\))/g, (_, dollar?: string) => dollar ?? "<the pod>");
/** An external label as a Prometheus has it. */
const inPrometheus = (value: string) => value.replace(/\$(?:(\$)|\{POD_NAME\})/g, (_, dollar?: string) => dollar ?? "<the pod>");

describe("a $ of the user stays one", () => {
  it("in the external labels of Prometheus and of the rulers, which are equal", async () => {
    const made = await run("prod", { prometheus: { externalLabels: EXTERNAL }, ruler: {} });
    const [set] = prometheusSets(made);
    assert.ok(set !== undefined);
    const config = parse(mountedConfigMap(made, set, "config").data["prometheus.yml"] ?? "") as {
      global: { external_labels: Record<string, string> };
    };
    const { prometheus_replica: replica, ...scraped } = Object.fromEntries(
      Object.entries(config.global.external_labels).map(([label, value]) => [label, inPrometheus(value)]),
    );
    assert.equal(replica, "<the pod>");
    const args = (containers(object(made, "StatefulSet", "thanos-ruler"))[0]?.args ?? []).map(inContainer);
    const { rule_replica: ruler, ...ruled } = Object.fromEntries(
      args.flatMap((argument) => {
        const [, label = "", value = ""] = /^--label=([^=]+)=(.*)$/s.exec(argument) ?? [];
        return label === "" ? [] : [[label, JSON.parse(value) as string]];
      }),
    );
    assert.equal(ruler, "<the pod>");
    assert.deepEqual(scraped, { ...EXTERNAL, cluster: "prod" });
    assert.deepEqual(ruled, scraped);
  });

  it("in the tenant's header, a token in which $ may be", async () => {
    const header = "X-$$-Tenant$";
    const made = await run("prod", { tenancy: { header } });
    const flags = {
      "thanos-receive-router": "--receive.tenant-header",
      "thanos-querier": "--query.tenant-header",
      "thanos-query-frontend": "--query-frontend.tenant-header",
    };
    for (const [name, flag] of Object.entries(flags)) assert.equal(inContainer(flagValue(object(made, "Deployment", name), flag)), header);
  });

  it("in relabelling of what is received, which Thanos would expand from its environment", async () => {
    const relabel = [{ source_labels: ["a"], regex: "x$(POD_NAME)|y", action: "drop" }];
    const made = await run("dev", { receive: { relabel } });
    const receiver = object(made, "StatefulSet", "thanos-receive");
    const text = mountedConfigMap(made, receiver, "relabel").data["relabel.yaml"] ?? "";
    assert.ok(!text.includes("$("));
    assert.deepEqual(parse(text), relabel);
  });

  it("wherever a container has a variable in an argument, it is the pod's own name", async () => {
    const made = await run("prod", { prometheus: { externalLabels: EXTERNAL }, ruler: {}, tenancy: { header: "X-$-T" } });
    for (const workload of workloads(made)) {
      for (const { name, args = [], command = [] } of containers(workload)) {
        for (const argument of [...args, ...command]) {
          const left = argument.replaceAll("$$", "").replace(/^(--label=(?:receive|rule)_replica=)"\$\(POD_NAME\)"$/, "$1");
          const own = left.startsWith("--receive.local-endpoint=$(POD_NAME).") ? left.replace("$(POD_NAME)", "") : left;
          assert.ok(!own.includes("$("), `${workload.metadata.name}/${name}: ${argument}`);
        }
      }
    }
  });
});
