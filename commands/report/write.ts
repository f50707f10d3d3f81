import { mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import type { Report } from "./build";
import { htmlReport } from "./html";
import { markdownReport } from "./markdown";
import { topologySvg } from "./topology";

/**
 * Writes a report in the form that the file's name says; a Markdown report's picture goes beside it.
 *
 * @returns the files that were written
 * @throws on a name that ends neither in `.md` nor in `.html`
 */
export function writeReport(report: Report, file: string): string[] {
  if (!/\.(?:md|html)$/.test(file)) throw new Error(`${file}: a report is a .md or a .html file`);
  mkdirSync(dirname(file), { recursive: true });
  if (file.endsWith(".html")) {
    writeFileSync(file, htmlReport(report));
    return [file];
  }
  const picture = file.replace(/\.md$/, ".svg");
  writeFileSync(file, markdownReport(report, report.topology === undefined ? undefined : basename(picture)));
  if (report.topology === undefined) return [file];
  writeFileSync(picture, `${topologySvg(report.topology)}\n`);
  return [file, picture];
}
