import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Command } from "commander";
import { stackConfig, stackName } from "../config/stackFiles";
import { visible } from "../model/values/visibleText";
import { manifestsOf, manifestsYaml } from "./manifests";
import { runProgram, unreadNote } from "./program";
import { complain } from "./terminal";

/** `npm run render -- --stack prod [--out FILE]`: an environment's manifests, with neither engine nor cluster. */
async function main(): Promise<void> {
  const options = new Command("render")
    .description("Write an environment's Kubernetes manifests, with neither engine nor cluster")
    .requiredOption("-s, --stack <name>", "environment, as in Pulumi.<name>.yaml; also <organization>/<project>/<name>")
    .option("-o, --out <file>", "file to write; default: standard output")
    .parse()
    .opts<{ stack: string; out?: string }>();
  const stack = stackName(options.stack);
  const { resources, unread, warnings } = await runProgram({ config: stackConfig(stack), stack });
  for (const warning of warnings) complain(`Warning: ${warning}`);
  for (const key of unread) complain(unreadNote(key));
  const yaml = manifestsYaml(manifestsOf(resources));
  // A program that reads it gets it as it is.
  if (options.out === undefined) process.stdout.write(process.stdout.isTTY ? visible(yaml) : yaml);
  else {
    mkdirSync(dirname(options.out), { recursive: true });
    writeFileSync(options.out, yaml);
  }
}

main().catch((error: unknown) => {
  complain(error);
  process.exitCode = 1;
});
