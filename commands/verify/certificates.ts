import { ENDS_SOON_DAYS } from "../../model/tls/expiry";
import { counted } from "../../model/values/counted";
import { type Verdict, warning } from "./checks";

/** Whether the certificates of a stack are good, and for how long. */

/** A certificate of the stack. */
export interface CertificateReading {
  /** The pod that serves it, the component that writes with it, or what holds a CA's. */
  holder: string;
  end: Date;
  /** Its use at the gateway, whose end is always said: the certificate that the gateway shows, or the CA by which it knows senders. */
  isOf?: "gateway" | "senders";
}

/** Everything that was read of a stack's certificates. */
export interface CertificateReadings {
  readings: CertificateReading[];
  /** Certificates that could not be read, a sentence each. */
  unread: string[];
}

const SAID = { gateway: "the gateway's", senders: "its senders' CA" } as const;

const DAY_MS = 24 * 3_600_000;

/** Every certificate is valid; it is said when the first ends, and when those of the gateway do. */
export function certificatesLast({ readings, unread }: CertificateReadings, now: Date): Verdict {
  const left = readings.map((each) => ({ ...each, days: Math.floor((each.end.getTime() - now.getTime()) / DAY_MS) }));
  const ended = left.filter(({ days }) => !(days >= 0));
  const soon = left.filter(({ days }) => days >= 0 && days < ENDS_SOON_DAYS);
  const first = (some: readonly { days: number }[]): number => Math.min(...some.map(({ days }) => days));
  const ofGateway = (["gateway", "senders"] as const).flatMap((which) => {
    const its = left.filter(({ isOf }) => isOf === which);
    return its.length === 0 ? [] : [`${SAID[which]} in ${counted(first(its), "day")}`];
  });
  return {
    ok: readings.length > 0 && ended.length === 0,
    seen:
      readings.length === 0
        ? "none was shown"
        : ended.length > 0
          ? `${ended.length} of ${readings.length} have ended`
          : [`${readings.length}, the first ends in ${counted(first(left), "day")}`, ...ofGateway].join(", "),
    details: [
      ...ended.map(
        ({ holder, end }) =>
          `the certificate of ${holder} ${Number.isNaN(end.getTime()) ? "has no end that can be read" : `ended at ${end.toISOString()}`}`,
      ),
      ...soon.map(({ holder, days }) => warning(`the certificate of ${holder} ends in ${counted(days, "day")}`)),
      ...unread.map(warning),
    ],
  };
}
