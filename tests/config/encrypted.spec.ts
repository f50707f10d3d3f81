import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { stringify } from "yaml";
import { engineConfig } from "../../commands/engineConfig";
import { manifestsOf } from "../../commands/manifests";
import { runProgram } from "../../commands/program";
import { buildReport } from "../../commands/report/build";
import { EXIT, exitCodeOf } from "../../commands/report/exitCode";
import { readPreview } from "../../commands/report/preview";
import { loadConfig } from "../../config/load";
import { unchanged } from "../commands/report/previews";
import { configOf, type Overrides, run } from "../harness";

/** Values that the engine alone can read, in each form in which they reach what runs without it. */

const CREDENTIALS = "thanos-stack:objectStorageCredentials";
const CIPHER = "v1:0123456789abcdef:Zm9yYmlkZGVu";
const secure = { secure: CIPHER };

describe("configuration as the engine gives it, without decrypting", () => {
  it("leaves what is not encrypted as it is", () => {
    const { texts, secretKeys } = engineConfig({ "a:text": "x", "a:json": '{"b": 1}', "a:list": [1], "a:flag": false, "a:number": 3 });
    assert.deepEqual(texts, { "a:text": "x", "a:json": '{"b": 1}', "a:list": "[1]", "a:flag": "false", "a:number": "3" });
    assert.deepEqual(secretKeys, []);
  });

  const forms: { title: string; value: unknown; expected: string }[] = [
    { title: "a key of a stack file", value: secure, expected: "(secret)" },
    { title: "a part of a key of a stack file", value: { a: [{ b: secure, c: 1 }] }, expected: '{"a":[{"b":"(secret)","c":1}]}' },
    { title: "a key of a preview's JSON", value: "[secret]", expected: "(secret)" },
    { title: "a part of a key of a preview's JSON", value: '{"a":[{"b":"[secret]","c":1}]}', expected: '{"a":[{"b":"(secret)","c":1}]}' },
  ];
  for (const { title, value, expected } of forms) {
    it(`marks ${title} as secret`, () => {
      const { texts, secretKeys } = engineConfig({ "a:b": value, "a:c": "plain" });
      assert.deepEqual(texts, { "a:b": expected, "a:c": "plain" });
      assert.deepEqual(secretKeys, ["a:b"]);
    });
  }

  it("takes a map that has more than `secure`, or another value in it, for a map", () => {
    for (const value of [{ secure: true }, { secure: "x", other: 1 }]) assert.deepEqual(engineConfig({ "a:b": value }).secretKeys, []);
  });

  const buckets: [string, unknown, object][] = [
    ["S3", { s3: {} }, { accessKey: "(secret)", secretKey: "(secret)" }],
    ["Google", { gcs: {} }, { serviceAccount: "(secret)" }],
    ["Azure", '{"azure":{}}', { storageAccountKey: "(secret)" }],
  ];
  for (const [kind, bucket, expected] of buckets) {
    it(`gives credentials the form of ${kind}'s`, () => {
      for (const value of [secure, "[secret]"]) {
        const { texts } = engineConfig({ "thanos-stack:objectStorage": bucket, [CREDENTIALS]: value });
        assert.deepEqual(JSON.parse(texts[CREDENTIALS] ?? ""), expected);
      }
    });
  }
});

