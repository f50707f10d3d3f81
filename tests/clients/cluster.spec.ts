import assert from "node:assert/strict";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as delay, setImmediate } from "node:timers/promises";
import { execa } from "execa";
import { type ClusterOptions, connectCluster } from "../../clients/cluster";
import { PrometheusClient } from "../../clients/prometheus";
import { RemoteWriteClient } from "../../clients/remoteWrite";
import { ConnectionError, ForbiddenError, UnreachableError } from "../../clients/transport";
import { type Issued, issue } from "../../objects/authority";
import { type Forwarding, type Forwardings, forwardPorts } from "./fakeForwarding";
import { kubeconfigOf } from "./kubeconfigOf";
import { type CannedAnswer, type Loopback, type ReceivedRequest, refusedUrl, startLoopback } from "./loopback";
import { decodeWriteBody } from "./writeRequest";

const NODE_GONE = JSON.stringify({ kind: "Status", message: "error dialing backend: dial tcp 10.0.0.9:10250: connect: no route to host" });
const MAY_NOT = JSON.stringify({ kind: "Status", message: 'pods "a" is forbidden: User "ci" cannot create resource "pods/portforward"' });
const REFUSED = "error forwarding port 9090 to pod 0f, uid : failed to connect to localhost:9090 inside namespace: connection refused";

