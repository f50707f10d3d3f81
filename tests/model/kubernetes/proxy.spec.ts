import assert from "node:assert/strict";
import { parse } from "yaml";
import { goesThroughProxy, proxyEnv, urlGoesThroughProxy } from "../../../model/kubernetes/proxy";
import { networkEdges } from "../../../model/network/edges";
import { planStack } from "../../../model/plan";
import { type AlertingConfig, alertingConfig, alertmanagerPorts, rulerUsesProxy } from "../../../model/prometheus/alerting";
import { HISTORY, NETWORKS, SIDECAR } from "../../components/plans";
import {
  containers,
  mountedConfigMap,
  type Overrides,
  prometheusSets,
  rejection,
  run,
  settingsOf,
  together,
  workloads,
} from "../../harness";

const PROXY = { network: { proxy: { url: "http://proxy.example:3128" } } };
const behind = (noProxy: readonly string[] = [], overrides: Overrides = {}) =>
  settingsOf("prod", together({ network: { proxy: { ...PROXY.network.proxy, noProxy } } }, overrides));

/** Containers with a variable, by name. */
async function withVariable(name: string, overrides: Overrides): Promise<string[]> {
  const made = await run("prod", overrides);
  return [
    ...new Set(
      workloads(made)
        .flatMap(containers)
        .filter(({ env = [] }) => env.some((each) => each.name === name))
        .map((each) => each.name),
    ),
  ].sort();
}