describe("encrypted credentials of the bucket", () => {
  const forms: [string, unknown][] = [
    ["as a whole in the stack file", secure],
    ["in part in the stack file", { accessKey: "AKIA", secretKey: secure }],
    ["as a whole in a preview", "[secret]"],
    ["in part in a preview", '{"accessKey":"AKIA","secretKey":"[secret]"}'],
  ];
  for (const [title, value] of forms) {
    it(`${title}: the plan is the one with credentials`, async () => {
      const real = await run("prod", {}, { secrets: { objectStorageCredentials: { accessKey: "A", secretKey: "B" } } });
      const made = await runProgram({ config: { ...configOf("prod"), [CREDENTIALS]: value }, stack: "prod" });
      assert.deepEqual(made.unread, [CREDENTIALS]);
      const names = ({ resources }: typeof made) => resources.map(({ type, name }) => `${type} ${name}`);
      assert.deepEqual(names(made), names(real));
      assert.deepEqual(made.outputs.availability, real.outputs.availability);
      const secrets = manifestsOf(made.resources).filter(({ kind }) => kind === "Secret");
      assert.deepEqual(
        secrets.map(({ stringData }) => stringData),
        [{ "objstore.yaml": "(secret)" }],
      );
      assert.ok(!JSON.stringify(made.resources).includes(CIPHER));
    });
  }

  it("without a bucket are still refused", async () => {
    const config = { ...configOf("prod", { objectStorage: undefined }), [CREDENTIALS]: secure };
    await assert.rejects(runProgram({ config, stack: "prod" }), /credentials without a bucket/);
  });

  for (const [title, hidden] of [
    ["the preview ran with them", "[secret]"],
    ["of which a part is plain", '{"accessKey":"AKIA","secretKey":"[secret]"}'],
  ] as const) {
    describe(`in a report: ${title}`, () => {
      const previewOf = async (overrides: Overrides = {}) => {
        const digest = await unchanged("prod", overrides);
        digest.config[CREDENTIALS] = hidden;
        return digest;
      };

      it("survival, comparison and topology are there, and no footnote", async () => {
        const preview = readPreview(JSON.stringify(await previewOf()));
        const report = await buildReport({ stack: "prod", preview });
        assert.deepEqual([report.problems, report.violations, report.notes, report.worse], [[], [], [], []]);
        assert.ok(report.survival !== undefined && report.topology !== undefined);
        assert.equal(exitCodeOf(report, preview), EXIT.fine);
      });

      it("a broken rule is told where the engine stopped at it", async () => {
        const digest = await previewOf({ protect: false });
        const stopped = { ...digest, steps: [], changeSummary: undefined, diagnostics: [{ severity: "error", message: "preview failed" }] };
        const preview = readPreview(JSON.stringify(stopped));
        const report = await buildReport({ stack: "prod", preview });
        assert.deepEqual(report.problems, []);
        assert.ok(report.violations.length > 0);
        assert.equal(exitCodeOf(report, preview), EXIT.violation);
        assert.match(report.notes.join("\n"), /objectStorageCredentials is encrypted, and only the engine can read it/);
      });
    });
  }

  it("a program that can't be run outside of the engine is explained in full", async () => {
    const digest = await unchanged("prod");
    digest.config["thanos-stack:namespace"] = "default";
    digest.config["thanos-stack:tenancy"] = '{"label":"cluster"}';
    const { notes } = await buildReport({ stack: "prod", preview: readPreview(JSON.stringify(digest)) });
    assert.match(notes.join("\n"), /could not be run .*2 problems[\s\S]*namespace = "default"[\s\S]*tenancy\.label = "cluster"/);
  });

  it("a stack without a file is a refusal, and no crash", async () => {
    const report = await buildReport({ stack: "staging" });
    assert.match(report.problems.join("\n"), /^Pulumi\.staging\.yaml: there is no such file\. Stacks with a file: dev, prod\.$/);
    assert.equal(exitCodeOf(report), EXIT.refused);
  });
});

describe("encrypted credentials that are files", () => {
  const FILES = "thanos-stack:credentials";
  const login = (name: string) => ({ basic_auth: { username: "a", password_file: `/etc/credentials/${name}` } });
  const overrides: Overrides = {
    credentialsFrom: { "of-others": { secret: "login", key: "password" } },
    prometheus: {
      scrapeConfigs: [
        { job_name: "a", ...login("orders-password") },
        { job_name: "b", ...login("of-others") },
      ],
    },
  };
  const forms: [string, unknown][] = [
    ["as a whole in the stack file", secure],
    ["each in the stack file", { "orders-password": secure }],
    ["as a whole in a preview", "[secret]"],
    ["each in a preview", '{"orders-password":"[secret]"}'],
  ];
  for (const [title, value] of forms) {
    it(`${title}: the plan is the one with credentials`, async () => {
      const real = await run("dev", overrides, { secrets: { credentials: { "orders-password": "A" } } });
      const made = await runProgram({ config: { ...configOf("dev", overrides), [FILES]: value }, stack: "dev" });
      assert.deepEqual([made.unread, made.warnings], [[FILES], []]);
      const names = ({ resources }: typeof made) => resources.map(({ type, name }) => `${type} ${name}`);
      assert.deepEqual(names(made), names(real));
      const secrets = manifestsOf(made.resources).filter(({ kind }) => kind === "Secret");
      assert.deepEqual(
        secrets.map(({ stringData }) => stringData),
        [{ "orders-password": "(secret)" }],
      );
      assert.ok(!JSON.stringify(made.resources).includes(CIPHER));
    });
  }

  it("as a whole where nothing names one: nothing is there", async () => {
    const made = await runProgram({ config: { ...configOf("dev"), [FILES]: secure }, stack: "dev" });
    assert.deepEqual(
      manifestsOf(made.resources).filter(({ kind }) => kind === "Secret"),
      [],
    );
  });
});

