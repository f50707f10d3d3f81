import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { parse } from "yaml";
import { TOOLS } from "../sandbox/tools";

const ROOT = resolve(__dirname, "..");
const DIRECTORY = join(ROOT, ".github", "workflows");
const FILES = readdirSync(DIRECTORY).map((name) => join(DIRECTORY, name));
const SETUP = join(ROOT, ".github", "actions", "setup", "action.yml");
const GO = { GOTOOLCHAIN: "local", GOWORK: "off", CGO_ENABLED: "0", GOFLAGS: "-mod=readonly" };

interface Step {
  uses?: string;
  run?: string;
  env?: Record<string, string>;
  with?: Record<string, unknown>;
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
const workflow = (name: string) => read(join(DIRECTORY, name));
const jobs = FILES.flatMap((file) =>
  Object.entries(read(file).jobs).map(([name, job]) => ({ name: `${file.slice(DIRECTORY.length + 1)} ${name}`, job })),
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
      assert.deepEqual(writes, name === "preview.yml comment" ? [["pull-requests", "write"]] : [], name);
    }
  });

  it("take secrets only in jobs that a fork's pull request never starts", () => {
    const { preview, ...others } = workflow("preview.yml").jobs;
    assert.ok(preview !== undefined);
    assert.equal(preview.if, "github.event.pull_request.head.repo.full_name == github.repository");
    assert.match(JSON.stringify(preview), /secrets\./);
    assert.doesNotMatch(JSON.stringify(others), /secrets\.|environment/);
  });

  it("pin every action to a commit, and name its version beside it", () => {
    const lines = [...FILES, SETUP].flatMap((file) =>
      readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => /^\s*(?:- )?uses:/.test(line)),
    );
    const foreign = lines.filter((line) => !line.includes("uses: ./"));
    assert.ok(foreign.length > 10);
    for (const line of foreign) assert.match(line, /uses: [\w.-]+\/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    const commits = new Map<string, Set<string>>();
    for (const line of foreign) {
      const [, action = "", pin = ""] = /uses: ([^@]+)@(.*)$/.exec(line) ?? [];
      commits.set(action, (commits.get(action) ?? new Set()).add(pin));
    }
    for (const [action, pins] of commits) assert.equal(pins.size, 1, `${action} by ${[...pins].join(" and ")}`);
  });

  it("comment in a job that runs nothing of the pull request, and write nowhere else", () => {
    const { comment, preview } = workflow("preview.yml").jobs;
    assert.deepEqual(preview?.permissions, { contents: "read" });
    const [checkout, download, post, ...more] = comment?.steps ?? [];
    assert.deepEqual(more, []);
    assert.match(checkout?.uses ?? "", /^actions\/checkout@/);
    assert.equal(checkout?.with?.ref, "$" + "{{ github.event.pull_request.base.sha }}");
    assert.equal(checkout?.with?.["persist-credentials"], false);
    assert.match(download?.uses ?? "", /^actions\/download-artifact@/);
    assert.notEqual(download?.with?.path ?? ".", ".");
    assert.equal(post?.run, '.github/scripts/comment.sh "reports/report.$STACK.md"');
    assert.equal(comment?.environment, undefined);
    assert.match(comment?.if ?? "", /needs\.preview\.result != 'skipped'/);
    // Nobody else is handed a token.
    const handed = steps.filter((step) => JSON.stringify(step).includes("github.token"));
    assert.deepEqual(handed, [post]);
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
    assert.match(preview?.environment ?? "", /^\$\{\{ matrix\.stack \}\}-preview$/);
    assert.match(drift?.environment ?? "", /^\$\{\{ matrix\.stack \}\}-drift$/, "reviewers of a preview would stop it every night");
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
  const [calls, posted] = [join(folder, "calls"), join(folder, "posted")];
  const GOOD = "<!-- thanos-stack report: prod -->\n\nnothing changes\n";
  after(() => rmSync(folder, { recursive: true }));

  /** Runs the script with a `gh` that answers with these comments (id and first line) and writes down what it is called with. */
  async function run(existing: [number, string][], text: string | Buffer, environment: Record<string, string> = {}) {
    const gh = join(folder, "gh");
    writeFileSync(join(folder, "answer"), existing.map(([id, line]) => `${id}\t${line}\n`).join(""));
    writeFileSync(
      gh,
      `#!/bin/bash\nif [[ $* == *--jq* ]]; then cat "${folder}/answer"; exit; fi\necho "$@" >>"${calls}"\ncp "\${@: -1:1}" "${posted}" 2>/dev/null || cp "\${!#/body=@/}" "${posted}"\n`,
    );
    chmodSync(gh, 0o755);
    writeFileSync(calls, "");
    rmSync(posted, { force: true });
    writeFileSync(report, text);
    const env = { PATH: `${folder}:${process.env.PATH}`, REPOSITORY: "acme/metrics", PULL_REQUEST: "7", STACK: "prod", ...environment };
    const { exitCode, stderr } = await execa(join(ROOT, ".github", "scripts", "comment.sh"), [report], { env, reject: false });
    return { exitCode, stderr, calls: readFileSync(calls, "utf8") };
  }

  it("is made where there is none of this environment", async () => {
    const made = await run(
      [
        [1, "hello"],
        [2, "<!-- thanos-stack report: dev -->"],
      ],
      GOOD,
    );
    assert.match(made.calls, /--method POST repos\/acme\/metrics\/issues\/7\/comments /);
    assert.equal(readFileSync(posted, "utf8"), `${GOOD}\n\n<sub>Written by a run of this pull request's own code.</sub>\n`);
  });

  it("replaces this environment's", async () => {
    const changed = await run(
      [
        [2, "<!-- thanos-stack report: dev -->"],
        [3, "<!-- thanos-stack report: prod -->"],
      ],
      GOOD,
    );
    assert.match(changed.calls, /--method PATCH repos\/acme\/metrics\/issues\/comments\/3 /);
    assert.doesNotMatch(changed.calls, /POST/);
  });

  it("is no larger than GitHub takes, with no half character and no control character", async () => {
    for (const before of ["", "x", "xx", "xxx"]) {
      const { calls: made } = await run([], `${GOOD}${before}${"→".repeat(30_000)}`);
      assert.match(made, /POST/, `${before.length} bytes before`);
      const text = readFileSync(posted, "utf8");
      assert.ok(Buffer.byteLength(text) < 65_536 && text.includes(`→\n\n<sub>`) && !text.includes("\ufffd"));
    }
    await run([], `${GOOD}a\r\u001b[2J\u0000\u009b\u202e\u2066b\n`);
    assert.match(readFileSync(posted, "utf8"), /a\[2Jb\n/);
  });

  const refused: [what: string, text: string | Buffer, environment: Record<string, string>, message: RegExp][] = [
    ["another environment's report", GOOD.replace("prod", "dev"), {}, /does not begin as one of prod/],
    ["no report", "hello\n", {}, /does not begin/],
    ["a report of any size", Buffer.concat([Buffer.from(GOOD), Buffer.alloc(700_000, "a")]), {}, /far too large/],
    ["another number than one", GOOD, { PULL_REQUEST: "7/../8" }, /no number/],
    ["an environment that is a pattern", GOOD, { STACK: "*" }, /no name/],
  ];
  for (const [what, text, environment, message] of refused) {
    it(`is not made of ${what}`, async () => {
      const { exitCode, stderr, calls: made } = await run([], text, environment);
      assert.equal(exitCode, 1);
      assert.match(stderr, message);
      assert.equal(made, "");
    });
  }

  it("is not made of what a link leads to", async () => {
    const link = join(folder, "report.link.md");
    symlinkSync("/etc/hostname", link);
    const env = { PATH: `${folder}:${process.env.PATH}`, REPOSITORY: "acme/metrics", PULL_REQUEST: "7", STACK: "prod" };
    const { stderr } = await execa(join(ROOT, ".github", "scripts", "comment.sh"), [link], { env, reject: false });
    assert.match(stderr, /is no file/);
  });
});

describe("the engine's archive", () => {
  const folder = mkdtempSync(join(tmpdir(), "thanos-stack-engine-"));
  after(() => rmSync(folder, { recursive: true }));

  /** Runs the script with a download of this content, and says what was unpacked. */
  async function install(content: string, sum?: string) {
    const [unpacked, temporary] = [join(folder, "unpacked"), join(folder, "temporary")];
    rmSync(unpacked, { force: true });
    mkdirSync(temporary, { recursive: true });
    const stub = (name: string, text: string) => writeFileSync(join(folder, name), `#!/bin/bash\n${text}\n`, { mode: 0o755 });
    stub("curl", `while [[ $1 != -o ]]; do shift; done; printf '%s' '${content}' >"$2"`);
    stub("tar", `echo "$@" >>"${unpacked}"`);
    if (sum === undefined) rmSync(join(folder, "sha256sum"), { force: true });
    else stub("sha256sum", sum);
    const env = {
      PATH: `${folder}:${process.env.PATH}`,
      RUNNER_TEMP: temporary,
      GITHUB_PATH: join(folder, "path"),
      HOME: folder,
      KUBECONFIG_TEXT: "x",
    };
    const { exitCode } = await execa(join(ROOT, ".github", "scripts", "engine.sh"), { env, reject: false });
    return { exitCode, unpacked: existsSync(unpacked) };
  }

  it("is unpacked only if it is the one that is meant", async () => {
    assert.deepEqual(await install("something else"), { exitCode: 1, unpacked: false });
    assert.deepEqual(await install("the one", "cat >/dev/null"), { exitCode: 0, unpacked: true });
  });
});

describe("updates of what is pinned", () => {
  const { updates } = parse(readFileSync(join(ROOT, ".github", "dependabot.yml"), "utf8")) as {
    updates: { "package-ecosystem": string; directory?: string; directories?: string[]; cooldown?: object }[];
  };
  const watched = (ecosystem: string) =>
    updates
      .filter((each) => each["package-ecosystem"] === ecosystem)
      .flatMap(({ directory, directories = [] }) => [...(directory === undefined ? [] : [directory]), ...directories]);

  it("are watched for every module, package and action", () => {
    const matches = (patterns: string[], path: string) =>
      patterns.some((pattern) => new RegExp(`^${pattern.replaceAll("*", "[^/]+")}$`).test(path));
    const modules = [...readdirSync(join(ROOT, "sandbox", "tools")).map((name) => `/sandbox/tools/${name}`), "/tests/actionlint"].filter(
      (path) => existsSync(join(ROOT, path, "go.mod")),
    );
    assert.ok(modules.length > 5);
    for (const path of modules) assert.ok(matches(watched("gomod"), path), path);
    assert.deepEqual(watched("npm"), ["/", "/examples/app-stack"]);
    assert.deepEqual(watched("github-actions"), ["/", "/.github/actions/setup"]);
    assert.deepEqual(watched("pip"), ["/sandbox/toolchain"]);
    for (const each of updates) assert.ok(each.cooldown !== undefined);
  });

  it("and known holes are looked for every week", () => {
    assert.ok("schedule" in workflow("advisories.yml").on);
    assert.ok(workflow("advisories.yml").jobs.npm?.steps.some(({ run }) => run === "npm run advisories"));
  });
});
