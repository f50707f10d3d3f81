import type { Series } from "../../sandbox/history";

/** Made history: series whose every value follows from its time. */

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
/** The last even hour, at which blocks end. */
export const LATEST = Math.floor(Date.now() / (2 * HOUR)) * 2 * HOUR;

/** Two gauges and two counters. */
export const MADE: readonly Series[] = [0, 1].flatMap((instance) => [
  {
    name: "made_temperature_celsius",
    labels: { instance: `made-${instance}` },
    value: (time: number) => 20 + instance + 5 * Math.sin((2 * Math.PI * time) / DAY),
  },
  {
    name: "made_requests_total",
    labels: { instance: `made-${instance}` },
    value: (time: number) => ((instance + 2) * (time % (30 * DAY))) / 1_000,
  },
]);
