import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { previewArguments, previewOf } from "../../../commands/ciPreview";
import { buildReport, type Report } from "../../../commands/report/build";
import { at, changesOf } from "../../../commands/report/changes";
import { LONGEST_DIAGRAM, topologyDiagram } from "../../../commands/report/diagram";
import { code, escaped } from "../../../commands/report/escaping";
import { EXIT, exitCodeOf } from "../../../commands/report/exitCode";
import { headline, verdictOf } from "../../../commands/report/headline";
import { htmlReport } from "../../../commands/report/html";
import { LARGEST_COMMENT, markdownReport, marker } from "../../../commands/report/markdown";
import { readPreview } from "../../../commands/report/preview";
import { bytes, requestRows, requestsOf } from "../../../commands/report/requests";
import { type Topology, topologyLine, topologyOf, topologySvg } from "../../../commands/report/topology";
import type { Availability } from "../../../model/availability/types";
import { LOSS_NAMES } from "../../../model/availability/words";
import { AUTOSCALED, EXTRA, HISTORY, NETWORKS, SIDECAR, SIDECAR_DEV } from "../../components/plans";
import { type Overrides, run, type Stack } from "../../harness";
import { type Digest, type Step, stepOf, unchanged } from "./previews";
import { malformation } from "./xml";

const previewFrom = (digest: Digest) => readPreview(JSON.stringify(digest));
const reportOf = (digest: Digest, stack = "prod") => buildReport({ stack, preview: previewFrom(digest) });

/** A preview in which one receivers' StatefulSet gets another retention. */
async function retention(): Promise<Digest> {
  const digest = await unchanged("prod", { receive: { retention: { time: "30h" } } });
  const step = stepOf(digest, "thanos-receive-z1");
  const args = (at(step.newState, "inputs.spec.template.spec.containers[0].args") ?? []) as string[];
  const index = args.indexOf("--tsdb.retention=30h");
  assert.ok(index >= 0);
  args[index] = "--tsdb.retention=31h";
  return Object.assign(digest, {
    steps: digest.steps.map((each) =>
      each === step
        ? {
            ...each,
            op: "update",
            diffReasons: ["spec"],
            detailedDiff: { [`spec.template.spec.containers[0].args[${index}]`]: { kind: "update", inputDiff: true } },
          }
        : each,
    ),
  });
}

describe("a property's path", () => {
  it("is followed through keys of any text, as the engine writes them", () => {
    const key = 'a"b\\\u001b.c';
    assert.equal(at({ data: { [key]: 1 } }, `data["${key.replaceAll('"', '\\"')}"]`), 1);
  });
});

