import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import type { Cluster } from "../../clients/cluster";
import type { PodPort } from "../../clients/forwardedStream";
import { type CertificateReading, certificatesLast } from "../../commands/verify/certificates";
import { StackReader } from "../../commands/verify/readings";
import { stackChecks } from "../../commands/verify/stack";
import { readOutputs } from "../../outputs";
import { AUTHORITIES, CERTIFICATE } from "../harness";
import { OUTPUTS } from "./fakeCluster";

describe("verify: certificates", () => {
  const NOW = new Date("2026-11-26T12:00:00Z");
  const ending = (holder: string, end: string, isOf?: CertificateReading["isOf"]): CertificateReading => ({
    holder,
    end: new Date(end),
    ...(isOf === undefined ? {} : { isOf }),
  });
  const judged = (readings: CertificateReading[], unread: string[] = []) => certificatesLast({ readings, unread }, NOW);

  it("hold, and it is said when the first ends", () => {
    const { ok, seen, details } = judged([ending("thanos-receive-0", "2027-07-01"), ending("prometheus", "2027-04-01")]);
    assert.deepEqual([ok, seen, details], [true, "2, the first ends in 125 days", []]);
  });

  it("say when those of the gateway end, whichever ends first", () => {
    const { seen } = judged([
      ending("thanos-receive-0", "2027-04-01"),
      ending("thanos-gateway-a", "2027-07-01", "gateway"),
      ending("thanos-gateway-b", "2027-06-01", "gateway"),
      ending("the Secret senders-ca", "2031-06-01", "senders"),
    ]);
    assert.equal(seen, "4, the first ends in 125 days, the gateway's in 186 days, its senders' CA in 1647 days");
  });

  it("hold with a warning below 30 days, and of what may not be read", () => {
    const { ok, details } = judged([ending("a", "2026-12-26T11:59:59Z"), ending("b", "2026-12-26T12:00:00Z")], ["c may not be read"]);
    assert.deepEqual([ok, details], [true, ["warning: the certificate of a ends in 29 days", "warning: c may not be read"]]);
  });

  it("fail where one has ended, has no end that can be read, or there is none", () => {
    const ended = judged([ending("a", "2026-11-26T11:59:59Z"), ending("b", "2027-11-26"), ending("c", "?")]);
    assert.deepEqual(
      [ended.ok, ended.seen, ended.details.map((line) => line.slice(0, 48))],
      [
        false,
        "2 of 3 have ended",
        ["the certificate of a ended at 2026-11-26T11:59:5", "the certificate of c has no end that can be read"],
      ],
    );
    assert.equal(judged([]).ok, false);
  });
});

describe("verify: certificates of a gateway", () => {
  const NAMESPACE = OUTPUTS.namespace;
  const URL = `https://thanos-gateway-query.${NAMESPACE}.svc.cluster.local`;
  const outputs = readOutputs({ ...OUTPUTS, gatewayQueryUrl: URL });
  const READY = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
  const encoded = Buffer.from(`${CERTIFICATE}${AUTHORITIES.senders}`).toString("base64");

  function gateway(name: string, senders: object, ready = true): object {
    const ports = [
      { name: "http", containerPort: 10902 },
      { name: "query", containerPort: 8444 },
    ];
    return {
      metadata: { name, labels: { "app.kubernetes.io/name": "thanos-gateway", "app.kubernetes.io/component": "gateway" } },
      spec: { containers: [{ name: "thanos-gateway", ports }], volumes: [{ name: "senders", ...senders }] },
      status: ready ? READY : { phase: "Pending", conditions: [] },
    };
  }

  /** Certificates read of a cluster with these pods, and which ports were asked for which name. */
  async function read(pods: object[], files: Record<string, object | 403>) {
    const asked: [PodPort, string][] = [];
    const answers: Record<string, object | 403> = { pods: { items: pods }, ...files };
    const cluster = {
      api: {
        description: "the API server",
        send: async ({ path }: { path: string }) => {
          const answer = answers[path.replace(`/api/v1/namespaces/${NAMESPACE}/`, "").replace(/\?.*/, "")];
          return answer === undefined || answer === 403
            ? { status: answer ?? 404, body: "{}" }
            : { status: 200, body: JSON.stringify(answer) };
        },
      },
      certificateEnd: async (pod: PodPort, name: string) => {
        asked.push([pod, name]);
        return "Dec 31 23:59:59 2026 GMT";
      },
    };
    return { ...(await new StackReader(cluster as unknown as Cluster, outputs).certificates()), asked };
  }

  it("are looked at where there is one, with and without tls", () => {
    const names = (more: object) =>
      stackChecks({ remoteWrite: () => ({}) } as unknown as StackReader, readOutputs({ ...OUTPUTS, ...more })).map(({ name }) => name);
    assert.ok(!names({}).includes("certificates"));
    assert.ok(names({ gatewayQueryUrl: URL }).includes("certificates"));
    assert.ok(names({ gatewayRemoteWriteUrl: `${URL}/api/v1/receive` }).includes("certificates"));
  });

  it("are what each serves for the name by which it is reached, and the CA of senders once, of which the last to end counts", async () => {
    const senders = { secret: { secretName: "senders-ca" } };
    const pods = [gateway("a", senders), gateway("b", senders), gateway("c", senders, false)];
    const { readings, unread, asked } = await read(pods, { "secrets/senders-ca": { data: { "ca.crt": encoded } } });
    assert.deepEqual(
      asked.map(([{ name, port }, server]) => `${name}:${port} ${server}`),
      ["a", "b"].map((name) => `${name}:8444 thanos-gateway-query.${NAMESPACE}.svc.cluster.local`),
    );
    const ca = "the Secret senders-ca, by which the gateway knows senders,";
    assert.deepEqual(
      readings.map(({ holder, isOf }) => [holder, isOf]),
      [
        ["a", "gateway"],
        ["b", "gateway"],
        [ca, "senders"],
      ],
    );
    assert.equal(readings[0]?.end.toISOString(), "2026-12-31T23:59:59.000Z");
    const ends = [AUTHORITIES.senders, CERTIFICATE].map((pem) => Date.parse(new X509Certificate(pem).validTo));
    assert.equal(readings.at(-1)?.end.getTime(), Math.max(...ends));
    assert.deepEqual(unread, []);
  });

  it("are those of the program's own CA too, and a warning where a Secret may not be read", async () => {
    const own = await read([gateway("a", { configMap: { name: "gateway-senders-1" } })], {
      "configmaps/gateway-senders-1": { data: { "ca.crt": AUTHORITIES.senders } },
    });
    assert.match(own.readings.at(-1)?.holder ?? "", /^the ConfigMap gateway-senders-1/);
    const hidden = await read([gateway("a", { secret: { secretName: "senders-ca" } })], { "secrets/senders-ca": 403 });
    assert.deepEqual(
      [hidden.readings.map(({ holder }) => holder), hidden.unread],
      [["a"], ["the Secret senders-ca, by which the gateway knows senders, may not be read, so that nothing is said of its end"]],
    );
  });
});
