import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Stack } from "@pulumi/pulumi/automation";
import { execa } from "execa";
import { compress } from "snappyjs";
import { PrometheusClient } from "../../clients/prometheus";
import { encodeWriteRequest, RemoteWriteClient } from "../../clients/remoteWrite";
import { type HttpRequest, type HttpResponse, sendRequest, type Transport } from "../../clients/transport";
import { openStack } from "../../sandbox/engine";
import type { ConfigOverlay } from "../../sandbox/overlay";
import { NODE_NETWORK, NODES, POD_NETWORK } from "../../sandbox/topology";
import { readBack, startSender } from "../ledger";
import { Cluster, eventually, type Pod, querierOf, remove, runId, verify } from "./stack";

/**
 * The gateway as it is deployed: dev under a name of its own, reached from this machine, which is in no network namespace of the cluster,
 * through the port of a node, over TLS. What HAProxy makes of each request alone is in tests/gateway.spec.ts.
 */

const NAMESPACE = "thanos-guarded";
const STACK = "guarded";
const PORTS = { write: 30_443, query: 30_444 };
type Endpoint = keyof typeof PORTS;
const NODE = NODES[0]?.address ?? assert.fail("no node");
const TENANTS = ["payments", "edge"];

const PLAIN: ConfigOverlay = {
  "thanos-stack:namespace": NAMESPACE,
  // Through a node's port a pod sees an address of that node.
  "thanos-stack:access": { senders: [NODE_NETWORK, POD_NETWORK], readers: [NODE_NETWORK, POD_NETWORK] },
  "thanos-stack:tenancy": { tenants: TENANTS },
};
const guarded = (generation: number): ConfigOverlay => ({
  ...PLAIN,
  "thanos-stack:gateway": {
    replicas: 2,
    antiAffinity: "soft",
    certificate: { secret: "gateway-tls" },
    senderAuthority: { secret: "senders-ca" },
    tenants: { payments: { generation, maxDecoded: "8Mi" }, edge: { token: false, certificates: ["edge-1"] } },
    readers: { payments: { tenants: ["payments"] }, sre: { tenants: "all" } },
    resources: { cpu: "50m", memory: "128Mi" },
    labelProxy: { resources: { cpu: "20m", memory: "64Mi" } },
  },
  "thanos-stack:expose": { write: { nodePort: { port: PORTS.write } }, query: { nodePort: { port: PORTS.query } } },
});

