import { MEASURED_ON, STORE_LABEL_SECONDS, STORE_SECONDS } from "./coefficients";
import { bytesInWords, secondsInWords, short } from "./quantities";
import type { Capacity } from "./types";
import { limitName, SITUATION_NAMES } from "./words";

/** Summary of the capacity of a plan, in a few lines for people. */

/** The first line of the summary: `carries 1.4 M series; memory of the receivers is first`. */
export function carriesLine({ carries, load }: Pick<Capacity, "carries" | "load">): string {
  const when = SITUATION_NAMES[carries.first.when];
  return `carries ${short(carries.series)} series, the load is ${short(load.series)}; ${limitName(carries.first)} is first${when === "" ? "" : `, ${when}`}`;
}

/** `EUR 1,234 a month`, without what is no part of the model. */
export const costLine = ({ currency, month }: NonNullable<Capacity["cost"]>): string =>
  `${currency} ${Math.round(month).toLocaleString("en-US")} a month`;

/** `2h, and catches up in 12m`. */
export const cutOffLine = ({ seconds, catchUpSeconds }: NonNullable<Capacity["cutOff"]>): string =>
  `${secondsInWords(seconds)}, and ${catchUpSeconds === null ? "never catches up (prometheus.remoteWrite.maxShards)" : `catches up in ${secondsInWords(catchUpSeconds)}`}`;

/** `1.2 MiB/s between nodes, 0.8 MiB/s of it between zones`. */
export const networkLine = ({ betweenNodes, betweenZones }: Capacity["network"]): string =>
  `${bytesInWords(betweenNodes)}/s between nodes${betweenZones === 0 ? "" : `, ${bytesInWords(betweenZones)}/s of it between zones`}`;

/** `1.1 TiB after a year, 3 TiB after five`. */
export const bucketLine = (years: readonly number[]): string =>
  `${bytesInWords(years[0] ?? 0)} after a year, ${bytesInWords(years.at(-1) ?? 0)} after five`;

const microseconds = (seconds: number): string => String(Number((seconds * 1e6).toPrecision(2)));

/** Of which machine all figures of CPU are: one on which the same work takes another time counts with another factor. */
export const cpuLine = (): string =>
  `${MEASURED_ON}, on which storing a sample takes ${microseconds(STORE_SECONDS)} µs a replica, and ` +
  `${microseconds(100 * STORE_LABEL_SECONDS)} µs for each 100 bytes of its labels`;

/** `rulers, memcached servers`. */
export const notModelledLine = (what: readonly string[]): string => what.join(", ");

/** The first line says what is carried and what ends it. */
export function summaryOf(result: Omit<Capacity, "summary">): string[] {
  const { replaySeconds, cutOff, network, bucketByYear, cost, notModelled } = result;
  return [
    carriesLine(result),
    ...(replaySeconds === undefined ? [] : [`replay of a receiver's log: ${secondsInWords(replaySeconds)}`]),
    ...(cutOff === undefined ? [] : [`Prometheus can be cut off for ${cutOffLine(cutOff)}`]),
    `network: ${networkLine(network)}`,
    ...(bucketByYear === undefined ? [] : [`bucket: ${bucketLine(bucketByYear)}`]),
    ...(cost === undefined ? [] : [`cost: ${costLine(cost)}`]),
    `cores are those of ${cpuLine()}`,
    ...(notModelled.length === 0 ? [] : [`not modelled: ${notModelledLine(notModelled)}`]),
  ];
}
