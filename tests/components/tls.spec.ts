import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { named, type ProgramRun } from "../../commands/program";
import { objectProblems } from "../../model/objectSizes";
import { EXPIRY_RULES_FILE, expiryRules } from "../../model/tls/expiry";
import { leafPeriod } from "../../model/tls/period";
import { planTls } from "../../model/tls/plan";
import { certificatesOf } from "../../model/values/certificates";
import {
  AUTHORITIES,
  CERTIFICATE,
  type Container,
  containers,
  flagValue,
  load,
  mountedConfigMap,
  type Overrides,
  object,
  objects,
  rejection,
  run,
  settingsOf,
  together,
  type Workload,
  workloads,
} from "../harness";
import { GATEWAY, GATEWAY_SENDERS, GATEWAY_TLS, HISTORY, PLANS, type Plan, PROD, SIDECAR, TLS, TLS_SECRETS, TLS_SIDECAR } from "./plans";

const DIRECTORY = "/etc/thanos/tls";
const files = (directory: string) => ({ cert: `${directory}/tls.crt`, key: `${directory}/tls.key`, ca: `${directory}/ca.crt` });
const FILES = files(DIRECTORY);

const GRPC_SERVER = [
  `--grpc-server-tls-cert=${FILES.cert}`,
  `--grpc-server-tls-key=${FILES.key}`,
  `--grpc-server-tls-client-ca=${FILES.ca}`,
];
const WRITE_SERVER = [
  `--remote-write.server-tls-cert=${FILES.cert}`,
  `--remote-write.server-tls-key=${FILES.key}`,
  `--remote-write.server-tls-client-ca=${FILES.ca}`,
];
/** Of receivers and routers that senders connect to, and of queriers that others ask. */
const CLIENT_CA = "/etc/thanos/client-ca/ca.crt";
const FROM_SENDERS = [...WRITE_SERVER.slice(0, 2), `--remote-write.server-tls-client-ca=${CLIENT_CA}`];
const FROM_QUERIERS = [...GRPC_SERVER.slice(0, 2), `--grpc-server-tls-client-ca=${CLIENT_CA}`];
const FORWARDING = [
  "--remote-write.client-tls-secure",
  `--remote-write.client-tls-cert=${FILES.cert}`,
  `--remote-write.client-tls-key=${FILES.key}`,
  `--remote-write.client-tls-ca=${FILES.ca}`,
];

/** Flags of TLS of a container, but for the name that is asked for. */
const tlsFlags = ({ args = [] }: Container): string[] => args.filter((arg) => /^--[a-z.-]*tls/.test(arg)).sort();

/** Flags of TLS of each kind of process of a run, by its name; the same for all of its pods. */
function flagsOf(made: ProgramRun): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const container of workloads(made).flatMap(containers)) {
    const flags = tlsFlags(container);
    assert.deepEqual(found[container.name] ?? flags, flags, container.name);
    if (flags.length > 0) found[container.name] = flags;
  }
  return found;
}

const both = (...lists: string[][]): string[] => lists.flat().sort();

/** Name of the Secret with a workload's certificate, and the containers that have it, with where. */
function certificateOf(workload: Workload) {
  const volume = workload.spec.template.spec.volumes?.find(({ name }) => name === "tls");
  return {
    secret: volume?.secret?.secretName,
    mounts: containers(workload).flatMap(({ name, volumeMounts = [] }) =>
      volumeMounts.flatMap((mount) => (mount.name === "tls" ? [[name, mount.mountPath]] : [])),
    ),
  };
}

const workloadNamed = (made: ProgramRun, name: string): Workload => {
  const found = workloads(made).find(({ metadata }) => metadata.name === name);
  assert.ok(found !== undefined, name);
  return found;
};

const querierOf = (made: ProgramRun) => object(made, "Deployment", "thanos-querier");

interface EndpointsFile {
  default_client_config?: unknown;
  endpoints: { address: string; group?: boolean; client_config?: { tls_config: Record<string, unknown>; server_name?: string } }[];
}

const endpointsOf = (made: ProgramRun): EndpointsFile =>
  parse(mountedConfigMap(made, querierOf(made), "endpoints").data["endpoints.yaml"] ?? "") as EndpointsFile;

/** The targets of remote write of the stack's own Prometheus. */
function targetsOf(made: ProgramRun): { url: string; tls_config?: unknown }[] {
  const config = mountedConfigMap(made, workloadNamed(made, "prometheus"), "config");
  return (parse(config.data["prometheus.yml"] ?? "") as { remote_write?: { url: string; tls_config?: unknown }[] }).remote_write ?? [];
}

/** The Secrets with certificates as they were registered, by name, with whether the engine keeps them secret. */
function secretsOf(made: ProgramRun): Record<string, { files: Record<string, string>; immutable: boolean; secret: boolean }> {
  return Object.fromEntries(
    made.resources
      .filter(({ type, inputs }) => type === "kubernetes:core/v1:Secret" && inputs.type === "kubernetes.io/tls")
      .map(({ name, inputs }) => {
        const content = inputs.stringData as { value: Record<string, string> };
        const { metadata } = named(name, inputs) as { metadata: { name: string } };
        return [metadata.name, { files: content.value, immutable: inputs.immutable === true, secret: SIGNATURE in content }];
      }),
  );
}

