import { Command } from "commander";
import { type SizeRequest, sizedStack } from "../model/sizing";
import { stackFileText } from "./sizeFile";
import { optionProblems, type SizeOptions } from "./sizeOptions";
import { complain, say } from "./terminal";

/** `npm run size -- --series 1000000 --interval 15s --retention 30d --survives-zones 1`: a stack file that carries it. */
function main(): void {
  const options = new Command("size")
    .description("Print a stack file that carries a load, as small as the model allows, and why each figure is what it is")
    .requiredOption("--series <count>", "active series, each once")
    .option("--interval <duration>", "time between two samples of a series", "15s")
    .option("--retention <duration>", "how long samples stay", "15d")
    .option("--survives-nodes <count>", "nodes that may be lost at once", "0")
    .option("--survives-zones <count>", "zones that may be lost at once", "0")
    .option("--label-bytes <bytes>", "mean size of a series' labels; default: as `load.labelBytes`")
    .option("--new-series <count>", "new series an hour; default: as `load.newSeriesPerHour`")
    .option("--queries <count>", "queries a second; default: as `load.queries.perSecond`")
    .option("--largest-memory <quantity>", "most memory of one pod; above it there are more pods", "32Gi")
    .option("--name <name>", "name of the environment, of its cluster and of its context", "sized")
    .parse()
    .opts<SizeOptions>();
  const refused = optionProblems(options);
  if (refused.length > 0) throw new Error(refused.join("\n"));
  const number = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
  const request: SizeRequest = {
    name: options.name,
    load: {
      series: Number(options.series),
      interval: options.interval,
      ...given("labelBytes", number(options.labelBytes)),
      ...given("newSeriesPerHour", number(options.newSeries)),
      ...(options.queries === undefined ? {} : { queries: { perSecond: Number(options.queries) } }),
    },
    retention: options.retention,
    survives: { nodes: Number(options.survivesNodes), zones: Number(options.survivesZones) },
    largestMemory: options.largestMemory,
  };
  say(stackFileText(sizedStack(request)).trimEnd());
}

const given = <Key extends string>(key: Key, value: number | undefined) => (value === undefined ? {} : { [key]: value });

try {
  main();
} catch (error) {
  complain(error);
  process.exitCode = 1;
}
