import { gatewayReaders, gatewayTenants } from "../settings/gatewayEndpoints";
import type { Settings } from "../settings/schema";
import { ALL_TENANTS, MAPS } from "./haproxy";
import { tenantLimits } from "./limits";
import { tokenHash } from "./tokens";

/** HAProxy's maps: a key and its value a line. Source: HAProxy 2.6 doc/configuration.txt, converter `map`. */

/** The valid tokens of each tenant and each reader, by its name. */
export interface Tokens {
  tenants: Readonly<Record<string, readonly string[]>>;
  readers: Readonly<Record<string, readonly string[]>>;
}

const file = (lines: readonly (readonly [string, string | number])[]): string => lines.map(([key, value]) => `${key} ${value}\n`).join("");

/** Who is who and what it may: every map by the name of its file. Of tokens they hold hashes. */
export function gatewayMaps(settings: Settings, tokens: Tokens): Record<string, string> {
  const tenants = gatewayTenants(settings);
  const readers = gatewayReaders(settings);
  const limits = tenantLimits(settings);
  const hashes = (holders: readonly (readonly [string, unknown])[], of: Tokens["tenants"]) =>
    holders.flatMap(([name]) => (of[name] ?? []).map((token): [string, string] => [tokenHash(token), name]));
  return {
    [MAPS.writers]: file(hashes(tenants, tokens.tenants)),
    [MAPS.names]: file(tenants.flatMap(([tenant, { certificates }]) => certificates.map((name): [string, string] => [name, tenant]))),
    [MAPS.readers]: file(hashes(readers, tokens.readers)),
    [MAPS.tenants]: file(readers.map(([name, { tenants: seen }]) => [name, seen === "all" ? ALL_TENANTS : seen.join(",")])),
    [MAPS.rates]: file(limits.rates.others),
    [MAPS.bodies]: file(limits.bodies.others),
    [MAPS.decoded]: file(limits.decoded.others),
  };
}