/** Whether one of the CAs of a text has signed a certificate. */
function signedBy(authorities: string, pem: string): boolean {
  const certificate = new X509Certificate(pem);
  return certificatesOf(authorities).some((each) => certificate.checkIssued(each) && certificate.verify(each.publicKey));
}

/** Signature of a secret in the engine's protocol. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";

describe("tls", () => {
  it("left out, or of a stack without: no flag, no volume, no certificate, and plain URLs", async () => {
    for (const { title, stack, overrides } of PLANS.filter(({ overrides: chosen }) => chosen.tls === undefined)) {
      const made = await run(stack, overrides);
      assert.deepEqual(flagsOf(made), {}, title);
      assert.ok(workloads(made).every((workload) => certificateOf(workload).secret === undefined));
      assert.deepEqual(
        made.resources.filter(({ type, name }) => type.startsWith("random:") && name.endsWith("-seed")),
        [],
      );
      assert.equal(endpointsOf(made).default_client_config, undefined);
      assert.equal(made.outputs.tls, undefined);
      assert.ok(!String(made.outputs.remoteWriteUrl ?? "http:").startsWith("https"));
    }
  });

  it("split, stateless rulers: every server of gRPC, both sides of routers, and only receiving receivers", async () => {
    assert.deepEqual(flagsOf(await run(TLS.stack, TLS.overrides)), {
      "thanos-receive": both(GRPC_SERVER, WRITE_SERVER),
      "thanos-receive-router": both(GRPC_SERVER, FROM_SENDERS, FORWARDING),
      "thanos-querier": both(FROM_QUERIERS),
      "thanos-store-gateway": both(GRPC_SERVER),
      "thanos-ruler": both(GRPC_SERVER),
    });
  });

  it("receivers that route: both sides in one process, for one name of all peers", async () => {
    const made = await run(TLS_SECRETS.stack, TLS_SECRETS.overrides);
    assert.deepEqual(flagsOf(made), {
      "thanos-receive": both(GRPC_SERVER, FROM_SENDERS, FORWARDING),
      "thanos-querier": both(FROM_QUERIERS),
    });
    const receive = workloadNamed(made, "thanos-receive");
    assert.equal(flagValue(receive, "--remote-write.client-server-name"), "thanos-stack.thanos-dev.svc.cluster.local");
  });

  it("sidecars and stateful rulers: servers alone", async () => {
    assert.deepEqual(flagsOf(await run(TLS_SIDECAR.stack, TLS_SIDECAR.overrides)), {
      "thanos-sidecar": both(GRPC_SERVER),
      "thanos-querier": both(FROM_QUERIERS),
      "thanos-store-gateway": both(GRPC_SERVER),
      "thanos-ruler": both(GRPC_SERVER),
    });
  });

  it("the querier asks its own stores by the stack's certificate, and others each in their way", async () => {
    const { default_client_config: own, endpoints } = endpointsOf(await run(TLS.stack, TLS.overrides));
    const client = ({ cert, key, ca }: typeof FILES, server_name: string) => ({
      tls_config: { enabled: true, cert_file: cert, key_file: key, ca_file: ca },
      server_name,
    });
    assert.deepEqual(own, client(FILES, "thanos-stack.thanos-prod.svc.cluster.local"));
    assert.ok(endpoints.slice(0, -2).every((each) => Object.keys(each).join() === "address" && each.address.startsWith("dnssrv+")));
    assert.deepEqual(endpoints.slice(-2), [
      { address: "other.example:10901", client_config: { tls_config: { enabled: false } } },
      {
        address: "dns+thanos-querier-grpc.other.svc.cluster.local:10901",
        group: true,
        client_config: client(files("/etc/thanos/endpoint-tls/other-stack"), "thanos-stack.other.svc.cluster.local"),
      },
    ]);
  });

  it("a querier without tls may ask one with it", async () => {
    const endpoints = [{ address: "q.other.svc:10901", tls: { secret: "other", serverName: "thanos-stack.other.svc" } }];
    const made = await run("dev", { querier: { endpoints } });
    const { default_client_config: own, endpoints: all } = endpointsOf(made);
    assert.equal(own, undefined);
    assert.equal(all.at(-1)?.client_config?.tls_config.enabled, true);
    const volumes = querierOf(made).spec.template.spec.volumes ?? [];
    assert.ok(volumes.some(({ name, projected }) => name === "endpoint-tls" && JSON.stringify(projected).includes('"name":"other"')));
  });

  it("Prometheus and rulers write by https, with a certificate, to the name of all servers", async () => {
    const client = ({ cert, key, ca }: typeof FILES) => ({
      ca_file: ca,
      cert_file: cert,
      key_file: key,
      server_name: "thanos-stack.thanos-prod.svc.cluster.local",
    });
    const made = await run(TLS.stack, TLS.overrides);
    const [target] = targetsOf(made);
    assert.equal(target?.url, "https://thanos-receive.thanos-prod.svc.cluster.local:19291/api/v1/receive");
    assert.equal(target?.url, made.outputs.remoteWriteUrl);
    assert.deepEqual(target?.tls_config, client(files("/etc/prometheus/tls")));
    const ruler = mountedConfigMap(made, workloadNamed(made, "thanos-ruler"), "remote-write");
    const written = parse(ruler.data["remote-write.yaml"] ?? "") as { remote_write: { url: string; tls_config: unknown }[] };
    assert.deepEqual(
      written.remote_write.map(({ url, tls_config }) => [url, tls_config]),
      [[target?.url, client(FILES)]],
    );
  });

  it("each file of a certificate that a flag or a configuration names is mounted where it is named, in that container alone", async () => {
    for (const { title, stack, overrides } of [TLS, TLS_SIDECAR, TLS_SECRETS, GATEWAY_TLS]) {
      const made = await run(stack, overrides);
      const expected = new Set(planTls(settingsOf(stack, overrides))?.leaves.map(({ identity }) => identity.app));
      for (const workload of workloads(made)) {
        const { secret, mounts } = certificateOf(workload);
        const app = workload.metadata.labels["app.kubernetes.io/name"] ?? "";
        assert.equal(secret !== undefined, expected.has(app), `${title}: ${workload.metadata.name}`);
        if (secret === undefined) continue;
        // The gateway's reloader looks at the file that HAProxy shows.
        assert.equal(mounts.length, app === "thanos-gateway" ? 2 : 1, workload.metadata.name);
        assert.equal(new Set(mounts.map(([, path]) => path)).size, 1, workload.metadata.name);
        const [[container, path] = []] = mounts;
        const isWriter = app === "prometheus" && container === "prometheus";
        assert.equal(path, isWriter ? "/etc/prometheus/tls" : app === "thanos-gateway" ? "/etc/haproxy/client" : DIRECTORY);
        assert.ok(container !== "prometheus" || made.outputs.scheme === "receive");
      }
    }
  });

  it("0.41, which knows no client configuration of endpoints, gets its flags", async () => {
    const thanos = "quay.io/thanos/thanos:v0.41.0";
    const made = await run("prod", { images: { thanos }, accepts: ["plain-caches"], tls: { certificates: "program" } });
    assert.deepEqual(
      tlsFlags(containers(querierOf(made))[0] as Container),
      both(GRPC_SERVER, [
        "--grpc-client-tls-secure",
        ...(["cert", "key", "ca"] as const).map((name) => `--grpc-client-tls-${name}=${FILES[name]}`),
      ]),
    );
    assert.equal(flagValue(querierOf(made), "--grpc-client-server-name"), "thanos-stack.thanos-prod.svc.cluster.local");
    assert.equal(endpointsOf(made).default_client_config, undefined);
  });

  it("the step before serving: whoever writes has TLS, and nothing else is touched", async () => {
    const tls = { certificates: "program", stage: "senders" };
    const made = await run("prod", together(HISTORY.overrides, { accepts: ["plain-caches"], tls }));
    const plain = await run("prod", HISTORY.overrides);
    assert.deepEqual(flagsOf(made), { "thanos-ruler": both(GRPC_SERVER) });
    assert.equal(endpointsOf(made).default_client_config, undefined);
    assert.match(targetsOf(made)[0]?.url ?? "", /^https:/);
    const changed = workloads(made).filter(
      (workload) => JSON.stringify(workload) !== JSON.stringify(workloadNamed(plain, workload.metadata.name)),
    );
    assert.deepEqual(changed.map(({ metadata }) => metadata.name).sort(), ["prometheus", "thanos-ruler"]);
  });

  it("the gateway shows routers a certificate of its own, in the step before serving too, and is not restarted by the second", async () => {
    const none = await run(GATEWAY.stack, GATEWAY.overrides);
    const servers = (made: ProgramRun) =>
      /server-template .*/.exec(mountedConfigMap(made, workloadNamed(made, "thanos-gateway"), "config").data["haproxy.cfg"] ?? "")?.[0] ??
      "";
    assert.doesNotMatch(servers(none), /ssl/);
    const at = (stage: string) =>
      run(GATEWAY.stack, together(GATEWAY.overrides, { accepts: ["plain-caches"], tls: { certificates: "program", stage } }));
    const [first, second] = [await at("senders"), await at("everywhere")];
    const name = "thanos-stack.thanos-prod.svc.cluster.local";
    assert.match(
      servers(second),
      new RegExp(` crt /etc/haproxy/client/tls.crt ca-file /etc/haproxy/client/ca.crt verify required verifyhost ${name} `),
    );
    assert.match(servers(second), new RegExp(` sni str\\(${name}\\) check-sni ${name} `));
    assert.deepEqual(workloadNamed(second, "thanos-gateway").spec.template, workloadNamed(first, "thanos-gateway").spec.template);
    const volume = workloadNamed(second, "thanos-gateway").spec.template.spec.volumes?.find(({ name: each }) => each === "tls");
    assert.deepEqual(volume?.secret?.items, [
      { key: "tls.crt", path: "tls.crt" },
      // HAProxy finds a key by the name of its certificate.
      { key: "tls.key", path: "tls.crt.key" },
      { key: "ca.crt", path: "ca.crt" },
    ]);
  });

  it("senders that the gateway takes need no certificate of the stack", async () => {
    const tls = { certificates: "program" };
    const senders = { access: { senders: ["10.20.0.0/16"], readers: [] } };
    assert.match((await rejection("prod", { ...senders, tls })).message, /access\.senders = .*tls\.clients/);
    await run(GATEWAY_TLS.stack, GATEWAY_TLS.overrides);
  });

  it("whoever writes is not restarted by the second step: what waits in its log would never be sent", async () => {
    const at = (stage: string) =>
      run("prod", together(HISTORY.overrides, { accepts: ["plain-caches"], tls: { certificates: "program", stage } }));
    const [first, second] = [await at("senders"), await at("everywhere")];
    for (const name of ["prometheus", "thanos-ruler"]) {
      assert.deepEqual(workloadNamed(second, name).spec.template, workloadNamed(first, name).spec.template);
    }
  });
});

