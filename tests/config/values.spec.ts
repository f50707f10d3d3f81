import assert from "node:assert/strict";
import { type AlertingConfig, alertingConfig, alertmanagerPorts } from "../../model/prometheus/alerting";
import { CLAIMS, load, type Overrides, objects, planOf, rejection, ringPlan, run, type Stack, settingsOf, together } from "../harness";

/** A refused value at a key, and the line of its only problem. */
interface Refused {
  key: string;
  value: unknown;
  overrides: Overrides;
  /** Reason and remedy. */
  says: RegExp;
  stack?: Stack;
}

async function refuses({ key, value, overrides, says, stack = "dev" }: Refused): Promise<void> {
  const { problems, message } = await rejection(stack, overrides);
  assert.equal(problems.length, 1, message);
  const begin = `  - ${key} = ${JSON.stringify(value)}: `;
  assert.ok(problems[0]?.startsWith(begin), message);
  assert.match(problems[0]?.slice(begin.length) ?? "", says);
}

/** An object with one value at a path such as `receive.retention.time`. */
const at = (path: string, value: unknown): Overrides =>
  path.split(".").reduceRight<unknown>((inner, part) => ({ [part]: inner }), value) as Overrides;

describe("configuration: zeros and other values that switch something off", () => {
  for (const [key, value, says, otherwise = {}] of [
    ["querier.timeout", "0s", /answered in no time\. Accepted: 1s or more/],
    ["querier.responseTimeout", "0s", /for ever.*1s or more/],
    ["querier.discoveryInterval", "0s", /stops the querier.*1s or more/],
    ["queryFrontend.splitInterval", "0s", /stops the query frontend.*10m or more/],
    ["queryFrontend.maxFreshness", "0s", /cached as missing.*10s or more/],
    ["prometheus.scrapeInterval", "0s", /its own default.*1s or more/, { prometheus: { scrapeTimeout: "1s" } }],
    ["prometheus.scrapeTimeout", "0s", /its own default.*1s or more/],
    ["prometheus.discoveryInterval", "500ms", /its own default.*1s or more/],
    ["prometheus.evaluationInterval", "500ms", /its own default.*1s or more/],
    ["prometheus.remoteWrite.batchSendDeadline", "0s", /one by one.*100ms or more/],
    ["receive.retention.time", "0s", /0 for ever.*2h or more/],
    ["receive.tooFarInFutureWindow", "0s", /samples of any time.*10s or more/],
    ["prometheus.storage.pvc.size", "0Gi", /log of two hours.*1Gi or more/, CLAIMS],
    ["prometheus.resources.memory", "0", /killed.*64Mi or more/],
    ["querier.resources.memory", "512", /killed.*64Mi or more/],
    ["querier.resources.cpu", "0", /asks for no CPU.*1m or more/],
    ["querier.resources.cpuLimit", "1m", /millisecond.*10m or more/, { querier: { resources: { cpu: "1m" } } }],
    ["receive.resources.cpuLimit", "20m", /below what is reserved.*cpu or more/],
    ["queryFrontend.cache.memory", "1Mi", /pages.*64Mi or more/],
  ] as [string, string, RegExp, Overrides?][]) {
    it(`refuses ${key} of ${value}`, () => refuses({ key, value, overrides: together(otherwise, at(key, value)), says }));
  }
});

describe("configuration: sizes", () => {
  const size = (value: string) => together(CLAIMS, at("receive.storage.pvc.size", value));
  for (const value of ["1.1Ti", "1209462790553600m", "1.0000000001Gi"]) {
    it(`refuses ${value}, which is no whole number of bytes`, () =>
      refuses({ key: "receive.storage.pvc.size", value, overrides: size(value), says: /no whole number of bytes.*1126Gi for 1\.1Ti/ }));
  }
  for (const value of ["1Pi", "5e10", "1.5Ti", "2E"]) {
    it(`takes ${value}`, async () => assert.equal((await load("dev", size(value))).settings.receive?.storage.pvc?.size, value));
  }
  it("refuses more than Kubernetes holds", () =>
    refuses({ key: "receive.storage.pvc.size", value: "22E", overrides: size("22E"), says: /not of the form/ }));
});

