import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { execa } from "execa";
import { marker } from "../../commands/report/markdown";
import { environment, loadProgram, openStack } from "../../sandbox/engine";
import type { ConfigOverlay } from "../../sandbox/overlay";
import { paths, REPOSITORY } from "../../sandbox/paths";
import { CONTEXT } from "../../sandbox/topology";
import { Cluster, failure, type KubernetesObject, up } from "./stack";

const NAMESPACE = "thanos-dev";
const RECEIVE = "thanos-stack:receive";
const PROMETHEUS = "thanos-stack:prometheus";

/** The SDK's host of inline programs, of which it publishes neither types nor a way to let the CLI itself use it. */
const { LanguageServer } = require("@pulumi/pulumi/automation/server") as {
  LanguageServer: new (program: () => Promise<unknown>) => object;
};
const { LanguageRuntimeService } = require("@pulumi/pulumi/proto/language_grpc_pb") as { LanguageRuntimeService: grpc.ServiceDefinition };

/**
 * Stands in for a language host, which this machine can't have: the program in this process, and the SDK's own runner for the policy pack.
 */
class Hosts {
  private readonly server = new grpc.Server({ "grpc.max_receive_message_length": -1 });
  private readonly directory = mkdtempSync(join(tmpdir(), "thanos-stack-preview-"));
  private address = "";

