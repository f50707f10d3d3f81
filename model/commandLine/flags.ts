import { PROMETHEUS_VERSION } from "../values/versions";
import known from "./programs.json";

/** Flags of Thanos and Prometheus, by command: which there are, and what each takes. Their source is told in README.md beside this file. */

/** A program and its subcommand. */
export type Command = keyof typeof known;

/** Form of a flag: one value, a value each time that it is given, or none. */
type Kind = "value" | "values" | "switch";

/** A flag of a command line. */
export interface Flag {
  name: string;
  /** Text behind `=`; undefined without one. */
  value: string | undefined;
}

/** An argument as a flag; undefined where it is none. */
export function flagOf(argument: string): Flag | undefined {
  const [, name, value] = /^--([a-z][\w.-]*)(?:=(.*))?$/s.exec(argument) ?? [];
  return name === undefined ? undefined : { name, value };
}

const isIn = (list: readonly string[], name: string): boolean => list.includes(name);

/** The name behind the `no-` that turns a switch off; any other name as it is. */
export const withoutNo = (name: string): string => name.replace(/^no-/, "");

/** Name of the switch that `--no-<name>` turns off (kingpin v2 `parser.go`); any other name as it is. */
const positive = (command: Command, name: string): string => {
  const rest = withoutNo(name);
  return kindOf(command, name) === undefined && kindOf(command, rest) === "switch" ? rest : name;
};

function kindOf(command: Command, name: string): Kind | undefined {
  const { value, values, switch: switches } = known[command];
  return isIn(value, name) ? "value" : isIn(values, name) ? "values" : isIn(switches, name) ? "switch" : undefined;
}

/** Whether a command has a flag. */
export const hasFlag = (command: Command, name: string): boolean => kindOf(command, positive(command, name)) !== undefined;

/** Whether a command's flag is deprecated in the pinned release. */
export const isDeprecated = (command: Command, name: string): boolean => isIn(known[command].deprecated, name);

/** Flags that the release of Thanos before the pinned one does not know, where an upgrade begins. */
export const newFlags = (command: Command): readonly string[] => known[command].since;

/** A mistake that stops a process at its start. */
export interface Mistake {
  /** Place of the argument on the command line. */
  index: number;
  rule: string;
  remedy: string;
}

/**
 * Flags with which a process prints something and ends: of kingpin v2 (`app.go` `init`), and `--write-documentation` of Prometheus
 * (cmd/prometheus/main.go).
 */
const ENDS = /^(?:help(?:-.*)?|version|completion-.*|write-documentation)$/;

/**
 * Mistakes of arguments behind a command; empty where the process starts with them.
 *
 * @param version The release that runs. Flags of one that is newer than the list are not judged by name.
 */
export function mistakes(command: Command, args: readonly string[], version: string): Mistake[] {
  const flags = args.map(flagOf);
  const names = flags.map((flag) => (flag === undefined ? undefined : positive(command, flag.name)));
  return flags.flatMap((flag, index): Mistake[] => {
    const mistake = (rule: string, remedy: string) => [{ index, rule, remedy }];
    if (flag === undefined) return mistake("not of the form of a flag", "--name=value, or --name for a switch, each an entry of its own");
    const name = names[index] ?? flag.name;
    if (ENDS.test(name)) return mistake("the process prints something and ends", "the flag left out");
    const kind = kindOf(command, name);
    if (kind === undefined)
      return isNewer(command, version)
        ? []
        : mistake(`${command} ${version} has no flag --${name}, and ends at its start`, `a flag of \`${command} --help\``);
    if (version.startsWith(`${BEFORE}.`) && isIn(newFlags(command), name))
      return mistake(`${command} ${version} has no flag --${name}, which is new in the release after it`, "the flag left out until then");
    if (kind === "switch" && flag.value !== undefined)
      return mistake(`--${name} takes no value, and ${command} ends at its start`, `--${name} alone, or --no-${name}`);
    if (kind !== "switch" && (flag.value === undefined || flag.value === ""))
      return mistake(`--${name} takes a value, and ${command} ends at its start without one`, `--${name}=<value>`);
    if (kind !== "values" && names.indexOf(name) !== index)
      return mistake(`--${name} is given twice, and ${command} ends at its start`, "the flag once");
    return [];
  });
}

/** The release of Thanos before the list's. */
const BEFORE = "0.41";

/** Whether a release of Prometheus has flags that the list may not have. One of Thanos that is newer than the list is not taken at all. */
function isNewer(command: Command, version: string): boolean {
  const [minor = 0, listed = 0] = [version, PROMETHEUS_VERSION].map((each) => Number(/^3\.(\d+)/.exec(each)?.[1] ?? 0));
  return command === "prometheus" && minor > listed;
}

/** Beginnings of flags that only an agent, or only a server, takes: the other ends at its start (prometheus cmd/prometheus/main.go). */
const AGENT_ONLY = ["storage.agent."];
const SERVER_ONLY = ["alertmanager.", "query.", "rules.", "storage.remote.read-", "storage.tsdb.", "web.search."];

/** Why a Prometheus of a mode does not take a flag; undefined where it does. */
export function wrongMode(mode: "server" | "agent", name: string): string | undefined {
  const others = mode === "agent" ? SERVER_ONLY : AGENT_ONLY;
  return others.some((beginning) => name.startsWith(beginning))
    ? `only ${mode === "agent" ? "a server" : "an agent"} takes --${name}, and prometheus.mode is ${mode}: it ends at its start`
    : undefined;
}
