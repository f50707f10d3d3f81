import { resolve } from "node:path";
import { Command } from "commander";
import { apiServerTransport, loadKubeConfig } from "../clients/apiServer";
import type { Transport } from "../clients/transport";
import { stackName } from "../config/stackFiles";
import { PROJECT_DIRECTORY } from "./program";
import { buildReport, plannedResources, type ReportInput } from "./report/build";
import { EXIT, exitCodeOf } from "./report/exitCode";
import { headline } from "./report/headline";
import { versionFinding } from "./report/kubernetesVersion";
import { nodeFinding, plannedZones } from "./report/nodes";
import { type Preview, readPreview } from "./report/preview";
import { PROMTOOL } from "./report/promtool";
import { clusterOf, rehearsalNotes } from "./report/rehearsal";
import { type CliAnswer, pulumi } from "./report/stackOutputs";
import { writeReport } from "./report/write";
import { complain, say } from "./terminal";
import { selectCluster } from "./verify/selection";

interface Options {
  stack: string;
  out?: string[];
  policyPack?: string;
  refresh: boolean;
  expectNoChanges: boolean;
}

/** The arguments with which the CLI previews. */
export function previewArguments(options: Options, further: readonly string[]): string[] {
  return [
    "preview",
    "--json",
    // Rules look at every resource, and sums need them all.
    "--show-sames",
    "--non-interactive",
    "--stack",
    options.stack,
    ...(options.policyPack === undefined ? [] : ["--policy-pack", resolve(options.policyPack)]),
    ...(options.refresh ? ["--refresh"] : []),
    ...further,
  ];
}

/** The plan that the CLI answered with, or a plan that holds its reason for giving none. */
export function previewOf({ code, stdout, stderr }: CliAnswer): Preview {
  const start = stdout.indexOf("{");
  if (start >= 0) {
    const preview = readPreview(stdout.slice(start));
    if (code === 0 || preview.diagnostics.some(({ severity }) => severity === "error")) return { ...preview, complete: code === 0 };
    // A rule of the pack, for one, stops the engine without an error in its JSON.
    return { ...preview, complete: false, diagnostics: [...preview.diagnostics, ...failure(code, stderr)] };
  }
  return { config: {}, steps: [], complete: false, diagnostics: failure(code, stderr) };
}

function failure(code: number, stderr: string): Preview["diagnostics"] {
  const text = stderr.replace(/^error: /gm, "").trim();
  return [{ severity: "error", urn: "", message: text === "" ? `\`pulumi preview\` failed with exit code ${code}` : text }];
}

/** The API server that the preview asked, as the account that previewed. */
async function apiServerOf(stack: string, preview: Preview): Promise<{ context: string; api: Transport }> {
  const address = clusterOf(preview) ?? (await selectCluster({ stack }, PROJECT_DIRECTORY, process.env));
  return { context: address.context, api: apiServerTransport(loadKubeConfig(address)) };
}

/** Findings that only the API server can give, and the engine's preview can't. */
async function askedOfCluster(stack: string, preview: Preview): Promise<Required<Pick<ReportInput, "problems" | "warnings" | "notes">>> {
  const cluster = apiServerOf(stack, preview);
  const api = async () => (await cluster).api;
  const [{ problems, notes }, nodes, rehearsal] = await Promise.all([
    versionFinding(() => cluster),
    nodeFinding(plannedResources(preview), plannedZones(preview.config), api),
    rehearsalNotes(preview, api),
  ]);
  return { problems, warnings: nodes.warnings, notes: [...notes, ...nodes.notes, ...rehearsal] };
}

/** `npm run ci:preview -- --stack prod`: the preview of a pull request, for any CI. What follows `--` is given to `pulumi preview`. */
async function main(): Promise<void> {
  const program = new Command("ci:preview")
    .description("Preview an environment with the engine, apply the rules of policy/, and write the report")
    .requiredOption("-s, --stack <name>", "environment, as in Pulumi.<name>.yaml; also <organization>/<project>/<name>")
    .option("-o, --out <file...>", "reports to write (.md or .html); default: out/report.<stack>.md and .html")
    .option("--policy-pack <directory>", "let the engine apply the rules too, as a policy pack")
    .option("--refresh", "compare with what is in the cluster, not with the last deployment", false)
    .option("--expect-no-changes", `exit with ${EXIT.changes} if anything changes`, false)
    .argument("[arguments...]", "after `--`: further arguments for `pulumi preview`")
    .addHelpText(
      "after",
      `\nExit codes: ${EXIT.fine} the plan can be deployed; ${EXIT.refused} refused or failed; ${EXIT.violation} a rule is broken; ${EXIT.changes} changes where none were expected.`,
    )
    .parse();
  const options = program.opts<Options>();
  const stack = stackName(options.stack);
  const preview = previewOf(await pulumi(previewArguments(options, program.args)));
  const asked = preview.complete ? await askedOfCluster(stack, preview) : {};
  const report = await buildReport({ stack, preview, ...asked, promtool: PROMTOOL });
  const out = options.out ?? [`out/report.${stack}.md`, `out/report.${stack}.html`];
  for (const file of out) writeReport(report, file);
  for (const { rule, resource, message } of report.violations) complain(`${rule}: ${resource}: ${message}`);
  for (const problem of report.problems) complain(problem);
  for (const note of [...(report.warnings ?? []), ...report.notes]) complain(note);
  say(`${stack}: ${headline(report)}\n${out.join("\n")}`);
  process.exitCode = exitCodeOf(report, preview, options.expectNoChanges);
}

if (require.main === module) {
  main().catch((error: unknown) => {
    complain(error);
    process.exitCode = EXIT.refused;
  });
}