/** A body of so many repeats of 16 MiB each, for S2's repeat codes. */
function bomb(repeats: number): Buffer {
  const length: number[] = [];
  let rest = 5 + repeats * 16_842_755;
  for (; rest > 127; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128);
  return Buffer.concat([Buffer.from([...length, rest, 0, 0, 1, 1]), Buffer.from("1d00ffffff".repeat(repeats), "hex")]);
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
  this.timeout(15 * 60_000);
  this.bail(true);
  const cluster = new Cluster();
  let directory = "";
  let credentials: Credentials;
  const file = (name: string): string => readFileSync(join(directory, name), "utf8");

  const open = (overrides: ConfigOverlay): Promise<Stack> => openStack("dev", overrides, { stack: STACK });
  async function deploy(overrides: ConfigOverlay): Promise<Stack> {
    const stack = await open(overrides);
    await stack.up();
    const given = (await stack.outputs()).credentials;
    if (given !== undefined) {
      assert.equal(given.secret, true, "tokens are a secret output");
      credentials = given.value as Credentials;
    }
    return stack;
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

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), "thanos-stack-gateway-"));
    await certificates(directory);
    await remove("dev", PLAIN, STACK);
  });

  after(() => rmSync(directory, { recursive: true, force: true }));

  it("comes up with certificates that somebody else made, and the stack passes its own check", async () => {
    await deploy(PLAIN);
    const secret = (name: string, stringData: Record<string, string>, type = "Opaque") =>
      cluster.create(`/api/v1/namespaces/${NAMESPACE}/secrets`, { apiVersion: "v1", kind: "Secret", metadata: { name }, type, stringData });
    await secret("gateway-tls", { "tls.crt": file("gateway.pem"), "tls.key": file("gateway.key") }, "kubernetes.io/tls");
    await secret("senders-ca", { "ca.crt": file("senders.pem") });
    await deploy(guarded(1));
    await verify(STACK);
  });

  it("writes as whom the credential says, and answers each reader with its own tenants", async () => {
    const run = runId();
    const { payments } = credentials.tenants;
    assert.equal((await write({ token: payments ?? "" }, sample(run), { "THANOS-TENANT": "edge" })).status, 200);
    assert.equal((await write({ certificate: "edge-1" }, sample(run), { "THANOS-TENANT": "." })).status, 200);
    const tenantsFor = async (token: string) => {
      const { vector } = await new PrometheusClient(transport("query", () => ({ token }))).instant(
        `count by (tenant_id) (thanos_stack_guarded{run="${run}"})`,
      );
      return vector.map(({ labels }) => labels.tenant_id).sort();
    };
    const { sre = "", payments: reader = "" } = credentials.readers;
    await eventually("both are answered", async () => (await tenantsFor(sre)).length === 2);
    assert.deepEqual(await tenantsFor(sre), ["edge", "payments"]);
    assert.deepEqual(await tenantsFor(reader), ["payments"]);
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

  it("stands what ends receivers without it: no pod is restarted by twelve requests", async () => {
    const before = await pods();
    const { payments: token = "" } = credentials.tenants;
    const { payments: reader = "" } = credentials.readers;
    const run = runId();
    const expected: [what: string, answer: Promise<HttpResponse>, status: number][] = [
      ["nobody", write({}, sample(run)), 401],
      ["a wrong token", write({ token: "wrong" }, sample(run)), 401],
      ["a reader's token", write({ token: reader }, sample(run)), 401],
      ["a certificate of an unknown name", write({ certificate: "stranger" }, sample(run)), 401],
      ["tenant .", write({ token }, sample(run), { "THANOS-TENANT": "." }), 200],
      ["89 bytes that unpack to 257 MiB", write({ token }, bomb(16)), 413],
      ["1,009 bytes that unpack to 3.1 GiB", write({ token }, bomb(200)), 413],
      ["the same with a certificate", write({ certificate: "edge-1" }, bomb(16)), 413],
      ["status of all tenants", ask("write", { token }, { method: "GET", path: "/api/v1/status/tsdb?all_tenants=true" }), 404],
      ["OTLP", ask("write", { token }, { method: "POST", path: "/api/v1/otlp", body: "{}" }), 404],
      ["GET", ask("write", { token }, { method: "GET", path: "/api/v1/receive" }), 405],
      ["no length", ask("write", { token }, { method: "POST", path: "/api/v1/receive", headers: { "transfer-encoding": "chunked" } }), 411],
    ];
    for (const [what, answer, status] of expected) assert.equal((await answer).status, status, what);
    await assert.rejects(write({ certificate: "forged", token }, sample(run)), "a certificate of another authority");
    await delay(10_000);
    assert.deepEqual(await pods(), before);
  });

  it("loses no send while a token is rotated, and takes the old one no more after the next rotation", async () => {
    const first = credentials.tenants.payments ?? "";
    let token = first;
    const run = runId();
    const sender = startSender({
      write: new RemoteWriteClient(transport("write", () => ({ token }), "/api/v1/receive")),
      series: 200,
      batches: 2,
      ticks: 1_800,
      labels: { run },
    });
    try {
      await delay(5_000);
      await deploy(guarded(2));
      const second = credentials.tenants.payments ?? "";
      assert.notEqual(second, first);
      assert.equal((await write({ token: first }, sample(run))).status, 200, "the one before");
      token = second;
      await delay(5_000);
      await deploy(guarded(3));
      assert.equal((await write({ token: first }, sample(run))).status, 401);
      assert.equal((await write({ token: second }, sample(run))).status, 200);
      await delay(5_000);
    } finally {
      await sender.stop();
    }
    const ledger = await sender.stop();
    console.log(`      sent ${JSON.stringify(ledger.counts)}`);
    assert.equal(ledger.counts.failed, 0, "sends that were given up");
    const reading = await readBack(ledger, await querierOf(await open(guarded(3))), { replicaLabels: ["receive_replica"] });
    assert.ok(reading.acknowledged > 5_000, `${reading.acknowledged} samples acknowledged`);
    assert.deepEqual([reading.lostSeries.length, reading.wrong], [0, 0]);
  });

  it("goes with the stack", () => remove("dev", guarded(3), STACK));
});

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** The gateway's certificate for a node's address, two authorities, and certificates of senders. */
async function certificates(directory: string): Promise<void> {
  const at = (name: string) => join(directory, name);
  const openssl = (...args: string[]) => execa("openssl", args);
  const own = (name: string, ...more: string[]) =>
    openssl("req", "-x509", ...KEY, "-days", "2", "-subj", `/CN=${name}`, ...more, "-keyout", at(`${name}.key`), "-out", at(`${name}.pem`));
  await own("gateway", "-addext", `subjectAltName=IP:${NODE}`);
  await own("senders");
  await own("others");
  for (const [name, subject, authority] of [
    ["edge-1", "edge-1", "senders"],
    ["stranger", "edge-9", "senders"],
    ["forged", "edge-1", "others"],
  ] as const) {
    await openssl("req", ...KEY, "-subj", `/CN=${subject}`, "-keyout", at(`${name}.key`), "-out", at(`${name}.csr`));
    await openssl(
      ...["x509", "-req", "-days", "2", "-in", at(`${name}.csr`), "-out", at(`${name}.pem`)],
      ...["-CA", at(`${authority}.pem`), "-CAkey", at(`${authority}.key`), "-CAcreateserial"],
    );
  }
}
