import assert from "node:assert/strict";
import fc from "fast-check";
import { parse } from "yaml";
import type { ProgramRun } from "../../commands/program";
import { RELOADER_CONTAINER } from "../../model/kubernetes/identities";
import {
  container,
  containers,
  flagValue,
  flagValues,
  mountedConfigMap,
  object,
  objects,
  prometheusSets,
  run,
  settingsOf,
  type Workload,
  workloads,
} from "../harness";
import { EVERYTHING, PLANS, SPLIT_AGENTS } from "./plans";
import { type RelabelConfig, relabelled } from "./relabel";

interface ScrapeConfig {
  job_name: string;
  scheme?: string;
  tls_config?: { ca_file?: string; insecure_skip_verify?: boolean; server_name?: string };
  authorization?: { credentials_file: string };
  kubernetes_sd_configs?: { role: string; namespaces?: { names: string[] } }[];
  relabel_configs: RelabelConfig[];
}

interface PrometheusYaml {
  global: { scrape_interval: string; scrape_timeout: string; evaluation_interval: string; external_labels: Record<string, string> };
  rule_files?: string[];
  scrape_configs: ScrapeConfig[];
  alerting?: { alertmanagers: { static_configs: { targets: string[] }[] }[] };
  remote_write?: {
    url: string;
    name: string;
    headers?: Record<string, string>;
    metadata_config: { send: boolean };
    send_exemplars: boolean;
    send_native_histograms: boolean;
    write_relabel_configs?: RelabelConfig[];
    queue_config: Record<string, unknown>;
  }[];
}

function configOf(made: ProgramRun, set: Workload): PrometheusYaml {
  return parse(mountedConfigMap(made, set, "config").data["prometheus.yml"] ?? "") as PrometheusYaml;
}

function jobOf(config: PrometheusYaml, name: string): ScrapeConfig {
  const job = config.scrape_configs.find((each) => each.job_name === name);
  assert.ok(job !== undefined, `no job ${name}`);
  return job;
}

/** The one Prometheus of a run, and what it is told. */
async function only(stack: "dev" | "prod", prometheus: object = {}): Promise<{ made: ProgramRun; set: Workload; config: PrometheusYaml }> {
  const made = await run(stack, { prometheus });
  const [set, ...others] = prometheusSets(made);
  assert.ok(set !== undefined && others.length === 0);
  return { made, set, config: configOf(made, set) };
}

