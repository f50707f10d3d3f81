/**
 * Durations and sizes as Prometheus, Thanos and Kubernetes write them.
 * Sources: Prometheus `model.ParseDuration`; Kubernetes `resource.Quantity`.
 */

const DURATION_UNITS: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800, y: 31_536_000 };
/** The form of a duration, but for an empty text, which it matches too. */
export const DURATION = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
const DURATION_ORDER = ["y", "w", "d", "h", "m", "s", "ms"];

/** The least number of seconds that is more than a duration of Go holds: 64 bits of nanoseconds. */
const TOO_LONG = 2 ** 63 / 1e9;
/** A text for what is just short enough. */
export const LONGEST_DURATION = "292y";

/** Whether Prometheus and Thanos can count so many seconds. */
export const isCountable = (seconds: number): boolean => seconds < TOO_LONG;

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

/** Powers of 2 and of 10 that a suffix stands for. Source: Kubernetes apimachinery `resource/suffix.go`. */
const BINARY_SUFFIXES = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const DECIMAL_SUFFIXES = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const LEAST_DECIMAL = -9;
/** The form of a Kubernetes quantity that is not negative. */
export const QUANTITY = /^\+?(\d+(?:\.\d*)?|\.\d+)(?:[eE]([+-]?\d{1,2})|([numkMGTPE]|[KMGTPE]i))?$/;

/** The largest number that a quantity holds; Kubernetes cuts larger ones down to it without a word. */
const LARGEST = 2n ** 63n - 1n;

/** A quantity that is not negative, exactly: `over / under`. Undefined for anything else. */
function fraction(text: string): { over: bigint; under: bigint } | undefined {
  const match = QUANTITY.exec(text);
  if (match === null) return undefined;
  const [, number = "", exponent, suffix = ""] = match;
  const [whole = "", decimals = ""] = number.split(".");
  const over = BigInt(`${whole}${decimals}`);
  const under = 10n ** BigInt(decimals.length);
  const binary = BINARY_SUFFIXES.indexOf(suffix);
  if (binary > 0) return { over: over * 2n ** BigInt(10 * binary), under };
  const power = exponent === undefined ? LEAST_DECIMAL + 3 * DECIMAL_SUFFIXES.indexOf(suffix) : Number(exponent);
  const scale = 10n ** BigInt(Math.abs(power));
  return power < 0 ? { over, under: under * scale } : { over: over * scale, under };
}

/**
 * Whether the text is a Kubernetes quantity of so many whole bytes, such as `512Mi`, `5e10` or `1000m`. Of a part of a byte (`1.1Ti`)
 * Kubernetes makes another text (`1209462790553600m`) and drivers round it as they like.
 */
export function isByteQuantity(text: string): boolean {
  const bytes = fraction(text);
  return bytes !== undefined && bytes.over % bytes.under === 0n && bytes.over / bytes.under <= LARGEST;
}

/**
 * Bytes of a Kubernetes quantity in any of its forms, as claims and volumes of others come back; parts of a byte are rounded up, as
 * `Quantity.Value` does. Throws on what is no quantity, or a negative one.
 */
export function quantityBytes(text: string): number {
  const bytes = fraction(text);
  if (bytes === undefined) throw new Error(`not a quantity of bytes: ${JSON.stringify(text)}`);
  return Number((bytes.over + bytes.under - 1n) / bytes.under);
}

/** Whether the text is a Kubernetes quantity of CPU, such as `250m`, `2` or `0.5`: so many whole thousandths, Kubernetes' smallest part. */
export function isCpuQuantity(text: string): boolean {
  const cpu = fraction(text);
  return cpu !== undefined && (cpu.over * 1_000n) % cpu.under === 0n && cpu.over / cpu.under <= LARGEST;
}

/**
 * CPU cores of a Kubernetes quantity; a part of a thousandth is rounded up, as Kubernetes does. Throws on
 * what is no quantity, or a negative one.
 */
export function cpuCores(text: string): number {
  const cpu = fraction(text);
  if (cpu === undefined) throw new Error(`not a quantity of CPU: ${JSON.stringify(text)}`);
  return Number((cpu.over * 1_000n + cpu.under - 1n) / cpu.under) / 1_000;
}

/** A quantity of bytes as Prometheus' and Thanos' size flags write it (`512MB` there means 512 MiB), such as `8GB` for `8Gi`. */
export function prometheusSize(text: string): string {
  const bytes = quantityBytes(text);
  return `${Math.floor(bytes / 2 ** 20)}MB`;
}

/**
 * Bytes of a size as Prometheus writes one (`10MB`, `1GiB`), whose units count by 1024 with and without `i`
 * (alecthomas/units `ParseBase2Bytes`).
 */
export function bytesOfSize(text: string): number {
  return [...text.matchAll(/([\d.]+)([KMGTPE]?)i?B/g)].reduce(
    (sum, [, amount, unit = ""]) => sum + Number(amount) * 1_024 ** ("KMGTPE".indexOf(unit || " ") + 1),
    0,
  );
}
