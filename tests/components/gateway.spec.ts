import assert from "node:assert/strict";
import type { ProgramRun } from "../../commands/program";
import { container, mountedConfigMap, object, objects, run } from "../harness";
import { GATEWAY, GATEWAY_SIDECAR, PROD } from "./plans";

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
    assert.equal(all.spec.template.spec.containers.length, 1);
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

  it("is lost with its nodes: what others write and ask", async () => {
    const one = await run(GATEWAY.stack, { ...GATEWAY.overrides, gateway: { ...(GATEWAY.overrides.gateway as object), replicas: 3 } });
    assert.deepEqual((one.outputs.availability as { survives: object }).survives, { nodes: 1, zones: 1 });
  });
});