for (const { title, stack, overrides } of PLANS) {
  describe(`prometheus: ${title}`, () => {
    const { prometheus, cluster, namespace, ingestion, ruler, alerting, tls } = settingsOf(stack, overrides);
    let made: ProgramRun;
    before(async () => {
      made = await run(stack, overrides);
    });

    it("is a StatefulSet a shard, with as many replicas as are asked for", () => {
      assert.deepEqual(
        prometheusSets(made).map((set) => set.spec.replicas),
        Array.from({ length: prometheus.shards }, () => prometheus.replicas),
      );
    });

    it("sends to the receivers' Service, where else it is told to, and nowhere else; where there is none, nowhere", () => {
      if (ingestion === "sidecar") {
        for (const set of prometheusSets(made)) assert.equal(configOf(made, set).remote_write, undefined);
        return;
      }
      const service = object(made, "Service", "thanos-receive");
      for (const set of prometheusSets(made)) {
        const { remote_write: targets = [] } = configOf(made, set);
        assert.deepEqual(
          targets.map((target) => target.url),
          [
            `${tls === undefined ? "http" : "https"}://${service.metadata.name}.${namespace}.svc.${cluster.domain}:${service.spec.ports[0]?.port}/api/v1/receive`,
            ...prometheus.remoteWrite.otherTargets.map(({ url }) => url),
          ],
        );
        assert.equal(targets[0]?.url, made.outputs.remoteWriteUrl);
        assert.equal(targets[0]?.queue_config.retry_on_http_429, true, "a limited tenant's samples would be dropped");
        assert.equal(targets[0]?.metadata_config.send, false);
      }
    });

    it("is given five minutes to end, of which remote write may take one to empty its queue", () => {
      for (const set of prometheusSets(made)) {
        assert.equal(set.spec.template.spec.terminationGracePeriodSeconds, 300);
        assert.equal(flagValue(set, "--storage.remote.flush-deadline"), "1m");
      }
    });

    it("has external labels of its own: the cluster, and the pod by a variable that the pod has", () => {
      for (const set of prometheusSets(made)) {
        const labels = configOf(made, set).global.external_labels;
        // biome-ignore lint/suspicious/noTemplateCurlyInString: Prometheus expands it.
        assert.deepEqual(labels, { ...prometheus.externalLabels, cluster: cluster.name, prometheus_replica: "${POD_NAME}" });
        assert.equal(container(set).env?.find((each) => each.name === "POD_NAME")?.valueFrom?.fieldRef?.fieldPath, "metadata.name");
      }
      const pods = prometheusSets(made).flatMap((set) =>
        Array.from({ length: set.spec.replicas ?? 1 }, (_, n) => `${set.metadata.name}-${n}`),
      );
      assert.equal(new Set(pods).size, prometheus.replicas * prometheus.shards, "two senders of one name");
    });

    it("is rolled by a new configuration or new rules, both immutable and named by content; beside a sidecar, which has them read again, both are changed in place", () => {
      for (const set of prometheusSets(made)) {
        for (const volume of ["config", "rules"]) {
          const map = mountedConfigMap(made, set, volume);
          if (ingestion === "sidecar") {
            assert.equal(map.immutable, undefined);
            assert.equal(map.metadata.name, volume === "rules" ? "prometheus-rules" : `${set.metadata.name}-config`);
            continue;
          }
          assert.equal(map.immutable, true);
          assert.match(map.metadata.name, /-[0-9a-f]{8}$/, "a name of its own would be kept over changes");
        }
      }
    });

    it("finds what the flags name", () => {
      for (const set of prometheusSets(made)) {
        const mountOf = (name: string) => container(set).volumeMounts?.find((mount) => mount.name === name)?.mountPath;
        assert.equal(flagValue(set, "--config.file"), `${mountOf("config")}/prometheus.yml`);
        // Rules are evaluated by one component only: a ruler where there is one, and never by agents.
        const evaluates = prometheus.mode === "server" && ruler === undefined;
        assert.deepEqual(
          configOf(made, set).rule_files,
          evaluates ? ["*.yaml", "*.yml"].map((name) => `${mountOf("rules")}/${name}`) : undefined,
        );
        assert.equal(Object.keys(mountedConfigMap(made, set, "rules").data).length > 0, evaluates);
        assert.equal(configOf(made, set).alerting !== undefined, evaluates && alerting.alertmanagers.length > 0);
        const dataFlag = prometheus.mode === "agent" ? "--storage.agent.path" : "--storage.tsdb.path";
        assert.equal(flagValue(set, dataFlag), mountOf("data"));
      }
    });

    it("scrapes every part of this stack, each under the job that the outputs name", () => {
      const own = (made.outputs.prometheus as { jobs: string[] }).jobs;
      const targets = workloads(made).flatMap((workload) =>
        containers(workload)
          .flatMap(({ name, ports = [] }) => ports.map((port) => ({ ...port, container: name })))
          .map((port) => ({
            __address__: `${workload.metadata.name}:${port.containerPort}`,
            __meta_kubernetes_pod_container_name: port.container,
            __meta_kubernetes_namespace: workload.metadata.namespace,
            __meta_kubernetes_pod_name: `${workload.metadata.name}-0`,
            __meta_kubernetes_pod_phase: "Running",
            __meta_kubernetes_pod_container_port_name: port.name,
            ...Object.fromEntries(
              Object.entries(workload.spec.template.metadata.labels).map(([label, value]) => [
                `__meta_kubernetes_pod_label_${label.replaceAll(/[^a-zA-Z0-9]/g, "_")}`,
                value,
              ]),
            ),
          })),
      );
      const kept = prometheusSets(made).flatMap((set) => {
        const job = jobOf(configOf(made, set), "thanos-stack");
        assert.deepEqual(job.kubernetes_sd_configs, [{ role: "pod", namespaces: { names: [namespace] } }]);
        return targets.map((target) => relabelled(target, job.relabel_configs)).filter((labels) => labels !== undefined);
      });
      const jobs = [...new Set(kept.map((labels) => labels.job ?? ""))].sort();
      const others = prometheusSets(made).flatMap((set) => configOf(made, set).scrape_configs.map((job) => job.job_name));
      assert.deepEqual([...new Set([...jobs, ...others.filter((job) => job !== "thanos-stack")])].sort(), [...own].sort());
      // Whatever is of Thanos, Prometheus or HAProxy tells its metrics; memcached and the shell that has HAProxy reload do not.
      const parts = workloads(made)
        .filter((each) => each.kind !== "Job")
        .flatMap((each) =>
          containers(each).filter(
            ({ name, image }) => name !== RELOADER_CONTAINER && /\/(thanos|prometheus|haproxy|prom-label-proxy):/.test(image),
          ),
        );
      assert.equal(kept.length, parts.length, "a part that is scraped twice, or not at all");
    });

    it("scrapes no pod of this stack a second time by annotation", () => {
      const job = jobOf(configOf(made, prometheusSets(made)[0] as Workload), "kubernetes-pods");
      const steps = job.relabel_configs.filter((step) => step.action !== "hashmod" && !step.source_labels?.includes("__tmp_shard"));
      const target = (at: string, partOf: string) => ({
        __address__: "10.0.0.1:8080",
        __meta_kubernetes_namespace: at,
        __meta_kubernetes_pod_label_app_kubernetes_io_part_of: partOf,
        __meta_kubernetes_pod_annotation_prometheus_io_scrape: "true",
        __meta_kubernetes_pod_annotation_prometheus_io_port: "9102",
      });
      assert.equal(relabelled(target(namespace, "thanos-stack"), steps), undefined);
      assert.equal(relabelled(target("shop", "thanos-stack"), steps)?.__address__, "10.0.0.1:9102");
      assert.equal(relabelled(target(namespace, "other"), steps)?.__address__, "10.0.0.1:9102");
    });
  });

  describe(`permissions: ${title}`, () => {
    it("only read, and read no secret", async () => {
      const made = await run(stack, overrides);
      const roles = [...objects(made, "ClusterRole"), ...objects(made, "Role")];
      assert.ok(roles.length > 0);
      for (const role of roles) {
        for (const rule of role.rules) {
          for (const verb of rule.verbs) assert.ok(["get", "list", "watch"].includes(verb), `${role.metadata.name}: ${verb}`);
          for (const name of rule.resources ?? []) {
            assert.ok(!["secrets", "configmaps", "nodes/proxy", "pods/exec", "*"].includes(name), `${role.metadata.name}: ${name}`);
          }
          assert.ok(!(rule.apiGroups ?? []).includes("*"));
        }
      }
    });

    it("are given to Prometheus' account and to nobody else", async () => {
      const made = await run(stack, overrides);
      const { namespace } = settingsOf(stack, overrides);
      for (const binding of [...objects(made, "ClusterRoleBinding"), ...objects(made, "RoleBinding")]) {
        assert.deepEqual(binding.subjects, [{ kind: "ServiceAccount", name: "prometheus", namespace }]);
      }
      for (const set of prometheusSets(made)) assert.equal(set.spec.template.spec.serviceAccountName, "prometheus");
    });
  });
}

