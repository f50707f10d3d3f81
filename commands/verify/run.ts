/** Waits for checks: each polls until it holds or the time is over, all at the same time. */
import { setTimeout as delay } from "node:timers/promises";
import { ForbiddenError, messageOf } from "../../clients/transport";
import type { Verdict } from "./checks";

/** A check and how it polls the cluster. */
export interface Check {
  name: string;
  /** Takes readings and judges them. A failure to read is a verdict too: this may throw. */
  look(): Promise<Verdict>;
}

/** How a check ended. */
export interface CheckResult extends Verdict {
  name: string;
  /** Seconds from the start until it held, or until it was given up. */
  seconds: number;
}

/** Options of {@link runChecks}. */
export interface RunOptions {
  /** Time in milliseconds after which no check polls again. */
  timeoutMs: number;
  /** Pause in milliseconds between two polls of a check. Default: 1,000. */
  intervalMs?: number;
  /** Called as each check ends. */
  onResult?: (result: CheckResult) => void;
}

/**
 * Runs checks at the same time, each until it holds or the time is over, or until the account may not read what it
 * judges; a check polls at least once.
 *
 * @returns one result for each check, in their order
 */
export function runChecks(checks: readonly Check[], options: RunOptions): Promise<CheckResult[]> {
  const start = performance.now();
  return Promise.all(
    checks.map(async (check) => {
      for (;;) {
        const { final, ...verdict } = await lookOnce(check);
        const elapsedMs = performance.now() - start;
        const pauseMs = options.intervalMs ?? 1_000;
        if (verdict.ok || final || elapsedMs + pauseMs > options.timeoutMs) {
          const result = { name: check.name, ...verdict, seconds: elapsedMs / 1000 };
          options.onResult?.(result);
          return result;
        }
        await delay(pauseMs);
      }
    }),
  );
}

async function lookOnce(check: Check): Promise<Verdict & { final: boolean }> {
  try {
    return { ...(await check.look()), final: false };
  } catch (error) {
    const final = error instanceof ForbiddenError;
    return { ok: false, seen: final ? "may not be read" : "could not be read", details: [messageOf(error)], final };
  }
}
