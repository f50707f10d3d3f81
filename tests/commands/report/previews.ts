import { configOf, type Overrides, run, type Stack } from "../../harness";

/** Output of `pulumi preview --json`, made from what the program registers: the form is the engine's, the resources are this program's. */

type Json = Record<string, unknown>;

export interface Step {
  op: string;
  urn: string;
  oldState?: Json;
  newState?: Json;
  detailedDiff?: Record<string, { kind: string; inputDiff: boolean }> | null;
  diffReasons?: string[];
  replaceReasons?: string[];
}

export interface Digest {
  config: Record<string, string>;
  steps: Step[];
  diagnostics: { message: string; severity: string; urn?: string }[];
  changeSummary?: Record<string, number>;
}

/** A preview in which nothing changes since a deployment with `before`. */
export async function unchanged(stack: Stack, overrides: Overrides = {}, before: Overrides = overrides): Promise<Digest> {
  const { resources } = await run(stack, overrides);
  const { outputs } = await run(stack, before);
  const root = `urn:pulumi:${stack}::thanos-stack::pulumi:pulumi:Stack::thanos-stack-${stack}`;
  return {
    config: Object.fromEntries(
      Object.entries(configOf(stack, overrides)).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]),
    ),
    steps: [
      {
        op: "same",
        urn: root,
        oldState: { type: "pulumi:pulumi:Stack", custom: false, outputs },
        newState: { type: "pulumi:pulumi:Stack", custom: false },
      },
      ...resources.map(({ type, name, custom, inputs, options }): Step => {
        const state = { type, custom, inputs, ...(options.protect ? { protect: true } : {}) };
        return {
          op: "same",
          urn: `urn:pulumi:${stack}::thanos-stack::thanos-stack:index:Part$${type}::${name}`,
          oldState: state,
          newState: structuredClone(state),
        };
      }),
    ],
    diagnostics: [],
    changeSummary: { same: resources.length + 1 },
  };
}

/** The step of a resource, for tests to change. */
export function stepOf(digest: Digest, name: string, kind = ""): Step {
  const found = digest.steps.filter(({ urn }) => urn.endsWith(`${kind}::${name}`));
  const [only] = found;
  if (only === undefined || found.length !== 1) throw new Error(`${found.length} steps of ${kind}::${name}`);
  return only;
}