describe("prometheus: shards", () => {
  it("keep each target exactly once between them", async () => {
    const made = await run(EVERYTHING.stack, EVERYTHING.overrides);
    const configs = prometheusSets(made).map((set) => configOf(made, set));
    assert.equal(configs.length, 3);
    for (const [index, job] of (configs[0]?.scrape_configs ?? []).entries()) {
      const shardSteps = configs.map((config) => {
        const steps = config.scrape_configs[index]?.relabel_configs ?? [];
        assert.equal(config.scrape_configs[index]?.job_name, job.job_name);
        return steps.slice(-2);
      });
      fc.assert(
        fc.property(fc.ipV4(), fc.integer({ min: 1, max: 65_535 }), (ip, port) => {
          const keepers = shardSteps.filter((steps) => relabelled({ __address__: `${ip}:${port}` }, steps) !== undefined);
          assert.equal(keepers.length, 1);
        }),
        { numRuns: 50 },
      );
    }
  });

  it("divide the targets about evenly, by a hash as Prometheus computes it", async () => {
    const made = await run(EVERYTHING.stack, EVERYTHING.overrides);
    const counts = prometheusSets(made).map((set) => {
      const steps = jobOf(configOf(made, set), "kubelet").relabel_configs.slice(-2);
      return Array.from({ length: 900 }, (_, n) => `10.0.${Math.floor(n / 200)}.${n % 200}:10250`).filter(
        (address) => relabelled({ __address__: address }, steps) !== undefined,
      ).length;
    });
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      900,
    );
    for (const count of counts) assert.ok(count > 240 && count < 360, String(counts));
  });

  it("are not there for a single one", async () => {
    const { config } = await only("dev");
    assert.ok(!JSON.stringify(config).includes("hashmod"));
  });
});

