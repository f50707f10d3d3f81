import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import type { Stack } from "@pulumi/pulumi/automation";
import { compress } from "snappyjs";
import { PrometheusClient } from "../../clients/prometheus";
import { encodeWriteRequest, RemoteWriteClient } from "../../clients/remoteWrite";
import { type HttpRequest, type HttpResponse, sendRequest, type Transport } from "../../clients/transport";
import { openStack } from "../../sandbox/engine";
import type { ConfigOverlay } from "../../sandbox/overlay";
import { NODE_NETWORK, NODES, POD_NETWORK } from "../../sandbox/topology";
import { gatewayCertificates } from "../gatewayCertificates";
import { readBack, startSender } from "../ledger";
import { withOutsideSenders } from "./outside";
import { Cluster, eventually, metricsOf, type Pod, querierOf, remove, runId, verify } from "./stack";

/**
 * The gateway as it is deployed: dev under a name of its own, reached through the port of a node, over TLS, from this machine and from one
 * beside the nodes, which are both in no network namespace of the cluster. What HAProxy makes of each request alone is in
 * tests/gateway.spec.ts.
 */

const NAMESPACE = "thanos-guarded";
const APP = "thanos-gateway";
const STACK = "guarded";
const PORTS = { write: 30_443, query: 30_444 };
type Endpoint = keyof typeof PORTS;
const NODE = NODES[0]?.address ?? assert.fail("no node");
const TENANTS = ["payments", "edge"];

/** @param authority Who signed its certificate. */
const guarded = (generation: number, authority?: string): ConfigOverlay => ({
  "thanos-stack:namespace": NAMESPACE,
  // Through a node's port a pod sees an address of that node.
  "thanos-stack:access": { senders: [NODE_NETWORK, POD_NETWORK], readers: [NODE_NETWORK, POD_NETWORK] },
  "thanos-stack:tenancy": { tenants: TENANTS },
  // The stack behind it is encrypted, and takes no gateway without a certificate.
  "thanos-stack:tls": { certificates: "program" },
  "thanos-stack:gateway": {
    replicas: 2,
    antiAffinity: "soft",
    certificate: { secret: "gateway-tls", ...(authority === undefined ? {} : { authority }) },
    senderAuthority: { secret: "senders-ca" },
    tenants: { payments: { generation, maxDecoded: "8Mi" }, edge: { token: false, certificates: ["edge-1"] } },
    readers: { payments: { tenants: ["payments"] }, sre: { tenants: "all" } },
    resources: { cpu: "50m", memory: "128Mi" },
    labelProxy: { resources: { cpu: "20m", memory: "64Mi" } },
  },
  "thanos-stack:expose": {
    write: { url: `https://${NODE}:${PORTS.write}`, nodePort: { port: PORTS.write } },
    query: { url: `https://${NODE}:${PORTS.query}`, nodePort: { port: PORTS.query } },
  },
});

/** A body that says in its first bytes how much it unpacks to, and is no more than that. */
function unpackingTo(bytes: number): Uint8Array {
  const length: number[] = [];
  let rest = bytes;
  for (; rest > 127; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128);
  return Uint8Array.from([...length, rest, ...Array.from({ length: 40 }, () => 120)]);
}

interface Credentials {
  tenants: Record<string, string>;
  readers: Record<string, string>;
}

/** Who asks: a token, a certificate, both or nobody. */
interface Who {
  token?: string;
  certificate?: string;
}

