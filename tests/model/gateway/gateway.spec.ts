import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { connectionsOf, listeningAt } from "../../../model/gateway/haproxy";
import { requestLimits } from "../../../model/gateway/limits";
import { gatewayMaps } from "../../../model/gateway/maps";
import { planGateway } from "../../../model/gateway/plan";
import { gatewayProblems } from "../../../model/gateway/rules";
import { currentSlot, generationIn, SLOTS, tokenHash } from "../../../model/gateway/tokens";
import { GATEWAY, SPLIT_AGENTS } from "../../components/plans";
import { type Overrides, planOf, rejection, settingsOf, together } from "../../harness";

const SETTINGS = settingsOf(GATEWAY.stack, GATEWAY.overrides);
const TOKENS = { tenants: { payments: ["new", "old"] }, readers: { "grafana-payments": ["g1", "g2"], sre: ["s1", "s2"] } };

describe("tokens of the gateway", () => {
  it("keep the current one valid when a generation comes, and neither when two come", () => {
    const valid = (generation: number) => SLOTS.map((slot) => `${slot} ${generationIn(slot, generation)}`);
    for (const generation of [1, 2, 7, 100]) {
      const current = `${currentSlot(generation)} ${generation}`;
      assert.ok(valid(generation).includes(current));
      assert.ok(valid(generation + 1).includes(current), "the one before");
      assert.deepEqual(
        valid(generation + 2).filter((each) => valid(generation).includes(each)),
        [],
      );
      assert.notEqual(currentSlot(generation), currentSlot(generation + 1));
    }
  });

  it("are kept as HAProxy's sha2(256),hex", () => {
    assert.equal(tokenHash("token"), createHash("sha256").update("token").digest("hex").toUpperCase());
  });
});

describe("maps of the gateway", () => {
  const maps = gatewayMaps(SETTINGS, TOKENS);

  it("hold hashes of tokens, and no token", () => {
    assert.equal(maps["writers.map"], `${tokenHash("new")} payments\n${tokenHash("old")} payments\n`);
    for (const token of ["new", "old", "g1", "s2"]) assert.ok(!Object.values(maps).some((text) => text.split(/\s/).includes(token)));
  });

  it("say who a certificate is, and what each reader sees", () => {
    assert.equal(maps["names.map"], "edge-eu-1 edge\nedge-us-1 edge\n");
    assert.equal(maps["tenants.map"], "grafana-payments payments,edge\nsre *\n");
  });

  it("have limits of every tenant: its own, or the ring's", () => {
    // Of two that differ the smaller is the one that most have.
    assert.equal(maps["rates.map"], "edge 100\n");
    assert.deepEqual(requestLimits(SETTINGS, "payments"), { body: 2 ** 20, decoded: 8 * 2 ** 20 });
    const ring = requestLimits(SETTINGS, "edge");
    assert.equal(ring.body, ring.decoded);
    assert.equal(maps["decoded.map"], `edge ${ring.decoded}\n`);
    const limited = (sizeBytes: number) =>
      requestLimits(
        settingsOf("prod", together(GATEWAY.overrides, { receive: { limits: { tenants: { edge: { request: { sizeBytes } } } } } })),
        "edge",
      );
    assert.equal(limited(123_456).decoded, 123_456);
    assert.equal(limited(0).decoded, 32 * 2 ** 20, "no limit of the ring");
  });
});

describe("the gateway's plan", () => {
  it("leads to whatever takes remote write: routers in split mode, every ring's receivers otherwise", () => {
    const split = planOf(GATEWAY.stack, GATEWAY.overrides).gateway;
    assert.equal(split?.writesTo?.component, "receive-router");
    const gateway = { tenants: { "default-tenant": {} }, certificate: { secret: "a" } };
    const rings = planOf("dev", { gateway, receive: { hashrings: [{ name: "payments", tenants: ["cards"], replicas: 3 }] } }).gateway;
    assert.equal(rings?.writesTo?.component, "receive");
    assert.equal(rings?.upstream.write?.pods, 12);
    assert.equal(rings?.queryUrl, undefined);
    assert.equal(planGateway(settingsOf(SPLIT_AGENTS.stack, SPLIT_AGENTS.overrides), undefined, "http://q:9090"), undefined);
  });

  it("sends to as many routers as there may be", () => {
    const routers = { autoscaling: { min: 2, max: 30, cpu: 70 } };
    assert.equal(planOf(GATEWAY.stack, together(GATEWAY.overrides, { receive: { routers } })).gateway?.upstream.write?.pods, 60);
  });

  it("takes tenants of a pattern", () => {
    const taken = together(GATEWAY.overrides, {
      tenancy: { tenants: ["payments", "edge", "team-*"] },
      gateway: { tenants: { "team-a": {} } },
    });
    assert.deepEqual(gatewayProblems(settingsOf(GATEWAY.stack, taken)), []);
  });

  it("listens on both families, and on IPv4 alone where Services are of that family", () => {
    const at = (services: Overrides["services"]) => {
      const settings = settingsOf(GATEWAY.stack, together(GATEWAY.overrides, { services }));
      return listeningAt(settings, settings.gateway ?? assert.fail("no gateway"), 8443);
    };
    assert.equal(at({}), ":::8443 v4v6");
    assert.equal(at({ ipFamilies: ["IPv6"] }), ":::8443 v4v6");
    assert.equal(at({ ipFamilies: ["IPv4"] }), ":8443");
  });

  it("holds as many connections as its memory has room for", () => {
    const of = (memory: string) => connectionsOf({ resources: { cpu: "1", memory } });
    assert.equal(of("256Mi"), 1_228);
    assert.ok(of("1Gi") > 6_000);
    assert.equal(of("64Mi"), 100);
    // A container may open 524,288 files, two for each connection.
    assert.equal(of("64Gi"), 250_000);
  });
});

