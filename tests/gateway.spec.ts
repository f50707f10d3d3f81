import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, request as plainRequest, type Server, type ServerResponse } from "node:http";
import { connect, type Settings as SettingsOfConnection } from "node:http2";
import { createServer as createSecureServer, request } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { execa } from "execa";
import {
  GATEWAY_CERTIFICATE_DIRECTORY,
  GATEWAY_CERTIFICATE_FILE,
  GATEWAY_CLIENT_DIRECTORY,
  GATEWAY_CLIENT_KEY_FILE,
  GATEWAY_MAPS_DIRECTORY,
  haproxyConfig,
  SENDER_AUTHORITY_DIRECTORY,
  SENDER_AUTHORITY_FILE,
} from "../model/gateway/haproxy";
import { labelProxyFlags } from "../model/gateway/labelProxy";
import { gatewayMaps } from "../model/gateway/maps";
import { HANDOVER_SOCKET, PID_FILE, reloaderArgs, SEEN_FILE } from "../model/gateway/reloader";
import { GATEWAY_QUERY_PORT, GATEWAY_WRITE_PORT, HTTP_PORT, LABEL_PROXY_HTTP_PORT, LABEL_PROXY_PORT } from "../model/kubernetes/ports";
import type { Settings } from "../model/settings/schema";
import { HAPROXY_MINIMUM, isBefore } from "../model/values/versions";
import { type Issued, issue } from "../objects/authority";
import { loadingFrom, unpackPackage } from "../sandbox/debian";
import { type Paths, paths } from "../sandbox/paths";
import { ensureTool } from "../sandbox/tools";
import { gatewayCertificates, selfSigned } from "./gatewayCertificates";
import { type Overrides, settingsOf, together } from "./harness";

/** A machine that has neither builds and fetches them once, into the user's cache. */
const BUILD_MILLISECONDS = 20 * 60_000;

const OVERRIDES: Overrides = {
  access: { senders: undefined, readers: undefined },
  tenancy: { header: "X-Scope-OrgID", tenants: ["alpha", "beta", "gamma"] },
  gateway: {
    certificate: { secret: "gateway-tls" },
    senderAuthority: { secret: "senders-ca" },
    tenants: {
      alpha: { maxBody: "512Ki", maxDecoded: "1Mi", requestsPerSecond: 30 },
      beta: { requestsPerSecond: 3 },
      gamma: { token: false, certificates: ["edge-1"] },
    },
    readers: { grafana: { tenants: ["alpha", "gamma"] }, sre: { tenants: "all" } },
  },
};
const SETTINGS = settingsOf("prod", OVERRIDES);
const TOKENS = {
  tenants: { alpha: ["alpha-now", "alpha-before"], beta: ["beta-now", "beta-before"] },
  readers: { grafana: ["grafana-now", "grafana-before"], sre: ["sre-now", "sre-before"] },
};

const SERVER_NAME = "thanos-stack.guarded.svc.cluster.local";
/** Certificates of whoever takes writes, and of the gateway. */
const ORDER = {
  generation: 1,
  day: new Date(),
  leaves: [
    { name: "router", dnsNames: [SERVER_NAME], server: true, client: false },
    { name: "gateway", dnsNames: [], server: false, client: true },
  ],
};

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

/** A body that says it decodes to so many bytes. */
const decodingTo = (bytes: number): Buffer => Buffer.concat([varint(bytes), Buffer.alloc(40, 120)]);
const SMALL = decodingTo(37);

interface Answer {
  status: number;
  headers: IncomingMessage["headers"];
  /** The request as the stub behind the gateway got it; undefined where it did not come through. */
  seen: { url: string; headers: Record<string, string>; bytes: number; body: string } | undefined;
  text: string;
}

/** A gateway that runs. */
interface Started {
  process: ChildProcess;
  /** Its output so far. */
  log: () => string;
  pidFile: string;
}

