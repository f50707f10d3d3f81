import { problemsOfIssue } from "../config/issues";
import { settingsSchema } from "../model/settings/schema";
import { formatProblem } from "../model/values/problem";

/** Options of `npm run size`, as they were typed. */
export interface SizeOptions {
  series: string;
  interval: string;
  retention: string;
  survivesNodes: string;
  survivesZones: string;
  labelBytes?: string;
  newSeries?: string;
  queries?: string;
  largestMemory: string;
  name: string;
}

/** Options by the key of the stack file into which their value goes. */
const OPTION_OF: Readonly<Record<string, string>> = {
  namespace: "--name",
  "load.series": "--series",
  "load.interval": "--interval",
  "load.labelBytes": "--label-bytes",
  "load.newSeriesPerHour": "--new-series",
  "load.queries.perSecond": "--queries",
  "survives.nodes": "--survives-nodes",
  "survives.zones": "--survives-zones",
  "receive.retention.time": "--retention",
  "receive.resources.memory": "--largest-memory",
};

/** A line for each option whose value the stack file would not take: option, value, rule, and what is accepted. */
export function optionProblems(options: SizeOptions): string[] {
  // A text that is no number is shown as it was typed.
  const number = (text: string | undefined) => (text === undefined || Number.isNaN(Number(text)) ? text : Number(text));
  const raw = {
    namespace: `thanos-${options.name}`,
    load: {
      series: number(options.series),
      interval: options.interval,
      labelBytes: number(options.labelBytes),
      newSeriesPerHour: number(options.newSeries),
      queries: { perSecond: number(options.queries) },
    },
    survives: { nodes: number(options.survivesNodes), zones: number(options.survivesZones) },
    receive: { retention: { time: options.retention }, resources: { memory: options.largestMemory } },
  };
  return (settingsSchema.safeParse(raw).error?.issues ?? [])
    .flatMap((issue) => problemsOfIssue(issue, raw))
    .flatMap((problem) => {
      const option = OPTION_OF[problem.key];
      return option === undefined
        ? []
        : [formatProblem({ ...problem, key: option, ...(option === "--name" ? { value: options.name } : {}) })];
    });
}
