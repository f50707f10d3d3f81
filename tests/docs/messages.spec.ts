import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as ts from "typescript";
import { PROJECT_DIRECTORY } from "../../commands/program";
import type { StackReader } from "../../commands/verify/readings";
import { addressLines, resultLines, summary } from "../../commands/verify/report";
import { stackChecks } from "../../commands/verify/stack";
import { PATIENCE, waitingTime } from "../../gates/patience";
import { readOutputs } from "../../outputs";
import { paths } from "../../sandbox/paths";
import { clusterSteps } from "../../sandbox/up";
import { OUTPUTS } from "../commands/fakeCluster";
import { codeBlocks, inlineCode, readDocument, section, tableRows } from "./documents";

const OPERATIONS = readDocument("docs/operations.md");
/** Stands for any text, in a message that is quoted and in a text of the source. */
const ANYTHING = "…";

/** Messages of others: by whom, and the text there, values as `…`. */
const OTHERS: readonly { who: string; text: string }[] = [
  {
    who: "@pulumi/pulumi, runtime/resource.js",
    text: "The Pulumi CLI does not support resource hooks. Please update the Pulumi CLI",
  },
  {
    who: "Pulumi CLI 3.259, pkg/backend/diy/lock.go",
    text: "the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end",
  },
  {
    who: "Pulumi CLI 3.259, pkg/resource/deploy/step_generator.go",
    text: 'unable to replace resource "…"\nas it is currently marked for protection.',
  },
  { who: "Pulumi CLI 3.259, pkg/resource/deploy/step.go", text: 'resource "…" cannot be deleted\nbecause it is protected.' },
  { who: "Kubernetes 1.36, apimachinery pkg/api/errors/errors.go", text: '… "…" already exists' },
  {
    who: "Kubernetes 1.36, pkg/kubelet/eviction/helpers.go",
    text: "Pod ephemeral local storage usage exceeds the total limit of containers ….",
  },
  { who: "Thanos 0.42, pkg/receive/hashring.go", text: "no matching hashring to handle tenant" },
  { who: "Thanos 0.42, pkg/store/bucket.go", text: "exceeded series limit" },
  { who: "Thanos 0.42, pkg/store/bucket.go", text: "exceeded chunks limit" },
  { who: "Thanos 0.42, internal/cortex/util/validation/validate.go", text: "the query time range exceeds the limit" },
];

/** Messages of the program with figures in them that the source has as values. */
const WITH_FIGURES: readonly string[] = [`gave up after ${waitingTime(PATIENCE.timeoutSeconds)} of waiting for …; still missing: …`];

/** The texts of a source file, each whole where the source puts it together of several, values as `…`. */
function textsOf(source: string): string[] {
  const texts: string[] = [];
  const isSum = (node: ts.Node): node is ts.BinaryExpression =>
    ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken;
  const textOf = (node: ts.Expression): string => {
    if (ts.isStringLiteralLike(node)) return node.text;
    if (ts.isTemplateExpression(node)) return node.head.text + node.templateSpans.map(({ literal }) => ANYTHING + literal.text).join("");
    return isSum(node) ? textOf(node.left) + textOf(node.right) : ANYTHING;
  };
  const visit = (node: ts.Node): void => {
    const isText = ts.isStringLiteralLike(node) || ts.isTemplateExpression(node) || isSum(node);
    if (isText && !isSum(node.parent)) texts.push(textOf(node));
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile("a.ts", source, ts.ScriptTarget.ES2022, true));
  return texts;
}

const literally = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** Whether a text has a message in it. */
const says = (text: string, message: string): boolean =>
  new RegExp(
    message
      .split(ANYTHING)
      .map((part) => literally(part.trim()))
      .join(".*"),
    "s",
  ).test(text);

/** The messages that the first column of Troubleshooting quotes: what is no command and no single word. */
const quoted = tableRows(section(OPERATIONS.text, "Troubleshooting"))
  .flatMap(([said = ""]) => inlineCode(said))
  .filter((code) => code.includes(" ") && !code.startsWith("kubectl "));

