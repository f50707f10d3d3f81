import { type Dirent, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { isAbsolute, join, relative, resolve } from "node:path";
import { judgeRuleFile } from "../model/prometheus/freeForm/problems";
import { rulesSeeAllTargets } from "../model/ruler/rules";
import type { Settings } from "../model/settings/schema";
import type { Problem } from "../model/values/problem";

/** Content of the directory of rule files. */
export interface RuleFiles {
  /** Texts of the rule files by name. */
  rules: Record<string, string>;
  /** Rules in all of them, alerting and recording. */
  count: number;
  problems: Problem[];
}

const KEY = "prometheus.ruleFolder";
/** This repository: what a stack file names is in it, so that a review sees what is deployed. */
const ROOT = realpathSync(resolve(__dirname, ".."));
/** The stack's own rules, which an environment has unless it names another directory. */
const OWN_DIRECTORY = join(ROOT, "rules");
/** Files of {@link OWN_DIRECTORY} about what not every environment has, by name: whether one has it. */
const ABOUT: Readonly<Record<string, (settings: Settings) => boolean>> = {
  "gateway.yaml": ({ gateway }) => gateway !== undefined,
  "gateway-absent.yaml": (settings) => settings.gateway !== undefined && rulesSeeAllTargets(settings),
};
const RULE_FILE = /\.ya?ml$/;
/** Files beside rules that nobody takes for one. */
const BESIDE = /^\.|^readme(?!.*\.ya?ml$)(\..*)?$|\.md$/i;
/** Rule files are UTF-8: another encoding would be loaded with other characters. */
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** A key that a ConfigMap may have. Source: apimachinery `IsConfigMapKey`. */
const CONFIG_MAP_KEY = /^[-._A-Za-z0-9]{1,253}$/;

const problem = (value: string, rule: string, remedy: string): Problem => ({ key: KEY, value, rule, remedy });

/**
 * The rule files of a directory of this repository: every file whose name ends in `.yaml` or `.yml`. Whatever else is there is a problem of
 * its own, since an alert that is silently left out is missed only when it is needed; hidden files, a README and other Markdown are not. Of
 * the stack's own rules those are left out that are about what the environment does not have.
 */
export function readRules(settings: Settings): RuleFiles {
  const { ruleFolder: directory } = settings.prometheus;
  const found: RuleFiles = { rules: {}, count: 0, problems: [] };
  let entries: Dirent[];
  try {
    if (!isInside(resolve(ROOT, directory))) {
      return {
        ...found,
        problems: [problem(directory, "the directory is not in this repository", "a directory of this repository, relative to it")],
      };
    }
    entries = readdirSync(resolve(ROOT, directory), { withFileTypes: true });
  } catch {
    return { ...found, problems: [problem(directory, "the directory can't be read", "a directory of this repository")] };
  }
  const own = realpathSync(resolve(ROOT, directory)) === OWN_DIRECTORY;
  for (const { name } of entries.sort((one, other) => (one.name < other.name ? -1 : 1))) {
    if (BESIDE.test(name) || (own && ABOUT[name]?.(settings) === false)) continue;
    const refusal = refusalOf(join(ROOT, directory, name), name);
    if (refusal !== undefined) {
      found.problems.push(refusal);
      continue;
    }
    const text = decoded(readFileSync(join(ROOT, directory, name)));
    if (text === undefined) {
      found.problems.push(problem(name, "this is not UTF-8: its characters would be others to Prometheus", "the file in UTF-8"));
      continue;
    }
    found.rules[name] = text;
    const { problems, count } = judgeRuleFile(name, text, settings.ruler === undefined ? "prometheus" : "ruler");
    found.problems.push(...problems);
    found.count += count;
  }
  return found;
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Whether a path, with every link followed, is below the repository's directory. Throws where there is nothing. */
function isInside(path: string): boolean {
  const inner = relative(ROOT, realpathSync(path));
  return !isAbsolute(inner) && inner.split("/")[0] !== "..";
}

/** Why a file is not taken for a rule file; undefined where it is. */
function refusalOf(path: string, name: string): Problem | undefined {
  try {
    if (!isInside(path)) return problem(name, "the file is not in this repository", "a file, or a link to one, within this repository");
    if (statSync(path).isDirectory())
      return problem(name, "rules in a directory within the directory are not read", "every rule file in the directory itself");
  } catch {
    return problem(name, "the file can't be read", "a Prometheus rule file");
  }
  if (!RULE_FILE.test(name)) {
    return problem(
      name,
      "only files that end in .yaml or .yml are rule files, and this one would be left out",
      "that ending, or another directory for it",
    );
  }
  if (!CONFIG_MAP_KEY.test(name)) {
    return problem(name, "the file's name is a key of a ConfigMap", "at most 253 letters, digits, '-', '_' and '.'");
  }
  return undefined;
}