describe("configuration: names as Kubernetes has them", () => {
  const node = "kubernetes-worker-01.prod.dc-1.corp.example-company.internal";
  const nodes = (name: string) => at("receive.storage.hostPath.nodes", [name]);

  for (const name of ["a b; rm -rf /", "../../x", "<script>", "", "A", "a".repeat(64)]) {
    it(`refuses a node named ${JSON.stringify(name)}`, () =>
      refuses({ key: "receive.storage.hostPath.nodes[0]", value: name, overrides: nodes(name), says: /a node's name/ }));
  }

  it("a long node's Job fits into a label, is told from another's, and the node is named in full", async () => {
    const made = await run("dev", { receive: { storage: { hostPath: { nodes: [node] } } } });
    const jobs = made.resources.filter(({ type }) => type === "kubernetes:batch/v1:Job").map(({ name }) => name);
    assert.deepEqual(
      jobs.map((name) => name.length + 9 <= 63),
      [true, true],
    );
    assert.ok(jobs.includes("hostpath-dev-1"), String(jobs));
    const selected = objects(made, "Job").map(({ spec }) => spec.template.spec.nodeSelector?.["kubernetes.io/hostname"]);
    assert.deepEqual(selected.sort(), ["dev-1", node]);
  });

  for (const path of ["/", "/.", "/data/../etc", "/data/./x", "relative"]) {
    it(`refuses the directory ${path}`, () =>
      refuses({
        key: "receive.storage.hostPath.path",
        value: path,
        overrides: at("receive.storage.hostPath.path", path),
        says: /an absolute path/,
      }));
  }
  for (const path of [
    "/etc",
    "/etc/thanos",
    "/var/lib",
    "/var/lib/kubelet",
    "/var/lib/kubelet/pods",
    "/proc",
    "/run/x",
    "/usr/local",
    "/opt",
    "/tmp/x",
    "/var/lib/systemd",
    "/var/lib/minikube/certs",
    "/var/snap/microk8s/common",
    "/home",
    "/home/core/.ssh",
  ]) {
    it(`refuses the system's directory ${path}`, () =>
      refuses({
        key: "prometheus.storage.hostPath.path",
        value: path,
        overrides: at("prometheus.storage.hostPath.path", path),
        says: /of the node's system.*\/data\/thanos/,
      }));
  }
  for (const path of ["/data", "/mnt/disks/ssd0", "/var/lib/thanos", "/opt/thanos", "/srv/etc", "/disk1"]) {
    it(`takes the directory ${path}`, () => load("dev", at("prometheus.storage.hostPath.path", path)));
  }
  it("refuses such a directory for a bucket too", async () => {
    const { message } = await rejection("dev", {
      objectStorage: { filesystem: { path: "/etc", node: "x y" }, storeGateway: { storage: {} }, compactor: { storage: {} } },
    });
    assert.match(message, /objectStorage\.filesystem\.path = "\/etc": .*system/);
    assert.match(message, /objectStorage\.filesystem\.node = "x y": /);
  });

  for (const prefix of ["..", "a/../b", "./b", "."]) {
    it(`refuses the directory ${prefix} of a bucket`, () =>
      refuses({
        stack: "prod",
        key: "objectStorage.prefix",
        value: prefix,
        overrides: at("objectStorage.prefix", prefix),
        says: /neither/,
      }));
  }

  it("takes zones as clouds call them: the node's label as it is, StatefulSets and members by its form in DNS", async () => {
    const zones = ["PHX-AD-1", "rack_2", 3];
    const made = await run("prod", { cluster: { zones } });
    const sets = objects(made, "StatefulSet").filter(({ metadata }) => metadata.name.startsWith("thanos-receive"));
    assert.deepEqual(
      sets.map(({ metadata }) => metadata.name),
      ["thanos-receive-3", "thanos-receive-phx-ad-1", "thanos-receive-rack-2"],
    );
    assert.deepEqual(
      sets.map(
        ({ spec }) =>
          spec.template.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]
            ?.matchExpressions[0]?.values,
      ),
      [["3"], ["PHX-AD-1"], ["rack_2"]],
    );
    const ring = ringPlan(planOf("prod", { cluster: { zones } })).rings[0];
    assert.deepEqual(
      ring?.members.map(({ pod, zone }) => [pod, zone]),
      [
        ["thanos-receive-phx-ad-1-0", "PHX-AD-1"],
        ["thanos-receive-rack-2-0", "rack_2"],
        ["thanos-receive-3-0", "3"],
      ],
    );
  });

  it("refuses what is no label's value, and a zone whose name is too long for a StatefulSet's", async () => {
    assert.match(
      (await rejection("prod", { cluster: { zones: ["a b", "b", "c"] } })).message,
      /cluster\.zones\[0\] = "a b": .*a label's value/,
    );
    const long = "Z".repeat(40);
    assert.match((await rejection("prod", { cluster: { zones: [long, "b", "c"] } })).message, /at most 52 characters/);
  });

  it("takes a namespace that begins with a digit and has 63 characters, less beside directories of nodes", async () => {
    const longest = `9${"a".repeat(62)}`;
    assert.equal((await load("prod", { namespace: longest })).settings.namespace, longest);
    await refuses({
      key: "namespace",
      value: longest,
      overrides: { namespace: longest },
      says: /<namespace>-volumes.*at most 55 characters/,
    });
    await load("dev", { namespace: longest.slice(0, 55) });
    const access = { senders: [longest], readers: ["1"], federation: ["a-b"] };
    await load("dev", { access });
  });

  it("refuses a domain with which a name is too long for DNS", async () => {
    const domain = Array.from({ length: 4 }, () => "d".repeat(50)).join(".");
    await refuses({
      key: "cluster.domain",
      value: domain,
      overrides: { cluster: { domain } },
      says: /at most 253 characters.*characters shorter/,
    });
  });

  it("takes volumes that belong to no class", async () => {
    const made = await run("prod", { prometheus: { storage: { pvc: { storageClass: "" } } } });
    const set = objects(made, "StatefulSet").find(({ metadata }) => metadata.name === "prometheus");
    assert.equal(set?.spec.volumeClaimTemplates?.[0]?.spec.storageClassName, "");
    const value = "Fast!";
    const overrides = { prometheus: { storage: { pvc: { storageClass: value } } } };
    await refuses({ stack: "prod", key: "prometheus.storage.pvc.storageClass", value, overrides, says: /class's name.*without a class/ });
  });

  it("labels the version of an image whatever its tag", async () => {
    const tag = `v3.14.0-${"x".repeat(80)}-`;
    const made = await run("dev", { images: { prometheus: `mirror.example/prometheus:${tag}` } });
    for (const { metadata, spec } of objects(made, "StatefulSet").filter((set) => set.metadata.name === "prometheus")) {
      for (const labels of [metadata.labels, spec.template.metadata.labels]) {
        assert.match(labels["app.kubernetes.io/version"] ?? "", /^3\.14\.0-x+-[0-9a-f]{8}$/);
        assert.ok((labels["app.kubernetes.io/version"] ?? "").length <= 63);
      }
    }
  });
});

describe("configuration: servers by address", () => {
  const accepted: [string, unknown][] = [
    ["s3", { s3: { endpoint: "[fd00::1]:9000" } }],
    ["s3 without a port", { s3: { endpoint: "[fd00::1]" } }],
    ["azure", { s3: undefined, azure: { storageAccount: "abc", container: "blocks", endpoint: "[fd00::1]:10000" } }],
  ];
  for (const [title, objectStorage] of accepted) it(`takes IPv6 in brackets: ${title}`, () => load("prod", { objectStorage }));

  it("takes an Alertmanager by IPv6, as scheme and target", async () => {
    const made = await run("dev", { alerting: { alertmanagers: ["http://[fd00::1]:9093"] } });
    const config = objects(made, "ConfigMap").find(({ data }) => data["prometheus.yml"] !== undefined)?.data["prometheus.yml"] ?? "";
    assert.match(config, /- "?\[fd00::1\]:9093/);
  });

  for (const [key, value] of [
    ["objectStorage.s3.endpoint", "fd00::1"],
    ["objectStorage.s3.endpoint", "host:99999"],
    ["objectStorage.s3.endpoint", "host:0"],
  ] as const) {
    it(`refuses ${value}`, () => refuses({ stack: "prod", key, value, overrides: at(key, value), says: /Accepted: (a host|a port)/ }));
  }
  it("refuses an Alertmanager at no port", () =>
    refuses({
      key: "alerting.alertmanagers[0]",
      value: "http://host:70000",
      overrides: { alerting: { alertmanagers: ["http://host:70000"] } },
      says: /a port from 1 to 65535/,
    }));

  const NO_HOST = [
    ...["10.0.0.300", "256.1.1.1", "1.2.3.4.5", "1.2.3", "123", "0251.1.1.1", "am.1", "am.1."],
    ...["xn--", "a..b", "-a", "a-", ".a", "[:::::]", "[::1.2.3]", "[1.2.3.4]", `${"a".repeat(64)}.svc`],
  ];
  for (const host of NO_HOST) {
    it(`refuses the host ${host}, wherever one is named`, async () => {
      const says = /a DNS name whose last part is not of digits alone\. Accepted: (a host such as minio\.storage\.svc|host:port)/;
      const address = `http://${host}:9093`;
      await refuses({ key: "alerting.alertmanagers[0]", value: address, overrides: { alerting: { alertmanagers: [address] } }, says });
      const server = `${host}:9000`;
      await refuses({
        stack: "prod",
        key: "objectStorage.s3.endpoint",
        value: server,
        overrides: at("objectStorage.s3.endpoint", server),
        says,
      });
      const endpoint = `dns+${host}:10901`;
      await refuses({ key: "querier.endpoints[0]", value: endpoint, overrides: at("querier.endpoints", [endpoint]), says });
    });
  }

  it("takes a server as it is written", () => {
    for (const host of ["10.0.0.255", "alerts", "Alerts.Example.", "1a.2b", "[::ffff:10.0.0.1]"]) {
      const settings = settingsOf("dev", { alerting: { alertmanagers: [`https://${host}:443`, `https://${host}`] } });
      assert.deepEqual((alertingConfig(settings) as AlertingConfig).alerting.alertmanagers, [
        { scheme: "https", static_configs: [{ targets: [`${host}:443`] }] },
        { scheme: "https", static_configs: [{ targets: [host] }] },
      ]);
      assert.deepEqual(alertmanagerPorts(settings), [443]);
    }
  });

  it("takes a name of Alertmanagers that is looked up, which is Prometheus' own discovery", () => {
    const found = (address: string) => {
      const settings = settingsOf("dev", { alerting: { alertmanagers: [address] } });
      const [alertmanager] = (alertingConfig(settings) as AlertingConfig).alerting.alertmanagers;
      return [alertmanager, alertmanagerPorts(settings)];
    };
    const addresses = (port: number) => ["A", "AAAA"].map((type) => ({ names: ["am.svc"], type, port }));
    assert.deepEqual(found("dns+http://am.svc"), [{ scheme: "http", dns_sd_configs: addresses(9093) }, [9093]]);
    assert.deepEqual(found("dns+https://am.svc:443/x"), [{ scheme: "https", path_prefix: "/x", dns_sd_configs: addresses(443) }, [443]]);
    for (const lookup of ["dnssrv", "dnssrvnoa"])
      assert.deepEqual(found(`${lookup}+http://_web._tcp.am.svc`), [
        { scheme: "http", dns_sd_configs: [{ names: ["_web._tcp.am.svc"], type: "SRV" }] },
        [undefined],
      ]);
    const both = settingsOf("dev", { alerting: { alertmanagers: ["http://am:9093", "dnssrv+http://_web._tcp.am.svc"] } });
    assert.deepEqual(alertmanagerPorts(both), [undefined], "every port, whichever others are named");
  });

  for (const [address, says] of [
    ["dns+http://10.0.0.1:9093", /an address is not looked up\. Accepted: the URL without dns\+/],
    ["dns+http://[fd00::1]:9093", /an address is not looked up/],
    ["dnssrv+http://_web._tcp.am.svc:9093", /a URL of scheme, host and port, .*dnssrv\+ where its records say the port/],
    ["dnssrv+http://10.0.0.1", /a host is an IPv4 address/],
    ["dns+am.svc:9093", /a URL of scheme, host and port/],
    ["http+dns://am.svc:9093", /a URL of scheme, host and port/],
    ["dns+dns+http://am.svc:9093", /a URL of scheme, host and port/],
    ["http://_web._tcp.am.svc", /a URL of scheme, host and port/],
    ["dns+http://am.svc:70000", /a port from 1 to 65535/],
  ] as const) {
    it(`refuses the Alertmanager ${address}`, () =>
      refuses({ key: "alerting.alertmanagers[0]", value: address, overrides: { alerting: { alertmanagers: [address] } }, says }));
  }

  for (const endpoint of [
    "host",
    "dns+x",
    "dns+x:99999",
    "dns+dns+x:1",
    ":10901",
    "fd00::1",
    "c:1,d:1",
    "host:0",
    "dnssrv+_grpc._tcp.host:0",
  ]) {
    it(`refuses ${endpoint} as an address of a querier`, () =>
      refuses({
        key: "querier.endpoints[0]",
        value: endpoint,
        overrides: at("querier.endpoints", [endpoint]),
        says: /Accepted: (an address: )?host:port, dns\+host:port or dnssrv\+_port\._tcp\.host/,
      }));
  }
  it("takes addresses of queriers as Thanos looks them up", () =>
    load(
      "dev",
      at("querier.endpoints", ["host:10901", "dns+a.b:1", "dnssrv+_grpc._tcp.host", "dnssrvnoa+_grpc._tcp.host", "[fd00::1]:10901"]),
    ));
});

describe("configuration: where samples are sent besides", () => {
  const to = (url: string) => at("prometheus.remoteWrite.otherTargets", [{ url }]);
  for (const url of [
    "https://x/push%zz",
    "http://[fd00::1/x",
    "http://x:abc/y",
    "http://x:99999/y",
    "http://x:0/y",
    "http://10.0.0.300/y",
    "http://u^@x/y",
  ]) {
    it(`refuses ${url}`, () =>
      refuses({
        key: "prometheus.remoteWrite.otherTargets[0].url",
        value: url,
        overrides: to(url),
        says: /Accepted: (a URL with a path|a host such as|a port from 1 to 65535)/,
      }));
  }
  for (const url of ["https://x/push%20y?a=%zz", "http://[fd00::1]:19291/x"]) it(`takes ${url}`, () => load("dev", to(url)));

  it("refuses a body of more bytes than Prometheus counts", () =>
    refuses({
      key: "prometheus.annotated.bodySizeLimit",
      value: "99999999999999GB",
      overrides: at("prometheus.annotated.bodySizeLimit", "99999999999999GB"),
      says: /more bytes than Prometheus can count\. Accepted: less than 8EiB/,
    }));
});

describe("configuration: durations", () => {
  for (const key of ["prometheus.retention.time", "receive.retention.time", "querier.timeout", "prometheus.scrapeInterval"]) {
    it(`refuses ${key} of 999y`, () =>
      refuses({ key, value: "999y", overrides: at(key, "999y"), says: /count nanoseconds in 64 bits.* Accepted: at most 292y/ }));
  }
  it("refuses more than Go counts in the bucket", async () => {
    const { message } = await rejection("prod", at("objectStorage.compactor.retention.raw", "293y"));
    assert.match(message, /objectStorage\.compactor\.retention\.raw = "293y"/);
  });
  it("takes the longest that Go counts", () => load("dev", at("prometheus.retention.time", "292y")));
});

/** dev's risks, and that of a limit which is none. */
const UNLIMITED: Overrides = { accepts: ["replicas-on-one-node", "no-limit"] };

describe("configuration: limits that the stack's own sender meets", () => {
  for (const [limit, least] of [
    ["samples", 5_000],
    ["series", 5_000],
    ["sizeBytes", 20_480_000],
  ] as const) {
    const limited = (value: number) => ({ receive: { limits: { default: { request: { [limit]: value } } } } });
    it(`refuses ${limit} below one of its requests`, () =>
      refuses({
        key: `receive.limits.default.request.${limit}`,
        value: least - 1,
        overrides: limited(least - 1),
        says: new RegExp(`own Prometheus and rulers.*is dropped\\. Accepted: ${least} or more, or a smaller prometheus\\.remoteWrite`),
      }));
    it(`takes ${least}, and none`, async () => {
      await load("dev", limited(least));
      await load("dev", together(limited(0), UNLIMITED));
    });
  }

  it("looks at the default tenant's own limits, not at others'", async () => {
    const tenants = { "default-tenant": { request: { samples: 100 } }, other: { request: { samples: 1, series: 1, sizeBytes: 1 } } };
    const overrides = { receive: { limits: { tenants } }, tenancy: { tenants: ["default-tenant", "other"] } };
    await refuses({ key: "receive.limits.tenants.default-tenant.request.samples", value: 100, overrides, says: /5000 or more/ });
    await load("dev", together(overrides, { tenancy: { defaultTenant: "mine" } }));
    await load("dev", together(overrides, { prometheus: { remoteWrite: { maxSamplesPerSend: 100 } } }));
  });
});

describe("configuration: limits that are none", () => {
  for (const [key, value] of [
    ["receive.limits.default.request.samples", 0],
    ["receive.limits.tenants.greeter.request.sizeBytes", 0],
    ["prometheus.annotated.sampleLimit", 0],
    ["prometheus.annotated.bodySizeLimit", "0"],
  ] as const) {
    it(`refuses ${key} of ${value}, unless the risk is named`, async () => {
      const overrides = at(key, value);
      await refuses({
        key,
        value,
        overrides,
        says: /fill the memory.*Accepted: a limit above 0, the default by leaving it out, or "no-limit" in accepts/,
      });
      await load("dev", together(overrides, UNLIMITED));
    });
  }

  it("takes a 0 that means none of something else", () =>
    load("dev", {
      receive: {
        maxExemplars: 0,
        limits: { maxConcurrency: 0, default: { headSeries: 0 } },
        rollout: { preStopSeconds: 0, minReadySeconds: 0 },
      },
    }));
});

describe("configuration: what can be survived", () => {
  const five = {
    receive: { replicas: 9, replicationFactor: 5, antiAffinity: "hard", storage: { hostPath: undefined, pvc: { size: "10Gi" } } },
  };
  it("refuses more lost nodes than five copies survive, and says how many that are", async () => {
    for (const value of [3, 4]) {
      const overrides = { ...five, survives: { nodes: value } };
      await refuses({ key: "survives.nodes", value, overrides, says: /at most 5 replicas.*Accepted: at most 2, or ingestion "sidecar"/ });
    }
    await refuses({ key: "survives.nodes", value: 5, overrides: { ...five, survives: { nodes: 5 } }, says: /at most 4/ });
  });

  it("as many as are taken can be met, in each scheme", async () => {
    const querier = { replicas: 6, antiAffinity: "hard" };
    await run("dev", { ...five, querier, survives: { nodes: 2 } });
    const prometheus = { replicas: 5, antiAffinity: "hard", storage: { hostPath: undefined, pvc: { size: "10Gi" } } };
    await run("dev", { ...five, ingestion: "sidecar", querier, prometheus, survives: { nodes: 4 } });
  });
});

describe("configuration: name servers", () => {
  for (const network of ["0.0.0.0/0", "0.0.0.0/1", "::/0"]) {
    it(`are not half of all addresses: ${network}`, () =>
      refuses({
        key: "network.dns[0].network",
        value: network,
        overrides: { network: { dns: [{ network }] } },
        says: /a way out of the cluster.*Accepted: the address of the name server/,
      }));
  }

  it("are where a cluster has them", () => {
    for (const network of ["10.96.0.10/32", "10.0.0.0/8", "fd00:ec2::/64"])
      assert.equal(settingsOf("dev", { network: { dns: [{ network }] } }).network.dns[0]?.network, network);
  });
});

describe("configuration: retention by size", () => {
  for (const [key, overrides] of [
    ["prometheus", { prometheus: { storage: { hostPath: undefined, pvc: { size: "10Gi" } } } }],
    ["prometheus", { prometheus: { storage: { hostPath: undefined, emptyDir: { size: "10Gi" } } } }],
    ["receive", { receive: { storage: { hostPath: undefined, pvc: { size: "10Gi" } } } }],
  ] as [string, Overrides][]) {
    it(`of ${key} leaves a part of the volume to the log and to compaction`, async () => {
      const kept = (size: string) => together(overrides, at(`${key}.retention.size`, size));
      await refuses({
        key: `${key}.retention.size`,
        value: "9Gi",
        overrides: kept("9Gi"),
        says: /85 %.*Accepted: 8704Mi or less, a volume of 11Gi or more/,
      });
      await run("dev", kept("8704Mi"));
    });
  }
});

describe("configuration: access", () => {
  for (const [value, accepted] of [
    ["10.0.0.5", "10.0.0.5/32"],
    ["2001:db8::1", "2001:db8::1/128"],
    ["10.0.0.5/8", "10.0.0.5/32"],
  ] as const) {
    it(`names the network that ${value} is`, async () => {
      const { message } = await rejection("dev", { access: { senders: [value] } });
      assert.match(message, new RegExp(`access\\.senders\\[0\\] = "${value}": .*Accepted: .*${accepted}`));
    });
  }
});

describe("configuration: images", () => {
  for (const image of ["quay.io/Prometheus/prometheus:v3.14.0", "http//x:v3", "-a/:1", "a..b/c:1", "quay.io/a/b:latest", "quay.io/a/b"]) {
    it(`are refused where a runtime would: ${image}`, () =>
      refuses({
        key: "images.prometheus",
        value: image,
        overrides: { images: { prometheus: image } },
        says: /Accepted: an image with a tag/,
      }));
  }

  for (const image of [
    "localhost:5000/a/b_c:v1",
    "[::1]:5000/x:1",
    "Registry.example/x__y/z--a:1",
    "x:1",
    `a/b:v1@sha256:${"0".repeat(64)}`,
  ]) {
    it(`are taken: ${image}`, () => assert.equal(settingsOf("dev", { images: { memcached: image } }).images.memcached, image));
  }
});

describe("configuration: the kubeconfig", () => {
  for (const value of ["/a:/b", "/a:~/b", "$HOME/.kube/config", ["$", "{HOME}/x"].join(""), "~", "~bob/x", ""]) {
    it(`is no list, variable or other home: ${JSON.stringify(value)}`, () =>
      refuses({ key: "cluster.kubeconfig", value, overrides: { cluster: { kubeconfig: value } }, says: /Accepted: the path of one file/ }));
  }

  for (const value of ["~/.kube/config", "/tmp/a:b", "kube/config", "{clusters: []}", "apiVersion: v1\nkind: Config"]) {
    it(`is a path or a text: ${JSON.stringify(value)}`, () =>
      assert.equal(settingsOf("dev", { cluster: { kubeconfig: value } }).cluster.kubeconfig, value));
  }
});
