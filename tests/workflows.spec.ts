import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { parse } from "yaml";
import { TOOLS } from "../sandbox/tools";

const ROOT = resolve(__dirname, "..");
const FOLDER = join(ROOT, ".github", "workflows");
const FILES = readdirSync(FOLDER).map((name) => join(FOLDER, name));
const SETUP = join(ROOT, ".github", "actions", "setup", "action.yml");
const GO = { GOTOOLCHAIN: "local", GOWORK: "off", CGO_ENABLED: "0", GOFLAGS: "-mod=readonly" };

interface Step {
  uses?: string;
  run?: string;
  env?: Record<string, string>;
}
interface Job {
  if?: string;
  needs?: string;
  environment?: string;
  permissions?: Record<string, string>;
  "timeout-minutes"?: number;
  steps: Step[];
  strategy?: { matrix: { stack: string[] } };
}
interface Workflow {
  on: Record<string, unknown>;
  permissions: Record<string, string>;
  jobs: Record<string, Job>;
}

const read = (file: string) => parse(readFileSync(file, "utf8")) as Workflow;
const workflow = (name: string) => read(join(FOLDER, name));
const jobs = FILES.flatMap((file) =>
  Object.entries(read(file).jobs).map(([name, job]) => ({ name: `${file.slice(FOLDER.length + 1)} ${name}`, job })),
);
const steps = [...jobs.flatMap(({ job }) => job.steps), ...(parse(readFileSync(SETUP, "utf8")) as { runs: { steps: Step[] } }).runs.steps];

/** actionlint, built by Go from its module and kept in Go's cache. */
const actionlint = (...args: string[]) =>
  execa("go", ["-C", join(__dirname, "actionlint"), "tool", "actionlint", "-no-color", ...args], { env: GO, reject: false, all: true });

