import { ENDS_SOON_DAYS } from "../../model/tls/expiry";
import { type Verdict, warning } from "./checks";

/** Whether the certificates inside a stack are good, and for how long. */

/** A certificate inside the stack. */
export interface CertificateReading {
  /** The pod that serves it, or the component that writes with it. */
  holder: string;
  end: Date;
}

const DAY_MS = 24 * 3_600_000;

/** Every certificate inside the stack is valid, and the first to end is named. */
export function certificatesLast(readings: readonly CertificateReading[], now: Date): Verdict {
  const left = readings.map(({ holder, end }) => ({ holder, end, days: Math.floor((end.getTime() - now.getTime()) / DAY_MS) }));
  const ended = left.filter(({ days }) => !(days >= 0));
  const soon = left.filter(({ days }) => days >= 0 && days < ENDS_SOON_DAYS);
  const first = Math.min(...left.map(({ days }) => days));
  return {
    ok: readings.length > 0 && ended.length === 0,
    seen:
      readings.length === 0
        ? "none was shown"
        : ended.length > 0
          ? `${ended.length} of ${readings.length} have ended`
          : `${readings.length}, the first ends in ${first} days`,
    details: [
      ...ended.map(({ holder, end }) => `the certificate of ${holder} ended at ${end.toISOString()}`),
      ...soon.map(({ holder, days }) => warning(`the certificate of ${holder} ends in ${days} days`)),
    ],
  };
}