describe("the gateway on a real cluster", function () {
  this.timeout(5 * 60_000);
  this.bail(true);
  const cluster = new Cluster();
  let directory = "";
  let credentials: Credentials;
  const file = (name: string): string => readFileSync(join(directory, name), "utf8");

  const open = (generation: number): Promise<Stack> => openStack("dev", guarded(generation, file("gateway.pem")), { stack: STACK });
  async function deploy(generation: number): Promise<void> {
    const stack = await open(generation);
    await stack.up();
    const given = (await stack.outputs()).credentials ?? assert.fail("there are no credentials");
    assert.equal(given.secret, true, "tokens are a secret output");
    credentials = given.value as Credentials;
  }

  const ask = (endpoint: Endpoint, { token, certificate }: Who, request: HttpRequest): Promise<HttpResponse> =>
    sendRequest(
      new URL(`https://${NODE}:${PORTS[endpoint]}${request.path}`),
      { ...request, headers: { ...request.headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) } },
      {
        agent: false,
        ca: file("gateway.pem"),
        ...(certificate === undefined ? {} : { cert: file(`${certificate}.pem`), key: file(`${certificate}.key`) }),
      },
    );
  const transport = (endpoint: Endpoint, who: () => Who, prefix = ""): Transport => ({
    description: `https://${NODE}:${PORTS[endpoint]}`,
    send: (request) => ask(endpoint, who(), { ...request, path: prefix + request.path }),
  });
  const write = (who: Who, body: Uint8Array, headers: Record<string, string> = {}) =>
    ask("write", who, {
      method: "POST",
      path: "/api/v1/receive",
      headers: { "content-type": "application/x-protobuf", "content-encoding": "snappy", ...headers },
      body,
    });
  const sample = (run: string): Uint8Array =>
    compress(encodeWriteRequest([{ labels: { __name__: "thanos_stack_guarded", run }, samples: [{ timestampMs: Date.now(), value: 1 }] }]));
  const identities = (pods: Pod[]) =>
    pods.map(({ metadata, status }) => `${metadata.name} ${status.containerStatuses?.map((each) => each.restartCount).join()}`).sort();
  const pods = async () => identities(await cluster.pods(NAMESPACE));
  const isReady = ({ status }: Pod) => status.conditions?.some((each) => each.type === "Ready" && each.status === "True") ?? false;
  const client = (token: string) => new PrometheusClient(transport("query", () => ({ token })));
  /** Tenants whose series of a selector a reader is answered. */
  const tenantsFor = async (token: string, selector: string) =>
    (await client(token).instant(`count by (tenant_id) (${selector})`)).vector.map(({ labels }) => labels.tenant_id).sort();
  /** Requests that all gateways have refused with a status. */
  const refused = async (status: number) => {
    const pages = await Promise.all((await cluster.pods(NAMESPACE, APP)).map(metricsOf));
    return pages
      .flat()
      .filter(({ name, labels }) => name === "haproxy_backend_http_requests_total" && labels.proxy === `refused:${status}`)
      .reduce((sum, { value }) => sum + value, 0);
  };

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), "thanos-stack-gateway-"));
    await gatewayCertificates(directory, `IP:${NODE}`);
    await remove("dev", guarded(1), STACK);
  });

  after(async () => {
    rmSync(directory, { recursive: true, force: true });
    await remove("dev", guarded(3), STACK);
  });

  it("comes up with certificates that somebody else made, and the stack passes its own check", async () => {
    const secret = (name: string, stringData: Record<string, string>, type = "Opaque") =>
      cluster.create(`/api/v1/namespaces/${NAMESPACE}/secrets`, { apiVersion: "v1", kind: "Secret", metadata: { name }, type, stringData });
    // Its pods come late enough: the ring is first.
    const given = async () => {
      await eventually("the stack makes its namespace", () => cluster.get(`/api/v1/namespaces/${NAMESPACE}`));
      await secret("gateway-tls", { "tls.crt": file("gateway.pem"), "tls.key": file("gateway.pem.key") }, "kubernetes.io/tls");
      await secret("senders-ca", { "ca.crt": file("senders.pem") });
    };
    await Promise.all([deploy(1), given()]);
    const verified = await verify(STACK);
    assert.match(verified, /gateway 2/);
    assert.match(verified, /gateway from outside +.*a sample written is answered as it was sent/);
    assert.match(verified, /certificates +.*, the gateway's in (89|90) days, its senders' CA in (89|90) days/);
  });

  it("takes what a Prometheus outside the cluster writes, as whom its token or certificate says, and of no other", async () => {
    const { payments = "" } = credentials.tenants;
    const ca_file = join(directory, "gateway.pem");
    const bearer = (token: string) => ({ authorization: { credentials: token }, tls_config: { ca_file } });
    const pair = { cert_file: join(directory, "edge-1.pem"), key_file: join(directory, "edge-1.key") };
    const senders = [
      { name: "token", client: { ...bearer(payments), headers: { "THANOS-TENANT": "edge" } } },
      { name: "certificate", client: { tls_config: { ca_file, ...pair } } },
      { name: "wrong", client: bearer("wrong") },
    ];
    const before = await refused(401);
    const { sre = "", payments: reader = "" } = credentials.readers;
    await withOutsideSenders(directory, `https://${NODE}:${PORTS.write}/api/v1/receive`, senders, async () => {
      await eventually("both are answered", async () => (await tenantsFor(sre, 'up{job="outside"}')).length === 2);
      await eventually("the third is refused", async () => (await refused(401)) > before);
    });
    const { vector } = await client(sre).instant('max by (sender, tenant_id) (max_over_time(up{job="outside"}[5m]))');
    assert.deepEqual(vector.map(({ labels }) => `${labels.sender} as ${labels.tenant_id}`).sort(), [
      "certificate as edge",
      "token as payments",
    ]);
    // A matcher of a tenant leaves out receivers that have not told the querier of that tenant yet; it asks them every five seconds.
    const own = await eventually("its reader is answered", async () => {
      const tenants = await tenantsFor(reader, 'max_over_time(up{job="outside"}[5m])');
      return tenants.length > 0 ? tenants : undefined;
    });
    assert.deepEqual(own, ["payments"]);
    const named = await tenantsFor(reader, 'max_over_time(up{job="outside",tenant_id="edge"}[5m])');
    assert.ok(!named.includes("edge"), "another tenant's, by its name");
  });

  it("asks at every endpoint for a credential, and takes no other's", async () => {
    const { payments: writer = "" } = credentials.tenants;
    const { payments: reader = "", sre = "" } = credentials.readers;
    const held = [
      "/api/v1/query?query=up",
      "/api/v1/query_range?query=up&start=0&end=60&step=60",
      "/api/v1/series?match[]=up",
      "/api/v1/labels",
      "/api/v1/label/job/values",
      "/api/v1/rules",
      "/api/v1/alerts",
    ];
    const open = ["/api/v1/stores", "/api/v1/targets", "/api/v1/metadata", "/api/v1/status/buildinfo"];
    const table: Record<string, number[]> = {};
    for (const path of [...held, ...open, "/debug/pprof/heap"])
      table[path] = await Promise.all(
        [{}, { token: writer }, { token: reader }, { token: sre }].map(
          async (who) => (await ask("query", who, { method: "GET", path })).status,
        ),
      );
    console.log(`      none, a writer's, a reader's of one tenant, a reader's of all\n      ${JSON.stringify(table)}`);
    for (const path of held) assert.deepEqual(table[path], [401, 401, 200, 200], path);
    for (const path of open) assert.deepEqual(table[path]?.slice(0, 3), [401, 401, 404], path);
    assert.deepEqual(table["/debug/pprof/heap"], [401, 401, 404, 404]);
  });

  it("refuses whoever is nobody, what is no remote write, and what says that it unpacks to more than it may: no pod is restarted", async () => {
    const before = await pods();
    const { payments: token = "" } = credentials.tenants;
    const { payments: reader = "", sre = "" } = credentials.readers;
    const run = runId();
    const mebibyte = 2 ** 20;
    const receive = "/api/v1/receive";
    const expected: [what: string, answer: Promise<HttpResponse>, status: number][] = [
      ["nobody", write({}, sample(run)), 401],
      ["a wrong token", write({ token: "wrong" }, sample(run)), 401],
      ["a reader's token", write({ token: reader }, sample(run)), 401],
      ["a certificate of an unknown name", write({ certificate: "stranger" }, sample(run)), 401],
      ["257 MiB", write({ token }, unpackingTo(257 * mebibyte)), 413],
      ["3 GiB", write({ token }, unpackingTo(3 * 1_024 * mebibyte)), 413],
      ["257 MiB, with a certificate", write({ certificate: "edge-1" }, unpackingTo(257 * mebibyte)), 413],
      ["a byte more than the tenant may", write({ token }, unpackingTo(8 * mebibyte + 1)), 413],
      ["status of all tenants", ask("write", { token }, { method: "GET", path: "/api/v1/status/tsdb?all_tenants=true" }), 404],
      ["OTLP", ask("write", { token }, { method: "POST", path: "/api/v1/otlp", body: "{}" }), 404],
      ["GET", ask("write", { token }, { method: "GET", path: receive }), 405],
      ["no length", ask("write", { token }, { method: "POST", path: receive, headers: { "transfer-encoding": "chunked" } }), 411],
    ];
    for (const [what, answer, status] of expected) assert.equal((await answer).status, status, what);
    await assert.rejects(write({ certificate: "forged", token }, sample(run)), "a certificate of another authority");
    // Every receiver is there to take it, and answers it.
    assert.equal((await write({ token }, sample(run), { "THANOS-TENANT": "." })).status, 200);
    await eventually("what is written afterwards is answered", async () => {
      const tenants = await tenantsFor(sre, `thanos_stack_guarded{run="${run}"}`);
      return tenants.join() === "payments";
    });
    assert.deepEqual(await pods(), before);
  });

  it("shows a certificate that is renewed in place, without a restart and without a lost send, and tells when it ends", async () => {
    const before = await pods();
    const run = runId();
    const { payments: token = "" } = credentials.tenants;
    await gatewayCertificates(directory, `IP:${NODE}`);
    const serial = () => new X509Certificate(file("gateway.pem")).serialNumber;
    const shown = () =>
      new Promise<string>((resolve, reject) => {
        const socket = connect({ host: NODE, port: PORTS.write, rejectUnauthorized: false }, () => {
          resolve(socket.getPeerX509Certificate()?.serialNumber ?? "");
          socket.destroy();
        }).on("error", reject);
      });
    assert.notEqual(await shown(), serial());
    const encoded = (name: string) => Buffer.from(file(name)).toString("base64");
    const data = { "tls.crt": encoded("gateway.pem"), "tls.key": encoded("gateway.pem.key") };
    await cluster.mergePatch(`/api/v1/namespaces/${NAMESPACE}/secrets/gateway-tls`, { data });
    await cluster.mergePatch(`/api/v1/namespaces/${NAMESPACE}/secrets/senders-ca`, { data: { "ca.crt": encoded("senders.pem") } });
    // Both gateways: each connection goes to one of them.
    await eventually("every gateway shows the new certificate", async () => {
      const seen = await Promise.all(Array.from({ length: 12 }, shown));
      return seen.every((each) => each === serial());
    });
    assert.equal((await write({ token }, sample(run))).status, 200);
    const { sre = "" } = credentials.readers;
    const end = Date.parse(new X509Certificate(file("gateway.pem")).validTo) / 1_000;
    await eventually("Prometheus knows its end", async () => {
      const { vector } = await client(sre).instant("thanos_gateway_certificate_not_after_timestamp_seconds");
      return vector.length === 2 && vector.every((each) => each.sample.value === end);
    });
    assert.deepEqual(await pods(), before);
  });

  it("loses no send while a token is rotated and gateways go one by one, and takes the oldest token no more", async () => {
    const first = credentials.tenants.payments ?? "";
    let token = first;
    const run = runId();
    const { sre = "" } = credentials.readers;
    const sender = startSender({
      write: new RemoteWriteClient(transport("write", () => ({ token }), "/api/v1/receive")),
      series: 200,
      batches: 2,
      ticks: 1_800,
      labels: { run },
    });
    try {
      const written = `thanos_stack_ledger{run="${run}"}`;
      await eventually("it is answered", async () => (await tenantsFor(sre, written)).length === 1);
      await deploy(2);
      const second = credentials.tenants.payments ?? "";
      assert.notEqual(second, first);
      assert.equal((await write({ token: first }, sample(run))).status, 200, "the one before");
      token = second;
      await deploy(3);
      assert.equal((await write({ token: first }, sample(run))).status, 401);
      assert.equal((await write({ token: second }, sample(run))).status, 200);
      const ready = async () =>
        (await cluster.pods(NAMESPACE, APP))
          .filter((pod) => isReady(pod) && pod.metadata.deletionTimestamp === undefined)
          .map(({ metadata }) => metadata.name);
      const there = await ready();
      assert.equal(there.length, 2);
      for (const [index, name] of there.entries()) {
        await cluster.delete(`/api/v1/namespaces/${NAMESPACE}/pods/${name}`);
        await eventually("another gateway is in its place", async () => {
          const left = (await ready()).filter((each) => !there.slice(0, index + 1).includes(each));
          return left.length >= 2;
        });
      }
    } finally {
      await sender.stop();
    }
    const ledger = await sender.stop();
    console.log(`      sent ${JSON.stringify(ledger.counts)}`);
    assert.equal(ledger.counts.failed, 0, "sends that were given up");
    const reading = await readBack(ledger, await querierOf(await open(3)), { replicaLabels: ["receive_replica"] });
    assert.ok(reading.acknowledged > 1_000, `${reading.acknowledged} samples acknowledged`);
    assert.deepEqual([reading.lostSeries.length, reading.wrong], [0, 0]);
  });
});
