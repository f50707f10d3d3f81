import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { shapeOf } from "../../config/shape";
import { ACCEPTABLE_RISKS, settingsSchema } from "../../model/settings/schema";
import { load, type Overrides, rejection, type Stack } from "../harness";

/** Keys that are wrong in form, and the rules about the rest. */

const keyOf = (line: string) => /^ {2}- (\S+) = /.exec(line)?.[1];
const keys = async (overrides: Overrides, stack: Stack = "dev") => (await rejection(stack, overrides)).problems.map(keyOf).sort();

describe("what is shown of a key of the wrong form", () => {
  const HUSH = "hunter2-x9";
  const line = async (overrides: Overrides) => (await rejection("dev", overrides)).problems.join("\n");

  it("is no value where a credential belongs to somebody else's Secret, nor a name of a file that is none", async () => {
    for (const credentialsFrom of [
      { a: HUSH },
      { a: { secret: "s", key: `${HUSH} pw` } },
      { a: { secret: `${HUSH} S`, key: "k" } },
      { a: { secret: "s", key: "k", value: HUSH } },
      { [`${HUSH} pw`]: { secret: "s", key: "k" } },
    ]) {
      const text = await line({ credentialsFrom });
      assert.match(text, /credentialsFrom[\w.]* = "\(not shown\)": /);
      assert.ok(!text.includes(HUSH), text);
    }
  });

  it("is the name of a Secret that is spelled in another way, and no text at random", async () => {
    const of = (secret: unknown) => line({ gateway: { certificate: { secret }, tenants: {} } });
    assert.match(await of("Gateway_TLS"), /gateway\.certificate\.secret = "Gateway_TLS": not of the form/);
    assert.match(await of(5), /gateway\.certificate\.secret = 5: /);
    const random = "hZ3kQ9vX2mLpT7";
    assert.ok(!(await of(random)).includes(random));
  });

  it("is no header, and no value of a variable that is called like a credential", async () => {
    const otherTargets = [{ url: "https://x/p", headers: { "X-Scope": [HUSH] } }];
    const extra = { env: [{ name: "PASSWORD", valu: HUSH }] };
    const text = await line({ prometheus: { remoteWrite: { otherTargets } }, querier: { extra } });
    assert.match(text, /headers\.X-Scope = "\(not shown\)"/);
    assert.match(text, /env\[0\]\.valu = "\(not shown\)": there is no such key; value may be meant/);
    assert.ok(!text.includes(HUSH), text);
  });

  it("is the name of a Secret and its key, under a misspelt key too, with the one that is meant", async () => {
    const text = await line({ credentialFrom: { a: { secret: "login", key: "password" } } });
    assert.match(
      text,
      /credentialFrom = \{"a":\{"secret":"login","key":"password"\}\}: there is no such key; .*credentialsFrom may be meant/,
    );
    assert.match(
      await line({ credential: { a: HUSH } }),
      /credential = "?\(not shown[^)]*\)"?: there is no such key; credentials may be meant/,
    );
  });
});

