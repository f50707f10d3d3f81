import { Command } from "commander";
import { execa } from "execa";
import { addressLines } from "../commands/verify/report";
import { visible } from "../model/values/visibleText";
import { ensureBucket, startBucket, stopBucket } from "./bucket";
import { awaitNodes, ensureVolumes, hostUrl, requireCluster } from "./cluster";
import { StepFailed } from "./command";
import { downSteps, leftovers } from "./down";
import { deploy, destroy, environment, environmentConfig, shellExports, stackOutputs } from "./engine";
import { historySteps } from "./history";
import { takeLock } from "./lock";
import { healNode, killNode, nodePlanByNumber, partitionNode, startNode } from "./node";
import { bucketOf, replacedCredentials } from "./overlay";
import { paths, REPOSITORY } from "./paths";
import { status } from "./status";
import { explain, runSteps } from "./steps";
import { bucketSteps, clusterSteps } from "./up";

const where = paths();
const program = new Command("sandbox")
  .description("A real three-node Kubernetes on this machine, and the stack on it")
  .showHelpAfterError();

program
  .command("up")
  .description("make the cluster, deploy an environment to it, and check that it works; goes on where an earlier run was interrupted")
  .option("--env <name>", "the environment: the dev of Pulumi.dev.yaml", "dev")
  .action(async ({ env }: { env: string }) => {
    const bucket = bucketOf(environmentConfig(env))?.bucket;
    takeLock(where.lock, "make up");
    sayReplaced(env);
    await runSteps([
      ...clusterSteps(where, { withBucket: bucket !== undefined }),
      ...bucketSteps(bucket, where),
      { title: `pulumi up of ${env}`, run: async (report) => void (await deploy(env, where, report)) },
    ]);
    await verify(env);
    const remoteWrite = (await stackOutputs(env, where))?.remoteWriteUrl;
    if (typeof remoteWrite?.value !== "string") return;
    const open = await hostUrl(remoteWrite.value, where);
    process.stdout.write(`${addressLines([{ name: "remote write", open }]).join("\n")}\n`);
  });

const cluster = program.command("cluster").description("the cluster without the stack");
cluster
  .command("up")
  .description("make the cluster, or what of it is missing")
  .option("--for-tests", "with what only the end-to-end tests need: the release of Thanos before the stack's own")
  .action(async ({ forTests }: { forTests?: boolean }) => {
    takeLock(where.lock, "sandbox cluster up");
    await runSteps(clusterSteps(where, { forTests: forTests === true }));
  });
cluster
  .command("volumes")
  .description("make volumes until each node has enough that nobody has claimed")
  .action(async () => {
    await requireCluster(where);
    await ensureVolumes(where);
  });

cluster
  .command("bucket <name>")
  .description("make a bucket on the sandbox's S3 server, and print how it is reached")
  .action(async (name: string) => {
    await requireCluster(where);
    process.stdout.write(`${JSON.stringify(await ensureBucket(name, where, (text) => process.stderr.write(`${text}\n`)), null, 2)}\n`);
  });

program
  .command("deploy")
  .description("deploy an environment to the running cluster")
  .option("--env <name>", "the environment", "dev")
  .action(async ({ env }: { env: string }) => {
    const bucket = bucketOf(environmentConfig(env))?.bucket;
    takeLock(where.lock, "sandbox deploy");
    sayReplaced(env);
    await requireCluster(where);
    await runSteps([
      ...bucketSteps(bucket, where),
      { title: `pulumi up of ${env}`, run: async (report) => void (await deploy(env, where, report)) },
    ]);
  });

program
  .command("destroy")
  .description("remove an environment from the running cluster; what it protects stops it")
  .option("--env <name>", "the environment", "dev")
  .action(async ({ env }: { env: string }) => {
    environmentConfig(env);
    takeLock(where.lock, "sandbox destroy");
    await requireCluster(where);
    await runSteps([{ title: `pulumi destroy of ${env}`, run: (report) => destroy(env, where, report) }]);
  });

