import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { PROJECT_DIRECTORY } from "../../commands/program";
import { shrinkRefusal } from "../../gates/orderedScaling";
import { runningComponents } from "../../model/kubernetes/components";
import { versionProblem } from "../../model/kubernetes/version";
import { furtherEdges, networkEdges } from "../../model/network/edges";
import { planStack } from "../../model/plan";
import type { Settings } from "../../model/settings/schema";
import { formatProblem } from "../../model/values/problem";
import { PROMETHEUS_VERSION, THANOS_VERSION } from "../../model/values/versions";
import { GATEWAY, HISTORY, NETWORKS, PLANS, PROD, SIDECAR, TLS } from "../components/plans";
import { load, loadRaw, rejection, ringPlan, run, STACKS, settingsOf, together } from "../harness";
import { anchors, codeBlocks, type Document, documents, readDocument, relativeLinks, section, tableRows, withoutCode } from "./documents";

const README = readDocument("README.md");
const OPERATIONS = readDocument("docs/operations.md");

const runningNames = (settings: Settings) => runningComponents(settings).map(({ name }) => name);

describe("documents", () => {
  const scripts = Object.keys((JSON.parse(readFileSync(join(PROJECT_DIRECTORY, "package.json"), "utf8")) as { scripts: object }).scripts);
  const targets = [...readFileSync(join(PROJECT_DIRECTORY, "Makefile"), "utf8").matchAll(/^([a-z0-9-]+):/gm)].map(
    ([, target]) => target ?? "",
  );

  /** Names of commands in inline code or in a block: `npm run X` and `make X`. */
  const commandsOf = (document: Document, command: RegExp): string[] => {
    const code = [...document.text.matchAll(/`([^`\n]+)`/g), ...document.text.matchAll(/^```\w*\n([\s\S]*?)^```$/gm)];
    return code.flatMap(([, text = ""]) => [...text.matchAll(command)].map(([, name]) => name ?? ""));
  };

  for (const document of documents()) {
    it(`${document.path}: every relative link leads to a file, and to a heading in it`, () => {
      const broken = relativeLinks(document).filter(({ path, anchor }) => {
        if (!existsSync(join(PROJECT_DIRECTORY, path))) return true;
        return anchor !== undefined && !anchors(readDocument(path).text).includes(anchor);
      });
      assert.deepEqual(broken, []);
    });

    it(`${document.path}: every \`npm run\` and \`make\` exists`, () => {
      const unknown = [
        ...commandsOf(document, /\bnpm run (?:--silent )?([\w:-]+)/g).filter((name) => !scripts.includes(name)),
        ...commandsOf(document, /\bmake (?:-s )?([a-z][\w-]*)/g).filter((name) => !targets.includes(name)),
      ];
      assert.deepEqual(unknown, []);
    });

    it(`${document.path}: every picture has a text in its place`, () => {
      for (const [, text = ""] of withoutCode(document.text).matchAll(/!\[([^\]]*)\]/g)) assert.ok(text.length > 40, text);
    });
  }

  it("are reachable from README.md", () => {
    const linked = relativeLinks(README).map(({ path }) => path);
    for (const { path } of documents()) assert.ok(path === "README.md" || linked.includes(path), path);
  });
});

