import { Command } from "commander";
import { downSteps } from "./down";
import { takeLock } from "./lock";
import { paths } from "./paths";
import { explain, runSteps } from "./steps";
import { clusterSteps } from "./up";

const where = paths();
const program = new Command("sandbox").description("A real three-node Kubernetes on this machine, and the stack on it");

const cluster = program.command("cluster").description("the cluster without the stack");
cluster
  .command("up")
  .description("make the cluster, or what of it is missing")
  .action(async () => {
    takeLock(where.lock, "sandbox cluster up");
    await runSteps(clusterSteps(where));
  });

program
  .command("down")
  .description("remove everything but the cache")
  .action(async () => {
    takeLock(where.lock, "sandbox down");
    await runSteps(downSteps(where));
  });

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`\n${explain(error)}\n`);
  process.exitCode = 1;
});
