import { problemsOfIssue } from "../config/issues";
import { MOST_NODES_OF_A_RING, survivalProblems } from "../model/availability/rules";
import { loadProblems } from "../model/capacity/rules";
import { settingsSchema } from "../model/settings/schema";
import type { SizeRequest } from "../model/sizing";
import { formatProblem, type Problem } from "../model/values/problem";

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
  queryRange?: string;
  querySeries?: string;
  tenants?: string;
  otherSenders: string;
  largestMemory: string;
  largestCpu: string;
  largestVolume: string;
  name: string;
}

/** Options by the key of the stack file into which their value goes. */
const OPTION_OF: Readonly<Record<string, string>> = {
  namespace: "--name",
  "cluster.name": "--name",
  "cluster.context": "--name",
  "load.series": "--series",
  "load.interval": "--interval",
  "load.labelBytes": "--label-bytes",
  "load.newSeriesPerHour": "--new-series",
  "load.queries.perSecond": "--queries",
  "load.queries.range": "--query-range",
  "load.queries.series": "--query-series",
  "load.tenants": "--tenants",
  "receive.otherSenders": "--other-senders",
  "survives.nodes": "--survives-nodes",
  "survives.zones": "--survives-zones",
  "receive.retention.time": "--retention",
  "receive.resources.memory": "--largest-memory",
  "receive.resources.cpu": "--largest-cpu",
  "receive.storage.pvc.size": "--largest-volume",
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
  const queries = {
    ...given("perSecond", options.queries),
    ...(options.queryRange === undefined ? {} : { range: options.queryRange }),
    ...given("series", options.querySeries),
  };
  const load = {
    series: number(options.series),
    interval: options.interval,
    ...given("labelBytes", options.labelBytes),
    ...given("newSeriesPerHour", options.newSeries),
    ...given("tenants", options.tenants),
    ...(Object.keys(queries).length === 0 ? {} : { queries }),
  };
  const survives = { nodes: number(options.survivesNodes), zones: number(options.survivesZones) };
  const { name, retention, otherSenders } = options;
  const largest = { memory: options.largestMemory, cpu: options.largestCpu, volume: options.largestVolume };
  const raw = {
    cluster: { name, context: name },
    access: { senders: [], readers: [] },
    namespace: `thanos-${name}`,
    load,
    survives,
    receive: {
      otherSenders,
      retention: { time: retention },
      resources: { memory: largest.memory, cpu: largest.cpu },
      storage: { pvc: { size: largest.volume } },
    },
    prometheus: { storage: { pvc: { size: largest.volume } } },
  };
  const { data: settings, error } = settingsSchema.safeParse(raw);
  const refused = (error?.issues ?? [])
    .flatMap((issue) => problemsOfIssue(issue, raw))
    .flatMap((problem) => {
      const option = OPTION_OF[problem.key];
      return option === undefined ? [] : [formatProblem({ ...problem, key: option, ...(option === "--name" ? { value: name } : {}) })];
    });
  if (settings === undefined) throw new Error([...new Set(refused)].join("\n"));
  // The schema has taken them, so that `load` and `survives` hold numbers.
  const request = { name, load, otherSenders, retention, survives, largest } as SizeRequest;
  const ofOption = (problem: Problem): Problem => ({ ...problem, key: OPTION_OF[problem.key] ?? problem.key });
  const [lost] = survivalProblems({ survives: request.survives, ingestion: "receive" });
  // Its other remedy is a scheme that is not sized.
  if (lost !== undefined) throw new Error(formatProblem({ ...ofOption(lost), remedy: `at most ${MOST_NODES_OF_A_RING}` }));
  // What only a stack file says is no remedy of an option.
  const remedies: Readonly<Record<string, string>> = { "--tenants": "1, or --other-senders single or pairs" };
  const problems = loadProblems(settings)
    .map(ofOption)
    .map((problem) => formatProblem({ ...problem, remedy: remedies[problem.key] ?? problem.remedy }));
  if (problems.length > 0) throw new Error(problems.join("\n"));
  return request;
}
