import { stringify } from "yaml";
import { leafPeriod } from "./period";
import { leafSecretName, type TlsPlan } from "./plan";

/**
 * The alert of certificates that end. Neither Thanos nor Prometheus has a metric of a certificate's end (v0.42.4 pkg/tls, prometheus/common
 * config): it rests on the date with which the program made them, or on cert-manager's own metric, where somebody scrapes that.
 */

/** Name of the file, beside those of `prometheus.ruleFolder`. */
export const EXPIRY_RULES_FILE = "thanos-stack-certificates.yaml";

const DAY_SECONDS = 86_400;
/**
 * Days before the end below which a certificate ends soon: an alert says so, a preview refuses (`ends.ts`) and `npm run verify` warns. An
 * update is due then, or cert-manager, which asks for the next one 44 days before, has tried in vain for two weeks.
 */
export const ENDS_SOON_DAYS = 30;

/**
 * Rules by name of their file: one file, or none where nothing is encrypted, or where Secrets are somebody else's, of whose end the program
 * knows nothing.
 *
 * @param day For which the program's certificates are made.
 */
export function expiryRules(tls: TlsPlan | undefined, namespace: string, day: Date): Record<string, string> {
  const rule = tls && expiryRule(tls, namespace, day);
  if (rule === undefined) return {};
  return { [EXPIRY_RULES_FILE]: stringify({ groups: [{ name: "thanos-certificates", rules: [rule] }] }, { lineWidth: 0 }) };
}

function expiryRule({ settings, leaves, clients }: TlsPlan, namespace: string, day: Date) {
  const { program, certManager } = settings.certificates;
  if (program !== undefined) {
    const { end } = leafPeriod(day);
    const date = end.toISOString().slice(0, 10);
    return {
      alert: "CertificatesEndSoon",
      expr: `vector(${end.getTime() / 1_000}) - time() < ${ENDS_SOON_DAYS * DAY_SECONDS}`,
      labels: { severity: "critical" },
      annotations: {
        summary:
          `The certificates of ${namespace} end on ${date}, in {{ $value | humanizeDuration }}; then nothing is written or queried any more. ` +
          "`pulumi up` makes new ones",
      },
    };
  }
  if (certManager === undefined) return undefined;
  const names = [...leaves, ...clients].map(leafSecretName).join("|");
  // The metric's own label is renamed unless the scrape honours labels.
  const metric = (label: string) => `certmanager_certificate_expiration_timestamp_seconds{${label}="${namespace}", name=~"${names}"}`;
  return {
    alert: "CertificateNotRenewed",
    expr: `(${metric("exported_namespace")} or ${metric("namespace")}) - time() < ${ENDS_SOON_DAYS * DAY_SECONDS}`,
    for: "1h",
    labels: { severity: "critical" },
    annotations: {
      summary: "cert-manager has not renewed {{ $labels.name }}, which ends in {{ $value | humanizeDuration }}",
    },
  };
}
