import { readFileSync } from "node:fs";
import { Command } from "commander";
import { stackName } from "../config/stackFiles";
import { buildReport } from "./report/build";
import { EXIT, exitCodeOf } from "./report/exitCode";
import { headline } from "./report/headline";
import { readPreview, stackStep } from "./report/preview";
import { PROMTOOL } from "./report/promtool";
import { type DeployedOutputs, deployedOutputs } from "./report/stackOutputs";
import { writeReport } from "./report/write";
import { complain, say } from "./terminal";

interface Options {
  stack: string;
  out: string[];
  preview?: string;
  before?: string;
}

/** `npm run report -- --stack prod --out report.md`: what a reviewer decides from, with or without a preview of the engine. */
async function main(): Promise<void> {
  const options = new Command("report")
    .description("Write what an environment's plan changes, survives and takes")
    .requiredOption("-s, --stack <name>", "environment, as in Pulumi.<name>.yaml; also <organization>/<project>/<name>")
    .requiredOption("-o, --out <file...>", "files to write: .md or .html")
    .option("-p, --preview <file>", "output of `pulumi preview --json --show-sames`; without it, nothing is said of changes")
    .option("-b, --before <file>", "output of `pulumi stack output --json`; default: the preview's, or the CLI is asked")
    .addHelpText(
      "after",
      `\nExit codes: ${EXIT.fine} the plan can be deployed; ${EXIT.refused} refused or failed; ${EXIT.violation} a rule is broken.`,
    )
    .parse()
    .opts<Options>();
  const stack = stackName(options.stack);
  const preview = options.preview === undefined ? undefined : readPreview(readFileSync(options.preview, "utf8"));
  const inPreview = preview !== undefined && stackStep(preview) !== undefined;
  const deployed: DeployedOutputs | undefined =
    options.before !== undefined ? outputsIn(options.before) : inPreview ? undefined : await deployedOutputs(options.stack);
  const report = await buildReport({ stack, preview, deployed, promtool: PROMTOOL });
  for (const file of options.out) writeReport(report, file);
  for (const { rule, resource, message } of report.violations) complain(`${rule}: ${resource}: ${message}`);
  for (const problem of report.problems) complain(problem);
  for (const note of report.notes) complain(note);
  say(`${stack}: ${headline(report)}\n${options.out.join("\n")}`);
  process.exitCode = exitCodeOf(report, preview);
}

function outputsIn(file: string): DeployedOutputs {
  const outputs: unknown = JSON.parse(readFileSync(file, "utf8"));
  if (typeof outputs !== "object" || outputs === null || Array.isArray(outputs)) throw new Error(`${file}: this holds no outputs by name`);
  return { outputs: outputs as Record<string, unknown> };
}

main().catch((error: unknown) => {
  complain(error);
  process.exitCode = EXIT.refused;
});
