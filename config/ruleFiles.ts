import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import type { Problem } from "../model/problem";

/** The rule files of a folder of this repository. A missing folder has none; a file that is not YAML with `groups` is a problem. */
export function readRules(folder: string): { rules: Record<string, string>; problems: Problem[] } {
  const root = resolve(__dirname, "..", folder);
  const rules: Record<string, string> = {};
  const problems: Problem[] = [];
  let names: string[];
  try {
    names = readdirSync(root).filter((name) => name.endsWith(".yaml"));
  } catch {
    return {
      rules,
      problems: [{ key: "prometheus.ruleFolder", value: folder, rule: "the folder can't be read", remedy: "a folder of this repository" }],
    };
  }
  for (const name of names.sort()) {
    let text: string;
    let content: unknown;
    try {
      text = readFileSync(join(root, name), "utf8");
      content = parse(text);
    } catch (error) {
      problems.push({
        key: "prometheus.ruleFolder",
        value: name,
        rule: `not YAML (${String(error)})`,
        remedy: "rule groups in YAML",
      });
      continue;
    }
    if (!Array.isArray((content as { groups?: unknown } | null)?.groups)) {
      problems.push({ key: "prometheus.ruleFolder", value: name, rule: "a rule file has `groups`", remedy: "a Prometheus rule file" });
    }
    rules[name] = text;
  }
  return { rules, problems };
}
