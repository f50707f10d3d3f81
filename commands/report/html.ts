import type { Figure } from "../../model/capacity/compare";
import type { Report } from "./build";
import { CAPACITY_COLUMNS, CARRIES, carriedFigures, componentRows } from "./capacity";
import type { Change } from "./changes";
import { escapeXml as text } from "./escaping";
import { headline, verdictOf } from "./headline";
import { survivalText, UNCHECKED } from "./markdown";
import { requestRows } from "./requests";
import { SURVIVAL_COLUMNS, survivalRows } from "./survival";
import { furtherLine, topologySvg } from "./topology";

/** The report as one HTML page without any file beside it, for light and dark screens. */
export function htmlReport(report: Report): string {
  const title = `${report.stack}: ${headline(report)}`;
  return [
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">`,
    `<meta name="color-scheme" content="light dark"><title>${text(title)}</title><style>${STYLE}</style></head><body><main>`,
    `<header class="${verdictOf(report)}"><h1>${text(report.stack)}</h1><p>${text(headline(report))}</p></header>`,
    section("Warning", (report.warnings ?? []).map((warning) => `<p class="bad">${text(warning)}</p>`).join("")),
    section("Refused", report.problems.length > 0 ? `<pre class="bad">${text(report.problems.join("\n\n"))}</pre>` : ""),
    section(
      "Policy",
      items(report.violations.map((each) => `<code>${text(each.rule)}</code> ${text(each.resource)}: ${text(each.message)}`)),
    ),
    section("Worse than the last deployment", items((report.worse ?? []).map(text))),
    section("What changes", changesTable(report.changes ?? [])),
    section("What it survives", survivalTable(report)),
    section(CARRIES, capacityTable(report)),
    section("What it takes", requestsTable(report)),
    section(UNCHECKED, items((report.unchecked ?? []).map(text))),
    section(
      "Topology",
      report.topology === undefined
        ? ""
        : `<div class="scroll">${topologySvg(report.topology)}</div>${items(furtherLine(report.topology).map(text))}`,
    ),
    report.notes.length > 0 ? `<footer>${items(report.notes.map((note) => text(note).replace(/\n/g, "<br>")))}</footer>` : "",
    "</main></body></html>\n",
  ].join("\n");
}

const STYLE = [
  ":root{color-scheme:light dark;--ink:#1b2430;--soft:#5b6675;--page:#fff;--panel:#f4f6f9;--line:#d5dbe3;--bad:#b3261e;--warn:#8a5a00;--good:#1f6f43;--plain:#28568f}",
  "@media (prefers-color-scheme:dark){:root{--ink:#e8edf4;--soft:#a9b4c2;--page:#10151c;--panel:#171d26;--line:#2d3744;--bad:#ff8a80;--warn:#ffc266;--good:#7fd6a2;--plain:#8ab8f5}}",
  "*{box-sizing:border-box}body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}",
  "main{max-width:1180px;margin:0 auto;padding:24px}header{border-left:6px solid var(--plain);background:var(--panel);padding:12px 20px;border-radius:4px}",
  "header h1{margin:0;font-size:22px}header p{margin:0;color:var(--soft)}header.refused,header.violation{border-color:var(--bad)}",
  "header.worse,header.destructive{border-color:var(--warn)}header.unchanged{border-color:var(--good)}",
  "h2{font-size:16px;margin:28px 0 8px}table{border-collapse:collapse;width:100%;font-size:14px}.scroll{overflow-x:auto}",
  "th,td{text-align:left;padding:6px 10px;border-bottom:1px solid var(--line);vertical-align:top}th{color:var(--soft);font-weight:600}",
  ".survival td:first-child{min-width:190px}td small{color:var(--soft)}th.number{white-space:normal;vertical-align:bottom}.number{text-align:right;white-space:nowrap}.bad{color:var(--bad);font-weight:600}.changed{color:var(--plain);font-weight:600}.note{color:var(--soft)}",
  "code,pre{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}code{overflow-wrap:anywhere}",
  "pre{background:var(--panel);padding:12px;border-radius:4px;white-space:pre-wrap;font-weight:400}",
  "ul{margin:0;padding-left:20px}footer{margin-top:28px;color:var(--soft);font-size:13px;border-top:1px solid var(--line);padding-top:12px}",
].join("");