program
  .command("status")
  .description("processes, nodes, pods and the stacks' outputs; fails unless all nodes are Ready")
  .action(async () => {
    const { text, running } = await status(where);
    process.stdout.write(`${text}\n`);
    if (!running) process.exitCode = 1;
  });

program
  .command("env")
  .description("shell lines that put kubectl, pulumi and the rest on PATH and point them at the sandbox")
  .action(() => {
    process.stdout.write(`${shellExports(where)}\n`);
  });

program
  .command("run")
  .description("run a program with what it needs to find the sandbox: sandbox run -- kubectl get pods")
  .argument("<command...>")
  .action(async ([command = "", ...args]: string[]) => {
    await requireCluster(where);
    const result = await execa(command, args, { cwd: REPOSITORY, env: environment(where), stdio: "inherit", reject: false });
    process.exitCode = result.exitCode ?? 1;
  });

program
  .command("down")
  .description("remove everything that the sandbox made, but its cache")
  .action(async () => {
    takeLock(where.lock, "make down");
    await runSteps(downSteps(where));
    const left = await leftovers(where);
    if (left.length > 0) throw new StepFailed(`this is left and could not be removed:\n${left.join("\n")}`);
  });

const node = program.command("node").description("faults of one node, by its number");
const fault = (name: string, description: string, action: (number: number) => Promise<void>): void => {
  node
    .command(`${name} <number>`)
    .description(description)
    .action(async (text: string) => {
      await action(nodePlanByNumber(Number(text)).number);
    });
};
fault("kill", "kill -9: the node and all that runs on it are gone at once", (number) => killNode(number, where));
fault("start", "start a killed node, and wait until it is Ready", async (number) => {
  const before = new Date();
  await startNode(number, where);
  await awaitNodes([nodePlanByNumber(number).name], before, where);
});
fault("partition", "cut its link: it runs on, unreachable", (number) => partitionNode(number, where));
fault("heal", "connect it again", (number) => healNode(number));

const bucket = program.command("bucket").description("faults of the S3 server");
bucket
  .command("stop")
  .description("kill -9: an outage of the object storage; what it holds stays")
  .action(() => stopBucket(where));
bucket
  .command("start")
  .description("start it again, with all that it held")
  .action(async () => {
    await requireCluster(where);
    await startBucket(where);
  });

program
  .command("history")
  .description("samples that were never scraped")
  .command("make")
  .description("give an environment's bucket days of made samples, in blocks of two hours; what is there already is left")
  .option("--env <name>", "the environment", "dev")
  .option("--days <number>", "how many days", "10")
  .option("--until <time>", "where they end, such as 2026-07-01T00:00:00Z (default: now); cut to an even hour")
  .action(async ({ env, days, until }: { env: string; days: string; until?: string }) => {
    const steps = historySteps(
      { env, config: environmentConfig(env), days: Number(days), until: until === undefined ? Date.now() : Date.parse(until) },
      where,
    );
    takeLock(where.lock, "sandbox history make");
    await requireCluster(where);
    await runSteps(steps);
  });

/** Says which of an environment's credentials are others here: nobody who reads only its file would know. */
function sayReplaced(env: string): void {
  for (const line of replacedCredentials(environmentConfig(env))) process.stdout.write(`${visible(line)}\n`);
}

/** The check of a deployed environment, as a user runs it; its own output and exit code decide. */
async function verify(env: string): Promise<void> {
  const result = await execa("npm", ["run", "--silent", "verify", "--", "--stack", env], {
    cwd: REPOSITORY,
    env: environment(where),
    stdio: "inherit",
    reject: false,
  });
  if (result.exitCode !== 0)
    throw new StepFailed(`${env} is deployed, and its check failed (exit code ${result.exitCode ?? result.signal})`);
}

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`\n${explain(error)}\n`);
  process.exitCode = 1;
});