describe("README.md", () => {
  const blocks = codeBlocks(README.text, "");

  it("names commands to run before anything else", () => {
    assert.ok(README.text.indexOf("`make up`") < README.text.indexOf("`make test`"));
    assert.ok(README.text.indexOf("`make test`") < README.text.indexOf("## Your own cluster"));
  });

  it("shows a refusal as it is printed", async () => {
    const { message } = await rejection("prod", { receive: { replicas: 4, replicationFactor: 2 } });
    assert.ok(blocks.includes(`${message}\n`), message);
  });

  for (const stack of STACKS) {
    it(`shows what ${stack}'s preview says of survival as it is printed`, async () => {
      const { messages } = await run(stack);
      assert.ok(messages.length > 0);
      assert.ok(blocks.includes(`${messages.join("\n")}\n`), messages.join("\n"));
    });
  }

  it("has every output, and none that doesn't exist", async () => {
    const load = { series: 1_000, interval: "30s", queries: { perSecond: 0.1 } };
    const all = [await run("prod", { load }), await run(TLS.stack, TLS.overrides), await run(GATEWAY.stack, GATEWAY.overrides)];
    const outputs = Object.assign({}, ...all.map((each) => each.outputs));
    const rows = tableRows(section(README.text, "Outputs")).map(([name = ""]) => name.replaceAll("`", ""));
    assert.deepEqual(rows, [...new Set(rows)]);
    assert.deepEqual([...rows].sort(), Object.keys(outputs).sort());
  });

  it("has a stack file for a new environment that is accepted", async () => {
    const [file = ""] = codeBlocks(README.text, "yaml");
    const { config } = parse(file) as { config: Record<string, unknown> };
    const loaded = await loadRaw("staging", config);
    assert.equal(loaded.settings.cluster.context, "staging");
  });

  it("names the versions that are deployed", () => {
    assert.ok(README.text.includes(`Thanos ${THANOS_VERSION}, Prometheus ${PROMETHEUS_VERSION}`));
  });
});

describe("docs/operations.md", () => {
  it("shows the refusal of a smaller ring as it is printed", async () => {
    const { settings } = await load("dev");
    const receive = ringPlan(planStack(settings));
    const [set] = receive.sets;
    assert.ok(set);
    const message = shrinkRefusal(settings, receive, set, 4, ["thanos-receive-3"]);
    assert.ok(codeBlocks(OPERATIONS.text, "").includes(`${message}\n`), message);
  });

  it("shows the refusal of an old Kubernetes as it is printed", () => {
    const problem = versionProblem("prod", "v1.29.4");
    assert.ok(problem);
    const message = `${formatProblem(problem)} Nothing was changed.`;
    assert.ok(codeBlocks(OPERATIONS.text, "").includes(`${message}\n`), message);
  });

  it("has a row for every kind of edge of the network policies, in whatever environment there is one", () => {
    const all = [
      together(PROD.overrides, {
        access: { senders: ["a"], readers: ["b"], federation: ["c"] },
        querier: { endpoints: ["dns+other:10901"] },
        receive: { limits: { default: { headSeries: 1 } } },
      }),
      HISTORY.overrides,
      SIDECAR.overrides,
      GATEWAY.overrides,
    ].map((overrides) => settingsOf("prod", overrides));
    const networks = settingsOf(NETWORKS.stack, NETWORKS.overrides);
    const edges = [
      ...[...all, networks].flatMap((settings) => networkEdges(settings, planStack(settings), false)),
      ...runningComponents(networks).flatMap(({ name }) => furtherEdges(networks, name)),
    ];
    assert.deepEqual(
      [...new Set(all.flatMap((settings) => runningNames(settings)))].sort(),
      [...new Set(PLANS.flatMap(({ stack, overrides }) => runningNames(settingsOf(stack, overrides))))].sort(),
    );
    const short = (text: string) => text.split(",")[0]?.trim() ?? "";
    const table = tableRows(section(OPERATIONS.text, "Network policies")).filter((cells) => cells.length === 4);
    const rows = new Map(table.map((cells) => [short(cells[3] ?? ""), cells]));
    assert.equal(rows.size, table.length, "a row twice");
    assert.deepEqual([...rows.keys()].sort(), [...new Set(edges.map(({ purpose }) => short(purpose)))].sort());
    // Ports of addresses in the stack file.
    const elsewhere: Record<string, string> = {
      "the bucket": "the bucket's",
      "the pods' own identity": "the service's",
      Alertmanagers: "the URLs'",
      "the bucket by a proxy": "the proxy's",
      "Alertmanagers by a proxy": "the proxy's",
      "further connections inwards": "its `ports`",
      "further connections outwards": "its `ports`",
      traces: "the collector's",
    };
    for (const { purpose, port } of edges.filter((edge) => edge.purpose !== "metrics")) {
      const expected = elsewhere[purpose] ?? (port === undefined ? "any" : String(port));
      assert.equal(rows.get(short(purpose))?.[2], expected, purpose);
    }
  });
});