describe("workflows", () => {
  it("pass the linter", async function () {
    // The first run on a machine builds it.
    this.timeout(300_000);
    const { all, exitCode } = await actionlint(...FILES);
    assert.equal(exitCode, 0, all);
  });

  it("are really linted", async function () {
    this.timeout(300_000);
    const folder = mkdtempSync(join(tmpdir(), "thanos-stack-workflow-"));
    try {
      const file = join(folder, "bad.yml");
      writeFileSync(
        file,
        [
          "on: pull_request",
          "jobs:",
          "  a:",
          "    runs-on: ubuntu-24.04",
          "    steps:",
          "      - run: echo $" + "{{ github.event.pull_request.title }}",
        ].join("\n"),
      );
      const { all, exitCode } = await actionlint(file);
      assert.equal(exitCode, 1, all);
      assert.match(all, /potentially untrusted/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("never run on pull_request_target, which hands secrets to forks", () => {
    for (const file of FILES)
      assert.deepEqual(
        Object.keys(read(file).on).filter((event) => event === "pull_request_target" || event === "workflow_run"),
        [],
        file,
      );
  });

  it("give no job more than it asks for, and let none run on for ever", () => {
    for (const file of FILES) assert.deepEqual(read(file).permissions, {}, file);
    for (const { name, job } of jobs) {
      assert.ok(job.permissions !== undefined && job["timeout-minutes"] !== undefined, name);
      const writes = Object.entries(job.permissions).filter(([, access]) => access === "write");
      assert.deepEqual(writes, name === "preview.yml preview" ? [["pull-requests", "write"]] : [], name);
    }
  });

  it("take secrets only in jobs that a fork's pull request never starts", () => {
    const { preview, ...others } = workflow("preview.yml").jobs;
    assert.ok(preview !== undefined);
    assert.equal(preview.if, "github.event.pull_request.head.repo.full_name == github.repository");
    assert.match(JSON.stringify(preview), /secrets\./);
    assert.doesNotMatch(JSON.stringify(others), /secrets\.|environment/);
  });

  it("pin every action to an exact version", () => {
    const used = steps.flatMap(({ uses }) => (uses === undefined || uses.startsWith("./") ? [] : [uses]));
    assert.ok(used.length > 0);
    for (const action of used) assert.match(action, /^[\w.-]+\/[\w.-]+@(?:v\d+\.\d+\.\d+|[0-9a-f]{40})$/);
  });

  it("call only commands of this repository, whose scripts are there", () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: Record<string, string> };
    for (const { run } of steps) {
      if (run === undefined) continue;
      assert.ok(!run.trim().includes("\n"), `one command: ${run}`);
      assert.match(run, /^(?:npm ci |npm run |make test$|pulumi up |cat "out\/|\.github\/scripts\/)/, run);
      const script = /^npm run ([\w:]+)/.exec(run)?.[1];
      if (script !== undefined) assert.ok(script in scripts, run);
      assert.doesNotMatch(run, /\$\{\{/, "values come by the environment, where no shell reads them as code");
    }
  });

  it("preview and check every environment, and apply the rules", () => {
    const preview = workflow("preview.yml").jobs.preview;
    const drift = workflow("drift.yml").jobs.drift;
    const environments = readdirSync(ROOT).flatMap((name) => /^Pulumi\.(\w+)\.yaml$/.exec(name)?.[1] ?? []);
    for (const job of [preview, drift, workflow("preview.yml").jobs.plan]) assert.deepEqual(job?.strategy?.matrix.stack, environments);
    assert.ok(preview?.steps.some(({ run }) => run?.includes('ci:preview -- --stack "$STACK" --policy-pack policy')));
    assert.ok(drift?.steps.some(({ run }) => run?.includes("--refresh --expect-no-changes")));
    assert.ok("schedule" in workflow("drift.yml").on);
  });

  it("deploy what is merged, prod after dev and behind its own gate, with the rules and the check", () => {
    const { on, jobs: all } = workflow("deploy.yml");
    assert.deepEqual(on, { push: { branches: ["main"] } });
    assert.equal(all.dev?.needs, "test");
    assert.equal(all.prod?.needs, "dev");
    for (const stack of ["dev", "prod"]) {
      assert.equal(all[stack]?.environment, stack);
      const commands = (all[stack]?.steps ?? []).flatMap(({ run }) => run ?? []);
      assert.ok(commands.some((run) => /^pulumi up --yes .*--policy-pack policy$/.test(run)));
      assert.ok(commands.some((run) => run.startsWith("npm run verify ")));
    }
  });

  it("install the engine's version that the sandbox tests", () => {
    const version = /^version=(.+)$/m.exec(readFileSync(join(ROOT, ".github", "scripts", "engine.sh"), "utf8"))?.[1];
    assert.equal(`v${version}`, TOOLS.pulumi.version);
  });
});

describe("the comment of a report", () => {
  const folder = mkdtempSync(join(tmpdir(), "thanos-stack-comment-"));
  const report = join(folder, "report.prod.md");
  const calls = join(folder, "calls");
  after(() => rmSync(folder, { recursive: true }));

  /** Runs the script with a `gh` that answers with these comments (id and first line) and writes down what it is called with. */
  async function comment(existing: [number, string][]): Promise<string> {
    const gh = join(folder, "gh");
    const answer = existing.map(([id, line]) => `${id}\t${line}\n`).join("");
    writeFileSync(join(folder, "answer"), answer);
    writeFileSync(gh, `#!/bin/bash\nif [[ $* == *--jq* ]]; then cat "${folder}/answer"; else echo "$@" >>"${calls}"; fi\n`);
    chmodSync(gh, 0o755);
    writeFileSync(calls, "");
    writeFileSync(report, "<!-- thanos-stack report: prod -->\n\nnothing changes\n");
    await execa(join(ROOT, ".github", "scripts", "comment.sh"), [report], {
      env: { PATH: `${folder}:${process.env.PATH}`, REPOSITORY: "acme/metrics", PULL_REQUEST: "7" },
    });
    return readFileSync(calls, "utf8");
  }

  it("is made where there is none of this environment", async () => {
    const made = await comment([
      [1, "hello"],
      [2, "<!-- thanos-stack report: dev -->"],
    ]);
    assert.match(made, /--method POST repos\/acme\/metrics\/issues\/7\/comments /);
  });

  it("replaces this environment's", async () => {
    const changed = await comment([
      [2, "<!-- thanos-stack report: dev -->"],
      [3, "<!-- thanos-stack report: prod -->"],
    ]);
    assert.match(changed, /--method PATCH repos\/acme\/metrics\/issues\/comments\/3 /);
    assert.doesNotMatch(changed, /POST/);
  });
});