describe("clients: pods and Services of a cluster", () => {
  let server: Loopback;
  let pod: Loopback;
  let forwards: Forwardings;
  /** By pod; those that are not here lead to the one pod's server. */
  let forwarding: Record<string, Forwarding>;
  let answer: (request: ReceivedRequest) => CannedAnswer | Promise<CannedAnswer>;
  /** The API server's objects, by path. */
  let objects: Record<string, unknown>;

  beforeEach(async () => {
    forwarding = {};
    objects = {};
    answer = ({ path }) => ({ body: `answer to ${path}` });
    pod = await startLoopback((request) => answer(request));
    server = await startLoopback(({ path }) => {
      const object = objects[path];
      if (object === "forbidden") return { status: 403, body: MAY_NOT };
      return object === undefined ? { status: 404, body: '{"message":"not found"}' } : { body: JSON.stringify(object) };
    });
    forwards = forwardPorts(server.server, ({ name }) => forwarding[name] ?? { to: pod.url });
  });
  afterEach(() => Promise.all([server.close(), pod.close()]));

  const cluster = (options: ClusterOptions = {}) => connectCluster({ context: "dev", kubeconfig: kubeconfigOf(server.url) }, options);
  const get = (path = "/") => ({ method: "GET" as const, path });
  const A = { namespace: "ns", name: "a", port: 9090 };

  /** A Service `web` of pods, by name, and whether each is ready. */
  function service(
    pods: Record<string, boolean | undefined>,
    ports: { name?: string; port: number }[] = [{ name: "http", port: 9090 }],
  ): void {
    objects["/api/v1/namespaces/ns/services/web"] = {
      spec: { ports: [{ name: "http", port: 80 }, ...(ports.length > 1 ? [{ name: "grpc", port: 90 }] : [])] },
    };
    objects["/apis/discovery.k8s.io/v1/namespaces/ns/endpointslices"] = {
      items: [
        {
          endpoints: Object.entries(pods).map(([name, ready]) => ({ conditions: { ready }, targetRef: { kind: "Pod", name } })),
          ports,
        },
      ],
    };
  }
  const web = (options: ClusterOptions = {}) => cluster(options).service("http://web.ns.svc.cluster.local/base");

  /** Resolves when a condition holds; mocha's time limit bounds it. */
  async function holds(condition: () => boolean): Promise<void> {
    while (!condition()) await delay(1);
  }

  describe("a Service that wants certificates", () => {
    const NAME = "thanos-stack.ns.svc.cluster.local";
    let issued: Issued;
    let encrypted: Server;

    const made = (name: string, from = issued) => ({ cert: from.leaves[name]?.certificate ?? "", key: from.leaves[name]?.key ?? "" });
    const by = (seed: string) => {
      const leaves = [
        { name: "server", dnsNames: [NAME], server: true, client: false },
        { name: "client", dnsNames: [], server: false, client: true },
      ];
      return issue(seed, { stack: "ns", generation: 1, day: new Date(), leaves });
    };
    const asked = (identity: { cert: string; key: string }, servername = NAME) =>
      cluster({ timeoutMs: 3_000 }).service("https://web.ns.svc.cluster.local/base", async () => ({
        ca: issued.trusted,
        servername,
        ...identity,
      }));

    beforeEach(async () => {
      issued = await by("a seed");
      encrypted = createServer({ ...made("server"), ca: issued.trusted, requestCert: true, minVersion: "TLSv1.3" }, ({ url }, response) => {
        response.end(`encrypted ${url}`);
      });
      encrypted.on("tlsClientError", () => undefined);
      await new Promise<void>((resolve) => encrypted.listen(0, "127.0.0.1", resolve));
      forwarding.a = { to: `https://127.0.0.1:${(encrypted.address() as AddressInfo).port}` };
      service({ a: true });
      objects["/api/v1/namespaces/ns/services/web"] = { spec: { ports: [{ name: "http", port: 443 }] } };
    });
    afterEach(() => {
      encrypted.closeAllConnections();
      encrypted.close();
    });

    it("is reached by who has one, for the name of every server", async () => {
      const transport = asked(made("client"));
      for (const path of ["/one", "/two"]) assert.equal((await transport.send(get(path))).body, `encrypted /base${path}`);
    });

    it("lets in nobody with another CA's, nor is taken for another name", async () => {
      await assert.rejects(asked(made("client", await by("another seed"))).send(get()), ConnectionError);
      await assert.rejects(asked(made("client"), "another.ns.svc").send(get()), /altnames|certificate/i);
      await assert.rejects(asked(made("server")).send(get()), ConnectionError);
    });

    it("is refused where nobody says who asks", () => {
      assert.throws(() => cluster().service("https://web.ns.svc.cluster.local"), /without a certificate/);
    });

    it("shows when its certificate ends, to whoever asks", async () => {
      const end = new Date(await cluster().certificateEnd(A, NAME));
      assert.ok(end.getTime() - Date.now() > 180 * 24 * 3_600_000, String(end));
      forwarding.a = { to: pod.url };
      await assert.rejects(cluster({ timeoutMs: 3_000 }).certificateEnd(A, NAME), ConnectionError);
    });
  });

  describe("a pod", () => {
    it("is reached by a port-forward, as the context's user", async () => {
      const { status, body } = await cluster().pod(A).send(get("/metrics?x=1"));
      assert.deepEqual([status, body], [200, "answer to /metrics"]);
      assert.deepEqual(forwards.asked, ["ns/a:9090"]);
      assert.equal(forwards.headers[0]?.authorization, "Bearer secret-token");
      assert.equal(pod.requests[0]?.query.get("x"), "1");
      assert.equal(server.requests.length, 0, "nothing goes through the API server's own proxy");
    });

    it("is reached below the path of the API server's URL", async () => {
      const config = kubeconfigOf(`${server.url}/k8s/clusters/c-1`);
      await connectCluster({ context: "dev", kubeconfig: config }).pod(A).send(get());
      assert.deepEqual(forwards.asked, ["ns/a:9090"]);
    });

    it("answers one request after the other on one connection", async () => {
      const one = cluster();
      const warnings: Error[] = [];
      const warned = (warning: Error) => warnings.push(warning);
      process.on("warning", warned);
      for (let i = 0; i < 15; i++) await one.pod(A).send(get());
      await setImmediate();
      process.off("warning", warned);
      assert.deepEqual(warnings, [], "nothing of a request is left on the connection");
      assert.equal(forwards.asked.length, 1);
      assert.equal(new Set(pod.requests.map(({ connection }) => connection)).size, 1);
    });

    it("answers many requests at once, each with its own answer", async () => {
      const transport = cluster().pod(A);
      const bodies = await Promise.all(Array.from({ length: 30 }, async (_, i) => (await transport.send(get(`/${i}`))).body));
      assert.deepEqual(
        bodies,
        Array.from({ length: 30 }, (_, i) => `answer to /${i}`),
      );
    });

    it("answers at length, and is asked at length", async () => {
      const long = "0123456789".repeat(500_000);
      answer = ({ body }) => ({ body: body.toString() + long });
      const sent = "abcdefghij".repeat(200_000);
      const { body } = await cluster().pod(A).send({ method: "POST", path: "/", body: sent });
      assert.ok(body === sent + long, `${body.length} bytes`);
    });

    it("is let go when its connection was idle for a time", async () => {
      await cluster({ keepIdleMs: 1 }).pod(A).send(get());
      await holds(() => forwards.open() === 0);
    });

    it("that goes while its connection is idle is not asked on it again", async () => {
      const transport = cluster().pod(A);
      await transport.send(get());
      forwards.end();
      while ((await server.open()) > 0) await delay(1);
      await setImmediate();
      assert.equal((await transport.send(get())).status, 200);
      assert.equal(forwards.asked.length, 2);
    });

    it("keeps no process from ending", async function () {
      this.timeout(120_000);
      const config = kubeconfigOf(server.url);
      const script = `
        const { connectCluster } = require("./clients/cluster");
        connectCluster({ context: "dev", kubeconfig: process.env.CONFIG }, { keepIdleMs: 600000 }).pod(${JSON.stringify(A)})
          .send({ method: "GET", path: "/" }).then(({ body }) => console.log(body));`;
      const { stdout } = await execa("node", ["-r", "ts-node/register/transpile-only", "-e", script], {
        cwd: join(__dirname, "..", ".."),
        env: { CONFIG: config },
        timeout: 110_000,
      });
      assert.equal(stdout, "answer to /");
    });

    it("in which nothing listens is unreachable, in the kubelet's words", async () => {
      forwarding.a = { refused: REFUSED };
      await assert.rejects(cluster().pod(A).send(get()), (error: Error) => {
        assert.ok(error instanceof ConnectionError && error.cause instanceof UnreachableError, String(error));
        assert.match(error.message, /pod ns\/a:9090: error forwarding port 9090 .* connection refused/);
        return true;
      });
    });

    it("whose node is gone is unreachable, in the API server's words", async () => {
      forwarding.a = { status: 500, body: NODE_GONE };
      await assert.rejects(cluster().pod(A).send(get()), (error: Error) => {
        assert.ok(error instanceof ConnectionError && error.cause instanceof UnreachableError, String(error));
        assert.match(
          error.message,
          /no port-forward to pod ns\/a:9090: the API server answered 500: error dialing backend: .*no route to host$/,
        );
        return true;
      });
    });

    it("that dies in the middle of an answer gives none, with the reason where there is one", async () => {
      answer = () => ({ body: "x".repeat(1_000) });
      forwarding.a = { to: pod.url, breaksAfter: 400, saying: "lost connection to pod" };
      await assert.rejects(cluster().pod(A).send(get()), (error: Error) => {
        assert.ok(error instanceof ConnectionError && !(error.cause instanceof UnreachableError), String(error));
        assert.match(error.message, /pod ns\/a:9090: lost connection to pod/);
        return true;
      });
      forwarding.a = { to: pod.url, breaksAfter: 400 };
      await assert.rejects(cluster().pod(A).send(get()), ConnectionError);
    });

    it("that does not answer in time is given up, its connection too", async () => {
      answer = () => ({ hang: true });
      await assert.rejects(cluster({ timeoutMs: 50 }).pod(A).send(get()), /no whole answer within 50 ms/);
      await holds(() => forwards.open() === 0);
      forwarding.a = { hang: true };
      const start = performance.now();
      await assert.rejects(
        cluster()
          .pod(A)
          .send({ ...get(), timeoutMs: 50 }),
        /no whole answer within 50 ms/,
      );
      assert.ok(performance.now() - start < 4_000, "long before the handshake would be given up");
    });

    it("to which the account may not forward ports is said to be that, with what it needs", async () => {
      forwarding.a = { status: 403, body: MAY_NOT };
      await assert.rejects(cluster().pod(A).send(get()), (error: Error) => {
        assert.ok(error instanceof ForbiddenError, String(error));
        assert.match(
          error.message,
          /^the account may not create pods\/portforward in namespace ns, .* create and get .*deploy-role\.yaml\): pods "a" is forbidden: User "ci" cannot/,
        );
        return true;
      });
    });

    it("whose API server is away is an error like any other", async () => {
      const away = connectCluster({ context: "dev", kubeconfig: kubeconfigOf(await refusedUrl()) });
      await assert.rejects(away.pod(A).send(get()), /no port-forward to pod ns\/a:9090: .*ECONNREFUSED/);
    });
  });

  describe("a Service", () => {
    it("is reached by a Ready pod behind it, at the pod's own port and below the URL's path", async () => {
      service({ "not-ready": false, ready: true });
      assert.equal((await web().send(get("/q"))).body, "answer to /base/q");
      assert.deepEqual(forwards.asked, ["ns/ready:9090"]);
    });

    it("of several ports is reached at the one that the URL's leads to", async () => {
      service({ a: true }, [
        { name: "grpc", port: 10901 },
        { name: "http", port: 9091 },
      ]);
      await web().send(get());
      assert.deepEqual(forwards.asked, ["ns/a:9091"]);
    });

    it("keeps to one pod and its connection while it answers", async () => {
      service({ a: true, b: true });
      const transport = web();
      for (let i = 0; i < 5; i++) await transport.send(get());
      assert.deepEqual(forwards.asked, ["ns/a:9090"]);
    });

    it("is reached by another pod when one can't be connected to, then and afterwards", async () => {
      service({ a: true, b: true, c: true });
      forwarding.a = { refused: REFUSED };
      forwarding.b = { status: 500, body: NODE_GONE };
      const transport = web();
      assert.equal((await transport.send(get())).status, 200);
      assert.equal((await transport.send(get())).status, 200);
      assert.deepEqual(forwards.asked, ["ns/a:9090", "ns/b:9090", "ns/c:9090"]);
    });

    it("does not give another pod what one may have taken; the next request goes there", async () => {
      service({ a: true, b: true });
      answer = () => ({ body: "x".repeat(1_000) });
      forwarding.a = { to: pod.url, breaksAfter: 10 };
      const transport = web();
      await assert.rejects(transport.send({ method: "POST", path: "/", body: "once" }), ConnectionError);
      assert.equal((await transport.send(get())).status, 200);
      assert.deepEqual(forwards.asked, ["ns/a:9090", "ns/b:9090"]);
    });

    it("says so when no pod is behind it, none can be connected to, or there is none of that name", async () => {
      service({ a: false });
      await assert.rejects(web().send(get()), /web\.ns\.svc.*: no Ready pod is behind it/);
      service({ a: true });
      forwarding.a = { refused: REFUSED };
      await assert.rejects(web().send(get()), /connection refused/);
      await assert.rejects(cluster().service("http://other.ns.svc").send(get()), /answered 404 for .*services\/other: not found/);
    });

    it("is not tried for longer than a request may take", async () => {
      service({ a: true, b: true });
      forwarding.a = { hang: true };
      forwarding.b = { hang: true };
      await assert.rejects(web({ timeoutMs: 50 }).send(get()), ConnectionError);
    });

    it("whose objects or pods the account may not reach is said to be that", async () => {
      service({ a: true, b: true });
      forwarding.a = { status: 403, body: MAY_NOT };
      await assert.rejects(web().send(get()), ForbiddenError);
      assert.deepEqual(forwards.asked, ["ns/a:9090"]);
      objects["/apis/discovery.k8s.io/v1/namespaces/ns/endpointslices"] = "forbidden";
      await assert.rejects(web().send(get()), ForbiddenError);
    });

    it("carries queries and writes, the tenant and the body", async () => {
      service({ a: true });
      answer = ({ method }) =>
        method === "POST" ? {} : { body: JSON.stringify({ status: "success", data: { resultType: "vector", result: [] } }) };
      await new PrometheusClient(web()).instant('up{job="a b"}');
      await new RemoteWriteClient(web(), { tenant: "team-a" }).send([
        { labels: { __name__: "x" }, samples: [{ timestampMs: 1, value: 2 }] },
      ]);
      const [query, write] = pod.requests;
      assert.deepEqual([query?.path, query?.query.get("query")], ["/base/api/v1/query", 'up{job="a b"}']);
      assert.equal(write?.path, "/base");
      assert.equal(write?.headers["thanos-tenant"], "team-a");
      assert.equal(decodeWriteBody(write?.body ?? new Uint8Array())[0]?.samples[0]?.value, 2);
    });
  });
});