describe("tls: the alert of certificates that end", () => {
  /** Rules of the file that the program adds to a plan's, and the ConfigMaps that have it. */
  const added = async ({ stack, overrides }: Pick<Plan, "stack" | "overrides">) =>
    objects(await run(stack, overrides), "ConfigMap").flatMap(({ data }) =>
      Object.entries(data ?? {}).flatMap(([name, text]) =>
        name === EXPIRY_RULES_FILE
          ? (parse(text) as { groups: { rules: { alert: string; expr: string }[] }[] }).groups.flatMap(({ rules }) => rules)
          : [],
      ),
    );

  it("has the date with which the program made them, and asks for an update 30 days before", async () => {
    const [rule] = Object.values(expiryRules(planTls(settingsOf(TLS.stack, TLS.overrides)), "ns", new Date("2026-11-27T12:00:00Z")));
    assert.match(rule ?? "", new RegExp(`expr: vector\\(${Date.UTC(2027, 6, 1) / 1_000}\\) - time\\(\\) < ${30 * 86_400}\n`));
    assert.match(rule ?? "", /end on 2027-07-01/);
    const made = await added(TLS);
    assert.ok(made.length > 0 && made.every(({ alert }) => alert === "CertificatesEndSoon"));
    const { end } = leafPeriod(new Date());
    const secrets = Object.values(secretsOf(await run(TLS.stack, TLS.overrides)));
    for (const each of secrets) assert.equal(Date.parse(new X509Certificate(each.files["tls.crt"] ?? "").validTo), end.getTime());
  });

  it("is cert-manager's own metric of these certificates, where it makes them", async () => {
    const [rule, ...further] = await added(TLS_SIDECAR);
    assert.match(rule?.expr ?? "", /exported_namespace="[^"]+", name=~"[^"]*thanos-querier-tls[^"]*thanos-client-above-tls"/);
    assert.ok(further.every(({ expr }) => expr === rule?.expr));
  });

  it("is none where Secrets are somebody else's, or nothing is encrypted", async () => {
    for (const plan of [TLS_SECRETS, PROD]) assert.deepEqual(await added(plan), []);
  });

  it("is refused its name by nobody's file", () => {
    const theirs = { [EXPIRY_RULES_FILE]: "groups: []" };
    const said = (overrides: Overrides) => objectProblems(settingsOf("dev", overrides), theirs).map(({ value }) => value);
    assert.deepEqual(said({ tls: { certificates: "program" } }), [EXPIRY_RULES_FILE]);
    assert.deepEqual(said({}), []);
  });
});