  async start(): Promise<void> {
    this.server.addService(LanguageRuntimeService, new LanguageServer(loadProgram) as grpc.UntypedServiceImplementation);
    const port = await new Promise<number>((resolve, reject) => {
      this.server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    this.address = `127.0.0.1:${port}`;
    const analyzer = join(this.directory, "pulumi-analyzer-policy-nodejs");
    writeFileSync(analyzer, `#!/bin/sh\nexec node "${require.resolve("@pulumi/pulumi/cmd/run-policy-pack")}" "$@"\n`);
    chmodSync(analyzer, 0o755);
  }

  file(name: string): string {
    return join(this.directory, name);
  }

  stop(): void {
    this.server.forceShutdown();
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** `npm run ci:preview`, as a CI calls it, for what the stack is configured to now. */
  async preview(stack: string, ...options: string[]): Promise<Preview> {
    const report = this.file(`report.${stack}.md`);
    const page = this.file(`report.${stack}.html`);
    for (const file of [report, page]) rmSync(file, { force: true });
    const engine = [`--client=${this.address}`, "--cwd", join(paths().pulumiWork, stack)];
    const result = await execa(
      "npm",
      ["run", "--silent", "ci:preview", "--", "--stack", stack, "--out", report, page, ...options, "--", ...engine],
      {
        cwd: REPOSITORY,
        env: { ...environment(), PATH: `${this.directory}:${environment().PATH}` },
        reject: false,
      },
    );
    const said = `${result.stdout}\n${result.stderr}`;
    assert.ok(existsSync(report), `there is no report: ${said}`);
    return { code: result.exitCode ?? -1, said, comment: readFileSync(report, "utf8"), page: readFileSync(page, "utf8") };
  }
}

interface Preview {
  code: number;
  said: string;
  comment: string;
  page: string;
}

describe("the preview of a pull request", function () {
  this.timeout(15 * 60_000);
  const cluster = new Cluster();
  const hosts = new Hosts();

  before(async () => {
    await up("dev");
    await hosts.start();
  });
  after(async () => {
    hosts.stop();
    // The next test finds the stack as it is configured here.
    await openStack("dev");
  });

  const proposed = async (overrides: ConfigOverlay, ...options: string[]) => {
    await openStack("dev", overrides);
    return hosts.preview("dev", ...options);
  };
  /** The wanted state of every object of the stack's. Their status goes on changing by itself; of what has none, every write counts. */
  const objects = async () => {
    const paths = [
      `apis/apps/v1/namespaces/${NAMESPACE}/statefulsets`,
      `apis/apps/v1/namespaces/${NAMESPACE}/deployments`,
      `api/v1/namespaces/${NAMESPACE}/configmaps`,
      "apis/rbac.authorization.k8s.io/v1/clusterroles",
    ];
    const lists = await Promise.all(
      paths.map((path) => cluster.list<KubernetesObject & { metadata: { generation?: number } }>(`/${path}`)),
    );
    return lists
      .flat()
      .filter(({ metadata: { name, namespace } }) => (namespace ?? name).startsWith(NAMESPACE))
      .map(({ metadata }) => `${metadata.name} ${metadata.uid} ${metadata.generation ?? metadata.resourceVersion}`)
      .sort();
  };

  it("says that nothing changes, and what there is", async () => {
    const { code, comment, page, said } = await proposed({}, "--policy-pack", "policy", "--expect-no-changes");
    assert.equal(code, 0, said);
    const [first, , title] = comment.split("\n");
    assert.equal(first, marker("dev"));
    assert.equal(title, "## ✅ `dev`: nothing changes");
    assert.doesNotMatch(comment, /Worse than|What changes|Refused|Policy|Not compared/);
    assert.match(comment, /\| any 1 node \| \*\*100 %\*\* \|/);
    assert.match(comment, /Pods 5 · CPU requests 0\.3 cores · Memory requests 2\.25 GiB/);
    assert.match(comment, /Prometheus ×1 → receivers ×3 \(3 replicas of each series\) → queriers ×1/);
    assert.match(page, /<svg /);
  });

  it("shows another retention as the one property that changes, with its values, and changes nothing", async () => {
    const before = await objects();
    const { code, comment, said } = await proposed({ [RECEIVE]: { retention: { time: "14d" } } }, "--policy-pack", "policy");
    assert.equal(code, 0, said);
    assert.match(comment, /^## 🔹 `dev`: 1 updated$/m);
    const rows = comment.split("\n").filter((line) => line.startsWith("| update |"));
    assert.equal(rows.length, 1, comment);
    assert.match(
      rows[0] ?? "",
      /`StatefulSet thanos-dev\/thanos-receive` \| `spec\.template\.spec\.containers\[0\]\.args\[\d+\]`: `--tsdb\.retention=15d` → `--tsdb\.retention=14d` \|$/,
    );
    assert.deepEqual(await objects(), before);
  });

  it("fails with another code where changes were not expected", async () => {
    const { code, said } = await proposed({ [RECEIVE]: { retention: { time: "14d" } } }, "--expect-no-changes");
    assert.equal(code, 3, said);
  });

  it("refuses a ring with fewer receivers than replicas", async () => {
    const { code, comment, said } = await proposed({ [RECEIVE]: { replicas: 2 } }, "--policy-pack", "policy");
    assert.equal(code, 1, said);
    assert.match(comment, /^## ⛔ `dev`: refused, nothing would be deployed$/m);
    assert.equal(comment.match(/receive\.replicas = 2: a ring needs as many receivers as replicas/g)?.length, 1, comment);
    assert.doesNotMatch(comment, /What changes/);
  });

  const LEAK = "sixteen-wet-horses";
  const leaking: ConfigOverlay = {
    [PROMETHEUS]: { externalLabels: { password: LEAK } },
  };

  it("names a broken rule, from the resources that the engine registers, without repeating the credential", async () => {
    const { code, comment, said } = await proposed(leaking);
    assert.equal(code, 2, said);
    assert.match(comment, /^## ⛔ `dev`: 1 rule is broken; 1 replaced, 1 updated/m);
    assert.match(
      comment,
      /- `credentials-are-secret` ConfigMap thanos-dev\/prometheus-config-\w+: prometheus\.yml holds a value of password; move it to a Secret/,
    );
    assert.ok(!comment.includes(LEAK));
  });

  it("is refused by the engine itself with the policy pack", async () => {
    const { code, comment, said } = await proposed(leaking, "--policy-pack", "policy");
    assert.equal(code, 2, said);
    assert.match(comment, /^## ⛔ `dev`: 1 rule is broken; the engine stopped at it$/m);
    assert.match(comment, /- `credentials-are-secret` ConfigMap/);
    assert.ok(!comment.includes(LEAK));
  });

  describe("of prod, whose credentials are encrypted in the stack file", () => {
    const CREDENTIALS = "thanos-stack:objectStorageCredentials";
    let known: boolean;
    let prod: Awaited<ReturnType<typeof openStack>>;
    before(() => {
      known = existsSync(join(paths().pulumiBackend, ".pulumi", "stacks", "thanos-stack", "prod.json"));
    });
    after(async () => {
      if (known) await openStack("prod");
      else await prod.workspace.removeStack("prod");
    });
    /** The preview, in which no credential is to be read. */
    const proposedProd = async (overrides: ConfigOverlay) => {
      prod = await openStack("prod", overrides);
      const found = await hosts.preview("prod", "--policy-pack", "policy");
      const { value, secret } = await prod.getConfig(CREDENTIALS);
      assert.equal(secret, true);
      for (const credential of Object.values(JSON.parse(value) as Record<string, string>)) {
        for (const text of [found.said, found.comment, found.page]) assert.ok(!text.includes(credential), "a credential is shown");
      }
      return found;
    };
    const PLAN = [/^### What it survives$/m, /^### Topology$/m, /required: any 1 node and any 1 zone/];

    it("says what the plan survives and shows its topology", async () => {
      const { code, comment, said } = await proposedProd({});
      assert.equal(code, 0, said);
      for (const part of PLAN) assert.match(comment, part);
      assert.doesNotMatch(comment, /could not be run|encrypted|Refused/);
    });

    it("names a broken rule at which the engine stopped, beside what the plan survives", async () => {
      const { code, comment, said } = await proposedProd(leaking);
      assert.equal(code, 2, said);
      assert.match(comment, /^## ⛔ `prod`: 1 rule is broken; the engine stopped at it$/m);
      assert.match(
        comment,
        // By the program's own name: the engine, which adds a suffix, told nothing of it.
        /- `credentials-are-secret` ConfigMap thanos-prod\/prometheus-config: prometheus\.yml holds a value of password/,
      );
      for (const part of PLAN) assert.match(comment, part);
      assert.ok(!comment.includes(LEAK));
    });

    it("refuses a secret under any other key by its path, without showing it", async () => {
      prod = await openStack("prod", leaking);
      await prod.setConfig(`${PROMETHEUS}.externalLabels.password`, { value: LEAK, secret: true }, true);
      const { code, comment, page, said } = await hosts.preview("prod", "--policy-pack", "policy");
      assert.equal(code, 1, said);
      assert.equal(
        comment.match(/- prometheus[\w.[\]]* = "\(secret\)": this is encrypted, and only objectStorageCredentials and credentials may be/g)
          ?.length,
        1,
        comment,
      );
      for (const text of [said, comment, page]) assert.ok(!text.includes(LEAK));
    });

    it("refuses what survives less than the environment declares", async () => {
      const { code, comment, said } = await proposedProd({ "thanos-stack:querier": { replicas: 1 } });
      assert.equal(code, 1, said);
      assert.match(comment, /survives\.nodes = 1: the plan survives the loss of 0 nodes, since 1 node can take all queriers \(1\)/);
    });
  });

  it("says what gets worse than what is deployed", async () => {
    const { code, comment, said } = await proposed({
      "thanos-stack:accepts": ["replicas-on-one-node", "data-loss"],
      [RECEIVE]: { replicationFactor: 1 },
    });
    assert.equal(code, 0, said);
    assert.match(comment, /^## ⚠️ `dev`: survives less than before; /m);
    assert.match(comment, /- a step of a rolling restart: writes are refused, before accepted/);
  });

  describe("with an account that may only read", () => {
    let restricted: ConfigOverlay;
    const kubectl = (...args: string[]) => execa("kubectl", args, { cwd: REPOSITORY, env: environment() });
    const role = "deploy/ci/preview-role.yaml";
    const binding = "deploy/ci/preview-binding.yaml";

    before(async () => {
      await kubectl("apply", "-f", role);
      for (const namespace of [NAMESPACE, `${NAMESPACE}-volumes`]) await kubectl("apply", "-n", namespace, "-f", binding);
      const { stdout: token } = await kubectl("-n", "thanos-stack-ci", "create", "token", "preview");
      const { stdout: text } = await kubectl("config", "view", "--raw", "--minify", "-o", "json", "--context", CONTEXT);
      const config = JSON.parse(text) as { users: { name: string; user: unknown }[] };
      const file = hosts.file("kubeconfig");
      restricted = { "thanos-stack:cluster": { kubeconfig: file } };
      // As in a CI, whose jobs find their account's kubeconfig at one path: the engine remembers the path, and a refresh goes by it.
      writeFileSync(file, text, { mode: 0o600 });
      await up("dev", restricted);
      writeFileSync(file, JSON.stringify({ ...config, users: config.users.map(({ name }) => ({ name, user: { token } })) }));
    });
    after(async () => {
      await up("dev");
      for (const namespace of [NAMESPACE, `${NAMESPACE}-volumes`]) {
        await kubectl("delete", "-n", namespace, "--ignore-not-found", "-f", binding);
      }
      await kubectl("delete", "--ignore-not-found", "-f", role);
    });

    it("previews that nothing changes", async () => {
      const { code, comment, said } = await proposed(restricted, "--expect-no-changes");
      assert.equal(code, 0, said);
      assert.match(comment, /^## ✅ `dev`: nothing changes$/m);
    });

    it("previews a change, and says that the API server has not checked it", async () => {
      const { code, comment, said } = await proposed({ ...restricted, [RECEIVE]: { retention: { time: "14d" } } });
      assert.equal(code, 0, said);
      assert.match(comment, /^## 🔹 `dev`: 1 updated$/m);
      assert.match(comment, /`--tsdb\.retention=15d` → `--tsdb\.retention=14d`/);
      assert.match(comment, /The API server did not check 1 of the 1 changes.*patch statefulsets in thanos-dev/);
    });

    it("warns of pods for which the cluster has no node", async () => {
      const { code, comment, said } = await proposed({ ...restricted, "thanos-stack:pods": { nodeSelector: { pool: "monitoring" } } });
      assert.equal(code, 0, said);
      assert.match(comment, /Would stay Pending: .*thanos-receive-0.*: the node of its directory, \S+, without the label pool=monitoring/);
      assert.match(comment, /Would stay Pending: 1 of 1 pods of thanos-querier: 0 of the cluster's \d+ nodes can take them/);
      assert.match(comment, /counts on 1 node with pool=monitoring/);
    });

    it("previews new objects and a removal", async () => {
      const { code, comment, said } = await proposed({ ...restricted, [RECEIVE]: { replicas: 4 } });
      assert.equal(code, 0, said);
      assert.match(comment, /\| create \| `PersistentVolume thanos-dev-thanos-receive-3`/);
    });

    it("finds nothing amiss in the cluster", async () => {
      const { code, comment, said } = await proposed(restricted, "--refresh", "--expect-no-changes");
      assert.equal(code, 0, said);
      assert.match(comment, /^## ✅ `dev`: nothing changes$/m);
    });

    it("can't deploy, and changes nothing", async () => {
      const before = await objects();
      const stack = await openStack("dev", { ...restricted, [RECEIVE]: { retention: { time: "14d" } } });
      assert.match(await failure(() => stack.up()), /forbidden/);
      assert.deepEqual(await objects(), before);
    });

    it("can't read what it need not", async () => {
      const file = hosts.file("kubeconfig");
      for (const [verb, what] of [
        ["get", "secrets"],
        ["list", "secrets"],
        ["watch", "pods"],
        ["get", "pods/log"],
        ["create", "pods/exec"],
        ["patch", "statefulsets.apps"],
        ["delete", "persistentvolumeclaims"],
        ["escalate", "clusterroles"],
      ] as const) {
        const { stdout } = await execa("kubectl", ["auth", "can-i", verb, what, "-n", NAMESPACE, "--kubeconfig", file], {
          env: environment(),
          reject: false,
        });
        assert.equal(stdout, "no", `${verb} ${what}`);
      }
    });
  });

  describe("every night", () => {
    const kubectl = (...args: string[]) => execa("kubectl", ["-n", NAMESPACE, ...args], { env: environment() });
    const repaired = async () => (await openStack("dev")).up({ refresh: true });

    it("finds that somebody has removed an object", async () => {
      await kubectl("delete", "poddisruptionbudget", "thanos-receive");
      const { code, comment, said } = await proposed({}, "--refresh", "--expect-no-changes");
      assert.equal(code, 3, said);
      assert.match(comment, /^\| create \| `PodDisruptionBudget thanos-dev\/thanos-receive` \|/m);
      await repaired();
      assert.equal((await proposed({}, "--refresh", "--expect-no-changes")).code, 0);
    });

    it("finds that somebody has taken a field over, and says who", async () => {
      // Of what it has only created so far the provider says no conflict before the update itself.
      const limited = { [RECEIVE]: { limits: { maxConcurrency: 7 } } };
      await up("dev", limited);
      const theirs = JSON.stringify({ data: { "limits.yaml": "write: {}" } });
      await kubectl("patch", "configmap", "thanos-receive-limits", "--type=merge", "--field-manager=somebody", "-p", theirs);
      try {
        const { code, comment, said } = await proposed(limited, "--refresh", "--expect-no-changes");
        assert.equal(code, 1, said);
        assert.match(
          comment,
          /ConfigMap thanos-dev\/thanos-receive-limits: another field manager owns what this change sets: \.data\.limits\.yaml is managed by "somebody"/,
        );
      } finally {
        // Another value alone would leave the field to somebody.
        await kubectl("delete", "configmap", "thanos-receive-limits");
        await repaired();
      }
    });
  });
});
