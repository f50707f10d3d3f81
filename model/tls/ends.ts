import type { X509Certificate } from "node:crypto";
import { ACCEPTABLE_RISKS, type Settings } from "../settings/schema";
import { certificatesOf } from "../values/certificates";
import { counted } from "../values/counted";
import type { Problem } from "../values/problem";
import { certificateSpec, issuerOf } from "./certManager";
import { ENDS_SOON_DAYS } from "./expiry";
import { CA_FILE, CERTIFICATE_FILE } from "./flags";
import { CLIENT_USES, leafSecretName, planTls } from "./plan";

/**
 * Certificates of others that end soon. The program's own are never among them: an update makes them anew, for six months at least, so that
 * to refuse it would keep what ends.
 */

const DAY_MS = 86_400_000;

/** Where certificates of others are in the cluster. */
export interface LookedAt {
  /** Secrets, each by the key that names it, with the files in which its certificates are. */
  secrets: { key: string; name: string; files: string[] }[];
  /** `Certificate` objects of cert-manager by name, with the issuer that the plan asks. */
  certificates: { name: string; issuer: unknown }[];
}

/** A `Certificate` of cert-manager as it is in the cluster. */
export interface IssuedCertificate {
  /** Issuer in its spec. */
  issuer: unknown;
  /** End of the certificate that it has issued last; undefined where there is none yet. */
  notAfter: string | undefined;
}

const accepts = ({ accepts: accepted }: Pick<Settings, "accepts">): boolean => accepted.includes("ending-certificates");

const REMEDY = `a certificate that is valid for ${ENDS_SOON_DAYS} days more, or "ending-certificates" in accepts`;

/** The problem of something that ends. */
function ending(key: string, what: string, end: Date, day: Date, remedy = REMEDY): Problem[] {
  const days = Math.floor((end.getTime() - day.getTime()) / DAY_MS);
  if (days >= ENDS_SOON_DAYS) return [];
  const when = days < 0 ? `ended ${counted(-days, "day")} ago` : `ends in ${counted(days, "day")}`;
  return [
    { key, value: what, rule: `it ${when}, on ${end.toISOString().slice(0, 10)}; ${ACCEPTABLE_RISKS["ending-certificates"]}`, remedy },
  ];
}

/** When the last of several ends: beside a CA that takes over the one before may end. */
export const lastEnd = (certificates: readonly X509Certificate[]): Date =>
  new Date(Math.max(...certificates.map(({ validTo }) => Date.parse(validTo))));

/**
 * Certificates in the stack file that end soon; none where the environment accepts that.
 *
 * @param day Today.
 */
export function writtenEnds(settings: Settings, day: Date): Problem[] {
  if (accepts(settings)) return [];
  const { gateway, tls, objectStorage, tracing } = settings;
  const own = tls?.certificates.certManager;
  const texts: [string, string | undefined][] = [
    ["gateway.certificate.authority", gateway?.certificate.authority],
    ["tls.certificates.certManager.authority", own?.authority],
    ...CLIENT_USES.map((use): [string, string | undefined] => [
      `tls.certificates.certManager.clients.${use}.authority`,
      own?.clients[use]?.authority,
    ]),
    ["objectStorage.s3.ca", objectStorage?.s3?.ca],
    ["tracing.ca", tracing?.ca],
  ];
  return texts.flatMap(([key, pem]) => {
    if (pem === undefined) return [];
    const certificates = certificatesOf(pem);
    return ending(key, certificates.map(({ subject }) => subject.replaceAll("\n", ", ")).join("; "), lastEnd(certificates), day);
  });
}

/** Where the plan's certificates of others are in the cluster; nowhere where the environment accepts that they end. */
export function certificatesInCluster(settings: Settings): LookedAt {
  if (accepts(settings)) return { secrets: [], certificates: [] };
  const { gateway, querier, expose } = settings;
  const tls = planTls(settings);
  const given = tls?.settings.certificates.secrets;
  const secret = (key: string, name: string | undefined, ...files: string[]) => (name === undefined ? [] : [{ key, name, files }]);
  const ofComponents = (tls?.leaves ?? []).flatMap(({ key }) => {
    const own = given?.[key];
    return secret(`tls.certificates.secrets.${own === undefined ? "all" : key}`, own ?? given?.all, CERTIFICATE_FILE, CA_FILE);
  });
  const certManager = tls?.settings.certificates.certManager;
  return {
    secrets: [
      ...new Map(ofComponents.map((each) => [each.name, each])).values(),
      ...CLIENT_USES.flatMap((use) => secret(`tls.certificates.secrets.clients.${use}`, given?.clients[use], CA_FILE)),
      ...secret("gateway.certificate.secret", gateway?.certificate.secret, CERTIFICATE_FILE),
      ...secret("gateway.senderAuthority.secret", gateway?.senderAuthority?.secret, CA_FILE),
      ...(["write", "query"] as const).flatMap((endpoint) =>
        secret(`expose.${endpoint}.ingress.certificate.secret`, expose[endpoint]?.ingress?.certificate?.secret, CERTIFICATE_FILE),
      ),
      ...querier.endpoints.flatMap(({ tls: client }, index) =>
        secret(`querier.endpoints[${index}].tls.secret`, client?.secret, CERTIFICATE_FILE, CA_FILE),
      ),
    ],
    certificates:
      certManager === undefined
        ? []
        : [...(tls?.leaves ?? []), ...(tls?.clients ?? [])].flatMap((leaf) => {
            const issuer = issuerOf(certManager, leaf);
            return issuer === undefined ? [] : [{ name: leafSecretName(leaf), issuer: certificateSpec(leaf, issuer).issuerRef }];
          }),
  };
}

/** Problems of a Secret's certificates. Of a file the first certificate is its holder's, of CAs the last to end counts. */
export function secretEnds(
  { key, name, files }: LookedAt["secrets"][number],
  secret: { data?: Record<string, string> } | undefined,
  day: Date,
): Problem[] {
  return files.flatMap((file) => {
    const text = secret?.data?.[file];
    if (text === undefined) return [];
    const found = certificatesOf(Buffer.from(text, "base64").toString("utf8"));
    const [first] = found;
    if (first === undefined) return [];
    return ending(key, `${name}, ${file}`, file === CERTIFICATE_FILE ? new Date(first.validTo) : lastEnd(found), day);
  });
}

/** The problem of a certificate of cert-manager's, where the plan does not ask another issuer for the next one. */
export function issuedEnds(
  { name, issuer }: LookedAt["certificates"][number],
  issued: IssuedCertificate | undefined,
  day: Date,
): Problem[] {
  if (issued?.notAfter === undefined || !sameIssuer(issued.issuer, issuer)) return [];
  return ending(
    "tls.certificates.certManager",
    `Certificate ${name}`,
    new Date(issued.notAfter),
    day,
    `an issuer that renews it (kubectl describe certificate ${name} says what is wrong), or "ending-certificates" in accepts`,
  );
}

function sameIssuer(one: unknown, other: unknown): boolean {
  const parts = (issuer: unknown) => {
    const { name, kind, group } = (issuer ?? {}) as Record<string, unknown>;
    return [name, kind ?? "Issuer", group ?? "cert-manager.io"].join("/");
  };
  return parts(one) === parts(other);
}
