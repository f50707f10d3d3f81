import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Command } from "commander";
import { engineConfig } from "../commands/engineConfig";
import { PROJECT_DIRECTORY, stackConfig } from "../config/stackFiles";
import { median } from "./figures";
import { type HostedProgram, underHost } from "./pulumiHost";
import { type SilentEngine, silentEngine } from "./silentEngine";

/**
 * `npm run bench:preview -- [--rounds 9] [--stacks dev prod] [--beside DIRECTORY]`: what the program costs a preview that changes nothing.
 *
 * Each program runs as Pulumi's Node.js host starts it, under an engine that answers at once: an empty program, this one with each
 * stack file, and another checkout's, in turns. What an engine and its providers take comes on top.
 */

/** A program that is measured. */
interface Measured extends HostedProgram {
  readonly name: string;
}

/** One run: seconds from its start to its end, seconds of processor, resources. */
interface Run {
  readonly wall: number;
  readonly cpu: number;
  readonly resources: number;
}

/** An empty program is transpiled by swc, the fastest that Pulumi's host can be told to use. */
const EMPTY_TSCONFIG = {
  "ts-node": { swc: true },
  compilerOptions: {
    target: "ES2022",
    module: "nodenext",
    moduleResolution: "nodenext",
    esModuleInterop: true,
    noCheck: true,
    skipLibCheck: true,
  },
};

/** A program of TypeScript without a resource, with this checkout's packages. */
function emptyProgram(directory: string): void {
  writeFileSync(join(directory, "package.json"), JSON.stringify({ name: "empty", main: "index.ts" }));
  writeFileSync(join(directory, "tsconfig.json"), JSON.stringify(EMPTY_TSCONFIG));
  writeFileSync(join(directory, "Pulumi.yaml"), "name: empty\nruntime:\n  name: nodejs\n  options:\n    tsconfig: tsconfig.json\n");
  symlinkSync(join(PROJECT_DIRECTORY, "node_modules"), join(directory, "node_modules"));
  writeFileSync(join(directory, "index.ts"), 'import "@pulumi/pulumi";\n\nexport = async () => ({});\n');
}

/** @throws what the program logged, where it failed */
async function run(program: Measured, engine: SilentEngine, scratch: string): Promise<Run> {
  const registered = engine.registered();
  const start = performance.now();
  const { exitCode, stderr } = await underHost(program, engine, join(scratch, "usage.js"));
  const wall = (performance.now() - start) / 1_000;
  if (exitCode !== 0) throw new Error(`${program.name} failed:\n${[...engine.errors(), stderr].join("\n")}`);
  const { user, system } = JSON.parse(readFileSync(join(scratch, "usage.json"), "utf8")) as NodeJS.CpuUsage;
  return { wall, cpu: (user + system) / 1e6, resources: engine.registered() - registered };
}

async function main(): Promise<void> {
  const options = new Command("bench:preview")
    .description("What the program costs a preview that changes nothing, against an empty program")
    .option("-r, --rounds <number>", "how often each program is run", Number, 9)
    .option("-s, --stacks <names...>", "stack files", ["dev", "prod"])
    .option("-b, --beside <directory>", "another checkout, with its packages, to be run in the same turns")
    .parse()
    .opts<{ rounds: number; stacks: string[]; beside?: string }>();
  const scratch = mkdtempSync(join(tmpdir(), "bench-preview-"));
  const engine = await silentEngine();
  try {
    emptyProgram(scratch);
    const report = JSON.stringify(join(scratch, "usage.json"));
    writeFileSync(
      join(scratch, "usage.js"),
      `process.on("exit", () => require("node:fs").writeFileSync(${report}, JSON.stringify(process.cpuUsage())));\n`,
    );
    const empty = { name: "an empty program", directory: scratch, stack: "empty", config: { texts: {}, secretKeys: [] } };
    const programs: Measured[] = options.stacks.flatMap((stack) => {
      const config = engineConfig(stackConfig(stack));
      const { beside } = options;
      return [
        { name: stack, directory: PROJECT_DIRECTORY, stack, config },
        ...(beside === undefined ? [] : [{ name: `${stack} of ${beside}`, directory: resolve(beside), stack, config }]),
      ];
    });
    const turns = [empty, ...programs].map((program) => ({ program, runs: [] as Run[] }));
    // The first turn fills the file system's cache and is not counted.
    for (let round = 0; round <= options.rounds; round++)
      for (const { program, runs } of turns) {
        const one = await run(program, engine, scratch);
        if (round > 0) runs.push(one);
      }
    const [base] = turns;
    const figure = (runs: readonly Run[], of: "wall" | "cpu") => median(runs.map((one) => one[of]));
    console.log("| program | resources | seconds, median (least to most) | times the empty one | CPU seconds | times the empty one |");
    console.log("| --- | --- | --- | --- | --- | --- |");
    for (const { program, runs } of turns) {
      const walls = runs.map(({ wall }) => wall);
      const times = (of: "wall" | "cpu") => (figure(runs, of) / figure(base?.runs ?? [], of)).toFixed(2);
      const range = `${figure(runs, "wall").toFixed(2)} (${Math.min(...walls).toFixed(2)} to ${Math.max(...walls).toFixed(2)})`;
      console.log(
        `| ${program.name} | ${runs[0]?.resources ?? 0} | ${range} | ${times("wall")} | ${figure(runs, "cpu").toFixed(2)} | ${times("cpu")} |`,
      );
    }
  } finally {
    engine.close();
    rmSync(scratch, { recursive: true });
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
