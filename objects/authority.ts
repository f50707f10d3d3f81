import { createHash, createPrivateKey, createPublicKey, hkdfSync, type KeyObject, webcrypto } from "node:crypto";
import type { ClientUse } from "../model/settings/tls";
import { EARLIER_MS, leafPeriod } from "../model/tls/period";
import type { Leaf } from "../model/tls/plan";

/**
 * CAs of the stack and their leaves, all of one seed: keys are derived from it, Ed25519 signs the same bytes the same way, and times are
 * those of the quarter. So the same seed gives the same certificates, byte for byte, until the quarter turns.
 */

/** A certificate and its key, as PEM. */
export interface KeyPair {
  certificate: string;
  key: string;
}

/** Certificates and keys that an authority has made. */
export interface Issued {
  /** Certificates of the CAs that everybody trusts, as PEM: those of the generation before, this one and the next. */
  trusted: string;
  /** By the leaf's name. */
  leaves: Record<string, KeyPair>;
}

/** Whose certificates a CA of a stack signs: the stack's own, or those of others who only write, or only query. */
export type AuthorityUse = "stack" | ClientUse;

/** Which certificates. */
export interface Order {
  /** Tells this stack's CAs from others' for people: it is in their subject. */
  stack: string;
  /** Which of its CAs signs: none of them trusts another's leaves. Default: the one of the stack's own components. */
  use?: AuthorityUse;
  /** Number of the CA that signs, from 1. */
  generation: number;
  /** The day for which they are made. */
  day: Date;
  leaves: readonly Leaf[];
}

/** Words that tell the CAs of a stack apart: in the purposes of which their keys are derived, and for people in their subjects. */
const PURPOSES: Record<AuthorityUse, string> = { stack: "", write: "write ", query: "query " };
const TITLES: Record<AuthorityUse, string> = { stack: "CA", write: "senders CA", query: "queriers CA" };

/** Years after which a CA's certificate is renewed, under the same key and name; it is valid for twice as long and a year. */
const CA_YEARS = 5;

/**
 * Makes the certificates of one of a stack's CAs.
 *
 * Any two pods whose generations differ by one trust each other: each trusts the generation before its own, its own and the next. So one
 * rolling update is enough for another CA.
 *
 * @param seed Secret of which all keys are derived.
 */
export async function issue(seed: string, { stack, use = "stack", generation, day, leaves }: Order): Promise<Issued> {
  const { name: period, begin, end } = leafPeriod(day);
  const generations = [generation - 1, generation, generation + 1].filter((each) => each > 0);
  const authorities = new Map(
    await Promise.all(generations.map(async (each) => [each, await authority(seed, { stack, use, generation: each, day })] as const)),
  );
  const signer = authorities.get(generation);
  if (signer === undefined) throw new RangeError(`there is no generation ${generation} of a CA`);
  const made = await Promise.all(
    leaves.map(async (leaf): Promise<[string, KeyPair]> => {
      const keys = keysOf(seed, `leaf ${PURPOSES[use]}${leaf.name} ${generation} ${period}`);
      const certificate = await certificateOf({ leaf, keys, signer, begin, end });
      return [leaf.name, { certificate, key: keys.privateKey.export({ format: "pem", type: "pkcs8" }).toString() }];
    }),
  );
  return { trusted: [...authorities.values()].map(({ certificate }) => certificate).join(""), leaves: Object.fromEntries(made) };
}

interface Keys {
  privateKey: KeyObject;
  publicKey: KeyObject;
}

interface Authority {
  subject: string;
  keys: Keys;
  certificate: string;
}

/** Prefix of the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410, section 7). */
const PKCS8_ED25519 = Buffer.from("302e020100300506032b657004220420", "hex");
const ED25519 = { name: "Ed25519" };

/** The keys of a purpose. */
function keysOf(seed: string, purpose: string): Keys {
  const bytes = Buffer.from(hkdfSync("sha256", seed, "thanos-stack tls", purpose, 32));
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_ED25519, bytes]), format: "der", type: "pkcs8" });
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

const signingKey = ({ privateKey }: Keys) =>
  webcrypto.subtle.importKey("pkcs8", privateKey.export({ format: "der", type: "pkcs8" }), ED25519, false, ["sign"]);
const spkiOf = ({ publicKey }: Keys) => publicKey.export({ format: "der", type: "spki" });
const verifyingKey = (keys: Keys) => webcrypto.subtle.importKey("spki", spkiOf(keys), ED25519, true, ["verify"]);

/** Loaded where there are certificates to make: a tenth of a second of every preview of a stack without them. */
function library(): typeof import("@peculiar/x509") {
  require("reflect-metadata");
  const x509 = require("@peculiar/x509") as typeof import("@peculiar/x509");
  x509.cryptoProvider.set(webcrypto);
  return x509;
}

/** A serial number of 16 bytes, which are the same for the same certificate, and positive. */
function serialOf(keys: Keys, begin: Date): string {
  const bytes = createHash("sha256").update(spkiOf(keys)).update(begin.toISOString()).digest().subarray(0, 16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString("hex");
}

async function authority(
  seed: string,
  { stack, use, generation, day }: Required<Pick<Order, "stack" | "use" | "generation" | "day">>,
): Promise<Authority> {
  const x509 = library();
  const year = Math.floor(day.getUTCFullYear() / CA_YEARS) * CA_YEARS;
  const keys = keysOf(seed, `ca ${PURPOSES[use]}${generation}`);
  const publicKey = await verifyingKey(keys);
  const notBefore = new Date(Date.UTC(year, 0, 1) - EARLIER_MS);
  const subject = `CN=thanos-stack ${TITLES[use]} ${generation}, OU=${stack}`;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialOf(keys, notBefore),
    name: subject,
    notBefore,
    notAfter: new Date(Date.UTC(year + 2 * CA_YEARS + 1, 0, 1)),
    keys: { publicKey, privateKey: await signingKey(keys) },
    signingAlgorithm: ED25519,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
  return { subject, keys, certificate: pem(certificate.toString("pem")) };
}

/** A leaf's certificate. */
async function certificateOf(order: { leaf: Leaf; keys: Keys; signer: Authority; begin: Date; end: Date }): Promise<string> {
  const { leaf, keys, signer, begin, end } = order;
  const x509 = library();
  const [publicKey, signersKey] = await Promise.all([verifyingKey(keys), verifyingKey(signer.keys)]);
  const uses = [...(leaf.server ? [x509.ExtendedKeyUsage.serverAuth] : []), ...(leaf.client ? [x509.ExtendedKeyUsage.clientAuth] : [])];
  const names = leaf.dnsNames.map((value) => ({ type: "dns" as const, value }));
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialOf(keys, begin),
    subject: `CN=${leaf.name}`,
    issuer: signer.subject,
    notBefore: begin,
    notAfter: end,
    publicKey,
    signingKey: await signingKey(signer.keys),
    signingAlgorithm: ED25519,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension(uses),
      ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(signersKey),
    ],
  });
  return pem(certificate.toString("pem"));
}

/** A block of PEM with a line's end behind it, so that several follow each other. */
const pem = (block: string): string => `${block.trimEnd()}\n`;
