import * as pulumi from "@pulumi/pulumi";

/** Inputs and outputs of a resource, as the engine hands them to a hook. */
export type Inputs = Record<string, unknown> | undefined;

/** Number of pods of a workload; undefined where it has none. */
export function replicasOf(inputs: Inputs): number | undefined {
  const replicas = (inputs?.spec as { replicas?: unknown } | undefined)?.replicas;
  return typeof replicas === "number" ? replicas : undefined;
}

/** A workload that the engine knows, its secrets in the clear. */
export function resolved<T>(inputs: Inputs): Promise<T> {
  return new Promise((resolve) => pulumi.output(inputs as unknown as T).apply((value) => resolve(value as T)));
}

/**
 * As whom the Kubernetes provider applies a resource; it keeps that in its outputs (pulumi-kubernetes
 * `provider/pkg/provider/provider.go`, fieldManagerKey).
 *
 * @param otherwise What needs it, and what to do without: `leaving receivers need: switch it on, or …`.
 * @throws where it applies on the client, which has no such name
 */
export function fieldManagerOf(outputs: Inputs, otherwise: string): string {
  const manager = outputs?.__fieldManager;
  if (typeof manager === "string") return manager;
  throw new Error(`the Kubernetes provider runs without server-side apply, which ${otherwise}`);
}
