import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isOtherCluster, readSettings } from "../../../../sandbox/plugins/kubernetes/configuration";
import { activeCluster, type KubeconfigChoice } from "../../../../sandbox/plugins/kubernetes/kubeconfig";
import { Secret, unknown } from "../../../../sandbox/plugins/protocol/values";

const contents = `
apiVersion: v1
kind: Config
current-context: first
clusters:
  - { name: one, cluster: { server: "https://one:6443/", certificate-authority: ca.pem } }
  - { name: two, cluster: { server: "https://two:6443", certificate-authority-data: ${Buffer.from("two").toString("base64")}, tls-server-name: two.test } }
users:
  - { name: by-token, user: { token: secret-token } }
  - { name: by-password, user: { username: me, password: pass } }
  - { name: by-certificate, user: { client-certificate: cert.pem, client-key-data: ${Buffer.from("key").toString("base64")} } }
contexts:
  - { name: first, context: { cluster: one, user: by-certificate, namespace: here } }
  - { name: second, context: { cluster: two, user: by-token } }
  - { name: third, context: { cluster: two, user: by-password } }
  - { name: dangling, context: { cluster: none, user: by-token } }
`;

describe("the kubeconfig", () => {
  let directory: string;
  let path: string;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), "kubeconfig-"));
    path = join(directory, "config");
    writeFileSync(path, contents);
    writeFileSync(join(directory, "ca.pem"), "authority");
    writeFileSync(join(directory, "cert.pem"), "certificate");
  });
  after(() => rmSync(directory, { recursive: true }));

  const choose = (choice: Partial<KubeconfigChoice>) =>
    activeCluster({ kubeconfig: path, context: undefined, cluster: undefined, namespace: undefined, ...choice });

  it("is read from a path, with the files beside it", () => {
    const { access, namespace, contextName } = choose({});
    assert.deepEqual([contextName, namespace, access.server], ["first", "here", "https://one:6443"]);
    assert.deepEqual([access.ca, access.cert, access.key].map(String), ["authority", "certificate", "key"]);
  });

  it("is read from its contents", async () => {
    const { access, namespace } = choose({ kubeconfig: contents, context: "second" });
    assert.deepEqual([access.server, access.serverName, String(access.ca), namespace], ["https://two:6443", "two.test", "two", "default"]);
    assert.equal(await access.authorization(), "Bearer secret-token");
    assert.equal(await choose({ context: "third" }).access.authorization(), `Basic ${Buffer.from("me:pass").toString("base64")}`);
  });

  it("gives way to what the program says", () => {
    const { access, namespace } = choose({ cluster: "two", namespace: "there" });
    assert.deepEqual([access.server, namespace], ["https://two:6443", "there"]);
  });

  it("is refused with what it lacks and what it has", () => {
    assert.throws(() => choose({ context: "nowhere" }), /no context "nowhere"; its contexts are: first, second, third, dangling/);
    assert.throws(() => choose({ context: "dangling" }), /no cluster "none"; its clusters are: one, two/);
    assert.throws(() => choose({ kubeconfig: join(directory, "absent") }), /absent does not exist/);
    assert.throws(() => choose({ kubeconfig: "{}" }), /no current context/);
  });

  describe("of a changed provider", () => {
    it("means another cluster when the active one's address or authority changed", () => {
      assert.equal(isOtherCluster({ kubeconfig: path }, { kubeconfig: contents, context: "second" }), true);
      assert.equal(isOtherCluster({ kubeconfig: path, context: "second" }, { kubeconfig: new Secret(contents), context: "third" }), false);
    });

    it("means no other cluster when that cannot be told", () => {
      assert.equal(isOtherCluster({ kubeconfig: path }, { kubeconfig: unknown }), false);
      assert.equal(isOtherCluster({ kubeconfig: join(directory, "gone") }, { kubeconfig: path }), false);
    });

    it("means what the identifiers say", () => {
      assert.equal(isOtherCluster({ kubeconfig: path, clusterIdentifier: "a" }, { kubeconfig: path, clusterIdentifier: "b" }), true);
      assert.equal(
        isOtherCluster({ kubeconfig: path, clusterIdentifier: "a" }, { kubeconfig: path, context: "second", clusterIdentifier: "a" }),
        false,
      );
    });
  });
});

describe("the provider's inputs", () => {
  it("may be JSON texts, secret or unknown", () => {
    const { settings, failures } = readSettings({
      enableConfigMapMutable: "true",
      enableServerSideApply: false,
      context: new Secret("dev"),
      namespace: unknown,
      kubeconfig: { apiVersion: "v1" },
      version: "4.0.0",
    });
    assert.deepEqual(failures, []);
    assert.deepEqual(
      [settings.enableConfigMapMutable, settings.enableServerSideApply, settings.context, settings.namespace, settings.kubeconfig],
      [true, false, "dev", undefined, '{"apiVersion":"v1"}'],
    );
  });

  it("are refused when they are wrong, or ask for what is not offered", () => {
    const failed = (inputs: Parameters<typeof readSettings>[0]) => readSettings(inputs).failures.map(({ property }) => property);
    assert.deepEqual(failed({ enableSecretMutable: "yes" }), ["enableSecretMutable"]);
    assert.deepEqual(failed({ context: 3 }), ["context"]);
    assert.deepEqual(failed({ renderYamlToDirectory: "out" }), ["renderYamlToDirectory"]);
    assert.deepEqual(failed({ deleteUnreachable: "false" }), []);
  });
});
