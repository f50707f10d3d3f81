import type { ReceiveSettings, Settings } from "./schema";

/** How samples reach the querier: written into a ring of receivers, or kept by each Prometheus, whose samples a sidecar serves. */
export type Ingestion = Settings["ingestion"];

/** The ring's settings; undefined in the sidecar scheme, where the key `receive` may stay in the stack file but has no effect. */
export function receiveOf(settings: Settings): ReceiveSettings | undefined {
  return settings.ingestion === "receive" ? settings.receive : undefined;
}

/**
 * Tenants that the default ring takes: its own list, and the default tenant unless another ring has it.
 * Undefined where any tenant is accepted.
 */
export function defaultRingTenants(settings: Settings): string[] | undefined {
  const { defaultTenant, tenants = [] } = settings.tenancy;
  if (settings.accepts.includes("any-tenant")) return undefined;
  const elsewhere = receiveOf(settings)?.hashrings.flatMap((ring) => ring.tenants) ?? [];
  return [...new Set([defaultTenant, ...tenants])].filter((tenant) => !elsewhere.includes(tenant));
}

/** Names and patterns of tenants that some ring takes. Undefined where any tenant is accepted. */
export function takenTenants(settings: Settings): string[] | undefined {
  const own = defaultRingTenants(settings);
  return own && [...own, ...(receiveOf(settings)?.hashrings.flatMap((ring) => ring.tenants) ?? [])];
}
