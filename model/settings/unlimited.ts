import type { Problem } from "../values/problem";
import type { StoreLimits } from "./reads";
import { ACCEPTABLE_RISKS, type Settings } from "./schema";
import { receiveOf } from "./scheme";

/** Limits that protect by default, and that a 0 takes away: a risk to be named. */

interface Limit {
  key: string;
  value: unknown;
}

/** Whether Thanos or Prometheus takes a limit for none: 0, also of bytes. */
const isNone = (value: unknown): boolean => value === 0 || value === "0";

function limitsOf(settings: Settings): Limit[] {
  const limits = receiveOf(settings)?.limits;
  const requests = [
    ["receive.limits.default", limits?.default.request] as const,
    ...Object.entries(limits?.tenants ?? {}).map(([tenant, { request }]) => [`receive.limits.tenants.${tenant}`, request] as const),
  ];
  const { querier, ruler, prometheus, objectStorage, ingestion } = settings;
  const reads: [string, { storeLimits: StoreLimits } | undefined][] = [
    ["receive", receiveOf(settings)],
    ["querier", querier],
    ["ruler", ruler],
    ["prometheus.sidecar", ingestion === "sidecar" ? prometheus.sidecar : undefined],
    ["objectStorage.storeGateway", objectStorage?.storeGateway],
  ];
  return [
    ...reads.flatMap(([key, part]) =>
      Object.entries(part?.storeLimits ?? {}).map(([name, value]) => ({ key: `${key}.storeLimits.${name}`, value })),
    ),
    ...requests.flatMap(([key, request]) =>
      Object.entries(request ?? {}).map(([name, value]) => ({ key: `${key}.request.${name}`, value })),
    ),
    ...Object.entries(settings.prometheus.annotated).map(([name, value]) => ({ key: `prometheus.annotated.${name}`, value })),
  ];
}

/** Every limit that is taken away, unless the environment accepts that by name. */
export function unlimitedProblems(settings: Settings): Problem[] {
  if (settings.accepts.includes("no-limit")) return [];
  return limitsOf(settings)
    .filter(({ value }) => isNone(value))
    .map((limit) => ({
      ...limit,
      rule: ACCEPTABLE_RISKS["no-limit"],
      remedy: 'a limit above 0, the default by leaving it out, or "no-limit" in accepts',
    }));
}
