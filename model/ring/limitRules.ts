import type { ReceiveSettings, Settings } from "../settings/schema";
import type { Problem } from "../values/problem";
import { ownRequest } from "./limits";

/**
 * Limits of the receivers that would refuse what this stack itself sends. Its Prometheus and stateless rulers name
 * no tenant, so the default tenant's limits hold for them: its own ones and, where it has none,
 * `receive.limits.default` (thanos pkg/receive/limiter_config.go `NewLimitsConfig`, request_limiter.go). A refused
 * request is answered 413, which is dropped, not sent again.
 */

/** Every limit below the own senders' requests; empty where they all pass. */
export function receiveLimitProblems({ limits }: ReceiveSettings, settings: Settings): Problem[] {
  const { defaultTenant } = settings.tenancy;
  const own = ownRequest(settings);
  const sender = `this stack's own Prometheus and rulers write as ${defaultTenant}, up to ${own.samples} samples at once (prometheus.remoteWrite.maxSamplesPerSend)`;
  return (["samples", "series", "sizeBytes"] as const).flatMap((limit) => {
    const ofTenant = limits.tenants[defaultTenant]?.request?.[limit];
    const value = ofTenant ?? limits.default.request?.[limit] ?? 0;
    if (value === 0 || value >= own[limit]) return [];
    return [
      {
        key: `receive.limits.${ofTenant === undefined ? "default" : `tenants.${defaultTenant}`}.request.${limit}`,
        value,
        rule: `${sender}, and a larger request is dropped`,
        remedy: `${own[limit]} or more, or a smaller prometheus.remoteWrite.maxSamplesPerSend`,
      },
    ];
  });
}
