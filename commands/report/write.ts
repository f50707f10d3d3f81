import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { Report } from "./build";
import { htmlReport } from "./html";
import { markdownReport } from "./markdown";

/**
 * Writes a report in the form that the file's name says.
 *
 * @throws on a name that ends neither in `.md` nor in `.html`
 */
export function writeReport(report: Report, file: string): void {
  if (!/\.(?:md|html)$/.test(file)) throw new Error(`${file}: a report is a .md or a .html file`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, file.endsWith(".html") ? htmlReport(report) : markdownReport(report));
}
