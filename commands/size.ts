import { Command } from "commander";
import { sizedStack } from "../model/sizing";
import { stackFileText } from "./sizeFile";
import { type SizeOptions, sizeRequest } from "./sizeOptions";
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
    .option("--query-range <duration>", "usual range of a query; default: as `load.queries.range`")
    .option("--query-series <count>", "series that a query usually reads; default: as `load.queries.series`")
    .option("--tenants <count>", "tenants that write; more than one need --other-senders")
    .option("--other-senders <who>", "who writes beside the stack's own Prometheus: none, single, or pairs", "none")
    .option("--largest-memory <quantity>", "most memory of one pod; above it there are more pods", "32Gi")
    .option("--largest-cpu <quantity>", "most CPU of one pod; above it there are more pods", "16")
    .option("--largest-volume <quantity>", "largest volume of one pod; above it there are more pods", "16Ti")
    .option("--name <name>", "name of the environment, of its cluster and of its context", "sized")
    .parse()
    .opts<SizeOptions>();
  say(stackFileText(sizedStack(sizeRequest(options))).trimEnd());
}

try {
  main();
} catch (error) {
  complain(error);
  process.exitCode = 1;
}