const section = (title: string, content: string): string => (content === "" ? "" : `<section><h2>${text(title)}</h2>${content}</section>`);

const items = (lines: readonly string[]): string =>
  lines.length === 0 ? "" : `<ul>${lines.map((line) => `<li>${line}</li>`).join("")}</ul>`;

function changesTable(changes: readonly Change[]): string {
  if (changes.length === 0) return "";
  const rows = changes.map(({ operation, resource, properties }) => {
    const grave = operation === "delete" || operation === "replace";
    const list = properties.map(({ path, from, to, replaces }) => {
      const values =
        from === undefined && to === undefined
          ? ""
          : `: ${from === undefined ? "–" : `<code>${text(from)}</code>`} → ${to === undefined ? "–" : `<code>${text(to)}</code>`}`;
      return `<code>${text(path)}</code>${values}${replaces ? ' <span class="bad">forces replacement</span>' : ""}`;
    });
    return `<tr><td${grave ? ' class="bad"' : ""}>${operation}</td><td><code>${text(resource)}</code></td><td>${list.join("<br>")}</td></tr>`;
  });
  return `<div class="scroll"><table><thead><tr><th></th><th>Resource</th><th>Properties</th></tr></thead><tbody>${rows.join("")}</tbody></table></div>`;
}

function survivalTable(report: Report): string {
  if (report.survival === undefined) return "";
  const numeric = (column: number) => column > 0;
  const head = SURVIVAL_COLUMNS.map((name, column) => `<th${numeric(column) ? ' class="number"' : ""}>${text(name)}</th>`);
  const rows = survivalRows(report.survival).map(
    (row) =>
      `<tr>${row
        .map(
          (cell, column) =>
            `<td class="${numeric(column) ? "number" : ""}${cell.bad ? " bad" : ""}">${text(cell.text)}${cell.note === undefined ? "" : `<br><small>${text(cell.note)}</small>`}</td>`,
        )
        .join("")}</tr>`,
  );
  return (
    `<p>${text(survivalText(report))}</p><div class="scroll"><table class="survival"><thead><tr>${head.join("")}</tr></thead>` +
    `<tbody>${rows.join("")}</tbody></table></div>`
  );
}

/** A figure, with the one before where it was another. */
const figure = ({ now, before }: Figure): string =>
  before === undefined ? text(now) : `${text(before)} → <span class="changed">${text(now)}</span>`;

function capacityTable(report: Report): string {
  if (report.capacity === undefined) return "";
  const rows = componentRows(report).map(
    ({ what, figures, when }) =>
      `<tr><td>${text(what)}</td>${figures
        .map(
          (each, index) => `<td class="number">${figure(each)}${index === 1 && when !== "" ? `<br><small>${text(when)}</small>` : ""}</td>`,
        )
        .join("")}</tr>`,
  );
  const head = CAPACITY_COLUMNS.map((name, column) => `<th${column > 0 ? ' class="number"' : ""}>${text(name)}</th>`);
  return (
    `${items(carriedFigures(report).map((each) => `${text(each.what)}: ${figure(each)}`))}<div class="scroll"><table><thead><tr>` +
    `${head.join("")}</tr></thead><tbody>${rows.join("")}</tbody></table></div>`
  );
}

function requestsTable({ requests }: Report): string {
  if (requests === undefined) return "";
  const known = requests.before !== undefined;
  const rows = requestRows(requests.after, requests.before).map(
    ({ what, before, after, changed }) =>
      `<tr><td>${text(what)}</td>${known ? `<td class="number">${text(before ?? "")}</td>` : ""}` +
      `<td class="number${changed ? " changed" : ""}">${text(after)}</td></tr>`,
  );
  const head = known ? '<th></th><th class="number">now</th><th class="number">then</th>' : '<th></th><th class="number">planned</th>';
  return `<table style="width:auto"><thead><tr>${head}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
}