describe("docs/operations.md: troubleshooting", () => {
  const program = ["commands", "components", "objects", "config", "gates", "model", "clients", "policy"]
    .flatMap((directory) =>
      readdirSync(join(PROJECT_DIRECTORY, directory), { recursive: true, encoding: "utf8" }).map((name) => join(directory, name)),
    )
    .filter((path) => path.endsWith(".ts"))
    .flatMap((path) => textsOf(readFileSync(join(PROJECT_DIRECTORY, path), "utf8")));
  const ours = [...program, ...WITH_FIGURES];
  const said = (texts: readonly string[], message: string) => texts.some((text) => says(text, message));

  for (const message of quoted) {
    it(`quotes what is said: ${message}`, () => {
      const theirs = OTHERS.map(({ text }) => text);
      assert.ok(said(ours, message) || said(theirs, message), "neither this program nor anybody of whom it is known says so");
    });
  }

  it("quotes everything that others are known to say, and what a package of this program says as it is there", () => {
    const unused = OTHERS.filter(({ text }) => !quoted.some((message) => says(text, message)));
    assert.deepEqual(unused, []);
    const sdk = readFileSync(require.resolve("@pulumi/pulumi/runtime/resource"), "utf8");
    assert.ok(textsOf(sdk).includes(OTHERS[0]?.text ?? ""));
  });

  it("has figures that the source has as values beside texts of the source", () => {
    for (const text of WITH_FIGURES) {
      const [, ...parts] = text.split(/\b\d+ \w+\b/);
      assert.ok(parts.length > 0 && program.some((each) => parts.every((part) => says(each, part))), text);
    }
  });
});

describe("docs/operations.md: waiting", () => {
  const text = OPERATIONS.text.replace(/\s+/g, " ");

  it("says how long a gate waits, and how long a receiver must get nothing", () => {
    const longest = waitingTime(PATIENCE.timeoutSeconds);
    for (const sentence of [
      `A gate waits at most ${longest}`,
      `it waits, and gives up after ${longest}`,
      `waits until the volumes have it, at most ${longest}`,
      `the leaving receivers got nothing for ${waitingTime(PATIENCE.quietSeconds)}`,
    ]) {
      assert.ok(text.includes(sentence), sentence);
    }
  });
});

describe("README.md: what `make up` prints", () => {
  const block = codeBlocks(readDocument("README.md").text, "").find((code) => code.includes("pulumi up of dev")) ?? "";
  const [steps = [], addresses = []] = [/^✔ \[\d/, /^[a-z].* {2}(?:http|kubectl)/].map((form) =>
    block.split("\n").filter((line) => form.test(line)),
  );

  it("has every step by its title", () => {
    const titles = [...clusterSteps(paths({})).map(({ title }) => title), "pulumi up of dev"];
    assert.deepEqual(
      steps.map((line) => line.replace(/ \[[\d.]+s\]$/, "")),
      titles.map((title, index) => `✔ [${index + 1}/${titles.length}] ${title}`),
    );
  });

  it("has every check of dev's scheme, and the last line of them, as verify writes them", () => {
    const reader = { remoteWrite: () => ({}) } as unknown as StackReader;
    const names = stackChecks(reader, readOutputs(OUTPUTS)).map(({ name }) => name);
    const results = [...block.matchAll(/^✔ (?!\[)(.+?) +([\d.]+) s {2}(.+)$/gm)].map(([line, name = "", seconds, seen = ""]) => ({
      line,
      result: { name, ok: true, seen, details: [], seconds: Number(seconds) },
    }));
    assert.deepEqual(results.map(({ result }) => result.name).sort(), [...names].sort());
    for (const { line, result } of results) assert.deepEqual(resultLines(result, names), [line]);
    assert.ok(block.includes(`\n${summary(results.map(({ result }) => result))}\n`));
  });

  it("has addresses in two columns, that of remote write too, which another command prints", () => {
    const read = addresses.map((line) => ({ name: line.slice(0, line.indexOf("  ")), open: line.replace(/^.*? {2,}/, "") }));
    assert.deepEqual(
      read.map(({ name }) => name),
      ["queries", "prometheus", "remote write"],
    );
    assert.deepEqual(addressLines(read), addresses);
    assert.equal(new Set(addresses.map((line) => line.search(/http|kubectl/))).size, 1);
  });
});

describe("texts of a source", () => {
  it("are whole, with values left open", () => {
    assert.deepEqual(textsOf(`const a = "x " + \`y \${b ? "c" : d} z\` + e; f(\`g\`);`), ["x y … z…", "c", "g"]);
    assert.ok(says("x y … z", "y … z") && says("a\nb", "a … b") && !says("x y … z", "y 3 z"));
  });
});
