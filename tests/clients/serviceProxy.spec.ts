import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { PrometheusClient } from "../../clients/prometheus";
import { RemoteWriteClient } from "../../clients/remoteWrite";
import { apiServerTransport, loadKubeConfig, parseServiceUrl, podProxyTransport, serviceProxyTransport } from "../../clients/serviceProxy";
import { type Loopback, startLoopback } from "./loopback";
import { decodeWriteBody } from "./writeRequest";

describe("clients: service proxy", () => {
  let server: Loopback;
  let directory: string;

  before(async () => {
    directory = await fs.mkdtemp(path.join(tmpdir(), "kubeconfig-"));
  });
  after(() => fs.rm(directory, { recursive: true }));

  beforeEach(async () => {
    server = await startLoopback(() => ({ body: JSON.stringify({ status: "success", data: { resultType: "vector", result: [] } }) }));
  });
  afterEach(() => server.close());

  function kubeconfig(basePath = ""): string {
    return JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      "current-context": "other",
      clusters: [
        { name: "dev", cluster: { server: server.url + basePath, "insecure-skip-tls-verify": true } },
        { name: "other", cluster: { server: "https://192.0.2.1" } },
      ],
      users: [
        { name: "ci", user: { token: "secret-token" } },
        { name: "basic", user: { username: "u", password: "p" } },
      ],
      contexts: [
        { name: "dev", context: { cluster: "dev", user: "ci" } },
        { name: "basic", context: { cluster: "dev", user: "basic" } },
        { name: "other", context: { cluster: "other", user: "ci" } },
        { name: "broken", context: { cluster: "gone", user: "ci" } },
      ],
    });
  }

  it("reaches a Service at the proxy's path, as the context's user", async () => {
    const api = apiServerTransport(loadKubeConfig({ context: "dev", kubeconfig: kubeconfig() }));
    const querier = serviceProxyTransport(api, "http://thanos-querier.monitoring.svc.cluster.local:9090");
    await new PrometheusClient(querier).instant('up{job="a b"}');
    const [request] = server.requests;
    assert.equal(request?.path, "/api/v1/namespaces/monitoring/services/http:thanos-querier:9090/proxy/api/v1/query");
    assert.equal(request?.query.get("query"), 'up{job="a b"}');
    assert.equal(request?.headers.authorization, "Bearer secret-token");
  });

  it("keeps the path of the Service's URL, the tenant and the body", async () => {
    const api = apiServerTransport(loadKubeConfig({ context: "dev", kubeconfig: kubeconfig() }));
    const receive = serviceProxyTransport(api, "http://thanos-receive.monitoring.svc:19291/api/v1/receive");
    await new RemoteWriteClient(receive, { tenant: "team-a" }).send([
      { labels: { __name__: "x" }, samples: [{ timestampMs: 1, value: 2 }] },
    ]);
    const [request] = server.requests;
    assert.equal(request?.path, "/api/v1/namespaces/monitoring/services/http:thanos-receive:19291/proxy/api/v1/receive");
    assert.equal(request?.headers["thanos-tenant"], "team-a");
    assert.equal(decodeWriteBody(request?.body ?? new Uint8Array())[0]?.samples[0]?.value, 2);
  });

  it("reaches a pod by port, below the path of the API server's URL", async () => {
    const api = apiServerTransport(loadKubeConfig({ context: "basic", kubeconfig: kubeconfig("/k8s/clusters/c-1") }));
    await podProxyTransport(api, { namespace: "monitoring", name: "thanos-receive-0", port: 10902 }).send({
      method: "GET",
      path: "/metrics",
    });
    const [request] = server.requests;
    assert.equal(request?.path, "/k8s/clusters/c-1/api/v1/namespaces/monitoring/pods/http:thanos-receive-0:10902/proxy/metrics");
    assert.equal(request?.headers.authorization, `Basic ${Buffer.from("u:p").toString("base64")}`);
  });

  it("loads a kubeconfig file and never uses its current context", async () => {
    const file = path.join(directory, "config");
    await fs.writeFile(file, kubeconfig());
    const config = loadKubeConfig({ context: "dev", kubeconfig: file });
    assert.equal(config.getCurrentContext(), "dev");
    assert.equal(config.getCurrentCluster()?.server, server.url);
  });

  it("names the contexts there are when the one asked for is missing, but nothing else of the contents", () => {
    assert.throws(
      () => loadKubeConfig({ context: "prod", kubeconfig: kubeconfig() }),
      (error: Error) => {
        assert.equal(error.message, 'the given kubeconfig has no context "prod"; it has dev, basic, other, broken');
        return true;
      },
    );
    assert.throws(() => loadKubeConfig({ context: "broken", kubeconfig: kubeconfig() }), /names a cluster that is not in it/);
  });

  it("reads Service URLs and refuses others", () => {
    assert.deepEqual(parseServiceUrl("http://a.b.svc.example.org:9090/c/"), {
      scheme: "http",
      name: "a",
      namespace: "b",
      port: 9090,
      path: "/c",
    });
    assert.deepEqual(parseServiceUrl("https://a.b.svc"), { scheme: "https", name: "a", namespace: "b", port: 443, path: "" });
    for (const url of ["http://a:9090", "http://a.b:9090", "http://127.0.0.1:9090", "ftp://a.b.svc"]) {
      assert.throws(() => parseServiceUrl(url), /is not the URL of a Service/);
    }
  });
});