describe("what is shown where certificates belong", () => {
  const whole = readFileSync(join(__dirname, "..", "certificate.pem"), "utf8");
  const RANDOM = "Zm9v".repeat(16);
  const authority = async (text: unknown) => {
    const { problems } = await rejection("dev", {
      gateway: { certificate: { secret: "a", authority: text }, tenants: { "default-tenant": {} } },
    });
    return problems;
  };

  const cases: { title: string; text: unknown; shown: string; rule: string }[] = [
    {
      title: "nothing of a private key",
      text: `-----BEGIN PRIVATE KEY-----\n${RANDOM}`,
      shown: '"(not shown)"',
      rule: "a private key is in it",
    },
    {
      title: "nothing of a private key behind a certificate",
      text: `${whole}-----BEGIN EC PRIVATE KEY-----\n${RANDOM}\n-----END EC PRIVATE KEY-----\n`,
      shown: '"(not shown)"',
      rule: "a private key is in it",
    },
    { title: "nothing of a token", text: "hunter2", shown: '"(not shown)"', rule: "no certificate is in it" },
    { title: "nothing of a long text", text: `${RANDOM} `.repeat(40), shown: '"(not shown)"', rule: "no certificate is in it" },
    { title: "nothing of a map", text: { token: ["hunter2"] }, shown: '"(not shown)"', rule: "this key holds text" },
    { title: "a file's name", text: "ca.crt", shown: '"ca.crt"', rule: "no certificate is in it" },
    { title: "a path", text: "/etc/ssl/ca.pem", shown: '"/etc/ssl/ca.pem"', rule: "no certificate is in it" },
    { title: "no path of any length", text: `/etc/${RANDOM}`, shown: '"(not shown)"', rule: "no certificate is in it" },
    {
      title: "the first line of a request",
      text: `-----BEGIN CERTIFICATE REQUEST-----\n${RANDOM}\n-----END CERTIFICATE REQUEST-----`,
      shown: '"-----BEGIN CERTIFICATE REQUEST----- …"',
      rule: "no certificate is in it",
    },
    {
      title: "the first line of a certificate that is none",
      text: `-----BEGIN CERTIFICATE-----\n${RANDOM}\n-----END CERTIFICATE-----`,
      shown: '"-----BEGIN CERTIFICATE----- …"',
      rule: "a certificate in it can't be read",
    },
    {
      title: "the first line of two of which the second is cut off",
      text: `${whole}${whole.slice(0, whole.length / 2)}`,
      shown: '"-----BEGIN CERTIFICATE----- …"',
      rule: "a certificate in it can't be read",
    },
  ];
  for (const { title, text, shown, rule } of cases) {
    it(`is ${title}`, async () => {
      const [line = "", ...others] = await authority(text);
      assert.ok(line.startsWith(`  - gateway.certificate.authority = ${shown}: ${rule}`), line);
      assert.match(line, / Accepted: certificates as PEM: /);
      assert.deepEqual(others, []);
    });
  }
});

describe("a key of the wrong form hides no rule that it has nothing to do with", () => {
  const TWO_COPIES = { replicationFactor: 2 };
  const cases: { title: string; overrides: Overrides; expected: string[]; stack?: Stack }[] = [
    {
      title: "an unknown key beside a broken rule",
      overrides: { receive: { ...TWO_COPIES, retension: {} } },
      expected: ["receive.replicationFactor", "receive.retension"],
    },
    {
      title: "an unknown key of the first level",
      overrides: { alertin: {}, receive: TWO_COPIES },
      expected: ["alertin", "receive.replicationFactor"],
    },
    {
      title: "a key that is called as what every object has",
      overrides: { ["__proto__"]: { accepts: ["replicas-on-one-node"] }, receive: TWO_COPIES },
      expected: ["__proto__", "receive.replicationFactor"],
    },
    {
      title: "a value of another kind",
      overrides: { querier: { timeout: 120 }, namespace: "default", receive: TWO_COPIES },
      expected: ["namespace", "querier.timeout", "receive.replicationFactor"],
    },
    {
      title: "a required key that is missing",
      overrides: { cluster: { context: undefined }, receive: TWO_COPIES },
      expected: ["cluster.context", "receive.replicationFactor"],
    },
    {
      title: "a required key of the first level that is missing",
      overrides: { namespace: undefined, receive: TWO_COPIES },
      expected: ["namespace", "receive.replicationFactor"],
    },
    {
      title: "storage that is of no kind",
      overrides: { prometheus: { storage: { hostPath: undefined }, scrapeTimeout: "31s" } },
      expected: ["prometheus.scrapeTimeout", "prometheus.storage"],
    },
    {
      title: "a wrong entry of a list",
      overrides: { querier: { endpoints: ["ok:10901", "http://x"] }, receive: TWO_COPIES },
      expected: ["querier.endpoints[1]", "receive.replicationFactor"],
    },
    {
      title: "an entry of a list that is no map, beside others that are none of Prometheus' own",
      overrides: {
        prometheus: {
          scrapeConfigs: ["a", { job_name: "b", scrape_intervall: "1m" }, { scheme: "http" }],
          remoteWrite: { relabel: [null, { action: "keeps" }] },
        },
      },
      expected: [
        "prometheus.remoteWrite.relabel[0]",
        "prometheus.remoteWrite.relabel[1].action",
        "prometheus.scrapeConfigs[0]",
        "prometheus.scrapeConfigs[1].scrape_intervall",
        "prometheus.scrapeConfigs[2].job_name",
      ],
    },
    {
      title: "a misspelt section, of which nothing is demanded a second time",
      overrides: { receive: undefined, recieve: {}, namespace: "default" },
      expected: ["namespace", "recieve"],
    },
    {
      title: "no rule judges a default in place of a value that is wrong",
      stack: "prod",
      // Three receivers, the default, are not divided by two zones.
      overrides: { cluster: { zones: ["a", "b"] }, receive: { replicas: "4", replicationFactor: 1 }, accepts: ["data-loss"] },
      expected: ["receive.replicas"],
    },
    {
      title: "missing rule files, at once with the rest",
      overrides: { prometheus: { ruleFolder: "no-such-directory" }, namespace: "default", recieve: {} },
      expected: ["namespace", "prometheus.ruleFolder", "recieve"],
    },
  ];
  for (const { title, overrides, expected, stack } of cases) {
    it(title, async () => assert.deepEqual(await keys(overrides, stack), expected));
  }

  it("whatever is wrong, its form is told and nothing crashes", () => {
    for (const wrong of [null, 7, "x", [], [null], {}, { x: 1 }]) {
      for (const key of Object.keys(settingsSchema.shape)) {
        const { problems, settings, judge } = shapeOf({ namespace: "a", [key]: wrong }, []);
        assert.ok(problems.length > 0, key);
        assert.deepEqual(
          judge(() => [{ key: String(settings?.cluster.name), value: 1, rule: "", remedy: "" }]),
          settings === undefined ? [{ key: "undefined", value: 1, rule: "", remedy: "" }] : [],
          key,
        );
      }
    }
  });
});

