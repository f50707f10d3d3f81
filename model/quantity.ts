/**
 * Durations and sizes as Prometheus, Thanos and Kubernetes write them.
 * Sources: Prometheus `model.ParseDuration`; Kubernetes `resource.Quantity`.
 */

const DURATION_UNITS: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800, y: 31_536_000 };
const DURATION = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
const DURATION_ORDER = ["y", "w", "d", "h", "m", "s", "ms"];

/** Whether the text is a duration that both Prometheus and Thanos accept, such as `30s`, `1h30m` or `15d`. */
export function isDuration(text: string): boolean {
  return text !== "" && DURATION.test(text);
}

/** Seconds of a Prometheus duration. Throws on anything else. */
export function durationSeconds(text: string): number {
  const match = text === "" ? null : DURATION.exec(text);
  if (match === null) throw new Error(`not a duration: ${JSON.stringify(text)}`);
  return DURATION_ORDER.reduce((sum, unit, index) => sum + Number(match[index + 1] ?? 0) * (DURATION_UNITS[unit] ?? 0), 0);
}

/** A duration as flags of Go's own kind have it, which know no days: in seconds. */
export function goDuration(text: string): string {
  return `${durationSeconds(text)}s`;
}

/** A whole number of seconds as Prometheus and Thanos write it, such as `14d21h`. Weeks and years are given in days. */
export function durationText(seconds: number): string {
  let rest = seconds;
  const parts = ["d", "h", "m", "s"].map((unit) => {
    const size = DURATION_UNITS[unit] ?? 1;
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count === 0 ? "" : `${count}${unit}`;
  });
  return parts.join("") || "0s";
}

const MEMORY_UNITS: Record<string, number> = {
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};
const MEMORY = /^(\d+(?:\.\d+)?)(k|M|G|T|Ki|Mi|Gi|Ti)?$/;

/** Whether the text is a Kubernetes quantity of bytes, such as `512Mi`. */
export function isByteQuantity(text: string): boolean {
  return MEMORY.test(text);
}

/** Bytes of a Kubernetes quantity. Throws on anything else. */
export function quantityBytes(text: string): number {
  const match = MEMORY.exec(text);
  if (match === null) throw new Error(`not a quantity of bytes: ${JSON.stringify(text)}`);
  return Number(match[1]) * (MEMORY_UNITS[match[2] ?? ""] ?? 1);
}

/** Whether the text is a Kubernetes quantity of CPU, such as `250m` or `2`. */
export function isCpuQuantity(text: string): boolean {
  return /^(?:\d+m|\d+(?:\.\d+)?)$/.test(text);
}

/** CPU cores of a Kubernetes quantity. */
export function cpuCores(text: string): number {
  if (!isCpuQuantity(text)) throw new Error(`not a quantity of CPU: ${JSON.stringify(text)}`);
  return text.endsWith("m") ? Number(text.slice(0, -1)) / 1_000 : Number(text);
}

/** A quantity of bytes as Prometheus' and Thanos' size flags write it (`512MB` there means 512 MiB), such as `8GB` for `8Gi`. */
export function prometheusSize(text: string): string {
  const bytes = quantityBytes(text);
  return `${Math.floor(bytes / 2 ** 20)}MB`;
}
