import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { ruleFileProblems } from "../model/freeForm/problems";
import type { Problem } from "../model/problem";
import type { Settings } from "../model/settings";

/** The rule files of the folder that the settings name. A missing folder has none; a file that Prometheus would not take is a problem. */
export function readRules({ prometheus: { ruleFolder: folder }, ruler }: Settings): { rules: Record<string, string>; problems: Problem[] } {
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
    try {
      const text = readFileSync(join(root, name), "utf8");
      problems.push(...ruleFileProblems(name, text, ruler === undefined ? "prometheus" : "ruler"));
      rules[name] = text;
    } catch {
      problems.push({ key: "prometheus.ruleFolder", value: name, rule: "the file can't be read", remedy: "a file" });
    }
  }
  return { rules, problems };
}
