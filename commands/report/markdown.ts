import { anyOf, countedOn, kept } from "../../model/availability/words";
import type { Figure } from "../../model/capacity/compare";
import { oneLine } from "../../model/values/visibleText";
import type { Report } from "./build";
import { CAPACITY_COLUMNS, CARRIES, carriedFigures, componentRows } from "./capacity";
import type { Change } from "./changes";
import { topologyDiagram } from "./diagram";
import { code, escaped, fenced } from "./escaping";
import { headline, type Verdict, verdictOf } from "./headline";
import { requestRows } from "./requests";
import { SURVIVAL_COLUMNS, survivalRows } from "./survival";
import { furtherLine, topologyLine } from "./topology";

/** The first line of a report. A comment that begins with it is this environment's, and the next report replaces it. */
export function marker(stack: string): string {
  return `<!-- thanos-stack report: ${oneLine(stack)} -->`;
}

const SIGNS: Record<Verdict, string> = {
  refused: "⛔",
  violation: "⛔",
  worse: "⚠️",
  destructive: "⚠️",
  changes: "🔹",
  unchanged: "✅",
  planned: "📋",
};

/** Heading of what is taken as it is. */
export const UNCHECKED = "Not checked by this program";

/** Changes and properties that fit a comment; the HTML has all. */
const MOST_CHANGES = 25;
const MOST_PROPERTIES = 4;

/** Bytes of a comment, after which `.github/scripts/comment.sh` cuts it. */
export const LARGEST_COMMENT = 65_000;

/** The report as a comment on a pull request. Everything is in it: no file lies beside a comment. */
export function markdownReport(report: Report): string {
  const whole = written(report, true);
  // A diagram that is cut is an error in its place.
  return Buffer.byteLength(whole) <= LARGEST_COMMENT ? whole : written(report, false);
}

function written(report: Report, withDiagram: boolean): string {
  const { stack, problems, violations, worse, survival, notes, topology, unchecked = [] } = report;
  return [
    marker(stack),
    `## ${SIGNS[verdictOf(report)]} ${code(stack)}: ${headline(report)}`,
    ...(report.warnings ?? []).map((warning) => `> ⚠️ ${escaped(warning)}`),
    ...(problems.length > 0 ? ["**Refused**", fenced(problems.join("\n\n"))] : []),
    ...(violations.length > 0
      ? ["**Policy**", violations.map((each) => `- ${code(each.rule)} ${escaped(each.resource)}: ${escaped(each.message)}`).join("\n")]
      : []),
    ...(worse !== undefined && worse.length > 0
      ? ["**Worse than the last deployment**", worse.map((line) => `- ${escaped(line)}`).join("\n")]
      : []),
    ...changesSection(report),
    ...(survival === undefined
      ? []
      : ["### What it survives", escaped(survivalText(report)), table([...SURVIVAL_COLUMNS], survivalTable(report))]),
    ...capacitySection(report),
    ...requestsSection(report),
    ...(topology === undefined
      ? []
      : [
          "### Topology",
          escaped(topologyLine(topology)),
          ...furtherLine(topology).map(escaped),
          ...(withDiagram ? [`\`\`\`mermaid\n${topologyDiagram(topology)}\n\`\`\``] : []),
        ]),
    ...(unchecked.length > 0 ? [`### ${UNCHECKED}`, unchecked.map((use) => `- ${escaped(use)}`).join("\n")] : []),
    ...(notes.length > 0 ? [notes.map((note) => `<sub>${note.split("\n").map(escaped).join("<br>")}</sub>`).join("<br>\n")] : []),
  ]
    .join("\n\n")
    .concat("\n");
}

function changesSection({ changes }: Report): string[] {
  if (changes === undefined || changes.length === 0) return [];
  const rows = changes.slice(0, MOST_CHANGES).map((change) => [operation(change), code(change.resource), properties(change)]);
  const rest = changes.length - rows.length;
  return [
    "### What changes",
    table(["", "resource", "properties"], rows),
    ...(rest > 0 ? [`…and ${rest} more, all in the HTML report.`] : []),
  ];
}

function operation(change: Change): string {
  return change.operation === "delete" || change.operation === "replace" ? `**${change.operation}**` : change.operation;
}

function properties({ properties: all }: Change): string {
  const shown = all.slice(0, MOST_PROPERTIES).map(({ path, from, to, replaces }) => {
    const values =
      from === undefined && to === undefined ? "" : `: ${from === undefined ? "–" : code(from)} → ${to === undefined ? "–" : code(to)}`;
    return `${code(path)}${values}${replaces ? " (forces replacement)" : ""}`;
  });
  const rest = all.length - shown.length;
  return [...shown, ...(rest > 0 ? [`and ${rest} more`] : [])].join("<br>");
}

/** The losses that are survived, and those that the environment requires to be. */
export function survivalText({ survival, declared }: Report): string {
  if (survival === undefined) return "";
  const survived = anyOf(survival.survives).join(" or ");
  const required = anyOf(declared).join(" and ");
  return [
    survived === ""
      ? `Not sure to survive the loss of any 1 node: ${survival.limits.nodes.join("; ")}`
      : `Survives the loss of ${survived}: ${kept(survival.receive !== undefined)}`,
    required === "" ? "nothing is required" : `required: ${required}`,
  ]
    .join(" (")
    .concat(
      ["). Shares are of all series, in the worst case.", ...(survival.nodes ?? []).map((nodes) => `It ${countedOn(nodes)}.`)].join(" "),
    );
}

function survivalTable({ survival }: Report): string[][] {
  if (survival === undefined) return [];
  return survivalRows(survival).map((row) =>
    row.map(
      ({ text, note, bad }) =>
        `${bad ? `**${escaped(text)}**` : escaped(text)}${note === undefined ? "" : `<br><sub>${escaped(note)}</sub>`}`,
    ),
  );
}

/** A figure, with the one before where it was another. */
const changedFigure = ({ now, before }: Figure): string =>
  before === undefined ? escaped(now) : `${escaped(before)} → **${escaped(now)}**`;

function capacitySection(report: Report): string[] {
  if (report.capacity === undefined) return [];
  const rows = componentRows(report).map(({ what, figures, when }) => [
    escaped(what),
    ...figures.map((each, index) => `${changedFigure(each)}${index === 1 && when !== "" ? `<br><sub>${escaped(when)}</sub>` : ""}`),
  ]);
  return [
    `### ${CARRIES}`,
    carriedFigures(report)
      .map((each) => `- ${escaped(each.what)}: ${changedFigure(each)}`)
      .join("\n"),
    table([...CAPACITY_COLUMNS], rows),
  ];
}

function requestsSection({ requests }: Report): string[] {
  if (requests === undefined) return [];
  const rows = requestRows(requests.after, requests.before);
  const line = rows.map(({ what, before, after, changed }) => `${what} ${changed ? `${before} → **${after}**` : after}`).join(" · ");
  return ["### What it takes", line];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
