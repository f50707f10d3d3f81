import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { parse, parseAllDocuments } from "yaml";
import { type Manifest, manifestsOf, manifestsYaml } from "../../commands/manifests";
import { PROJECT_DIRECTORY, type RegisteredResource } from "../../commands/program";
import { run } from "../harness";

const render = (...args: string[]) =>
  execa("node", ["-r", "ts-node/register/transpile-only", join(PROJECT_DIRECTORY, "commands/render.ts"), ...args], {
    cwd: PROJECT_DIRECTORY,
    reject: false,
  });

describe("render", function () {
  // Each starts a process that loads the whole SDK.
  this.timeout(60_000);
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "render-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it("prints an environment's manifests and nothing else", async () => {
    const { stdout, exitCode } = await render("--stack", "dev");
    assert.equal(exitCode, 0);
    assert.equal(`${stdout}\n`, manifestsYaml(manifestsOf((await run("dev")).resources)));
  });

  it("writes them to a file, whose directory it makes", async () => {
    const file = join(directory, "new", "prod.yaml");
    const { stdout, exitCode, stderr } = await render("-s", "prod", "-o", file);
    assert.equal(exitCode, 0, stderr);
    assert.equal(stdout, "");
    const documents = parseAllDocuments(readFileSync(file, "utf8"));
    assert.ok(documents.length > 20);
    for (const document of documents) {
      const { apiVersion, kind, metadata } = document.toJS() as Manifest;
      assert.ok(apiVersion !== "" && kind !== "" && metadata.name !== "");
    }
  });

  it("fails, in words, for a stack that there is not", async () => {
    const unknown = await render("--stack", "staging");
    assert.equal(unknown.exitCode, 1);
    assert.match(unknown.stderr, /^Pulumi\.staging\.yaml: there is no such file\. Stacks with a file: dev, prod\.$/m);
    assert.ok(!unknown.stderr.includes("    at "), "a stack trace is not for people");
  });
});

describe("manifests", () => {
  const registered = (name: string, inputs: Record<string, unknown>, type = "kubernetes:core/v1:ConfigMap"): RegisteredResource => ({
    type,
    name,
    custom: true,
    inputs,
    options: {
      parent: "",
      protect: false,
      provider: "",
      dependsOn: [],
      aliases: 0,
      beforeCreate: [],
      beforeUpdate: [],
      timeouts: { create: "", update: "", delete: "" },
    },
  });

  it("hide secrets wherever they are", () => {
    const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", value: "hunter2" };
    const [manifest] = manifestsOf([
      registered("a", { apiVersion: "v1", kind: "Secret", metadata: { name: "a" }, stringData: { key: secret }, list: [{ deep: secret }] }),
    ]);
    assert.deepEqual(manifest?.stringData, { key: "(secret)" });
    assert.deepEqual(manifest?.list, [{ deep: "(secret)" }]);
    assert.ok(!JSON.stringify(manifest).includes("hunter2"));
  });

  it("keep a secret's form, so that an API server takes the object", () => {
    const secret = (value: unknown) => ({ "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", value });
    const [manifest] = manifestsOf([
      registered("a", {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "a" },
        stringData: secret({ key: "hunter2", list: ["hunter2", { deep: "hunter2" }] }),
      }),
    ]);
    assert.deepEqual(manifest?.stringData, { key: "(secret)", list: ["(secret)", { deep: "(secret)" }] });
  });

  it("of the bucket's credentials have their file's name, and nothing of what is in it", async () => {
    const credentials = { objectStorageCredentials: { accessKey: "hunter2", secretKey: "hunter3" } };
    const { resources } = await run("prod", {}, { secrets: credentials });
    const secrets = manifestsOf(resources).filter(({ kind }) => kind === "Secret");
    assert.deepEqual(
      secrets.map(({ stringData }) => stringData),
      [{ "objstore.yaml": "(secret)" }],
    );
    assert.doesNotMatch(manifestsYaml(manifestsOf(resources)), /hunter/);
  });

  it("are the same texts for a reader of YAML 1.1, as kubectl is", () => {
    const words = [
      "on",
      "off",
      "yes",
      "no",
      "y",
      "n",
      "Y",
      "N",
      "On",
      "NO",
      "1_000",
      "0b1",
      "0o7",
      "017",
      "1:30",
      "12e3",
      ".5",
      "5.",
      "+1",
      "0x1F",
      "0777",
      "190:20:30",
      "1_0.5",
      ".inf",
      "-.INF",
      ".NaN",
      "True",
      "",
      "~",
      "null",
      "true",
      "2001-01-01",
      "=",
      "<<",
    ];
    const data = Object.fromEntries(
      words.flatMap((word) => [
        [word, "as a key"],
        [`of ${word}`, word],
      ]),
    );
    const made = manifestsYaml(manifestsOf([registered("a", { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "no" }, data })]));
    for (const version of ["1.1", "1.2"] as const) {
      const read = parse(made, { version }) as { metadata: object; data: Record<string, unknown> };
      assert.deepEqual(read.metadata, { name: "no" }, version);
      assert.deepEqual(read.data, data, version);
    }
  });

  it("quote what kubectl alone takes for a number", () => {
    // Each was read as a number by sigs.k8s.io/yaml 1.6, which kubectl has, where it was not quoted.
    const numbers = ["0X1F", "0O7", "0B1", "-0o7", "0o_7", "-_1", "0_x1", "1e1_0", "1e_-1", "0b-1", "+_8"];
    const texts = ["0.42.4", "15d", "10Gi", "500m", "1-2", "0b", "0x", "1e", "_1", "10.0.0.0/8"];
    const written = (word: string) => {
      const made = manifestsYaml([{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data: { key: word } }]);
      return /^ {2}key: (.*)$/m.exec(made)?.[1];
    };
    assert.deepEqual(
      numbers.map(written),
      numbers.map((word) => `"${word}"`),
    );
    assert.deepEqual(texts.map(written), texts);
    const made = manifestsYaml([{ apiVersion: "v1", kind: "A", metadata: { name: "a" }, count: 3, share: 0.5 }]);
    assert.match(made, /^count: 3\n[\s\S]*^share: 0\.5$/m);
  });

  it("give a name by content where the program gives none, another for other content", () => {
    const name = (data: object) =>
      manifestsOf([registered("cm", { apiVersion: "v1", kind: "ConfigMap", metadata: {}, data })])[0]?.metadata.name;
    assert.match(name({ a: "1" }) ?? "", /^cm-[0-9a-f]{8}$/);
    assert.equal(name({ a: "1" }), name({ a: "1" }));
    assert.notEqual(name({ a: "1" }), name({ a: "2" }));
  });

  it("are Kubernetes' objects only, in an order of their own, keys sorted", () => {
    const made = manifestsOf([
      registered("b", { kind: "ConfigMap", apiVersion: "v1", metadata: { namespace: "n", name: "b" } }),
      registered("cluster", {}, "pulumi:providers:kubernetes"),
      registered("a", { apiVersion: "v1", metadata: { name: "a", namespace: "n" }, kind: "ConfigMap" }),
    ]);
    assert.deepEqual(
      made.map((manifest) => manifest.metadata.name),
      ["a", "b"],
    );
    assert.equal(
      manifestsYaml(made),
      '---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: "n"\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b\n  namespace: "n"\n',
    );
  });
});