describe("a proxy", () => {
  it("is in the containers that go outside by HTTP, and in no other", async () => {
    // The collector of these plans is outside.
    const history = together(HISTORY.overrides, PROXY, { tracing: undefined });
    const stateful = together(history, { ruler: { mode: "stateful" } });
    for (const name of ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"])
      assert.deepEqual(await withVariable(name, stateful), [
        "prometheus",
        "thanos-compactor",
        "thanos-receive",
        "thanos-ruler",
        "thanos-store-gateway",
      ]);
    assert.deepEqual(await withVariable("NO_PROXY", history), ["prometheus", "thanos-compactor", "thanos-receive", "thanos-store-gateway"]);
    assert.ok((await withVariable("NO_PROXY", together(SIDECAR.overrides, PROXY, { tracing: undefined }))).includes("thanos-sidecar"));
    assert.deepEqual(await withVariable("NO_PROXY", HISTORY.overrides), []);
  });

  it("is not on the way to the stack's own: peers of receivers, the API server, identity services", () => {
    const noProxy = proxyEnv(behind([".corp.example"])).find(({ name }) => name === "NO_PROXY")?.value;
    assert.equal(
      noProxy,
      ".cluster.local,.svc,$(KUBERNETES_SERVICE_HOST),169.254.0.0/16,fd00:ec2::/32,metadata.google.internal,.corp.example",
    );
    const settings = behind();
    const { addresses, scheme } = planStack(settings);
    for (const url of [addresses.remoteWriteUrl, addresses.querierUrl, addresses.queryUrl, addresses.prometheusUrl])
      assert.ok(!urlGoesThroughProxy(settings, url ?? ""), url);
    assert.equal(scheme.kind, "ring");
    for (const member of scheme.kind === "ring" ? scheme.ring.rings.flatMap(({ members }) => members) : [])
      assert.ok(!urlGoesThroughProxy(settings, `http://${member.address}`), member.address);
  });

  for (const [host, noProxy, through] of [
    ["s3.amazonaws.com", [], true],
    ["minio.storage.svc", [], false],
    ["minio.storage.svc.cluster.local", [], false],
    ["minio.storage", [], true],
    ["svc", [], true],
    ["localhost", [], false],
    ["127.0.0.1", [], false],
    ["[::1]", [], false],
    ["169.254.169.254", [], false],
    ["[fd00:ec2::254]", [], false],
    ["[fd00:ec3::254]", [], true],
    ["10.1.2.3", ["10.0.0.0/8"], false],
    ["11.1.2.3", ["10.0.0.0/8"], true],
    ["10.1.2.3", ["10.1.2.3"], false],
    ["[fd00::7]", ["fd00::/64"], false],
    ["[FD00:0::7]", ["fd00::7"], false],
    ["[fd00:0:0:1::7]", ["fd00::/64"], true],
    ["example.com", ["example.com"], false],
    ["a.example.com", ["example.com"], false],
    ["A.EXAMPLE.com", ["Example.com"], false],
    ["example.com", [".example.com"], true],
    ["a.example.com", [".example.com"], false],
    ["notexample.com", ["example.com"], true],
  ] as [string, string[], boolean][]) {
    it(`is ${through ? "" : "not "}on the way to ${host}${noProxy.length === 0 ? "" : ` with noProxy ${noProxy}`}`, () => {
      assert.equal(goesThroughProxy(behind(noProxy), host), through);
      assert.equal(goesThroughProxy(settingsOf("prod"), host), false);
    });
  }

  for (const [proxy, message] of [
    [
      { url: "http://user:hunter2@proxy.example:3128" },
      /network\.proxy\.url = \(not shown.*login in it\. Accepted: .*valueFrom\.secretKeyRef/,
    ],
    [{ url: "http://user@proxy.example:3128" }, /login in it/],
    [{ url: "proxy.example:3128" }, /a URL of scheme, host and port/],
    [{ url: "http://proxy.example:3128/" }, /a URL of scheme, host and port/],
    [{ url: "http://fd00::7:3128" }, /network\.proxy\.url/],
    [{ url: "http://proxy.example:99999" }, /a port from 1 to 65535/],
    [{ url: "socks5://proxy.example:1080" }, /a URL of scheme, host and port/],
    [{ url: "http://p:1", noProxy: ["*"] }, /network\.proxy\.noProxy/],
    [{ url: "http://p:1", noProxy: ["10.0.0.1/8"] }, /network\.proxy\.noProxy/],
    [{ url: "http://p:1", noProxy: ["a,b"] }, /network\.proxy\.noProxy/],
    [{ url: "http://p:1", to: [] }, /network\.proxy\.to/],
  ] as [object, RegExp][]) {
    it(`is refused: ${JSON.stringify(proxy)}`, async () => {
      const { message: said } = await rejection("prod", { network: { proxy } });
      assert.match(said, message);
      assert.ok(!said.includes("hunter2"));
    });
  }

  it("is what a network policy opens, in place of the bucket and the exchange of tokens", () => {
    const edges = (overrides: Overrides, credentials = false) => {
      const settings = settingsOf("prod", together(HISTORY.overrides, overrides));
      return networkEdges(settings, planStack(settings), credentials).filter(
        ({ from }) => "component" in from && from.component === "compactor",
      );
    };
    const purposes = (overrides: Overrides) => [...new Set(edges(overrides).map(({ purpose, port }) => `${purpose} ${port}`))];
    assert.deepEqual(purposes({}), ["the bucket 443", "the pods' own identity 80"]);
    assert.deepEqual(purposes(PROXY), ["the pods' own identity 80", "the bucket by a proxy 3128"]);
    assert.deepEqual(purposes(together(PROXY, { objectStorage: { s3: { endpoint: "minio.storage.svc:9000" } } })), [
      "the bucket 9000",
      "the pods' own identity 80",
      "the bucket by a proxy 3128",
    ]);
    const secret = { objectStorage: { s3: undefined, prefix: undefined, secret: { name: "bucket" } } };
    assert.deepEqual(purposes(together(PROXY, secret)), ["the bucket 443", "the bucket by a proxy 3128"]);
    const { to } = edges({ network: { proxy: { url: "https://[fd00::7]", to: ["egress", "fd00::7/128"] } } }).at(-1) ?? {};
    assert.deepEqual(to, { namespaces: ["egress"], networks: ["fd00::7/128"] });
  });

  it("is Prometheus' way to other targets and Alertmanagers, but where they have one of their own", async () => {
    const target = { url: "https://a.example/api/v1/write" };
    const made = await run(
      "prod",
      together(PROXY, {
        prometheus: { remoteWrite: { otherTargets: [target, { ...target, client: { proxy_url: "http://other:1" } }] } },
        ruler: undefined,
        alerting: { alertmanagers: ["https://alerts.example"] },
      }),
    );
    const [set] = prometheusSets(made);
    assert.ok(set !== undefined);
    const config = parse(mountedConfigMap(made, set, "config").data["prometheus.yml"] ?? "") as {
      remote_write: Record<string, unknown>[];
      alerting: { alertmanagers: Record<string, unknown>[] };
      scrape_configs: Record<string, unknown>[];
    };
    assert.deepEqual(
      config.remote_write.map(({ name, proxy_url, proxy_from_environment }) => [name, proxy_url, proxy_from_environment]),
      [
        ["receive", undefined, undefined],
        ["other-0", undefined, true],
        ["other-1", "http://other:1", undefined],
      ],
    );
    assert.equal(config.alerting.alertmanagers[0]?.proxy_from_environment, true);
    assert.ok(config.scrape_configs.every((job) => job.proxy_from_environment === undefined));
  });

  it("is told to rulers for each Alertmanager that is outside, since their client knows no environment", async () => {
    const made = await run(NETWORKS.stack, NETWORKS.overrides);
    const ruler = workloads(made).find(({ metadata }) => metadata.name === "thanos-ruler");
    assert.ok(ruler !== undefined);
    const { alertmanagers } = parse(mountedConfigMap(made, ruler, "alertmanagers").data["alertmanagers.yaml"] ?? "") as {
      alertmanagers: { static_configs: string[]; http_config: { proxy_url?: string } }[];
    };
    assert.deepEqual(
      alertmanagers.map(({ static_configs, http_config }) => [static_configs[0], http_config.proxy_url]),
      [
        ["alerts.example", "http://[fd00:9::7]:3128"],
        ["[fd00:8::5]:9093", undefined],
        ["alertmanager.monitoring.svc:9093", undefined],
      ],
    );
  });

  it("is for no Alertmanager that is looked up, which is asked by an address that nobody spares", () => {
    const settings = settingsOf("dev", {
      network: { proxy: { url: "http://proxy.example:3128" } },
      alerting: {
        alertmanagers: ["dns+http://alerts.example:9093", "dnssrv+http://_web._tcp.alerts.example", "http://alerts.example:9093"],
      },
    });
    const { alerting } = alertingConfig(settings) as AlertingConfig;
    assert.deepEqual(
      alerting.alertmanagers.map((each) => (each as { proxy_from_environment?: boolean }).proxy_from_environment),
      [undefined, undefined, true],
    );
    assert.deepEqual(
      settings.alerting.alertmanagers.map((address) => rulerUsesProxy(settings, address)),
      [false, false, true],
    );
    assert.deepEqual(alertmanagerPorts(settings), [undefined], "records of DNS say the port");
  });
});
