import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Command } from "commander";
import { visible } from "../model/visibleText";
import { manifestsOf, manifestsYaml } from "./manifests";
import { runProgram, stackConfig } from "./program";
import { complain } from "./terminal";

/** `npm run render -- --stack prod [--out FILE]`: an environment's manifests, with neither engine nor cluster. */
async function main(): Promise<void> {
  const options = new Command("render")
    .description("Write an environment's Kubernetes manifests, with neither engine nor cluster")
    .requiredOption("-s, --stack <name>", "environment, as in Pulumi.<name>.yaml")
    .option("-o, --out <file>", "file to write; default: standard output")
    .parse()
    .opts<{ stack: string; out?: string }>();
  const { resources } = await runProgram({ config: stackConfig(options.stack), stack: options.stack });
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
