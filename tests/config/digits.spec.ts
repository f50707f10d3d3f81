import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { parseDocument } from "yaml";
import { changedDigits } from "../../config/digits";
import { loadConfig } from "../../config/load";
import { formatProblem } from "../../model/values/problem";
import { configOf } from "../harness";

describe("config: digits that are text", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "digits-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));
  /** Problems of a file, where the engine gives these values. */
  const found = (text: string, cluster: unknown) => said(text, { cluster });
  const said = (text: string, raw: Record<string, unknown>, refused?: Set<string>) =>
    changedDigits(parseDocument(text, { merge: true }), raw, refused).map(formatProblem);
  const named = (source: string) => `config:\n  thanos-stack:cluster:\n    name: ${source}\n`;

  it("are refused where the engine has made another number's of them, with both ways to write it", () => {
    for (const [source, kept] of [
      ["0158", 158],
      ["0157", 111],
      ["00", 0],
      ["1_000", 1_000],
      ["0x10", 16],
      ["+158", 158],
    ] as const) {
      assert.deepEqual(found(named(source), { name: kept }), [
        `cluster.name = "${source}": the engine takes this for the number ${kept}. Accepted: "${source}" in quotes, or ${kept}.`,
      ]);
    }
    const zones = "config:\n  cluster: { zones: [01, 2, rack_3] }\n";
    assert.deepEqual(found(zones, { zones: [1, 2, "rack_3"] }).length, 1);
    assert.match(found(zones, { zones: [1, 2, "rack_3"] })[0] ?? "", /^cluster\.zones\[0\] = "01": /);
  });

  it("are taken as they are, or quoted", () => {
    assert.deepEqual(found(named("158"), { name: 158 }), []);
    assert.deepEqual(found(named('"0158"'), { name: "0158" }), []);
    assert.deepEqual(found(named("prod-01"), { name: "prod-01" }), []);
  });

  it("are refused with a zero in front wherever they are, and elsewhere where a text belongs", () => {
    assert.deepEqual(said("config: { thanos-stack:namespace: 0158 }", { namespace: "158" }), [
      'namespace = "0158": the engine takes this for the number 158. Accepted: "0158" in quotes, or 158.',
    ]);
    const cpu = "config:\n  receive: { resources: { cpu: 010 }, replicas: 1_0 }\n";
    assert.match(said(cpu, { receive: { resources: { cpu: 8 }, replicas: 10 } }).join("\n"), /^receive\.resources\.cpu = "010": [^\n]*$/);
    const label = "config:\n  prometheus: { externalLabels: { a: 0x10 } }\n";
    const given = { prometheus: { externalLabels: { a: 16 } } };
    assert.deepEqual(said(label, given), []);
    assert.match(
      said(label, given, new Set(["prometheus.externalLabels.a"]))[0] ?? "",
      /= "0x10": .* the number 16\. Accepted: "0x10" in quotes/,
    );
  });

  it("are refused as names of entries", () => {
    const limits = 'config:\n  receive: { limits: { tenants: { 0158: {}, 159: {}, "0160": {} } } }\n';
    const tenants = { "158": {}, "159": {}, "0160": {} };
    assert.deepEqual(said(limits, { receive: { limits: { tenants } } }), [
      'receive.limits.tenants.0158 = "0158": the engine takes this name for the number 158. Accepted: "0158" in quotes, or 158.',
    ]);
  });

  it("are found through aliases, merges and the engine's other spelling of a key", () => {
    for (const text of [
      "x: &x 0158\nconfig:\n  cluster: { name: *x }\n",
      "x: &x { name: 0158 }\nconfig:\n  cluster: { <<: *x }\n",
      "config:\n  thanos-stack:config:cluster: { name: 0158 }\n",
    ])
      assert.equal(found(text, { name: 158 }).length, 1, text);
  });

  it("are left alone where the file is not what the engine has read", () => {
    assert.deepEqual(found(named("0159"), { name: 158 }), []);
    assert.deepEqual(found(named("0158"), { name: "prod" }), []);
    assert.deepEqual(found("config: [", { name: 158 }), []);
    assert.deepEqual(found(named("0158"), null), []);
  });

  it("are among the problems of the configuration", () => {
    writeFileSync(join(directory, "Pulumi.dev.yaml"), named("0158"));
    pulumi.runtime.setMocks(
      { newResource: ({ name, inputs }) => ({ id: name, state: inputs }), call: ({ inputs }) => inputs },
      "thanos-stack",
      "dev",
    );
    const config = configOf("dev", { cluster: { name: 158 } });
    pulumi.runtime.setAllConfig(
      Object.fromEntries(Object.entries(config).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)])),
    );
    assert.throws(
      () => loadConfig(directory),
      /1 problem, nothing was changed:\n {2}- cluster\.name = "0158": the engine takes this for the number 158\. Accepted: "0158" in quotes, or 158\.$/,
    );
  });

  it("are the only problem of their key, and a key under two names is one too", () => {
    pulumi.runtime.setMocks(
      { newResource: ({ name, inputs }) => ({ id: name, state: inputs }), call: ({ inputs }) => inputs },
      "thanos-stack",
      "dev",
    );
    const config = configOf("dev", { prometheus: { externalLabels: { a: 10 } } });
    pulumi.runtime.setAllConfig(
      Object.fromEntries(Object.entries(config).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)])),
    );
    writeFileSync(
      join(directory, "Pulumi.dev.yaml"),
      "config:\n  prometheus: { externalLabels: { a: 012 } }\n  namespace: a\n  thanos-stack:namespace: b\n",
    );
    assert.throws(
      () => loadConfig(directory),
      /2 problems, nothing was changed:\n {2}- namespace = "thanos-dev": the file has this key under two names, .*\n {2}- prometheus\.externalLabels\.a = "012": the engine takes this for the number 10\. Accepted: "012" in quotes, or 10\.$/,
    );
  });
});
