import assert from "node:assert/strict";
import { parse } from "yaml";
import { telemetryFiles, telemetryFlags, telemetryVariables } from "../../../model/telemetry/files";
import { logFlags } from "../../../model/telemetry/logging";
import { CERTIFICATE, load, type Overrides, rejection, settingsOf } from "../../harness";

const process = (logging: object = {}, serves = true) => ({ name: "thanos-querier", logging, serves });
const COLLECTOR = { endpoint: "collector.observability.svc:4317" };

describe("logs", () => {
  it("are what programs write by themselves unless something is chosen, so that nothing restarts for it", () => {
    const settings = settingsOf("dev");
    assert.deepEqual(telemetryFlags(settings, process()), []);
    assert.deepEqual(telemetryFiles(settings, process()), {});
    assert.deepEqual(telemetryVariables(settings), []);
  });

  it("are the component's own choice over the stack's, key by key", () => {
    const settings = settingsOf("dev", { logging: { level: "warn", format: "json" } });
    assert.deepEqual(logFlags(settings, {}), ["--log.level=warn", "--log.format=json"]);
    assert.deepEqual(logFlags(settings, { level: "info" }), ["--log.format=json"]);
    assert.deepEqual(logFlags(settings, { format: "logfmt" }), ["--log.level=warn"]);
  });

  it("have the requests that are asked for, of what serves some", () => {
    const failed = settingsOf("dev", { logging: { requests: "failed" } });
    const file = (logging: object) => parse(telemetryFiles(failed, process(logging))["requests.yaml"] ?? "{}");
    assert.deepEqual(file({}), { options: { level: "ERROR", decision: { log_start: false, log_end: true } } });
    assert.deepEqual(file({ requests: "all" }), { options: { level: "DEBUG", decision: { log_start: false, log_end: true } } });
    assert.deepEqual(file({ requests: "none" }), {});
    assert.deepEqual(telemetryFlags(failed, process()), ["--request.logging-config-file=/etc/thanos/telemetry/requests.yaml"]);
    assert.deepEqual(telemetryFlags(failed, process({}, false)), []);
  });

  const requests: [string, Overrides, string | undefined][] = [
    ["of the stack", { logging: { requests: "all" } }, "logging.requests"],
    ["of the stack, at debug", { logging: { requests: "all", level: "debug" } }, undefined],
    ["of one component", { querier: { logging: { requests: "all" } } }, "querier.logging.requests"],
    ["of one component, at debug", { querier: { logging: { requests: "all", level: "debug" } } }, undefined],
    [
      "of the stack, where one component says less",
      { logging: { requests: "all", level: "debug" }, receive: { logging: { level: "info" } } },
      "receive.logging.level",
    ],
    ["of what there is not", { prometheus: { sidecar: { logging: { requests: "all" } } } }, undefined],
  ];
  for (const [title, overrides, key] of requests) {
    it(`of all requests ${title}: ${key === undefined ? "taken" : `refused at ${key}`}`, async () => {
      if (key === undefined) {
        await load("dev", overrides);
        return;
      }
      const { problems } = await rejection("dev", overrides);
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.ok(problems[0]?.startsWith(`  - ${key} = `), problems[0]);
      assert.match(
        problems[0] ?? "",
        /logs a request that went well at debug.* Accepted: requests "all" with the level "debug", or requests "failed"/,
      );
    });
  }
});

