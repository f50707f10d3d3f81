import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PemConverter, X509CertificateGenerator } from "@peculiar/x509";
import { execa } from "execa";

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

const openssl = (...args: string[]) => execa("openssl", args);

/**
 * The certificate of a gateway (`gateway.pem`, its key as HAProxy looks for it), an authority of senders (`senders.pem`), another one, and
 * of each sender a certificate and a key: `edge-1`, `stranger` with a name that is nobody's, `forged` with a good name by the other
 * authority.
 *
 * @param directory where the files are put
 * @param alternativeName of the gateway, such as `IP:10.0.0.1`; undefined where it is not looked at
 */
export async function gatewayCertificates(directory: string, alternativeName?: string): Promise<void> {
  const at = (name: string) => join(directory, name);
  const own = (name: string, key: string, ...more: string[]) =>
    openssl("req", "-x509", ...KEY, "-days", "90", "-subj", `/CN=${name}`, ...more, "-keyout", at(key), "-out", at(`${name}.pem`));
  await own("gateway", "gateway.pem.key", ...(alternativeName === undefined ? [] : ["-addext", `subjectAltName=${alternativeName}`]));
  await own("senders", "senders.key");
  await own("others", "others.key");
  for (const [name, subject, authority] of [
    ["edge-1", "edge-1", "senders"],
    ["stranger", "edge-9", "senders"],
    ["forged", "edge-1", "others"],
  ] as const) {
    await openssl("req", ...KEY, "-subj", `/CN=${subject}`, "-keyout", at(`${name}.key`), "-out", at(`${name}.csr`));
    await openssl(
      ...["x509", "-req", "-days", "90", "-in", at(`${name}.csr`), "-out", at(`${name}.pem`)],
      ...["-CA", at(`${authority}.pem`), "-CAkey", at(`${authority}.key`), "-CAcreateserial"],
    );
  }
}

/**
 * A certificate of its own authority, of some days, its key beside it as HAProxy looks for it.
 *
 * @param from First moment of its validity, in ISO 8601, as is the last.
 */
export async function selfSigned(file: string, from: string, to: string): Promise<void> {
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: "CN=gateway",
    notBefore: new Date(from),
    notAfter: new Date(to),
    signingAlgorithm: algorithm,
    keys,
  });
  const key = await webcrypto.subtle.exportKey("pkcs8", keys.privateKey);
  writeFileSync(`${file}.key`, PemConverter.encode(key, "PRIVATE KEY"));
  writeFileSync(file, certificate.toString("pem"));
}