describe("the gateway, in HAProxy and prom-label-proxy themselves", () => {
  const started: ChildProcess[] = [];
  let directory = "";
  const servers: Server[] = [];
  let ports: Record<"write" | "query" | "status", number>;
  let plainPort = 0;
  let securedPort = 0;
  let strangersPort = 0;
  /**
   * Starts a gateway.
   *
   * @param serverName Name in the certificates behind it; undefined for plain text.
   * @param writes Port of this machine that takes what is written.
   */
  let start: (
    serverName: string | undefined,
    writes: number,
    ports: readonly [write: number, query: number, status: number],
    more?: { labelProxyPort?: number; settings?: Settings; certificate?: string },
  ) => Promise<Started>;

  async function listening(server: Server): Promise<number> {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return (server.address() as AddressInfo).port;
  }

  before(async function () {
    this.timeout(BUILD_MILLISECONDS);
    const where = paths();
    const installed = await installedHaproxy(where);
    const labelProxy = (await ensureTool("promLabelProxy", where, () => undefined))["prom-label-proxy"];
    assert.ok(labelProxy, "prom-label-proxy is among the programs");
    directory = mkdtempSync(join(tmpdir(), "thanos-stack-gateway-"));
    const { gateway } = SETTINGS;
    assert.ok(gateway);
    const answering = (asked: IncomingMessage, answer: ServerResponse) => {
      const chunks: Buffer[] = [];
      asked.on("data", (chunk: Buffer) => chunks.push(chunk));
      asked.on("end", () => {
        const body = Buffer.concat(chunks);
        answer.setHeader("content-type", "application/json");
        const seen = { url: asked.url, headers: asked.headers, bytes: body.length, body: body.toString("latin1").slice(0, 500) };
        // The form in which rules and alerts are read.
        answer.end(JSON.stringify({ status: "success", data: { groups: [], alerts: [] }, seen }));
      });
    };
    const [write, query, status, proxy, proxyStatus] = await freePorts(5);
    const behind = await listening(createServer(answering));
    // As a router of a stack with tls: certificates of the program's, TLS 1.3 alone, nobody without one.
    const stack = await issue("the stack's seed", { ...ORDER, stack: "guarded" });
    const stranger = await issue("a stranger's seed", { ...ORDER, stack: "stranger" });
    const secured = ({ leaves }: Issued) => {
      const { certificate: cert = "", key = "" } = leaves.router ?? {};
      const options = { cert, key, ca: stack.trusted, requestCert: true, rejectUnauthorized: true, minVersion: "TLSv1.3" } as const;
      return createSecureServer(options, (asked, answer) => {
        answer.setHeader("x-shown", (asked.socket as TLSSocket).getPeerCertificate().subject.CN ?? "");
        answering(asked, answer);
      });
    };
    securedPort = await listening(secured(stack));
    strangersPort = await listening(secured(stranger));
    plainPort = behind;
    ports = { write, query, status };
    await gatewayCertificates(directory);
    for (const folder of ["maps", "client"]) mkdirSync(join(directory, folder), { recursive: true });
    for (const [name, text] of Object.entries(gatewayMaps(SETTINGS, TOKENS))) writeFileSync(join(directory, "maps", name), text);
    const { certificate = "", key = "" } = stack.leaves.gateway ?? {};
    for (const [name, text] of Object.entries({ "tls.crt": certificate, [GATEWAY_CLIENT_KEY_FILE]: key, "ca.crt": stack.trusted }))
      writeFileSync(join(directory, "client", name), text);
    start = async (serverName, writes, [writePort, queryPort, statusPort], more = {}) => {
      const { labelProxyPort = 0, settings = SETTINGS, certificate: shown = join(directory, "gateway.pem") } = more;
      const text = haproxyConfig(settings, settings.gateway ?? gateway, {
        write: { host: "upstream.example", pods: 2 },
        query: `127.0.0.1:${behind}`,
        serverName,
      });
      const config = text
        .replaceAll(GATEWAY_MAPS_DIRECTORY, join(directory, "maps"))
        .replaceAll(`${GATEWAY_CERTIFICATE_DIRECTORY}/${GATEWAY_CERTIFICATE_FILE}`, shown)
        .replace(HANDOVER_SOCKET, join(directory, `${statusPort}.sock`))
        .replace(`server own 127.0.0.1:${GATEWAY_WRITE_PORT}`, `server own 127.0.0.1:${writePort}`)
        .replaceAll(`${SENDER_AUTHORITY_DIRECTORY}/${SENDER_AUTHORITY_FILE}`, join(directory, "senders.pem"))
        .replaceAll(GATEWAY_CLIENT_DIRECTORY, join(directory, "client"))
        .replace(`bind :::${GATEWAY_WRITE_PORT} v4v6`, `bind 127.0.0.1:${writePort}`)
        .replace(`bind :::${GATEWAY_QUERY_PORT} v4v6`, `bind 127.0.0.1:${queryPort}`)
        .replace(`bind :::${HTTP_PORT} v4v6`, `bind 127.0.0.1:${statusPort}`)
        .replace(`127.0.0.1:${LABEL_PROXY_PORT}`, `127.0.0.1:${labelProxyPort}`);
      // Without a name server's answer the template's servers would wait for one; its line alone is judged as it is.
      const judged = join(directory, `as-deployed-${statusPort}.cfg`);
      writeFileSync(judged, config);
      const file = join(directory, `haproxy-${statusPort}.cfg`);
      writeFileSync(
        file,
        config.replace(/(server)-template (pod) \S+ \S+ (.*)resolvers cluster init-addr none/, `$1 $2 127.0.0.1:${writes} $3`),
      );
      for (const each of [judged, file]) {
        const check = await execa(installed.path, ["-c", "-f", each], { env: installed.env, all: true, reject: false });
        assert.equal(check.exitCode, 0, check.all);
        assert.doesNotMatch(check.all ?? "", /WARNING|ALERT/);
      }
      const pidFile = join(directory, `${statusPort}.pid`);
      const child = spawn(installed.path, ["-W", "-db", "-p", pidFile, "-f", file], { env: { ...process.env, ...installed.env } });
      started.push(child);
      let log = "";
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (chunk: string) => {
          log += chunk;
        });
      }
      // A signal that comes just before the master waits for events is handled with the next one, which may be a minute away.
      await until(async () => (await status200(statusPort)) !== 0 && log.includes("Loading success") && waitsForEvents(child.pid));
      return { process: child, log: () => log, pidFile };
    };
    await start(SERVER_NAME, securedPort, [write, query, status], { labelProxyPort: proxy });
    const flags = labelProxyFlags(SETTINGS, `http://127.0.0.1:${behind}`).map((flag) =>
      flag.replace(`127.0.0.1:${LABEL_PROXY_PORT}`, `127.0.0.1:${proxy}`).replace(`:${LABEL_PROXY_HTTP_PORT}`, `127.0.0.1:${proxyStatus}`),
    );
    started.push(spawn(labelProxy.path, flags, { stdio: "ignore" }));
    await until(async () => (await status200(proxyStatus)) !== 0);
  });

  after(async () => {
    // A master that is killed leaves its workers; told to end, it ends them.
    await Promise.all(
      started.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const ended = once(child, "exit");
        child.kill("SIGTERM");
        await ended;
      }),
    );
    for (const server of servers) {
      server.closeAllConnections();
      server.close();
    }
    if (directory !== "") rmSync(directory, { recursive: true });
  });

  interface Asked {
    endpoint?: "write" | "query";
    /** Of another gateway than the one that all tests share. */
    port?: number;
    path?: string;
    method?: string;
    token?: string;
    certificate?: string;
    headers?: Record<string, string>;
    body?: Buffer;
    chunked?: boolean;
    /** Address of this machine that it asks from. */
    from?: string;
  }

  function ask({
    endpoint = "write",
    port = ports[endpoint],
    path = endpoint === "write" ? "/api/v1/receive" : "/api/v1/query?query=up",
    method = endpoint === "write" ? "POST" : "GET",
    token,
    certificate,
    headers = {},
    body,
    chunked = false,
    from = "127.0.0.1",
  }: Asked): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const own = certificate === undefined ? {} : pairOf(directory, certificate);
      const sent = request(
        {
          host: "127.0.0.1",
          port,
          path,
          method,
          agent: false,
          localAddress: from,
          // Its certificate is of this test's own making.
          rejectUnauthorized: false,
          ...own,
          headers: {
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            ...(body === undefined || chunked ? {} : { "content-length": String(body.length) }),
            ...headers,
          },
        },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on("data", (chunk: Buffer) => chunks.push(chunk));
          answer.on("end", () => {
            const text = Buffer.concat(chunks).toString();
            const seen = text.startsWith("{") ? (JSON.parse(text) as Partial<Answer>).seen : undefined;
            resolve({ status: answer.statusCode ?? 0, headers: answer.headers, seen, text });
          });
        },
      );
      sent.on("error", reject);
      if (body !== undefined) sent.write(body);
      sent.end();
    });
  }

  const tenantOf = ({ seen }: Answer): string | undefined => seen?.headers["x-scope-orgid"];

  it("answers 401 to whoever shows nothing, or what is not known", async () => {
    for (const wrong of [{}, { token: "nobody" }, { token: "" }, { token: "grafana-now" }, { certificate: "stranger" }]) {
      const answer = await ask({ ...wrong, body: SMALL });
      assert.equal(answer.status, 401, JSON.stringify(wrong));
      assert.equal(answer.headers["www-authenticate"], "Bearer");
      assert.equal(answer.seen, undefined);
    }
  });

  it("writes as the tenant of the token, the current one or the one before, whatever tenant the sender names", async () => {
    for (const token of ["alpha-now", "alpha-before"]) {
      const answer = await ask({
        token,
        body: SMALL,
        headers: { "THANOS-TENANT": "beta", "x-scope-orgid": ".", "Thanos-Replica": "2" },
      });
      assert.equal(answer.status, 200, answer.text);
      assert.equal(tenantOf(answer), "alpha");
      for (const header of ["thanos-tenant", "thanos-replica", "authorization"])
        assert.equal(answer.seen?.headers[header], undefined, header);
    }
  });

  it("writes as the tenant of a certificate's name, which goes before a token", async () => {
    const answer = await ask({ certificate: "edge-1", token: "alpha-now", body: SMALL });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(tenantOf(answer), "gamma");
  });

  it("refuses a certificate of another authority at the handshake", async () => {
    await assert.rejects(ask({ certificate: "forged", token: "alpha-now", body: SMALL }));
  });

  it("shows who takes writes a certificate of the stack, and nobody else what it was sent", async () => {
    const { status, headers } = await ask({ token: "alpha-now", body: SMALL });
    assert.deepEqual([status, headers["x-shown"]], [200, "gateway"]);
    const another = async (serverName: string | undefined, writes: number): Promise<Answer> => {
      const [write, query, status] = await freePorts(3);
      await start(serverName, writes, [write, query, status]);
      return ask({ port: write, token: "alpha-now", body: SMALL });
    };
    assert.equal((await another(undefined, plainPort)).status, 200, "in plain text");
    for (const [what, name, port] of [
      ["a server of another CA", SERVER_NAME, strangersPort],
      ["a server of another name", "thanos-stack.other.svc.cluster.local", securedPort],
      // Which senders retry: so they wait in the step before servers take TLS.
      ["a server without TLS", SERVER_NAME, plainPort],
    ] as const) {
      const answer = await another(name, port);
      assert.deepEqual([answer.status, answer.seen], [503, undefined], what);
    }
  });

  it("takes POST of remote write alone", async () => {
    const token = "alpha-now";
    for (const path of ["/api/v1/receive/", "/api/v1/status/tsdb?all_tenants=true", "/api/v1/otlp", "/", "/api/v1/%72eceive"])
      assert.equal((await ask({ token, path, body: SMALL })).status, 404, path);
    for (const method of ["GET", "PUT", "DELETE"]) assert.equal((await ask({ token, method })).status, 405, method);
    assert.equal((await ask({ token, body: SMALL, chunked: true })).status, 411);
  });

  it("answers 413 to what is larger than its tenant may send, by its length or by what its first bytes say", async () => {
    const token = "alpha-now";
    const mebibyte = 2 ** 20;
    for (const body of [decodingTo(mebibyte), decodingTo(0), decodingTo(127), decodingTo(128), decodingTo(16_384), Buffer.from([5])])
      assert.equal((await ask({ token, body })).status, 200, body.subarray(0, 5).toString("hex"));
    const endless = Buffer.concat([Buffer.from("ffffffff8f00", "hex"), Buffer.alloc(40)]);
    for (const body of [decodingTo(mebibyte + 1), decodingTo(2 ** 28), decodingTo(2 ** 32 - 1), endless])
      assert.equal((await ask({ token, body })).status, 413, body.subarray(0, 6).toString("hex"));
    assert.equal((await ask({ token, body: Buffer.concat([decodingTo(100), Buffer.alloc(mebibyte / 2)]) })).status, 413);
    // A length of more than 32 bits, of which the lower ones say less.
    for (const length of [2 ** 31 + 41, 2 ** 32 - 1, 2 ** 32 + 41, 2 ** 52 + 41]) {
      const answer = await ask({ token, body: SMALL, headers: { "content-length": String(length) } });
      assert.equal(answer.status, 413, String(length));
    }
    // Another tenant's limit is the ring's own.
    assert.equal((await ask({ certificate: "edge-1", body: decodingTo(mebibyte + 1) })).status, 200);
    assert.equal((await ask({ certificate: "edge-1", body: decodingTo(2 ** 28) })).status, 413);
  });

  it("answers 429 above a tenant's rate, and to nobody else", async () => {
    const statuses: number[] = [];
    let retryAfter: string | undefined;
    for (let sent = 0; sent < 12; sent++) {
      const { status, headers } = await ask({ token: "beta-now", body: SMALL });
      statuses.push(status);
      retryAfter ??= headers["retry-after"];
    }
    assert.ok(statuses.filter((status) => status === 200).length >= 3, statuses.join(" "));
    assert.ok(statuses.includes(429), statuses.join(" "));
    assert.equal(retryAfter, "1");
    assert.equal((await ask({ token: "alpha-now", body: SMALL })).status, 200);
  });

  it("goes on taking a tenant's rate while it sends more than that", async () => {
    const [begun, warm, end] = [Date.now(), 1_500, 4_500];
    let taken = 0;
    while (Date.now() - begun < end) {
      const { status } = await ask({ token: "beta-now", body: SMALL });
      if (status === 200 && Date.now() - begun > warm) taken++;
      await new Promise((resolve) => setTimeout(resolve, 80));
    }
    // Three in a second for three seconds, as far as a sliding window counts them.
    assert.ok(taken >= 5 && taken <= 13, `${taken} taken`);
  });

  it("has few requests of a connection at a time, since each takes memory of its own", async () => {
    const connection = connect(`https://127.0.0.1:${ports.write}`, { rejectUnauthorized: false });
    const [settings] = (await once(connection, "remoteSettings")) as [SettingsOfConnection];
    connection.close();
    assert.equal(settings.maxConcurrentStreams, 4);
  });

  it("counts what it refuses by reason and tenant", async () => {
    const text = await page(ports.status, "/metrics");
    for (const proxy of ["refused:401", "refused:404", "refused:405", "refused:411", "refused:413:alpha", "refused:429:beta"])
      assert.match(text, new RegExp(`^haproxy_backend_http_requests_total\\{proxy="${proxy}"\\} [1-9]`, "m"));
    assert.match(text, /^haproxy_backend_http_requests_total\{proxy="refused:429:alpha"\} 0$/m);
    // By which alerts tell that nothing is behind it.
    assert.match(text, /^haproxy_backend_active_servers\{proxy="write"\} 1$/m);
  });

  it("counts what it refuses by reason alone where tenants are many, and its log names the tenant", async () => {
    const many = Array.from({ length: 3_000 }, (_, index) => `team-${index}`);
    const settings = settingsOf(
      "prod",
      together(OVERRIDES, {
        tenancy: { tenants: ["alpha", "beta", "gamma", "team-*"] },
        gateway: { tenants: Object.fromEntries(many.map((tenant) => [tenant, {}])) },
      }),
    );
    const [write, query, status] = await freePorts(3);
    const { log } = await start(undefined, plainPort, [write, query, status], { settings });
    assert.equal((await ask({ port: write, token: "alpha-now", body: SMALL })).status, 200);
    assert.equal((await ask({ port: write, token: "alpha-now", body: decodingTo(2 ** 20 + 1) })).status, 413);
    const text = await page(status, "/metrics");
    assert.match(text, /^haproxy_backend_http_requests_total\{proxy="refused:413"\} 1$/m);
    assert.ok(text.length < 200_000, `${text.length} bytes of metrics`);
    await until(async () => /refused:413 tenant=alpha from=127\.0\.0\.1/.test(log()));
    assert.equal(log().split("tenant=").length, 2, "what passes is in no log");
  });

  describe("certificate", () => {
    /** Days of a certificate's validity that metrics tell, in seconds since the epoch. */
    const told = async (status: number) => {
      const text = await page(status, "/-/certificate");
      return ["before", "after"].map((name) =>
        Number(new RegExp(`^thanos_gateway_certificate_not_${name}_timestamp_seconds (\\d+)$`, "m").exec(text)?.[1]),
      );
    };
    const daysOf = (file: string) => {
      const { validFrom, validTo } = new X509Certificate(readFileSync(file));
      return [validFrom, validTo].map((date) => Date.parse(date) / 1_000);
    };

    it("is told of with its days, to nobody who asks at an endpoint", async () => {
      assert.deepEqual(await told(ports.status), daysOf(join(directory, "gateway.pem")));
      const { status } = await ask({ path: "/-/certificate", method: "GET", from: "127.0.0.2" });
      assert.equal(status, 404);
    });

    it("is of any day of this century", async () => {
      for (const [index, [from, to]] of [
        ["2000-02-29T00:00:00Z", "2000-03-01T00:00:01Z"],
        ["2023-12-31T23:59:59Z", "2024-02-29T12:00:00Z"],
        ["2025-01-01T00:00:00Z", "2049-12-31T23:59:59Z"],
        ["2026-08-31T01:02:03Z", "2032-03-01T04:05:06Z"],
      ].entries()) {
        const certificate = await certificateOf(`days-${index}`, from ?? "", to ?? "");
        const [write, query, status] = await freePorts(3);
        await start(undefined, plainPort, [write, query, status], { certificate });
        assert.deepEqual(await told(status), daysOf(certificate), `${from} to ${to}`);
      }
    });

    it("is shown anew when its files change, and no request is lost meanwhile", async () => {
      const certificate = await certificateOf("renewed", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
      const [write, query, status] = await freePorts(3);
      const { pidFile, log } = await start(undefined, plainPort, [write, query, status], { certificate });
      const seen = join(directory, "seen");
      const script = reloaderArgs([join(directory, "renewed")]).map((each) =>
        each.replaceAll(PID_FILE, pidFile).replaceAll(SEEN_FILE, seen).replace("sleep 15", "sleep 0.1"),
      );
      started.push(spawn("/bin/sh", script, { stdio: "ignore" }));
      await until(async () => existsSync(seen) && readFileSync(seen, "utf8") !== "");
      // A file that does not load changes nothing.
      const first = daysOf(certificate);
      writeFileSync(certificate, "no certificate");
      await until(async () => /unable to load|[Ff]ailed to load|Loading failure|ALERT/.test(log()));
      assert.deepEqual(await told(status), first);
      await certificateOf("renewed", "2026-10-01T00:00:00Z", "2029-01-01T00:00:00Z");
      const statuses = new Set<number>();
      await until(async () => {
        statuses.add((await ask({ port: write, token: "alpha-now", body: SMALL })).status);
        return (await told(status))[1] === daysOf(certificate)[1];
      });
      for (let more = 0; more < 10; more++) statuses.add((await ask({ port: write, token: "alpha-now", body: SMALL })).status);
      assert.deepEqual([...statuses], [200]);
    });

    it("goes with its process, which lets requests end when it is told to", async () => {
      const [write, query, status] = await freePorts(3);
      const { process: child } = await start(undefined, plainPort, [write, query, status]);
      const ended = once(child, "exit");
      child.kill("SIGUSR1");
      await ended;
      assert.equal(await status200(status), 0);
    });

    /** A certificate of some days in a directory of its own, its key beside it. */
    async function certificateOf(name: string, from: string, to: string): Promise<string> {
      const file = join(directory, name, GATEWAY_CERTIFICATE_FILE);
      mkdirSync(join(directory, name), { recursive: true });
      await selfSigned(file, from, to);
      return file;
    }
  });

  /** Paths of the querier's HTTP API: whether prom-label-proxy holds them to tenants. */
  const PATHS: [path: string, held: boolean][] = [
    ["/api/v1/query?query=up", true],
    ["/api/v1/query_range?query=up&start=0&end=1&step=1", true],
    ["/api/v1/query_exemplars?query=up&start=0&end=1", true],
    ["/api/v1/series?match[]=up", true],
    ["/api/v1/labels", true],
    ["/api/v1/label/job/values", true],
    ["/api/v1/rules", true],
    ["/api/v1/alerts", true],
    ["/api/v1/stores", false],
    ["/api/v1/targets", false],
    ["/api/v1/metadata", false],
    ["/api/v1/status/tsdb", false],
    ["/api/v1/status/flags", false],
    ["/metrics", false],
    ["/graph", false],
    ["/api/v1/../v1/stores", false],
    ["//api/v1/stores", false],
  ];

  it("lets a reader see its tenants alone, on every path, and is 404 where it can't be held to them", async () => {
    for (const [path, held] of PATHS) {
      for (const wrong of [undefined, "nobody", "alpha-now"])
        assert.equal((await ask({ endpoint: "query", path, ...(wrong === undefined ? {} : { token: wrong }) })).status, 401, path);
      const answer = await ask({
        endpoint: "query",
        path,
        token: "grafana-now",
        headers: { "X-Gateway-Tenants": "beta", "THANOS-TENANT": "beta" },
      });
      if (!held) {
        assert.ok([404, 301, 307].includes(answer.status), `${path}: ${answer.status}`);
        assert.equal(answer.seen, undefined, path);
        continue;
      }
      assert.equal(answer.status, 200, `${path}: ${answer.text}`);
      // Answers about alerts are read and written anew, without what the stub adds.
      if (path === "/api/v1/alerts") continue;
      assert.ok(answer.seen, path);
      const { url, headers, body } = answer.seen;
      assert.match(decodeURIComponent(`${url} ${body}`).replaceAll("+", " "), /tenant_id=~"(?:alpha\|gamma|gamma\|alpha)"/, path);
      assert.equal(headers["thanos-tenant"], undefined);
      assert.equal(headers.authorization, undefined);
    }
  });

  it("keeps a query that names another tenant within the reader's own", async () => {
    const path = `/api/v1/query?query=${encodeURIComponent('up{tenant_id="beta"}')}`;
    const { seen } = await ask({ endpoint: "query", path, token: "grafana-before" });
    const asked = decodeURIComponent(`${seen?.url} ${seen?.body}`);
    assert.match(asked, /tenant_id=~"(?:alpha\|gamma|gamma\|alpha)"/);
  });

  it("lets a reader of all tenants see everything but profiles", async () => {
    for (const [path] of PATHS) {
      const { status, seen } = await ask({ endpoint: "query", path, token: "sre-now", headers: { "THANOS-TENANT": "beta" } });
      assert.equal(status, 200, path);
      assert.equal(seen?.url, path);
      assert.equal(seen?.headers["thanos-tenant"], undefined);
    }
    for (const path of ["/debug/pprof/heap", "/%64ebug/pprof/heap", "//debug/fgprof", "/x/../debug/pprof/"])
      for (const token of ["sre-now", "grafana-now"]) assert.equal((await ask({ endpoint: "query", path, token })).status, 404, path);
    assert.equal((await ask({ endpoint: "query", method: "DELETE", token: "sre-now" })).status, 405);
  });
});