describe("traces", () => {
  const PROXY = { url: "http://proxy.example:3128" };
  for (const protocol of ["grpc", "http"]) {
    for (const [endpoint, noProxy, refused] of [
      ["collector.example.com:4317", [], true],
      ["192.0.2.7:4317", [], true],
      ["[2001:db8::7]:4317", [], true],
      ["collector.observability:4317", [], true],
      ["collector.observability.svc:4317", [], false],
      ["collector.example.com:4317", [".example.com"], false],
      ["192.0.2.7:4317", ["192.0.2.0/24"], false],
    ] as [string, string[], boolean][]) {
      it(`by ${protocol} to ${endpoint} behind a proxy that spares ${noProxy.join() || "nothing"} are ${refused ? "refused" : "taken"}`, async () => {
        const overrides = { tracing: { endpoint, protocol }, network: { proxy: { ...PROXY, noProxy } } };
        if (!refused) {
          await load("prod", overrides);
          return;
        }
        const { problems } = await rejection("prod", overrides);
        assert.equal(problems.length, 1, problems.join("\n"));
        assert.match(problems[0] ?? "", /tracing\.endpoint = ".*": .*past it\. Accepted: .*\.svc.*network\.proxy\.noProxy/);
      });
    }
  }

  it("have each header once, however it is written", async () => {
    const of = (secret: string) => ({ secret, key: "token" });
    const { problems } = await rejection("dev", {
      tracing: { ...COLLECTOR, headers: { Authorization: of("one"), authorization: of("other") } },
    });
    assert.match(problems.join(), /tracing\.headers = .*Accepted: every header once, whatever its case/);
  });

  it("go to the collector, each whole, with values of headers from the environment", () => {
    const headers = { Authorization: { secret: "collector", key: "token" }, "X-Scope": { secret: "collector", key: "scope" } };
    const settings = settingsOf("dev", { tracing: { ...COLLECTOR, headers, samplingFraction: 0.25 } });
    const text = telemetryFiles(settings, process())["tracing.yaml"] ?? "";
    assert.deepEqual(parse(text), {
      type: "OTLP",
      config: {
        client_type: "grpc",
        service_name: "thanos-querier",
        endpoint: "collector.observability.svc:4317",
        insecure: false,
        headers: { Authorization: "$(TRACING_HEADER_0)", "X-Scope": "$(TRACING_HEADER_1)" },
        sampler_type: "parentbasedtraceidratiobased",
        sampler_param: "0.25",
      },
    });
    // Thanos puts the value in before it reads the text: `abc: #1` is one text between quotes only.
    const filled = text.replace("$(TRACING_HEADER_0)", 'Basic abc: #1 "x"').replace("$(TRACING_HEADER_1)", "42");
    assert.deepEqual((parse(filled) as { config: { headers: unknown } }).config.headers, {
      Authorization: 'Basic abc: #1 "x"',
      "X-Scope": "42",
    });
    assert.deepEqual(telemetryVariables(settings), [
      { name: "TRACING_HEADER_0", valueFrom: { secretKeyRef: { name: "collector", key: "token" } } },
      { name: "TRACING_HEADER_1", valueFrom: { secretKeyRef: { name: "collector", key: "scope" } } },
    ]);
  });

  it("are trusted to the authority that is named", () => {
    const settings = settingsOf("dev", { tracing: { ...COLLECTOR, ca: CERTIFICATE } });
    const files = telemetryFiles(settings, process());
    assert.equal(files["collector-ca.crt"], CERTIFICATE);
    assert.deepEqual((parse(files["tracing.yaml"] ?? "") as { config: { tls_config: unknown } }).config.tls_config, {
      ca_file: "/etc/thanos/telemetry/collector-ca.crt",
    });
  });

  const refused: [string, object, RegExp][] = [
    ["a collector without a port", { endpoint: "collector" }, /tracing\.endpoint = "collector": .*host:port/],
    ["a URL", { endpoint: "http://collector:4317" }, /tracing\.endpoint = /],
    [
      "a header in plain text",
      { ...COLLECTOR, headers: { Authorization: "Bearer abc" } },
      /tracing\.headers\.Authorization = .*in plain text\. Accepted: a map of secret and key/,
    ],
    ["a header's name that is none", { ...COLLECTOR, headers: { "a b": { secret: "s", key: "k" } } }, /a header's name/],
    ["authorities without TLS", { ...COLLECTOR, insecure: true, ca: CERTIFICATE }, /ca without insecure/],
    ["no requests", { ...COLLECTOR, samplingFraction: 0 }, /samplingFraction = 0/],
    ["more than all requests", { ...COLLECTOR, samplingFraction: 1.5 }, /samplingFraction = 1\.5/],
  ];
  for (const [title, tracing, says] of refused) {
    it(`are refused with ${title}`, async () => assert.match((await rejection("dev", { tracing })).message, says));
  }

  it("are refused with an authority that the release before does not read", async () => {
    const images = { thanos: "quay.io/thanos/thanos:v0.41.0" };
    const { problems } = await rejection("dev", { images, tracing: { ...COLLECTOR, ca: CERTIFICATE } });
    assert.match(problems.join(), /tracing\.ca = .*thanos #8714.*Accepted: Thanos 0\.42, protocol "http"/);
    await load("dev", { images, tracing: { ...COLLECTOR, protocol: "http", ca: CERTIFICATE } });
  });
});