describe("tls: the program's certificates", () => {
  it("each Secret holds its own component's key and nobody else's, is immutable, and the engine knows that it is secret", async () => {
    const made = await run(TLS.stack, TLS.overrides);
    const secrets = secretsOf(made);
    const settings = settingsOf(TLS.stack, TLS.overrides);
    const leaves = planTls(settings)?.leaves ?? [];
    assert.equal(Object.keys(secrets).length, leaves.length);
    const keys = Object.values(secrets).map((each) => each.files["tls.key"]);
    assert.equal(new Set(keys).size, leaves.length);
    for (const { immutable, secret, files: content } of Object.values(secrets)) {
      assert.ok(immutable && secret);
      assert.deepEqual(Object.keys(content).sort(), ["ca.crt", "tls.crt", "tls.key"]);
      assert.doesNotMatch(`${content["ca.crt"]}${content["tls.crt"]}`, /PRIVATE/);
    }
    for (const { identity, dnsNames, server, client } of leaves) {
      const mounted = workloads(made).filter(({ metadata }) => metadata.labels["app.kubernetes.io/name"] === identity.app);
      const [name = ""] = new Set(mounted.map((workload) => certificateOf(workload).secret));
      const content = secrets[name]?.files ?? {};
      const certificate = new X509Certificate(content["tls.crt"] ?? "");
      assert.equal(certificate.subject, `CN=${identity.app}`);
      assert.ok(certificate.checkPrivateKey(createPrivateKey(content["tls.key"] ?? "")));
      assert.equal(certificate.keyUsage?.length, Number(server) + Number(client));
      assert.equal(certificate.subjectAltName ?? "", dnsNames.map((each) => `DNS:${each}`).join(", "));
    }
    const inText = JSON.stringify(made.resources.filter(({ type }) => type !== "kubernetes:core/v1:Secret"));
    assert.doesNotMatch(inText, /PRIVATE KEY/, "no key outside of Secrets");
  });

  it("are for the names that are dialled: the one of all servers, and of what others write to and ask", async () => {
    const { namespace, cluster } = settingsOf(TLS.stack, TLS.overrides);
    const host = (service: string) => `${service}.${namespace}.svc.${cluster.domain}`;
    for (const { stack, overrides } of [TLS, TLS_SIDECAR, TLS_SECRETS]) {
      const settings = settingsOf(stack, overrides);
      const leaves = planTls(settings)?.leaves ?? [];
      const servers = leaves.filter(({ server }) => server);
      const all = `thanos-stack.${settings.namespace}.svc.${settings.cluster.domain}`;
      for (const { dnsNames } of servers) assert.ok(dnsNames.includes(all));
      for (const { server, dnsNames } of leaves) assert.ok(server || dnsNames.length === 0);
    }
    const made = await run(TLS.stack, TLS.overrides);
    const leaves = planTls(settingsOf(TLS.stack, TLS.overrides))?.leaves ?? [];
    const holders = (name: string) => leaves.filter(({ dnsNames }) => dnsNames.includes(name)).map(({ component }) => component);
    assert.deepEqual(holders(new URL(String(made.outputs.remoteWriteUrl)).hostname), ["receive-router"]);
    assert.deepEqual(holders(String(made.outputs.queryGrpcAddress).replace(/:\d+$/, "")), ["querier"]);
    assert.deepEqual(holders(host("thanos-receive")), ["receive-router"]);
  });

  it("a preview before the first update, which knows no seed, plans the same objects", async () => {
    const [known, preview] = [await run(TLS.stack, TLS.overrides), await run(TLS.stack, TLS.overrides, { preview: true })];
    const titles = ({ resources }: ProgramRun) => resources.map(({ type, name }) => `${type} ${name}`).sort();
    assert.deepEqual(titles(preview), titles(known));
  });

  it("the seed is protected with what keeps samples, and never changed", async () => {
    const [seed] = (await run(TLS.stack, TLS.overrides)).resources.filter(({ type }) => type.startsWith("random:"));
    assert.ok(seed?.options.protect);
    assert.deepEqual([seed.type, seed.inputs.length], ["random:index/randomPassword:RandomPassword", 64]);
  });

  it("outputs: the name and the CA in plain text, and the certificates for others by name", async () => {
    const { outputs } = await run(TLS.stack, TLS.overrides);
    const { serverName, stage, ca } = outputs.tls as { serverName: string; stage: string; ca: string };
    assert.deepEqual([serverName, stage], ["thanos-stack.thanos-prod.svc.cluster.local", "everywhere"]);
    const clients = outputs.tlsClients as Record<string, { certificate: string; key: string }>;
    assert.deepEqual(Object.keys(clients), ["shop", "above"]);
    for (const [name, { certificate: pem, key }] of Object.entries(clients)) {
      const certificate = new X509Certificate(pem);
      assert.deepEqual([certificate.subject, certificate.keyUsage], [`CN=thanos-client-${name}`, ["1.3.6.1.5.5.7.3.2"]]);
      assert.ok(certificate.checkPrivateKey(createPrivateKey(key)));
      assert.ok(!signedBy(ca, pem), "not by the CA of the stack's own");
    }
  });

  it("others' are of the CA that is trusted where they connect, and nowhere else; the stack's own are trusted there too", async () => {
    const made = await run(TLS.stack, TLS.overrides);
    const clients = made.outputs.tlsClients as Record<string, { certificate: string }>;
    const own = Object.values(secretsOf(made));
    const places: [string, Workload, string][] = [
      ["thanos-receive-router", workloadNamed(made, "thanos-receive-router"), "shop"],
      ["thanos-querier", querierOf(made), "above"],
    ];
    for (const [title, workload, client] of places) {
      const bundle = mountedConfigMap(made, workload, "client-ca").data["ca.crt"] ?? "";
      const taken = Object.keys(clients).filter((name) => signedBy(bundle, clients[name]?.certificate ?? ""));
      assert.deepEqual(taken, [client], title);
      for (const { files: content } of own) assert.ok(signedBy(bundle, content["tls.crt"] ?? ""), title);
    }
    for (const { files: content } of own)
      for (const { certificate } of Object.values(clients)) assert.ok(!signedBy(content["ca.crt"] ?? "", certificate));
    const trusting = workloads(made).filter(({ spec }) => spec.template.spec.volumes?.some(({ name }) => name === "client-ca"));
    assert.deepEqual(trusting.map(({ metadata }) => metadata.name).sort(), ["thanos-querier", "thanos-receive-router"]);
  });

  it("another generation of others' is another bundle and other certificates, and no Secret of the stack's own", async () => {
    const at = (generation: number) => run(TLS.stack, together(TLS.overrides, { tls: { clients: { generation } } }));
    const [first, second] = [await at(1), await at(2)];
    assert.deepEqual(secretsOf(second), secretsOf(first));
    const bundle = (made: ProgramRun) =>
      mountedConfigMap(made, workloadNamed(made, "thanos-receive-router"), "client-ca").data["ca.crt"] ?? "";
    const shop = (made: ProgramRun) => (made.outputs.tlsClients as Record<string, { certificate: string }>).shop?.certificate ?? "";
    assert.notEqual(shop(first), shop(second));
    for (const trusted of [bundle(first), bundle(second)])
      for (const certificate of [shop(first), shop(second)]) assert.ok(signedBy(trusted, certificate));
  });

  it("nobody else's CA is trusted where there is nobody else", async () => {
    const made = await run(GATEWAY_TLS.stack, GATEWAY_TLS.overrides);
    assert.doesNotMatch(JSON.stringify(flagsOf(made)), /client-ca\/ca\.crt/);
    assert.ok(workloads(made).every(({ spec }) => !spec.template.spec.volumes?.some(({ name }) => name === "client-ca")));
  });

  it("behind a gateway it alone trusts the senders' CA, without the stack's", async () => {
    const made = await run(GATEWAY_SENDERS.stack, GATEWAY_SENDERS.overrides);
    const { shop } = made.outputs.tlsClients as Record<string, { certificate: string }>;
    const trusted = mountedConfigMap(made, workloadNamed(made, "thanos-gateway"), "senders").data["ca.crt"] ?? "";
    assert.ok(signedBy(trusted, shop?.certificate ?? ""));
    for (const { files: content } of Object.values(secretsOf(made))) {
      assert.ok(!signedBy(trusted, content["tls.crt"] ?? ""));
      assert.ok(!signedBy(content["ca.crt"] ?? "", shop?.certificate ?? ""));
    }
    assert.doesNotMatch(JSON.stringify(flagsOf(made)), /client-ca\/ca\.crt/);
  });

  it("outputs: only the keys for others are secret", async () => {
    assert.deepEqual((await run(TLS.stack, TLS.overrides)).secretOutputs, ["tlsClients"]);
    assert.deepEqual((await run(PROD.stack, PROD.overrides)).secretOutputs, []);
  });
});

