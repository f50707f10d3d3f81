import { z } from "zod";

/**
 * A stack's state as `pulumi stack export` writes it, as far as recovery reads it. Source: pulumi
 * `sdk/go/common/apitype`, DeploymentV3 and ResourceV3.
 */

const resource = z.looseObject({
  urn: z.string(),
  type: z.string(),
  custom: z.boolean().optional(),
  id: z.string().optional(),
  inputs: z.record(z.string(), z.unknown()).optional(),
  outputs: z.record(z.string(), z.unknown()).optional(),
  delete: z.boolean().optional(),
  protect: z.boolean().optional(),
  pendingReplacement: z.boolean().optional(),
});

const exported = z.looseObject({
  deployment: z.looseObject({
    resources: z.array(resource).nullish(),
    pending_operations: z.array(z.looseObject({ type: z.string(), resource })).nullish(),
  }),
});

/** A resource in the state. */
export type StateResource = z.output<typeof resource>;
/** An operation that had begun and whose end nobody has seen. */
export type PendingOperation = { type: string; resource: StateResource };
/** The whole state. */
export type ExportedState = z.output<typeof exported>;

/**
 * Reads an exported state.
 *
 * @throws naming the first thing that is not as the engine writes it
 */
export function readState(content: unknown): ExportedState {
  const parsed = exported.safeParse(content);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(`this is not what \`pulumi stack export\` writes: ${issue?.path.join(".")}: ${issue?.message}`);
}

/** The key that marks a secret in the state (pulumi `sdk/go/common/resource`, SigKey and SecretSig). */
const SIGNATURE = "4dabf18193072939515e22adb298388d";

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

function isSecret(value: unknown): boolean {
  return isObject(value) && SIGNATURE in value;
}

function holdsSecret(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(holdsSecret);
  return isSecret(value) || (isObject(value) && Object.values(value).some(holdsSecret));
}

/** A live object without what the inputs have as secrets: it would stand in the state in the clear. The next update adds it, encrypted. */
export function withoutSecrets(live: unknown, inputs: unknown): unknown {
  if (!isObject(live) || !isObject(inputs)) return live;
  return Object.fromEntries(
    Object.entries(live).flatMap(([key, value]) => {
      const input = inputs[key];
      if (!holdsSecret(input)) return [[key, value]];
      return isObject(input) && !isSecret(input) ? [[key, withoutSecrets(value, input)]] : [];
    }),
  );
}
