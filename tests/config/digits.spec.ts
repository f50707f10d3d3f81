import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { changedDigits } from "../../config/digits";
import { loadConfig } from "../../config/load";
import { formatProblem } from "../../model/values/problem";
import { configOf } from "../harness";

describe("config: digits that are text", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "digits-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  /** What is said of a file, where the engine gives these values. */
  const found = (text: string, cluster: unknown) => {
    writeFileSync(join(folder, "Pulumi.dev.yaml"), text);
    return changedDigits("dev", folder, { cluster }).map(formatProblem);
  };
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

  it("are left alone where the file is not what the engine has read", () => {
    assert.deepEqual(found(named("0159"), { name: 158 }), []);
    assert.deepEqual(found(named("0158"), { name: "prod" }), []);
    assert.deepEqual(found("config: [", { name: 158 }), []);
    assert.deepEqual(changedDigits("other", folder, { cluster: { name: 158 } }), []);
    assert.deepEqual(changedDigits("dev", folder, { cluster: null }), []);
  });

  it("are among the problems of the configuration", () => {
    writeFileSync(join(folder, "Pulumi.dev.yaml"), named("0158"));
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
      () => loadConfig(folder),
      /1 problem, nothing was changed:\n {2}- cluster\.name = "0158": the engine takes this for the number 158\. Accepted: "0158" in quotes, or 158\.$/,
    );
  });
});
