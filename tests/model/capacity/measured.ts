/**
 * Loads that bench/coefficients.ts measured on the sandbox's cluster, 2026-11-27, Thanos 0.42.4: of the receiver that stored most, some two
 * minutes after its first sample, and of the busier of two routers (bench/README.md, "coefficients").
 */
export interface MeasuredLoad {
  name: string;
  replicationFactor: 1 | 3;
  /** Series in its head, and mean bytes of their labels. */
  series: number;
  labelBytes: number;
  samplesPerSecond: number;
  /** New series in a second. */
  created: number;
  /** Megabytes resident, and cores. */
  memory: number;
  cpu: number;
  routerMemory: number;
  routerCpu: number;
}
