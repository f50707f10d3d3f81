import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { main, parseDuration, type VerifyReport } from "../../commands/verify";
import { portForward } from "../../commands/verify/addresses";
import { selectCluster, selectOutputs } from "../../commands/verify/selection";
import { type Faults, OUTPUTS, SIDECAR_OUTPUTS, startFakeCluster } from "./fakeCluster";

/** Long enough for every check that can hold, on a busy machine; a check that fails takes all of it. */
const PATIENCE_MS = 10_000;

describe("verify: command", () => {
  let directory: string;
  let outputsFile: string;
  let clusters = 0;
  const sidecarOutputsFile = () => path.join(directory, "sidecar.json");

  before(async () => {
    directory = await fs.mkdtemp(path.join(tmpdir(), "verify-"));
    outputsFile = path.join(directory, "outputs.json");
    await fs.writeFile(outputsFile, JSON.stringify(OUTPUTS));
    await fs.writeFile(sidecarOutputsFile(), JSON.stringify(SIDECAR_OUTPUTS));
  });
  after(() => fs.rm(directory, { recursive: true }));

  /** Runs the command against a cluster of its own. */
  async function run(
    faults: Faults,
    args: string[] = [],
    timeoutMs = 15_000,
  ): Promise<{ status: number; printed: string; writes: number }> {
    const cluster = await startFakeCluster(faults);
    const kubeconfig = path.join(directory, `kubeconfig-${++clusters}`);
    await fs.writeFile(kubeconfig, cluster.kubeconfig);
    const printed: string[] = [];
    const outputs = faults.scheme === "sidecar" ? sidecarOutputsFile() : outputsFile;
    const status = await main(["--stack", "dev", "--context", "dev", "--kubeconfig", kubeconfig, "--outputs", outputs, ...args], {
      timeoutMs,
      intervalMs: 5,
      shortestRateMs: 1,
      print: (line) => printed.push(line),
    }).finally(() => cluster.close());
    return { status, printed: printed.join("\n"), writes: cluster.writes() };
  }

  async function reportOf(faults: Faults, timeoutMs?: number): Promise<{ status: number; report: VerifyReport }> {
    const { status, printed } = await run(faults, ["--json"], timeoutMs);
    return { status, report: JSON.parse(printed) as VerifyReport };
  }

  it("holds for a healthy stack, and says what it saw", async () => {
    const { status, report } = await reportOf({});
    assert.deepEqual(
      report.checks.map(({ name, ok }) => [name, ok]),
      ["nodes", "pods", "scrape targets", "hashring", "samples acknowledged", "stores", "write and read back", "query"].map((name) => [
        name,
        true,
      ]),
    );
    assert.equal(status, 0);
    assert.equal(report.ok, true);
    const seen = Object.fromEntries(report.checks.map((check) => [check.name, check.seen]));
    assert.equal(seen.pods, "4 of 4 Ready: prometheus 1, receive 3");
    assert.equal(seen["scrape targets"], "5 of 5 up: job (odd) 1, prometheus 1, thanos-receive 3");
    assert.equal(seen.stores, "3 of 3 ring members");
    assert.deepEqual(
      report.open.map(({ name }) => name),
      ["queries", "querier", "prometheus"],
    );
  });

  it("of a stack with sidecars looks at what there is, and writes nothing", async () => {
    const faults: Faults = { scheme: "sidecar" };
    const { status, report } = await reportOf(faults);
    assert.deepEqual(
      report.checks.map(({ name, ok }) => [name, ok]),
      ["nodes", "pods", "scrape targets", "stores", "query"].map((name) => [name, true]),
    );
    assert.equal(status, 0);
    const seen = Object.fromEntries(report.checks.map((check) => [check.name, check.seen]));
    assert.equal(seen.stores, "1 of 1 sidecars, 1 of 1 store gateways");
    assert.equal(seen["scrape targets"], "3 of 3 up: prometheus 1, thanos-sidecar 1, thanos-store-gateway 1");
    assert.equal((await run(faults)).writes, 0);
  });

  it("writes one sample only, however often it reads", async () => {
    let answers = 0;
    const { status, writes } = await run({
      answer: ({ path: asked }, pod) =>
        pod === "thanos-query-frontend-0" && asked === "/api/v1/query" && answers++ < 3
          ? { body: JSON.stringify({ status: "success", data: { resultType: "vector", result: [] } }) }
          : undefined,
    });
    assert.equal(status, 0);
    assert.equal(answers, 4);
    assert.equal(writes, 1);
  });

  const broken: [string, string, Faults, RegExp][] = [
    ["a node that is not Ready", "nodes", { nodeDown: true }, /node-1 is not Ready/],
    [
      "a pod that is not Ready",
      "pods",
      { notReady: ["thanos-receive-1"] },
      /thanos-receive-1: thanos-receive is not running: CrashLoopBackOff: back-off/,
    ],
    [
      "a target that is down",
      "scrape targets",
      { targetDown: "thanos-receive-2" },
      /thanos-receive-2\/metrics is down for prometheus-0: connection refused/,
    ],
    [
      "a receiver with another hashring",
      "hashring",
      { hash: (pod) => (pod === "thanos-receive-2" ? 7 : 8) },
      /thanos-receive-2 has hashring 7/,
    ],
    ["receivers that acknowledge nothing but the written sample", "samples acknowledged", { idle: true }, /0 samples in/],
    [
      "a store that fails",
      "stores",
      { storeError: (pod) => (pod === "thanos-receive-0" ? "refused" : null) },
      /receive \[fd00::1:0\]:10901: refused/,
    ],
    ["a sample that is acknowledged and forgotten", "write and read back", { forgets: true }, /not answered yet/],
    [
      "a sidecar that does not reach its Prometheus",
      "stores",
      { scheme: "sidecar", storeError: (pod) => (pod === "prometheus-0" ? "not ready" : null) },
      /0 of 1 sidecars, 1 of 1 store gateways[\s\S]*prometheus-0 is not among/,
    ],
    [
      "a store gateway that fails",
      "stores",
      { scheme: "sidecar", storeError: (pod) => (pod === "thanos-store-gateway-0" ? "refused" : null) },
      /thanos-store-gateway-0 is not among/,
    ],
    [
      "a sidecar that is not scraped",
      "scrape targets",
      { scheme: "sidecar", targetDown: "prometheus-0:10902" },
      /thanos-sidecar .* is down/,
    ],
    ["a replica label left in answers", "query", { replicaLabelLeft: "receive_replica" }, /receive_replica is left on 5 series/],
  ];
  describe("of a broken stack", () => {
    const reports = new Map<string, { status: number; report: VerifyReport }>();

    // A failing check waits until the time is over: all at once they wait once.
    before(() => Promise.all(broken.map(async ([what, , faults]) => reports.set(what, await reportOf(faults, PATIENCE_MS)))));

    for (const [what, name, , pattern] of broken) {
      it(`fails "${name}", and nothing else, for ${what}`, () => {
        const { status, report } = reports.get(what) ?? assert.fail("not run");
        assert.equal(status, 1);
        const failed = report.checks.filter(({ ok }) => !ok);
        assert.deepEqual(
          failed.map((check) => check.name),
          [name],
        );
        assert.match([failed[0]?.seen, ...(failed[0]?.details ?? [])].join("\n"), pattern);
      });
    }
  });

  it("fails with the receiver's own words when a write is refused", async () => {
    const refused = { status: 409, body: "store locally: out of bounds" };
    const { report } = await reportOf({ answer: (request) => (request.method === "POST" ? refused : undefined) }, 50);
    const check = report.checks.find(({ name }) => name === "write and read back");
    assert.equal(check?.ok, false);
    assert.match(check?.details.join() ?? "", /refused the write: 409 store locally: out of bounds/);
  });

  it("fails with the API server's own words when something may not be read", async () => {
    const forbidden = { status: 403, body: JSON.stringify({ kind: "Status", message: 'nodes is forbidden: User "dev" cannot list' }) };
    const { status, report } = await reportOf({ answer: (asked) => (asked.path === "/api/v1/nodes" ? forbidden : undefined) }, 50);
    assert.equal(status, 1);
    assert.match(report.checks[0]?.details.join() ?? "", /answered 403 for \/api\/v1\/nodes: nodes is forbidden/);
  });

  it("fails every check when the cluster can't be reached", async () => {
    const { status, report } = await reportOf({ answer: () => ({ reset: true }) }, 50);
    assert.equal(status, 1);
    assert.ok(report.checks.every(({ ok }) => !ok));
  });

  it("does not wait for rights: what the account lacks is said at once", async () => {
    const body = JSON.stringify({ message: 'pods "x" is forbidden: User "ci" cannot create resource "pods/portforward"' });
    const start = performance.now();
    const { status, report } = await reportOf({ forwarding: () => ({ status: 403, body }) }, 60_000);
    assert.equal(status, 1);
    assert.ok(performance.now() - start < 30_000);
    const [nodes, pods, ...others] = report.checks;
    assert.ok(nodes?.ok && pods?.ok);
    for (const { name, seen, details } of others) {
      assert.equal(seen, "may not be read", name);
      assert.match(details.join(), /the account may not create pods\/portforward in namespace monitoring.*User "ci" cannot create/);
    }
  });

  it("says which pod could not be reached", async () => {
    const faults: Faults = { forwarding: (pod) => (pod === "thanos-querier-0" ? { refused: "connection refused" } : undefined) };
    const { report } = await reportOf(faults, 50);
    assert.match(report.checks.find(({ name }) => name === "stores")?.details.join() ?? "", /thanos-querier-0:9090: connection refused/);
  });

  it("waits until a stack that comes up is there", async () => {
    const faults: Faults = { notReady: ["prometheus-0"], targetDown: "prometheus-0", hash: (pod) => pod.length, forgets: false };
    let looks = 0;
    faults.answer = () => {
      if (looks++ > 40) {
        faults.notReady = [];
        faults.targetDown = "";
        faults.hash = () => 9;
      }
      return looks < 30 ? { status: 503, body: "starting" } : undefined;
    };
    assert.equal((await run(faults)).status, 0);
  });

  it("prints a line for each check, culprits below it, and what to open", async () => {
    const { printed } = await run({ targetDown: "thanos-receive-2" }, [], PATIENCE_MS);
    const lines = printed.split("\n");
    assert.match(lines.find((line) => line.includes("scrape targets")) ?? "", /^✘ scrape targets {7} +\d+\.\d s {2}4 of 5 up/);
    assert.match(printed, /^✔ nodes {16} +\d+\.\d s {2}1 of 1 Ready$/m);
    assert.match(printed, /^ {20,}thanos-receive http:\/\/thanos-receive-2\/metrics is down/m);
    assert.match(printed, /^1 of 8 checks fail: scrape targets$/m);
    assert.match(
      printed,
      /^queries {7}kubectl --kubeconfig \S+ --context dev --namespace monitoring port-forward service\/thanos-query-frontend 9090:9090$/m,
    );
  });

  it("doesn't begin without a stack, a context of the kubeconfig, or usable outputs", async () => {
    const errors: string[] = [];
    const { write } = process.stderr;
    process.stderr.write = (text: string | Uint8Array) => errors.push(String(text)) > 0;
    try {
      await run({});
      const kubeconfig = path.join(directory, `kubeconfig-${clusters}`);
      const bad = path.join(directory, "bad.json");
      await fs.writeFile(bad, JSON.stringify({ ...OUTPUTS, queryUrl: undefined }));
      assert.equal(await main([]), 2);
      assert.equal(await main(["--stack", "dev", "--timeout", "soon"]), 2);
      assert.equal(await main(["--stack", "dev", "--outputs", outputsFile, "--kubeconfig", kubeconfig, "--context", "nope"]), 2);
      assert.equal(await main(["--stack", "dev", "--outputs", bad, "--kubeconfig", kubeconfig, "--context", "dev"]), 2);
      assert.equal(await main(["--stack", "dev", "--outputs", path.join(directory, "none.json")]), 2);
    } finally {
      process.stderr.write = write;
    }
    assert.match(errors.join("\n"), /has no context "nope"; it has dev, elsewhere/);
    assert.match(errors.join("\n"), /queryUrl: missing/);
    assert.match(errors.join("\n"), /none\.json/);
  });

  it("parses durations", () => {
    assert.deepEqual(["90", "90s", "2m", "500ms", "1.5s"].map(parseDuration), [90_000, 90_000, 120_000, 500, 1_500]);
    for (const text of ["", "s", "1h", "-1s"]) {
      assert.throws(() => parseDuration(text), /a duration such as/);
    }
  });
});

