import assert from "node:assert/strict";
import type { Report } from "../../../commands/report/build";
import { topologyDiagram } from "../../../commands/report/diagram";
import { code, diagramText, escaped, fenced } from "../../../commands/report/escaping";
import { htmlReport } from "../../../commands/report/html";
import { markdownReport, marker } from "../../../commands/report/markdown";
import { topologySvg } from "../../../commands/report/topology";
import { malformation } from "./xml";

/** A heading, a mention and an image, if the carriage returns before them end lines. */
const BY_CARRIAGE_RETURN = "x\r\r## ✅ Approved by security\r\r@org/admins ![p](https://example.com/p.png)";
const HOSTILE = `${BY_CARRIAGE_RETURN}\u2028## a\u2029## b\u0085## c\u000b## d\u000c## e \u202e\u0000\u001b[2J\u009b2J`;

/** Everywhere that text from outside stands. */
const report: Report = {
  stack: "prod",
  previewed: true,
  problems: [HOSTILE],
  violations: [{ rule: "r", resource: `Pod ${HOSTILE}`, message: HOSTILE }],
  worse: [HOSTILE],
  changes: [
    {
      operation: "update",
      type: "t",
      resource: `Pod ${HOSTILE}`,
      properties: [{ path: HOSTILE, from: HOSTILE, to: `${HOSTILE}|`, replaces: true }],
    },
  ],
  declared: { nodes: 0, zones: 0 },
  topology: {
    prometheus: { replicas: 1, shards: 1 },
    routers: { least: 0, most: 0 },
    replicationFactor: 1,
    rings: [{ name: HOSTILE, zones: [{ zone: HOSTILE, pods: [HOSTILE] }], separateNodes: true }],
    storeGateways: 0,
    queriers: { least: 1, most: 1 },
    frontends: { least: 0, most: 0 },
    further: [],
    encrypted: false,
  },
  notes: [HOSTILE],
};

/** Every line end that a reader of Markdown or a browser may know. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the line ends
const LINE_END = /\r\n|[\n\r\u2028\u2029\u0085\u000b\u000c]/;
/** Every form of a line of a diagram: what is chosen outside stands in quotes, as letters, digits, blanks and numbers of signs. */
const DIAGRAM_LINE = new RegExp(
  [
    "flowchart LR",
    "direction LR",
    "end",
    "subgraph ID\\[TEXT\\]",
    "ID\\[TEXT\\](:::note)?",
    "ID -->\\|TEXT\\| ID",
    "class ID(,ID)* outside",
    "classDef [a-z:, -]+4?",
  ]
    .map((form) => `^${form.replaceAll("ID", "[a-z]\\d+(?:[nz]\\d*)?").replaceAll("TEXT", '"(?:[\\p{L}\\p{N} ,×…-]|#\\d+;|<br/>)*"')}$`)
    .join("|"),
  "u",
);
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

describe("text from outside in a report", () => {
  it("begins no line of the comment, whatever ends lines", () => {
    const text = markdownReport(report);
    const lines = text.split(LINE_END);
    const headings = lines.filter((line) => /^\s*#/.test(line));
    assert.deepEqual(headings, ["## ⛔ `prod`: refused, nothing would be deployed", "### What changes", "### Topology"]);
    assert.doesNotMatch(text.replaceAll("\n", ""), UNSEEN);
    // In code spans and in a fence an @ mentions nobody, and a picture is none.
    const outside = text.replace(/^(`{3,})[^\n]*\n[\s\S]*?\n\1$/gm, "").replace(/`[^`]*`/g, "");
    assert.doesNotMatch(outside, /@|(?<!\\)!\[|(?<!\\)\]\(https/);
  });

  it("is all seen in the page and in the picture, which stay well-formed", () => {
    for (const text of [htmlReport(report), topologySvg(report.topology as NonNullable<Report["topology"]>)]) {
      assert.doesNotMatch(text.replaceAll("\n", ""), UNSEEN);
      assert.match(text, /\\r\\r## ✅ Approved/);
    }
    assert.equal(malformation(topologySvg(report.topology as NonNullable<Report["topology"]>)), undefined);
  });

  it("is in a diagram no more than the text of a label", () => {
    const topology = report.topology as NonNullable<Report["topology"]>;
    const drawn = topologyDiagram({
      ...topology,
      rings: ['a"]', "`b`", "<b>", "%%{init: {}}%%", "style:#x;", "a|b", "#quot;"].map((name) => ({
        name,
        zones: [{ zone: name, pods: [name, "- a"] }],
        separateNodes: true,
      })),
    });
    for (const text of [topologyDiagram(topology), drawn]) for (const line of text.split("\n")) assert.match(line, DIAGRAM_LINE);
    assert.equal(
      diagramText('a_b [c] "d" | <e> `f` #g; %%{h}'),
      "a#95;b #91;c#93; #34;d#34; #124; #60;e#62; #96;f#96; #35;g#59; #37;#37;#123;h#125;",
    );
    assert.equal(diagramText("- a\r\u202e"), "#45; a#92;r#92;u202e");
    assert.equal(diagramText("zone eu-central-1a, ×3…"), "zone eu-central-1a, ×3…");
  });

  it("is told from what looks like it", () => {
    assert.equal(
      escaped(BY_CARRIAGE_RETURN),
      "x\\\\r\\\\r\\#\\# ✅ Approved by security\\\\r\\\\r&#64;org/admins !\\[p\\](https://example.com/p.png)",
    );
    assert.equal(code(BY_CARRIAGE_RETURN), `\`${BY_CARRIAGE_RETURN.replaceAll("\r", "\\r")}\``);
    assert.equal(fenced("a\r````\nb"), "`````text\na\\r````\nb\n`````");
    assert.equal(marker("a\r\n-"), "<!-- thanos-stack report: a - -->");
  });
});
