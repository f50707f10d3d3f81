import { problemsOfIssue } from "../config/issues";
import { MOST_NODES_OF_A_RING, survivalProblems } from "../model/availability/rules";
import { settingsSchema } from "../model/settings/schema";
import type { SizeRequest } from "../model/sizing";
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

/**
 * The request that options come to, by the schema of the stack file into which they go.
 *
 * @throws {Error} with a line for each option that the stack file would not take: option, value, rule, and what is accepted
 */
export function sizeRequest(options: SizeOptions): SizeRequest {
  // A text that is no number is shown as it was typed; no text at all is none, and not 0.
  const number = (text: string) => (text.trim() === "" || Number.isNaN(Number(text)) ? text : Number(text));
  const given = (key: string, text: string | undefined) => (text === undefined ? {} : { [key]: number(text) });
  const load = {
    series: number(options.series),
    interval: options.interval,
    ...given("labelBytes", options.labelBytes),
    ...given("newSeriesPerHour", options.newSeries),
    ...(options.queries === undefined ? {} : { queries: given("perSecond", options.queries) }),
  };
  const survives = { nodes: number(options.survivesNodes), zones: number(options.survivesZones) };
  const { name, retention, largestMemory } = options;
  const raw = {
    namespace: `thanos-${name}`,
    load,
    survives,
    receive: { retention: { time: retention }, resources: { memory: largestMemory } },
  };
  const refused = (settingsSchema.safeParse(raw).error?.issues ?? [])
    .flatMap((issue) => problemsOfIssue(issue, raw))
    .flatMap((problem) => {
      const option = OPTION_OF[problem.key];
      return option === undefined ? [] : [formatProblem({ ...problem, key: option, ...(option === "--name" ? { value: name } : {}) })];
    });
  if (refused.length > 0) throw new Error(refused.join("\n"));
  // The schema has taken them, so that `load` and `survives` hold numbers.
  const request = { name, load, retention, survives, largestMemory } as SizeRequest;
  const [lost] = survivalProblems({ survives: request.survives, ingestion: "receive" });
  // Its other remedy is a scheme that is not sized.
  if (lost !== undefined)
    throw new Error(formatProblem({ ...lost, key: OPTION_OF[lost.key] ?? lost.key, remedy: `at most ${MOST_NODES_OF_A_RING}` }));
  return request;
}