const RISKS = Object.keys(ACCEPTABLE_RISKS)
  .map((risk) => JSON.stringify(risk))
  .join(", ");

describe("numbers and texts", () => {
  it("CPU is taken as a number, as in every manifest", async () => {
    for (const [cpu, expected] of [
      [2, "2"],
      [0.5, "0.5"],
      ["250m", "250m"],
    ]) {
      const { settings } = await load("dev", { querier: { resources: { cpu, cpuLimit: cpu } } });
      assert.deepEqual(settings.querier.resources, { cpu: expected, cpuLimit: expected, memory: "256Mi" });
    }
  });

  it("bytes are taken as a number, as in every manifest", async () => {
    for (const [memory, expected] of [
      [268_435_456, "268435456"],
      [5e10, "50000000000"],
      ["256Mi", "256Mi"],
    ]) {
      const { settings } = await load("dev", { querier: { resources: { memory } } });
      assert.equal(settings.querier.resources.memory, expected);
    }
    assert.match(
      (await rejection("dev", { querier: { resources: { memory: 1.5 } } })).message,
      /querier\.resources\.memory = 1\.5: .*a whole number of bytes/,
    );
  });

  const messages: { overrides: Overrides; key: string; said: string }[] = [
    {
      overrides: { prometheus: { scrapeInterval: 30 } },
      key: "prometheus.scrapeInterval",
      said: "30: this key holds text. Accepted: a duration such as 30s, 2h or 15d; 1s or more.",
    },
    {
      overrides: { prometheus: { externalLabels: { shard: 1 } } },
      key: "prometheus.externalLabels.shard",
      said: '1: this key holds text. Accepted: text, in quotes: "1".',
    },
    {
      overrides: { cluster: { name: true } },
      key: "cluster.name",
      said: 'true: this key holds text. Accepted: a text that is not empty, in quotes: "true".',
    },
    {
      overrides: { tenancy: { defaultTenant: 15.8 } },
      key: "tenancy.defaultTenant",
      said: "15.8: this key holds text. Accepted: a tenant: letters, digits, '.', '_' and '-', a letter or digit first, since it names a directory, in quotes: \"15.8\".",
    },
    {
      overrides: { receive: { replicas: "3" } },
      key: "receive.replicas",
      said: '"3": this key holds a whole number. Accepted: a whole number from 1 to 300.',
    },
    {
      overrides: { receive: { replicas: 2.5 } },
      key: "receive.replicas",
      said: "2.5: this key holds a whole number. Accepted: a whole number from 1 to 300.",
    },
    {
      overrides: { accepts: { a: 1 } },
      key: "accepts",
      said: `{"a":1}: this key holds a list. Accepted: a list, each entry one of ${RISKS}.`,
    },
    {
      overrides: { access: [] },
      key: "access",
      said: "[]: this key holds a map of keys. Accepted: a map of keys: federation, readers, senders.",
    },
    {
      overrides: { receive: { storage: "fast" } },
      key: "receive.storage",
      said: '"fast": this key holds a map of keys. Accepted: a map of one of hostPath, pvc.',
    },
    {
      overrides: { gateway: { certificate: { secret: "a" }, senderAuthority: "senders" } },
      key: "gateway.senderAuthority",
      said: '"senders": this key holds a map of keys or "tls". Accepted: "tls", or a map of one of secret, tls.',
    },
    {
      overrides: { tls: {} },
      key: "tls.certificates",
      said: '(not set): this key is required. Accepted: "program", or a map of one of certManager, program, secrets.',
    },
    { overrides: { protect: 3 }, key: "protect", said: "3: this key holds true or false. Accepted: true or false." },
  ];
  /** Refusals of keys with nothing behind them, which YAML reads as null. */
  const nothing: { overrides: Overrides; key: string; said: string }[] = [
    {
      overrides: { access: { senders: null } },
      key: "access.senders",
      said: "a list. Accepted: a list, each entry a namespace, or a network such as 10.0.0.0/8, 169.254.20.10/32 or fd00:ec2::/64, without bits behind its prefix; every namespace and network once; [] for none; or the key left out.",
    },
    {
      overrides: { accepts: null },
      key: "accepts",
      said: `a list. Accepted: a list, each entry one of ${RISKS}; [] for none; or the key left out.`,
    },
    {
      overrides: { access: null },
      key: "access",
      said: "a map of keys. Accepted: a map of keys: federation, readers, senders; {} for all defaults; or the key left out.",
    },
    {
      overrides: { gateway: { certificate: null } },
      key: "gateway.certificate",
      said: "a map of keys. Accepted: a map of keys: authority, secret.",
    },
    {
      overrides: { gateway: { certificate: { secret: "a" }, services: { annotations: null } } },
      key: "gateway.services.annotations",
      said: "a map. Accepted: a map, each name an annotation's name, such as eks.amazonaws.com/role-arn, each value text; {} for none; or the key left out.",
    },
    {
      overrides: { tls: { certificates: null } },
      key: "tls.certificates",
      said: 'a map of keys or "program". Accepted: "program", or a map of one of certManager, program, secrets.',
    },
    {
      overrides: { receive: { replicas: null } },
      key: "receive.replicas",
      said: "a whole number. Accepted: a whole number from 1 to 300; or the key left out.",
    },
    { overrides: { ingestion: null }, key: "ingestion", said: 'a word. Accepted: "receive", "sidecar"; or the key left out.' },
    {
      overrides: { namespace: null },
      key: "namespace",
      said: "text. Accepted: a namespace's name: at most 63 lower-case letters, digits and -.",
    },
  ];
  messages.push(...nothing.map((each) => ({ ...each, said: `null: nothing is behind this key, which holds ${each.said}` })));
  for (const { overrides, key, said } of messages) {
    it(`${key}: ${said}`, async () => {
      const { problems } = await rejection("dev", overrides);
      assert.deepEqual(
        problems.filter((line) => line.startsWith(`  - ${key} = `)),
        [`  - ${key} = ${said}`],
      );
    });
  }

  it("no message has a programmer's words", async () => {
    const wrong = { a: [] };
    const everything = Object.fromEntries(Object.keys(settingsSchema.shape).map((key) => [key, wrong]));
    for (const overrides of [
      everything,
      { receive: { replicas: wrong, mode: wrong, limits: 1, hashrings: 2 }, objectStorage: { compactor: { retention: { raw: 7 } } } },
    ]) {
      for (const line of (await rejection("dev", overrides)).problems)
        assert.doesNotMatch(line, /\b(int|integer|string|boolean|object|record|array|strictobject|undefined|Invalid input)\b/, line);
    }
  });
});
