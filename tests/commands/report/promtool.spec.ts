import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildReport } from "../../../commands/report/build";

describe("promtool in a report", () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "promtool-"));
  });
  after(() => rmSync(directory, { recursive: true }));

  /** A promtool that says and ends so. */
  function program(name: string, script: string): string {
    const path = join(directory, name);
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  /** Without a preview a report says so, whatever promtool does. */
  const said = (notes: string[]) => notes.filter((note) => !note.startsWith("Not compared with the last deployment"));

  it("that is not there leaves a note of what nobody has checked", async () => {
    const { notes, violations } = await buildReport({ stack: "dev", promtool: join(directory, "nowhere") });
    assert.deepEqual(said(notes), ["Not checked, since promtool is not on PATH: PromQL and templates of the rule files."]);
    assert.deepEqual(violations, []);
  });

  it("that takes everything leaves nothing", async () => {
    const { notes, violations } = await buildReport({ stack: "dev", promtool: program("content", "exit 0") });
    assert.deepEqual([said(notes), violations], [[], []]);
  });

  it("that refuses files breaks a rule for each, in its own words and without this machine's paths", async () => {
    const script = 'for last; do :; done\ncase "$2" in rules) echo "Checking $last" >&2; echo "$last: 1:2: parse error" >&2; exit 1;; esac';
    const { violations } = await buildReport({ stack: "dev", promtool: program("strict", script) });
    assert.ok(violations.length >= 2);
    for (const { rule, resource, message } of violations) {
      assert.equal(rule, "promtool");
      assert.match(resource, /^ConfigMap thanos-dev\/prometheus-rules/);
      assert.match(message, /^([\w.-]+\.yaml): \1: 1:2: parse error$/);
    }
  });

  it("that gives no verdict is no consent", async () => {
    const { violations } = await buildReport({ stack: "dev", promtool: program("silent", "exit 3") });
    assert.match(violations[0]?.message ?? "", /no verdict/);
  });
});