describe("a report", () => {
  it("of a preview that only looks at what somebody else made says that nothing changes", async () => {
    const digest = await unchanged("prod", { existingNamespace: true });
    const type = "kubernetes:core/v1:Namespace";
    const state = { type, custom: true, external: true, inputs: { metadata: { name: "thanos-prod" } } };
    digest.steps.push({ op: "read", urn: `urn:pulumi:prod::thanos-stack::${type}::namespace`, oldState: state, newState: state });
    assert.equal(headline(await reportOf(digest)), "nothing changes");
  });

  it("of a preview without changes says so", async () => {
    const report = await reportOf(await unchanged("prod"));
    assert.equal(headline(report), "nothing changes");
    assert.deepEqual(report.worse, []);
    assert.deepEqual(report.notes, []);
    const text = markdownReport(report);
    assert.equal(text.split("\n")[0], marker("prod"));
    assert.match(text, /## ✅ `prod`: nothing changes/);
    assert.match(text, /Survives the loss of any 1 node or any 1 zone: .* \(required: any 1 node and any 1 zone\)/);
    assert.match(text, /\| any 2 nodes<br><sub>worst: thanos-receive-z1-0, thanos-receive-z2-0<\/sub> \| \*\*100 %\*\* \| 0 % \|/);
    assert.doesNotMatch(text, /What changes|Policy|Refused|Worse/);
    assert.match(text, /Pods 20 · CPU requests 4\.2 cores · Memory requests 16\.88 GiB · Persistent volumes 330 GiB/);
  });

  it("shows what changes, with old and new value", async () => {
    const text = markdownReport(await reportOf(await retention()));
    assert.match(text, /## 🔹 `prod`: 1 updated/);
    assert.match(
      text,
      /\| update \| `StatefulSet thanos-prod\/thanos-receive-z1` \| `spec\.template\.spec\.containers\[0\]\.args\[\d+\]`: `--tsdb\.retention=30h` → `--tsdb\.retention=31h` \|/,
    );
  });

  it("puts what is deleted and replaced on top, each resource once", async () => {
    const digest = await retention();
    const claim = stepOf(digest, "thanos-receive-z2");
    const gone = stepOf(digest, "querier", "Deployment");
    digest.steps = digest.steps.flatMap((each): Step[] => {
      if (each === gone) return [{ op: "delete", urn: each.urn, oldState: each.oldState }];
      if (each !== claim) return [each];
      const replaced = {
        ...each,
        replaceReasons: ["spec"],
        detailedDiff: { "spec.volumeClaimTemplates[0].spec.resources.requests.storage": { kind: "update-replace", inputDiff: true } },
      };
      return ["delete-replaced", "replace", "create-replacement"].map((op) => ({ ...(op === "delete-replaced" ? each : replaced), op }));
    });
    const changes = changesOf(previewFrom(digest));
    assert.deepEqual(
      changes.map(({ operation, resource }) => `${operation} ${resource}`),
      [
        "delete Deployment thanos-prod/thanos-querier",
        "replace StatefulSet thanos-prod/thanos-receive-z2",
        "update StatefulSet thanos-prod/thanos-receive-z1",
      ],
    );
    const report = await reportOf(digest);
    assert.equal(headline(report), "1 deleted, 1 replaced, 1 updated");
    assert.equal(verdictOf(report), "destructive");
    assert.match(markdownReport(report), /\| \*\*replace\*\* \| .*requests\.storage`.*\(forces replacement\)/);
  });

  it("tells what is worse than the last deployment", async () => {
    const report = await reportOf(await unchanged("prod", { survives: undefined, querier: { replicas: 1 } }, {}));
    assert.equal(verdictOf(report), "worse");
    assert.match(markdownReport(report), /\*\*Worse than the last deployment\*\*\n\n- survives the loss of 0 nodes, before 1: /);
  });

  it("names losses, and what surviving means, as the preview's lines do", async () => {
    const { summary } = (await run("dev")).outputs.availability as Availability;
    const lost = Object.values(LOSS_NAMES).filter((name) => summary.some((line) => line.startsWith(`${name}: `)));
    assert.ok(lost.includes("a drain") && lost.includes("1 querier"), lost.join());
    const report = await buildReport({ stack: "dev", deployed: { outputs: {} } });
    for (const name of lost) {
      assert.ok(markdownReport(report).includes(`\n| ${name} |`), name);
      assert.ok(htmlReport(report).includes(`<td class="">${name}</td>`), name);
    }
    const sidecar = (await run(SIDECAR.stack, SIDECAR.overrides)).outputs.availability as Availability;
    const [line = ""] = sidecar.summary;
    const text = markdownReport({ ...report, survival: sidecar });
    assert.match(line, /: every target scraped, /);
    assert.ok(text.includes(`S${line.slice(1)} (`), line);
  });

  it("says when there is nothing to compare with, and why", async () => {
    const first = await unchanged("prod");
    for (const step of first.steps) Object.assign(step, { op: "create", oldState: undefined });
    const report = await reportOf(first);
    assert.match(report.notes.join(), /first deployment/);
    assert.equal(report.worse, undefined);
    assert.equal(report.requests?.before, undefined);
    const away = await buildReport({ stack: "prod", deployed: { unknown: "the Pulumi CLI is not on PATH" } });
    assert.deepEqual(away.notes, ["Not compared with the last deployment: the Pulumi CLI is not on PATH"]);
    const foreign = await buildReport({ stack: "prod", deployed: { outputs: { availability: { scenarios: 3 } } } });
    assert.match(foreign.notes.join(), /of another form/);
    const older = await buildReport({ stack: "prod", deployed: { outputs: {} } });
    assert.match(older.notes.join(), /no output `availability`/);
  });

  it("without a preview compares with the outputs it is given", async () => {
    const { outputs } = await run("prod");
    const report = await buildReport({ stack: "prod", deployed: { outputs } });
    assert.deepEqual(report.worse, []);
    assert.equal(report.changes, undefined);
    assert.match(markdownReport(report), /plan only, no preview was made/);
  });

  it("of a refused plan gives the reason once and no table of changes", async () => {
    const digest = await unchanged("prod");
    const message = "error: Pulumi.prod.yaml: 1 problem, nothing was changed:\n  - receive.replicas = 2: a ring needs three";
    digest.diagnostics = [
      { severity: "error", message: `\u001b[31m${message}\u001b[0m\n`, urn: digest.steps[0]?.urn ?? "" },
      { severity: "error", message },
      { severity: "error", message: "preview failed" },
    ];
    digest.config["thanos-stack:receive"] = JSON.stringify({ replicas: 2, storage: { pvc: { size: "1Gi" } } });
    digest.steps = digest.steps.slice(0, 1);
    const report = await reportOf(digest);
    assert.equal(verdictOf(report), "refused");
    assert.equal(report.problems.filter((problem) => problem.includes("a ring needs three")).length, 1);
    assert.equal(report.survival, undefined);
    const text = markdownReport(report);
    assert.match(text, /```text\nPulumi\.prod\.yaml: 1 problem/);
    assert.doesNotMatch(text, /What changes/);
  });

  it("applies the rules to what the engine plans, not to what goes", async () => {
    const digest = await unchanged("prod");
    const service = stepOf(digest, "querier", "core/v1:Service");
    const bad = structuredClone(service.newState ?? {});
    Object.assign((bad.inputs as { spec: object }).spec, { type: "LoadBalancer" });
    digest.steps = digest.steps.map((each) => (each === service ? { ...each, op: "update", newState: bad } : each));
    const report = await reportOf(digest);
    assert.deepEqual(
      report.violations.map(({ rule, resource }) => `${rule} ${resource}`),
      ["services-stay-inside Service thanos-prod/thanos-querier"],
    );
    assert.equal(verdictOf(report), "violation");
    assert.match(markdownReport(report), /- `services-stay-inside` Service thanos-prod\/thanos-querier: it is a LoadBalancer/);
    digest.steps = digest.steps.map((each) =>
      each.urn === service.urn ? { ...each, op: "delete", newState: undefined, oldState: bad } : each,
    );
    assert.deepEqual((await reportOf(digest)).violations, []);
  });

  it("sums what the plan takes, before and after", async () => {
    const digest = await unchanged("prod");
    const step = stepOf(digest, "receive-router", "Deployment");
    Object.assign(at(step.newState, "inputs.spec") as object, { replicas: 4 });
    step.op = "update";
    const text = markdownReport(await reportOf(digest));
    assert.match(text, /Pods 20 → \*\*22\*\* · CPU requests 4\.2 cores → \*\*4\.4 cores\*\*/);
    assert.match(text, /Persistent volumes 330 GiB$/m);
  });

  it("lists what nobody but the policies has judged", async () => {
    const heading = /Not checked by this program/;
    const report = await reportOf(await unchanged("prod", EXTRA.overrides));
    assert.deepEqual(report.violations, []);
    const comment = markdownReport(report);
    assert.match(comment, /^### Not checked by this program$/m);
    assert.match(comment, /^- querier\.extra\.args: --query\.lookback-delta$/m);
    assert.match(htmlReport(report), /<h2>Not checked by this program<\/h2><ul><li>receive\.extra\.args: /);
    const without = await reportOf(await unchanged("prod"));
    for (const write of [markdownReport, htmlReport]) assert.doesNotMatch(write(without), heading);
  });

  it("says what it is told to say, and the warnings of the preview", async () => {
    const digest = await retention();
    digest.diagnostics = [
      { severity: "warning", urn: "", message: "warning: using pulumi-analyzer-policy-nodejs from $PATH at /x" },
      { severity: "warning", urn: "", message: "warning: look at this" },
    ];
    const { notes } = await buildReport({ stack: "prod", preview: previewFrom(digest), notes: ["look at that"] });
    assert.deepEqual(notes, ["look at that", "Warning: look at this"]);
  });

  it("counts another place of the kubeconfig as no change", async () => {
    const digest = await unchanged("prod");
    const provider = stepOf(digest, "cluster");
    Object.assign(provider, { op: "update", diffReasons: ["kubeconfig"], detailedDiff: null });
    assert.deepEqual(changesOf(previewFrom(digest)), []);
    Object.assign(provider, { diffReasons: ["kubeconfig", "namespace"] });
    assert.equal(changesOf(previewFrom(digest)).length, 1);
  });

  it("does without secret configuration values", async () => {
    const digest = await unchanged("prod");
    digest.config["thanos-stack:objectStorageCredentials"] = "[secret]";
    const report = await reportOf(digest);
    assert.ok(report.survival !== undefined && report.topology !== undefined && report.worse !== undefined);
    assert.deepEqual(report.notes, []);
  });

  it("of many changes stays short enough for a comment", async () => {
    const digest = await unchanged("prod");
    const paths = Object.fromEntries(
      Array.from({ length: 40 }, (_, index) => [`spec.path[${index}]`, { kind: "update", inputDiff: true }]),
    );
    for (const step of digest.steps.slice(1)) Object.assign(step, { op: "update", detailedDiff: paths });
    const report = await reportOf(digest);
    const text = markdownReport(report);
    assert.ok(text.length < 20_000, `${text.length} characters`);
    assert.match(text, /…and \d+ more, all in the HTML report/);
    assert.equal(htmlReport(report).match(/<tr><td>update<\/td>/g)?.length, digest.steps.length - 1);
  });

  it("has its picture in the comment, and leads nowhere", async () => {
    const report = await reportOf(await unchanged("prod"));
    const text = markdownReport(report);
    assert.match(text, /^```mermaid\nflowchart LR\n[\s\S]+?\n```$/m);
    assert.doesNotMatch(text, /\]\(|\b(?:src|href)=/);
    assert.match(htmlReport(report), /<svg /);
    // One line of a refusal may be as long as a comment.
    const long = markdownReport({ ...report, problems: ["x".repeat(LARGEST_COMMENT - text.length + 100)] });
    assert.doesNotMatch(long, /mermaid/);
    assert.match(long, /### Topology\n\nPrometheus ×2/);
    const script = readFileSync(resolve(__dirname, "..", "..", "..", ".github", "scripts", "comment.sh"), "utf8");
    assert.match(script, new RegExp(`^largest=${LARGEST_COMMENT}$`, "m"));
  });

  it("lets no text of the plan become markup", async () => {
    const report: Report = {
      stack: "prod",
      previewed: true,
      problems: ["```\n<script>alert(1)</script> @team"],
      violations: [{ rule: "r", resource: "Pod a|b", message: "<img src=x> @everyone | `x`" }],
      changes: [
        { operation: "update", type: "t", resource: "Pod `a`|b", properties: [{ path: "a|b", from: "<b>", to: "x`y", replaces: false }] },
      ],
      declared: { nodes: 0, zones: 0 },
      notes: ["<i>"],
    };
    const text = markdownReport(report);
    const outside = text.replace(/^(`{3,})[^\n]*\n[\s\S]*?\n\1$/gm, "");
    assert.doesNotMatch(outside, /<script|<img|<i>|@/);
    assert.match(text, /````text\n```\n/);
    for (const row of outside.split("\n").filter((line) => line.startsWith("| update"))) {
      assert.equal(row.replace(/\\\|/g, "").split("|").length, 5, row);
    }
    const page = htmlReport(report);
    assert.doesNotMatch(page, /<script|<img|<i>|<b>/);
    assert.equal(
      malformation(
        page
          .replace(/^<!doctype html>/, "")
          .replace(/<meta [^>]*>/g, "")
          .replace(/<br>/g, ""),
      ),
      undefined,
    );
  });
});

describe("the picture of the topology", () => {
  interface Drawing {
    what: string;
    stack: Stack;
    overrides: Overrides;
    /** Texts of the picture. */
    shows: string[];
    /** Texts that the picture does not have. */
    hides?: RegExp;
    line: string;
  }
  const ONE_NODE = /Routers|frontends|Store gateways|sidecars/;
  const drawings: Drawing[] = [
    {
      what: "routers, zones, a bucket and frontends",
      stack: "prod",
      overrides: {},
      shows: [
        "Routers",
        "zone z1",
        "thanos-receive-z3-0",
        "Store gateways",
        "×2, a bucket",
        "Query frontends",
        "never two on a node",
        "Other senders",
      ],
      hides: /sidecars/,
      line: "Prometheus ×2 → routers ×2 → receivers z1 ×1, z2 ×1, z3 ×1 (3 replicas of each series) and store gateways ×2 over a bucket → queriers ×2 → query frontends ×2",
    },
    {
      what: "one node",
      stack: "dev",
      overrides: {},
      shows: ["thanos-receive-2", "no zones", "several may share a node"],
      hides: ONE_NODE,
      line: "Prometheus ×1 → receivers ×3 (3 replicas of each series) → queriers ×1",
    },
    {
      what: "more receivers than fit",
      stack: "prod",
      overrides: { receive: { replicas: 30 }, objectStorage: undefined },
      shows: ["thanos-receive-z1-0", "and 5 more"],
      hides: /Store gateways/,
      line: "Prometheus ×2 → routers ×2 → receivers z1 ×10, z2 ×10, z3 ×10 (3 replicas of each series) → queriers ×2 → query frontends ×2",
    },
    {
      what: "rings of tenants",
      stack: "prod",
      overrides: { receive: { hashrings: [{ name: "big", tenants: ["shop"], replicas: 3 }] } },
      shows: ["hashring big", "hashring default"],
      line: "Prometheus ×2 → routers ×2 → receivers of big z1 ×1, z2 ×1, z3 ×1; receivers of default z1 ×1, z2 ×1, z3 ×1 (3 replicas of each series) and store gateways ×2 over a bucket → queriers ×2 → query frontends ×2",
    },
    {
      what: "every part of a bucket",
      stack: HISTORY.stack,
      overrides: HISTORY.overrides,
      shows: ["Store gateways", "×4, a bucket"],
      line: "Prometheus ×2 → routers ×2 → receivers z1 ×1, z2 ×1, z3 ×1 (3 replicas of each series) and store gateways ×4 over a bucket → queriers ×2 → query frontends ×2",
    },
    {
      what: "numbers that follow the load",
      stack: AUTOSCALED.stack,
      overrides: AUTOSCALED.overrides,
      shows: ["×2 to 8", "×3 to 12", "×2 to 4"],
      line: "Prometheus ×2 → routers ×2 to 8 → receivers z1 ×1, z2 ×1, z3 ×1 (3 replicas of each series) and store gateways ×2 over a bucket → queriers ×3 to 12 → query frontends ×2 to 4",
    },
    {
      what: "one Prometheus with its sidecar, which nobody writes to",
      stack: SIDECAR_DEV.stack,
      overrides: SIDECAR_DEV.overrides,
      shows: ["Prometheus, sidecars", "×1", "StoreAPI", "Queriers", "People"],
      hides: /remote write|Other senders|hashring|zone|Routers|Store gateways|frontends|share a node/,
      line: "Prometheus ×1 with sidecars → queriers ×1",
    },
    {
      what: "shards of pairs with sidecars, over a bucket",
      stack: SIDECAR.stack,
      overrides: SIDECAR.overrides,
      shows: ["Prometheus, sidecars", "×4, 2 shards", "Store gateways", "×6, a bucket", "StoreAPI", "Query frontends"],
      hides: /remote write|Other senders|hashring|Routers/,
      line: "Prometheus ×4 with sidecars and store gateways ×6 over a bucket → queriers ×2 → query frontends ×2",
    },
  ];
  for (const { what, stack, overrides, shows, hides, line } of drawings) {
    it(`shows ${what}`, async () => {
      const { resources, outputs } = await run(stack, overrides);
      const of = topologyOf(
        resources.map((each) => ({ ...each, protect: false })),
        outputs,
      );
      assert.ok(of !== undefined);
      const svg = topologySvg(of);
      for (const text of shows) assert.ok(svg.includes(`>${text}<`), `${text} in ${svg}`);
      if (hides !== undefined) assert.doesNotMatch(svg.replace(/<style>.*?<\/style>/s, "").replace(/ class="[^"]*"/g, ""), hides);
      const diagram = topologyDiagram(of);
      for (const text of shows) assert.match(diagram, new RegExp(`["|>]${text}["|<]`));
      if (hides !== undefined) assert.doesNotMatch(diagram, hides);
      assert.equal(malformation(svg), undefined);
      const [, width, height] = /viewBox="0 0 ([\d.]+) ([\d.]+)"/.exec(svg) ?? [];
      assert.ok(Number(width) < 1_400 && Number(height) < 1_600, `${width} by ${height}`);
      assert.equal(topologyLine(of), line);
    });
  }

  /** Rings of so many zones of so many receivers. */
  const rings = (count: number, zones: number, pods: number): Topology => ({
    prometheus: { replicas: 2, shards: 3 },
    routers: { least: 4, most: 4 },
    replicationFactor: 3,
    rings: Array.from({ length: count }, (_, ring) => ({
      name: `tenants-${ring}`,
      zones: Array.from({ length: zones }, (__, zone) => ({
        zone: `eu-central-1${zone}`,
        pods: Array.from({ length: pods }, (___, pod) => `thanos-receive-tenants-${ring}-eu-central-1${zone}-${pod}`),
      })),
      separateNodes: true,
    })),
    storeGateways: 6,
    queriers: { least: 3, most: 3 },
    frontends: { least: 2, most: 2 },
    further: [],
    encrypted: false,
  });

  it("counts in a comment what a diagram has no room for: receivers by zone, zones by ring, rings", () => {
    const large: [Topology, RegExp][] = [
      [rings(1, 3, 16), /"zone eu-central-10<br\/>(thanos-receive-tenants-0-eu-central-10-\d<br\/>){5}and 11 more"/],
      [rings(3, 3, 10), /"zone eu-central-12<br\/>×10"/],
      [rings(8, 3, 10), /"hashring tenants-7<br\/>×30, 3 zones<br\/>3 replicas of each series"/],
      [rings(99, 9, 99), /"Receivers<br\/>×88209, 99 hashrings, 3 replicas of each series"/],
    ];
    for (const [topology, shown] of large) {
      const diagram = topologyDiagram(topology);
      assert.match(diagram, shown);
      assert.ok(diagram.length < LONGEST_DIAGRAM, `${diagram.length} characters`);
    }
  });

  it("leads from each stage to the next, and to the bucket from nowhere", () => {
    const ways = topologyDiagram(rings(1, 1, 1)).match(/^\w+ -->\|"[^"]*"\| \w+$/gm);
    assert.deepEqual(ways, [
      'a0 -->|"remote write"| b0',
      'a1 -->|"remote write"| b0',
      'b0 -->|"×3"| c0',
      'c0 -->|"StoreAPI"| d0',
      'c1 -->|"StoreAPI"| d0',
      'd0 -->|"PromQL"| e0',
      'e0 -->|"queries"| f0',
    ]);
  });

  it("tells of connections that the environment adds, in a comment and in the page", async () => {
    for (const existingNamespace of [false, true]) {
      const { resources, outputs } = await run(NETWORKS.stack, { ...NETWORKS.overrides, existingNamespace });
      const of = topologyOf(
        resources.map((each) => ({ ...each, protect: false })),
        outputs,
      );
      assert.deepEqual(of?.further.sort(), [
        "fd00:6::/64 → store-gateway, port 10901",
        "ingress → prometheus, port 9090",
        "receive → fd00:7::/64, 10.7.0.0/16, port 4317",
        "receive → fd00:7::/64, 10.7.0.0/16, port 4318",
      ]);
      const report: Report = {
        stack: "prod",
        previewed: false,
        problems: [],
        violations: [],
        declared: { nodes: 0, zones: 0 },
        topology: of,
        notes: [],
      };
      for (const page of [markdownReport(report), htmlReport(report)]) assert.match(page, /Further connections, by network.*store-gateway/);
    }
    const { resources, outputs } = await run("prod");
    assert.deepEqual(
      topologyOf(
        resources.map((each) => ({ ...each, protect: false })),
        outputs,
      )?.further,
      [],
    );
  });

  it("says which ways are encrypted", () => {
    const drawn = { ...rings(1, 1, 1), encrypted: true };
    const ways = [...topologyDiagram(drawn).matchAll(/-->\|"([^"]*)"\|/g)].map(([, way]) => way);
    assert.deepEqual(ways, ["remote write, TLS", "remote write, TLS", "×3, TLS", "StoreAPI, TLS", "StoreAPI, TLS", "PromQL", "queries"]);
  });

  it("is none for outputs of another program", () => assert.equal(topologyOf([], { url: "https://example" }), undefined));
});

describe("figures of a report", () => {
  it("of bytes are in the unit that makes them short", () => {
    assert.deepEqual([0, 512, 2 ** 30, 190 * 2 ** 30, 1.5 * 2 ** 40].map(bytes), ["none", "512 B", "1 GiB", "190 GiB", "1.5 TiB"]);
  });

  it("sum replicas, and leave out jobs", () => {
    const pod = (cpu: unknown) => ({ spec: { containers: [{ resources: { requests: { cpu, memory: "1Gi" } } }] } });
    const sum = requestsOf([
      { type: "kubernetes:apps/v1:Deployment", name: "a", protect: false, inputs: { spec: { replicas: 3, template: pod("100m") } } },
      { type: "kubernetes:apps/v1:StatefulSet", name: "b", protect: false, inputs: { spec: { template: pod(1.5) } } },
      { type: "kubernetes:batch/v1:Job", name: "c", protect: false, inputs: { spec: { template: pod("8") } } },
      { type: "kubernetes:core/v1:Service", name: "d", protect: false, inputs: {} },
    ]);
    assert.deepEqual(sum, { pods: 4, cpu: 1.8, memory: 4 * 2 ** 30, storage: 0, directories: 0 });
  });

  it("sum what follows its load at its most, and say what of it there is at least", () => {
    const pod = { spec: { containers: [{ resources: { requests: { cpu: "100m", memory: "1Gi" } } }] } };
    const made = [
      { type: "kubernetes:apps/v1:Deployment", name: "a", protect: false, inputs: { metadata: { name: "x" }, spec: { template: pod } } },
      {
        type: "kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
        name: "a",
        protect: false,
        inputs: { spec: { scaleTargetRef: { kind: "Deployment", name: "x" }, minReplicas: 2, maxReplicas: 5 } },
      },
      { type: "kubernetes:apps/v1:Deployment", name: "b", protect: false, inputs: { metadata: { name: "y" }, spec: { template: pod } } },
    ];
    const sum = requestsOf(made);
    assert.deepEqual([sum.pods, sum.cpu, sum.least], [6, 0.6, { pods: 3, cpu: 0.3, memory: 3 * 2 ** 30 }]);
    const rows = requestRows(sum, requestsOf(made.slice(2)));
    assert.deepEqual(rows.slice(0, 2), [
      { what: "Pods", before: "1", after: "6 at most, 3 at least", changed: true },
      { what: "CPU requests", before: "0.1 cores", after: "0.6 cores at most, 0.3 cores at least", changed: true },
    ]);
    assert.equal(rows.find(({ what }) => what === "Persistent volumes")?.after, "none");
  });

  it("count containers that go on beside the others, and not those that are through before", () => {
    const own = { resources: { requests: { cpu: "100m", memory: "1Gi" } } };
    const spec = { containers: [own], initContainers: [own, { ...own, restartPolicy: "Always" }] };
    const sum = requestsOf([
      { type: "kubernetes:apps/v1:Deployment", name: "a", protect: false, inputs: { spec: { template: { spec } } } },
    ]);
    assert.deepEqual([sum.cpu, sum.memory], [0.2, 2 * 2 ** 30]);
  });

  it("escape what Markdown reads", () => {
    assert.equal(escaped("a_b *c* <d> @e |"), "a\\_b \\*c\\* &lt;d&gt; &#64;e \\|");
    assert.equal(code("a b"), "`a b`");
    assert.equal(code("a|b`"), "<code>a\\|b\\`</code>");
  });

  it("follow paths of properties", () => {
    assert.equal(at({ a: [{ "b.c": 1 }] }, 'a[0]["b.c"]'), 1);
    assert.equal(at({ a: null }, "a.b.c"), undefined);
  });
});

describe("ci:preview", () => {
  const options = { stack: "prod", refresh: false, expectNoChanges: false };
  const answer = (digest: unknown, exit = 0, stderr = "") => ({ code: exit, stdout: JSON.stringify(digest), stderr });

  it("asks the engine for every resource, and gives it what follows", () => {
    assert.deepEqual(previewArguments(options, ["--cwd", "x"]), [
      "preview",
      "--json",
      "--show-sames",
      "--non-interactive",
      "--stack",
      "prod",
      "--cwd",
      "x",
    ]);
    const all = previewArguments({ ...options, refresh: true, policyPack: "policy" }, []);
    // The engine may run in another directory.
    assert.deepEqual(all.slice(-3), ["--policy-pack", resolve("policy"), "--refresh"]);
  });

  it("tells a broken rule, a refusal and unexpected changes by exit code", async () => {
    const exit = async (digest: Digest, code = 0, stderr = "", expectNoChanges = false) => {
      const preview = previewOf(answer(digest, code, stderr));
      return exitCodeOf(await buildReport({ stack: "prod", preview }), preview, expectNoChanges);
    };
    const same = await unchanged("prod");
    assert.equal(await exit(same), EXIT.fine);
    assert.equal(await exit(same, 0, "", true), EXIT.fine);
    assert.equal(await exit(await retention()), EXIT.fine);
    assert.equal(await exit(await retention(), 0, "", true), EXIT.changes);
    const failed = { ...same, diagnostics: [{ severity: "error", message: "the API server is away" }] };
    assert.equal(await exit(failed, 255), EXIT.refused);
    assert.equal(await exit(same, 255, "error: could not load the stack"), EXIT.refused);
    const open = await unchanged("prod", { protect: false });
    assert.equal(await exit(open), EXIT.violation);
    // The engine stops at the pack's verdict.
    assert.equal(
      await exit({ ...open, steps: open.steps.slice(0, 2) }, 255, "error: preview failed: mandatory policies violated"),
      EXIT.violation,
    );
    assert.equal(await exit({ ...open, diagnostics: failed.diagnostics }, 255), EXIT.refused);
  });

  it("makes a refusal of what is no preview", () => {
    const preview = previewOf({ code: 255, stdout: "", stderr: "error: no stack named 'prod' found\n" });
    assert.equal(preview.complete, false);
    assert.deepEqual(preview.diagnostics, [{ severity: "error", urn: "", message: "no stack named 'prod' found" }]);
    assert.match(previewOf({ code: 3, stdout: "", stderr: "" }).diagnostics[0]?.message ?? "", /exit code 3/);
    assert.throws(() => readPreview('{"steps": 3}'), /not the output of `pulumi preview --json`: steps/);
    assert.throws(() => readPreview("x"), /not the output of/);
  });
});

describe("npm run report", function () {
  this.timeout(60_000);
  const directory = mkdtempSync(join(tmpdir(), "thanos-stack-report-"));
  after(() => rmSync(directory, { recursive: true }));
  const report = (...args: string[]) =>
    new Promise<{ code: number; said: string }>((done) => {
      const all = ["-r", "ts-node/register/transpile-only", "commands/report.ts", ...args];
      // Without Pulumi: nothing that a plan needs may depend on it.
      const env = { ...process.env, PATH: "/usr/bin:/bin" };
      execFile(process.execPath, all, { cwd: resolve(__dirname, "..", "..", ".."), env }, (error, stdout, stderr) =>
        done({ code: typeof error?.code === "number" ? error.code : error === null ? 0 : -1, said: stdout + stderr }),
      );
    });

  it("writes Markdown and a page, from a preview, and nothing beside them", async () => {
    const preview = join(directory, "preview.json");
    writeFileSync(preview, JSON.stringify(await retention()));
    const { code: exit, said } = await report(
      "--stack",
      "prod",
      "--preview",
      preview,
      "--out",
      join(directory, "r.md"),
      join(directory, "r.html"),
    );
    assert.equal(exit, 0, said);
    assert.match(readFileSync(join(directory, "r.md"), "utf8"), /1 updated[\s\S]*```mermaid/);
    assert.deepEqual(readdirSync(directory).sort(), ["preview.json", "r.html", "r.md"]);
    assert.match(readFileSync(join(directory, "r.html"), "utf8"), /<svg /);
    assert.match(said, /prod: 1 updated/);
  });

  it("says that it could not ask for the last deployment", async () => {
    const { code: exit, said } = await report("--stack", "dev", "--out", join(directory, "d.md"));
    assert.equal(exit, 0, said);
    assert.match(said, /Not compared with the last deployment: /);
  });

  it("refuses a file that is neither", async () => {
    const { code: exit, said } = await report("--stack", "dev", "--out", join(directory, "d.pdf"));
    assert.equal(exit, 1);
    assert.match(said, /a report is a \.md or a \.html file/);
  });
});
