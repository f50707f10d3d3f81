import assert from "node:assert/strict";
import type { Manifest } from "../../commands/manifests";
import type { ProgramRun } from "../../commands/program";
import { gatewayApiSchemas } from "../gatewayApi/schemas";
import { container, mountedConfigMap, object, objects, run, together } from "../harness";
import { GATEWAY, GATEWAY_ROUTED, GATEWAY_SIDECAR, PROD } from "./plans";

describe("gateway", () => {
  let made: ProgramRun;
  before(async () => {
    made = await run(GATEWAY.stack, GATEWAY.overrides);
  });
  const gateway = (of: ProgramRun) => object(of, "Deployment", "thanos-gateway");
  const tokens = (of: ProgramRun) => of.resources.filter(({ type }) => type === "random:index/randomPassword:RandomPassword");

  it("is made only where it is asked for", async () => {
    const without = await run(PROD.stack);
    assert.deepEqual(
      objects(without, "Deployment").filter(({ metadata }) => metadata.name.includes("gateway")),
      [],
    );
    assert.deepEqual(tokens(without), []);
    assert.ok(!("credentials" in without.outputs));
  });

  it("makes two tokens for each name that has one, of the current generation and the one before", () => {
    assert.deepEqual(
      tokens(made).map(({ name, inputs }) => `${name} ${(inputs.keepers as { generation: string }).generation}`),
      [
        "gateway-tenant-payments-even 0",
        "gateway-tenant-payments-odd 1",
        "gateway-reader-grafana-payments-even 2",
        "gateway-reader-grafana-payments-odd 3",
        "gateway-reader-sre-even 0",
        "gateway-reader-sre-odd 1",
      ],
    );
  });

  it("gives tokens to nobody but the secret output, and hashes to a Secret", () => {
    assert.deepEqual(made.secretOutputs, ["credentials"]);
    const { tenants, readers } = made.outputs.credentials as Record<string, Record<string, string>>;
    assert.deepEqual([Object.keys(tenants ?? {}), Object.keys(readers ?? {})], [["payments"], ["grafana-payments", "sre"]]);
    const token = tenants?.payments ?? "";
    assert.equal(token.length, 48);
    const others = made.resources.filter(({ type }) => !type.startsWith("random:"));
    assert.ok(!JSON.stringify(others.map(({ inputs }) => inputs)).includes(token));
  });

  it("has its configuration and who is who in objects that are named by content", () => {
    const { data, immutable } = mountedConfigMap(made, gateway(made), "config");
    assert.equal(immutable, true);
    assert.match(data["haproxy.cfg"] ?? "", /^frontend write$/m);
    assert.match(data["haproxy.cfg"] ?? "", /http-request del-header X-Scope-OrgID/);
    const maps = gateway(made).spec.template.spec.volumes?.find(({ name }) => name === "maps")?.secret?.secretName ?? "";
    assert.match(maps, /^gateway-maps-/);
    assert.equal(object(made, "Secret", maps).immutable, true);
  });

  it("has prom-label-proxy on loopback, where a reader sees some tenants only", async () => {
    const { args = [] } = container(gateway(made), "prom-label-proxy");
    assert.ok(args.includes("-insecure-listen-address=127.0.0.1:9095"), args.join(" "));
    assert.ok(args.includes("-label=tenant_id"));
    const all = gateway(await run(GATEWAY_SIDECAR.stack, GATEWAY_SIDECAR.overrides));
    assert.deepEqual(
      all.spec.template.spec.containers.map(({ name }) => name),
      ["thanos-gateway", "reloader"],
    );
  });

  it("takes up certificates that are renewed in place, by a signal of the reloader", async () => {
    const { spec } = gateway(made).spec.template as { spec: { shareProcessNamespace?: boolean } };
    assert.equal(spec.shareProcessNamespace, true);
    const [master, reloader] = [container(gateway(made), "thanos-gateway"), container(gateway(made), "reloader")];
    assert.deepEqual(master.args?.slice(0, 4), ["-W", "-db", "-p", "/run/haproxy/haproxy.pid"]);
    assert.equal(reloader.image, master.image);
    assert.match(reloader.args?.[1] ?? "", /cat \/etc\/haproxy\/certificate\/\* \/etc\/haproxy\/senders\/\* \| sha256sum/);
    const mounts = (of: typeof master) => of.volumeMounts?.map(({ name }) => name);
    assert.deepEqual(mounts(reloader), ["certificate", "senders", "run"], "and no maps");
    const without = gateway(await run(GATEWAY_SIDECAR.stack, GATEWAY_SIDECAR.overrides));
    assert.match(container(without, "reloader").args?.[1] ?? "", /cat \/etc\/haproxy\/certificate\/\* \| sha256sum/);
  });

  it("says where it is reached, and who signed its certificate", () => {
    const { gatewayRemoteWriteUrl, gatewayQueryUrl, gatewayCa } = made.outputs;
    assert.equal(gatewayRemoteWriteUrl, "https://thanos-gateway-write.thanos-prod.svc.cluster.local/api/v1/receive");
    assert.equal(gatewayQueryUrl, "https://thanos-gateway-query.thanos-prod.svc.cluster.local");
    assert.match(String(gatewayCa), /BEGIN CERTIFICATE/);
  });

  it("is reached from outside as the environment says, and as nothing else", async () => {
    const write = object(made, "Service", "thanos-gateway-write") as unknown as { metadata: object; spec: object };
    assert.deepEqual(write.spec, {
      ...write.spec,
      type: "LoadBalancer",
      externalTrafficPolicy: "Local",
      loadBalancerClass: "example.com/nlb",
      loadBalancerSourceRanges: ["203.0.113.0/24"],
      ports: [{ name: "write", port: 443, targetPort: "write" }],
    });
    assert.match(JSON.stringify(write.metadata), /"example.com\/scheme":"internet-facing"/);
    const query = object(made, "Service", "thanos-gateway-query") as unknown as { spec: object };
    assert.deepEqual(query.spec, {
      ...query.spec,
      type: "NodePort",
      externalTrafficPolicy: "Cluster",
      ports: [{ name: "query", port: 443, targetPort: "query", nodePort: 30443 }],
    });
    assert.equal(made.outputs.publicRemoteWriteUrl, "https://metrics.example/api/v1/receive");
    assert.equal(made.outputs.publicQueryUrl, "https://queries.example:30443");
    const inside = await run(GATEWAY_SIDECAR.stack, GATEWAY_SIDECAR.overrides);
    assert.equal(object(inside, "Service", "thanos-gateway-query").spec.type, "ClusterIP");
    assert.ok(!("publicQueryUrl" in inside.outputs));
  });

  describe("behind what somebody else made", () => {
    let routed: ProgramRun;
    before(async () => {
      routed = await run(GATEWAY_ROUTED.stack, GATEWAY_ROUTED.overrides);
    });
    const spec = (of: ProgramRun, kind: string, name: string) => (object(of, kind, name) as Manifest & { spec: object }).spec;

    it("has an HTTPRoute at the one listener that is named, for the one path of remote write", () => {
      assert.deepEqual(spec(routed, "HTTPRoute", "thanos-gateway-write"), {
        parentRefs: [{ group: "gateway.networking.k8s.io", kind: "Gateway", namespace: "gateways", name: "public", sectionName: "https" }],
        hostnames: ["metrics.example"],
        rules: [
          {
            matches: [{ path: { type: "Exact", value: "/api/v1/receive" } }],
            backendRefs: [{ group: "", kind: "Service", name: "thanos-gateway-write", port: 443, weight: 1 }],
          },
        ],
      });
    });

    it("is spoken to over TLS, by whoever signed its certificate", async () => {
      const [authority] = objects(routed, "ConfigMap").filter(({ metadata }) => metadata.name.startsWith("gateway-authority-"));
      assert.match(authority?.data["ca.crt"] ?? "", /BEGIN CERTIFICATE/);
      assert.deepEqual(spec(routed, "BackendTLSPolicy", "thanos-gateway-write"), {
        targetRefs: [{ group: "", kind: "Service", name: "thanos-gateway-write" }],
        validation: {
          hostname: "thanos-gateway-write.thanos-prod.svc.cluster.local",
          caCertificateRefs: [{ group: "", kind: "ConfigMap", name: authority?.metadata.name }],
        },
      });
      const trusted = await run(
        GATEWAY_ROUTED.stack,
        together(GATEWAY_ROUTED.overrides, { gateway: { certificate: { authority: undefined } } }),
      );
      assert.deepEqual((spec(trusted, "BackendTLSPolicy", "thanos-gateway-write") as { validation: object }).validation, {
        hostname: "metrics.example",
        wellKnownCACertificates: "System",
      });
    });

    it("has an Ingress over TLS, with the certificate that is named or the gateway's own", async () => {
      const { metadata } = object(routed, "Ingress", "thanos-gateway-query");
      assert.equal((metadata.annotations as Record<string, string>)["nginx.ingress.kubernetes.io/backend-protocol"], "HTTPS");
      const backend = { service: { name: "thanos-gateway-query", port: { number: 443 } } };
      assert.deepEqual(spec(routed, "Ingress", "thanos-gateway-query"), {
        ingressClassName: "nginx",
        tls: [{ hosts: ["queries.example"], secretName: "queries-tls" }],
        rules: [{ host: "queries.example", http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }],
      });
      const own = await run(
        GATEWAY_ROUTED.stack,
        together(GATEWAY_ROUTED.overrides, { expose: { query: { ingress: { certificate: undefined } } } }),
      );
      assert.deepEqual((spec(own, "Ingress", "thanos-gateway-query") as { tls: object }).tls, [
        { hosts: ["queries.example"], secretName: "gateway-tls" },
      ]);
    });

    it("is inside the cluster itself, and says where it is reached", () => {
      for (const name of ["thanos-gateway-write", "thanos-gateway-query"])
        assert.equal(object(routed, "Service", name).spec.type, "ClusterIP");
      assert.equal(routed.outputs.publicRemoteWriteUrl, "https://metrics.example/api/v1/receive");
      assert.equal(routed.outputs.publicQueryUrl, "https://queries.example:8443");
    });

    it("fits the schemas that the Gateway API publishes", async function () {
      // The first run on a machine fetches them.
      this.timeout(300_000);
      const schemas = await gatewayApiSchemas();
      for (const kind of ["HTTPRoute", "BackendTLSPolicy"]) {
        const [manifest] = objects(routed, kind) as (Manifest & { apiVersion: string; spec: object })[];
        assert.ok(manifest);
        const validate = schemas(kind, manifest.apiVersion.split("/")[1] ?? "");
        assert.deepEqual(validate(manifest), []);
        assert.notDeepEqual(validate({ ...manifest, spec: { ...manifest.spec, parentRefs: {}, targetRefs: {} } }), []);
      }
    });
  });

  it("is lost with its nodes: what others write and ask", async () => {
    const one = await run(GATEWAY.stack, { ...GATEWAY.overrides, gateway: { ...(GATEWAY.overrides.gateway as object), replicas: 3 } });
    assert.deepEqual((one.outputs.availability as { survives: object }).survives, { nodes: 1, zones: 1 });
  });
});
