import assert from "node:assert/strict";
import * as fc from "fast-check";
import { formatProblems } from "../../../model/values/problem";
import { oneLine, visible } from "../../../model/values/visibleText";
import { CERTIFICATE } from "../../harness";

/** Characters by which a terminal, a Markdown reader or an eye would be misled. */
const ACTS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

describe("text from outside", () => {
  const cases: [what: string, text: string, shown: string][] = [
    ["a terminal's title and a cleared screen", "500 \u001b]0;pwned\u0007\u001b[2J", "500 \\u001b]0;pwned\\u0007\\u001b[2J"],
    ["an escape of one byte", "\u009b31m", "\\u009b31m"],
    ["a carriage return that overwrites its line", "up\rdown", "up\\rdown"],
    ["lines that end by something else", "a\u2028b\u2029c\u0085d\u000be\u000cf", "a\\u2028b\\u2029c\\u0085d\\u000be\\u000cf"],
    ["a turn of the writing direction", "\u202egnp.exe\u2066", "\\u202egnp.exe\\u2066"],
    ["what has no width", "pro\u200bd\u00ad\ufeff\u007f", "pro\\u200bd\\u00ad\\ufeff\\u007f"],
    ["what has no width beyond the first plane", "a\u{e0041}", "a\\udb40\\udc41"],
    ["half a character", "a\ud83d", "a\\ud83d"],
    ["text of any language, and signs", "Grüße, 你好, שלום, ⚠️ ✔ – …\u00a0", "Grüße, 你好, שלום, ⚠️ ✔ – …\u00a0"],
  ];
  for (const [what, text, shown] of cases) {
    it(`shows ${what}`, () => {
      assert.equal(visible(text), shown);
      assert.equal(oneLine(text), shown);
    });
  }

  it("keeps its lines, or becomes one", () => {
    assert.equal(visible("a\r\n\tb\nc"), "a\n\tb\nc");
    assert.equal(oneLine(" a \r\n\t b\n\nc "), " a b  c ");
  });

  it("of any kind ends as a text without anything unseen", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        assert.ok(!ACTS.test(visible(text).replace(/[\n\t]/g, "")));
        assert.ok(!ACTS.test(oneLine(text).replace(/\t/g, "")));
      }),
    );
  });

  it("takes a time that grows with it, not with its square", function () {
    this.timeout(10_000);
    for (const part of [" ", "\t", "\n", " \n", "\r", "\u001b ", "\ud83d"]) assert.ok(oneLine(part.repeat(200_000)).length > 0, part);
  });

  it("in JSON stays the same JSON", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => assert.equal(JSON.parse(visible(JSON.stringify({ text }))).text, text)));
  });

  it("of a stack file is shown in a refusal, key and value", () => {
    const problem = { key: "a\nb\u001b[2J", value: "x\r\u202e\u009b2J", rule: "r", remedy: "y\u2028z" };
    assert.equal(
      formatProblems("dev", [problem]),
      'Pulumi.dev.yaml: 1 problem, nothing was changed:\n  - a b\\u001b[2J = "x\\r\\u202e\\u009b2J": r. Accepted: y\\u2028z.',
    );
  });

  it("is not shown in a refusal where it looks like a credential, whatever key it is under", () => {
    const kept = [
      { key: "objectStorageCredential", value: { accessKey: "a", secretKey: "hunter2" } },
      { key: "objectStorage.s3.secretKey", value: "hunter2" },
      { key: "prometheus.scrapeConfigs[0].basic_auth.pasword", value: "hunter2" },
      { key: "prometheus.remoteWrite.otherTargets[0].url", value: "ftp://u:hunter2@host/path" },
      { key: "tracing.clientCert", value: "u8mXq2Vb0yN4kTz7pRc1LwE9sGd3HfJ6aB5o" },
      { key: "gateway", value: ["0f4e8a1bc39d27564f0e1d2c3b4a5968"] },
      { key: "tls", value: { certificate: "-----BEGIN PRIVATE KEY-----\nMC4CAQ==\n-----END PRIVATE KEY-----\n" } },
    ];
    for (const problem of kept) {
      const text = formatProblems("dev", [{ ...problem, rule: "r", remedy: "x" }]);
      assert.ok(text.endsWith(`- ${problem.key} = (not shown, since it looks like a credential): r. Accepted: x.`), text);
    }
  });

  it("is shown in a refusal where it is a name, a path, a digest or an identifier, however long", () => {
    const values = [
      "arn:aws:iam::123456789012:role/ProductionMetricsThanosReceiver2",
      "quay.io/thanos/thanos@sha256:0f4e8a1bc39d27564f0e1d2c3b4a59680f4e8a1bc39d27564f0e1d2c3b4a5968",
      "6f9619ff-8b86-d011-b42d-00c04fc964ff",
      "/var/run/secrets/kubernetes.io/serviceaccount/",
      "thanos-receive-z1-0.thanos-receive-peers.thanos-prod.svc.cluster.local:10901",
    ];
    for (const value of values) assert.ok(formatProblems("dev", [{ key: "a", value, rule: "r", remedy: "x" }]).includes(value), value);
  });

  it("of certificates and of long values is shortened in a refusal", () => {
    const told = (value: unknown) => formatProblems("dev", [{ key: "tracing", value, rule: "r", remedy: "x" }]);
    assert.ok(
      told({ endpoint: "otel:4317", ca: `${CERTIFICATE}${CERTIFICATE}`, insecure: true }).endsWith(
        'tracing = {"endpoint":"otel:4317","ca":"-----BEGIN CERTIFICATE----- …-----BEGIN CERTIFICATE----- …","insecure":true}: r. Accepted: x.',
      ),
    );
    assert.ok(told(CERTIFICATE.slice(0, 200)).endsWith('tracing = "-----BEGIN CERTIFICATE----- …": r. Accepted: x.'));
    assert.ok(told("a b ".repeat(1_000)).endsWith(`tracing = "${"a b ".repeat(64)}…": r. Accepted: x.`));
    assert.ok(told(Array.from({ length: 1_000 }, () => "a")).length < 500);
  });
});
