import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { fields, kindOf, type PolicyResource, text } from "../../policy/resources";
import { describeResource, type Violation } from "../../policy/rules";

/** Checks that only Prometheus' own parser can make, of PromQL and templates above all, by `promtool` where it is. */

const run = promisify(execFile);
const PROMETHEUS_CONFIG = "prometheus.yml";
const LONGEST_CHECK_MILLISECONDS = 120_000;
const MOST_LINES = 10;

/** Its name, where it is on PATH. */
export const PROMTOOL = "promtool";

/** Result of `promtool`'s checks. */
export interface Judgement {
  violations: Violation[];
  /** Checks that were not made. */
  notes: string[];
}

interface File {
  resource: PolicyResource;
  name: string;
  content: string;
}

/** Files of a ConfigMap that is mounted as what `promtool` knows. */
function filesOf(resources: readonly PolicyResource[], wanted: (name: string, content: string) => boolean): File[] {
  return resources
    .filter((resource) => kindOf(resource) === "ConfigMap")
    .flatMap((resource) => {
      const data = fields(resource.inputs, "data");
      return Object.keys(data)
        .filter((name) => /^(?!\.\.)[-._a-zA-Z0-9]+$/.test(name) && wanted(name, text(data, name)))
        .map((name) => ({ resource, name, content: text(data, name) }));
    });
}

/**
 * Has every prometheus.yml and every file of rules judged.
 *
 * @param program `promtool`, by name or path. Where there is none, a note says what nobody judged.
 */
export async function promtoolJudgement(resources: readonly PolicyResource[], program: string): Promise<Judgement> {
  const configurations = filesOf(resources, (name) => name === PROMETHEUS_CONFIG);
  const rules = filesOf(resources, (name, content) => /\.ya?ml$/i.test(name) && /^groups:/m.test(content));
  const directory = await mkdtemp(join(tmpdir(), "thanos-stack-promtool-"));
  try {
    const violations: Violation[] = [];
    // A ruler's own fields are unknown to promtool, and every field is checked by the program.
    for (const [files, check] of [
      [configurations, ["check", "config", "--syntax-only", "--ignore-unknown-fields"]],
      [rules, ["check", "rules", "--ignore-unknown-fields"]],
    ] as const) {
      for (const { resource, name, content } of files) {
        const path = join(directory, name);
        await writeFile(path, content);
        const refusal = await refusalOf(program, [...check, path]);
        if (refusal !== undefined) {
          violations.push({
            rule: "promtool",
            resource: describeResource(resource),
            message: `${name}: ${refusal.replaceAll(`${directory}/`, "")}`,
          });
        }
      }
    }
    return { violations, notes: [] };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return {
      violations: [],
      notes:
        rules.length + configurations.length === 0
          ? []
          : ["Not checked, since promtool is not on PATH: PromQL and templates of the rule files."],
    };
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Errors of `promtool` about a file; undefined where it takes it. */
async function refusalOf(program: string, args: readonly string[]): Promise<string | undefined> {
  try {
    await run(program, args, { timeout: LONGEST_CHECK_MILLISECONDS, maxBuffer: 16 * 2 ** 20 });
    return undefined;
  } catch (error) {
    const { code, stdout = "", stderr = "" } = error as { code?: unknown; stdout?: string; stderr?: string };
    if (code === "ENOENT") throw error;
    const lines = `${stderr}\n${stdout}`.split("\n").filter((line) => /\S/.test(line) && !/^(?:Checking |\s*SUCCESS)/.test(line));
    return lines.length === 0
      ? `no verdict (${error instanceof Error ? error.message.split("\n")[0] : String(error)})`
      : lines
          .slice(0, MOST_LINES)
          .map((line) => line.trim())
          .join("; ");
  }
}