describe("prometheus: a pair", () => {
  it("is two of one StatefulSet that may lose one at a time, and one that scrapes again before the other goes", async () => {
    const { made, set } = await only("prod");
    assert.equal(set.spec.replicas, 2);
    assert.equal(object(made, "PodDisruptionBudget", "prometheus").spec.maxUnavailable, 1);
    assert.ok((set.spec.minReadySeconds ?? 0) >= 30);
  });

  it("a single one has no budget: it would keep its node from being drained for ever", async () => {
    const { made } = await only("dev");
    assert.deepEqual(
      objects(made, "PodDisruptionBudget").filter((each) => each.metadata.name.startsWith("prometheus")),
      [],
    );
  });
});

describe("prometheus: agent", () => {
  it("forwards only: no rules, no local retention", async () => {
    const made = await run(SPLIT_AGENTS.stack, SPLIT_AGENTS.overrides);
    for (const set of prometheusSets(made)) {
      assert.ok(container(set).args?.includes("--agent"));
      for (const flag of ["--storage.tsdb.path", "--storage.tsdb.retention.time", "--storage.tsdb.retention.size"]) {
        assert.deepEqual(flagValues(set, flag), [], "agents refuse to start with it");
      }
      assert.equal(configOf(made, set).rule_files, undefined);
    }
  });
});