describe("tls: certificates of others", () => {
  it("cert-manager's: one for each component with its uses and names, and the Secrets that pods mount", async () => {
    const made = await run(TLS_SIDECAR.stack, TLS_SIDECAR.overrides);
    const certificates = objects(made, "Certificate") as unknown as {
      apiVersion: string;
      metadata: { name: string };
      spec: { secretName: string; usages: string[]; dnsNames?: string[]; issuerRef: unknown; duration: string; renewBefore: string };
    }[];
    const SERVES = ["digital signature", "server auth"];
    assert.deepEqual(Object.fromEntries(certificates.map(({ spec }) => [spec.secretName, spec.usages])), {
      "prometheus-tls": SERVES,
      "thanos-client-above-tls": ["digital signature", "client auth"],
      "thanos-querier-tls": [...SERVES, "client auth"],
      "thanos-ruler-tls": SERVES,
      "thanos-store-gateway-tls": SERVES,
    });
    for (const { apiVersion, metadata, spec } of certificates) {
      assert.deepEqual([apiVersion, metadata.name], ["cert-manager.io/v1", spec.secretName]);
      const [name, kind] = spec.secretName.startsWith("thanos-client-") ? ["queriers", "Issuer"] : ["inside", "ClusterIssuer"];
      assert.deepEqual(spec.issuerRef, { name, kind, group: "cert-manager.io" });
      assert.ok(Number.parseInt(spec.renewBefore, 10) < Number.parseInt(spec.duration, 10));
    }
    const bundle = mountedConfigMap(made, querierOf(made), "client-ca").data["ca.crt"];
    assert.equal(bundle, `${CERTIFICATE.trimEnd()}\n${AUTHORITIES.queriers.trimEnd()}\n`);
    const mounted = new Set(workloads(made).flatMap((workload) => certificateOf(workload).secret ?? []));
    assert.deepEqual([...mounted].sort(), ["prometheus-tls", "thanos-querier-tls", "thanos-ruler-tls", "thanos-store-gateway-tls"]);
    assert.deepEqual(secretsOf(made), {});
  });

  it("existing Secrets: the one for all, or a component's own", async () => {
    const made = await run(TLS_SECRETS.stack, TLS_SECRETS.overrides);
    const mounted = Object.fromEntries(
      workloads(made).flatMap((workload) => {
        const { secret } = certificateOf(workload);
        return secret === undefined ? [] : [[workload.metadata.name, secret]];
      }),
    );
    assert.deepEqual(mounted, { "thanos-receive": "inside-receive", "thanos-querier": "inside", prometheus: "inside" });
    const bundles = workloads(made).flatMap(({ metadata, spec }) =>
      (spec.template.spec.volumes ?? []).flatMap(({ name, secret }) =>
        name === "client-ca" ? [[metadata.name, secret?.secretName, secret?.items?.map(({ key }) => key).join()]] : [],
      ),
    );
    assert.deepEqual(bundles.sort(), [
      ["thanos-querier", "queriers", "ca.crt"],
      ["thanos-receive", "senders", "ca.crt"],
    ]);
    assert.deepEqual(
      made.resources.filter(({ type }) => type.startsWith("random:")),
      [],
    );
  });
});

