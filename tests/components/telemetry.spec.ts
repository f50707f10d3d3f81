import assert from "node:assert/strict";
import { parse } from "yaml";
import type { ProgramRun } from "../../commands/program";
import { CERTIFICATE, containers, flagValues, mountedConfigMap, objects, prometheusSets, run, workloads } from "../harness";
import { partsOf, passes, policiesOf } from "./networkPolicy";
import { EVERYTHING, SIDECAR } from "./plans";

/** Logs and traces as they reach the pods. */

const thanosOf = (made: ProgramRun) =>
  workloads(made).flatMap((workload) =>
    workload.kind === "Job"
      ? []
      : containers(workload).flatMap((each) => (each.image.includes("/thanos/") ? [{ workload, container: each }] : [])),
  );
const configOf = (made: ProgramRun) => {
  const [set] = prometheusSets(made);
  assert.ok(set);
  const { data } = mountedConfigMap(made, set, "config");
  return { data, config: parse(data["prometheus.yml"] ?? "") as { tracing?: object } };
};

describe("logs and traces, with a header from a Secret", () => {
  let made: ProgramRun;
  before(async () => {
    made = await run(EVERYTHING.stack, EVERYTHING.overrides);
  });

  it("are told to every process of Thanos, each under its own name, with the header in its environment", () => {
    const all = thanosOf(made);
    assert.ok(all.length >= 8, `${all.length} containers`);
    for (const { workload, container } of all) {
      const { name } = container;
      assert.ok(container.args?.includes("--tracing.config-file=/etc/thanos/telemetry/tracing.yaml"), name);
      const file = parse(mountedConfigMap(made, workload, "telemetry").data["tracing.yaml"] ?? "") as { config: { service_name: string } };
      assert.equal(file.config.service_name, workload.metadata.labels["app.kubernetes.io/name"]);
      assert.ok(
        container.volumeMounts?.some(({ name: volume, mountPath }) => volume === "telemetry" && mountPath === "/etc/thanos/telemetry"),
      );
      assert.deepEqual(container.env?.at(-1), {
        name: "TRACING_HEADER_0",
        valueFrom: { secretKeyRef: { name: "collector", key: "token" } },
      });
    }
  });

  it("have the level, form and requests of the stack, or the component's own", () => {
    const named = (name: string) => workloads(made).find(({ metadata }) => metadata.name === name) ?? assert.fail(name);
    const of = (name: string) => {
      const workload = named(name);
      return ["--log.level", "--log.format", "--request.logging-config-file"].map((flag) => flagValues(workload, flag)[0]);
    };
    const file = "/etc/thanos/telemetry/requests.yaml";
    assert.deepEqual(of("thanos-receive-z1"), ["warn", "json", file]);
    assert.deepEqual(of("thanos-query-frontend"), ["debug", "json", file]);
    assert.deepEqual(of("thanos-store-gateway"), ["warn", undefined, file]);
    assert.deepEqual(of("thanos-compactor"), ["error", "json", undefined], "it serves nobody");
    assert.deepEqual(of("prometheus"), [undefined, "json", undefined]);
    const levels = ["thanos-query-frontend", "thanos-querier"].map((name) => {
      const requests = parse(mountedConfigMap(made, named(name), "telemetry").data["requests.yaml"] ?? "");
      return (requests as { options: { level: string } }).options.level;
    });
    assert.deepEqual(levels, ["DEBUG", "ERROR"]);
  });

  it("leave the namespace at the collector's port, from every part but the caches", () => {
    const policies = policiesOf(made);
    const collector = { namespace: "observability", labels: {} };
    const caches = ["query-cache", "index-cache", "chunk-cache"];
    for (const [name, { pod }] of partsOf(made, EVERYTHING.stack))
      assert.equal(passes(policies, pod, collector, 4317), !caches.includes(name), name);
  });

  it("are not Prometheus', whose configuration would show the header", () => {
    const { data, config } = configOf(made);
    assert.equal(config.tracing, undefined);
    assert.deepEqual(Object.keys(data), ["prometheus.yml"]);
  });
});

describe("traces beside sidecars, with an authority of one's own", () => {
  it("are Prometheus' and its sidecar's", async () => {
    const made = await run(SIDECAR.stack, SIDECAR.overrides);
    const { data, config } = configOf(made);
    assert.deepEqual(config.tracing, {
      client_type: "http",
      endpoint: "[fd00::7]:4318",
      insecure: false,
      sampling_fraction: 0.01,
      tls_config: { ca_file: "collector-ca.crt" },
    });
    assert.equal(data["collector-ca.crt"], CERTIFICATE);
    for (const { workload, container } of thanosOf(made)) {
      assert.ok(container.args?.includes("--tracing.config-file=/etc/thanos/telemetry/tracing.yaml"), container.name);
      assert.equal(mountedConfigMap(made, workload, "telemetry").data["collector-ca.crt"], CERTIFICATE);
    }
    const [set] = prometheusSets(made);
    assert.ok(set);
    const sidecar = containers(set).find(({ name }) => name === "thanos-sidecar");
    assert.ok(sidecar?.args?.includes("--log.level=debug"));
  });

  it("are nobody's where there is no collector", async () => {
    const made = await run("prod");
    assert.ok(!thanosOf(made).some(({ container }) => container.args?.some((arg) => arg.startsWith("--tracing"))));
    assert.equal(configOf(made).config.tracing, undefined);
    assert.deepEqual(
      objects(made, "ConfigMap").filter(({ metadata }) => /telemetry/.test(metadata.name ?? "")),
      [],
    );
  });
});
