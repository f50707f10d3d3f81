import assert from "node:assert/strict";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { apiServerTransport, loadKubeConfig } from "../../clients/apiServer";
import { type Loopback, startLoopback } from "./loopback";

describe("clients: API server", () => {
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

  it("is reached as the context's user", async () => {
    const api = apiServerTransport(loadKubeConfig({ context: "dev", kubeconfig: kubeconfig() }));
    await api.send({ method: "GET", path: "/api/v1/nodes?limit=1" });
    const [request] = server.requests;
    assert.equal(request?.path, "/api/v1/nodes");
    assert.equal(request?.query.get("limit"), "1");
    assert.equal(request?.headers.authorization, "Bearer secret-token");
  });

  it("is reached below the path of its URL", async () => {
    const api = apiServerTransport(loadKubeConfig({ context: "basic", kubeconfig: kubeconfig("/k8s/clusters/c-1") }));
    await api.send({ method: "GET", path: "/api/v1/nodes" });
    const [request] = server.requests;
    assert.equal(request?.path, "/k8s/clusters/c-1/api/v1/nodes");
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
});
