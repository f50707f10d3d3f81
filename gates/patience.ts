import { setTimeout as delay } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { ForbiddenError } from "../clients/transport";
import { counted } from "../model/values/counted";
import { oneLine } from "../model/values/visibleText";

/** The clock that a gate waits by. */
export interface Clock {
  /** Milliseconds, of which only differences count. */
  now: () => number;
  /** @param ms Milliseconds. */
  pause: (ms: number) => Promise<unknown>;
}

const REAL_CLOCK: Clock = { now: Date.now, pause: (ms) => delay(ms) };

/** How a gate waits. */
export interface Patience {
  /** Seconds after which it gives up. */
  timeoutSeconds: number;
  /** Seconds between two polls. */
  pollSeconds: number;
  /** Seconds without a sample after which a receiver counts as no longer written to. */
  quietSeconds: number;
  /** Default: the machine's. */
  clock?: Clock;
}

/** The clock by which a gate waits. */
export const clockOf = ({ clock = REAL_CLOCK }: Patience): Clock => clock;

/**
 * A receiver's start may have to replay its log (10 minutes were reported), a ring file reaches pods within two;
 * a sender retries within ten seconds.
 */
export const PATIENCE: Patience = { timeoutSeconds: 1_800, pollSeconds: 1, quietSeconds: 15 };

/**
 * Polls after which a missing right counts as one that nobody is about to give: a role that was bound just before is known to
 * the API server within a second or two.
 */
const FORBIDDEN_LOOKS = 10;

/** How long something is waited for, in words: `30 minutes`, `15 seconds`. */
export function waitingTime(seconds: number): string {
  return seconds >= 60 && seconds % 60 === 0 ? counted(seconds / 60, "minute") : counted(seconds, "second");
}

/**
 * Waits until nothing is missing.
 *
 * @param missing What is still missing. A failure to ask counts as missing, with its reason, since pods come and go meanwhile.
 * @param advice What to do when the time is over, as a sentence without its full stop.
 * @throws naming what is still missing when the time is over, or the right that is missing.
 */
export async function until(what: string, missing: () => Promise<string[]>, patience: Patience, advice: string): Promise<void> {
  const { now, pause } = clockOf(patience);
  const end = now() + patience.timeoutSeconds * 1_000;
  let last: string[] = [];
  let said = "";
  let forbidden = 0;
  for (;;) {
    try {
      last = await missing();
      forbidden = 0;
    } catch (error) {
      forbidden = error instanceof ForbiddenError ? forbidden + 1 : 0;
      if (forbidden === FORBIDDEN_LOOKS) throw error;
      last = [String(error)];
    }
    if (last.length === 0) return;
    const line = oneLine(`waiting for ${what}; still missing: ${last.join(", ")}`);
    if (line !== said) await pulumi.log.info(line, undefined, undefined, true);
    said = line;
    if (now() > end) {
      throw new Error(
        `gave up after ${waitingTime(patience.timeoutSeconds)} of waiting for ${what}; still missing: ${oneLine(last.join(", "))}. ${advice}`,
      );
    }
    await pause(patience.pollSeconds * 1_000);
  }
}