async function freePorts(count: 3 | 5): Promise<[number, number, number, number, number]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<Server>((resolve) => {
          const server = createServer();
          server.listen(0, "127.0.0.1", () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports as [number, number, number, number, number];
}

/** HAProxy of Debian's package, with the libraries that it needs. */
/**
 * Debian's HAProxy, as the sandbox has it; where there is no apt-get to fetch it, the machine's own.
 *
 * @throws {Error} where there is neither: nothing else judges the gateway's configuration without a cluster
 */
async function installedHaproxy(where: Paths): Promise<{ path: string; env: { LD_LIBRARY_PATH?: string } }> {
  if ((await execa("apt-get", ["--version"], { reject: false })).exitCode !== 0) {
    const { stdout = "" } = await execa("haproxy", ["-v"], { reject: false });
    const version = /version (\d+\.\d+)/.exec(stdout)?.[1] ?? "";
    if (version !== "" && !isBefore(version, HAPROXY_MINIMUM)) return { path: "haproxy", env: {} };
    throw new Error(
      `these tests need HAProxy ${HAPROXY_MINIMUM} or later on PATH${version === "" ? "" : `, which has ${version}`}, or apt-get, which fetches Debian's`,
    );
  }
  const root = await unpackPackage("haproxy", where);
  return { path: join(root, "usr/sbin/haproxy"), env: loadingFrom(root) };
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tried = 0; tried < 100; tried++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.fail("it did not start within 10 s");
}

/** A page of a program's own port. */
const page = (port: number, path: string): Promise<string> =>
  new Promise((resolve, reject) => {
    plainRequest({ host: "127.0.0.1", port, path, agent: false }, (answer) => {
      let all = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => {
        all += chunk;
      });
      answer.on("end", () => resolve(all));
    })
      .on("error", reject)
      .end();
  });

/** Numbers of the system calls by which a process waits for events: epoll_wait and epoll_pwait of x86-64, epoll_pwait of arm64. */
const WAITS_FOR_EVENTS = process.arch === "arm64" ? ["22"] : ["232", "281"];

/** Whether a process's first thread waits for events: a signal interrupts it there. */
const waitsForEvents = (pid = 0): boolean => WAITS_FOR_EVENTS.includes(readFileSync(`/proc/${pid}/syscall`, "utf8").split(" ")[0] ?? "");

/** Status of a program's metrics; 0 where it does not listen yet. */
const status200 = (port: number): Promise<number> =>
  new Promise((resolve) => {
    plainRequest({ host: "127.0.0.1", port, path: "/metrics", agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    })
      .on("error", () => resolve(0))
      .end();
  });

/** A sender's certificate and key. */
function pairOf(directory: string, name: string): { cert: Buffer; key: Buffer } {
  return { cert: readFileSync(join(directory, `${name}.pem`)), key: readFileSync(join(directory, `${name}.key`)) };
}