describe("what is accepted at the gateway", () => {
  const problems = (overrides: Overrides) => gatewayProblems(settingsOf(GATEWAY.stack, together(GATEWAY.overrides, overrides)));
  const both = (way: object) => ({
    write: { loadBalancer: undefined, url: "https://a.example", ...way },
    query: { nodePort: undefined, url: "https://a.example", ...way },
  });
  const edge = { gateway: { tenants: { edge: { token: true } } } };

  it("is one address by one ingress class or one listener, which tell endpoints apart by the path", () => {
    assert.deepEqual(problems({ ...edge, expose: both({ ingress: { class: "nginx" } }) }), []);
    assert.deepEqual(problems({ ...edge, expose: both({ gatewayApi: { gateway: "a", namespace: "b", listener: "c" } }) }), []);
    const two = both({ ingress: { class: "nginx" } });
    const other = { write: two.write, query: { ...two.query, ingress: { class: "traefik" } } };
    assert.equal(problems({ ...edge, expose: other }).length, 1);
  });

  it("is one certificate for a host at one ingress class, the gateway's own or another", () => {
    const at = (port: string, secret?: string) => ({
      url: `https://a.example${port}`,
      ingress: { class: "nginx", ...(secret === undefined ? {} : { certificate: { secret } }) },
      loadBalancer: undefined,
      nodePort: undefined,
    });
    const of = (write: object, query: object) => problems({ ...edge, expose: { write, query } }).map(({ key, value }) => [key, value]);
    assert.deepEqual(of(at("", "shown"), at("", "shown")), []);
    assert.deepEqual(of(at("", "gateway-tls"), at(":8443")), []);
    assert.deepEqual(of(at("", "shown"), { ...at("", "other"), url: "https://b.example" }), []);
    assert.deepEqual(of(at(""), { ...at(":8443", "shown"), ingress: { class: "traefik", certificate: { secret: "shown" } } }), []);
    assert.deepEqual(of(at("", "shown"), at("")), [["expose.query.ingress.certificate.secret", "gateway-tls"]]);
    assert.deepEqual(of(at(""), at(":8443", "shown")), [["expose.query.ingress.certificate.secret", "shown"]]);
  });

  it("is a request that leaves routers and receivers room, and is no larger packed than unpacked", () => {
    const of = (payments: object, receive: object = {}) =>
      problems({ gateway: { tenants: { payments: { maxBody: undefined, maxDecoded: undefined, ...payments } } }, receive }).map(
        ({ key, value, remedy }) => `${key.replace("gateway.tenants.payments.", "")} ${value}: ${remedy.split(",")[0]}`,
      );
    const limits = (sizeBytes: number) => ({ limits: { tenants: { payments: { request: { sizeBytes } } } } });
    // Of the routers' 256Mi: the text, what is read from it, and copies for three receivers.
    assert.deepEqual(of({ maxDecoded: "51Mi" }), []);
    assert.deepEqual(of({ maxDecoded: "52Mi" }), ["maxDecoded 52Mi: at most 51Mi"]);
    assert.deepEqual(of({ maxDecoded: "100Gi" }), ["maxDecoded 100Gi: at most 51Mi"]);
    assert.deepEqual(of({ maxDecoded: "400Mi" }, { routers: { resources: { memory: "8Gi" } } }), [], "receivers of 2Gi");
    assert.deepEqual(of({ maxDecoded: "410Mi" }, { routers: { resources: { memory: "8Gi" } } }), ["maxDecoded 410Mi: at most 409Mi"]);
    assert.deepEqual(of({}, limits(2 ** 40)), ["maxDecoded undefined: at most 51Mi"]);
    assert.deepEqual(of({ maxDecoded: "8Mi" }, limits(2 ** 40)), []);
    assert.deepEqual(of({ maxBody: "8Mi", maxDecoded: "8Mi" }), []);
    assert.deepEqual(of({ maxBody: "9Mi", maxDecoded: "8Mi" }), ["maxBody 9Mi: at most 8Mi"]);
    assert.deepEqual(of({ maxBody: "2Mi" }, limits(2 ** 20)), ["maxBody 2Mi: at most 1048576 (bytes)"]);
  });

  it("is no tag of an old major, without a minor", () => {
    for (const haproxy of ["haproxy:1", "haproxy:v1", "haproxy:1-alpine"])
      assert.deepEqual(
        problems({ images: { haproxy } }).map(({ key, value }) => [key, value]),
        [["images.haproxy", haproxy]],
      );
  });

  it("is a tag that names no version, and a newer one", () => {
    for (const haproxy of [
      "localhost/haproxy:debian",
      "haproxy:2.6.12",
      "haproxy:10.0",
      "haproxy:3",
      "haproxy:2-alpine",
      "haproxy:20251127",
    ])
      assert.deepEqual(problems({ images: { haproxy } }), [], haproxy);
  });
});

