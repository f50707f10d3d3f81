import { z } from "zod";

/** The JSON of `pulumi preview --json`, as far as the report reads it. Source: pulumi `sdk/go/common/display`, PreviewDigest. */

const state = z.looseObject({
  type: z.string(),
  custom: z.boolean().optional(),
  inputs: z.record(z.string(), z.unknown()).optional(),
  outputs: z.record(z.string(), z.unknown()).optional(),
  protect: z.boolean().optional(),
});

const step = z.looseObject({
  op: z.string(),
  urn: z.string(),
  oldState: state.nullish(),
  newState: state.nullish(),
  diffReasons: z.array(z.string()).nullish(),
  replaceReasons: z.array(z.string()).nullish(),
  detailedDiff: z.record(z.string(), z.looseObject({ kind: z.string() })).nullish(),
});

const digest = z.looseObject({
  config: z.record(z.string(), z.string()).nullish(),
  steps: z.array(step).nullish(),
  diagnostics: z
    .array(z.looseObject({ urn: z.string().optional(), message: z.string().optional(), severity: z.string().optional() }))
    .nullish(),
  changeSummary: z.record(z.string(), z.number()).nullish(),
});

/** One step of a preview. */
export type PreviewStep = z.output<typeof step>;
/** A resource's state in a step. */
export type StepState = z.output<typeof state>;

/** The engine's plan. */
export interface Preview {
  /** The stack's configuration by full key; secret values are `[secret]`. */
  config: Record<string, string>;
  /** Steps, those of unchanged resources only with `--show-sames`. */
  steps: PreviewStep[];
  /** Messages of engine, program and providers, without colours. */
  diagnostics: { severity: string; message: string; urn: string }[];
  /** Whether the engine came to the end. */
  complete: boolean;
}

/**
 * Reads the JSON of a preview.
 *
 * @throws naming the first thing that is not as the engine writes it
 */
export function readPreview(text: string): Preview {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw new Error(`this is not the output of \`pulumi preview --json\`: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = digest.safeParse(content);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Error(`this is not the output of \`pulumi preview --json\`: ${issue?.path.join(".")}: ${issue?.message}`);
  }
  const { config, steps, diagnostics, changeSummary } = parsed.data;
  const said = (diagnostics ?? []).map(({ severity = "info", message = "", urn = "" }) => ({ severity, message: plain(message), urn }));
  return {
    config: config ?? {},
    steps: steps ?? [],
    diagnostics: said.filter(({ message }) => message !== ""),
    complete: changeSummary !== null && changeSummary !== undefined && !said.some(({ severity }) => severity === "error"),
  };
}

/** A message without colours, without the severity that is said elsewhere, and without blank ends. */
function plain(message: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal colours begin with a control character
  const uncoloured = message.replace(/\u001b\[[0-9;]*m/g, "").replace(/<\{%[^%]*%\}>/g, "");
  return uncoloured.replace(/^(?:error|warning|info): /, "").trim();
}

/** The stack's own step. */
export function stackStep(preview: Preview): PreviewStep | undefined {
  return preview.steps.find((each) => typeOf(each) === STACK_TYPE);
}

export const STACK_TYPE = "pulumi:pulumi:Stack";

/** The resource's type, which the states repeat. */
export function typeOf(each: PreviewStep): string {
  return each.newState?.type ?? each.oldState?.type ?? each.urn.split("::")[2]?.split("$").pop() ?? "";
}

/** The logical name: the last part of a URN. */
export function nameOf(each: PreviewStep): string {
  return each.urn.slice(each.urn.indexOf("::", each.urn.indexOf("::", each.urn.indexOf("::") + 2) + 2) + 2);
}
