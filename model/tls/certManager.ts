import type { TlsSettings } from "../settings/tls";
import { type Leaf, leafSecretName } from "./plan";

/** Certificates that cert-manager makes. Source: cert-manager.io/v1 `Certificate`, docs/reference/api-docs. */

/** Who signs, as cert-manager names it. */
export type Issuer = NonNullable<TlsSettings["certificates"]["certManager"]>["issuer"];

/** How long a certificate is valid, and how long before its end cert-manager asks for the next: its own defaults, written out. */
const DURATION = "2160h";
const RENEW_BEFORE = "720h";

/** Spec of a leaf's `Certificate`. */
export function certificateSpec(leaf: Leaf, issuer: Issuer) {
  return {
    secretName: leafSecretName(leaf),
    commonName: leaf.name,
    ...(leaf.dnsNames.length === 0 ? {} : { dnsNames: leaf.dnsNames }),
    usages: ["digital signature", ...(leaf.server ? ["server auth"] : []), ...(leaf.client ? ["client auth"] : [])],
    duration: DURATION,
    renewBefore: RENEW_BEFORE,
    // Issuers and clients everywhere know it; a new key with each certificate.
    privateKey: { algorithm: "ECDSA", size: 256, rotationPolicy: "Always" },
    issuerRef: issuer,
  };
}
