import { stackConfig } from "../../config/stackFiles";
import { compareAvailability } from "../../model/availability/compare";
import type { Availability, Survival } from "../../model/availability/types";
import { capacityRows, figuresOf } from "../../model/capacity/compare";
import type { Capacity } from "../../model/capacity/types";
import { EXCEPTIONS, type Exceptions } from "../../policy/exceptions";
import type { PolicyResource } from "../../policy/resources";
import { type Violation, violationsOf } from "../../policy/rules";
import { mapIn } from "../engineConfig";
import { type ProgramRun, runProgram, unreadNote } from "../program";
import { type Change, changesOf } from "./changes";
import { decryptableWarning } from "./decryptable";
import { type Preview, STACK_TYPE, stackStep, typeOf } from "./preview";
import { promtoolJudgement } from "./promtool";
import { type Requests, requestsOf } from "./requests";
import type { DeployedOutputs } from "./stackOutputs";
import { type Topology, topologyOf } from "./topology";

/** Everything that a report says, before it takes a form. */
export interface Report {
  stack: string;
  /** Whether the engine was asked. */
  previewed: boolean;
  /** Why there is no plan: what the program, the engine or a provider refused. */
  problems: string[];
  violations: Violation[];
  /** Changes of resources; absent where no preview was made. */
  changes?: Change[];
  /** Survival of the plan; absent where there is no plan. */
  survival?: Availability;
  /** Survival that the environment requires. */
  declared: Survival;
  /** Losses that are survived less well than before; absent where it can't be told. */
  worse?: string[];
  /** Capacity of the plan, and of the last deployment; absent where the environment names no load. */
  capacity?: { after: Capacity; before?: Capacity };
  requests?: { after: Requests; before?: Requests };
  topology?: Topology;
  /** Uses of `extra`, which nobody but the policies has judged. Default: none. */
  unchecked?: string[];
  /** Warnings that a reviewer reads before anything else. Default: none. */
  warnings?: string[];
  /** Limits of the report, and warnings of the engine. */
  notes: string[];
}

/** Sources of a report. */
export interface ReportInput {
  stack: string;
  /** The engine's plan. Without it the report rests on the program alone. */
  preview?: Preview;
  /** The stack's outputs of its last deployment. Default: those in the preview. */
  deployed?: DeployedOutputs;
  /** Why the plan can't be deployed, beside what is found out here. Default: nothing. */
  problems?: readonly string[];
  /** Warnings beside those found out here. Default: none. */
  warnings?: readonly string[];
  /** Further notes, beside those found out here. Default: none. */
  notes?: readonly string[];
  /** `promtool`, by name or path, which judges PromQL and configurations. Default: it is not asked. */
  promtool?: string;
  /** Default: policy/exceptions.ts. */
  exceptions?: Exceptions;
}

/** Makes the report: runs the program with the stack's configuration, and puts beside it what the engine and the last deployment say. */
export async function buildReport({
  stack,
  preview,
  deployed,
  problems: found = [],
  warnings: warned = [],
  notes: given = [],
  promtool,
  exceptions = EXCEPTIONS,
}: ReportInput): Promise<Report> {
  const notes: string[] = [...given];
  const problems = [...found, ...(preview === undefined ? [] : errorsOf(preview))];
  let config: Record<string, unknown> = {};
  let run: ProgramRun | undefined;
  try {
    // The preview's is the one that the engine ran with; it gives none where it failed before.
    config = preview === undefined || Object.keys(preview.config).length === 0 ? stackConfig(stack) : preview.config;
    run = await runProgram({ config, stack });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (preview?.complete === true) notes.push(`The program could not be run with this configuration outside of the engine: ${message}`);
    else if (!problems.some((known) => known.includes(message))) problems.push(message);
  }
  // The engine repeats the program's warnings.
  if (preview === undefined) notes.push(...(run?.warnings ?? []).map((text) => `Warning: ${text}`));
  if (preview?.complete !== true) notes.push(...(run?.unread ?? []).map(unreadNote));
  const planned =
    preview?.complete === true ? plannedResources(preview) : (run?.resources ?? []).filter(({ custom }) => custom).map(resourceOf);
  const survival = run?.outputs.availability as Availability | undefined;
  const carried = run?.outputs.capacity as Capacity | undefined;
  const { worse, note } = compared(survival, preview, deployed);
  if (note !== undefined) notes.push(note);
  if (preview !== undefined) notes.push(...warningsOf(preview));
  const topology = run === undefined ? undefined : topologyOf(run.resources.map(resourceOf), run.outputs);
  const before = preview === undefined ? [] : previousResources(preview);
  const judged = promtool === undefined ? undefined : await promtoolJudgement(planned, promtool);
  notes.push(...(judged?.notes ?? []));
  const violations = [...violationsOf(planned, stack, exceptions), ...(judged?.violations ?? [])];
  const decryptable = preview === undefined ? undefined : decryptableWarning(config);
  const warnings = [...(decryptable === undefined ? [] : [decryptable]), ...warned];
  return {
    stack,
    previewed: preview !== undefined,
    // At the verdict of a policy pack the engine stops, and its JSON says no more than this.
    problems: violations.length > 0 ? problems.filter((problem) => !ENGINE_STOPPED.test(problem)) : problems,
    violations,
    ...(preview?.complete === true ? { changes: changesOf(preview) } : {}),
    ...(survival === undefined ? {} : { survival }),
    declared: declaredSurvival(config),
    ...(worse === undefined ? {} : { worse }),
    ...(carried === undefined ? {} : { capacity: { after: carried, ...carriedBefore(preview, deployed) } }),
    ...(planned.length === 0
      ? {}
      : { requests: { after: requestsOf(planned), ...(before.length > 0 ? { before: requestsOf(before) } : {}) } }),
    ...(topology === undefined ? {} : { topology }),
    ...(run?.outputs.unchecked === undefined ? {} : { unchecked: run.outputs.unchecked as string[] }),
    ...(warnings.length === 0 ? {} : { warnings }),
    notes: [...new Set(notes)],
  };
}

