import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { PROJECT_DIRECTORY } from "../../commands/program";
import { withClusterLabel } from "../../examples/app-stack/provisioning";
import { senderOf } from "../../examples/app-stack/sender";
import { type ReceiveOutputs, readOutputs } from "../../outputs";
import { load, type Overrides, objects, rejection, run } from "../harness";

const RULER: Overrides = { ruler: { replicas: 1, antiAffinity: "soft" } };

/** External labels of Prometheus and of the ruler, as each is told. */
async function labelsOf(cluster: Record<string, unknown>) {
  const made = await run("dev", { ...RULER, cluster });
  const config = objects(made, "ConfigMap").find(({ data }) => data["prometheus.yml"] !== undefined)?.data["prometheus.yml"] ?? "";
  const ruler = objects(made, "StatefulSet").find(({ metadata }) => metadata.name === "thanos-ruler");
  return {
    prometheus: (parse(config) as { global: { external_labels: Record<string, string> } }).global.external_labels,
    ruler: (ruler?.spec.template.spec.containers[0]?.args ?? []).filter((arg) => arg.startsWith("--label=")),
    outputs: made.outputs as Record<string, unknown>,
  };
}

describe("the label that names the cluster", () => {
  it("has any text for its value, such as the article's 158, quoted or not", async () => {
    for (const name of [158, "158", "1a-prod", "Prod EU/1", "东京"]) {
      const { prometheus, ruler, outputs } = await labelsOf({ name });
      assert.equal(prometheus.cluster, String(name));
      assert.ok(ruler.includes(`--label=cluster=${JSON.stringify(String(name))}`), String(ruler));
      assert.deepEqual(outputs.externalLabels, { cluster: String(name) });
    }
  });

  it("refuses what is no text, or none that YAML keeps", async () => {
    for (const name of ["", "  ", 1.1, -1, 1.2345678901234568e20, true, null, ["a"]]) {
      const { problems } = await rejection("dev", { cluster: { name } });
      assert.equal(problems.length, 1, JSON.stringify(name));
      assert.match(problems[0] ?? "", /cluster\.name/);
    }
  });

  it("has a chosen name, in everything that sets or reads it", async () => {
    const { prometheus, ruler, outputs } = await labelsOf({ name: "a", label: "datacenter" });
    assert.equal(prometheus.datacenter, "a");
    assert.equal("cluster" in prometheus, false);
    assert.ok(ruler.includes('--label=datacenter="a"'));
    assert.equal(
      ruler.some((arg) => arg.startsWith("--label=cluster=")),
      false,
    );
    assert.deepEqual(outputs.externalLabels, { datacenter: "a" });
    const read = readOutputs({ ...outputs, namespace: "thanos-dev" }) as ReceiveOutputs;
    assert.equal(read.clusterLabel, "datacenter");
    const sender = senderOf({ platform: "p", app: "shop", tenant: "greeter", externalLabels: {} }, read);
    assert.deepEqual(sender.externalLabels, { datacenter: "a", app: "shop" });
    assert.throws(
      () => senderOf({ platform: "p", app: "shop", tenant: "greeter", externalLabels: { datacenter: "b" } }, read),
      /externalLabels\.datacenter: datacenter is set by the platform/,
    );
  });

  it("is cluster where a stack from before tells no name", async () => {
    const { outputs } = await labelsOf({ name: "a" });
    const { clusterLabel: _, ...before } = outputs;
    assert.equal(readOutputs({ ...before, namespace: "thanos-dev" }).clusterLabel, "cluster");
  });

  it("leaves the name cluster to senders, and takes its own from them", async () => {
    await load("dev", { cluster: { label: "datacenter" }, prometheus: { externalLabels: { cluster: "x" } } });
    await load("dev", { cluster: { label: "datacenter" }, tenancy: { label: "cluster" } });
    const { message } = await rejection("dev", {
      cluster: { label: "datacenter" },
      prometheus: { externalLabels: { datacenter: "x" } },
      tenancy: { label: "datacenter" },
    });
    assert.match(message, /prometheus\.externalLabels\.datacenter = "x": datacenter, .* are set by this stack/);
    assert.match(message, /tenancy\.label = "datacenter": this label means something else/);
  });

  for (const label of ["job", "instance", "__cluster", "receive_replica", "prometheus_replica", "le", "a-b"]) {
    it(`is not ${label}`, async () => {
      const { problems } = await rejection("dev", { cluster: { label } });
      assert.equal(problems.length, 1);
      assert.match(problems[0] ?? "", /cluster\.label = /);
    });
  }

  it("is the one that dashboards select by, where they are installed by code", () => {
    for (const file of ["dashboards/thanos-stack.json", "examples/app-stack/dashboards/app.json"]) {
      const text = readFileSync(join(PROJECT_DIRECTORY, file), "utf8");
      assert.equal(withClusterLabel(text, "cluster"), text);
      const other = withClusterLabel(text, "datacenter");
      assert.deepEqual(other.match(/[{,]cluster[=!]|, cluster\)/g), null);
      const count = (inside: string, what: RegExp) => [...inside.matchAll(what)].length;
      assert.equal(count(other, /\bdatacenter=\\"\$cluster\\"/g), count(text, /\bcluster=\\"\$cluster\\"/g));
      assert.ok(count(other, /label_values\(.*, datacenter\)"/g) > 0);
      JSON.parse(other);
    }
  });
});