describe("rules of the gateway", () => {
  const base = (gateway: Overrides, more: Overrides = {}): Overrides =>
    together({ access: { senders: undefined, readers: undefined }, gateway: { certificate: { secret: "gateway-tls" }, ...gateway } }, more);
  const tenant = "default-tenant";

  for (const [title, overrides, message] of [
    ["one that nobody passes", base({}), /gateway.*neither tenants nor readers/],
    ["a tenant that no ring takes", base({ tenants: { stranger: {} } }), /gateway\.tenants\.stranger.*answered 500/],
    [
      "a reader of a tenant that no ring takes",
      base({ readers: { a: { tenants: ["stranger"] } } }),
      /gateway\.readers\.a\.tenants.*find nothing/,
    ],
    ["a tenant that can't show who it is", base({ tenants: { [tenant]: { token: false } } }), /nobody is this tenant/],
    ["names without an authority", base({ tenants: { [tenant]: { certificates: ["a"] } } }), /nobody's certificate is trusted/],
    [
      "a name of two tenants",
      base(
        { senderAuthority: { secret: "ca" }, tenants: { [tenant]: { certificates: ["a"] }, b: { certificates: ["a"] } } },
        { tenancy: { tenants: ["b"] } },
      ),
      /a certificate means one tenant/,
    ],
    [
      "one that nobody reaches",
      base({ tenants: { [tenant]: {} } }, { access: { senders: [], readers: [] } }),
      /access\.senders.*nobody would/,
    ],
    [
      "tenants of sidecars",
      base({ tenants: { [tenant]: {} }, readers: { a: { tenants: "all" } } }, { ingestion: "sidecar" }),
      /nobody writes/,
    ],
    ["readers of tenants of sidecars", base({ readers: { a: { tenants: ["b"] } } }, { ingestion: "sidecar" }), /series have no tenant/],
    [
      "to expose what asks nobody",
      base({ readers: { a: { tenants: "all" } } }, { access: { senders: [] }, expose: { write: { nodePort: {} } } }),
      /expose\.write.*no such endpoint while nobody is in gateway\.tenants/,
    ],
    [
      "a public URL without encryption",
      base(
        { readers: { a: { tenants: "all" } } },
        { access: { senders: [] }, expose: { query: { url: "http://a.example", nodePort: {} } } },
      ),
      /expose\.query\.url.*an https URL/,
    ],
    [
      "two ways to one endpoint",
      base({ readers: { a: { tenants: "all" } } }, { access: { senders: [] }, expose: { query: { nodePort: {}, loadBalancer: {} } } }),
      /expose\.query.*exactly one of/,
    ],
    [
      "an Ingress without a host",
      base({ readers: { a: { tenants: "all" } } }, { access: { senders: [] }, expose: { query: { ingress: {} } } }),
      /expose\.query\.url.*an Ingress is found by the name of a host/,
    ],
    [
      "a route of an address",
      base(
        { readers: { a: { tenants: "all" } } },
        {
          access: { senders: [] },
          expose: { query: { url: "https://192.0.2.1", gatewayApi: { gateway: "a", namespace: "b", listener: "c" } } },
        },
      ),
      /expose\.query\.url.*an HTTPRoute is found by the name of a host/,
    ],
    [
      "a route for certificates alone",
      base(
        { senderAuthority: { secret: "ca" }, tenants: { [tenant]: { token: false, certificates: ["a"] } } },
        { access: { readers: [] }, expose: { write: { url: "https://a.example", ingress: {} } } },
      ),
      /gateway\.tenants\.default-tenant\.token = false: expose\.write\.ingress ends TLS, so that no client certificate comes through/,
    ],
    [
      "a tenant of certificates alone beside one with a token behind a route",
      base(
        { senderAuthority: { secret: "ca" }, tenants: { [tenant]: {}, b: { token: false, certificates: ["a"] } } },
        {
          tenancy: { tenants: ["b"] },
          access: { readers: [] },
          expose: { write: { url: "https://a.example", gatewayApi: { gateway: "a", namespace: "b", listener: "c" } } },
        },
      ),
      /gateway\.tenants\.b\.token = false: expose\.write\.gatewayApi ends TLS/,
    ],
    [
      "an authority that signs for nobody",
      base({ senderAuthority: { secret: "senders-ca" }, tenants: { [tenant]: {} } }, { access: { readers: [] } }),
      /gateway\.senderAuthority\.secret = "senders-ca": no tenant in gateway\.tenants has a name in certificates/,
    ],
    [
      "an HAProxy that does not know its configuration",
      base({ tenants: { [tenant]: {} } }, { access: { readers: [] }, images: { haproxy: "haproxy:2.4.30" } }),
      /images\.haproxy = "haproxy:2\.4\.30".*a tag that names 2\.6 or later/,
    ],
    [
      "a prom-label-proxy that does not know its flags",
      base(
        { readers: { a: { tenants: [tenant] } } },
        { access: { senders: [] }, images: { promLabelProxy: "q/prom-label-proxy:v0.11.1" } },
      ),
      /images\.promLabelProxy = .*v0\.11\.1".*a tag that names 0\.12 or later/,
    ],
    [
      "one address for two load balancers",
      base(
        { tenants: { [tenant]: {} }, readers: { a: { tenants: "all" } } },
        {
          expose: {
            write: { url: "https://a.example", loadBalancer: {} },
            query: { url: "https://a.example:443", loadBalancer: {} },
          },
        },
      ),
      /expose\.query\.url = "https:\/\/a\.example:443": expose\.write\.url is this address too/,
    ],
    [
      "a reader of a tenant twice",
      base({ readers: { a: { tenants: [tenant, tenant] } } }),
      /gateway\.readers\.a\.tenants.*every tenant once/,
    ],
    [
      "more tenants of a reader than fit into a header",
      base(
        { readers: { a: { tenants: Array.from({ length: 600 }, (_, index) => `team-europe-west-${index}`) } } },
        { tenancy: { tenants: ["team-*"] } },
      ),
      /gateway\.readers\.a\.tenants.*600 tenants of 12489 characters.*all, or several readers/,
    ],
    [
      "a label that says the tenant beside tokens",
      base({ tenants: { [tenant]: {} } }, { tenancy: { splitLabel: "team" } }),
      /tenancy\.splitLabel.*whatever its token or certificate says/,
    ],
    [
      "a header that HAProxy reads as its own",
      base({ tenants: { [tenant]: {} } }, { tenancy: { header: "x'y" } }),
      /tenancy\.header.*HAProxy/,
    ],
    [
      "the stack's own authority for senders",
      base(
        { senderAuthority: { secret: "stack-tls" }, tenants: { [tenant]: { certificates: ["a"] } } },
        { tls: { certificates: { secrets: { all: "stack-tls" } } } },
      ),
      /gateway\.senderAuthority\.secret.*writes as any tenant/,
    ],
    [
      "one port of the nodes for two endpoints",
      base(
        { tenants: { [tenant]: {} }, readers: { a: { tenants: "all" } } },
        { expose: { write: { nodePort: { port: 30_443 } }, query: { nodePort: { port: 30_443 } } } },
      ),
      /expose\.query\.nodePort\.port = 30443: expose\.write has this port/,
    ],
    ["to expose without a gateway", { expose: { query: { nodePort: {} } } }, /expose\.query.*nothing asks who somebody is/],
    [
      "a public URL that is none",
      base(
        { readers: { a: { tenants: "all" } } },
        { access: { senders: [] }, expose: { query: { url: "https://xn--a.example", ingress: {} } } },
      ),
      /expose\.query\.url.*an https URL/,
    ],
    // Readers stay open without an endpoint of the gateway.
    ["an open endpoint beside it", base({ tenants: { [tenant]: {} } }), /access\.readers.*open to everybody/],
  ] as const) {
    it(`refuse ${title}`, async () => {
      assert.match((await rejection("prod", overrides)).message, message);
    });
  }
});