const ENGINE_STOPPED = /^preview failed(?:: .*polic.*)?$/i;

const resourceOf = ({ type, name, inputs, options }: ProgramRun["resources"][number]): PolicyResource => ({
  type,
  name,
  inputs,
  protect: options.protect,
});

const GOES = new Set(["delete", "delete-replaced", "discard", "discard-replaced", "remove-pending-replace"]);

/**
 * Every resource of the stack that is there when the update is done. As the engine has it for its policies,
 * what is only read is somebody else's.
 */
export function plannedResources(preview: Preview): PolicyResource[] {
  const byUrn = new Map<string, PolicyResource>();
  for (const step of preview.steps) {
    if (GOES.has(step.op) || step.newState === undefined || step.newState === null || typeOf(step) === STACK_TYPE) continue;
    if (step.newState.custom !== true || step.newState.external === true) continue;
    const name = step.urn.split("::").slice(3).join("::");
    byUrn.set(step.urn, { type: typeOf(step), name, inputs: step.newState.inputs ?? {}, protect: step.newState.protect === true });
  }
  return [...byUrn.values()];
}

/** Every resource that is there now. */
function previousResources(preview: Preview): PolicyResource[] {
  const byUrn = new Map<string, PolicyResource>();
  for (const { urn, oldState } of preview.steps) {
    if (oldState?.custom !== true) continue;
    byUrn.set(urn, { type: oldState.type, name: urn, inputs: oldState.inputs ?? {}, protect: oldState.protect === true });
  }
  return [...byUrn.values()];
}

function declaredSurvival(config: Record<string, unknown>): Survival {
  const { nodes, zones } = mapIn(config, "survives");
  return { nodes: typeof nodes === "number" ? nodes : 0, zones: typeof zones === "number" ? zones : 0 };
}

/** Errors, each once: the engine repeats the program's. */
function errorsOf(preview: Preview): string[] {
  const errors = [...new Set(preview.diagnostics.filter(({ severity }) => severity === "error").map(messageOf))];
  return errors.filter((message) => !errors.some((other) => other !== message && other.toLowerCase().includes(message.toLowerCase())));
}

function messageOf({ message, urn }: Preview["diagnostics"][number]): string {
  const name = urn.split("::").slice(3).join("::");
  return name === "" || urn.includes(`::${STACK_TYPE}::`) ? message : `${name}: ${message}`;
}

const MOST_WARNINGS = 5;
/** Said where a plugin is not the CLI's own, which no reviewer decides about. */
const MACHINERY = /^using \S+ from \$PATH at /;

function warningsOf(preview: Preview): string[] {
  const warnings = [...new Set(preview.diagnostics.filter(({ severity }) => severity === "warning").map(messageOf))].filter(
    (message) => !MACHINERY.test(message),
  );
  return [
    ...warnings.slice(0, MOST_WARNINGS).map((message) => `Warning: ${message}`),
    ...(warnings.length > MOST_WARNINGS ? [`And ${warnings.length - MOST_WARNINGS} more warnings in the preview's log.`] : []),
  ];
}

/** Outputs of the last deployment, if they are known. */
function outputsBefore(preview: Preview | undefined, deployed: DeployedOutputs | undefined): Record<string, unknown> | undefined {
  if (deployed === undefined) return preview === undefined ? undefined : stackStep(preview)?.oldState?.outputs;
  return "outputs" in deployed ? deployed.outputs : undefined;
}

/** Capacity of the last deployment, if its outputs have it in a form that is known here. */
function carriedBefore(preview: Preview | undefined, deployed: DeployedOutputs | undefined): { before?: Capacity } {
  const before = outputsBefore(preview, deployed)?.capacity as Capacity | undefined;
  if (before === undefined) return {};
  try {
    capacityRows(before);
    figuresOf(before);
  } catch {
    return {};
  }
  return { before };
}

/** Losses that are survived less well than in the last deployment, or why that is not known. */
function compared(
  survival: Availability | undefined,
  preview: Preview | undefined,
  deployed: DeployedOutputs | undefined,
): { worse?: string[]; note?: string } {
  if (survival === undefined) return {};
  // Why there is no plan is told already.
  if (deployed === undefined && preview !== undefined && stackStep(preview) === undefined) return {};
  const step = preview === undefined ? undefined : stackStep(preview);
  if (deployed === undefined && step !== undefined && (step.oldState === undefined || step.oldState === null)) {
    return { note: "This is the first deployment: there is nothing to compare with." };
  }
  const outputs = outputsBefore(preview, deployed);
  if (outputs === undefined) {
    const why = deployed !== undefined && "unknown" in deployed ? deployed.unknown : "the preview says nothing of it";
    return { note: `Not compared with the last deployment: ${why}` };
  }
  const before = outputs.availability as Availability | undefined;
  if (before === undefined) return { note: "Not compared with the last deployment: it has no output `availability`." };
  try {
    return { worse: compareAvailability(before, survival) };
  } catch {
    return { note: "Not compared with the last deployment: its output `availability` is of another form." };
  }
}