describe("prometheus: options reach prometheus.yml", () => {
  const options = {
    scrapeInterval: "15s",
    scrapeTimeout: "5s",
    evaluationInterval: "45s",
    remoteWrite: { maxShards: 7, maxSamplesPerSend: 2_000, capacity: 10_000, batchSendDeadline: "3s" },
    kubeletCertificates: "skip",
    namespaces: ["shop"],
  };

  it("intervals", async () => {
    const { config } = await only("dev", options);
    assert.equal(config.global.scrape_interval, "15s");
    assert.equal(config.global.scrape_timeout, "5s");
    assert.equal(config.global.evaluation_interval, "45s");
  });

  it("how soon discovered targets are taken up, where that is not left to Prometheus", async () => {
    const flag = "--scrape.discovery-reload-interval";
    const given = async (discoveryInterval: string | undefined) =>
      prometheusSets((await only("dev", { discoveryInterval })).made).flatMap((set) => flagValues(set, flag));
    assert.deepEqual(await given("3s"), ["3s"]);
    assert.deepEqual(await given(undefined), []);
  });

  it("the queue of remote write", async () => {
    const { config } = await only("dev", options);
    const queue = config.remote_write?.[0]?.queue_config;
    assert.equal(queue?.max_shards, 7);
    assert.equal(queue?.max_samples_per_send, 2_000);
    assert.equal(queue?.capacity, 10_000);
    assert.equal(queue?.batch_send_deadline, "3s");
  });

  it("the kubelets' certificates: checked unless the environment says that they sign their own", async () => {
    const { config: checked } = await only("dev");
    const { config: unchecked } = await only("dev", options);
    for (const job of ["kubelet", "cadvisor"]) {
      assert.equal(jobOf(checked, job).tls_config?.insecure_skip_verify, undefined);
      assert.match(jobOf(checked, job).tls_config?.ca_file ?? "", /serviceaccount\/ca\.crt$/);
      assert.equal(jobOf(unchecked, job).tls_config?.insecure_skip_verify, true);
    }
    assert.equal(
      jobOf(unchecked, "kubernetes-apiservers").tls_config?.insecure_skip_verify,
      undefined,
      "the API server's is always checked",
    );
  });

  it("namespaces: where targets are looked for, and where that may be read", async () => {
    const { made, config } = await only("dev", options);
    for (const job of ["kubernetes-pods", "kubernetes-services"]) {
      assert.deepEqual(jobOf(config, job).kubernetes_sd_configs?.[0]?.namespaces, { names: ["shop"] });
    }
    const roles = objects(made, "Role").map((role) => role.metadata.namespace);
    assert.deepEqual([...roles].sort(), ["default", "shop", "thanos-dev"], "the API server's endpoints, the targets, this stack");
    const bindings = objects(made, "RoleBinding").map((binding) => binding.metadata.namespace);
    assert.deepEqual([...bindings].sort(), [...roles].sort());
    const cluster = objects(made, "ClusterRole").flatMap((role) => role.rules.flatMap((rule) => rule.resources ?? []));
    assert.ok(!cluster.includes("pods"), "pods of every namespace");
  });

  it("all namespaces by default: one role for the cluster and none for namespaces", async () => {
    const { made, config } = await only("dev");
    assert.equal(jobOf(config, "kubernetes-pods").kubernetes_sd_configs?.[0]?.namespaces, undefined);
    assert.deepEqual(objects(made, "Role"), []);
    assert.ok(objects(made, "ClusterRole").some((role) => role.rules.some((rule) => rule.resources?.includes("pods"))));
  });

  it("what discovery asks for is what may be read", async () => {
    for (const made of [await run("dev"), await run(EVERYTHING.stack, EVERYTHING.overrides)]) {
      const needs: Record<string, string[]> = { node: ["nodes"], pod: ["pods"], endpointslice: ["endpointslices", "services", "pods"] };
      const readable = (at: string | undefined) =>
        [...objects(made, "ClusterRole"), ...objects(made, "Role").filter((role) => role.metadata.namespace === at)].flatMap((role) =>
          role.rules
            .filter((rule) => ["get", "list", "watch"].every((verb) => rule.verbs.includes(verb)))
            .flatMap((rule) => rule.resources ?? []),
        );
      const set = prometheusSets(made)[0] as Workload;
      for (const job of configOf(made, set).scrape_configs) {
        for (const discovery of job.kubernetes_sd_configs ?? []) {
          for (const at of discovery.namespaces?.names ?? [undefined]) {
            for (const name of needs[discovery.role] ?? []) assert.ok(readable(at).includes(name), `${job.job_name}: ${name} in ${at}`);
          }
        }
      }
      const metrics = objects(made, "ClusterRole").flatMap((role) => role.rules.flatMap((rule) => rule.resources ?? []));
      assert.ok(metrics.includes("nodes/metrics"));
    }
  });

  it("own scrape configs and relabelling of what is sent, as they are", async () => {
    const made = await run(EVERYTHING.stack, EVERYTHING.overrides);
    const config = configOf(made, prometheusSets(made)[0] as Workload);
    const job = jobOf(config, "own") as ScrapeConfig & { static_configs: unknown };
    assert.deepEqual(job.static_configs, [{ targets: ["exporter:9100"] }]);
    assert.deepEqual(config.remote_write?.[0]?.write_relabel_configs, [{ source_labels: ["__name__"], regex: "go_.*", action: "drop" }]);
  });
});

