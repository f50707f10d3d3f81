import assert from "node:assert/strict";
import { buildReport, type Report } from "../../../commands/report/build";
import { htmlReport } from "../../../commands/report/html";
import { markdownReport } from "../../../commands/report/markdown";
import { readPreview } from "../../../commands/report/preview";
import type { Overrides } from "../../harness";
import { unchanged } from "./previews";
import { malformation } from "./xml";

const PRICES = { currency: "EUR", cpuHour: 0.03, memoryGiBHour: 0.004, volumeGiBMonth: 0.1 };
const LOAD: Overrides = { load: { series: 10_000, interval: "15s", queries: { perSecond: 0.1 }, prices: PRICES } };
const NO_LOAD: Overrides = { load: undefined };
const LARGER: Overrides = { ...LOAD, receive: { resources: { memory: "4Gi" } }, querier: { replicas: 4 } };

const reportOf = async (after: Overrides, before: Overrides): Promise<Report> =>
  buildReport({ stack: "prod", preview: readPreview(JSON.stringify(await unchanged("prod", after, before))) });

describe("a report of a plan with a load", () => {
  it("says what it carries, and of each component what it needs and has", async () => {
    const report = await reportOf(LOAD, LOAD);
    const text = markdownReport(report);
    assert.match(text, /### What it carries\n\n- Load: 10 k series\n- Carries: [\d.]+ k series, \S+ of (?:the )?[\w ]+ is first\n/);
    assert.match(text, /- Prometheus can be cut off for: 2h, and catches up in \d+s\n/);
    assert.match(text, /- Cost: EUR [\d,]+ a month/);
    assert.match(
      text,
      /\| Prometheus: memory \| [\d.]+ MiB \| [\d.]+ MiB<br><sub>while the write-ahead log is replayed<\/sub> \| 922 MiB \|/,
    );
    assert.doesNotMatch(text.split("### What it takes")[0] ?? "", / → /);
  });

  it("says what the change does to it", async () => {
    const report = await reportOf(LARGER, LOAD);
    const text = markdownReport(report);
    assert.match(text, /\| receivers: memory \| .* \| 1\.8 GiB → \*\*3\.6 GiB\*\* \|/);
    assert.match(text, /\| queriers: CPU \| [\d.]+ cores → \*\*[\d.]+ cores\*\* \|/);
    assert.match(text, /- Cost: EUR [\d,]+ a month → \*\*EUR [\d,]+ a month\*\*/);
    const html = htmlReport(report);
    assert.match(html, /<h2>What it carries<\/h2>/);
    assert.match(html, /1\.8 GiB → <span class="changed">3\.6 GiB<\/span>/);
    assert.equal(malformation(html.replace(/^<!doctype html>/, "").replace(/<meta [^>]*>|<br>/g, "")), undefined);
  });

  it("compares with nothing where there was no load, or its output is of another form", async () => {
    const first = await reportOf(LOAD, NO_LOAD);
    assert.equal(first.capacity?.before, undefined);
    assert.match(markdownReport(first), /- Load: 10 k series\n/);
    const digest = await unchanged("prod", LOAD);
    const [root] = digest.steps;
    assert.ok(root?.oldState !== undefined);
    root.oldState = { ...root.oldState, outputs: { ...(root.oldState.outputs as object), capacity: { carries: "much" } } };
    const other = await buildReport({ stack: "prod", preview: readPreview(JSON.stringify(digest)) });
    assert.equal(other.capacity?.before, undefined);
  });

  it("has no such section without a load", async () => {
    const report = await reportOf(NO_LOAD, NO_LOAD);
    assert.equal(report.capacity, undefined);
    assert.doesNotMatch(markdownReport(report) + htmlReport(report), /What it carries/);
  });
});
