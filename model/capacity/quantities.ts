import { USABLE_CPU, USABLE_DISK, USABLE_MEMORY } from "./coefficients";
import { LAST_BITS } from "./need";
import type { Need, Resource } from "./types";

/** Quantities in words, and those that would carry a need. */

const MI = 2 ** 20;
const GI = 2 ** 30;

/** Steps in which memory is chosen: from so many bytes on. */
const MEMORY_STEPS: readonly [from: number, step: number][] = [
  [8 * GI, GI],
  [2 * GI, 256 * MI],
  [0, 64 * MI],
];

const binary = (bytes: number): string => (bytes % GI === 0 ? `${bytes / GI}Gi` : `${bytes / MI}Mi`);

/** Four significant digits keep an output short, and the same on every machine. */
export const rounded = (amount: number): number => Number(amount.toPrecision(4));

/** Two significant digits, and no more than the amount. */
export function roundedDown(amount: number): number {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, amount))) - 1);
  return Math.floor(amount / step) * step;
}

/** The least memory, in steps that people write, of which so many bytes can be used. */
export function memoryFor(bytes: number): string {
  const least = bytes / USABLE_MEMORY;
  const [, step = MI] = MEMORY_STEPS.find(([from]) => least > from) ?? [];
  return binary(Math.max(64 * MI, Math.ceil(least / step) * step));
}

/** The least CPU, in steps of 50m and from one core on of 250m. */
export function cpuFor(cores: number): string {
  const step = cores > 1 ? 250 : 50;
  const milli = Math.max(50, Math.ceil((cores * 1_000) / step - LAST_BITS) * step);
  return milli % 1_000 === 0 ? String(milli / 1_000) : `${milli}m`;
}

/** The least volume of which so many bytes can be used. */
export const volumeFor = (bytes: number): string => `${Math.max(1, Math.ceil(bytes / USABLE_DISK / GI))}Gi`;

/** The least number that meets a need of which so many meet a part in proportion. */
export const countFor = (amount: number, { worst, available }: Pick<Need, "worst" | "available">): number =>
  Math.ceil((amount * worst) / available - LAST_BITS);

/** Value of its budget's key with which a need is met: of a replay, the CPU with which it ends in time; of remote write, its senders. */
export function carrying({ resource, worst, available, budget }: Pick<Need, "resource" | "worst" | "available" | "budget">): string {
  if (resource === "memory") return memoryFor(worst);
  if (resource === "disk") return volumeFor(worst);
  if (resource === "remoteWrite") return String(countFor(budget.amount, { worst, available }));
  return cpuFor(resource === "cpu" ? worst / USABLE_CPU : (budget.amount * worst) / available);
}

/**
 * `1.4 M`, `590`: at most three digits that count, rounded down, so that nothing is promised that is not carried.
 *
 * @param more So many digits more.
 */
export function short(amount: number, more = 0): string {
  const units = ["", " k", " M", " G", " T"];
  const power = amount < 1_000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(amount) / 3));
  const value = amount / 1_000 ** power;
  const digits = more + (value >= 100 ? 0 : value >= 10 ? 1 : 2);
  return `${Math.floor(value * 10 ** digits) / 10 ** digits}${units[power]}`;
}

/** Bytes in the largest unit that leaves a digit before the point. `more`: as of {@link short}. */
export function bytesInWords(bytes: number, more = 0): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${Number((bytes / 2 ** (10 * power)).toPrecision(3 + more))} ${units[power]}`;
}

/** Seconds as `40s`, `12m` or `2h`, rounded up. */
export function secondsInWords(seconds: number): string {
  if (seconds <= 120) return `${Math.ceil(seconds)}s`;
  return seconds < 2 * 3_600 ? `${Math.ceil(seconds / 60)}m` : `${Math.ceil(seconds / 360) / 10}h`;
}

/** An amount of a resource in words. `more`: as of {@link short}. */
export function amountOf(resource: Resource, amount: number, more = 0): string {
  if (resource === "replay") return secondsInWords(amount);
  if (resource === "remoteWrite") return `${short(amount, more)} samples/s`;
  if (resource === "cpu") {
    const cores = Number(amount.toPrecision(2 + more));
    return `${cores} ${cores === 1 ? "core" : "cores"}`;
  }
  return bytesInWords(amount, more);
}
