import assert from "node:assert/strict";
import { gatewayWarnings } from "../../../model/gateway/warnings";
import { GATEWAY, GATEWAY_ROUTED } from "../../components/plans";
import { type Overrides, settingsOf, together } from "../../harness";

describe("warnings of the gateway", () => {
  const of = (overrides: Overrides, base = GATEWAY) =>
    gatewayWarnings(settingsOf(base.stack, together(base.overrides, overrides))).join("\n");

  it("are none of the plans", () => {
    for (const plan of [GATEWAY, GATEWAY_ROUTED]) assert.deepEqual(gatewayWarnings(settingsOf(plan.stack, plan.overrides)), [], plan.title);
  });

  it("are lists that let nobody in who comes by a load balancer or a node's port", () => {
    assert.match(of({ access: { senders: ["monitoring"] } }), /^access\.senders names no network: .*expose\.write\.loadBalancer/);
    assert.match(of({ access: { readers: ["monitoring"] } }), /^access\.readers names no network: .*expose\.query\.nodePort/);
    const ranges = /^expose\.write\.loadBalancer\.sourceRanges has 203\.0\.113\.0\/24, of which access\.senders has no address/;
    assert.match(of({ access: { senders: ["10.20.0.0/16"] } }), ranges);
    assert.equal(of({ access: { senders: ["203.0.113.7/32", "10.0.0.0/8"] } }), "");
    assert.equal(of({ access: { senders: ["203.0.0.0/16"] } }), "");
    // Whoever connects has a node's address then.
    assert.equal(of({ access: { senders: ["10.20.0.0/16"] }, expose: { write: { loadBalancer: { trafficPolicy: "Cluster" } } } }), "");
  });

  it("are ports that are not the Service's, and that an API server refuses", () => {
    assert.match(
      of({ expose: { write: { url: "https://metrics.example:8443" } } }),
      /^expose\.write\.url .*loadBalancer is reached at port 443/,
    );
    assert.match(of({ expose: { query: { url: "https://queries.example" } } }), /^expose\.query\.url .*nodePort is reached at port 30443/);
    const low = { url: "https://queries.example:8443", nodePort: { port: 8_443 } };
    assert.match(of({ expose: { query: low } }), /^expose\.query\.nodePort\.port is 8443: .*30000 to 32767/);
  });

  it("are ports that the cluster chooses, below a URL that has one", () => {
    const query = (url?: string) => of({ expose: { query: { url, nodePort: { port: undefined } } } });
    assert.match(
      query("https://queries.example:30443"),
      /^expose\.query\.url is https:\/\/queries\.example:30443, of port 30443, and expose\.query\.nodePort\.port is left out/,
    );
    assert.match(query("https://queries.example"), /of port 443, and expose\.query\.nodePort\.port is left out/);
    assert.equal(query(undefined), "");
  });

  it("are limits of a tenant above those of the receivers", () => {
    const payments = (maxDecoded: string, sizeBytes: number) =>
      of({
        gateway: { tenants: { payments: { maxDecoded } } },
        receive: { limits: { tenants: { payments: { request: { sizeBytes } } } } },
      });
    assert.match(
      payments("8Mi", 2 ** 22),
      /^gateway\.tenants\.payments\.maxDecoded is 8Mi, and receive\.limits lets payments send 4194304 bytes at once/,
    );
    assert.equal(payments("8Mi", 2 ** 23), "");
    assert.equal(payments("8Mi", 0), "", "no limit of the ring");
  });

  it("are ingresses whose controller is not told that the gateway speaks TLS", () => {
    const query = (ingress: object, services = {}) =>
      of({ gateway: { services }, expose: { query: { ingress: { annotations: undefined, ...ingress } } } }, GATEWAY_ROUTED);
    assert.match(
      query({}),
      /^expose\.query\.ingress of the class nginx says nothing of TLS.*backend-protocol: HTTPS in ingress\.annotations/,
    );
    assert.match(query({ class: "kong" }), /konghq\.com\/protocol: https in gateway\.services\.annotations/);
    assert.equal(query({ class: "kong" }, { annotations: { "konghq.com/protocol": "https" } }), "");
    // It takes the port 443 of the Service for TLS.
    assert.equal(query({ class: "traefik" }), "");
    assert.equal(query({ class: "traefik" }, { annotations: { "traefik.ingress.kubernetes.io/service.serversscheme": "https" } }), "");
    assert.match(query({ class: undefined }), /the annotation of its controller/);
    assert.equal(query({ class: "own", annotations: { "alb.ingress.kubernetes.io/backend-protocol": "HTTPS" } }), "");
  });

  it("are ingresses whose controller is told something else, by the annotation and its value", () => {
    const bare = {
      ...GATEWAY_ROUTED,
      overrides: together(GATEWAY_ROUTED.overrides, { expose: { query: { ingress: { annotations: undefined } } } }),
    };
    const query = (chosen: string, annotations: object, services: object = {}) =>
      of(
        {
          gateway: { services: { annotations: services } },
          expose: {
            query: {
              ingress: { class: chosen, annotations },
            },
          },
        },
        bare,
      );
    const plain: [string, Record<string, string>, Record<string, string>?][] = [
      ["nginx", { "nginx.ingress.kubernetes.io/backend-protocol": "HTTP" }],
      ["nginx", { "nginx.ingress.kubernetes.io/backend-protocol": "GRPC" }],
      ["nginx", { "nginx.org/ssl-services": "thanos-gateway-write" }],
      ["traefik", {}, { "traefik.ingress.kubernetes.io/service.serversscheme": "h2c" }],
      ["haproxy", { "haproxy.org/server-ssl": "false" }],
      ["haproxy", {}, { "haproxy.org/server-ssl": "false" }],
      ["haproxy", { "haproxy-ingress.github.io/backend-protocol": "h1" }],
      ["alb", { "alb.ingress.kubernetes.io/backend-protocol": "HTTP" }],
      // AWS' controller refuses the Ingress.
      ["alb", { "alb.ingress.kubernetes.io/backend-protocol": "https" }],
      ["gce", {}, { "cloud.google.com/app-protocols": '{"query":"HTTP","write":"HTTPS"}' }],
      ["gce", {}, { "cloud.google.com/app-protocols": "HTTPS" }],
      ["azure-application-gateway", { "appgw.ingress.kubernetes.io/backend-protocol": "http" }],
      ["kong", {}, { "konghq.com/protocol": "http" }],
      ["kong", {}, { "konghq.com/protocol": "tls" }],
      ["contour", {}, { "projectcontour.io/upstream-protocol.tls": "8443" }],
      ["openshift-default", { "route.openshift.io/termination": "edge" }],
      ["own", { "alb.ingress.kubernetes.io/backend-protocol": "HTTP" }],
    ];
    for (const [chosen, annotations, services] of plain) {
      const [[name, value] = []] = Object.entries({ ...annotations, ...services });
      const said = query(chosen, annotations, services);
      const wanted = services === undefined ? "in ingress.annotations" : "in gateway.services.annotations";
      assert.ok(
        said.startsWith(`expose.query.ingress of the class ${chosen} has ${name}: ${value}, by which nobody speaks TLS to the gateway`),
        said,
      );
      assert.ok(said.endsWith(wanted), said);
    }
    const tls: typeof plain = [
      ["nginx", { "nginx.ingress.kubernetes.io/backend-protocol": "https" }],
      ["nginx-internal", { "nginx.ingress.kubernetes.io/backend-protocol": "AUTO_HTTP" }],
      ["nginx", { "nginx.org/ssl-services": "other, thanos-gateway-query" }],
      ["haproxy", { "haproxy.org/server-ssl": "false" }, { "haproxy.org/server-ssl": "true" }],
      ["haproxy", { "haproxy-ingress.github.io/backend-protocol": "h2-ssl" }],
      ["haproxy", {}, { "haproxy-ingress.github.io/backend-protocol": "HTTPS" }],
      ["haproxy", {}, { "haproxy-ingress.github.io/secure-backends": "true" }],
      ["alb", { "alb.ingress.kubernetes.io/backend-protocol": "HTTPS" }],
      ["alb", {}, { "alb.ingress.kubernetes.io/backend-protocol": "HTTPS" }],
      ["gce-internal", {}, { "cloud.google.com/app-protocols": '{"query":"HTTP2"}' }],
      ["azure-application-gateway", { "appgw.ingress.kubernetes.io/backend-protocol": "https" }],
      ["kong", {}, { "konghq.com/protocol": "https" }],
      ["contour", {}, { "projectcontour.io/upstream-protocol.tls": "query,8443" }],
      ["openshift-default", { "route.openshift.io/termination": "passthrough" }],
    ];
    for (const [chosen, annotations, services] of tls) assert.equal(query(chosen, annotations, services), "", chosen);
  });

  it("are requests that ingress-nginx takes no larger than by itself", () => {
    const write = (size?: string) =>
      of(
        {
          access: { senders: ["ingress-nginx"] },
          expose: {
            write: {
              gatewayApi: undefined,
              ingress: {
                class: "nginx",
                annotations: {
                  "nginx.ingress.kubernetes.io/backend-protocol": "HTTPS",
                  ...(size === undefined ? {} : { "nginx.ingress.kubernetes.io/proxy-body-size": size }),
                },
              },
            },
          },
        },
        GATEWAY_ROUTED,
      );
    const name = "nginx\\.ingress\\.kubernetes\\.io/proxy-body-size";
    assert.match(write(), /^expose\.write\.ingress of the class nginx takes requests up to 1 MiB, and answers larger ones 413/);
    assert.match(write("8Mi"), new RegExp(`^expose\\.write\\.ingress of the class nginx has ${name}: 8Mi, which is no size of NGINX`));
    assert.match(write("512k"), new RegExp(`takes requests up to 524288 bytes by ${name}: 512k, and answers larger ones 413`));
    for (const size of ["0", "1m", "32M", "1g", "1048576"]) assert.equal(write(size), "", size);
  });

  it("are lists that let in nobody who passes requests on", () => {
    const at = (senders: string[] | undefined, write: object = {}) => of({ access: { senders }, expose: { write } }, GATEWAY_ROUTED);
    const gateway =
      /^access\.senders does not name gateways, which expose\.write\.gatewayApi\.namespace is: if the Gateway's proxies run there/;
    assert.match(at(["monitoring"]), gateway);
    assert.match(at(["10.0.0.0/8"]), gateway);
    for (const senders of [undefined, ["monitoring", "gateways"]]) assert.equal(at(senders), "");
    const annotations = { "nginx.ingress.kubernetes.io/backend-protocol": "HTTPS", "nginx.ingress.kubernetes.io/proxy-body-size": "8m" };
    const nginx = { gatewayApi: undefined, ingress: { class: "nginx", annotations } };
    assert.match(
      at(["10.0.0.0/8"], nginx),
      /^access\.senders names no namespace, and expose\.write\.ingress is served by its controller's pods/,
    );
    assert.equal(at(["ingress-nginx"], nginx), "");
    const alb = { ...nginx, ingress: { class: "alb", annotations: { "alb.ingress.kubernetes.io/backend-protocol": "HTTPS" } } };
    assert.equal(at(["10.0.0.0/8"], alb), "");
  });

  it("are more tenants than refusals are counted of", () => {
    const tenants = Object.fromEntries(Array.from({ length: 99 }, (_, index) => [`team-${index}`, {}]));
    const many = { tenancy: { tenants: ["payments", "edge", "team-*"] }, gateway: { tenants } };
    assert.match(of(many), /^gateway\.tenants has 101: above 100 .*by reason alone/);
  });
});
