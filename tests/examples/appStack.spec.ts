import assert from "node:assert/strict";
import { parse } from "yaml";
import { violationsOfRestricted } from "../components/podSecurity";
import type { PodSpec } from "../harness";
import {
  type AppRun,
  AppRunError,
  type AppWorkload,
  appConfig,
  appWorkloads,
  ENCRYPTED_OUTPUTS,
  GUARDED_OUTPUTS,
  kind,
  PLATFORM,
  PLATFORM_OUTPUTS,
  runApp,
} from "./program";

interface ConfigMap {
  metadata: { name: string };
  immutable: boolean;
  data: Record<string, string>;
}

const PEER = "organization/thanos-app/other";
const SENDER = { platform: PLATFORM, tenant: "greeter", externalLabels: { cluster: "dev", app: "greeter" } };

async function refusal(options: Parameters<typeof runApp>[0]): Promise<AppRunError> {
  const thrown = await runApp(options).then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(thrown instanceof AppRunError, "the program should have refused");
  return thrown;
}

function workload(run: AppRun, name: string): AppWorkload {
  const found = appWorkloads(run).find((each) => each.metadata.name === name);
  assert.ok(found, `no workload ${name}`);
  return found;
}

function mounted(run: AppRun, of: AppWorkload, volume: string): Record<string, string> {
  const name = of.spec.template.spec.volumes?.find((each) => each.name === volume)?.configMap?.name;
  const map = kind<ConfigMap>(run, "ConfigMap").find((each) => each.metadata.name === name);
  assert.ok(map, `${of.metadata.name} has no ConfigMap behind ${volume}`);
  return map.data;
}

const agentFile = (run: AppRun) => parse(mounted(run, workload(run, "prometheus-agent"), "config")["prometheus.yml"] ?? "");

/** Names of the resources that are new or differ between two runs. */
function changed(before: AppRun, after: AppRun): string[] {
  const texts = new Map(before.resources.map((each) => [`${each.type} ${each.name}`, JSON.stringify(each.inputs)]));
  assert.equal(before.resources.length, after.resources.length);
  return after.resources
    .filter((each) => texts.get(`${each.type} ${each.name}`) !== JSON.stringify(each.inputs))
    .map((each) => `${each.type.slice(each.type.lastIndexOf(":") + 1)} ${each.name}`)
    .sort();
}

