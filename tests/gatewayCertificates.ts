import { join } from "node:path";
import { execa } from "execa";

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

const openssl = (...args: string[]) => execa("openssl", args);

/**
 * The certificate of a gateway (`gateway.pem`, its key as HAProxy looks for it), an authority of senders (`senders.pem`), another one, and of
 * each sender a certificate and a key: `edge-1`, `stranger` with a name that is nobody's, `forged` with a good name by the other authority.
 *
 * @param directory where the files are put
 * @param alternativeName of the gateway, such as `IP:10.0.0.1`; undefined where it is not looked at
 */
export async function gatewayCertificates(directory: string, alternativeName?: string): Promise<void> {
  const at = (name: string) => join(directory, name);
  const own = (name: string, key: string, ...more: string[]) =>
    openssl("req", "-x509", ...KEY, "-days", "2", "-subj", `/CN=${name}`, ...more, "-keyout", at(key), "-out", at(`${name}.pem`));
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
      ...["x509", "-req", "-days", "2", "-in", at(`${name}.csr`), "-out", at(`${name}.pem`)],
      ...["-CA", at(`${authority}.pem`), "-CAkey", at(`${authority}.key`), "-CAcreateserial"],
    );
  }
}
