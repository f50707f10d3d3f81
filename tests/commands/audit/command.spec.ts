import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { parse } from "yaml";
import { acceptedSchema, objectName } from "../../../commands/audit/acceptance";
import { AUDIT_DIRECTORY, DEFAULT_PLANS, objectsOf } from "../../../commands/audit/plans";
import { PROJECT_DIRECTORY } from "../../../commands/program";
import { globsOverlap } from "../../../model/values/glob";

describe("audit", function () {
  // Each starts a process that loads the whole SDK.
  this.timeout(60_000);
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "audit-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  /** Runs it with a checkov on PATH that is of the pinned version and fails these checks of the querier. */
  async function audit(failed: readonly string[], summary = { passed: 7, parsing_errors: 0 }, ...args: string[]) {
    const failed_checks = failed.map((check_id) => ({ check_id, resource: "Deployment.thanos-dev.thanos-querier" }));
    writeFileSync(join(directory, "answer.json"), JSON.stringify({ summary, results: { failed_checks } }));
    const program = join(directory, "checkov");
    // It exits 1 as checkov does, and answers only where there are files to judge.
    const judge = `ls ./*.yaml > /dev/null && cat ${join(directory, "answer.json")}; exit ${failed.length === 0 ? 0 : 1}`;
    writeFileSync(program, `#!/bin/sh\nif [ "$1" = --version ]; then echo 3.3.30; else ${judge}; fi\n`);
    chmodSync(program, 0o755);
    return execa(
      "node",
      [...["-r", "ts-node/register/transpile-only", join(PROJECT_DIRECTORY, "commands/audit.ts")], "--auditor", "checkov", ...args],
      {
        cwd: PROJECT_DIRECTORY,
        reject: false,
        env: { PATH: `${directory}:${process.env.PATH}`, XDG_CACHE_HOME: join(directory, "cache") },
      },
    );
  }

  it("exits 0 if all that is found is accepted, with the figures", async () => {
    const { exitCode, stdout, stderr } = await audit(["CKV_K8S_11"], undefined, "--stack", "dev");
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, /^dev +checkov 3\.3\.30 +7 +1 +1 +0$/m);
  });

  it("exits 1 for a finding that is not, and names it", async () => {
    const { exitCode, stderr } = await audit(["CKV_K8S_11", "CKV_K8S_16"], undefined, "--stack", "dev");
    assert.equal(exitCode, 1);
    assert.equal(stderr, "not accepted: dev: checkov CKV_K8S_16, at Deployment/thanos-querier");
  });

  it("exits 1 for what is accepted and not found in all plans together", async () => {
    const { exitCode, stderr } = await audit(["CKV_K8S_11"]);
    assert.equal(exitCode, 1);
    assert.match(stderr, /^nothing to accept: checkov CKV_K8S_23, accepted at Job\/hostpath-\*: no such finding$/m);
    assert.doesNotMatch(stderr, /CKV_K8S_11,|not accepted/);
  });

  it("exits 1 if the auditor did not read everything, and says which", async () => {
    const { exitCode, stderr } = await audit([], { passed: 7, parsing_errors: 1 }, "--stack", "dev");
    assert.equal(exitCode, 1);
    assert.match(stderr, /^checkov 3\.3\.30, of dev: (?:.|\n)*summary\.parsing_errors/);
  });
});

describe("audit: its plans", () => {
  it("have every object that is accepted", async () => {
    const names: string[] = [];
    for (const plan of DEFAULT_PLANS)
      for (const object of await objectsOf(plan)) {
        const { kind, metadata } = object;
        names.push(objectName({ kind, name: metadata.name }));
        const { template } = (object.spec ?? {}) as { template?: { spec: { containers: { name: string }[] } } };
        for (const { name } of template?.spec.containers ?? []) names.push(objectName({ kind, name: metadata.name, container: name }));
      }
    const entries = acceptedSchema.parse(parse(readFileSync(join(AUDIT_DIRECTORY, "accepted.yaml"), "utf8")));
    const patterns = entries.flatMap(({ objects }) => objects);
    assert.deepEqual(
      patterns.filter((pattern) => !names.some((name) => globsOverlap(pattern, name))),
      [],
    );
  });
});