describe("any other encrypted key", () => {
  const PLAIN = "hunter2-in-plain";
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "encrypted-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  /** The program, given what the engine has decrypted. */
  const refusal = (overrides: Overrides, secretKeys: string[], file?: Overrides): string => {
    if (file !== undefined) {
      const config = Object.fromEntries(Object.entries(file).map(([key, value]) => [`thanos-stack:${key}`, value]));
      writeFileSync(join(directory, "Pulumi.dev.yaml"), stringify({ config }));
    }
    pulumi.runtime.setMocks(
      { newResource: ({ name, inputs }) => ({ id: name, state: inputs }), call: ({ inputs }) => inputs },
      "thanos-stack",
      "dev",
    );
    const { texts } = engineConfig(configOf("dev", overrides));
    pulumi.runtime.setAllConfig(
      texts,
      secretKeys.map((key) => `thanos-stack:${key}`),
    );
    try {
      loadConfig(directory);
    } catch (error) {
      return (error as Error).message;
    }
    return assert.fail("accepted");
  };
  const job = (password: unknown) => ({ scrapeConfigs: [{ job_name: "shop", basic_auth: { username: "shop", password } }] });

  it("is refused by its path in the stack file, and not shown", () => {
    const message = refusal({ prometheus: job(PLAIN) }, ["prometheus"], { prometheus: job(secure) });
    assert.match(
      message,
      /^Pulumi\.dev\.yaml: 1 problem.*\n {2}- prometheus\.scrapeConfigs\[0\]\.basic_auth\.password = "\(secret\)": this is encrypted, and only objectStorageCredentials and credentials may be/,
    );
    assert.ok(!message.includes(PLAIN));
  });

  it("is refused by its key where its path is not known, whatever else is wrong in it", () => {
    const message = refusal({ prometheus: { ...job(PLAIN), scrapeInterval: PLAIN }, namespace: "default" }, ["prometheus"]);
    assert.match(message, /\n {2}- prometheus = "\(secret\)": this is encrypted/);
    assert.ok(!message.includes(PLAIN));
  });

  for (const key of ["namespace", "receive", "protect", "objectStorage", "recieve"]) {
    it(`${key} is refused as a whole, as often as it is wrong: once`, () => {
      const message = refusal({ [key]: PLAIN }, [key], { [key]: secure });
      assert.equal(message.split("\n").filter((line) => line.startsWith(`  - ${key} = "(secret)": this is encrypted`)).length, 1, message);
      assert.ok(!message.includes(PLAIN) && !message.includes("(not set)"), message);
    });
  }

  it("credentials of which a part is in plain text are refused by its name, and not shown", () => {
    const given = { credentials: { ours: PLAIN, plain: PLAIN } };
    const message = refusal(given, ["credentials"], { credentials: { ours: secure, plain: PLAIN } });
    assert.match(
      message,
      /^Pulumi\.dev\.yaml: 1 problem.*\n {2}- credentials\.plain = "\(secret\)": credentials are encrypted in the stack file\. Accepted: pulumi config set --secret --path 'thanos-stack:credentials\["name"\]'/,
    );
    assert.ok(!message.includes(PLAIN));
  });

  it("is refused in the same words where the engine is not there", async () => {
    const overrides: Overrides = { prometheus: job(secure) };
    await assert.rejects(runProgram({ config: configOf("dev", overrides), stack: "dev" }), /prometheus = "\(secret\)": this is encrypted/);
  });
});

describe("keys as `pulumi config set` rewrites them", () => {
  it("numbers and flags in quotes are read as what they are", async () => {
    const { resources } = await runProgram({
      config: { ...configOf("prod"), "thanos-stack:dataPriority": "1000", "thanos-stack:protect": "false" },
      stack: "prod",
    });
    assert.ok(resources.every(({ options }) => !options.protect));
    assert.equal(resources.find(({ type }) => type.endsWith(":PriorityClass"))?.inputs.value, 1000);
  });
});