describe("tls: what is refused", () => {
  const LEAF = readFileSync(join(__dirname, "../leaf.pem"), "utf8");
  const PROGRAM = { certificates: "program" };
  const SECRETS = { certificates: { secrets: { all: "inside" } } };
  const certManagerOf = (clients: object, authority = CERTIFICATE) => ({
    certificates: { certManager: { issuer: { name: "a" }, ...(authority === "" ? {} : { authority }), clients } },
  });
  const cases: { title: string; plan?: { stack: "dev" | "prod"; overrides: Overrides }; overrides: Overrides; expected: RegExp }[] = [
    {
      title: "no way to certificates",
      overrides: { tls: { certificates: {} } },
      expected: /tls\.certificates .*exactly one of program, certManager, secrets/,
    },
    {
      title: "two ways",
      overrides: { tls: { certificates: { program: {}, secrets: { all: "a" } } } },
      expected: /tls\.certificates .*exactly one of/,
    },
    {
      title: "a generation of others",
      overrides: { tls: { ...SECRETS, generation: 2 } },
      expected: /tls\.generation .*only the CA of the program/,
    },
    {
      title: "a generation of others' clients",
      overrides: { tls: { ...SECRETS, clients: { generation: 2 } } },
      expected: /tls\.clients\.generation .*only the CAs of the program/,
    },
    {
      title: "one list of names, as before there were two CAs for them, with what to write",
      overrides: { tls: { ...PROGRAM, clients: ["a"] } },
      expected: /tls\.clients = \["a"\]: one list does not say what its names may.*Accepted: \{ write: \[/,
    },
    {
      title: "a name for both",
      overrides: { tls: { ...PROGRAM, clients: { write: ["a", "b"], query: ["b"] } } },
      expected: /tls\.clients\.query = "b": tls\.clients\.write has this name too.*b-queries/,
    },
    {
      title: "names for which nobody signs",
      overrides: { tls: { ...SECRETS, clients: { query: ["a"] } } },
      expected: /tls\.clients\.query .*nobody here can sign.*tls\.certificates\.secrets\.clients\.query/,
    },
    {
      title: "names for which no issuer of theirs signs",
      overrides: { tls: { certificates: { certManager: { issuer: { name: "a" } } }, clients: { query: ["a"] } } },
      expected: /tls\.certificates\.certManager\.clients\.query = \(not set\): .*no issuer signs for them/,
    },
    {
      title: "another CA beside one whose certificates nobody knows",
      overrides: { tls: certManagerOf({ query: { issuer: { name: "b" }, authority: AUTHORITIES.queriers } }, "") },
      expected: /tls\.certificates\.certManager\.authority = \(not set\): .*both in one file/,
    },
    {
      title: "an issuer for two things",
      overrides: { tls: certManagerOf({ query: { issuer: { name: "a" }, authority: AUTHORITIES.queriers } }) },
      expected: /certManager\.clients\.query\.issuer .*tls\.certificates\.certManager\.issuer is the same CA/,
    },
    {
      title: "a CA for two things",
      overrides: {
        tls: certManagerOf({
          write: { issuer: { name: "b" }, authority: AUTHORITIES.senders },
          query: { issuer: { name: "c" }, authority: `${AUTHORITIES.queriers}${AUTHORITIES.senders}` },
        }),
      },
      expected: /certManager\.clients\.query\.authority .*clients\.write\.authority is the same CA/,
    },
    {
      title: "a certificate of no CA, as out of tls.crt",
      overrides: { tls: certManagerOf({}, LEAF) },
      expected: /certManager\.authority = "CN=leaf": it is no CA's.*ca\.crt/,
    },
    {
      title: "the gateway's own certificate in a Secret that cert-manager makes for its connections to routers",
      plan: GATEWAY as never,
      overrides: { tls: certManagerOf({}), gateway: { certificate: { secret: "thanos-gateway-tls", authority: undefined } } },
      expected: /gateway\.certificate\.secret = "thanos-gateway-tls": tls\.certificates\.certManager makes this Secret/,
    },
    {
      title: "senders whose CA is the stack's own, by a Secret that cert-manager makes",
      plan: GATEWAY as never,
      overrides: { tls: certManagerOf({}), gateway: { senderAuthority: { secret: "thanos-receive-tls" } } },
      expected: /gateway\.senderAuthority\.secret = "thanos-receive-tls": .*writes as any tenant/,
    },
    {
      title: "senders whom the gateway does not trust, by their Secret",
      plan: GATEWAY as never,
      overrides: { tls: { certificates: { secrets: { all: "inside", clients: { write: "senders" } } } } },
      expected: /secrets\.clients\.write = "senders": .*the gateway alone/,
    },
    {
      title: "a Secret for two things",
      overrides: { tls: { certificates: { secrets: { all: "inside", clients: { query: "inside" } } } } },
      expected: /secrets\.clients\.query = "inside": tls\.certificates\.secrets\.all is this Secret too/,
    },
    {
      title: "senders where nobody writes",
      plan: SIDECAR as never,
      overrides: { tls: { ...PROGRAM, clients: { write: ["a"] } } },
      expected: /tls\.clients\.write .*nobody writes/,
    },
    {
      title: "senders whom the gateway does not trust",
      plan: GATEWAY_TLS as never,
      overrides: { tls: { clients: { write: ["a"] } } },
      expected: /tls\.clients\.write .*the gateway alone.*gateway\.senderAuthority "tls"/,
    },
    {
      title: "a gateway that trusts senders whom nobody names",
      plan: GATEWAY_TLS as never,
      overrides: { gateway: { senderAuthority: "tls" } },
      expected: /gateway\.senderAuthority .*tls\.clients\.write names nobody/,
    },
    {
      title: "a gateway that trusts a CA of tls where there is none",
      plan: GATEWAY as never,
      overrides: { gateway: { senderAuthority: "tls" } },
      expected: /gateway\.senderAuthority .*without tls/,
    },
    {
      title: "a gateway that trusts a CA that is in Secrets of somebody else",
      plan: GATEWAY as never,
      overrides: { ...{ tls: SECRETS }, gateway: { senderAuthority: "tls" } },
      expected: /gateway\.senderAuthority .*knows no CA of senders alone/,
    },
    {
      title: "a tenant by a name that the senders' CA has not signed",
      plan: GATEWAY_SENDERS as never,
      overrides: { gateway: { tenants: { edge: { certificates: ["shop"] } } } },
      expected: /gateway\.tenants\.edge\.certificates = "shop": .*Accepted: one of thanos-client-shop/,
    },
    {
      title: "a component without a Secret",
      overrides: { tls: { certificates: { secrets: { receive: "a", routers: "a", storeGateway: "a", prometheus: "c" } } } },
      expected: /tls\.certificates\.secrets\.querier .*querier has no certificate/,
    },
    {
      title: "a step of writers where nobody writes",
      plan: SIDECAR as never,
      overrides: { tls: { ...PROGRAM, stage: "senders" } },
      expected: /tls\.stage .*nobody writes/,
    },
    {
      title: "senders to whom nobody gives a certificate",
      overrides: { tls: PROGRAM, access: { senders: ["shop"] }, tenancy: { tenants: [] } },
      expected: /access\.senders .*tls\.clients\.write/,
    },
    {
      title: "queriers to whom nobody gives a certificate",
      overrides: { tls: PROGRAM, access: { federation: ["above"] } },
      expected: /access\.federation .*tls\.clients\.query/,
    },
    {
      title: "an address that Thanos would ask with the stack's own certificate",
      overrides: { tls: PROGRAM, querier: { endpoints: ["dns+a.example:10901"] } },
      expected: /querier\.endpoints\[0\] .*this stack's certificate and CA/,
    },
    {
      title: "SRV records with a certificate",
      overrides: { querier: { endpoints: [{ address: "dnssrv+_grpc._tcp.a.example", tls: { secret: "a", serverName: "b" } }] } },
      expected: /querier\.endpoints\[0\]\.address .*SRV records/,
    },
    {
      title: "other stacks beside 0.41",
      overrides: { tls: PROGRAM, images: { thanos: "quay.io/thanos/thanos:v0.41.0" }, querier: { endpoints: ["a.example:10901"] } },
      expected: /querier\.endpoints\[0\] .*0\.41 speaks to all of its endpoints in one way/,
    },
  ];
  for (const { title, plan = PROD, overrides, expected } of cases) {
    it(title, async () => {
      const accepts = plan.stack === "prod" ? { accepts: ["plain-caches"] } : {};
      const { problems } = await rejection(plan.stack, together(accepts, plan.overrides, overrides));
      assert.equal(problems.length, 1, problems.join("\n"));
      assert.match(problems[0] ?? "", expected);
    });
  }

  it("caches that Thanos reaches in plain text, each by its key, unless that is accepted", async () => {
    const inMemory = { inMemory: {}, memcached: undefined };
    const storeGateway = { indexCache: inMemory, chunkCache: inMemory };
    const keys = async (overrides: Overrides) =>
      (await rejection("prod", together({ tls: PROGRAM }, overrides))).problems.map((line) => line.split(": memcached beside tls")[0]);
    assert.deepEqual(await keys({}), [
      '  - queryFrontend.cache = "memcached"',
      '  - objectStorage.storeGateway.indexCache = "memcached"',
      '  - objectStorage.storeGateway.chunkCache = "memcached"',
    ]);
    assert.deepEqual(await keys({ queryFrontend: undefined, objectStorage: { storeGateway: { indexCache: inMemory } } }), [
      '  - objectStorage.storeGateway.chunkCache = "memcached"',
    ]);
    await load("prod", { tls: PROGRAM, queryFrontend: undefined, objectStorage: { storeGateway } });
    await load("prod", { tls: PROGRAM, accepts: ["plain-caches"] });
  });

  it("a flag of TLS in extra, with the key that decides", async () => {
    const extra = { args: ["--grpc-server-tls-cert=/etc/extra/tls.crt"] };
    const { problems } = await rejection("prod", { querier: { extra } });
    assert.match(problems.join("\n"), /extra\.args\[0\] .*the program sets this flag.*the key tls instead/);
  });
});
