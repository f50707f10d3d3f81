import type { Problem } from "./problem";
import type { ReceiveSettings, Settings } from "./settings";

/**
 * Limits of the receivers that would refuse what this stack itself sends. Its Prometheus and stateless rulers name no tenant, so the default tenant's limits hold for them: its own
 * ones and, where it has none, `receive.limits.default` (thanos pkg/receive/limiter_config.go `NewLimitsConfig`, request_limiter.go). A refused request is answered 413, which is
 * dropped, not sent again.
 */

/** Bytes that a sample takes in a compressed request at most; on the average of a cluster's own metrics it is a tenth of it. */
const BYTES_A_SAMPLE = 256;

/** The largest request of this stack's own senders: of samples, of series (each sample may be another one's), and of bytes. */
export function ownRequest({ prometheus: { remoteWrite } }: Settings): { samples: number; series: number; sizeBytes: number } {
  const samples = remoteWrite.maxSamplesPerSend;
  return { samples, series: samples, sizeBytes: samples * BYTES_A_SAMPLE };
}

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
