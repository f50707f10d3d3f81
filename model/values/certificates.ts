import { X509Certificate } from "node:crypto";

/** Certificates as PEM. */

/** The line that a certificate begins with. */
export const CERTIFICATE_BEGIN = "-----BEGIN CERTIFICATE-----";

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/**
 * The certificates of a text, in its order.
 *
 * @throws where one can't be read
 */
export const certificatesOf = (pem: string): X509Certificate[] => (pem.match(CERTIFICATE) ?? []).map((each) => new X509Certificate(each));