describe("verify: selection", () => {
  let project: string;

  before(async () => {
    project = await fs.mkdtemp(path.join(tmpdir(), "project-"));
    await fs.writeFile(
      path.join(project, "Pulumi.dev.yaml"),
      "config:\n  thanos-stack:cluster:\n    name: dev\n    context: in-file\n    kubeconfig: /in/file\n",
    );
    await fs.writeFile(path.join(project, "Pulumi.bare.yaml"), "config: {}\n");
    await fs.writeFile(path.join(project, "Pulumi.broken.yaml"), "config: [\n");
    // Stands for the CLI: answers as it does, and records how it was called.
    const cli = [
      "#!/bin/sh",
      'echo "$@" >> "$(dirname "$0")/calls"',
      'case "$*" in',
      `  "stack output --json --stack dev "*) echo '${JSON.stringify(OUTPUTS)}' ;;`,
      `  "config get thanos-stack:cluster --stack bare "*) echo '{"context":"from-esc"}' ;;`,
      '  *) echo "error: no stack named $5" >&2; exit 255 ;;',
      "esac",
    ];
    await fs.writeFile(path.join(project, "pulumi"), `${cli.join("\n")}\n`, { mode: 0o755 });
  });
  after(() => fs.rm(project, { recursive: true }));

  function environment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
    return { PATH: `${project}:${process.env.PATH}`, ...more };
  }

  it("takes the cluster from flags, then the environment, then the stack file", async () => {
    const variables = environment({ THANOS_STACK_CONTEXT: "in-env", THANOS_STACK_KUBECONFIG: "/in/env" });
    assert.deepEqual(await selectCluster({ stack: "dev" }, project, environment()), { context: "in-file", kubeconfig: "/in/file" });
    assert.deepEqual(await selectCluster({ stack: "dev" }, project, variables), { context: "in-env", kubeconfig: "/in/env" });
    assert.deepEqual(await selectCluster({ stack: "dev", context: "flag" }, project, variables), {
      context: "flag",
      kubeconfig: "/in/env",
    });
    assert.deepEqual(await selectCluster({ stack: "dev", context: "flag", kubeconfig: "/flag" }, project, variables), {
      context: "flag",
      kubeconfig: "/flag",
    });
    assert.deepEqual(await selectCluster({ stack: "organization/thanos-stack/dev" }, project, environment({ THANOS_STACK_CONTEXT: "" })), {
      context: "in-file",
      kubeconfig: "/in/file",
    });
  });

  it("asks the CLI for a cluster that the stack file doesn't spell out", async () => {
    assert.deepEqual(await selectCluster({ stack: "bare" }, project, environment()), { context: "from-esc" });
  });

  it("never falls back to a current context", async () => {
    await assert.rejects(selectCluster({ stack: "unknown" }, project, environment()), /no context names the cluster of stack unknown/);
    await assert.rejects(selectCluster({ stack: "unknown", kubeconfig: "/flag" }, project, environment()), /no context names/);
  });

  it("says which stack file can't be parsed", async () => {
    await assert.rejects(selectCluster({ stack: "broken" }, project, environment()), /Pulumi\.broken\.yaml: /);
  });

  it("reads outputs from the CLI, in the project's directory", async () => {
    assert.deepEqual(await selectOutputs({ stack: "dev" }, project, environment()), { clusterLabel: "cluster", ...OUTPUTS });
    const calls = await fs.readFile(path.join(project, "calls"), "utf8");
    assert.ok(calls.includes(`stack output --json --stack dev --cwd ${project} --non-interactive\n`));
  });

  it("passes the CLI's own error on, and says when there is no CLI", async () => {
    await assert.rejects(selectOutputs({ stack: "nope" }, project, environment()), /pulumi stack output .*: error: no stack named nope/);
    await assert.rejects(selectOutputs({ stack: "dev" }, project, { PATH: "/nonexistent" }), /there is no pulumi on the PATH/);
  });

  it("prints a port-forward that a shell takes as it is, and no credentials", () => {
    const url = "http://a.b.svc.cluster.local:9090";
    assert.equal(
      portForward(url, { context: "it's", kubeconfig: "/home/a b/config" }),
      "kubectl --kubeconfig '/home/a b/config' --context 'it'\\''s' --namespace b port-forward service/a 9090:9090",
    );
    assert.equal(
      portForward(url, { context: "dev", kubeconfig: '{"users":[]}' }),
      "kubectl --context dev --namespace b port-forward service/a 9090:9090",
    );
  });
});
