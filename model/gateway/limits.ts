import { defaultRequestLimits } from "../ring/limits";
import { gatewayTenants } from "../settings/gatewayEndpoints";
import type { Settings } from "../settings/schema";
import { receiveOf } from "../settings/scheme";
import { quantityBytes } from "../values/quantity";

/** Limits of tenants' writes through the gateway. */

/** The largest request as it is unpacked, where the ring has no limit of its own. */
const MOST_DECODED_BYTES = 32 * 2 ** 20;

/**
 * The largest request of a tenant by `receive.limits`, in bytes as it is unpacked; undefined where the stack file has none, 0 for no limit.
 */
export function writtenLimit(settings: Settings, tenant: string): number | undefined {
  const limits = receiveOf(settings)?.limits;
  return limits?.tenants[tenant]?.request?.sizeBytes ?? limits?.default.request?.sizeBytes;
}

/** The largest request of a tenant that receivers take, in bytes as it is unpacked; 0 where they have no limit. */
export function ringLimit(settings: Settings, tenant: string): number {
  const receive = receiveOf(settings);
  return writtenLimit(settings, tenant) ?? (receive === undefined ? 0 : defaultRequestLimits(receive, settings).sizeBytes);
}

/** The largest request of a tenant, as it is sent and as it is unpacked. */
export function requestLimits(settings: Settings, tenant: string): { body: number; decoded: number } {
  const own = settings.gateway?.tenants[tenant];
  const ring = ringLimit(settings, tenant);
  const decoded = own?.maxDecoded === undefined ? (ring === 0 ? MOST_DECODED_BYTES : ring) : quantityBytes(own.maxDecoded);
  return { decoded, body: own?.maxBody === undefined ? decoded : quantityBytes(own.maxBody) };
}

/** A limit of all tenants. */
export interface Limit {
  /** The value that most tenants have. */
  common: number;
  /** Tenants with another one, by name. */
  others: [string, number][];
}

/** Limits of all tenants, by what they are of: requests in a second, their size as they are sent, and as they are unpacked. */
export function tenantLimits(settings: Settings): Record<"rates" | "bodies" | "decoded", Limit> {
  const all = gatewayTenants(settings).map(([tenant, { requestsPerSecond }]) => ({
    tenant,
    rates: requestsPerSecond,
    ...requestLimits(settings, tenant),
  }));
  const limit = (of: "rates" | "body" | "decoded"): Limit => {
    const common = commonest(all.map((each) => each[of]));
    return { common, others: all.filter((each) => each[of] !== common).map((each) => [each.tenant, each[of]]) };
  };
  return { rates: limit("rates"), bodies: limit("body"), decoded: limit("decoded") };
}

/** The value that is there most often, of several the smallest; 0 of none. */
function commonest(values: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const [first] = [...counts].sort(([left, many], [right, more]) => more - many || left - right);
  return first?.[0] ?? 0;
}
