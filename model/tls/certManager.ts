import type { TlsSettings } from "../settings/tls";
import { type ClientLeaf, type ComponentLeaf, type Leaf, leafSecretName } from "./plan";

/** Certificates that cert-manager makes. Source: cert-manager.io/v1 `Certificate`, docs/reference/api-docs. */

/** Who signs, as cert-manager names it. */
export type Issuer = NonNullable<TlsSettings["certificates"]["certManager"]>["issuer"];

/**
 * How long a certificate is valid, cert-manager's own default, and how long before its end cert-manager asks for the next: two weeks before
 * an end counts as one that comes soon, so that a renewal that takes its time is none.
 */
const DURATION = "2160h";
const RENEW_BEFORE = "1056h";

/** Who signs a leaf: for others another issuer than for the stack's own. Undefined where nobody does. */
export const issuerOf = (
  { issuer, clients }: NonNullable<TlsSettings["certificates"]["certManager"]>,
  leaf: ComponentLeaf | ClientLeaf,
): Issuer | undefined => ("use" in leaf ? clients[leaf.use]?.issuer : issuer);

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
