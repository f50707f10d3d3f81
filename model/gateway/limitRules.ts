import { fillingRequest } from "../ring/limits";
import { gatewayTenants } from "../settings/gatewayEndpoints";
import type { Settings } from "../settings/schema";
import { receiveOf } from "../settings/scheme";
import type { Problem } from "../values/problem";
import { quantityBytes } from "../values/quantity";
import { requestLimits, writtenLimit } from "./limits";

/** The rules of what tenants may send through the gateway. */

const MI = 2 ** 20;

/** Every problem of the limits of tenants; empty where the gateway holds back what nobody behind it could. */
export const limitProblems = (settings: Settings): Problem[] =>
  gatewayTenants(settings).flatMap(([tenant]) => [...decodedFits(settings, tenant), ...bodyIsSmaller(settings, tenant)]);

/** Thanos unpacks a request before it looks at its limits. */
function decodedFits(settings: Settings, tenant: string): Problem[] {
  const own = settings.gateway?.tenants[tenant]?.maxDecoded;
  const receive = receiveOf(settings);
  const bytes = own === undefined ? writtenLimit(settings, tenant) : quantityBytes(own);
  if (bytes === undefined || receive === undefined || bytes < fillingRequest(receive)) return [];
  const most = Math.ceil(fillingRequest(receive) / MI) - 1;
  const isSplit = receive.mode === "split";
  const copies = receive.replicationFactor === 1 ? "a copy for another receiver" : `copies for ${receive.replicationFactor} receivers`;
  return [
    {
      key: `gateway.tenants.${tenant}.maxDecoded`,
      value: own,
      rule:
        `${own === undefined ? `left out it is ${bytes}, by receive.limits, and ` : ""}one such request fills the memory of ` +
        `${isSplit ? "a router" : "a receiver"}, which holds its text, what is read from it and ${copies}`,
      remedy: `at most ${most}Mi, or more memory in ${isSplit ? "receive.routers.resources and " : ""}receive.resources`,
    },
  ];
}

/** A limit that is never reached is a mistake: what is packed is not larger than what it unpacks to. */
function bodyIsSmaller(settings: Settings, tenant: string): Problem[] {
  const given = settings.gateway?.tenants[tenant];
  const { body, decoded } = requestLimits(settings, tenant);
  if (given?.maxBody === undefined || body <= decoded) return [];
  const of = given.maxDecoded === undefined ? `receive.limits of this tenant, ${decoded} bytes` : `maxDecoded, ${given.maxDecoded}`;
  return [
    {
      key: `gateway.tenants.${tenant}.maxBody`,
      value: given.maxBody,
      rule: `a request is not larger as it is sent than as it is unpacked, which is limited to less (${of})`,
      remedy: `at most ${given.maxDecoded ?? `${decoded} (bytes)`}, or the key left out: as large as it may be unpacked`,
    },
  ];
}
