import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { type Fields, isFields, list } from "../../../../model/prometheus/freeForm/form";
import { judgeRuleFile, pathText } from "../../../../model/prometheus/freeForm/problems";
import { scrapeConfig, timing } from "../../../../model/prometheus/freeForm/scrapeConfig";

interface Upstream {
  taken: Record<string, string>;
  refused: Record<string, { text: string; at: string[] }>;
}

const UPSTREAM = JSON.parse(readFileSync(join(__dirname, "upstream.json"), "utf8")) as Upstream;

interface File {
  global?: { scrape_interval?: string; scrape_timeout?: string };
  scrape_configs?: unknown[];
  groups?: unknown;
}

/** Places of all faults of a configuration's jobs, or of a file of rules. */
function faults(text: string): string[] {
  const file = parse(text, { merge: true, logLevel: "silent" }) as File;
  if (file.groups !== undefined)
    return judgeRuleFile("a.yaml", text).problems.map(({ key }) => key.replace(/^prometheus\.ruleFolder\/a\.yaml: /, ""));
  const jobs = file.scrape_configs ?? [];
  const global = { interval: file.global?.scrape_interval ?? "1m", timeout: file.global?.scrape_timeout ?? "10s" };
  const found = [
    ...list(scrapeConfig)(jobs),
    ...jobs.flatMap((job, index) =>
      isFields(job) ? timing(job as Fields, global).map((each) => ({ ...each, path: [index, ...each.path] })) : [],
    ),
  ];
  return [...new Set(found.map(({ path }) => pathText("", path).replace(/^\./, "")))].sort();
}

describe("configurations of Prometheus' own tests", () => {
  it("are many of each sort", () => {
    assert.ok(Object.keys(UPSTREAM.taken).length > 65 && Object.keys(UPSTREAM.refused).length > 100);
  });

  for (const [path, text] of Object.entries(UPSTREAM.taken)) {
    it(`taken: ${path}`, () => assert.deepEqual(faults(text), []));
  }

  for (const [path, { text, at }] of Object.entries(UPSTREAM.refused)) {
    it(`refused where it is wrong: ${path}`, () => assert.deepEqual(faults(text), at));
  }
});
