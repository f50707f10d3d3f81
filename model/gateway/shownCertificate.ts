import { CERTIFICATE_PATH } from "../kubernetes/ports";

/**
 * The days of the certificate that HAProxy shows, as metrics: its exporter has none, so that it asks itself over TLS. What it shows is what
 * it has loaded, whatever the Secret holds by now. Source: HAProxy 2.6 doc/configuration.txt, `ssl_f_notafter` (YYMMDDhhmmss).
 */

const METRICS = {
  notBefore: "thanos_gateway_certificate_not_before_timestamp_seconds",
  notAfter: "thanos_gateway_certificate_not_after_timestamp_seconds",
} as const;

/** Backend by which HAProxy asks itself. */
const BACKEND = "certificate";

/** Who asks, and for what: nobody else is answered. */
const ASKED = "from_here asks_for_days";

const set = (name: string, expression: string): string => `  http-request set-var(txn.${name}) ${expression} if ${ASKED}`;

/** Days from the epoch to March of 1996, less the one that a month begins with. */
const DAYS_BEFORE = 9_555;

/**
 * Seconds since the epoch in `txn.<name>`, of a date of this century. Years begin in March of the year 1996, so that a leap day is the last
 * of its year: years before have 365 days and each fourth one more, months before (153 m + 2) / 5.
 */
function secondsOf(name: string, fetch: string): string[] {
  const part = (at: number) => `var(txn.date),bytes(${at},2),lower`;
  return [
    set("date", fetch),
    set("early", `${part(2)},mul(-1),add(14),div(12)`),
    set("month", "var(txn.early),mul(12),add(-3)"),
    set("month", `${part(2)},add(txn.month)`),
    set("year", `${part(0)},add(4),sub(txn.early)`),
    set("days", `var(txn.year),div(4),add(${DAYS_BEFORE})`),
    set("days", "var(txn.year),mul(365),add(txn.days)"),
    set("days", `${part(4)},add(txn.days)`),
    set("days", "var(txn.month),mul(153),add(2),div(5),add(txn.days)"),
    set("seconds", part(10)),
    set("seconds", `${part(8)},mul(60),add(txn.seconds)`),
    set("seconds", `${part(6)},mul(3600),add(txn.seconds)`),
    set(name, "var(txn.days),mul(86400),add(txn.seconds)"),
  ];
}

/** Rules of an endpoint that shows the certificate: to HAProxy itself it tells of which days it is. */
export function certificateRules(): string[] {
  const line = (metric: string, value: string) => `# TYPE ${metric} gauge\\n${metric} %[var(txn.${value})]\\n`;
  const text = `${line(METRICS.notBefore, "begin")}${line(METRICS.notAfter, "end")}`;
  return [
    "  acl from_here src 127.0.0.1",
    `  acl asks_for_days path ${CERTIFICATE_PATH}`,
    ...secondsOf("begin", "ssl_f_notbefore"),
    ...secondsOf("end", "ssl_f_notafter"),
    `  http-request return status 200 content-type text/plain lf-string "${text}" if ${ASKED}`,
  ];
}

/** The rule by which the metrics are asked for. */
export const certificateRule = (): string => `  use_backend ${BACKEND} if { path ${CERTIFICATE_PATH} }`;

/** Where they are asked for: at an endpoint of this HAProxy. */
export const certificateBackend = (port: number): string[] => [
  `backend ${BACKEND}`,
  "  timeout server 5s",
  `  server own 127.0.0.1:${port} ssl verify none`,
];