describe("app stack", () => {
  it("sends to the platform under its own tenant and external labels", async () => {
    const run = await runApp({ config: appConfig({ externalLabels: { team: "hello" } }) });
    const { global, remote_write: targets } = agentFile(run);
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Prometheus expands it.
    assert.deepEqual(global.external_labels, { team: "hello", cluster: "dev", app: "greeter", prometheus_replica: "${POD_NAME}" });
    assert.equal(targets.length, 1);
    assert.equal(targets[0].url, PLATFORM_OUTPUTS.remoteWriteUrl);
    assert.deepEqual(targets[0].headers, { "THANOS-TENANT": "greeter" });
    const agent = workload(run, "prometheus-agent");
    const [container] = agent.spec.template.spec.containers;
    assert.ok(container?.args?.includes("--agent"));
    assert.ok(container?.env?.some((each) => each.name === "POD_NAME"));
  });

  it("names the tenant by the header that the platform reads", async () => {
    const run = await runApp({ stacks: { [PLATFORM]: { ...PLATFORM_OUTPUTS, tenantHeader: "X-Tenant" } } });
    assert.deepEqual(agentFile(run).remote_write[0].headers, { "X-Tenant": "greeter" });
    assert.equal(dataSource(run).jsonData.httpHeaderName1, "X-Tenant");
  });

  it("scrapes every pod of its own by the port and path that the pod has, and none by the platform's annotation", async () => {
    const run = await runApp();
    const [job, ...others] = agentFile(run).scrape_configs;
    assert.deepEqual(others, []);
    assert.deepEqual(job.kubernetes_sd_configs, [
      { role: "pod", namespaces: { names: ["greeter-dev"] }, selectors: [{ role: "pod", label: "app.kubernetes.io/part-of=greeter" }] },
    ]);
    assert.equal(appWorkloads(run).length, 3);
    for (const { metadata, spec } of appWorkloads(run)) {
      assert.equal(spec.template.metadata.labels["app.kubernetes.io/part-of"], "greeter", metadata.name);
      assert.equal(spec.template.metadata.labels["app.kubernetes.io/name"], metadata.name);
      const ports = spec.template.spec.containers.flatMap((each) => each.ports ?? []);
      assert.deepEqual(
        ports.map((port) => (port as { name?: string }).name),
        ["http"],
        metadata.name,
      );
      assert.equal(spec.template.metadata.annotations?.["prometheus.io/scrape"], undefined);
    }
    assert.equal(workload(run, "greeter").spec.template.metadata.annotations?.["prometheus.io/path"], "/cgi-bin/metrics");
  });

  it("may look up pods in its namespace and nothing else", async () => {
    const run = await runApp();
    assert.deepEqual(
      kind<{ rules: unknown }>(run, "Role").map((role) => role.rules),
      [[{ apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch"] }]],
    );
    assert.deepEqual([...kind(run, "ClusterRole"), ...kind(run, "ClusterRoleBinding")], []);
    const withToken = appWorkloads(run).filter((each) => each.spec.template.spec.automountServiceAccountToken !== false);
    assert.deepEqual(
      withToken.map((each) => each.metadata.name),
      ["prometheus-agent"],
    );
  });

  for (const [title, agent] of [
    ["in the pod", {}],
    ["on a volume", { volume: { size: "2Gi" } }],
  ] as const) {
    it(`satisfies Pod Security restricted, which its namespace enforces, with the log ${title}`, async () => {
      const run = await runApp({ config: appConfig({ agent }) });
      const [namespace] = kind<{ metadata: { labels: Record<string, string> } }>(run, "Namespace");
      assert.equal(namespace?.metadata.labels["pod-security.kubernetes.io/enforce"], "restricted");
      for (const { metadata, spec } of appWorkloads(run)) {
        assert.deepEqual(violationsOfRestricted(spec.template.spec as PodSpec), [], metadata.name);
        for (const container of spec.template.spec.containers) {
          assert.equal(container.securityContext?.readOnlyRootFilesystem, true, container.name);
          assert.match(container.image, /:[^:]*\d+\.\d+\.\d+/, container.name);
          const { resources } = container as unknown as { resources: { requests: object; limits: { memory: string } } };
          assert.deepEqual(Object.keys(resources.requests), ["cpu", "memory"]);
          assert.ok(resources.limits.memory);
        }
      }
      const { spec } = workload(run, "prometheus-agent");
      const inPod = spec.template.spec.volumes?.some((each) => each.name === "log" && each.emptyDir !== undefined);
      assert.equal(inPod, !("volume" in agent));
      assert.deepEqual(
        spec.volumeClaimTemplates?.map((claim) => claim.spec.resources.requests.storage),
        "volume" in agent ? ["2Gi"] : undefined,
      );
    });
  }

  describe("who may connect", () => {
    interface Policy {
      metadata: { name: string };
      spec: {
        podSelector: { matchLabels?: Record<string, string> };
        policyTypes: string[];
        ingress: {
          from?: { podSelector?: { matchLabels: Record<string, string> }; namespaceSelector?: object }[];
          ports: { port: string }[];
        }[];
      };
    }
    /** Who reaches a workload's port: workloads of the namespace, `everybody`, or what else a policy lets in. */
    function callers(run: AppRun, name: string): string[] {
      const labelsOf = (of: AppWorkload) => of.spec.template.metadata.labels as Record<string, string>;
      const selects = (labels: Record<string, string> = {}, of: AppWorkload) =>
        Object.entries(labels).every(([label, value]) => labelsOf(of)[label] === value);
      const policies = kind<Policy>(run, "NetworkPolicy").filter(({ spec }) => selects(spec.podSelector.matchLabels, workload(run, name)));
      assert.ok(
        policies.some(({ spec }) => spec.podSelector.matchLabels === undefined && spec.ingress.length === 0),
        "nothing is denied",
      );
      return policies
        .flatMap(({ spec }) => spec.ingress)
        .flatMap(({ from }) => {
          if (from === undefined) return ["everybody"];
          return from.flatMap((peer) => {
            if (peer.podSelector === undefined) return [JSON.stringify(peer)];
            const { matchLabels } = peer.podSelector;
            return appWorkloads(run)
              .filter((each) => selects(matchLabels, each))
              .map((each) => each.metadata.name);
          });
        })
        .sort();
    }

    it("is everybody for the service, and the agent alone for agent and Grafana", async () => {
      const run = await runApp();
      assert.deepEqual(callers(run, "greeter"), ["everybody", "prometheus-agent"]);
      assert.deepEqual(callers(run, "prometheus-agent"), ["prometheus-agent"]);
      assert.deepEqual(callers(run, "grafana"), ["prometheus-agent"]);
      for (const { spec } of kind<Policy>(run, "NetworkPolicy")) {
        assert.deepEqual(spec.policyTypes, ["Ingress"]);
        for (const { ports } of spec.ingress)
          assert.deepEqual(
            ports.map(({ port }) => port),
            ["http"],
          );
      }
    });

    it("is also a named namespace for Grafana, and nobody of it for the rest", async () => {
      const run = await runApp({ config: appConfig({ grafana: { namespaces: ["ingress-nginx"] } }) });
      assert.match(callers(run, "grafana").join(), /"operator":"In","values":\["ingress-nginx"\]/);
      assert.deepEqual(callers(run, "prometheus-agent"), ["prometheus-agent"]);
    });
  });

  it("exports who it sends as, where it is, and the password as a secret", async () => {
    const { outputs, secrets } = await runApp();
    assert.deepEqual(outputs, {
      sender: SENDER,
      serviceUrl: "http://greeter.greeter-dev.svc:80",
      grafanaUrl: "http://grafana.greeter-dev.svc:3000",
      grafanaAdminPassword: "generated",
    });
    assert.deepEqual(secrets, ["grafanaAdminPassword"]);
  });

  const files = (run: AppRun, of: AppWorkload, volume: string): Record<string, string> => {
    const name = of.spec.template.spec.volumes?.find((each) => each.name === volume)?.secret?.secretName;
    const secret = kind<{ metadata: { name: string }; immutable: boolean; stringData: Record<string, string> }>(run, "Secret").find(
      ({ metadata }) => metadata.name === name,
    );
    assert.ok(secret?.immutable, `${of.metadata.name} has no Secret behind ${volume}`);
    return secret.stringData;
  };

  describe("a platform with tls and no gateway", () => {
    const stacks = { [PLATFORM]: ENCRYPTED_OUTPUTS };

    it("is written to with a certificate of the application's name, in files of a Secret, for the name of its servers", async () => {
      const run = await runApp({ stacks });
      const [{ url, headers, authorization, tls_config }] = agentFile(run).remote_write;
      assert.deepEqual([url, headers, authorization], [ENCRYPTED_OUTPUTS.remoteWriteUrl, { "THANOS-TENANT": "greeter" }, undefined]);
      const agent = workload(run, "prometheus-agent");
      const folder = agent.spec.template.spec.containers[0]?.volumeMounts?.find(({ name }) => name === "client")?.mountPath;
      assert.deepEqual(tls_config, {
        ca_file: `${folder}/ca.crt`,
        cert_file: `${folder}/tls.crt`,
        key_file: `${folder}/tls.key`,
        server_name: "thanos-stack.thanos-dev.svc.cluster.local",
      });
      assert.deepEqual(files(run, agent, "client"), {
        "ca.crt": "ca-of-platform",
        "tls.crt": "certificate-of-greeter",
        "tls.key": "key-of-greeter",
      });
      const others = run.resources.filter(({ type }) => !type.endsWith(":Secret"));
      assert.doesNotMatch(JSON.stringify([others, run.outputs]), /(certificate|key)-of-/);
    });

    it("is written to with another name's where that is said", async () => {
      const run = await runApp({ stacks, config: appConfig({ agent: { client: "shop" } }) });
      assert.equal(files(run, workload(run, "prometheus-agent"), "client")["tls.key"], "key-of-shop");
    });

    it("that has made none of this name, or whose certificates others make, is refused with what to do", async () => {
      const named = await refusal({ stacks, config: appConfig({ agent: { client: "nobody" } }) });
      assert.match(named.message, /no certificate for nobody, only for greeter, shop: name it in its tls\.clients\.write/);
      const { ca: _ca, ...others } = ENCRYPTED_OUTPUTS.tls as Record<string, unknown>;
      const { tlsClients: _clients, ...rest } = ENCRYPTED_OUTPUTS;
      const error = await refusal({ stacks: { [PLATFORM]: { ...rest, tls: others } } });
      assert.match(error.message, /senders with a certificate only .* none is in its outputs: .*or the platform a gateway/);
      assert.deepEqual([named.resources, error.resources], [[], []]);
    });
  });

  describe("a platform with a gateway", () => {
    const stacks = { [PLATFORM]: GUARDED_OUTPUTS };
    it("is written to by its public URL, with its CA and the tenant's token in files of a Secret", async () => {
      const run = await runApp({ stacks });
      const [{ url, headers, authorization, tls_config: tls }] = agentFile(run).remote_write;
      assert.equal(url, GUARDED_OUTPUTS.publicRemoteWriteUrl);
      assert.equal(headers, undefined, "the gateway names the tenant");
      const agent = workload(run, "prometheus-agent");
      const [container] = agent.spec.template.spec.containers;
      const folder = container?.volumeMounts?.find(({ name }) => name === "gateway")?.mountPath;
      assert.deepEqual([authorization, tls], [{ credentials_file: `${folder}/token` }, { ca_file: `${folder}/ca.crt` }]);
      assert.deepEqual(files(run, agent, "gateway"), { token: "token-of-greeter", "ca.crt": GUARDED_OUTPUTS.gatewayCa });
    });

    it("is asked through its gateway, as the reader of the tenant's name or another, by a data source in a Secret", async () => {
      for (const [reader, token] of [
        [undefined, "token-of-reader"],
        ["sre", "token-of-sre"],
      ] as const) {
        const run = await runApp({ stacks, config: appConfig(reader === undefined ? {} : { grafana: { reader } }) });
        const { datasources } = parse(files(run, workload(run, "grafana"), "datasources")["datasources.yaml"] ?? "");
        const [source] = datasources;
        assert.equal(source.url, GUARDED_OUTPUTS.gatewayQueryUrl);
        assert.deepEqual([source.jsonData.httpHeaderName1, source.jsonData.tlsAuthWithCACert], ["Authorization", true]);
        assert.deepEqual(source.secureJsonData, { httpHeaderValue1: `Bearer ${token}`, tlsCACert: GUARDED_OUTPUTS.gatewayCa });
      }
    });

    it("has no token anywhere but in Secrets", async () => {
      const { resources, outputs } = await runApp({ stacks });
      const others = resources.filter(({ type }) => !type.endsWith(":Secret"));
      assert.doesNotMatch(JSON.stringify([others, outputs]), /token-of-/);
    });

    it("by the authorities that everybody trusts, where the platform names none", async () => {
      const { gatewayCa: _ca, ...rest } = GUARDED_OUTPUTS;
      const run = await runApp({ stacks: { [PLATFORM]: rest } });
      assert.equal(agentFile(run).remote_write[0].tls_config, undefined);
      assert.deepEqual(Object.keys(files(run, workload(run, "prometheus-agent"), "gateway")), ["token"]);
    });

    it("that has no token for the tenant is refused, by the name that lacks", async () => {
      const none = { [PLATFORM]: { ...GUARDED_OUTPUTS, credentials: { tenants: { greeter: "token-of-greeter" }, readers: {} } } };
      const { message, resources } = await refusal({ stacks: none });
      assert.match(message, /no token in credentials\.readers\.greeter: name it in its gateway\.readers/);
      assert.deepEqual(resources, []);
      const { resources: made } = await runApp({ stacks: none, config: appConfig({ grafana: { enabled: false } }) });
      assert.ok(made.length > 0, "without a Grafana nobody asks");
    });
  });

  describe("what the platform must have", () => {
    it("is named where it is missing, before anything is registered", async () => {
      const { remoteWriteUrl: _url, queryUrl: _query, ...rest } = PLATFORM_OUTPUTS;
      const error = await refusal({ stacks: { [PLATFORM]: rest } });
      assert.match(error.message, /queryUrl: missing/);
      assert.match(error.message, /remoteWriteUrl: missing/);
      assert.deepEqual(error.resources, []);
    });

    it("is a ring to write to: the sidecar scheme is refused in a sentence", async () => {
      const { remoteWriteUrl: _url, ring: _ring, ...rest } = PLATFORM_OUTPUTS;
      const error = await refusal({ stacks: { [PLATFORM]: { ...rest, scheme: "sidecar" } } });
      assert.match(error.message, /scheme "sidecar", which takes no remote write/);
      assert.deepEqual(error.resources, []);
    });

    it("is a cluster's name, and a querier that removes the agent's replica label", async () => {
      const error = await refusal({
        stacks: { [PLATFORM]: { ...PLATFORM_OUTPUTS, externalLabels: {}, replicaLabels: ["receive_replica"] } },
      });
      assert.match(error.message, /no external label cluster/);
      assert.match(error.message, /doesn't remove prometheus_replica/);
    });

    it("may grow: outputs of a later version are ignored", async () => {
      const run = await runApp({ stacks: { [PLATFORM]: { ...PLATFORM_OUTPUTS, later: { of: "any kind" } } } });
      assert.deepEqual(run.outputs.sender, SENDER);
    });
  });

  describe("an endpoint that moves", () => {
    it("changes what uses it and nothing else", async () => {
      const before = await runApp();
      const moved = (name: string, value: unknown) => runApp({ stacks: { [PLATFORM]: { ...PLATFORM_OUTPUTS, [name]: value } } });
      assert.deepEqual(changed(before, await moved("queryUrl", "http://thanos-query-frontend.thanos-dev.svc.cluster.local:9090")), [
        "ConfigMap grafana-datasources",
        "Deployment grafana",
      ]);
      assert.deepEqual(changed(before, await moved("remoteWriteUrl", "http://routers.thanos-dev.svc.cluster.local:19291/api/v1/receive")), [
        "ConfigMap agent-config",
        "StatefulSet agent",
      ]);
      assert.deepEqual(changed(before, await moved("querierUrl", "http://elsewhere.thanos-dev.svc.cluster.local:9090")), []);
      assert.deepEqual(changed(before, await moved("ring", { ...(PLATFORM_OUTPUTS.ring as object), hash: "1e90" })), []);
    });
  });

  describe("senders of the same identity", () => {
    const other = (sender: unknown) => ({
      config: appConfig({ peers: [PEER] }),
      stacks: { [PLATFORM]: PLATFORM_OUTPUTS, [PEER]: { sender } },
    });

    it("are refused before anything is registered, naming the other stack", async () => {
      const error = await refusal(other({ ...SENDER, externalLabels: { app: "greeter", cluster: "dev" }, later: 1 }));
      assert.match(error.message, /organization\/thanos-app\/other already sends to organization\/thanos-stack\/dev as tenant greeter/);
      assert.match(error.message, /cluster="dev", app="greeter"/);
      assert.deepEqual(error.resources, []);
    });

    it("differ by tenant, by a label, by a further label, or by the platform", async () => {
      for (const change of [
        { tenant: "someone" },
        { externalLabels: { cluster: "dev", app: "other" } },
        { externalLabels: { cluster: "dev", app: "greeter", team: "hello" } },
        { platform: "organization/thanos-stack/prod" },
      ]) {
        const run = await runApp(other({ ...SENDER, ...change }));
        assert.deepEqual(run.outputs.sender, SENDER, JSON.stringify(change));
      }
    });

    it("are told by a further label of one's own", async () => {
      const { config, stacks } = other(SENDER);
      const run = await runApp({ config: { ...config, "thanos-app:externalLabels": { team: "hello" } }, stacks });
      assert.deepEqual(run.outputs.sender, { ...SENDER, externalLabels: { ...SENDER.externalLabels, team: "hello" } });
    });

    it("can't be known of a stack that isn't deployed, which is said", async () => {
      const run = await runApp(other(undefined));
      assert.ok(run.messages.some((message) => message.includes(`${PEER} has no output sender`)));
    });

    it("are asked of stacks that say who they are", async () => {
      assert.match((await refusal(other({ tenant: "greeter" }))).message, /organization\/thanos-app\/other: its output sender is no/);
      assert.match((await refusal({ config: appConfig({ peers: [PEER] }) })).message, /unknown stack "organization\/thanos-app\/other"/);
      const itself = await refusal({ config: appConfig({ peers: ["organization/thanos-app/dev"] }) });
      assert.match(itself.message, /organization\/thanos-app\/dev is this stack itself/);
    });

    it("are never the platform itself: its tenant and labels are not to be taken", async () => {
      assert.match(
        (await refusal({ config: appConfig({ tenant: "default-tenant" }) })).message,
        /tenant: default-tenant is the tenant of senders/,
      );
      for (const label of ["cluster", "app", "prometheus_replica", "receive_replica"]) {
        const error = await refusal({ config: appConfig({ externalLabels: { [label]: "x" } }) });
        assert.match(error.message, new RegExp(`externalLabels\\.${label}`));
      }
    });
  });

  it("is refused under a tenant that the platform doesn't take: its agent would be answered 500 for ever", async () => {
    const closed = (...tenants: string[]) => ({ stacks: { [PLATFORM]: { ...PLATFORM_OUTPUTS, tenants: ["default-tenant", ...tenants] } } });
    assert.match((await refusal(closed("shop"))).message, /tenant: .*takes default-tenant, shop and not greeter: .*tenancy\.tenants/);
    assert.deepEqual((await runApp(closed("greeter"))).outputs.sender, SENDER);
    assert.deepEqual((await runApp(closed("greet*"))).outputs.sender, SENDER);
  });

  describe("its configuration", () => {
    it("is refused with every problem at once", async () => {
      const error = await refusal({
        config: appConfig({
          platform: "dev",
          tenant: undefined,
          namespce: "x",
          agent: { scrapeIntervall: "5s", resources: { memory: "256" } },
          grafana: { replicas: 2 },
        }),
      });
      for (const part of [
        "platform: a stack in full",
        "tenant: required",
        "namespce: there is no such key",
        "agent.scrapeIntervall: there is no such key",
        "agent.resources.memory: a quantity of bytes",
        "grafana.replicas: ",
      ]) {
        assert.ok(error.message.includes(part), `${part} in:\n${error.message}`);
      }
      assert.deepEqual(error.resources, []);
    });

    it("holds objects where it should", async () => {
      assert.match((await refusal({ config: appConfig({ agent: "{" }) })).message, /agent: holds an object/);
    });
  });

  describe("Grafana", () => {
    it("has exactly one data source: the platform's queries, in the application's name", async () => {
      const run = await runApp();
      const source = dataSource(run);
      assert.equal(source.url, PLATFORM_OUTPUTS.queryUrl);
      assert.equal(source.type, "prometheus");
      assert.equal(source.isDefault, true);
      assert.equal(source.jsonData.httpHeaderName1, "THANOS-TENANT");
      assert.deepEqual(source.secureJsonData, { httpHeaderValue1: "greeter" });
    });

    it("finds the dashboards of the platform and of the application where its providers look", async () => {
      const run = await runApp();
      const grafana = workload(run, "grafana");
      const { providers } = parse(mounted(run, grafana, "providers")["providers.yaml"] ?? "") as {
        providers: { name: string; folder: string; options: { path: string } }[];
      };
      const mounts = grafana.spec.template.spec.containers.flatMap((each) => each.volumeMounts ?? []);
      const found = providers.map(({ folder, options }) => {
        const mount = mounts.find((each) => each.mountPath === options.path);
        assert.ok(mount, `nothing is mounted at ${options.path}`);
        const files = mounted(run, grafana, mount.name);
        return [folder, Object.values(files).map((text) => (JSON.parse(text) as { uid: string }).uid)];
      });
      assert.deepEqual(found, [
        ["app", ["thanos-app"]],
        ["platform", ["thanos-stack"]],
      ]);
    });

    it("gets its administrator's password from a generated secret by file", async () => {
      const run = await runApp();
      const grafana = workload(run, "grafana");
      const secrets = kind<{ metadata: { name: string }; stringData: Record<string, string> }>(run, "Secret");
      assert.deepEqual(
        secrets.map((each) => each.stringData),
        [{ "admin-password": "generated" }],
      );
      const volume = grafana.spec.template.spec.volumes?.find((each) => each.secret !== undefined);
      assert.equal(volume?.secret?.secretName, secrets[0]?.metadata.name);
      const [container] = grafana.spec.template.spec.containers;
      const mount = container?.volumeMounts?.find((each) => each.name === volume?.name);
      const file = container?.env?.find((each) => each.name === "GF_SECURITY_ADMIN_PASSWORD__FILE") as { value?: string } | undefined;
      assert.equal(file?.value, `${mount?.mountPath}/admin-password`);
      const elsewhere = run.resources.filter((each) => !["Secret", "RandomPassword"].some((type) => each.type.endsWith(`:${type}`)));
      assert.ok(!JSON.stringify(elsewhere).includes('"generated"'));
    });

    it("can be stopped, and left out", async () => {
      const stopped = await runApp({ config: appConfig({ grafana: { replicas: 0 } }) });
      assert.equal(workload(stopped, "grafana").spec.replicas, 0);
      const annotations = (run: AppRun) =>
        kind<{ metadata: { name: string; annotations?: object } }>(run, "Service").find((each) => each.metadata.name === "grafana")
          ?.metadata.annotations;
      // Otherwise the update would wait for a pod that never comes.
      assert.deepEqual(annotations(stopped), { "pulumi.com/skipAwait": "true" });
      assert.equal(annotations(await runApp()), undefined);
      const without = await runApp({ config: appConfig({ grafana: { enabled: false } }) });
      assert.deepEqual(Object.keys(without.outputs), ["sender", "serviceUrl"]);
      assert.ok(!without.resources.some((each) => each.name.startsWith("grafana")));
    });

    it("is refused folders without dashboards", async () => {
      const error = await refusal({ config: appConfig({ grafana: { dashboards: { none: "service" } } }) });
      assert.match(error.message, /there are no dashboards \(\*\.json\) in service/);
    });
  });

  it("shares no folder of the platform but the outputs' reader", async () => {
    await runApp();
    const root = require.resolve("../../package.json").replace("package.json", "");
    const own = `${root}examples/app-stack/`;
    const children = Object.values(require.cache)
      .filter((module): module is NodeJS.Module => module?.filename.startsWith(own) ?? false)
      .flatMap((module) => module.children.map((child) => child.filename));
    const foreign = children.filter((file) => file.startsWith(root) && !file.startsWith(own) && !file.includes("/node_modules/"));
    assert.deepEqual([...new Set(foreign)], [`${root}outputs/index.ts`]);
  });
});

function dataSource(run: AppRun) {
  const file = parse(mounted(run, workload(run, "grafana"), "datasources")["datasources.yaml"] ?? "") as {
    datasources: {
      url: string;
      type: string;
      isDefault: boolean;
      jsonData: Record<string, string>;
      secureJsonData: Record<string, string>;
    }[];
  };
  const [only, ...others] = file.datasources;
  assert.ok(only !== undefined && others.length === 0, "exactly one data source");
  return only;
}
