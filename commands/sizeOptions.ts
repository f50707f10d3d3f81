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
  "prometheus.storage.pvc.size": "--largest-volume",
};

const NAMESPACE_PREFIX = "thanos-";
const NAME_REMEDY = `at most ${63 - NAMESPACE_PREFIX.length} lower-case letters, digits and -, the last one no -`;

/**
 * The request that options come to, by the schema of the stack file into which they go.
 *
 * @throws {Error} with a line for each option that the stack file would not take: option, value, rule, and what is accepted
 */
export function sizeRequest(options: SizeOptions): SizeRequest {
  // A text that is no number is shown as it was typed; no text at all is none, and not 0.
  const number = (text: string) => (text.trim() === "" || !Number.isFinite(Number(text)) ? text : Number(text));
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
    namespace: `${NAMESPACE_PREFIX}${name}`,
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
  if (settings === undefined)
    throw refusal(
      (error?.issues ?? [])
        .flatMap((issue) => problemsOfIssue(issue, raw))
        .map(ofOption)
        .map((problem) => (problem.key === "--name" ? { ...problem, value: name, remedy: NAME_REMEDY } : problem)),
    );
  // The schema has taken them, so that `load` and `survives` hold numbers.
  const request = { name, load, otherSenders, retention, survives, largest } as SizeRequest;
  const [lost] = survivalProblems({ survives: request.survives, ingestion: "receive" });
  // Its other remedy is a scheme that is not sized.
  if (lost !== undefined) throw refusal([{ ...ofOption(lost), remedy: `at most ${MOST_NODES_OF_A_RING}` }]);
  // What only a stack file says is no remedy of an option.
  const remedies: Readonly<Record<string, string>> = { "--tenants": "1, or --other-senders single or pairs" };
  const problems = loadProblems(settings).map(ofOption);
  if (problems.length > 0) throw refusal(problems.map((problem) => ({ ...problem, remedy: remedies[problem.key] ?? problem.remedy })));
  return request;
}

/** A problem of a key as that of the option whose value it is, with options where its texts name keys. */
function ofOption({ key, rule, remedy, ...problem }: Problem): Problem {
  const withOptions = (text: string): string =>
    Object.entries(OPTION_OF).reduce((inner, [each, option]) => inner.replaceAll(each, option), text);
  return { ...problem, key: OPTION_OF[key] ?? key, rule: withOptions(rule), remedy: withOptions(remedy) };
}

/** Of each option the first of its problems, a line each. */
function refusal(problems: readonly Problem[]): Error {
  const first = problems.filter(({ key }, index) => problems.findIndex((each) => each.key === key) === index);
  return new Error(first.map(formatProblem).join("\n"));
}