describe("prometheus: further targets of remote write", () => {
  const other = { url: "http://thanos-receive.other.svc.cluster.local:19291/api/v1/receive", headers: { "THANOS-TENANT": "moved" } };
  const plain = { url: "https://elsewhere.example/api/v1/push" };
  const remoteWrite = { otherTargets: [other, plain] };

  it("stand beside the ring, each with its name and its headers, and with the same queue", async () => {
    const { config } = await only("dev", { remoteWrite });
    const [ring, first, second, ...more] = config.remote_write ?? [];
    assert.equal(more.length, 0);
    assert.deepEqual([ring?.name, first?.name, second?.name], ["receive", "other-0", "other-1"]);
    assert.deepEqual([first?.url, first?.headers, second?.url, second?.headers], [other.url, other.headers, plain.url, undefined]);
    for (const each of [first, second]) assert.deepEqual(each?.queue_config, ring?.queue_config);
  });

  it("are shown who writes, by files that somebody else mounts", async () => {
    const client = {
      basic_auth: { username: "a", password_file: "/etc/extra/site/password" },
      tls_config: { ca_file: "/etc/extra/site/ca" },
    };
    const { config } = await only("dev", { remoteWrite: { otherTargets: [{ ...plain, client }] } });
    const target = config.remote_write?.[1] as unknown as typeof client | undefined;
    assert.deepEqual({ basic_auth: target?.basic_auth, tls_config: target?.tls_config }, client);
  });

  it("are the only ones beside a sidecar", async () => {
    const made = await run("dev", { ingestion: "sidecar", prometheus: { remoteWrite } });
    const config = configOf(made, prometheusSets(made)[0] as Workload);
    assert.deepEqual(
      config.remote_write?.map(({ name, url }) => [name, url]),
      [
        ["other-0", other.url],
        ["other-1", plain.url],
      ],
    );
  });
});

describe("prometheus: annotations of pods and services", () => {
  const steps = async (name: string) => jobOf((await only("dev")).config, name).relabel_configs;
  const target = (role: "pod" | "service", annotations: Record<string, string>, address = "10.0.0.1:8080") => ({
    __address__: address,
    __scheme__: "http",
    __metrics_path__: "/metrics",
    __meta_kubernetes_namespace: "shop",
    __meta_kubernetes_pod_phase: "Running",
    ...Object.fromEntries(
      Object.entries(annotations).map(([name, value]) => [`__meta_kubernetes_${role}_annotation_prometheus_io_${name}`, value]),
    ),
  });
  for (const [role, job] of [
    ["pod", "kubernetes-pods"],
    ["service", "kubernetes-services"],
  ] as const) {
    it(`${role}: scraped only on request, by the port, path and scheme that it names`, async () => {
      const relabel = await steps(job);
      assert.equal(relabelled(target(role, {}), relabel), undefined);
      assert.equal(relabelled(target(role, { scrape: "false" }), relabel), undefined);
      assert.equal(relabelled(target(role, { scrape: "true" }), relabel)?.__address__, "10.0.0.1:8080");
      const all = relabelled(target(role, { scrape: "true", port: "9102", path: "/m", scheme: "https" }), relabel);
      assert.deepEqual([all?.__address__, all?.__metrics_path__, all?.__scheme__], ["10.0.0.1:9102", "/m", "https"]);
      assert.equal(relabelled(target(role, { scrape: "true", scheme: "file" }), relabel)?.__scheme__, "http");
      assert.equal(relabelled(target(role, { scrape: "true", port: "9102" }, "10.0.0.1"), relabel)?.__address__, "10.0.0.1:9102");
      assert.equal(relabelled(target(role, { scrape: "true", port: "9102" }, "[fd00::1]:8080"), relabel)?.__address__, "[fd00::1]:9102");
    });

    it(`${role}: an IPv6 address without a port stays that host`, async () => {
      const relabel = await steps(job);
      for (const address of ["fd00::1", "::1", "2001:db8:0:1:1:1:1:1", "::ffff:10.0.0.1"]) {
        assert.equal(relabelled(target(role, { scrape: "true", port: "9102" }, address), relabel)?.__address__, `[${address}]:9102`);
        assert.equal(relabelled(target(role, { scrape: "true" }, address), relabel)?.__address__, `[${address}]`);
      }
      const named = target(role, { scrape: "true", port: "9102" }, "abc.example:80");
      assert.equal(relabelled(named, relabel)?.__address__, "abc.example:9102");
    });

    it(`${role}: no pod that has ended`, async () => {
      const ended = { ...target(role, { scrape: "true" }), __meta_kubernetes_pod_phase: "Succeeded" };
      assert.equal(relabelled(ended, await steps(job)), undefined);
    });
  }
});
