import assert from "node:assert/strict";
import type { Settings } from "../../../model/settings/schema";
import { certificatesInCluster, issuedEnds, secretEnds, writtenEnds } from "../../../model/tls/ends";
import type { Leaf } from "../../../model/tls/plan";
import { issue } from "../../../objects/authority";
import { GATEWAY, GATEWAY_ROUTED, TLS, TLS_SECRETS, TLS_SIDECAR } from "../../components/plans";
import { AUTHORITIES, CERTIFICATE, settingsOf, together } from "../../harness";

const LEAF: Leaf = { name: "a", dnsNames: [], server: true, client: true };
/** Day of certificates that end with the middle of 2027, and of a CA that ends with 2035. */
const MADE = new Date("2026-11-27T12:00:00Z");
const BEFORE = new Date("2027-05-31T00:00:00Z");
const SOON = new Date("2027-06-10T00:00:00Z");
const AFTER = new Date("2027-07-03T00:00:00Z");

describe("certificates of others that end soon", () => {
  const SHORT = "accepts";
  let trusted: string;
  let certificate: string;

  before(async () => {
    const made = await issue("a seed", { stack: "m", generation: 1, day: MADE, leaves: [LEAF] });
    trusted = made.trusted;
    certificate = made.leaves.a?.certificate ?? assert.fail();
  });

  const withAuthority = (authority: string): Settings => {
    const gateway = { ...(GATEWAY.overrides.gateway as object), certificate: { secret: "gateway-tls", authority } };
    return settingsOf("prod", { ...GATEWAY.overrides, gateway });
  };
  const said = (problems: { key: string; rule: string }[]) => problems.map(({ key, rule }) => `${key}: ${rule}`).join("\n");

  it("are refused in the stack file below 30 days, by key and day", () => {
    const settings = withAuthority(certificate);
    assert.deepEqual(writtenEnds(settings, BEFORE), []);
    assert.match(said(writtenEnds(settings, SOON)), /^gateway\.certificate\.authority: it ends in 21 days, on 2027-07-01; /);
    assert.match(said(writtenEnds(settings, AFTER)), /it ended 2 days ago/);
    assert.match(writtenEnds(settings, SOON)[0]?.remedy ?? "", /"ending-certificates" in accepts/);
  });

  it("are taken beside one that goes on, as while a CA is exchanged", () => {
    assert.deepEqual(writtenEnds(withAuthority(`${certificate}${CERTIFICATE}`), SOON), []);
  });

  it("are looked for in each text of the stack file", () => {
    const day = new Date("2200-01-01T00:00:00Z");
    const tls = together(TLS_SIDECAR.overrides, {
      gateway: { certificate: { secret: "a", authority: CERTIFICATE } },
      tracing: { endpoint: "a:4318", protocol: "http", ca: CERTIFICATE },
      objectStorage: { s3: { bucket: "abc", endpoint: "a", ca: AUTHORITIES.senders } },
    });
    assert.deepEqual(
      writtenEnds(settingsOf(TLS_SIDECAR.stack, tls), day).map(({ key }) => key),
      [
        "gateway.certificate.authority",
        "tls.certificates.certManager.authority",
        "tls.certificates.certManager.clients.query.authority",
        "objectStorage.s3.ca",
        "tracing.ca",
      ],
    );
  });

  it("are nobody's concern where the environment accepts it", () => {
    const settings = { ...withAuthority(certificate), [SHORT]: ["ending-certificates"] } as Settings;
    assert.deepEqual(writtenEnds(settings, AFTER), []);
    assert.deepEqual(certificatesInCluster(settings), { secrets: [], certificates: [] });
  });

  it("are looked for in the Secrets that the stack file names, and in no other", () => {
    const names = ({ secrets }: ReturnType<typeof certificatesInCluster>) => secrets.map(({ key, name }) => `${key} ${name}`);
    assert.deepEqual(names(certificatesInCluster(settingsOf(TLS_SECRETS.stack, TLS_SECRETS.overrides))), [
      "tls.certificates.secrets.receive inside-receive",
      "tls.certificates.secrets.all inside",
      "tls.certificates.secrets.clients.write senders",
      "tls.certificates.secrets.clients.query queriers",
    ]);
    assert.deepEqual(names(certificatesInCluster(settingsOf("prod", GATEWAY_ROUTED.overrides))), [
      "gateway.certificate.secret gateway-tls",
      "gateway.senderAuthority.secret senders-ca",
      "expose.query.ingress.certificate.secret queries-tls",
    ]);
    const { secrets, certificates } = certificatesInCluster(settingsOf(TLS.stack, TLS.overrides));
    assert.deepEqual([secrets.map(({ key }) => key), certificates], [["querier.endpoints[1].tls.secret"], []]);
  });

  it("are refused in a Secret by the leaf, and by the last CA", () => {
    const at = { key: "tls.certificates.secrets.all", name: "inside", files: ["tls.crt", "ca.crt"] };
    const base64 = (text: string) => Buffer.from(text).toString("base64");
    const secret = (leaf: string, ca: string) => ({ data: { "tls.crt": base64(leaf), "ca.crt": base64(ca), "tls.key": "" } });
    // A chain goes on behind the leaf, which ends first.
    assert.match(
      said(secretEnds(at, secret(certificate + trusted, trusted), SOON)),
      /^tls\.certificates\.secrets\.all: it ends in 21 days/,
    );
    assert.deepEqual(secretEnds(at, secret(certificate, trusted), BEFORE), []);
    assert.deepEqual(secretEnds(at, secret(trusted, `${certificate}${trusted}`), SOON), []);
    assert.match(secretEnds(at, secret(trusted, certificate), SOON)[0]?.value as string, /inside, ca\.crt/);
    assert.deepEqual(secretEnds(at, undefined, SOON), []);
    assert.deepEqual(secretEnds(at, { data: { "tls.crt": base64("none") } }, SOON), []);
  });

  it("are refused where cert-manager does not renew them, unless this update asks another issuer", () => {
    const { certificates } = certificatesInCluster(settingsOf(TLS_SIDECAR.stack, TLS_SIDECAR.overrides));
    const [own, client] = [certificates[0] ?? assert.fail(), certificates.at(-1) ?? assert.fail()];
    assert.deepEqual(
      [client.name, client.issuer],
      ["thanos-client-above-tls", { name: "queriers", kind: "Issuer", group: "cert-manager.io" }],
    );
    const notAfter = "2027-07-01T00:00:00Z";
    const issuer = { name: "inside", kind: "ClusterIssuer" };
    assert.match(said(issuedEnds(own, { issuer, notAfter }, SOON)), /ends in 21 days/);
    assert.deepEqual(issuedEnds(own, { issuer, notAfter }, BEFORE), []);
    assert.deepEqual(issuedEnds(own, { issuer: { name: "old" }, notAfter }, SOON), []);
    assert.deepEqual(issuedEnds(own, { issuer, notAfter: undefined }, SOON), []);
    assert.deepEqual(issuedEnds(own, undefined, SOON), []);
  });
});
